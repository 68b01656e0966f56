//! Copies all organizations from one storage to another. Backup, restore and the change to another database use this.
//!
//! The source is read in one snapshot, while a server may go on writing. In the target, an organization is written in
//! parts, and the written parts stay if the copy is interrupted. The next copy into the same target compares the source
//! with what is there, and only writes what is missing or has changed (module `left`). The host's own records are
//! written last, in one transaction, after all other data was read again and found equal to the byte. A server finds
//! organizations by these records, so no server would serve from a copy that was interrupted or that differs from its
//! source.

mod digests;
mod left;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::pin::Pin;

use async_trait::async_trait;
use tokio::sync::mpsc;

use self::digests::Digests;
use self::left::Left;
use crate::capability::storage::{Entry, Key, OrganizationId, StorageError};

/// How many pages of items may wait between source and target.
const AHEAD: usize = 4;
/// The most items in a page.
pub(super) const PAGE_ITEMS: usize = 2_000;
/// A page ends with the item that makes it larger than this, in bytes.
pub(super) const PAGE_BYTES: usize = 4 << 20;

/// The reason why a copy failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// The target already serves organizations.
    #[error("the target has organizations already: name an empty one")]
    NotEmpty,
    /// The target already serves organizations, and a copy that was broken off has not brought them, or the source has changed since.
    #[error("the target has organizations already, and not as the source has them now: name an empty one")]
    Another,
    /// The organization in the target differs from what was sent.
    #[error("the copy of the organization {0} differs from its source: copy again, and check the target's disk")]
    Differs(OrganizationId),
    /// The host key beside the copy is not the one with which its secrets were encrypted.
    #[error("{0}")]
    Key(String),
    /// Somebody has used the source since the copy began.
    #[error("{0}")]
    InUse(String),
    /// The commit that makes the copy a database to serve from has failed, which may have been after it took effect.
    #[error(
        "it is not known whether the last commit took effect, and with it all of the copy: {0}. Give the same command again: if it \
         finds organizations there, all had arrived"
    )]
    Unknown(StorageError),
    /// A storage has returned an error.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The error for items that came before any organization, which is a bug in the copy.
pub(super) fn not_begun() -> StorageError {
    StorageError::Other("no organization was begun".into())
}

/// An organization in the form in which a copy sends it before its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) organization: OrganizationId,
    /// Whether it was deleted: only the generation of its name is left.
    pub(crate) deleted: bool,
    /// The last version or claim number that was given out, or a later one.
    pub(crate) version: u64,
    /// When its jobs are due, in milliseconds since the Unix epoch. In the target, no host has a claim on them.
    pub(crate) wake_at: Option<u64>,
}

/// Why [`Target::end`] failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndError {
    /// What was to be committed has certainly not taken effect.
    #[error(transparent)]
    NotDone(StorageError),
    /// The commit was sent, and may have taken effect.
    #[error(transparent)]
    Unknown(StorageError),
}

impl From<EndError> for StorageError {
    fn from(error: EndError) -> Self {
        match error {
            EndError::NotDone(error) | EndError::Unknown(error) => error,
        }
    }
}

/// Which part of a storage is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All organizations, and then the host's own records.
    All,
    /// Only the organizations.
    Organizations,
}

impl Part {
    /// Whether the part contains an organization.
    pub(super) fn has(self, organization: &OrganizationId) -> bool {
        match self {
            Self::All => true,
            Self::Organizations => !organization.is_host(),
        }
    }
}

/// One message of a source.
#[derive(Debug)]
pub(crate) enum Sent {
    /// The next organization begins.
    Organization(Head),
    /// Some items of the current organization, in the order of their keys.
    Items(Vec<Entry>),
}

/// A storage that is read in one snapshot.
#[async_trait]
pub(crate) trait Source: Send {
    /// Sends organizations with their items, the host's own records last. It ends early if the receiver has gone.
    ///
    /// # Errors
    /// If the storage can't be read.
    async fn send(self: Box<Self>, part: Part, to: mpsc::Sender<Sent>) -> Result<(), StorageError>;
}

