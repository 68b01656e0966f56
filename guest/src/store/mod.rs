//! Typed repositories over one organization's key-value space. No other module calls the storage import.

pub mod keys;

mod accepted;
mod batch;
mod census;
mod connector;
mod erasure;
mod event;
mod form;
mod lease;
mod member;
mod membership;
mod memo;
mod oauth;
mod organization;
mod outbox;
mod query;
mod refresh;
mod resource;
mod schema_table;
mod sealed;
mod settings;
mod setup_link;
mod stream;
mod team;
mod trail;
mod webhook;

pub use accepted::{AcceptedRecord, OperationRecord, OutcomeRecord};
pub use batch::Batch;
pub use census::Census;
pub use connector::{ConnectorRecord, TokenRecord};
pub use erasure::{ErasureRecord, ErasureStage, MOST_ERASURES};
pub use event::{Actor, Cause, EventKind, EventRecord, EventSubject, MOST_IDS, ParkedEvent, Sink, StoredEvent};
pub use lease::{Lease, LeaseRecord};
pub use member::{MemberRecord, Record, Stored, own_name, primary_email};
pub use membership::{Edge, Moves};
pub use oauth::{
    AccessRecord, ClientRecord, CodeRecord, GrantRecord, KeyRecord, KeySetRecord, LiveRecord, LiveToken, PublicKey,
    SecretRecord, Told,
};
pub use organization::CountedOrganization;
pub use outbox::{AddedBy, Letter, OutboxRecord, StoredEmail};
pub use query::Candidates;
pub use refresh::{IdpApiRecord, Pending, Problem, RefreshRecord, RefreshView, Trouble};
pub use resource::{DeclaredRecord, ResourceRecord};
pub use schema_table::Table;
pub use sealed::Sealed;
pub use settings::SettingsRecord;
pub use setup_link::{SetupLinkRecord, SetupLinksRecord};
// The contract's own types that are stored.
pub use insomnia_scim_contract::{Domain, Guard, Options, OrganizationRecord, Origin, Plan, Role};
pub use stream::{
    DueSet, EVENT_URI, SetRecord, SigningKeyRecord, SigningKeysRecord, StreamDelivery, StreamRecord, StreamStateRecord,
    event_name,
};
pub use team::{Row, TeamRecord};
pub use trail::{Person, TrailRecord};
pub use webhook::{PreviousKey, WebhookRecord};

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::str::FromStr;

use insomnia_scim_contract::TraceParent;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::capability::{
    BoundedAdd, Change, Clock, Entry, Host, Item, Key, KeyRange, KeyValue, Page, Random, Scanned, Secrets, Storage,
    StorageError, key_after,
};

/// How often a handler is run because of conflicts before it gives up.
const ATTEMPTS: u32 = 64;
/// From this attempt on there is a pause before each one: the earlier attempts follow at once, since the winning commit
/// has usually returned.
const PAUSE_AFTER: u32 = 3;
/// The longest pause, in milliseconds.
const PAUSE: u64 = 16;
/// The size for which the encoding of a record is prepared, in bytes: most members, events and log entries are smaller.
const USUAL: usize = 1_024;

/// The reason why the store can't answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The data that was read has changed meanwhile: [`Store::transact`] runs the handler again.
    #[error("the data that was read has changed meanwhile")]
    Conflict,
    /// The counter at this key would leave its bounds.
    #[error("the counter {} would leave its bounds", String::from_utf8_lossy(.0))]
    Limit(Key),
    /// The storage can't be reached, or too many requests change the organization; the same call may succeed later.
    #[error("{0}")]
    Unavailable(String),
    /// The storage is full: nothing can be written until the operator makes room. Stored data can still be read.
    #[error("the server's storage is full: changes are refused until its operator makes room")]
    Full,
    /// The transaction is larger than the storage accepts.
    #[error("the change is too large for the storage")]
    TooLarge,
    /// A stored document can't be read, or the storage failed.
    #[error("{0}")]
    Broken(String),
}

impl From<StorageError> for StoreError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict(_) => Self::Conflict,
            StorageError::Limit(key) => Self::Limit(key),
            StorageError::TooLarge => Self::TooLarge,
            StorageError::Unavailable(text) => Self::Unavailable(text),
            StorageError::Full => Self::Full,
            StorageError::Other(text) => Self::Broken(text),
        }
    }
}

/// A document as it was read, with its version.
#[derive(Clone, Debug)]
pub struct Versioned<T> {
    /// The document.
    pub record: T,
    /// Its version; [`Batch`] requires it when the document is replaced.
    pub version: u64,
}

