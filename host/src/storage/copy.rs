//! All organizations from one storage into another: what backup, restore and the change to another database are made of.
//!
//! The source is read as it is at one moment, beside a server that goes on writing. In the target an organization is either
//! there with all that it has or not at all, and the host's own records come last, after all others were read again and
//! are, to the byte, what was sent. So a copy that was broken off, or that arrived otherwise, is no database that a server
//! would serve from, and it can be made again in the same place.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use crate::capability::storage::{Entry, OrganizationId, StorageError};

/// Pages of items that wait between source and target.
const AHEAD: usize = 4;
/// Items of a page at most.
pub(super) const PAGE_ITEMS: usize = 2_000;
/// A page ends with the item that makes it larger than this, in bytes.
pub(super) const PAGE_BYTES: usize = 4 << 20;

/// Why a copy failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// The target serves organizations.
    #[error("the target has organizations already: name an empty one")]
    NotEmpty,
    /// The target has something else than was sent.
    #[error("what arrived of the organization {0} is not what was sent: copy again, and look at the target's disk")]
    Differs(OrganizationId),
    /// A storage refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Items came for no organization, which is a fault of the copy.
pub(super) fn not_begun() -> StorageError {
    StorageError::Other("no organization was begun".into())
}

/// An organization, as a copy carries it before its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) organization: OrganizationId,
    /// It was deleted: only its name's generation is left of it.
    pub(crate) deleted: bool,
    /// The version, or the claim's number, that was given last, or a later one.
    pub(crate) version: u64,
    /// When its jobs are due, in milliseconds since the Unix epoch. Nobody has a claim on them in the target.
    pub(crate) wake_at: Option<u64>,
}

/// What of a storage is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All organizations, and the host's own records after them.
    All,
    /// The organizations alone.
    Organizations,
    /// The host's own records alone.
    Host,
}

impl Part {
    /// Whether an organization belongs to it.
    pub(super) fn has(self, organization: &OrganizationId) -> bool {
        match self {
            Self::All => true,
            Self::Organizations => !organization.is_host(),
            Self::Host => organization.is_host(),
        }
    }
}

/// What a source sends.
#[derive(Debug)]
pub(crate) enum Sent {
    /// The next organization begins.
    Organization(Head),
    /// Some of its items, in the order of their keys.
    Items(Vec<Entry>),
}

/// A storage that is read as it was at one moment.
#[async_trait]
pub(crate) trait Source: Send {
    /// Sends organizations with their items, the host's own records last. It ends early when nobody receives any more.
    ///
    /// # Errors
    /// If the storage can't be read.
    async fn send(self: Box<Self>, part: Part, to: mpsc::Sender<Sent>) -> Result<(), StorageError>;
}

/// A storage that takes organizations.
#[async_trait]
pub(crate) trait Target: Send {
    /// Whether it serves organizations: then nothing may be copied into it.
    async fn serves(&mut self) -> Result<bool, StorageError>;

    /// An organization begins: what an earlier copy has left of it goes.
    async fn begin(&mut self, head: &Head) -> Result<(), StorageError>;

    /// Puts items of the organization that was begun, with their versions.
    async fn put(&mut self, items: Vec<Entry>) -> Result<(), StorageError>;

    /// The organization that was begun is complete: from now on it is there.
    async fn end(&mut self) -> Result<(), StorageError>;

    /// All of it as a source.
    async fn source(&mut self) -> Result<Box<dyn Source>, StorageError>;
}

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copied {
    /// Organizations that exist, and not the host's own records.
    pub(crate) organizations: u64,
    pub(crate) items: u64,
    /// Of keys and values.
    pub(crate) bytes: u64,
}

/// Copies all, and compares what arrived with what was sent.
///
/// # Errors
/// [`CopyError`] says what is wrong; the source is never changed.
pub(crate) async fn copy(source: Box<dyn Source>, target: &mut dyn Target) -> Result<Copied, CopyError> {
    if target.serves().await? {
        return Err(CopyError::NotEmpty);
    }
    let (to, mut from) = mpsc::channel(AHEAD);
    let sending = tokio::spawn(source.send(Part::All, to));
    let mut sent = Digests::default();
    let mut has_begun = false;
    while let Some(message) = from.recv().await {
        sent.note(&message);
        match message {
            Sent::Organization(head) => {
                if has_begun {
                    target.end().await?;
                }
                target.begin(&head).await?;
                has_begun = true;
            }
            Sent::Items(items) => target.put(items).await?,
        }
    }
    // What was sent is all that there is only if the source has come to its end.
    joined(sending.await)?;
    // The host's own records have begun, and nobody sees them until the others are found to be right.
    check(&sent, target, Part::Organizations).await?;
    if has_begun {
        target.end().await?;
    }
    check(&sent, target, Part::Host).await?;
    Ok(sent.sum())
}

