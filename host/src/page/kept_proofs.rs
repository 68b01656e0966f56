//! Proofs of who acts that were given but not used, because the form had another error. A code is valid only once, so
//! its owner would otherwise have to wait for the next one. Proofs are kept in the memory of one server.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::session::Session;
use crate::capability::clock::lasts;
use crate::capability::storage::OrganizationId;

/// How long a proof is kept after it was given, in milliseconds.
const KEPT: u64 = 5 * 60 * 1_000;
/// How many proofs are kept at a time. The owners of further ones are asked again.
const MOST: usize = 10_000;

/// The time until which a proof that is given now may be kept.
pub(super) fn end_of_proof(now: u64) -> u64 {
    now.saturating_add(KEPT)
}

/// The form for which a proof is kept: it is valid only for this form in this session.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SessionsForm([u8; 32]);

impl SessionsForm {
    /// The view's form with this action. A view may have several forms.
    pub(super) fn new(organization: &OrganizationId, session: &Session, view: &str, action: &str) -> Self {
        let mut hash = Sha256::new();
        let (name, generation) = (organization.as_str().as_bytes(), organization.generation().to_be_bytes());
        let (view, action) = (view.as_bytes(), action.as_bytes());
        for part in [name, &generation, session.actor.as_bytes(), &session.secret, view, action] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

/// The kept proofs by their forms, and until when they are kept.
#[derive(Default)]
pub(super) struct KeptProofs(Mutex<HashMap<SessionsForm, u64>>);

impl KeptProofs {
    /// Keeps an unused proof until its end, which is counted from when it was given.
    pub(super) fn keep(&self, form: SessionsForm, until: u64, now: u64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, until| lasts(*until, now, KEPT));
        if kept.len() < MOST && lasts(until, now, KEPT) {
            kept.insert(form, until);
        }
    }

    /// Whether a proof for this form is kept.
    pub(super) fn has(&self, form: SessionsForm, now: u64) -> bool {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&form).is_some_and(|until| lasts(*until, now, KEPT))
    }

    /// Takes the proof for this form, which allows one try, and returns the time until which it may be kept again.
    pub(super) fn take(&self, form: SessionsForm, now: u64) -> Option<u64> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&form).filter(|until| lasts(*until, now, KEPT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(actor: &str, secret: &[u8], view: &str, action: &str) -> SessionsForm {
        let organization = OrganizationId::parse("acme").unwrap();
        SessionsForm::new(&organization, &Session { actor: actor.into(), secret: secret.to_vec() }, view, action)
    }

    #[test]
    fn p2_a_kept_proof_is_good_once_for_five_minutes_and_for_one_form_of_one_session() {
        const NOW: u64 = 1_800_000_000_000;
        let (kept, okta, end) = (KeptProofs::default(), form("ada", b"1", "automatic", "okta"), end_of_proof(NOW));
        kept.keep(okta, end, NOW);
        for other in [
            form("ada", b"1", "streams", "okta"),
            form("ada", b"1", "automatic", "entra"),
            form("ada", b"1", "automaticokta", ""),
            form("ada", b"2", "automatic", "okta"),
            form("bob", b"1", "automatic", "okta"),
        ] {
            assert!(!kept.has(other, NOW) && kept.take(other, NOW).is_none());
        }
        assert!(kept.has(okta, NOW));
        assert_eq!(kept.take(okta, NOW), Some(end));
        assert!(!kept.has(okta, NOW) && kept.take(okta, NOW).is_none());
        // A proof that is kept again still ends at the same time.
        kept.keep(okta, end, NOW + KEPT - 1);
        assert!(kept.has(okta, NOW + KEPT - 1) && !kept.has(okta, NOW + KEPT));
        assert!(kept.take(okta, NOW - 10 * KEPT).is_none(), "the clock was set back");
        kept.keep(okta, end, NOW + KEPT);
        assert!(!kept.has(okta, NOW), "it had ended before it was to be kept");
    }
}
