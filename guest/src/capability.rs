//! The capabilities that the component needs from its host, as traits. The component implements them with the imports
//! of `wit/`; native tests have implementations of their own.

pub use insomnia_scim_contract::{
    BoundedAdd, Change, Condition, EmailError, Entry, HttpError, HttpRequest, HttpResponse, Item, Key, KeyRange,
    KeyValue, KeyVersion, Message, Page, Scanned, SecretsError, StorageError, Transaction, key_after,
};

/// One organization's ordered, transactional key-value space (`wit/storage.wit`).
pub trait Storage {
    /// The items with these keys, in the order of the keys.
    ///
    /// # Errors
    /// If the storage can't answer; a read never conflicts.
    fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError>;

    /// The pages, in their order.
    ///
    /// # Errors
    /// If the storage can't answer; a read never conflicts.
    fn scan(&self, pages: &[Page]) -> Result<Vec<Scanned>, StorageError>;

    /// Makes the changes if all conditions are met; returns the version of everything that it wrote.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] and [`StorageError::Limit`] name the key; nothing was written.
    fn commit(&self, transaction: Transaction) -> Result<u64, StorageError>;

    /// Puts the entries soon, without waiting: a crash of the host may lose them.
    ///
    /// # Errors
    /// If the storage can't answer; an append never conflicts.
    fn append(&self, entries: &[KeyValue]) -> Result<(), StorageError>;
}

/// The wall clock.
pub trait Clock {
    /// The time in milliseconds since the Unix epoch.
    fn now(&self) -> u64;

    /// Waits for some milliseconds.
    fn pause(&self, milliseconds: u64);
}

/// Random numbers that are good enough for secrets.
pub trait Random {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// Outgoing email (`wit/email.wit`).
pub trait Mailer {
    /// Hands the message to the mail system.
    ///
    /// # Errors
    /// [`EmailError`] says whether to try again.
    fn send(&self, message: &Message) -> Result<(), EmailError>;
}

/// Outgoing HTTP, under the host's egress policy (`wit/http.wit`).
pub trait HttpClient {
    /// Sends the request and reads the whole response.
    ///
    /// # Errors
    /// [`HttpError`] says why there is no response.
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError>;
}

/// Encryption of secrets that the component must later send to others (`wit/secrets.wit`).
pub trait Secrets {
    /// Encrypts and authenticates.
    ///
    /// # Errors
    /// [`SecretsError::NotConfigured`] if the host has no key.
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, SecretsError>;

    /// Decrypts what [`Secrets::seal`] has encrypted.
    ///
    /// # Errors
    /// [`SecretsError::NotAuthentic`] if it was not encrypted here.
    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SecretsError>;
}

/// The capabilities of the host for one organization.
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