/// One organization's data, as one call sees it.
pub struct Store<'h> {
    storage: &'h dyn Storage,
    clock: &'h dyn Clock,
    random: &'h dyn Random,
    prefetched: RefCell<BTreeMap<Key, Option<Item>>>,
    /// When the current attempt began: all that the attempt writes has this time.
    now: Cell<u64>,
    /// Encrypts the secrets in emails; `None` stores them unencrypted.
    secrets: Option<&'h dyn Secrets>,
    /// The actor that is named in events.
    actor: Cell<Actor>,
    /// The cause that is named in events.
    cause: RefCell<Option<Cause>>,
    /// The trace to which the writes belong.
    trace: Cell<Option<TraceParent>>,
    /// The settings, once they were read.
    settings: RefCell<Option<SettingsRecord>>,
    /// The organization's schema table, once it was read.
    table: RefCell<Option<Table>>,
    /// How many ordered ids this store has made.
    ordered: Cell<u16>,
    /// A further key that the first commit puts.
    with_first: RefCell<Option<KeyValue>>,
    /// A further time at which the first commit wakes the jobs.
    wake_with_first: Cell<Option<u64>>,
    /// The transaction's name if there is no request to name it.
    transaction: RefCell<Option<String>>,
    /// The transaction's name, which replaces the request's id.
    named: RefCell<Option<String>>,
    /// The key at which a change of a resource writes a receipt.
    receipt: RefCell<Option<Key>>,
    /// Whether the current change replaces a resource as a whole.
    replaces: Cell<bool>,
    /// The act for which this store was made, until its entry in the audit trail is written.
    doing: trail::Doing,
}

impl<'h> Store<'h> {
    /// A store for one call.
    pub fn new(storage: &'h dyn Storage, clock: &'h dyn Clock, random: &'h dyn Random) -> Self {
        Self {
            storage,
            clock,
            random,
            prefetched: RefCell::default(),
            now: Cell::new(clock.now()),
            secrets: None,
            actor: Cell::default(),
            cause: RefCell::default(),
            trace: Cell::default(),
            settings: RefCell::default(),
            table: RefCell::default(),
            ordered: Cell::default(),
            with_first: RefCell::default(),
            wake_with_first: Cell::default(),
            transaction: RefCell::default(),
            named: RefCell::default(),
            receipt: RefCell::default(),
            replaces: Cell::default(),
            doing: trail::Doing::default(),
        }
    }

    /// The same store, with the host's encryption for the secrets in emails.
    #[must_use]
    pub fn with_secrets(self, secrets: &'h dyn Secrets) -> Self {
        Self { secrets: Some(secrets), ..self }
    }

    /// The actor that is named in events.
    pub fn actor(&self) -> Actor {
        self.actor.get()
    }

    /// Sets the actor that later events name. Without it they name an administrator.
    pub fn act_as(&self, actor: Actor) {
        self.actor.set(actor);
    }

    /// Sets the cause that later events name.
    pub fn caused_by(&self, cause: Cause) {
        self.cause.replace(Some(cause));
    }

    /// Adds all later writes to the trace of this `traceparent`. An invalid one is ignored, as W3C Trace Context
    /// requires.
    pub fn traced_by(&self, traceparent: Option<&str>) {
        self.trace.set(traceparent.and_then(TraceParent::parse));
    }

    /// The `traceparent` of the writes.
    pub(crate) fn traceparent(&self) -> Option<String> {
        self.trace.get().map(|trace| trace.to_string())
    }

    /// The caller's credential, if there is one.
    pub fn credential(&self) -> Option<String> {
        self.cause.borrow().as_ref().and_then(|cause| cause.credential.clone())
    }

    /// Sets the transaction's name, which replaces the request's id.
    pub(crate) fn name_transaction(&self, name: String) {
        self.named.replace(Some(name));
    }

    /// The name of the transaction in stream tokens: the name that was set, else the id of the request, else a name
    /// that this store has made.
    pub fn transaction_id(&self) -> String {
        if let Some(name) = self.named.borrow().as_ref() {
            return name.clone();
        }
        let of_request = self.cause.borrow().as_ref().and_then(|cause| cause.request_id.clone());
        of_request.unwrap_or_else(|| self.transaction.borrow_mut().get_or_insert_with(|| self.new_id()).clone())
    }

    /// Sets whether later changes replace a resource as a whole, as PUT does.
    pub fn replaces_whole(&self, replaces: bool) {
        self.replaces.set(replaces);
    }

    /// Whether the current change replaces a resource as a whole.
    pub fn is_replacing(&self) -> bool {
        self.replaces.get()
    }

    /// The time of the current attempt, in milliseconds since the Unix epoch.
    pub fn now(&self) -> u64 {
        self.now.get()
    }

    /// The current time of the clock, even if the current attempt began long ago, in milliseconds since the Unix epoch.
    pub(crate) fn time(&self) -> u64 {
        self.clock.now()
    }

