//! The host's capabilities behind the crate's traits.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::bindings::insomnia::scim::{email as wit_email, http as wit_http, secrets as wit_secrets, storage as wit};
use crate::capability::{
    Clock, Email, EmailError, Entry, Host, HttpClient, HttpError, HttpRequest, HttpResponse, Item, Key, KeyRange,
    Mailer, Page, Random, Require, Scanned, Secrets, SecretsError, Storage, StorageError, Transaction, Write,
};

/// The host of this instance.
pub(super) fn host() -> Host<'static> {
    Host {
        storage: &HostStorage,
        clock: &WasiClock,
        random: &WasiRandom,
        mailer: &HostMailer,
        http: &HostHttp,
        secrets: &HostSecrets,
    }
}

struct HostStorage;
struct HostMailer;
struct HostHttp;
struct HostSecrets;
struct WasiClock;
struct WasiRandom;

impl Clock for WasiClock {
    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn pause(&self, milliseconds: u64) {
        std::thread::sleep(Duration::from_millis(milliseconds));
    }
}

impl Random for WasiRandom {
    fn fill(&self, buffer: &mut [u8]) {
        if getrandom::fill(buffer).is_err() {
            // `wasi:random` can't fail; without randomness no secret may be made.
            std::process::abort();
        }
    }
}

impl Storage for HostStorage {
    fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        let items = wit::get(keys).map_err(error)?;
        Ok(items.into_iter().map(|item| item.map(|item| Item { value: item.value, version: item.version })).collect())
    }

    fn scan(&self, pages: &[Page]) -> Result<Vec<Scanned>, StorageError> {
        let pages: Vec<wit::Page> = pages
            .iter()
            .map(|page| wit::Page {
                range: range(&page.range),
                reverse: page.reverse,
                skip: page.skip,
                limit: page.limit,
            })
            .collect();
        let scanned = wit::scan(&pages).map_err(error)?;
        let entry = |entry: wit::Entry| Entry { key: entry.key, value: entry.value, version: entry.version };
        let page =
            |page: wit::Scanned| Scanned { entries: page.entries.into_iter().map(entry).collect(), more: page.more };
        Ok(scanned.into_iter().map(page).collect())
    }

    fn count(&self, counted: &KeyRange) -> Result<u64, StorageError> {
        wit::count(&range(counted)).map_err(error)
    }

    fn commit(&self, transaction: Transaction) -> Result<u64, StorageError> {
        let require = transaction.require.into_iter().map(|require| match require {
            Require::Exists(key) => wit::Require::Exists(key),
            Require::Absent(key) => wit::Require::Absent(key),
            Require::Version(key, version) => wit::Require::Version((key, version)),
        });
        let write = transaction.write.into_iter().map(|write| match write {
            Write::Put(key, value) => wit::Write::Put((key, value)),
            Write::Delete(key) => wit::Write::Delete(key),
            Write::DeleteRange(KeyRange { start, end }) => wit::Write::DeleteRange(wit::Range { start, end }),
            Write::Add { key, delta, min, max } => wit::Write::Add(wit::BoundedAdd { key, delta, min, max }),
        });
        let (require, write) = (require.collect(), write.collect());
        wit::commit(&wit::Transaction { require, write, wake_at: transaction.wake_at }).map_err(error)
    }

    fn append(&self, entries: &[(Key, Vec<u8>)]) -> Result<(), StorageError> {
        wit::append(entries).map_err(error)
    }
}

impl Mailer for HostMailer {
    fn send(&self, email: &Email) -> Result<(), EmailError> {
        let Email { id, date, to, subject, text, html } = email.clone();
        wit_email::send(&wit_email::Message { id, date, to, subject, text, html }).map_err(|error| match error {
            wit_email::Error::NotConfigured => EmailError::NotConfigured,
            wit_email::Error::Rejected(text) => EmailError::Rejected(text),
            wit_email::Error::Unavailable(text) => EmailError::Unavailable(text),
            wit_email::Error::Other(text) => EmailError::Other(text),
        })
    }
}

impl HttpClient for HostHttp {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let HttpRequest { method, url, headers, body, timeout } = request.clone();
        let request = wit_http::Request { method, url, headers, body, timeout_milliseconds: timeout };
        match wit_http::send(&request) {
            Ok(response) => {
                Ok(HttpResponse { status: response.status, headers: response.headers, body: response.body })
            }
            Err(error) => Err(match error {
                wit_http::Error::NotConfigured => HttpError::NotConfigured,
                wit_http::Error::NotAllowed(text) => HttpError::NotAllowed(text),
                wit_http::Error::Invalid(text) => HttpError::Invalid(text),
                wit_http::Error::Timeout => HttpError::Timeout,
                wit_http::Error::TooLarge => HttpError::TooLarge,
                wit_http::Error::Unreachable(text) => HttpError::Unreachable(text),
                wit_http::Error::Other(text) => HttpError::Other(text),
            }),
        }
    }
}

impl Secrets for HostSecrets {
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, SecretsError> {
        wit_secrets::seal(plain).map_err(secrets_error)
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SecretsError> {
        wit_secrets::open(sealed).map_err(secrets_error)
    }
}

fn secrets_error(error: wit_secrets::Error) -> SecretsError {
    match error {
        wit_secrets::Error::NotConfigured => SecretsError::NotConfigured,
        wit_secrets::Error::NotAuthentic => SecretsError::NotAuthentic,
        wit_secrets::Error::Other(text) => SecretsError::Other(text),
    }
}

fn range(range: &KeyRange) -> wit::Range {
    wit::Range { start: range.start.clone(), end: range.end.clone() }
}

fn error(error: wit::Error) -> StorageError {
    match error {
        wit::Error::Conflict(key) => StorageError::Conflict(key),
        wit::Error::Limit(key) => StorageError::Limit(key),
        wit::Error::TooLarge => StorageError::TooLarge,
        wit::Error::Unavailable(text) => StorageError::Unavailable(text),
        wit::Error::Full => StorageError::Full,
        wit::Error::Other(text) => StorageError::Other(text),
    }
}
