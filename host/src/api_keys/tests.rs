//! The life of API keys, without a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::*;
use crate::capability::clock::ManualClock;
use crate::capability::schedule::Claim;
use crate::capability::storage::{Item, Key, Page, Scanned, Transaction};
use crate::storage::MemoryStorage;

const START: u64 = 1_800_000_000_000;
const HOLDER: ApiKeyHolder = ApiKeyHolder::Operator;

/// A storage whose commits can be counted, and held up for ever.
#[derive(Default)]
struct Slow {
    inner: MemoryStorage,
    stuck: AtomicBool,
    commits: AtomicU32,
}

#[async_trait]
impl Storage for Slow {
    async fn get(&self, organization: &OrganizationId, keys: Vec<Key>) -> Result<Vec<Option<Item>>, StorageError> {
        self.inner.get(organization, keys).await
    }

    async fn scan(&self, organization: &OrganizationId, pages: Vec<Page>) -> Result<Vec<Scanned>, StorageError> {
        self.inner.scan(organization, pages).await
    }

    async fn commit(&self, organization: &OrganizationId, transaction: Transaction) -> Result<u64, StorageError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        if self.stuck.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.inner.commit(organization, transaction).await
    }

    async fn append(&self, organization: &OrganizationId, entries: Vec<(Key, Vec<u8>)>) -> Result<(), StorageError> {
        self.inner.append(organization, entries).await
    }

    async fn due(&self, now: u64, limit: usize) -> Result<Vec<OrganizationId>, StorageError> {
        self.inner.due(now, limit).await
    }

    async fn next_due(&self, now: u64) -> Result<Option<u64>, StorageError> {
        self.inner.next_due(now).await
    }

    async fn claim(&self, organization: &OrganizationId, now: u64) -> Result<Option<Claim>, StorageError> {
        self.inner.claim(organization, now).await
    }

    async fn renew(&self, organization: &OrganizationId, number: u64, now: u64) -> Result<Option<Claim>, StorageError> {
        self.inner.renew(organization, number, now).await
    }

    async fn release(
        &self,
        organization: &OrganizationId,
        number: u64,
        next: Option<u64>,
    ) -> Result<bool, StorageError> {
        self.inner.release(organization, number, next).await
    }

    async fn delete_organization(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        self.inner.delete_organization(organization).await
    }

    async fn is_deleted(&self, organization: &OrganizationId) -> Result<bool, StorageError> {
        self.inner.is_deleted(organization).await
    }
}

struct World {
    keys: ApiKeys,
    storage: Arc<Slow>,
    clock: Arc<ManualClock>,
}

impl World {
    fn new() -> Self {
        let (storage, clock) = (Arc::new(Slow::default()), Arc::new(ManualClock::new(START)));
        Self { keys: ApiKeys::new(storage.clone(), clock.clone()), storage, clock }
    }

    async fn make(&self, scopes: &[&str], expires: Option<u64>) -> Result<IssuedApiKey, ApiKeyError> {
        let scopes = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
        self.keys.create(&HOLDER, NewApiKey { name: "a".into(), scopes, expires }).await
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn commits(&self) -> u32 {
        self.storage.commits.load(Ordering::SeqCst)
    }

    /// What the tasks in the background have to do is done.
    async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    async fn last_used(&self) -> Option<u64> {
        self.settle().await;
        self.keys.list(&HOLDER).await.unwrap()[0].last_used
    }
}

#[tokio::test]
async fn of_all_requests_in_five_minutes_one_writes_when_the_key_was_used() {
    let world = World::new();
    let key = world.make(&["all:write"], None).await.unwrap().secret;
    assert_eq!((world.last_used().await, world.commits()), (None, 1));
    // At the same time, and one after the other.
    for _ in 0..10 {
        assert!(world.keys.recognise(&key).await.unwrap().is_some());
    }
    assert_eq!((world.last_used().await, world.commits()), (Some(START), 2));
    world.wait(299);
    assert!(world.keys.recognise(&key).await.unwrap().is_some());
    assert_eq!((world.last_used().await, world.commits()), (Some(START), 2));
    world.wait(1);
    assert!(world.keys.recognise(&key).await.unwrap().is_some());
    assert_eq!((world.last_used().await, world.commits()), (Some(START + 300_000), 3));
}

#[tokio::test]
async fn no_request_waits_until_it_is_written_when_the_key_was_used() {
    let world = World::new();
    let key = world.make(&["all:write"], None).await.unwrap().secret;
    world.storage.stuck.store(true, Ordering::SeqCst);
    for _ in 0..10 {
        // It would never come back if it waited for the storage.
        assert!(world.keys.recognise(&key).await.unwrap().is_some());
        world.settle().await;
    }
    assert_eq!(world.commits(), 2, "a storage that is slow is not asked again by every request");
}

#[tokio::test]
async fn a_key_is_recognised_with_its_scopes_until_it_expires() {
    let world = World::new();
    let scopes = ["teams:write", "members:read", "teams:write"];
    let issued = world.make(&scopes, Some(START + 1_000)).await.unwrap();
    let told = |scopes: &[ApiScope]| scopes.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told(&issued.key.scopes), ["members:read", "teams:write"]);
    let caller = world.keys.recognise(&issued.secret).await.unwrap().unwrap();
    assert_eq!((told(&caller.scopes), caller.expires), (told(&issued.key.scopes), Some(START + 1_000)));
    world.wait(1);
    assert_eq!(world.keys.recognise(&issued.secret).await.unwrap(), None);
    let listed = world.keys.list(&HOLDER).await.unwrap();
    assert_eq!((listed[0].status, listed[0].expires), (ApiKeyStatus::Expired, Some(START + 1_000)));
}

#[tokio::test]
async fn a_key_has_a_scope_and_expires_in_the_future() {
    let world = World::new();
    assert_eq!(world.make(&[], None).await.unwrap_err(), ApiKeyError::Scopes);
    for expires in [0, START, LAST + 1] {
        assert_eq!(world.make(&["all:read"], Some(expires)).await.unwrap_err(), ApiKeyError::Expiry, "{expires}");
    }
    assert_eq!(world.keys.list(&HOLDER).await.unwrap(), []);
}

#[tokio::test]
async fn a_key_that_has_expired_makes_room_for_another_one() {
    let world = World::new();
    let first = world.make(&["all:read"], Some(START + 1_000)).await.unwrap();
    for _ in 1..MOST {
        world.make(&["all:read"], None).await.unwrap();
    }
    assert_eq!(world.make(&["all:read"], None).await.unwrap_err(), ApiKeyError::TooMany);
    world.wait(1);
    world.make(&["all:read"], None).await.unwrap();
    let listed = world.keys.list(&HOLDER).await.unwrap();
    assert_eq!(listed.len(), MOST);
    assert!(listed.iter().all(|key| key.id != first.key.id));
}
