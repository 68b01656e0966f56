//! Implements the crate's capability traits by the host's imports.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::bindings::insomnia::scim::{email, http, secrets, storage};
use crate::capability::{
    Clock, EmailError, Host, HttpClient, HttpError, HttpRequest, HttpResponse, Item, Key, KeyValue, Mailer, Message,
    Page, Random, Scanned, Secrets, SecretsError, Storage, StorageError, Transaction,
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
            // `wasi:random` can't fail. Without randomness the component must not make secrets, so it stops.
            std::process::abort();
        }
    }
}

impl Storage for HostStorage {
    fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        storage::get(keys)
    }

    fn scan(&self, pages: &[Page]) -> Result<Vec<Scanned>, StorageError> {
        storage::scan(pages)
    }

    fn commit(&self, transaction: Transaction) -> Result<u64, StorageError> {
        storage::commit(&transaction)
    }

    fn append(&self, entries: &[KeyValue]) -> Result<(), StorageError> {
        storage::append(entries)
    }
}

impl Mailer for HostMailer {
    fn send(&self, message: &Message) -> Result<(), EmailError> {
        email::send(message)
    }
}

impl HttpClient for HostHttp {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        http::send(request)
    }
}

impl Secrets for HostSecrets {
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, SecretsError> {
        secrets::seal(plain)
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SecretsError> {
        secrets::open(sealed)
    }
}
