//! Requests that were accepted to be run later (RFC 9967 §2.5.1): their operations, their progress, and their results.
//!
//! Each operation writes a receipt in the commit of its change, under a key that must not exist before. For this reason
//! it is done only once, even if it is interrupted or several hosts try to run it.

use insomnia_scim_contract::lasts;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Batch, SetRecord, Store, StoreError, Versioned, decode_entry, encode, keys};
use crate::capability::KeyRange;
use crate::protocol::discovery::ASYNC_RESPONSE;
use crate::protocol::document::Document;

/// The most requests that can wait.
const MOST_WAITING: i64 = 64;
/// The most bytes that all waiting requests may take together.
const MOST_BYTES: i64 = 32 * 1024 * 1024;
/// How long the result of a request is kept, in milliseconds.
const KEPT: u64 = 24 * 60 * 60 * 1_000;
/// The most requests whose results are kept. The oldest results are deleted first.
const MOST_KEPT: usize = 100;

/// A request that was accepted to be run later. Stored as JSON under `accepted/{transaction}`. Each of its operations
/// is stored under a key of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AcceptedRecord {
    /// When it was accepted, in milliseconds since the Unix epoch.
    pub accepted: u64,
    /// The request's id, as in the `X-Request-Id` header of the answer.
    pub request_id: String,
    /// The `traceparent` of the request, if the host takes part in traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The HTTP method that the client sent.
    pub method: String,
    /// The path that the client sent, relative to the connector URL and without its query.
    pub path: String,
    /// The connector URL as the client sees it.
    pub base_url: String,
    /// The IP address of the client, if the host knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_address: Option<String>,
    /// The `User-Agent` that the client sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The SHA-256 of the client's token, in hexadecimal digits. The token must still be valid when the request is run.
    pub token: String,
    /// Whether the token is an OAuth access token.
    pub is_access_token: bool,
    /// The credential that has authenticated the client, as events name it.
    pub credential: String,
    /// Whether it is a bulk request. Any other request has one operation.
    pub is_bulk: bool,
    /// A bulk request stops after this many errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_on_errors: Option<usize>,
    /// How many operations the request has.
    pub operations: usize,
    /// How many bytes the operations take.
    pub bytes: i64,
    /// How many runs were started since the last result was reported.
    pub attempts: u32,
    /// When the last result was reported, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<u64>,
}

/// An operation of an accepted request, in the form of a bulk operation (RFC 7644 §3.7). Stored as JSON under
/// `accepted-operation/{transaction}/{index}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OperationRecord {
    /// The HTTP method in capital letters.
    pub method: String,
    /// The path relative to the connector URL.
    pub path: String,
    /// The name by which other operations refer to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bulk_id: Option<String>,
    /// The version that may be changed, as in `If-Match`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// The result of an operation. Stored as JSON under `accepted-outcome/{transaction}/{index}`. The commit of the change
/// first writes a receipt, which only names the resource by its id and the client's own id; the whole result is written
/// when it is reported.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OutcomeRecord {
    /// The id of the resource that was changed; only a receipt has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The result in the form of a bulk response's operation (RFC 7644 §3.7.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// The path of the resource, or of its endpoint, relative to the connector URL.
    pub uri: String,
    /// The client's own id of the resource, if it is known. In a receipt it is empty if the resource has none;
    /// receipts that earlier releases have written do not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The line of the SCIM log about the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// When the result was reported, in milliseconds since the Unix epoch.
    pub time: u64,
}

impl AcceptedRecord {
    /// The transaction of an operation: that of the request, and in a bulk request also the operation's index, counted
    /// from 0.
    #[must_use]
    pub fn transaction(&self, transaction: &str, index: usize) -> String {
        if self.is_bulk { format!("{transaction}:{index}") } else { transaction.to_owned() }
    }

