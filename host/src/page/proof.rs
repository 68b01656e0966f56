//! The proof of who acts that a form needs: the passphrase, or what the backend's [`StepUp`](super::StepUp) asks for.
//!
//! The rest of a form is checked before the proof, so that other errors are reported first. Only the component can find
//! some errors; it then refuses the act and changes nothing. For this case the proof is kept for the same form (module
//! [`super::kept_proofs`]). A proof is for one act: if the result of the act is unknown, the proof is used up.

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

/// The proof in a form.
pub(super) enum Proof<'f> {
    /// A passphrase, which the component will check.
    Passphrase(&'f str),
    /// The backend has verified who acts.
    Verified(Proven),
}

/// A verified proof for one act.
pub(super) struct Proven {
    /// The proof that is kept if the act is refused. For a passphrase nothing is kept, because it can be typed again.
    unused: Option<Unused>,
}

/// A proof that was not used for an act.
struct Unused {
    state: PageState,
    form: SessionsForm,
    /// When it ends, even if it is kept several times.
    until: u64,
}

impl Proven {
    /// Performs the act. This uses up the proof, unless the act is refused and the failure spares the proof. It is also
    /// used up if nobody waits for the result any more.
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

/// The reason why an act failed.
pub(super) trait Failure {
    /// Whether it is certain that nothing was changed and that a corrected form may succeed.
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

/// The form contains no valid proof.
pub(super) struct Unproven {
    pub(super) status: StatusCode,
    /// The reason, as a sentence.
    pub(super) why: String,
}

/// The result of an act with a passphrase. If the passphrase was wrong, the form says so.
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
    /// The question of the view's form with this action.
    pub(super) async fn question(&self, view: &str, action: &str) -> Result<StepUpQuestion, Refusal> {
        if self.has_kept_proof(view, action) { Ok(StepUpQuestion::Nothing) } else { self.question_of(view).await }
    }

    /// Like [`Visit::question`], for a view that shows more than the form: `None` if the backend can't be asked now.
    pub(super) async fn question_if_any(&self, view: &str, action: &str) -> Option<StepUpQuestion> {
        self.question(view, action).await.ok()
    }

    /// Like [`Visit::question_if_any`], for several forms of a view. The backend is asked once.
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

    /// The question of the forms of this view for which no proof is kept.
    async fn question_of(&self, view: &str) -> Result<StepUpQuestion, Refusal> {
        let Some(OnceMore { step_up, session, request }) = self.once_more.as_deref() else {
            let hint = Some(format!("The one that {} signs in to Insomnia with.", self.member.email));
            return Ok(StepUpQuestion::Field { label: "Your passphrase".into(), hint, is_code: false });
        };
        Ok(step_up.question(self.organization.id(), session, request, &self.path(view)).await?)
    }

    /// Checks the proof in the view's form with this action.
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

    /// Like [`Visit::proof`], for an act that takes no passphrase itself.
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
