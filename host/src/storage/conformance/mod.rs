//! The rules of [`Storage`] as checks that an embedder runs over an implementation of their own.
//!
//! ```no_run
//! # async fn example() {
//! use std::sync::Arc;
//! use insomnia_scim::capability::storage::Storage;
//! use insomnia_scim::storage::{MemoryStorage, conformance};
//!
//! let violations = conformance::run(|| async { Arc::new(MemoryStorage::new()) as Arc<dyn Storage> }).await;
//! assert!(violations.is_empty(), "{violations:#?}");
//! # }
//! ```
//!
//! It needs a Tokio runtime, and finds races only on one with several threads.

mod appends;
mod commits;
mod concurrent;
mod counters;
mod deletion;
mod limits;
mod reads;
mod schedule;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::capability::storage::{
    BoundedAdd, Change, Condition, Item, Key, KeyRange, OrganizationId, Page, Scanned, Storage, StorageError,
    Transaction,
};

/// A rule that an implementation breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {detail}")]
pub struct Violation {
    /// The rule's name.
    pub rule: &'static str,
    /// The expected and the actual result.
    pub detail: String,
}

type Checked = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

/// One rule of the contract.
#[derive(Clone, Copy)]
pub struct Rule {
    name: &'static str,
    check: fn(Arc<dyn Storage>) -> Checked,
}

impl Rule {
    /// Its name in a [`Violation`].
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Checks the rule with an empty storage.
    ///
    /// # Errors
    /// Says how the storage breaks the rule.
    pub async fn check(&self, storage: Arc<dyn Storage>) -> Result<(), Violation> {
        (self.check)(storage).await.map_err(|Fault(detail)| Violation { rule: self.name, detail })
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rule").field(&self.name).finish()
    }
}

/// All rules.
pub fn rules() -> Vec<Rule> {
    [
        reads::RULES,
        commits::RULES,
        counters::RULES,
        appends::RULES,
        limits::RULES,
        schedule::RULES,
        deletion::RULES,
        concurrent::RULES,
    ]
    .concat()
}

/// Checks all rules, one after the other, each with a storage of its own: `make` returns an empty one. Returns the
/// broken rules.
pub async fn run<M, F>(make: M) -> Vec<Violation>
where
    M: Fn() -> F,
    F: Future<Output = Arc<dyn Storage>>,
{
    let mut violations = Vec::new();
    for rule in rules() {
        violations.extend(rule.check(make().await).await.err());
    }
    violations
}

/// A description of how a rule was broken.
struct Fault(String);

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Self(format!("a call that should succeed failed: {error}"))
    }
}

/// Names the rules of a file after their functions.
macro_rules! named {
    ($($rule:ident),* $(,)?) => {
        pub(super) const RULES: &[super::Rule] =
            &[$(super::Rule { name: stringify!($rule), check: |storage| Box::pin($rule(storage)) }),*];
    };
}
use named;

fn equal<T: fmt::Debug + PartialEq>(what: &str, found: T, expected: T) -> Result<(), Fault> {
    holds(found == expected, || format!("{what}: expected {expected:?}, found {found:?}"))
}

fn holds(condition: bool, otherwise: impl FnOnce() -> String) -> Result<(), Fault> {
    if condition { Ok(()) } else { Err(Fault(otherwise())) }
}

/// An organization of a storage, with short functions for frequent actions.
#[derive(Clone)]
struct Space {
    storage: Arc<dyn Storage>,
    organization: OrganizationId,
}

impl Space {
    fn new(storage: &Arc<dyn Storage>, name: &str) -> Result<Self, Fault> {
        let organization = OrganizationId::parse(name).map_err(|error| Fault(error.to_string()))?;
        Ok(Self { storage: Arc::clone(storage), organization })
    }

    async fn commit(&self, conditions: Vec<Condition>, changes: Vec<Change>) -> Result<u64, StorageError> {
        self.storage.commit(&self.organization, Transaction { conditions, changes, wake_at: None }).await
    }

    async fn write(&self, changes: Vec<Change>) -> Result<u64, StorageError> {
        self.commit(Vec::new(), changes).await
    }

    async fn wake(&self, at: u64) -> Result<u64, StorageError> {
        let transaction = Transaction { wake_at: Some(at), ..Transaction::default() };
        self.storage.commit(&self.organization, transaction).await
    }

    async fn item(&self, key: &str) -> Result<Option<Item>, Fault> {
        let mut items = self.storage.get(&self.organization, vec![k(key)]).await?;
        holds(items.len() == 1, || format!("get of one key returned {} items", items.len()))?;
        Ok(items.pop().flatten())
    }

    /// The value as text.
    async fn value(&self, key: &str) -> Result<Option<String>, Fault> {
        Ok(self.item(key).await?.map(|item| String::from_utf8_lossy(&item.value).into_owned()))
    }

    async fn scan(&self, page: Page) -> Result<Scanned, Fault> {
        let mut scanned = self.storage.scan(&self.organization, vec![page]).await?;
        holds(scanned.len() == 1, || format!("scan of one page returned {} pages", scanned.len()))?;
        Ok(scanned.pop().unwrap_or_default())
    }

    /// All keys, as text, in order.
    async fn keys(&self) -> Result<Vec<String>, Fault> {
        Ok(names(&self.scan(page(everything())).await?))
    }
}

fn k(text: &str) -> Key {
    text.as_bytes().to_vec()
}

fn put(key: &str, value: &str) -> Change {
    Change::put(k(key), k(value))
}

fn delete(key: &str) -> Change {
    Change::Delete(k(key))
}

fn add(key: &str, delta: i64, min: Option<i64>, max: Option<i64>) -> Change {
    Change::Add(BoundedAdd { key: k(key), delta, min, max })
}

fn range(start: &str, end: &str) -> KeyRange {
    KeyRange { start: k(start), end: k(end) }
}

fn everything() -> KeyRange {
    KeyRange { start: Vec::new(), end: vec![0xff; 512] }
}

/// A page with the first entries of a range, as many as the storage returns.
fn page(range: KeyRange) -> Page {
    Page { range, reverse: false, skip: 0, limit: u32::MAX }
}

fn names(scanned: &Scanned) -> Vec<String> {
    scanned.entries.iter().map(|entry| String::from_utf8_lossy(&entry.key).into_owned()).collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}
