//! The component's source without its component: linked natively, over the host's storage in memory.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{SystemTime, UNIX_EPOCH};

use insomnia_scim::capability::storage::{self as host, Storage as _};
use insomnia_scim::storage::MemoryStorage;
use insomnia_scim::{OrganizationId, ScimRequest, ScimResponse};
use insomnia_scim_guest::capability::{
    BoundedAdd, Change, Clock, Condition, Entry, Host, Item, Key, KeyRange, KeyValue, KeyVersion, Page, Scanned,
    Storage, StorageError, Transaction,
};
use insomnia_scim_guest::connector::{self, Window};
use insomnia_scim_guest::testing::MemoryHost;
use insomnia_scim_guest::{directory, endpoint};

use super::{OWNER, Serves, record};

/// The source, linked natively.
pub(crate) struct Native {
    storage: Bound,
    /// Mail, HTTP, secrets and random numbers.
    others: MemoryHost,
    token: String,
}

impl Native {
    pub(crate) fn start() -> Self {
        let storage = Bound { storage: MemoryStorage::new(), organization: OrganizationId::parse("acme").unwrap() };
        let mut native = Self { storage, others: MemoryHost::at(SystemClock.now()), token: String::new() };
        let store = native.host().store();
        directory::put_organization(&store, &record()).unwrap();
        let (email, display_name) = (OWNER.to_owned(), "Owner".to_owned());
        let role = insomnia_scim_guest::store::Role::Owner;
        directory::add_member(&store, &directory::NewMember { email, display_name, role, passphrase: None }).unwrap();
        native.token = connector::enable(&store, OWNER, "okta", Window::Days90).unwrap().token;
        native
    }

    fn host(&self) -> Host<'_> {
        Host { storage: &self.storage, clock: &SystemClock, ..self.others.host() }
    }
}

impl Serves for Native {
    fn token(&self) -> &str {
        &self.token
    }

    fn serve(&self, request: ScimRequest) -> ScimResponse {
        endpoint::handle(self.host(), &request)
    }
}

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
    }

    fn pause(&self, _: u64) {}
}

/// The storage of one organization.
struct Bound {
    storage: MemoryStorage,
    organization: OrganizationId,
}

impl Storage for Bound {
    fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        let items = at_once(self.storage.get(&self.organization, keys.to_vec()))?;
        let item = |host::Item { value, version }| Item { value, version };
        Ok(items.into_iter().map(|found| found.map(item)).collect())
    }

    fn scan(&self, pages: &[Page]) -> Result<Vec<Scanned>, StorageError> {
        let page = |Page { range, reverse, skip, limit }: Page| host::Page { range: keys(range), reverse, skip, limit };
        let pages = pages.iter().cloned().map(page).collect();
        let entry = |host::Entry { key, value, version }| Entry { key, value, version };
        let scanned =
            |host::Scanned { entries, more }| Scanned { entries: entries.into_iter().map(entry).collect(), more };
        Ok(at_once(self.storage.scan(&self.organization, pages))?.into_iter().map(scanned).collect())
    }

    fn commit(&self, transaction: Transaction) -> Result<u64, StorageError> {
        let transaction = host::Transaction {
            require: transaction.conditions.into_iter().map(require).collect(),
            write: transaction.changes.into_iter().map(write).collect(),
            wake_at: transaction.wake_at,
        };
        at_once(self.storage.commit(&self.organization, transaction))
    }

    fn append(&self, entries: &[KeyValue]) -> Result<(), StorageError> {
        let entries = entries.iter().cloned().map(|KeyValue { key, value }| (key, value)).collect();
        at_once(self.storage.append(&self.organization, entries))
    }
}

/// What a storage in memory answers: it never waits.
fn at_once<T>(call: impl Future<Output = Result<T, host::StorageError>>) -> Result<T, StorageError> {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(value)) => Ok(value),
        Poll::Ready(Err(host::StorageError::Conflict(key))) => Err(StorageError::Conflict(key)),
        Poll::Ready(Err(host::StorageError::Limit(key))) => Err(StorageError::Limit(key)),
        Poll::Ready(Err(error)) => Err(StorageError::Other(error.to_string())),
        Poll::Pending => Err(StorageError::Other("the storage in memory waits".to_owned())),
    }
}

fn keys(KeyRange { start, end }: KeyRange) -> host::KeyRange {
    host::KeyRange { start, end }
}

fn require(condition: Condition) -> host::Require {
    match condition {
        Condition::Exists(key) => host::Require::Exists(key),
        Condition::Absent(key) => host::Require::Absent(key),
        Condition::Version(KeyVersion { key, version }) => host::Require::Version(key, version),
    }
}

fn write(change: Change) -> host::Write {
    match change {
        Change::Put(KeyValue { key, value }) => host::Write::Put(key, value),
        Change::Delete(key) => host::Write::Delete(key),
        Change::DeleteRange(range) => host::Write::DeleteRange(keys(range)),
        Change::Add(BoundedAdd { key, delta, min, max }) => host::Write::Add(host::BoundedAdd { key, delta, min, max }),
    }
}
