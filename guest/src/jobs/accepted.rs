//! Runs requests that were accepted to be run later (RFC 9967 §2.5.1), in the order in which they were accepted and in
//! parts. Deletes their results after a day.

use super::{AGAIN, Budget};
use crate::capability::Host;
use crate::endpoint::run_accepted;
use crate::store::{Store, StoreError};

/// Runs waiting requests until this job's time is over; returns when to continue.
pub(super) fn run(host: Host<'_>, store: &Store<'_>, budget: &Budget<'_>) -> Result<Option<u64>, StoreError> {
    let mut failed = None;
    while let Some(transaction) = store.first_accepted()? {
        if budget.is_turn_over(host) {
            return Ok(Some(host.clock.now()));
        }
        if let Err(error) = run_accepted(host, &transaction, &|| budget.is_turn_over(host)) {
            eprintln!("the accepted request {transaction} could not be run: {error}");
            failed = Some(host.clock.now() + AGAIN);
            break;
        }
    }
    let next = store.forget_accepted()?;
    Ok([failed, next].into_iter().flatten().min())
}
