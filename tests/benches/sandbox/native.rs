//! The component's source, linked natively instead of as a component, over the host's storage in memory.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{SystemTime, UNIX_EPOCH};

use insomnia_scim::capability::storage::{Storage as _, StorageError as HostError};
use insomnia_scim::storage::MemoryStorage;
use insomnia_scim::{OrganizationId, ScimRequest, ScimResponse};
use insomnia_scim_guest::capability::{
    Clock, Host, Item, Key, KeyValue, Page, Scanned, Storage, StorageError, Transaction,
};
use insomnia_scim_guest::connector::{self, Window};
use insomnia_scim_guest::testing::{self, MemoryHost};
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
        testing::add_member(&store, &directory::NewMember { email, display_name, role, passphrase: None }).unwrap();
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
        at_once(self.storage.get(&self.organization, keys.to_vec()))
    }

    fn scan(&self, pages: &[Page]) -> Result<Vec<Scanned>, StorageError> {
        at_once(self.storage.scan(&self.organization, pages.to_vec()))
    }

    fn commit(&self, transaction: Transaction) -> Result<u64, StorageError> {
        at_once(self.storage.commit(&self.organization, transaction))
    }

    fn append(&self, entries: &[KeyValue]) -> Result<(), StorageError> {
        let entries = entries.iter().cloned().map(|KeyValue { key, value }| (key, value)).collect();
        at_once(self.storage.append(&self.organization, entries))
    }
}

/// The answer of a storage in memory, which never waits.
fn at_once<T>(call: impl Future<Output = Result<T, HostError>>) -> Result<T, StorageError> {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(value)) => Ok(value),
        Poll::Ready(Err(HostError::Conflict(key))) => Err(StorageError::Conflict(key)),
        Poll::Ready(Err(HostError::Limit(key))) => Err(StorageError::Limit(key)),
        Poll::Ready(Err(error)) => Err(StorageError::Other(error.to_string())),
        Poll::Pending => Err(StorageError::Other("the storage in memory waits".to_owned())),
    }
}
