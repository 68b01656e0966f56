//! What a form proves of who acts, and what it asks for that: the passphrase, or what the backend's [`StepUp`] wants.
//!
//! A form is looked at as a whole before the proof is: what else is wrong with it is said first. What only the component can tell is
//! told after that. A refusal of that kind says that nothing was changed, so the proof is kept for the same form (module
//! [`super::kept_proofs`]). It is for one act: where it isn't known what came of the act, the proof is used up.

use axum::http::StatusCode;

use super::form::Fields;
use super::kept_proofs::{SessionsForm, end_of_proof};
use super::refusal::Refusal;
use super::state::PageState;
use super::step_up::{StepUpQuestion, StepUpVerdict};
use super::visit::{OnceMore, Visit};
use super::words::wait;
use crate::api_keys::ApiKeyError;
use crate::error::ActionError;

/// What was proven by a form.
pub(super) enum Proof<'f> {
    /// Nothing yet: this is said to be the passphrase, and the component looks.
    Passphrase(&'f str),
    /// The backend has made sure who acts.
    Verified(Proven),
}

/// It is proven who acts: for one act.
pub(super) struct Proven {
    /// What is kept if the act is refused. A passphrase is as good the next time, so nothing is kept of it.
    unused: Option<Unused>,
}

/// A proof that no act has used.
struct Unused {
    state: PageState,
    form: SessionsForm,
    /// When it ends, however often it is kept.
    until: u64,
}

impl Proven {
    /// Acts. That uses up the proof, unless the act is refused and the failure spares it. It is used up as well where nobody waits
    /// any longer for what comes of the act.
    pub(super) async fn act<T, E: Failure>(self, act: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let done = act.await;
        if let Some(Unused { state, form, until }) = self.unused
            && done.as_ref().is_err_and(E::spares_the_proof)
        {
            state.kept_proofs.keep(form, until, state.now());
        }
        done
    }
}

/// Why an act failed.
pub(super) trait Failure {
    /// Whether it is certain that nothing was changed, and another form can help it.
    fn spares_the_proof(&self) -> bool;
}

impl Failure for ActionError {
    fn spares_the_proof(&self) -> bool {
        matches!(self, Self::Invalid(_) | Self::Conflict(_) | Self::NotConfigured(_) | Self::UnmetRequirements(_))
    }
}

impl Failure for ApiKeyError {
    fn spares_the_proof(&self) -> bool {
        matches!(self, Self::Name | Self::TooMany)
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
    /// What the form in this view that does this asks for.
    pub(super) async fn question(&self, view: &str, action: &str) -> Result<StepUpQuestion, Refusal> {
        if self.has_kept_proof(view, action) { Ok(StepUpQuestion::Nothing) } else { self.question_of(view).await }
    }

    /// As [`Visit::question`], for a view that shows more than the form: nothing if it can't be asked now.
    pub(super) async fn question_if_any(&self, view: &str, action: &str) -> Option<StepUpQuestion> {
        self.question(view, action).await.ok()
    }

    /// As [`Visit::question_if_any`], for several forms in one view. The backend is asked once.
    pub(super) async fn questions_if_any<const N: usize>(
        &self,
        view: &str,
        actions: [&str; N],
    ) -> [Option<StepUpQuestion>; N] {
        let asked = self.question_of(view).await.ok();
        let kept = |action| self.has_kept_proof(view, action).then_some(StepUpQuestion::Nothing);
        actions.map(|action| kept(action).or_else(|| asked.clone()))
    }

    /// Whether a proof is kept for this form.
    fn has_kept_proof(&self, view: &str, action: &str) -> bool {
        self.once_more.as_deref().is_some_and(|OnceMore { session, .. }| {
            let form = SessionsForm::new(self.organization.id(), session, view, action);
            self.state.kept_proofs.has(form, self.state.now())
        })
    }

    /// What forms in this view ask for which no proof is kept.
    async fn question_of(&self, view: &str) -> Result<StepUpQuestion, Refusal> {
        let Some(OnceMore { step_up, session, request }) = self.once_more.as_deref() else {
            let hint = Some(format!("The one that {} signs in to Insomnia with.", self.member.email));
            return Ok(StepUpQuestion::Field { label: "Your passphrase".into(), hint, is_code: false });
        };
        Ok(step_up.question(self.organization.id(), session, request, &self.path(view)).await?)
    }

    /// What the form in this view that does this proves.
    pub(super) async fn proof<'f>(
        &self,
        view: &str,
        action: &str,
        fields: &'f Fields,
    ) -> Result<Result<Proof<'f>, Unproven>, Refusal> {
        let typed = fields.raw("passphrase");
        let Some(OnceMore { step_up, session, request }) = self.once_more.as_deref() else {
            return Ok(Ok(Proof::Passphrase(typed)));
        };
        let (organization, tries) = (self.organization.id(), &self.state.tries);
        let form = SessionsForm::new(organization, session, view, action);
        let proven = |until| {
            let state = self.state.clone();
            Proof::Verified(Proven { unused: Some(Unused { state, form, until }) })
        };
        if let Some(until) = self.state.kept_proofs.take(form, self.state.now()) {
            return Ok(Ok(proven(until)));
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
            StepUpVerdict::Verified => Ok(proven(end_of_proof(self.state.now()))),
            StepUpVerdict::Refused(why) => {
                tracing::warn!(%organization, member = %self.member.id, "the backend refused what a member gave to prove who acts");
                Err(Unproven { status: StatusCode::UNPROCESSABLE_ENTITY, why })
            }
        })
    }

    /// As [`Visit::proof`], for an act that takes no passphrase itself.
    pub(super) async fn proven(
        &self,
        view: &str,
        action: &str,
        fields: &Fields,
    ) -> Result<Result<Proven, Unproven>, Refusal> {
        Ok(match self.proof(view, action, fields).await? {
            Ok(Proof::Passphrase(given)) => {
                let verified = self.organization.verify_passphrase(&self.member.id, given).await;
                with_passphrase(verified.map(|_| Proven { unused: None }))?
            }
            Ok(Proof::Verified(proven)) => Ok(proven),
            Err(unproven) => Err(unproven),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::CallError;

    #[test]
    fn p2_a_proof_is_kept_only_after_a_refusal_that_has_changed_nothing_and_that_the_form_can_help() {
        let text = || "why".to_owned();
        for refused in [
            ActionError::Invalid(text()),
            ActionError::Conflict(text()),
            ActionError::NotConfigured(text()),
            ActionError::UnmetRequirements(Vec::new()),
        ] {
            assert!(refused.spares_the_proof(), "{refused}");
        }
        for failed in [
            ActionError::Call(CallError::Deadline),
            ActionError::Call(CallError::Trap),
            ActionError::Unavailable(text()),
            ActionError::Other(text()),
        ] {
            assert!(!failed.spares_the_proof(), "{failed}");
        }
        assert!(ApiKeyError::Name.spares_the_proof() && ApiKeyError::TooMany.spares_the_proof());
        assert!(!ApiKeyError::Random(text()).spares_the_proof());
    }
}