/// A storage into which organizations are copied.
///
/// Between `begin` and `end` each [`Target::change`] of an organization is a transaction of its own, which is durable
/// when the call returns. For the host's own records, all changes are one transaction, which `end` commits.
#[async_trait]
pub(crate) trait Target: Send {
    /// Whether the storage serves organizations already: then nothing may be copied into it.
    async fn serves(&mut self) -> Result<bool, StorageError>;

    /// The organizations that an earlier copy has left, completely or partly.
    async fn organizations(&mut self) -> Result<Vec<OrganizationId>, StorageError>;

    /// Removes one of these organizations with all its data.
    async fn remove(&mut self, organization: &OrganizationId) -> Result<(), StorageError>;

    /// Begins an organization. Returns whether an earlier copy has left some of its data, which stays for now.
    async fn begin(&mut self, head: &Head) -> Result<bool, StorageError>;

    /// The next items of the current organization after this key, in the order of their keys: at most a page, and none
    /// only if there are no more.
    async fn after(&mut self, key: &[u8]) -> Result<Vec<Entry>, StorageError>;

    /// Puts items of the current organization with their versions, and deletes keys. No key is both put and deleted.
    async fn change(&mut self, put: Vec<Entry>, delete: Vec<Key>) -> Result<(), StorageError>;

    /// Ends the current organization.
    async fn end(&mut self) -> Result<(), EndError>;

    /// The target as a source, to read everything again.
    async fn source(&mut self) -> Result<Box<dyn Source>, StorageError>;
}

/// Statistics of a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copied {
    /// How many organizations exist, without the host's own records.
    pub(crate) organizations: u64,
    pub(crate) items: u64,
    /// The bytes of keys and values.
    pub(crate) bytes: u64,
    /// How many items an interrupted earlier copy had brought already.
    pub(crate) kept: u64,
}

/// Checks the source's value of one key among the host's own records, after all other data has arrived. If the check
/// fails, the copy does not become a database that a server would serve from.
pub(crate) struct Look<'l> {
    /// The key to check.
    pub(crate) at: Key,
    /// Is called with the value of the key, if there is one.
    #[allow(clippy::type_complexity, reason = "it is said once")]
    pub(crate) check: Box<dyn FnOnce(Option<&[u8]>) -> Result<(), CopyError> + Send + 'l>,
    /// Is awaited just before the last commit, and may refuse it.
    pub(crate) last: LastLook<'l>,
}

/// The check just before the last commit.
pub(crate) type LastLook<'l> = Pin<Box<dyn Future<Output = Result<(), CopyError>> + Send + 'l>>;

/// Copies everything, and compares what arrived with what was sent. Data that an earlier copy has left in this target
/// is updated to the source's current data.
///
/// # Errors
/// [`CopyError`] says what is wrong; the source is never changed.
pub(crate) async fn copy(
    source: Box<dyn Source>,
    target: &mut dyn Target,
    look: Look<'_>,
) -> Result<Copied, CopyError> {
    if target.serves().await? {
        return Err(CopyError::NotEmpty);
    }
    let mut unsent: BTreeSet<OrganizationId> = target.organizations().await?.into_iter().collect();
    let (to, mut from) = mpsc::channel(AHEAD);
    let sending = tokio::spawn(source.send(Part::All, to));
    let mut sent = Digests::default();
    let mut current: Option<(Head, Left)> = None;
    let (mut kept, mut seen) = (0, None);
    while let Some(message) = from.recv().await {
        sent.note(&message);
        match message {
            Sent::Organization(head) => {
                if let Some((_, left)) = current.take() {
                    left.remove_rest(target).await?;
                    target.end().await.map_err(StorageError::from)?;
                }
                unsent.remove(&head.organization);
                if head.organization.is_host() {
                    // A server may have started with this database meanwhile. Its own records must not be mixed with
                    // the copied ones.
                    if target.serves().await? {
                        return Err(CopyError::NotEmpty);
                    }
                    remove_all(std::mem::take(&mut unsent), target).await?;
                }
                let left = if target.begin(&head).await? { Left::something() } else { Left::nothing() };
                current = Some((head, left));
            }
            Sent::Items(items) => {
                let Some((head, left)) = &mut current else { return Err(not_begun().into()) };
                if head.organization.is_host()
                    && let Some(found) = items.iter().find(|entry| entry.key == look.at)
                {
                    seen = Some(found.value.clone());
                }
                kept += left.bring_up_to_date(target, items).await?;
            }
        }
    }
    // The copy is only complete if the source has ended without an error.
    joined(sending.await)?;
    let mut is_host = false;
    if let Some((head, left)) = current.take() {
        left.remove_rest(target).await?;
        is_host = head.organization.is_host();
        if !is_host {
            target.end().await.map_err(StorageError::from)?;
        }
    }
    remove_all(unsent, target).await?;
    // The host's own records are in a transaction that is not committed, so nobody sees them until all data is
    // verified.
    check(&sent, target).await?;
    (look.check)(seen.as_deref())?;
    if is_host {
        check_current(&sent, target).await?;
        look.last.await?;
        target.end().await.map_err(|error| match error {
            EndError::NotDone(error) => CopyError::Storage(error),
            EndError::Unknown(error) => CopyError::Unknown(error),
        })?;
    }
    Ok(Copied { kept, ..sent.sum() })
}

