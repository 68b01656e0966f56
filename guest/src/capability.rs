//! What the component needs from its host, as traits: native tests bring their own, the component brings `wit/`'s imports.

use thiserror::Error;

/// A storage key: at most 512 bytes, ordered bytewise.
pub type Key = Vec<u8>;

/// A stored value and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// At most 1 MiB.
    pub value: Vec<u8>,
    /// Changes with every write of the key, never repeats.
    pub version: u64,
}

/// An item with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// At most 1 MiB.
    pub value: Vec<u8>,
    /// Changes with every write of the key, never repeats.
    pub version: u64,
}

/// The keys with `start <= key < end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key.
    pub start: Key,
    /// Past the last key.
    pub end: Key,
}

/// What to read of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The range.
    pub range: KeyRange,
    /// From the end of the range towards its start.
    pub reverse: bool,
    /// How many entries to pass over first.
    pub skip: u32,
    /// How many entries to return at the most; the host caps entries and bytes.
    pub limit: u32,
}

/// A page of entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// The entries, in the page's order.
    pub entries: Vec<Entry>,
    /// Whether the range holds entries past the last one returned.
    pub more: bool,
}

/// What must hold when a transaction commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Require {
    /// The key has a value.
    Exists(Key),
    /// The key has no value.
    Absent(Key),
    /// The key has a value of this version.
    Version(Key, u64),
}

/// One change of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Sets the key's value.
    Put(Key, Vec<u8>),
    /// Removes the key.
    Delete(Key),
    /// Removes all keys of the range.
    DeleteRange(KeyRange),
    /// Adds to a counter, a decimal integer in ASCII.
    Add {
        /// The counter.
        key: Key,
        /// What to add.
        delta: i64,
        /// [`StorageError::Limit`] if the sum were less.
        min: Option<i64>,
        /// [`StorageError::Limit`] if the sum were more.
        max: Option<i64>,
    },
}

/// Requirements and changes that take effect together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// What must hold.
    pub require: Vec<Require>,
    /// What changes, in order.
    pub write: Vec<Write>,
    /// Not later than at this time (milliseconds since the Unix epoch) the jobs are to run.
    pub wake_at: Option<u64>,
}

/// Why the storage refused a call. Nothing has been written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StorageError {
    /// A requirement on this key did not hold.
    #[error("a requirement on {} did not hold", String::from_utf8_lossy(.0))]
    Conflict(Key),
    /// The counter at this key would leave its bounds.
    #[error("the counter {} would leave its bounds", String::from_utf8_lossy(.0))]
    Limit(Key),
    /// A key, a value, or the call is too large.
    #[error("a key, a value, or the whole call is too large for the storage")]
    TooLarge,
    /// The same call may succeed later.
    #[error("the storage is not available: {0}")]
    Unavailable(String),
    /// There is no room: nothing can be written until the operator makes some.
    #[error("the storage is full")]
    Full,
    /// Anything else.
    #[error("the storage failed: {0}")]
    Other(String),
}

/// One organization's ordered, transactional key-value space (`wit/storage.wit`).
pub trait Storage {
    /// The items at the keys, in their order.
    ///
    /// # Errors
    /// If the storage can't answer; a read never conflicts.
    fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError>;

    /// The pages, in their order.
    ///
    /// # Errors
    /// If the storage can't answer; a read never conflicts.
    fn scan(&self, pages: &[Page]) -> Result<Vec<Scanned>, StorageError>;

    /// How many keys the range holds.
    ///
    /// # Errors
    /// If the storage can't answer; a read never conflicts.
    fn count(&self, range: &KeyRange) -> Result<u64, StorageError>;

    /// Makes the changes if all requirements hold; returns the version of all that it wrote.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] and [`StorageError::Limit`] say which key; nothing was written.
    fn commit(&self, transaction: Transaction) -> Result<u64, StorageError>;

    /// Puts the entries soon; only a crash of the host may lose them.
    ///
    /// # Errors
    /// If the storage can't answer; an append never conflicts.
    fn append(&self, entries: &[(Key, Vec<u8>)]) -> Result<(), StorageError>;
}

/// The wall clock.
pub trait Clock {
    /// Milliseconds since the Unix epoch.
    fn now(&self) -> u64;

    /// Waits for some milliseconds.
    fn pause(&self, milliseconds: u64);
}

/// Random numbers fit for secrets.
pub trait Random {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// A message to one recipient (`wit/email.wit`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// The left part of the Message-ID: the same for every attempt.
    pub id: String,
    /// In milliseconds since the Unix epoch.
    pub date: u64,
    /// The recipient's address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// Why an email was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EmailError {
    /// The host has no way to send email configured.
    #[error("no email is configured")]
    NotConfigured,
    /// Refused for good.
    #[error("refused: {0}")]
    Rejected(String),
    /// The mail system takes nothing now.
    #[error("not now: {0}")]
    Unavailable(String),
    /// Anything else, such as a recipient who is refused for now: it says nothing of other messages.
    #[error("{0}")]
    Other(String),
}

/// Outgoing email.
pub trait Mailer {
    /// Hands the message to the mail system.
    ///
    /// # Errors
    /// [`EmailError`] says whether to try again.
    fn send(&self, email: &Email) -> Result<(), EmailError>;
}

/// An outgoing HTTP request (`wit/http.wit`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Absolute.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long it may take at the most, in milliseconds.
    pub timeout: Option<u32>,
}

/// A response, of whatever status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HttpError {
    /// The host has no HTTP client configured.
    #[error("no HTTP client is configured")]
    NotConfigured,
    /// The egress policy refuses the destination.
    #[error("the destination is not allowed: {0}")]
    NotAllowed(String),
    /// Not a URL or not a method.
    #[error("not a valid request: {0}")]
    Invalid(String),
    /// The time was up; the request may have taken effect.
    #[error("no answer in time")]
    Timeout,
    /// The response is too large.
    #[error("the answer is too large")]
    TooLarge,
    /// No connection, or it broke; the request may have taken effect.
    #[error("not reachable: {0}")]
    Unreachable(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// Outgoing HTTP, under the host's egress policy.
pub trait HttpClient {
    /// Sends the request and reads the whole response.
    ///
    /// # Errors
    /// [`HttpError`] says why there is no response.
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError>;
}

/// Why a secret could not be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SecretsError {
    /// The host has no key configured.
    #[error("the host has no key for secrets configured")]
    NotConfigured,
    /// Not made by this host for this organization, or altered.
    #[error("the sealed secret is not authentic")]
    NotAuthentic,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// Encryption at rest for what must be replayed to others.
pub trait Secrets {
    /// Encrypts and authenticates.
    ///
    /// # Errors
    /// [`SecretsError::NotConfigured`] if the host has no key.
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, SecretsError>;

    /// Undoes [`Secrets::seal`].
    ///
    /// # Errors
    /// [`SecretsError::NotAuthentic`] if it was not sealed here.
    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SecretsError>;
}

/// What the component needs from its host, for one organization.
#[derive(Clone, Copy)]
pub struct Host<'h> {
    /// The organization's data.
    pub storage: &'h dyn Storage,
    /// The wall clock.
    pub clock: &'h dyn Clock,
    /// Random numbers.
    pub random: &'h dyn Random,
    /// Outgoing email.
    pub mailer: &'h dyn Mailer,
    /// Outgoing HTTP.
    pub http: &'h dyn HttpClient,
    /// Encryption at rest.
    pub secrets: &'h dyn Secrets,
}
