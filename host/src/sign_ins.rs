//! Wrong sign-ins in number: somebody may be guessing the passphrases of an organization's people.
//!
//! What slows them down is elsewhere. Here they are counted by organization, so that the operator is told.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::capability::storage::OrganizationId;

/// So many wrong sign-ins within [`WINDOW`] are told: people who mistype are below it.
pub(crate) const MANY: u32 = 20;
/// For how long a wrong sign-in counts.
const WINDOW: Duration = Duration::from_secs(60 * 60);
/// Organizations that are counted at a time. Only those that are there are counted, so strangers can't invent more.
const MOST: usize = 1_000;

/// Counts wrong sign-ins at this host.
#[derive(Debug, Default)]
pub(crate) struct WrongSignIns(Mutex<HashMap<OrganizationId, Wrong>>);

/// The wrong sign-ins of an organization.
#[derive(Debug)]
struct Wrong {
    since: Instant,
    number: u32,
}

impl WrongSignIns {
    /// Somebody tried to sign in to this organization, which is there, with a wrong address or passphrase.
    pub(crate) fn count(&self, organization: &OrganizationId) {
        self.count_at(organization, Instant::now());
    }

    fn count_at(&self, organization: &OrganizationId, now: Instant) {
        let mut counted = self.lock();
        if counted.len() >= MOST && !counted.contains_key(organization) {
            counted.retain(|_, wrong| is_within(wrong, now));
            if counted.len() >= MOST {
                return;
            }
        }
        let wrong = counted.entry(organization.clone()).or_insert(Wrong { since: now, number: 0 });
        if !is_within(wrong, now) {
            *wrong = Wrong { since: now, number: 0 };
        }
        wrong.number = wrong.number.saturating_add(1);
    }

    /// The organizations with [`MANY`] wrong sign-ins. They are counted from nought again.
    pub(crate) fn take_many(&self) -> Vec<OrganizationId> {
        self.lock().extract_if(|_, wrong| wrong.number >= MANY).map(|(organization, _)| organization).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrganizationId, Wrong>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_within(wrong: &Wrong, now: Instant) -> bool {
    now.saturating_duration_since(wrong.since) < WINDOW
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organization(name: &str) -> OrganizationId {
        OrganizationId::parse(name).unwrap()
    }

    #[test]
    fn p9_many_wrong_sign_ins_of_one_organization_within_an_hour_are_told_once() {
        let (wrong, begin) = (WrongSignIns::default(), Instant::now());
        for number in 0..MANY - 1 {
            wrong.count_at(&organization("acme"), begin);
            wrong.count_at(&organization(&format!("other-{number}")), begin);
        }
        assert!(wrong.take_many().is_empty());
        wrong.count_at(&organization("acme"), begin + WINDOW);
        assert!(wrong.take_many().is_empty(), "those of an hour ago do not count");
        for _ in 0..MANY {
            wrong.count_at(&organization("acme"), begin + WINDOW);
        }
        assert_eq!(wrong.take_many(), [organization("acme")]);
        assert!(wrong.take_many().is_empty());
    }

    #[test]
    fn p9_the_organizations_that_are_counted_take_a_bounded_amount_of_memory() {
        let (wrong, begin) = (WrongSignIns::default(), Instant::now());
        for number in 0..2 * MOST {
            wrong.count_at(&organization(&format!("o-{number}")), begin);
        }
        assert_eq!(wrong.lock().len(), MOST);
        wrong.count_at(&organization("later"), begin + WINDOW);
        assert_eq!(wrong.lock().len(), 1);
    }
}