/// Reads this part of the target again, and compares it with what was sent of it.
async fn check(sent: &Digests, target: &mut dyn Target, part: Part) -> Result<(), CopyError> {
    let (to, mut from) = mpsc::channel(AHEAD);
    let sending = tokio::spawn(target.source().await?.send(part, to));
    let mut arrived = Digests::default();
    while let Some(message) = from.recv().await {
        arrived.note(&message);
    }
    joined(sending.await)?;
    match sent.first_difference(&arrived, part) {
        Some(organization) => Err(CopyError::Differs(organization)),
        None => Ok(()),
    }
}

fn joined(sent: Result<Result<(), StorageError>, tokio::task::JoinError>) -> Result<(), StorageError> {
    sent.unwrap_or_else(|error| Err(StorageError::Other(format!("the source broke off: {error}"))))
}

/// What was sent of each organization, told by its digest.
#[derive(Default)]
struct Digests {
    all: BTreeMap<(String, u64), Digest>,
    current: Option<(String, u64)>,
}

#[derive(Clone, Default)]
struct Digest {
    head: Option<Head>,
    items: u64,
    bytes: u64,
    hash: Sha256,
}

impl Digests {
    fn note(&mut self, sent: &Sent) {
        match sent {
            Sent::Organization(head) => {
                let name = (head.organization.as_str().to_owned(), head.organization.generation());
                // Versions that were given after the last change are no data.
                let head = Head { version: 0, ..head.clone() };
                self.all.insert(name.clone(), Digest { head: Some(head), ..Digest::default() });
                self.current = Some(name);
            }
            Sent::Items(items) => {
                let Some(digest) = self.current.as_ref().and_then(|name| self.all.get_mut(name)) else { return };
                for Entry { key, value, version } in items {
                    digest.items += 1;
                    digest.bytes += (key.len() + value.len()) as u64;
                    // With their lengths, so that what belongs to the key is never taken for what belongs to the value.
                    for part in [key, value] {
                        digest.hash.update((part.len() as u64).to_be_bytes());
                        digest.hash.update(part);
                    }
                    digest.hash.update(version.to_be_bytes());
                }
            }
        }
    }

    /// The first organization of the part that one of them has otherwise than the other, or that one lacks.
    fn first_difference(&self, other: &Self, part: Part) -> Option<OrganizationId> {
        let facts = |digest: &Digest| (digest.head.clone(), digest.items, digest.bytes, digest.hash.clone().finalize());
        let all = self.all.iter().chain(&other.all);
        let of_part = all.filter_map(|(name, digest)| Some((name, &digest.head.as_ref()?.organization)));
        let mut different = of_part.filter(|(name, organization)| {
            part.has(organization) && self.all.get(*name).map(facts) != other.all.get(*name).map(facts)
        });
        different.next().map(|(_, organization)| organization.clone())
    }

