//! Copies that are interrupted, that are continued, and whose data arrives damaged.

use std::future::ready;
use std::path::Path;

use super::*;
use crate::capability::storage::{Change, KeyRange, Page, Scanned, Storage as _, Transaction};
use crate::storage::{Checkpoints, SqliteSource, SqliteStorage, SqliteTarget};

/// A source that ends after this many messages.
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

/// A target that stores everything except the last item of each page of one organization. It may also lose the answer
/// to the commit of the host's own records.
struct Forgetful {
    target: SqliteTarget,
    of: OrganizationId,
    forgets: bool,
    is_silent: bool,
    is_host: bool,
}

#[async_trait]
impl Target for Forgetful {
    async fn serves(&mut self) -> Result<bool, StorageError> {
        self.target.serves().await
    }
    async fn organizations(&mut self) -> Result<Vec<OrganizationId>, StorageError> {
        self.target.organizations().await
    }
    async fn remove(&mut self, organization: &OrganizationId) -> Result<(), StorageError> {
        self.target.remove(organization).await
    }
    async fn begin(&mut self, head: &Head) -> Result<bool, StorageError> {
        self.forgets = head.organization == self.of;
        self.is_host = head.organization.is_host();
        self.target.begin(head).await
    }
    async fn after(&mut self, key: &[u8]) -> Result<Vec<Entry>, StorageError> {
        self.target.after(key).await
    }
    async fn change(&mut self, mut put: Vec<Entry>, delete: Vec<Key>) -> Result<(), StorageError> {
        if self.forgets {
            put.pop();
        }
        self.target.change(put, delete).await
    }
    async fn end(&mut self) -> Result<(), EndError> {
        self.target.end().await?;
        if self.is_silent && self.is_host {
            return Err(EndError::Unknown(StorageError::Unavailable("the answer was lost".into())));
        }
        Ok(())
    }
    async fn source(&mut self) -> Result<Box<dyn Source>, StorageError> {
        self.target.source().await
    }
}

/// A check that accepts everything.
fn anything() -> Look<'static> {
    Look { at: Key::new(), check: Box::new(|_| Ok(())), last: Box::pin(ready(Ok(()))) }
}

async fn copied(source: Box<dyn Source>, to: &Path) -> Result<Copied, CopyError> {
    copy(source, &mut SqliteTarget::open(to, Checkpoints::Own).unwrap(), anything()).await
}

fn named(name: &str) -> OrganizationId {
    OrganizationId::parse(name).unwrap()
}