    /// Random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    /// A new id: a UUID of version 7, so that the order of ids is the order of creation.
    pub fn new_id(&self) -> String {
        uuid::Builder::from_unix_timestamp_millis(self.now(), &self.random()).into_uuid().hyphenated().to_string()
    }

    /// A new id that sorts after all ids that this store made in the same millisecond.
    pub(crate) fn new_ordered_id(&self) -> String {
        let count = self.ordered.get();
        self.ordered.set(count.wrapping_add(1));
        let mut random = self.random::<10>();
        // The first 12 bits after the version are a counter (RFC 9562 §6.2, method 1).
        for (to, from) in random.iter_mut().zip((count & 0x0fff).to_be_bytes()) {
            *to = from;
        }
        uuid::Builder::from_unix_timestamp_millis(self.now(), &random).into_uuid().hyphenated().to_string()
    }

    /// Reads keys ahead, in one call to the host. Later reads of these keys are answered from memory, until this call
    /// changes them or a handler runs again.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn prefetch(&self, keys: Vec<Key>) -> Result<(), StoreError> {
        let items = self.storage.get(&keys)?;
        self.prefetched.borrow_mut().extend(keys.into_iter().zip(items));
        Ok(())
    }

    /// Runs `attempt` until it commits without a conflict. Each run reads the stored data again.
    ///
    /// # Errors
    /// Those of `attempt`; [`StoreError::Unavailable`] if it conflicts too often.
    pub fn transact<T, E: From<StoreError> + Retry>(&self, mut attempt: impl FnMut() -> Result<T, E>) -> Result<T, E> {
        for round in 0..ATTEMPTS {
            match attempt() {
                Err(error) if error.is_conflict() => {}
                other => return other,
            }
            self.forget_all();
            if round >= PAUSE_AFTER {
                let [jitter] = self.random::<1>();
                self.clock.pause(1 + u64::from(jitter) % PAUSE);
            }
            self.now.set(self.clock.now());
        }
        Err(StoreError::Unavailable("too many requests change the same data at the same time".into()).into())
    }

    /// Starts a new attempt with the current time and without the data that was read before.
    pub(crate) fn begin_anew(&self) {
        self.forget_all();
        self.now.set(self.clock.now());
    }

    fn forget_all(&self) {
        self.prefetched.borrow_mut().clear();
        self.settings.replace(None);
        self.table.replace(None);
    }

    /// The host's encryption, if this store has it.
    pub(crate) fn secrets(&self) -> Option<&'h dyn Secrets> {
        self.secrets
    }

    /// Removes the keys that these writes change from the data that was read ahead.
    fn forget(&self, writes: &[Change]) {
        let mut prefetched = self.prefetched.borrow_mut();
        for write in writes {
            if prefetched.is_empty() {
                return;
            }
            match write {
                Change::Put(KeyValue { key, .. }) | Change::Delete(key) | Change::Add(BoundedAdd { key, .. }) => {
                    drop(prefetched.remove(key));
                }
                Change::DeleteRange(range) => prefetched.retain(|key, _| *key < range.start || *key >= range.end),
            }
        }
    }

    pub(crate) fn items(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let prefetched = self.prefetched.borrow();
        let known: Option<Vec<Option<Item>>> = keys.iter().map(|key| prefetched.get(key).cloned()).collect();
        match known {
            Some(items) => Ok(items),
            None => Ok(self.storage.get(keys)?),
        }
    }

    pub(crate) fn item(&self, key: Key) -> Result<Option<Item>, StoreError> {
        Ok(self.items(&[key])?.pop().flatten())
    }

    pub(crate) fn document<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<Versioned<T>>, StoreError> {
        self.item(key.to_vec())?.map(|item| decode(key, &item)).transpose()
    }

    pub(crate) fn scan_page(&self, page: Page) -> Result<Scanned, StoreError> {
        Ok(self.storage.scan(&[page])?.pop().unwrap_or_default())
    }

    /// Calls `each` for every entry of the range, page by page, until it returns `false`.
    pub(crate) fn scan_all(
        &self,
        mut range: KeyRange,
        mut each: impl FnMut(Entry) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        loop {
            let page = Page::first(range.clone(), u32::MAX);
            let scanned = self.scan_page(page)?;
            let Some(last) = scanned.entries.last() else { return Ok(()) };
            let next = key_after(last.key.clone());
            for entry in scanned.entries {
                if !each(entry)? {
                    return Ok(());
                }
            }
            if !scanned.more {
                return Ok(());
            }
            range.start = next;
        }
    }

    /// The key at index `skip` of the range; `None` if the range has fewer keys.
    pub(crate) fn nth_key(&self, range: &KeyRange, skip: u32) -> Result<Option<Key>, StoreError> {
        let scanned = self.scan_page(Page { range: range.clone(), reverse: false, skip, limit: 1 })?;
        Ok(scanned.entries.into_iter().next().map(|entry| entry.key))
    }

    pub(crate) fn counter(&self, key: Key) -> Result<u64, StoreError> {
        let Some(item) = self.item(key)? else { return Ok(0) };
        Ok(number::<i64>(&item.value).unwrap_or(0).max(0).unsigned_abs())
    }

    /// Makes the next commit put this key as well.
    pub(crate) fn put_with_first_commit(&self, key: Key, value: Vec<u8>) {
        self.with_first.replace(Some(KeyValue::new(key, value)));
    }

    /// Makes the next commit wake the jobs at `time` at the latest.
    pub(crate) fn wake_with_first_commit(&self, time: u64) {
        self.wake_with_first.set(Some(time));
    }

    /// Commits the batch. If the data that it requires has changed meanwhile, nothing is written, and that is no error.
    pub(crate) fn commit_unless_changed(&self, batch: Batch) -> Result<(), StoreError> {
        match self.commit(batch) {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn commit(&self, mut batch: Batch) -> Result<u64, StoreError> {
        let with_trail = self.add_trail(&mut batch)?;
        let with_first = self.with_first.take();
        if let Some(KeyValue { key, value }) = with_first.clone() {
            batch.put(key, value);
        }
        if let Some(time) = self.wake_with_first.get() {
            batch.wake_at(time);
        }
        let committed = self.commit_as_it_is(batch);
        if committed.is_ok() {
            self.wake_with_first.set(None);
        }
        match &committed {
            Ok(_) if with_trail => self.trail_written(),
            Ok(_) => {}
            // The next attempt's commit writes it.
            Err(_) => drop(self.with_first.replace(with_first)),
        }
        committed
    }

    fn commit_as_it_is(&self, batch: Batch) -> Result<u64, StoreError> {
        let transaction = batch.into_transaction();
        self.forget(&transaction.changes);
        let committed = self.storage.commit(transaction);
        if committed.is_err() {
            // Another request may have changed the data that was read ahead.
            self.prefetched.borrow_mut().clear();
        }
        Ok(committed?)
    }

    /// Puts an entry without waiting until it is durable: a crash may lose it.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn append(&self, key: Key, value: Vec<u8>) -> Result<(), StoreError> {
        Ok(self.storage.append(&[KeyValue::new(key, value)])?)
    }
}