    /// The token that reports the result of an operation; `None` if there is no result yet.
    #[must_use]
    pub fn completion(&self, transaction: &str, index: usize, outcome: &OutcomeRecord) -> Option<SetRecord> {
        let result = outcome.result.clone()?;
        let events: Map<String, Value> = [(ASYNC_RESPONSE.to_owned(), result)].into_iter().collect();
        let (txn, uri) = (self.transaction(transaction, index), outcome.uri.clone());
        Some(SetRecord {
            txn,
            time: outcome.time,
            uri,
            external_id: outcome.external_id.clone(),
            traceparent: self.traceparent.clone(),
            events,
        })
    }

    /// Whether the time for which the result is kept has passed at the time `now`.
    #[must_use]
    pub fn is_over(&self, now: u64) -> bool {
        self.finished.is_some_and(|finished| !lasts(finished.saturating_add(KEPT), now, KEPT))
    }
}

impl Store<'_> {
    /// Stores a request to be run later, and wakes the jobs. Returns the name of its transaction.
    ///
    /// # Errors
    /// [`StoreError::Limit`] if too many requests wait already, [`StoreError::TooLarge`] if one of its operations is
    /// too large for the storage.
    pub fn accept(&self, record: &AcceptedRecord, operations: &[OperationRecord]) -> Result<String, StoreError> {
        let (transaction, mut batch, mut bytes) = (self.new_id(), Batch::new(), 0);
        for (index, operation) in operations.iter().enumerate() {
            let operation = encode(operation)?;
            bytes += i64::try_from(operation.len()).unwrap_or(MOST_BYTES);
            batch.put(keys::accepted_operation(&transaction, index), operation);
        }
        let record = AcceptedRecord { operations: operations.len(), bytes, ..record.clone() };
        batch.put(keys::accepted(&transaction), encode(&record)?);
        batch.put(keys::accepted_due(&transaction), Vec::new());
        batch.add(keys::ACCEPTED_COUNT.to_vec(), 1, None, Some(MOST_WAITING));
        batch.add(keys::ACCEPTED_BYTES.to_vec(), bytes, None, Some(MOST_BYTES));
        batch.wake_at(self.now());
        self.commit(batch)?;
        Ok(transaction)
    }

    /// The accepted request of this transaction.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn accepted(&self, transaction: &str) -> Result<Option<Versioned<AcceptedRecord>>, StoreError> {
        if keys::is_id(transaction) { self.document(&keys::accepted(transaction)) } else { Ok(None) }
    }

    /// All stored requests, including those that are done, in the order in which they were accepted.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn all_accepted(&self) -> Result<Vec<(String, AcceptedRecord)>, StoreError> {
        let mut all = Vec::new();
        self.scan_all(keys::all_accepted(), |entry| {
            let record = decode_entry(&entry)?.record;
            all.extend(keys::id_of(&entry.key).map(|id| (id, record)));
            Ok(true)
        })?;
        Ok(all)
    }

    /// The transaction of the oldest request that is not done yet.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn first_accepted(&self) -> Result<Option<String>, StoreError> {
        Ok(self.nth_key(&keys::all_accepted_due(), 0)?.and_then(|key| keys::id_of(&key)))
    }

    /// Stores the progress of a request, if it has not changed since it was `seen`; returns the new version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if somebody else runs the request.
    pub fn put_accepted(
        &self,
        mut batch: Batch,
        transaction: &str,
        record: &AcceptedRecord,
        seen: u64,
    ) -> Result<u64, StoreError> {
        let key = keys::accepted(transaction);
        batch.replace(key, Some(seen), record)?;
        self.commit(batch)
    }

    /// The operations of a request that is not done yet, in their order.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn accepted_operations(&self, transaction: &str) -> Result<Vec<OperationRecord>, StoreError> {
        let mut operations = Vec::new();
        self.scan_all(keys::accepted_operations(transaction), |entry| {
            operations.push(decode_entry(&entry)?.record);
            Ok(true)
        })?;
        Ok(operations)
    }

    /// The receipts and results of at most `limit` operations of a request, from index `first` on, each with its index.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn accepted_outcomes(
        &self,
        transaction: &str,
        first: usize,
        limit: usize,
    ) -> Result<Vec<(usize, Versioned<OutcomeRecord>)>, StoreError> {
        let (mut outcomes, end) = (Vec::new(), keys::accepted_outcomes(transaction).end);
        let range = KeyRange { start: keys::accepted_outcome(transaction, first), end };
        self.scan_all(range, |entry| {
            let index = keys::position_of(&entry.key).and_then(|digits| digits.parse().ok());
            let outcome = decode_entry(&entry)?;
            outcomes.extend(index.map(|index| (index, outcome)));
            Ok(outcomes.len() < limit)
        })?;
        Ok(outcomes)
    }

    /// From now on, the commit of a change of a resource also writes a receipt for this operation, unless there is one
    /// already; `None` ends that.
    pub(crate) fn leave_receipts(&self, of: Option<(&str, usize)>) {
        self.receipt.replace(of.map(|(transaction, index)| keys::accepted_outcome(transaction, index)));
    }

    /// The client's own id of the resource that an operation has changed or deleted, as the receipt of the operation
    /// names it.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub(crate) fn external_id_of(&self, transaction: &str, index: usize) -> Result<Option<String>, StoreError> {
        let outcome = self.accepted_outcomes(transaction, index, 1)?.pop().filter(|(found, _)| *found == index);
        Ok(outcome.and_then(|(_, outcome)| outcome.record.external_id).filter(|external_id| !external_id.is_empty()))
    }

    /// Adds a receipt to the batch, which changes the resource with this id and document, if a receipt is wanted. If one
    /// batch changes several resources, the first is the one that the operation is about.
    ///
    /// # Errors
    /// If the receipt can't be encoded.
    pub(crate) fn leave_receipt(&self, batch: &mut Batch, id: &str, document: &Document) -> Result<(), StoreError> {
        let Some(key) = self.receipt.borrow().clone().filter(|key| !batch.puts(key)) else { return Ok(()) };
        batch.require_absent(key.clone());
        let external_id = document.get("externalId").and_then(Value::as_str).unwrap_or_default();
        batch.put(key, encode(&json!({"resource": id, "externalId": external_id}))?);
        Ok(())
    }

    /// Adds to the batch that a request is done, and deletes its operations.
    pub fn end_accepted(batch: &mut Batch, transaction: &str, record: &AcceptedRecord) {
        batch.require_exists(keys::accepted_due(transaction));
        batch.delete(keys::accepted_due(transaction));
        batch.delete_range(keys::accepted_operations(transaction));
        batch.add(keys::ACCEPTED_COUNT.to_vec(), -1, None, None);
        batch.add(keys::ACCEPTED_BYTES.to_vec(), record.bytes.saturating_neg(), None, None);
    }

    /// Deletes results whose time has passed; returns when the next one can be deleted, in milliseconds since the Unix
    /// epoch.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn forget_accepted(&self) -> Result<Option<u64>, StoreError> {
        let now = self.now();
        let all = self.all_accepted()?.into_iter();
        let done: Vec<(String, u64, bool)> =
            all.filter_map(|(id, record)| Some((id, record.finished?, record.is_over(now)))).collect();
        let surplus = done.len().saturating_sub(MOST_KEPT);
        let mut next = None::<u64>;
        for (place, (id, finished, is_over)) in done.into_iter().enumerate() {
            if is_over || place < surplus {
                let mut batch = Batch::new();
                batch.delete(keys::accepted(&id));
                batch.delete_range(keys::accepted_outcomes(&id));
                self.commit(batch)?;
            } else {
                let end = finished.saturating_add(KEPT);
                next = Some(next.map_or(end, |next| next.min(end)));
            }
        }
        Ok(next)
    }
}
