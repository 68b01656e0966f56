//! What time makes due: the automatic refresh, warnings of an expiring token, deliveries of emails, events and tokens,
//! erasures of persons, retention, the count of marked members, and requests that were accepted to be run later.
//!
//! Every job is idempotent, does a bounded part at a time, and says when it wants to run next. One that fails is tried
//! again soon and never blocks the others.
//!
//! | question | file |
//! |---|---|
//! | when is a delivery that failed tried again, and when is it given up? | `schedule` |
//! | when are administrators warned of what expires? | `warnings`; of a token `expiry`, of clients' secrets `client_secrets` |
//! | what do emails say, and how do they look? | `letters`, `letter_form` |
//! | how are emails, events and tokens delivered? | `email`, `webhook`, `push` |
//! | what can people do about deliveries? | `deliveries` |
//! | what is deleted when it is old? | `retention` |
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

/// After how many milliseconds a job that failed is tried again.
const AGAIN: u64 = 60_000;

/// How long after the call's beginning the last attempt to deliver may begin, in milliseconds: hosts give a call a minute,
/// and one attempt may take half of it.
const CALL: u64 = 25_000;
/// How long one job may go on beginning attempts, in milliseconds.
const SHARE: u64 = 20_000;
/// After how many milliseconds a job that delivers lets the others have their turn, if something waits for them.
const TURN: u64 = 2_000;

/// How long a job may go on beginning what others may let hang, and what the host tells it.
struct Budget<'c> {
    began: u64,
    until: u64,
    context: &'c RunContext,
}

impl Budget<'_> {
    fn is_spent(&self, host: Host<'_>) -> bool {
        host.clock.now() >= self.until
    }

    /// Whether the job has had its turn: it goes on only if nobody else waits.
    fn is_turn_over(&self, host: Host<'_>) -> bool {
        host.clock.now() >= self.began + TURN
    }
}

/// Does a part of what is due; returns when to run it next, in milliseconds since the Unix epoch.
type Job = fn(Host<'_>, &Store<'_>, &Budget<'_>) -> Result<Option<u64>, StoreError>;

/// All jobs. The refresh comes before the warnings, which it may spare, and those before the deliveries; what can hang
/// comes last, the deliveries in turn, so that none keeps the others from their share.
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
/// How many of them deliver: the last ones.
const DELIVERIES: usize = 3;

/// Does what is due; returns when it wants to be called next, in milliseconds since the Unix epoch.
///
/// # Errors
/// If no job could be run at all; what was done until then stays done.
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
    // What came for one while those behind it delivered does not wait for the next call.
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
