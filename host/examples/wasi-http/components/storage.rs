//! The component `storage`: `insomnia:scim/storage` for one organization, in a folder over `wasi:filesystem`, and its wake-ups.

#![cfg(target_family = "wasm")]

use std::cell::RefCell;
use std::env;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use insomnia_scim_contract::{Item, Key, KeyValue, Page, Scanned, StorageError, Transaction};
use insomnia_scim_wasi_http::{Folder, LONGEST_PAUSE};

use bindings::exports::insomnia::scim::storage::Guest as Storage;
use bindings::exports::insomnia::scim_wasi_http::wake_ups::Guest as WakeUps;

/// The variable with the name that the host of `wasi:http` gives the folder.
const FOLDER: &str = "INSOMNIA_SCIM_FOLDER";
const DEFAULT_FOLDER: &str = "/data";

struct Component;

thread_local! {
    static OPEN: RefCell<Option<Folder>> = const { RefCell::new(None) };
}

/// Uses the folder, which is opened if it is not open yet. After a fault it is opened again.
fn folder<T>(act: impl FnOnce(&mut Folder) -> Result<T, StorageError>) -> Result<T, StorageError> {
    OPEN.with_borrow_mut(|open| {
        let folder = match open {
            Some(folder) => folder,
            None => open.insert(Folder::open(&Path::new(&path()).join("organization"))?),
        };
        let result = act(folder);
        if matches!(result, Err(StorageError::Unavailable(_) | StorageError::Full | StorageError::Other(_))) {
            *open = None;
        }
        result
    })
}

fn path() -> String {
    env::var(FOLDER).unwrap_or_else(|_| DEFAULT_FOLDER.into())
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The time that is stored for this one. The jobs are called by then in any case.
fn capped(time: u64) -> u64 {
    time.min(now().saturating_add(LONGEST_PAUSE))
}

impl Storage for Component {
    fn get(keys: Vec<Key>) -> Result<Vec<Option<Item>>, StorageError> {
        folder(|folder| folder.get(&keys))
    }

    fn scan(pages: Vec<Page>) -> Result<Vec<Scanned>, StorageError> {
        folder(|folder| folder.scan(&pages))
    }

    fn commit(transaction: Transaction) -> Result<u64, StorageError> {
        let wake_at = transaction.wake_at.map(capped);
        folder(|folder| folder.commit(&Transaction { wake_at, ..transaction }))
    }

    fn append(entries: Vec<KeyValue>) -> Result<(), StorageError> {
        folder(|folder| folder.append(&entries))
    }
}

impl WakeUps for Component {
    fn claim() -> Result<Option<u64>, String> {
        let claim = folder(|folder| folder.claim(now())).map_err(|error| error.to_string())?;
        Ok(claim.map(|claim| claim.number))
    }

    fn release(number: u64, next: Option<u64>) -> Result<(), String> {
        let released = folder(|folder| folder.release(number, next.map(capped)));
        released.map(drop).map_err(|error| error.to_string())
    }

    fn next() -> Result<Option<u64>, String> {
        folder(|folder| folder.next_due(now())).map_err(|error| error.to_string())
    }

    fn tidy() -> Result<(), String> {
        folder(Folder::tidy).map_err(|error| error.to_string())
    }
}

mod bindings {
    #![expect(unsafe_code, reason = "the generated glue passes memory between the component and its host")]
    #![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]

    use super::Component;

    wit_bindgen::generate!({
        world: "insomnia:scim-wasi-http/storage",
        path: ["../../../wit", "wit"],
        with: {
            "insomnia:scim/storage-types@1.0.0/item": insomnia_scim_contract::Item,
            "insomnia:scim/storage-types@1.0.0/entry": insomnia_scim_contract::Entry,
            "insomnia:scim/storage-types@1.0.0/key-value": insomnia_scim_contract::KeyValue,
            "insomnia:scim/storage-types@1.0.0/key-version": insomnia_scim_contract::KeyVersion,
            "insomnia:scim/storage-types@1.0.0/key-range": insomnia_scim_contract::KeyRange,
            "insomnia:scim/storage-types@1.0.0/page": insomnia_scim_contract::Page,
            "insomnia:scim/storage-types@1.0.0/scanned": insomnia_scim_contract::Scanned,
            "insomnia:scim/storage-types@1.0.0/condition": insomnia_scim_contract::Condition,
            "insomnia:scim/storage-types@1.0.0/bounded-add": insomnia_scim_contract::BoundedAdd,
            "insomnia:scim/storage-types@1.0.0/change": insomnia_scim_contract::Change,
            "insomnia:scim/storage-types@1.0.0/transaction": insomnia_scim_contract::Transaction,
            "insomnia:scim/storage-types@1.0.0/storage-error": insomnia_scim_contract::StorageError,
        },
    });

    export!(Component with_types_in self);
}
