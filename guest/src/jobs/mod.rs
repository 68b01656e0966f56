//! The background jobs, which do work that is due at a certain time: the automatic refresh, warnings about an expiring
//! token, deliveries of emails, events and tokens, erasures of persons, retention, the count of marked members, and
//! requests that were accepted to be run later.
//!
//! Every job is idempotent, does a bounded part at a time, and returns when it must run next. A job that fails is tried
//! again soon and never stops the others.
//!
//! | question | file |
//! |---|---|
//! | when is a failed delivery tried again, and when is it given up? | `schedule` |
//! | when are administrators warned of an expiry? | `warnings`; for a token `expiry`, for secrets `client_secrets` |
//! | what do emails say, and how do they look? | `letters`, `letter_form` |
//! | how are emails, events and tokens delivered? | `email`, `webhook`, `push` |
//! | what can people do about deliveries? | `deliveries` |
//! | which old data is deleted? | `retention` |
//! | how is a person erased? | `erasure` |
//! | when are accepted requests run? | `accepted` |

mod accepted;
mod client_secrets;
mod deliveries;
mod email;
mod erasure;
mod expiry;
mod letter_form;
mod letters;
mod push;
mod retention;
mod schedule;
mod warnings;
mod webhook;

#[cfg(test)]
mod tests;

pub use deliveries::{ReaddressError, dismiss_deliveries, list_deliveries, readdress_email, retry_deliveries};
pub use erasure::{ErasureError, end_erasure, erase_person, proceed as continue_erasure};
pub use insomnia_scim_contract::{Delivery, DeliveryQueue, RunContext};
pub use webhook::test_webhook;

use crate::capability::Host;
use crate::connector::refresh;
use crate::journal::note_subscriber;
use crate::provisioning::census;
use crate::store::{Actor, Store, StoreError};

/// After how many milliseconds a failed job is tried again.
const AGAIN: u64 = 60_000;

/// The last attempt to deliver may begin at most this long after the call has begun, in milliseconds. Hosts give a call
/// a minute, and one attempt may take half of it.
const CALL: u64 = 25_000;
/// How long one job may start new attempts, in milliseconds.
const SHARE: u64 = 20_000;
/// After how many milliseconds a delivering job yields to the others, if something waits for them.
const TURN: u64 = 2_000;

/// The time that a job has for calls to other servers, which may hang; and what the host tells it.
struct Budget<'c> {
    began: u64,
    until: u64,
    context: &'c RunContext,
}

impl Budget<'_> {
    fn is_spent(&self, host: Host<'_>) -> bool {
        host.clock.now() >= self.until
    }

    /// Whether the job has used up its turn. After that it only continues if no other job waits.
    fn is_turn_over(&self, host: Host<'_>) -> bool {
        host.clock.now() >= self.began + TURN
    }
}

/// Does a part of the due work; returns when to run next, in milliseconds since the Unix epoch.
type Job = fn(Host<'_>, &Store<'_>, &Budget<'_>) -> Result<Option<u64>, StoreError>;

/// All jobs in the order in which they run. The refresh runs before the warnings, which it may make unnecessary. Jobs
/// that can hang run last, and the deliveries take turns, so that none keeps the others from their share of the time.
const JOBS: [(&str, Job); 10] = [
    ("refresh", |host, _, _| refresh::run_due(host)),
    ("expiry", expiry::run),
    ("client-secrets", client_secrets::run),
    ("erasure", erasure::run),
    ("retention", retention::run),
    ("census", |host, store, _| Ok(census::run(store)?.then(|| host.clock.now()))),
    ("accepted", accepted::run),
    ("email", email::run),
    ("webhook", webhook::run),
    ("push", push::run),
];
/// The number of jobs that deliver. They are the last ones of the list.
const DELIVERIES: usize = 3;

/// Does the due work; returns when it must be called next, in milliseconds since the Unix epoch.
///
/// # Errors
/// If no job could be run; work that was committed before stays done.
pub fn run_due(host: Host<'_>, context: &RunContext) -> Result<Option<u64>, StoreError> {
    note_subscriber(&host.store(), context.subscribed)?;
    let (mut next, mut failures) = (None::<u64>, Vec::new());
    let began = host.clock.now();
    let mut jobs = JOBS;
    let [turn] = host.store().random::<1>();
    if let Some(deliveries) = jobs.last_chunk_mut::<DELIVERIES>() {
        deliveries.rotate_left(usize::from(turn) % DELIVERIES);
    }
    let mut run = |(name, job): (&str, Job)| {
        let store = host.store();
        store.act_as(Actor::System);
        let budget = Budget { began: store.now(), until: (store.now() + SHARE).min(began + CALL), context };
        let at = job(host, &store, &budget).unwrap_or_else(|error| {
            eprintln!("the job '{name}' failed: {error}");
            failures.push(error);
            Some(host.clock.now() + AGAIN)
        });
        next = [next, at].into_iter().flatten().min();
        host.clock.now()
    };
    let ends = jobs.map(&mut run);
    // If something has come for an earlier delivery job while the later ones ran, it is delivered now and does not wait
    // for the next call.
    let ([.., first, second, _], [.., first_ended, second_ended, ended]) = (jobs, ends);
    for (job, job_ended) in [(first, first_ended), (second, second_ended)] {
        if ended >= job_ended.saturating_add(TURN) {
            run(job);
        }
    }
    match failures.pop() {
        Some(error) if failures.len() + 1 >= JOBS.len() => Err(error),
        _ => Ok(next),
    }
}
