//! The scheduler: calls an organization's jobs when they are due, and lets no failure hold up another.
//!
//! Several hosts may run on one storage. Each claims an organization before it calls the jobs, renews the claim while they
//! run, and gives it back afterwards: [`crate::capability::schedule`] has the rules.

use std::collections::HashSet;
use std::sync::Weak;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::capability::schedule::{CLAIM, LONGEST_PAUSE};
use crate::capability::storage::{OrganizationId, StorageError};
use crate::component::CallError;
use crate::error::ActionError;
use crate::hourly::{error_hourly, warn_hourly};
use crate::metrics::JobOutcome;
use crate::provisioner::{Inner, Provisioner};

/// Organizations whose jobs run at the same time: they wait for mail servers and webhooks most of their time. The rest of
/// the host's turns is for requests.
const PARALLEL: usize = 32;
/// Longest sleep: another process may have written an earlier due time, or the clock may have been set.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// Between a commit that makes something due and the look for it.
const SHORTEST_SLEEP: Duration = Duration::from_millis(5);
/// How often a claim is renewed: two renewals may fail before it ends.
const RENEWAL: Duration = Duration::from_millis(CLAIM / 3);
/// Between two calls of an organization that has more to do; it keeps one from taking a thread for itself.
const PAUSE: u64 = 20;
/// Events that are handed to the subscriber at once.
const EVENTS: u32 = 200;

/// Runs until the provisioner is dropped.
pub(crate) async fn run(provisioner: Weak<Inner>) {
    let mut running: JoinSet<OrganizationId> = JoinSet::new();
    let mut busy: HashSet<OrganizationId> = HashSet::new();
    while let Some(provisioner) = Provisioner::upgrade(&provisioner) {
        while let Some(ended) = running.try_join_next() {
            forget(&mut busy, ended);
        }
        provisioner.runtime().sweep();
        provisioner.forget_leftovers_aside();
        let pause = match start(&provisioner, &mut running, &mut busy).await {
            Ok(pause) => pause,
            Err(error) => {
                error_hourly!("due-read"; "what is due can't be read: {error}");
                LONGEST_SLEEP
            }
        };
        let alarm = provisioner.alarm();
        drop(provisioner);
        tokio::select! {
            () = sleep(pause) => {}
            // Many commits at once cost one look.
            () = alarm.changed() => sleep(SHORTEST_SLEEP).await,
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
    provisioner.alarm().forget();
    let now = provisioner.clock().now();
    let free = PARALLEL.saturating_sub(running.len());
    if free > 0 {
        // Those that were started may not have been claimed yet, and be the first in the list.
        for organization in provisioner.storage().due(now, PARALLEL + busy.len()).await? {
            if running.len() < PARALLEL && busy.insert(organization.clone()) {
                let provisioner = provisioner.clone();
                running.spawn(async move {
                    if !run_one(&provisioner, &organization).await {
                        // Otherwise the same jobs would be tried again at once.
                        sleep(LONGEST_SLEEP).await;
                    }
                    organization
                });
            }
        }
    }
    let next = provisioner.storage().next_due(now).await?;
    provisioner.counts().jobs.waited(next.map_or(0, |next| now.saturating_sub(next)));
    Ok(match next {
        // What is due now waits for one that runs: its end ends the sleep.
        Some(next) if next > now => Duration::from_millis(next - now).min(LONGEST_SLEEP),
        _ => LONGEST_SLEEP,
    })
}

/// Claims the organization, calls its jobs once, and gives the claim back with the time at which they are due next. Does
/// nothing if another host has the claim. Returns whether the storage could be asked for it.
pub(crate) async fn run_one(provisioner: &Provisioner, organization: &OrganizationId) -> bool {
    let storage = provisioner.storage();
    let number = match storage.claim(organization, provisioner.clock().now()).await {
        Ok(Some(claim)) => claim.number,
        Ok(None) => return true,
        Err(error) => {
            error_hourly!("jobs-claimed"; %organization, "the jobs can't be claimed: {error}");
            return false;
        }
    };
    let outcome = tokio::select! {
        outcome = call(provisioner, organization) => outcome,
        () = keep(provisioner, organization, number) => {
            if matches!(storage.is_deleted(organization).await, Ok(true)) {
                provisioner.failures().clear(organization);
            } else {
                provisioner.counts().jobs.ended(JobOutcome::TakenOver);
                tracing::warn!(%organization, "the jobs were stopped: another host has claimed them, because this one was \
                    too slow, or its clock or the other's is wrong");
            }
            return true;
        }
    };
    let now = provisioner.clock().now();
    let next = match outcome {
        // Whatever the jobs were about, it is gone.
        Err(ActionError::Call(CallError::Deleted)) => {
            provisioner.failures().clear(organization);
            None
        }
        Ok(next) => {
            provisioner.failures().clear(organization);
            provisioner.counts().jobs.ended(JobOutcome::Done);
            next.map(|next| next.clamp(now.saturating_add(PAUSE), now.saturating_add(LONGEST_PAUSE)))
        }
        Err(error) => {
            let pause = provisioner.failures().count(organization);
            provisioner.counts().jobs.ended(JobOutcome::Failed);
            warn_hourly!(&format!("jobs {organization}"); %organization,
                "jobs failed and are tried again in {pause} ms: {error}");
            Some(now.saturating_add(pause))
        }
    };
    if let Err(error) = storage.release(organization, number, next).await {
        // Nothing is lost: some host looks again when the claim has ended.
        error_hourly!("due-stored"; %organization, "the next due time can't be stored: {error}");
    }
    true
}

/// Renews the claim again and again; returns when another host has it, or when the organization was deleted.
async fn keep(provisioner: &Provisioner, organization: &OrganizationId, number: u64) {
    loop {
        sleep(RENEWAL).await;
        match provisioner.storage().renew(organization, number, provisioner.clock().now()).await {
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(error) => {
                warn_hourly!("jobs-renewed"; %organization, "the claim of the jobs can't be renewed: {error}")
            }
        }
    }
}

/// Calls the organization's jobs once and hands its events over; returns when it wants to be called next.
async fn call(provisioner: &Provisioner, organization: &OrganizationId) -> Result<Option<u64>, ActionError> {
    let span = provisioner.traces().of_jobs(organization.as_str());
    let jobs = async {
        let next = provisioner.bound_organization(organization.clone()).run_due().await;
        let handed_over = hand_over(provisioner, organization).await;
        let next = next?;
        handed_over.map(|()| next)
    };
    if !span.is_on() {
        return jobs.await;
    }
    let outcome = span.within(Box::pin(jobs)).await;
    if outcome.is_err() {
        span.fail("failed");
    }
    outcome
}

/// Hands events to the subscriber in this process, if there is one, until none waits.
async fn hand_over(provisioner: &Provisioner, id: &OrganizationId) -> Result<(), ActionError> {
    let Some(subscriber) = provisioner.subscriber() else { return Ok(()) };
    let organization = provisioner.bound_organization(id.clone());
    loop {
        let events = organization.take_events(EVENTS).await?;
        if events.is_empty() {
            return Ok(());
        }
        subscriber.take(id, &events).await.map_err(|error| ActionError::Unavailable(format!("events: {error}")))?;
        organization.acknowledge_events(&events).await?;
    }
}
