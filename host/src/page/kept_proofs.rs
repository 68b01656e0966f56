//! Proofs of who acts that were given and not used, since the form that they came with was refused for another reason. A code is
//! valid once: who is told that something else is wrong need not wait for the next one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::session::Session;
use crate::capability::clock::lasts;
use crate::capability::storage::OrganizationId;

/// For how long a proof is kept, in milliseconds.
const KEPT: u64 = 5 * 60 * 1_000;
/// Proofs at the same time. Those beyond are not kept: their owners are asked once more.
const MOST: usize = 10_000;

/// A form as one session sees it: a proof that is kept holds for this form alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SessionsForm([u8; 32]);

impl SessionsForm {
    /// The form in this view.
    pub(super) fn new(organization: &OrganizationId, session: &Session, view: &str) -> Self {
        let mut hash = Sha256::new();
        let (name, generation) = (organization.as_str().as_bytes(), organization.generation().to_be_bytes());
        for part in [name, &generation, session.actor.as_bytes(), &session.secret, view.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

/// What is kept, and until when.
#[derive(Default)]
pub(super) struct KeptProofs(Mutex<HashMap<SessionsForm, u64>>);

impl KeptProofs {
    /// Keeps a proof that was not used.
    pub(super) fn keep(&self, form: SessionsForm, now: u64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, until| lasts(*until, now, KEPT));
        if kept.len() < MOST {
            kept.insert(form, now.saturating_add(KEPT));
        }
    }

    /// Whether there is one for this form.
    pub(super) fn has(&self, form: SessionsForm, now: u64) -> bool {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&form).is_some_and(|until| lasts(*until, now, KEPT))
    }

    /// Takes the one for this form: it is good for one try.
    pub(super) fn take(&self, form: SessionsForm, now: u64) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&form).is_some_and(|until| lasts(until, now, KEPT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(actor: &str, secret: &[u8], view: &str) -> SessionsForm {
        let organization = OrganizationId::parse("acme").unwrap();
        SessionsForm::new(&organization, &Session { actor: actor.into(), secret: secret.to_vec() }, view)
    }

    #[test]
    fn p2_a_kept_proof_is_good_once_for_five_minutes_and_for_one_form_of_one_session() {
        const NOW: u64 = 1_800_000_000_000;
        let (kept, refresh) = (KeptProofs::default(), form("ada", b"1", "refresh"));
        kept.keep(refresh, NOW);
        for other in [form("ada", b"1", "streams"), form("ada", b"2", "refresh"), form("bob", b"1", "refresh")] {
            assert!(!kept.has(other, NOW) && !kept.take(other, NOW));
        }
        assert!(kept.has(refresh, NOW) && kept.take(refresh, NOW));
        assert!(!kept.has(refresh, NOW) && !kept.take(refresh, NOW));
        kept.keep(refresh, NOW);
        assert!(kept.has(refresh, NOW + KEPT - 1) && !kept.has(refresh, NOW + KEPT));
        assert!(!kept.take(refresh, NOW - 10 * KEPT), "the clock was set back");
    }
}
