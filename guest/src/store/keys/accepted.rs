//! Keys of requests that were accepted to be run later. The keys are in the order in which the requests were accepted.

use crate::capability::{Key, KeyRange};

/// The counter of accepted requests that are not done yet.
pub const ACCEPTED_COUNT: &[u8] = b"count/accepted";
/// The counter of the bytes that these requests take.
pub const ACCEPTED_BYTES: &[u8] = b"count/accepted-bytes";

keys! {
    /// A request that was accepted to be run later: [`crate::store::AcceptedRecord`].
    pub fn accepted(transaction: &str) -> Key = "accepted/{transaction}";
    /// All accepted requests, including those that are done.
    pub fn all_accepted() -> KeyRange = "accepted/";
    /// Marks an accepted request that is not done yet. The value is empty.
    pub fn accepted_due(transaction: &str) -> Key = "accepted-due/{transaction}";
    /// The marks of all accepted requests that are not done yet.
    pub fn all_accepted_due() -> KeyRange = "accepted-due/";
    /// An operation of an accepted request, deleted when the request is done: [`crate::store::OperationRecord`].
    pub fn accepted_operation(transaction: &str, index: usize) -> Key = "accepted-operation/{transaction}/{index:04}";
    /// The operations of an accepted request, in their order.
    pub fn accepted_operations(transaction: &str) -> KeyRange = "accepted-operation/{transaction}/";
    /// The operations of all accepted requests that are not done yet.
    pub fn all_accepted_operations() -> KeyRange = "accepted-operation/";
    /// The result of an operation of an accepted request: [`crate::store::OutcomeRecord`].
    pub fn accepted_outcome(transaction: &str, index: usize) -> Key = "accepted-outcome/{transaction}/{index:04}";
    /// The results of the operations of an accepted request, in their order.
    pub fn accepted_outcomes(transaction: &str) -> KeyRange = "accepted-outcome/{transaction}/";
    /// The results of the operations of all accepted requests.
    pub fn all_accepted_outcomes() -> KeyRange = "accepted-outcome/";
}
