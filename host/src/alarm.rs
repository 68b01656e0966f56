//! What wakes the scheduler, and how long it waits after failures; and what wakes those who wait for a change of an
//! organization.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::capability::storage::OrganizationId;

/// First and longest pause after a failure, in milliseconds; doubled each time.
const FIRST_RETRY: u64 = 1_000;
const LONGEST_RETRY: u64 = 300_000;

/// Tells the scheduler of a due time that was just stored.
#[derive(Default)]
pub(crate) struct Alarm {
    earliest: Mutex<Option<u64>>,
    changed: Notify,
    /// Who waits for commits of an organization.
    followers: Mutex<HashMap<OrganizationId, watch::Sender<()>>>,
}

impl Alarm {
    /// Something is due at this time, in milliseconds since the Unix epoch.
    pub(crate) fn set(&self, time: u64) {
        let mut earliest = lock(&self.earliest);
        if earliest.is_none_or(|earliest| time < earliest) {
            *earliest = Some(time);
            drop(earliest);
            self.changed.notify_one();
        }
    }

    /// From now on every time is news: what was stored before is about to be read.
    pub(crate) fn forget(&self) {
        *lock(&self.earliest) = None;
    }

    /// Something was committed for the organization.
    pub(crate) fn committed(&self, organization: &OrganizationId) {
        if let Some(followers) = lock(&self.followers).get(organization) {
            followers.send_replace(());
        }
    }

    /// Is told of each commit for the organization in this process from now on. One that comes while nobody looks is told
    /// later.
    pub(crate) fn follow(&self, organization: &OrganizationId) -> watch::Receiver<()> {
        let mut followers = lock(&self.followers);
        followers.retain(|_, followers| followers.receiver_count() > 0);
        followers.entry(organization.clone()).or_insert_with(|| watch::channel(()).0).subscribe()
    }

    /// Ends when a time was set that is earlier than all that were set since [`Alarm::forget`].
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often in a row each organization's jobs have failed.
#[derive(Default)]
pub(crate) struct Failures(Mutex<HashMap<OrganizationId, u32>>);

impl Failures {
    /// The organization's jobs have succeeded.
    pub(crate) fn clear(&self, organization: &OrganizationId) {
        lock(&self.0).remove(organization);
    }

    /// Counts a failure, and returns the pause before the next try, in milliseconds.
    pub(crate) fn count(&self, organization: &OrganizationId) -> u64 {
        let mut failures = lock(&self.0);
        let times = failures.entry(organization.clone()).or_default();
        let pause = FIRST_RETRY.saturating_mul(1 << (*times).min(20)).min(LONGEST_RETRY);
        *times = times.saturating_add(1);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_follows_an_organization_is_told_of_its_commits_alone() {
        let alarm = Alarm::default();
        let [one, two] = ["a", "b"].map(|name| OrganizationId::parse(name).unwrap());
        let mut follower = alarm.follow(&one);
        alarm.committed(&two);
        assert!(!follower.has_changed().unwrap());
        alarm.committed(&one);
        alarm.committed(&one);
        follower.changed().await.unwrap();
        assert!(!follower.has_changed().unwrap());
        drop(follower);
        let _other = alarm.follow(&two);
        assert_eq!(lock(&alarm.followers).len(), 1);
    }

    #[test]
    fn pauses_double_up_to_five_minutes_and_start_over_after_a_success() {
        let failures = Failures::default();
        let organization = OrganizationId::parse("a").unwrap();
        let pauses: Vec<u64> = (0..11).map(|_| failures.count(&organization)).collect();
        assert_eq!(pauses[..3], [1_000, 2_000, 4_000]);
        assert_eq!(pauses[10], 300_000);
        failures.clear(&organization);
        assert_eq!(failures.count(&organization), 1_000);
    }
}