    fn sum(&self) -> Copied {
        let mut copied = Copied::default();
        for Digest { head, items, bytes, .. } in self.all.values() {
            let counts = head
                .as_ref()
                .is_some_and(|head| !head.deleted && !head.organization.is_host() && !head.organization.is_operator());
            copied.organizations += u64::from(counts);
            copied.items += items;
            copied.bytes += bytes;
        }
        copied
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::capability::storage::{Change, KeyRange, Page, Scanned, Storage as _, Transaction};
    use crate::storage::{SqliteSource, SqliteStorage, SqliteTarget};

    /// Breaks off after so many messages.
    struct Faulty {
        source: Box<dyn Source>,
        breaks_after: usize,
    }

    #[async_trait]
    impl Source for Faulty {
        async fn send(self: Box<Self>, part: Part, to: mpsc::Sender<Sent>) -> Result<(), StorageError> {
            let Self { source, breaks_after } = *self;
            let (own, mut from) = mpsc::channel(1);
            let sending = tokio::spawn(source.send(part, own));
            for number in 0.. {
                let Some(sent) = from.recv().await else { break };
                if number == breaks_after {
                    return Err(StorageError::Unavailable("broken off".into()));
                }
                if to.send(sent).await.is_err() {
                    break;
                }
            }
            joined(sending.await)
        }
    }

    /// Stores what arrives, but for the last item of each page of this organization.
    struct Forgetful {
        target: SqliteTarget,
        of: OrganizationId,
        forgets: bool,
    }

    #[async_trait]
    impl Target for Forgetful {
        async fn serves(&mut self) -> Result<bool, StorageError> {
            self.target.serves().await
        }
        async fn begin(&mut self, head: &Head) -> Result<(), StorageError> {
            self.forgets = head.organization == self.of;
            self.target.begin(head).await
        }
        async fn put(&mut self, mut items: Vec<Entry>) -> Result<(), StorageError> {
            if self.forgets {
                items.pop();
            }
            self.target.put(items).await
        }
        async fn end(&mut self) -> Result<(), StorageError> {
            self.target.end().await
        }
        async fn source(&mut self) -> Result<Box<dyn Source>, StorageError> {
            self.target.source().await
        }
    }

    fn named(name: &str) -> OrganizationId {
        OrganizationId::parse(name).unwrap()
    }

    async fn put(storage: &SqliteStorage, organization: &OrganizationId, key: &str, value: Vec<u8>) {
        let changes = vec![Change::put(key.into(), value)];
        storage
            .commit(organization, Transaction { changes, wake_at: Some(77), ..Transaction::default() })
            .await
            .unwrap();
    }

    async fn filled(path: &Path) -> SqliteStorage {
        let storage = SqliteStorage::open(path).unwrap();
        for name in ["acme", "globex", "initech"] {
            for number in 0..12 {
                put(&storage, &named(name), &format!("key/{number}"), vec![number; 1 << 19]).await;
            }
        }
        put(&storage, &OrganizationId::host(), "organization/acme", b"{}".to_vec()).await;
        storage
    }

    async fn all(storage: &SqliteStorage, organization: &OrganizationId) -> Vec<Scanned> {
        let range = KeyRange { start: Vec::new(), end: vec![0xff] };
        let mut start = range.start;
        let mut pages = Vec::new();
        loop {
            let range = KeyRange { start, end: vec![0xff] };
            let page = Page { range, reverse: false, skip: 0, limit: 100 };
            let scanned = storage.scan(organization, vec![page]).await.unwrap().remove(0);
            let next = scanned.entries.last().map(|last| [last.key.as_slice(), &[0]].concat());
            let more = scanned.more;
            pages.push(scanned);
            match next.filter(|_| more) {
                Some(next) => start = next,
                None => return pages,
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_copy_has_every_item_with_its_version_also_after_one_that_was_broken_off() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from.db"), directory.path().join("to.db"));
        let original = filled(&from).await;
        let source = || -> Box<dyn Source> { Box::new(SqliteSource::open(&from).unwrap()) };
        for breaks_after in [0, 1, 2, 4] {
            let source = Box::new(Faulty { source: source(), breaks_after });
            let broken = copy(source, &mut SqliteTarget::open(&to).unwrap()).await.unwrap_err();
            assert!(broken.to_string().contains("broken off"), "{broken}");
            // What is not complete is no database that anybody would serve from.
            assert!(!SqliteTarget::open(&to).unwrap().serves().await.unwrap());
        }
        let copied = copy(source(), &mut SqliteTarget::open(&to).unwrap()).await.unwrap();
        assert_eq!(copied.items, 3 * 12 + 1);
        let again = copy(source(), &mut SqliteTarget::open(&to).unwrap()).await.unwrap_err();
        assert!(matches!(again, CopyError::NotEmpty), "{again}");
        let arrived = SqliteStorage::open(&to).unwrap();
        for name in ["acme", "globex", "initech"] {
            assert_eq!(all(&arrived, &named(name)).await, all(&original, &named(name)).await);
        }
        assert_eq!(arrived.next_due(0).await.unwrap(), Some(77));
        // Versions go on where they were.
        let before = all(&original, &named("acme")).await;
        let newest = before.iter().flat_map(|page| &page.entries).map(|entry| entry.version).max().unwrap();
        put(&arrived, &named("acme"), "later", Vec::new()).await;
        let later = arrived.get(&named("acme"), vec!["later".into()]).await.unwrap().remove(0).unwrap();
        assert!(later.version > newest);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_has_changed_since_a_copy_was_broken_off_is_copied_as_it_is_now() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from.db"), directory.path().join("to.db"));
        let original = filled(&from).await;
        let source = || -> Box<dyn Source> { Box::new(SqliteSource::open(&from).unwrap()) };
        let broken = Box::new(Faulty { source: source(), breaks_after: 6 });
        copy(broken, &mut SqliteTarget::open(&to).unwrap()).await.unwrap_err();
        put(&original, &named("acme"), "key/0", b"changed".to_vec()).await;
        copy(source(), &mut SqliteTarget::open(&to).unwrap()).await.unwrap();
        let arrived = SqliteStorage::open(&to).unwrap();
        assert_eq!(all(&arrived, &named("acme")).await, all(&original, &named("acme")).await);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_copy_that_arrived_otherwise_than_it_was_sent_is_told_and_serves_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from.db"), directory.path().join("to.db"));
        drop(filled(&from).await);
        let source = || -> Box<dyn Source> { Box::new(SqliteSource::open(&from).unwrap()) };
        let target = SqliteTarget::open(&to).unwrap();
        let mut target = Forgetful { target, of: named("globex"), forgets: false };
        let differs = copy(source(), &mut target).await.unwrap_err();
        assert!(matches!(&differs, CopyError::Differs(organization) if *organization == named("globex")), "{differs}");
        drop(target);
        copy(source(), &mut SqliteTarget::open(&to).unwrap()).await.unwrap();
    }
}