impl<'h> Host<'h> {
    /// The organization's data for one call.
    #[must_use]
    pub fn store(self) -> Store<'h> {
        Store::new(self.storage, self.clock, self.random).with_secrets(self.secrets)
    }
}

/// An error that says whether the handler should be run again.
pub trait Retry {
    /// Whether the error means [`StoreError::Conflict`].
    fn is_conflict(&self) -> bool;
}

impl Retry for StoreError {
    fn is_conflict(&self) -> bool {
        *self == Self::Conflict
    }
}

impl<T: Default> Versioned<T> {
    /// The version and the record; no version and a default record if nothing is stored.
    pub(crate) fn or_default(stored: Option<Self>) -> (Option<u64>, T) {
        stored.map_or_else(Default::default, |stored| (Some(stored.version), stored.record))
    }
}

/// Decodes the document of a key.
pub(crate) fn decode<T: DeserializeOwned>(key: &[u8], item: &Item) -> Result<Versioned<T>, StoreError> {
    decode_value(key, &item.value, item.version)
}

/// Like [`decode`], for an entry of a scan.
pub(crate) fn decode_entry<T: DeserializeOwned>(entry: &Entry) -> Result<Versioned<T>, StoreError> {
    decode_value(&entry.key, &entry.value, entry.version)
}

fn decode_value<T: DeserializeOwned>(key: &[u8], value: &[u8], version: u64) -> Result<Versioned<T>, StoreError> {
    match serde_json::from_slice(value) {
        Ok(record) => Ok(Versioned { record, version }),
        Err(error) => Err(StoreError::Broken(format!("{}: {error}", String::from_utf8_lossy(key)))),
    }
}

/// The change of a counter of the records for which `holds` is true, when `old` becomes `new`: -1, 0 or 1.
pub(crate) fn delta<T>(old: Option<&T>, new: Option<&T>, holds: impl Fn(&T) -> bool) -> i64 {
    i64::from(new.is_some_and(&holds)) - i64::from(old.is_some_and(&holds))
}

/// Encodes a record as JSON.
pub(crate) fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, StoreError> {
    let mut json = Vec::with_capacity(USUAL);
    serde_json::to_writer(&mut json, record).map_err(|error| StoreError::Broken(error.to_string()))?;
    Ok(json)
}

/// The number in a value, which is decimal text.
pub(crate) fn number<T: FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.parse().ok()
}