async fn put(storage: &SqliteStorage, organization: &OrganizationId, key: &str, value: Vec<u8>) {
    let changes = vec![Change::put(key.into(), value)];
    storage.commit(organization, Transaction { changes, wake_at: Some(77), ..Transaction::default() }).await.unwrap();
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
    let source = || -> Box<dyn Source> { Box::new(SqliteSource::open(&from, Checkpoints::Own).unwrap()) };
    for breaks_after in [0, 1, 2, 4] {
        let source = Box::new(Faulty { source: source(), breaks_after });
        let broken = copied(source, &to).await.unwrap_err();
        assert!(broken.to_string().contains("broken off"), "{broken}");
        // No server would serve from an incomplete copy.
        assert!(!SqliteTarget::open(&to, Checkpoints::Own).unwrap().serves().await.unwrap());
    }
    let all_of_it = copied(source(), &to).await.unwrap();
    assert_eq!(all_of_it.items, 3 * 12 + 1);
    assert_eq!(all_of_it.kept, 12, "what had arrived of the first organization was not brought again");
    let again = copied(source(), &to).await.unwrap_err();
    assert!(matches!(again, CopyError::NotEmpty), "{again}");
    let mut target = SqliteTarget::open(&to, Checkpoints::Own).unwrap();
    let found = compare(source(), &mut target, anything()).await.unwrap();
    assert_eq!(found, Copied { kept: all_of_it.items, ..all_of_it }, "all of it is there");
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
    let differs = compare(source(), &mut target, anything()).await.unwrap_err();
    assert!(matches!(differs, CopyError::Another), "{differs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_changed_since_a_copy_was_broken_off_is_copied_as_it_is_now() {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (directory.path().join("from.db"), directory.path().join("to.db"));
    let original = filled(&from).await;
    let source = || -> Box<dyn Source> { Box::new(SqliteSource::open(&from, Checkpoints::Own).unwrap()) };
    // In the middle of the second organization: one page of it has arrived.
    let broken = Box::new(Faulty { source: source(), breaks_after: 5 });
    copied(broken, &to).await.unwrap_err();
    put(&original, &named("acme"), "key/0", b"changed".to_vec()).await;
    put(&original, &named("acme"), "key/00", b"new, in the middle".to_vec()).await;
    put(&original, &named("acme"), "zzz", b"new, at the end".to_vec()).await;
    for (organization, gone) in [("acme", "key/5"), ("globex", "key/0"), ("globex", "key/9")] {
        let changes = vec![Change::Delete(gone.into())];
        let transaction = Transaction { changes, ..Transaction::default() };
        original.commit(&named(organization), transaction).await.unwrap();
    }
    original.delete_organization(&named("initech")).await.unwrap();
    let second = copied(source(), &to).await.unwrap();
    assert_eq!(second.kept, 10 + 7, "{second:?}");
    let arrived = SqliteStorage::open(&to).unwrap();
    for name in ["acme", "globex", "initech"] {
        assert_eq!(all(&arrived, &named(name)).await, all(&original, &named(name)).await, "{name}");
    }
    assert!(arrived.is_deleted(&named("initech")).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_source_has_left_goes_and_what_is_refused_at_the_end_serves_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let [from, other, to] = ["from.db", "other.db", "to.db"].map(|name| directory.path().join(name));
    drop(filled(&from).await);
    let stranger = SqliteStorage::open(&other).unwrap();
    for name in ["globex", "umbrella"] {
        put(&stranger, &named(name), "stranger", Vec::new()).await;
    }
    let source = |path: &Path| -> Box<dyn Source> { Box::new(SqliteSource::open(path, Checkpoints::Own).unwrap()) };
    // The source has no records of a host: the copy is complete, but no server would serve from it.
    copied(source(&other), &to).await.unwrap();
    let look = |wanted: &'static [u8]| Look {
        at: b"organization/acme".to_vec(),
        check: Box::new(move |value| match value {
            Some(value) if value == wanted => Ok(()),
            value => Err(CopyError::Key(format!("{value:?}"))),
        }),
        last: Box::pin(ready(Ok(()))),
    };
    let refused =
        copy(source(&from), &mut SqliteTarget::open(&to, Checkpoints::Own).unwrap(), look(b"[]")).await.unwrap_err();
    assert!(matches!(refused, CopyError::Key(_)), "{refused}");
    assert!(!SqliteTarget::open(&to, Checkpoints::Own).unwrap().serves().await.unwrap());
    let last = copy(source(&from), &mut SqliteTarget::open(&to, Checkpoints::Own).unwrap(), look(b"{}")).await.unwrap();
    assert_eq!((last.organizations, last.items, last.kept), (3, 3 * 12 + 1, 3 * 12));
    let arrived = SqliteStorage::open(&to).unwrap();
    let found = arrived.get(&named("globex"), vec![b"stranger".to_vec()]).await.unwrap();
    assert_eq!(found, [None]);
    assert!(
        SqliteTarget::open(&to, Checkpoints::Own)
            .unwrap()
            .organizations()
            .await
            .unwrap()
            .iter()
            .all(|of| of.as_str() != "umbrella")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_arrived_otherwise_than_it_was_sent_is_told_and_serves_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (directory.path().join("from.db"), directory.path().join("to.db"));
    drop(filled(&from).await);
    let source = || -> Box<dyn Source> { Box::new(SqliteSource::open(&from, Checkpoints::Own).unwrap()) };
    let target = SqliteTarget::open(&to, Checkpoints::Own).unwrap();
    let mut target = Forgetful { target, of: named("globex"), forgets: false, is_silent: false, is_host: false };
    let differs = copy(source(), &mut target, anything()).await.unwrap_err();
    assert!(matches!(&differs, CopyError::Differs(organization) if *organization == named("globex")), "{differs}");
    drop(target);
    copied(source(), &to).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_source_is_used_at_the_end_serves_nobody_and_a_last_commit_without_an_answer_is_told_as_such() {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (directory.path().join("from.db"), directory.path().join("to.db"));
    drop(filled(&from).await);
    let source = || -> Box<dyn Source> { Box::new(SqliteSource::open(&from, Checkpoints::Own).unwrap()) };
    let target = || SqliteTarget::open(&to, Checkpoints::Own).unwrap();
    let used = Look { last: Box::pin(ready(Err(CopyError::InUse("somebody".into())))), ..anything() };
    let refused = copy(source(), &mut target(), used).await.unwrap_err();
    assert!(matches!(refused, CopyError::InUse(_)), "{refused}");
    assert!(!target().serves().await.unwrap());
    let mut silent =
        Forgetful { target: target(), of: named("nobody"), forgets: false, is_silent: true, is_host: false };
    let unknown = copy(source(), &mut silent, anything()).await.unwrap_err();
    assert!(matches!(unknown, CopyError::Unknown(_)), "{unknown}");
    drop(silent);
    assert!(matches!(copied(source(), &to).await.unwrap_err(), CopyError::NotEmpty), "all had arrived");
}
