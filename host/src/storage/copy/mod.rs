//! All organizations from one storage into another: what backup, restore and the change to another database are made of.
//!
//! The source is read as it is at one moment, beside a server that goes on writing. In the target an organization is written
//! part by part, and each part stays when the copy is broken off. The next copy into the same place compares what the source
//! has now with what is there, and writes only what is missing or has changed (module `left`). The host's own records come
//! last and in one piece, after all others were read again and are, to the byte, what was sent. A server finds organizations by
//! these records, so a copy that was broken off, or that arrived otherwise, is no database that a server would serve from.

mod digests;
mod left;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use async_trait::async_trait;
use tokio::sync::mpsc;

use self::digests::Digests;
use self::left::Left;
use crate::capability::storage::{Entry, Key, OrganizationId, StorageError};

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
    /// The host key beside the copy is not the one that its secrets are sealed with.
    #[error("{0}")]
    Key(String),
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
}

impl Part {
    /// Whether an organization belongs to it.
    pub(super) fn has(self, organization: &OrganizationId) -> bool {
        match self {
            Self::All => true,
            Self::Organizations => !organization.is_host(),
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
///
/// Between `begin` and `end` there is one transaction of the database after another: each [`Target::change`] of an
/// organization is durable when it returns. What belongs to the host's own records is one transaction that `end` commits.
#[async_trait]
pub(crate) trait Target: Send {
    /// Whether it serves organizations: then nothing may be copied into it.
    async fn serves(&mut self) -> Result<bool, StorageError>;

    /// Which organizations an earlier copy has left, as a whole or in part.
    async fn organizations(&mut self) -> Result<Vec<OrganizationId>, StorageError>;

    /// Removes one of these with all that it has.
    async fn remove(&mut self, organization: &OrganizationId) -> Result<(), StorageError>;

    /// An organization begins. Returns whether an earlier copy has left something of it, which stays for now.
    async fn begin(&mut self, head: &Head) -> Result<bool, StorageError>;

    /// The next items of the organization that was begun, in the order of their keys: at most a page of those behind this
    /// key, and none only if there are none.
    async fn after(&mut self, key: &[u8]) -> Result<Vec<Entry>, StorageError>;

    /// Puts items of the organization that was begun, with their versions, and deletes keys, all of which are others.
    async fn change(&mut self, put: Vec<Entry>, delete: Vec<Key>) -> Result<(), StorageError>;

    /// The organization that was begun is complete.
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
    /// Items that an earlier copy, which was broken off, had brought already.
    pub(crate) kept: u64,
}

/// Looks at what the source has at one key of the host's own records, when all but those have arrived. What it refuses is no
/// database that a server would serve from.
pub(crate) struct Look<'l> {
    /// The key.
    pub(crate) at: Key,
    /// Gets its value, if there is one.
    #[allow(clippy::type_complexity, reason = "it is said once")]
    pub(crate) check: Box<dyn FnOnce(Option<&[u8]>) -> Result<(), CopyError> + Send + 'l>,
}

/// Copies all, and compares what arrived with what was sent. What an earlier copy into this target has left is made to what
/// the source has now.
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
                    target.end().await?;
                }
                unsent.remove(&head.organization);
                if head.organization.is_host() {
                    // A server may have begun there since: what it has noted of itself would be mixed with what is copied.
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
    // What was sent is all that there is only if the source has come to its end.
    joined(sending.await)?;
    let mut is_host = false;
    if let Some((head, left)) = current.take() {
        left.remove_rest(target).await?;
        is_host = head.organization.is_host();
        if !is_host {
            target.end().await?;
        }
    }
    remove_all(unsent, target).await?;
    // The host's own records have begun, and nobody sees them until the others, and they themselves, are found to be right.
    check(&sent, target).await?;
    (look.check)(seen.as_deref())?;
    if is_host {
        check_current(&sent, target).await?;
        target.end().await?;
    }
    Ok(Copied { kept, ..sent.sum() })
}

async fn remove_all(organizations: BTreeSet<OrganizationId>, target: &mut dyn Target) -> Result<(), StorageError> {
    for organization in organizations {
        target.remove(&organization).await?;
    }
    Ok(())
}

/// Reads the organizations of the target again, and compares them with what was sent of them.
async fn check(sent: &Digests, target: &mut dyn Target) -> Result<(), CopyError> {
    let (to, mut from) = mpsc::channel(AHEAD);
    let sending = tokio::spawn(target.source().await?.send(Part::Organizations, to));
    let mut arrived = Digests::default();
    while let Some(message) = from.recv().await {
        arrived.note(&message);
    }
    joined(sending.await)?;
    match sent.first_difference(&arrived, Part::Organizations) {
        Some(organization) => Err(CopyError::Differs(organization)),
        None => Ok(()),
    }
}

/// Reads the items of what was begun last again, where nobody else sees them yet, and compares them with what was sent.
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
