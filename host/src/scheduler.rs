//! The scheduler: calls an organization's jobs when they are due, and lets no failure hold up another.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::capability::storage::{OrganizationId, StorageError};
use crate::error::ActionError;
use crate::provisioner::{Inner, Provisioner};

/// Organizations whose jobs run at the same time: they wait for mail servers and webhooks most of their time. The rest of
/// the host's turns is for requests.
const PARALLEL: usize = 32;
/// Longest sleep: another process may have written an earlier due time, or the clock may have been set.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// Between two calls of an organization that has more to do; it keeps one from taking a thread for itself.
const PAUSE: u64 = 20;
/// Events that are handed to the subscriber at once.
const EVENTS: u32 = 200;
/// First and longest pause after a failure, in milliseconds; doubled each time.
const FIRST_RETRY: u64 = 1_000;
const LONGEST_RETRY: u64 = 300_000;

/// Tells the scheduler of a due time that was just stored.
#[derive(Default)]
pub(crate) struct Alarm {
    earliest: Mutex<Option<u64>>,
    changed: Notify,
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

    fn expect(&self, next: Option<u64>) {
        *lock(&self.earliest) = next;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often in a row each organization's jobs have failed.
#[derive(Default)]
pub(crate) struct Failures(Mutex<HashMap<OrganizationId, u32>>);

impl Failures {
    fn clear(&self, organization: &OrganizationId) {
        lock(&self.0).remove(organization);
    }

    /// The pause before the next try, in milliseconds.
    fn count(&self, organization: &OrganizationId) -> u64 {
        let mut failures = lock(&self.0);
        let times = failures.entry(organization.clone()).or_default();
        let pause = FIRST_RETRY.saturating_mul(1 << (*times).min(20)).min(LONGEST_RETRY);
        *times = times.saturating_add(1);
        pause
    }
}

/// Runs until the provisioner is dropped.
pub(crate) async fn run(provisioner: Weak<Inner>) {
    let mut running: JoinSet<OrganizationId> = JoinSet::new();
    let mut busy: HashSet<OrganizationId> = HashSet::new();
    while let Some(provisioner) = Provisioner::upgrade(&provisioner) {
        while let Some(ended) = running.try_join_next() {
            forget(&mut busy, ended);
        }
        provisioner.runtime().sweep();
        let pause = match start(&provisioner, &mut running, &mut busy).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::error!("what is due can't be read: {error}");
                LONGEST_SLEEP
            }
        };
        let alarm = provisioner.alarm();
        drop(provisioner);
        tokio::select! {
            () = sleep(pause) => {}
            () = alarm.changed.notified() => {}
            Some(ended) = running.join_next(), if !running.is_empty() => forget(&mut busy, ended),
        }
    }
}

/// A job never panics by itself; should one, its organization is found again at the next look.
fn forget(busy: &mut HashSet<OrganizationId>, ended: Result<OrganizationId, tokio::task::JoinError>) {
    match ended {
        Ok(organization) => {
            busy.remove(&organization);
        }
        Err(error) => {
            tracing::error!("a job ended early: {error}");
            busy.clear();
        }
    }
}

/// Starts what is due and returns how long to sleep.
async fn start(
    provisioner: &Provisioner,
    running: &mut JoinSet<OrganizationId>,
    busy: &mut HashSet<OrganizationId>,
) -> Result<Duration, StorageError> {
    let now = provisioner.clock().now();
    let free = PARALLEL.saturating_sub(running.len());
    if free > 0 {
        // Those that run are still due, and may be the first in the list.
        for (organization, seen) in provisioner.storage().due(now, PARALLEL + busy.len()).await? {
            if running.len() < PARALLEL && busy.insert(organization.clone()) {
                let provisioner = provisioner.clone();
                running.spawn(async move {
                    run_one(&provisioner, &organization, seen).await;
                    organization
                });
            }
        }
    }
    let next = provisioner.storage().next_due().await?;
    provisioner.alarm().expect(next);
    Ok(match next {
        // What is due now runs already, or waits for one that does: the end of either ends the sleep.
        Some(next) if next > now => Duration::from_millis(next - now).min(LONGEST_SLEEP),
        _ => LONGEST_SLEEP,
    })
}

/// Calls the organization's jobs once and stores when they are due next. Returns whether the call succeeded.
pub(crate) async fn run_one(provisioner: &Provisioner, organization: &OrganizationId, seen: u64) -> bool {
    let outcome = provisioner.organization(organization).run_due().await;
    let outcome = match (outcome, hand_over(provisioner, organization).await) {
        (Ok(_), Err(error)) => Err(error),
        (outcome, _) => outcome,
    };
    let now = provisioner.clock().now();
    let next = match &outcome {
        Ok(next) => {
            provisioner.failures().clear(organization);
            next.map(|next| next.max(now + PAUSE))
        }
        Err(error) => {
            let pause = provisioner.failures().count(organization);
            tracing::warn!(%organization, "jobs failed and are tried again in {pause} ms: {error}");
            Some(now + pause)
        }
    };
    if let Err(error) = provisioner.storage().reschedule(organization, seen, next).await {
        tracing::error!(%organization, "the next due time can't be stored: {error}");
        // Otherwise the same jobs would be started again at once.
        sleep(LONGEST_SLEEP).await;
    }
    outcome.is_ok()
}

/// Hands events to the subscriber in this process, if there is one, until none waits.
async fn hand_over(provisioner: &Provisioner, id: &OrganizationId) -> Result<(), ActionError> {
    let Some(subscriber) = provisioner.subscriber() else { return Ok(()) };
    let organization = provisioner.organization(id);
    loop {
        let events = organization.take_events(EVENTS).await?;
        if events.is_empty() {
            return Ok(());
        }
        subscriber.take(id, &events).await.map_err(|error| ActionError::Unavailable(format!("events: {error}")))?;
        organization.acknowledge_events(&events).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