/// Compares a target that serves organizations with the source. An earlier copy that was killed just after its last commit has
/// brought them, if the two are the same. Nothing is written.
///
/// # Errors
/// [`CopyError::Another`] if they are not the same, and else what is wrong.
pub(crate) async fn compare(
    source: Box<dyn Source>,
    target: &mut dyn Target,
    look: Look<'_>,
) -> Result<Copied, CopyError> {
    let (mut is_host, mut seen) = (false, None);
    let sent = digests(source, Part::All, |message| match message {
        Sent::Organization(head) => is_host = head.organization.is_host(),
        Sent::Items(items) if is_host => {
            if let Some(found) = items.iter().find(|entry| entry.key == look.at) {
                seen = Some(found.value.clone());
            }
        }
        Sent::Items(_) => {}
    });
    let sent = sent.await?;
    let arrived = digests(target.source().await?, Part::All, |_| ()).await?;
    if sent.first_difference(&arrived, Part::All).is_some() {
        return Err(CopyError::Another);
    }
    (look.check)(seen.as_deref())?;
    look.last.await?;
    let all = sent.sum();
    Ok(Copied { kept: all.items, ..all })
}

async fn remove_all(organizations: BTreeSet<OrganizationId>, target: &mut dyn Target) -> Result<(), StorageError> {
    for organization in organizations {
        target.remove(&organization).await?;
    }
    Ok(())
}

/// Reads the target's organizations again, and compares them with what was sent.
async fn check(sent: &Digests, target: &mut dyn Target) -> Result<(), CopyError> {
    let arrived = digests(target.source().await?, Part::Organizations, |_| ()).await?;
    match sent.first_difference(&arrived, Part::Organizations) {
        Some(organization) => Err(CopyError::Differs(organization)),
        None => Ok(()),
    }
}

/// Reads this part of a storage; `each` sees every message.
async fn digests(source: Box<dyn Source>, part: Part, mut each: impl FnMut(&Sent)) -> Result<Digests, StorageError> {
    let (to, mut from) = mpsc::channel(AHEAD);
    let sending = tokio::spawn(source.send(part, to));
    let mut digests = Digests::default();
    while let Some(message) = from.recv().await {
        each(&message);
        digests.note(&message);
    }
    joined(sending.await)?;
    Ok(digests)
}

/// Reads the items of the current organization again, inside its uncommitted transaction, and compares them with what
/// was sent.
async fn check_current(sent: &Digests, target: &mut dyn Target) -> Result<(), CopyError> {
    let mut arrived = sent.last_without_items();
    let mut last = Key::new();
    loop {
        let items = target.after(&last).await?;
        let Some(entry) = items.last() else { break };
        last.clone_from(&entry.key);
        arrived.note(&Sent::Items(items));
    }
    if sent.has_the_same_last(&arrived) { Ok(()) } else { Err(CopyError::Differs(OrganizationId::host())) }
}

fn joined(sent: Result<Result<(), StorageError>, tokio::task::JoinError>) -> Result<(), StorageError> {
    sent.unwrap_or_else(|error| Err(StorageError::Other(format!("the source broke off: {error}"))))
}
