//! What a form proves of who acts, and what it asks for that: the passphrase, or what the backend's [`StepUp`] wants.
//!
//! A form is looked at as a whole before the proof is: what else is wrong with it is said first. What only the component can tell is
//! told after that, so a proof that no act has used is kept for the same form (module [`super::kept_proofs`]).

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::request::Parts;

use super::form::Fields;
use super::kept_proofs::SessionsForm;
use super::refusal::Refusal;
use super::session::Session;
use super::state::PageState;
use super::step_up::{StepUp, StepUpQuestion, StepUpVerdict};
use super::visit::Visit;
use super::words::wait;
use crate::error::ActionError;

/// The backend's own way to make sure who acts, for one request.
pub(super) struct OnceMore {
    pub(super) step_up: Arc<dyn StepUp>,
    pub(super) session: Session,
    pub(super) request: Parts,
}

/// What was proven by a form.
pub(super) enum Proof<'f> {
    /// Nothing yet: this is said to be the passphrase, and the component looks.
    Passphrase(&'f str),
    /// The backend has made sure who acts.
    Verified(Proven),
}

/// It is proven who acts: for one act.
pub(super) struct Proven {
    /// Where it is kept if the act does not come about. A passphrase is as good the next time, so nothing is kept of it.
    unused: Option<(PageState, SessionsForm)>,
}

impl Proven {
    /// Acts. The proof is used up if that succeeds.
    pub(super) async fn act<T, E>(mut self, act: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let done = act.await;
        if done.is_ok() {
            self.unused = None;
        }
        done
    }
}

impl Drop for Proven {
    fn drop(&mut self) {
        if let Some((state, form)) = self.unused.take() {
            state.kept_proofs.keep(form, state.now());
        }
    }
}

/// Nothing was proven.
pub(super) struct Unproven {
    pub(super) status: StatusCode,
    /// Why, in a sentence.
    pub(super) why: String,
}

/// What came of an act with the passphrase: that it was wrong is said beside the form.
pub(super) fn with_passphrase<T>(done: Result<T, ActionError>) -> Result<Result<T, Unproven>, ActionError> {
    let unproven = |status, why| Ok(Err(Unproven { status, why }));
    match done {
        Err(ActionError::WrongPassphrase) => {
            unproven(StatusCode::UNPROCESSABLE_ENTITY, "The passphrase is wrong.".to_owned())
        }
        Err(ActionError::Throttled(seconds)) => unproven(StatusCode::TOO_MANY_REQUESTS, wait(seconds)),
        other => other.map(Ok),
    }
}

impl Visit {
    /// What the form in this view asks for.
    pub(super) async fn question(&self, view: &str) -> Result<StepUpQuestion, Refusal> {
        let Some(OnceMore { step_up, session, request }) = self.once_more.as_deref() else {
            let hint = Some(format!("The one that {} signs in to Insomnia with.", self.member.email));
            return Ok(StepUpQuestion::Field { label: "Your passphrase".into(), hint, is_code: false });
        };
        let organization = self.organization.id();
        if self.state.kept_proofs.has(SessionsForm::new(organization, session, view), self.state.now()) {
            return Ok(StepUpQuestion::Nothing);
        }
        Ok(step_up.question(organization, session, request, &self.path(view)).await?)
    }

    /// As [`Visit::question`], for a view that shows more than the form: nothing if it can't be asked now.
    pub(super) async fn question_if_any(&self, view: &str) -> Option<StepUpQuestion> {
        self.question(view).await.ok()
    }

    /// What the form in this view proves.
    pub(super) async fn proof<'f>(
        &self,
        view: &str,
        fields: &'f Fields,
    ) -> Result<Result<Proof<'f>, Unproven>, Refusal> {
        let typed = fields.raw("passphrase");
        let Some(OnceMore { step_up, session, request }) = self.once_more.as_deref() else {
            return Ok(Ok(Proof::Passphrase(typed)));
        };
        let (organization, tries) = (self.organization.id(), &self.state.tries);
        let form = SessionsForm::new(organization, session, view);
        let proven = || Proof::Verified(Proven { unused: Some((self.state.clone(), form)) });
        if self.state.kept_proofs.take(form, self.state.now()) {
            return Ok(Ok(proven()));
        }
        if let Err(seconds) = tries.begin_step_up(organization, &self.member.id) {
            tracing::warn!(%organization, member = %self.member.id, "a member was wrong too often and has to wait");
            return Ok(Err(Unproven { status: StatusCode::TOO_MANY_REQUESTS, why: wait(seconds) }));
        }
        let verdict = step_up.verify(organization, session, request, typed).await;
        if !matches!(verdict, Ok(StepUpVerdict::Refused(_))) {
            tries.step_up_was_not_wrong(organization, &self.member.id);
        }
        Ok(match verdict? {
            StepUpVerdict::Verified => Ok(proven()),
            StepUpVerdict::Refused(why) => {
                tracing::warn!(%organization, member = %self.member.id, "the backend refused what a member gave to prove who acts");
                Err(Unproven { status: StatusCode::UNPROCESSABLE_ENTITY, why })
            }
        })
    }

    /// As [`Visit::proof`], for an act that takes no passphrase itself.
    pub(super) async fn proven(&self, view: &str, fields: &Fields) -> Result<Result<Proven, Unproven>, Refusal> {
        Ok(match self.proof(view, fields).await? {
            Ok(Proof::Passphrase(given)) => {
                let verified = self.organization.verify_passphrase(&self.member.id, given).await;
                with_passphrase(verified.map(|_| Proven { unused: None }))?
            }
            Ok(Proof::Verified(proven)) => Ok(proven),
            Err(unproven) => Err(unproven),
        })
    }
}
