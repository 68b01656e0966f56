//! Keys of requests that were accepted to be run later. Their transactions are in the order in which they were accepted.

use crate::capability::{Key, KeyRange};

/// The counter of accepted requests that are not done yet.
pub const ACCEPTED_COUNT: &[u8] = b"count/accepted";
/// The counter of the bytes that they take.
pub const ACCEPTED_BYTES: &[u8] = b"count/accepted-bytes";

keys! {
    /// A request that was accepted to be run later: [`crate::store::AcceptedRecord`].
    pub fn accepted(transaction: &str) -> Key = "accepted/{transaction}";
    /// All of them, also those that are done.
    pub fn all_accepted() -> KeyRange = "accepted/";
    /// That the accepted request is not done yet. The value is empty.
    pub fn accepted_due(transaction: &str) -> Key = "accepted-due/{transaction}";
    /// All that are not done yet.
    pub fn all_accepted_due() -> KeyRange = "accepted-due/";
    /// An operation of an accepted request, gone when it is done: [`crate::store::OperationRecord`].
    pub fn accepted_operation(transaction: &str, index: usize) -> Key = "accepted-operation/{transaction}/{index:04}";
    /// The operations of an accepted request, in their order.
    pub fn accepted_operations(transaction: &str) -> KeyRange = "accepted-operation/{transaction}/";
    /// The operations of all accepted requests that are not done yet.
    pub fn all_accepted_operations() -> KeyRange = "accepted-operation/";
    /// What came of an operation of an accepted request: [`crate::store::OutcomeRecord`].
    pub fn accepted_outcome(transaction: &str, index: usize) -> Key = "accepted-outcome/{transaction}/{index:04}";
    /// What came of the operations of an accepted request, in their order.
    pub fn accepted_outcomes(transaction: &str) -> KeyRange = "accepted-outcome/{transaction}/";
    /// What came of the operations of all accepted requests.
    pub fn all_accepted_outcomes() -> KeyRange = "accepted-outcome/";
}
