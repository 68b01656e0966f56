//! A storage that a host can lose between two commits: this is what a crash of the host looks like to the database.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use insomnia_scim::OrganizationId;
use insomnia_scim::capability::schedule::Claim;
use insomnia_scim::capability::storage::{Item, Key, Page, Scanned, Storage, StorageError, Transaction};

/// No crash is planned.
const NEVER: i64 = i64::MIN;

/// When hosts crash.
pub(crate) struct Faults {
    /// Commits until the crash; at 0 or less the host has crashed.
    commits: AtomicI64,
    no_appends: AtomicBool,
    /// The organization whose commits fail.
    no_commits_of: Mutex<Option<String>>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { commits: AtomicI64::new(NEVER), no_appends: AtomicBool::new(false), no_commits_of: Mutex::default() }
    }
}

impl Faults {
    /// The host crashes right after so many commits more, before it hears of the last one; with 0 at once.
    pub(crate) fn crash_after(&self, commits: i64) {
        self.commits.store(commits, Ordering::SeqCst);
    }

    /// Hosts run again.
    pub(crate) fn end(&self) {
        self.commits.store(NEVER, Ordering::SeqCst);
    }

    /// Whether the host has crashed: nothing that it does has an effect any more.
    pub(crate) fn is_crashed(&self) -> bool {
        let commits = self.commits.load(Ordering::SeqCst);
        commits != NEVER && commits <= 0
    }

    /// Whether nothing more can be appended.
    pub(crate) fn refuse_appends(&self, refuse: bool) {
        self.no_appends.store(refuse, Ordering::SeqCst);
    }

    /// The organization of which nothing more can be committed.
    pub(crate) fn refuse_commits_of(&self, organization: Option<&str>) {
        *self.no_commits_of.lock().unwrap() = organization.map(str::to_owned);
    }

    fn check(&self) -> Result<(), StorageError> {
        if self.is_crashed() { Err(crashed()) } else { Ok(()) }
    }
}

fn crashed() -> StorageError {
    StorageError::Unavailable("the host has crashed".into())
}

/// The storage of a host that may crash.
pub(crate) struct Unreliable {
    inner: Arc<dyn Storage>,
    faults: Arc<Faults>,
}

impl Unreliable {
    pub(crate) fn new(inner: Arc<dyn Storage>, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

#[async_trait]
impl Storage for Unreliable {
    async fn get(&self, organization: &OrganizationId, keys: Vec<Key>) -> Result<Vec<Option<Item>>, StorageError> {
        self.faults.check()?;
        self.inner.get(organization, keys).await
    }

    async fn scan(&self, organization: &OrganizationId, pages: Vec<Page>) -> Result<Vec<Scanned>, StorageError> {
        self.faults.check()?;
        self.inner.scan(organization, pages).await
    }

    async fn commit(&self, organization: &OrganizationId, transaction: Transaction) -> Result<u64, StorageError> {
        self.faults.check()?;
        if self.faults.no_commits_of.lock().unwrap().as_deref() == Some(organization.as_str()) {
            return Err(StorageError::Full("the disk is full".into()));
        }
        let committed = self.inner.commit(organization, transaction).await;
        if committed.is_ok() && self.faults.commits.load(Ordering::SeqCst) != NEVER {
            self.faults.commits.fetch_sub(1, Ordering::SeqCst);
        }
        // Who has crashed does not hear of it.
        self.faults.check()?;
        committed
    }

    async fn append(&self, organization: &OrganizationId, entries: Vec<(Key, Vec<u8>)>) -> Result<(), StorageError> {
        self.faults.check()?;
        if self.faults.no_appends.load(Ordering::SeqCst) {
            return Err(StorageError::Unavailable("the disk is full".into()));
        }
        self.inner.append(organization, entries).await
    }

    async fn due(&self, now: u64, limit: usize) -> Result<Vec<OrganizationId>, StorageError> {
        self.inner.due(now, limit).await
    }

    async fn next_due(&self, now: u64) -> Result<Option<u64>, StorageError> {
        self.inner.next_due(now).await
    }

    async fn claim(&self, organization: &OrganizationId, now: u64) -> Result<Option<Claim>, StorageError> {
        self.faults.check()?;
        self.inner.claim(organization, now).await
    }

    async fn renew(&self, organization: &OrganizationId, number: u64, now: u64) -> Result<Option<Claim>, StorageError> {
        self.faults.check()?;
        self.inner.renew(organization, number, now).await
    }

    async fn release(
        &self,
        organization: &OrganizationId,
        number: u64,
        next: Option<u64>,
    ) -> Result<bool, StorageError> {
        // Who has crashed gives nothing back: the claim lasts until it ends by itself.
        self.faults.check()?;
        self.inner.release(organization, number, next).await
    }

    async fn delete_organization(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        self.inner.delete_organization(organization).await
    }

    async fn is_deleted(&self, organization: &OrganizationId) -> Result<bool, StorageError> {
        self.inner.is_deleted(organization).await
    }

    async fn scour(&self) -> Result<(), StorageError> {
        self.inner.scour().await
    }

    async fn flush(&self) -> Result<(), StorageError> {
        self.inner.flush().await
    }
}
