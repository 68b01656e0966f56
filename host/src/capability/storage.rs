//! Storage: the trait that an embedder implements to store organizations' data, and its types.
//!
//! It has the types of `wit/storage.wit`, and adds functions that only the host calls: schedules and the removal of an
//! organization. [`crate::storage::bounds`] has the limits that every implementation must enforce, and the
//! `conformance` feature has a test suite for the rules below.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;

use insomnia_scim_contract as contract;
pub(crate) use insomnia_scim_contract::key_after;
pub use insomnia_scim_contract::{
    BoundedAdd, Change, Condition, Entry, Item, Key, KeyRange, KeyValue, KeyVersion, Page, Scanned, Transaction,
};

use super::schedule::Claim;
pub use crate::quota::Size;

/// The longest name of an organization, in bytes.
pub const MAX_ORGANIZATION_ID: usize = 63;

/// The organization to which a call is bound: its name, `[a-z0-9][a-z0-9-]{0,62}`, and its generation.
///
/// The name is valid as a DNS label and as a path segment, so the connector URL can contain it unchanged. When an
/// organization is deleted and another is created with the same name, the new one has the next generation. Two ids with
/// the same name and different generations are different organizations that share nothing. A parsed name has generation
/// 0, that of the first organization with this name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationId {
    name: Arc<str>,
    generation: u64,
}

/// The host's own name; [`OrganizationId::parse`] does not accept it because of the underscore.
static HOST: LazyLock<OrganizationId> = LazyLock::new(|| OrganizationId { name: Arc::from("_host"), generation: 0 });

/// The name of no organization; [`OrganizationId::parse`] does not accept it because of the underscore.
static NOBODY: LazyLock<OrganizationId> =
    LazyLock::new(|| OrganizationId { name: Arc::from("_nobody"), generation: 0 });

/// The name of the operator's space; [`OrganizationId::parse`] does not accept it because of the underscore.
static OPERATOR: LazyLock<OrganizationId> =
    LazyLock::new(|| OrganizationId { name: Arc::from("_operator"), generation: 0 });

impl OrganizationId {
    /// Checks a name.
    ///
    /// # Errors
    /// Says which rule the name breaks.
    pub fn parse(name: &str) -> Result<Self, InvalidOrganizationId> {
        if name.is_empty() {
            return Err(InvalidOrganizationId::Empty);
        }
        if name.len() > MAX_ORGANIZATION_ID {
            return Err(InvalidOrganizationId::TooLong(name.len()));
        }
        if name.starts_with('-') {
            return Err(InvalidOrganizationId::LeadingHyphen);
        }
        let allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-';
        match name.chars().find(|c| !allowed(c)) {
            Some(c) => Err(InvalidOrganizationId::Character(c)),
            None => Ok(Self { name: Arc::from(name), generation: 0 }),
        }
    }

    /// The space in which the host keeps data that does not belong to one organization: the list of organizations,
    /// sessions of the page, operator keys. No parsed name is equal to it, so no call of a guest is ever bound to it.
    pub fn host() -> Self {
        HOST.clone()
    }

    /// Whether this is the host's own space.
    pub fn is_host(&self) -> bool {
        *self == *HOST
    }

    /// The space of the operator's own audit trail. The component writes it like that of an organization; the space
    /// contains nothing else.
    pub(crate) fn operator() -> Self {
        OPERATOR.clone()
    }

    /// Whether this is the space of the operator's own audit trail.
    pub(crate) fn is_operator(&self) -> bool {
        *self == *OPERATOR
    }

    /// A space in which nothing can be written. Calls that only test whether the component answers are bound to it.
    pub(crate) fn nobody() -> Self {
        NOBODY.clone()
    }

    /// Whether this is the space in which nothing can be written.
    pub(crate) fn is_nobody(&self) -> bool {
        *self == *NOBODY
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// How many deleted organizations had this name before.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The organization of this generation with the same name.
    #[must_use]
    pub fn with_generation(&self, generation: u64) -> Self {
        Self { name: Arc::clone(&self.name), generation }
    }

    /// A name that a backend has read from its own tables. It may be any name that [`OrganizationId::parse`] accepts,
    /// and also that of the host's space or of the operator's.
    ///
    /// # Errors
    /// Says which rule the name breaks.
    pub fn from_stored(name: &str) -> Result<Self, InvalidOrganizationId> {
        let own = [Self::host(), Self::operator()].into_iter().find(|own| own.as_str() == name);
        own.map_or_else(|| Self::parse(name), Ok)
    }
}

impl FromStr for OrganizationId {
    type Err = InvalidOrganizationId;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::parse(name)
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.generation {
            0 => write!(f, "OrganizationId({})", self.name),
            generation => write!(f, "OrganizationId({}, generation {generation})", self.name),
        }
    }
}

/// The reason why a text is no valid name of an organization.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrganizationId {
    /// It is empty.
    #[error("the organization's name is empty")]
    Empty,
    /// It has this many bytes.
    #[error("the organization's name has {0} bytes; at most {MAX_ORGANIZATION_ID} are allowed")]
    TooLong(usize),
    /// It starts with a hyphen.
    #[error("the organization's name starts with a hyphen; start it with a letter or a digit")]
    LeadingHyphen,
    /// It contains this character.
    #[error("the organization's name holds {0:?}; only a-z, 0-9 and hyphens are allowed")]
    Character(char),
}

/// The last possible key.
const LAST_KEY: [u8; 512] = [0xff; 512];

/// The reason why a call was refused. Nothing has been written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// A condition on this key was not met: the caller must read again and decide again.
    #[error("a condition on the key {} did not hold", .0.escape_ascii())]
    Conflict(Key),
    /// The counter at this key would leave its bounds.
    #[error("the counter {} would leave its bounds", .0.escape_ascii())]
    Limit(Key),
    /// A key, a value, or the whole call is larger than [`crate::storage::bounds`] allows.
    #[error("a key, a value, or the whole call is too large")]
    TooLarge,
    /// The storage can't be reached or is overloaded; the same call may succeed later. This is the only error after
    /// which a commit may have taken place, if the connection broke in the middle.
    #[error("the storage is unavailable: {0}")]
    Unavailable(String),
    /// The storage is full: nothing can be written until the operator makes room. Reads may still work. The text is for
    /// the host's log.
    #[error("the storage is full: {0}")]
    Full(String),
    /// The organization was deleted: nothing is written for it any more.
    #[error("the organization was deleted")]
    Deleted,
    /// Any other error; the text is for the host's log.
    #[error("the storage failed: {0}")]
    Other(String),
}

/// Converts the errors of [`BoundedAdd::apply`].
impl From<contract::StorageError> for StorageError {
    fn from(error: contract::StorageError) -> Self {
        match error {
            contract::StorageError::Conflict(key) => Self::Conflict(key),
            contract::StorageError::Limit(key) => Self::Limit(key),
            contract::StorageError::TooLarge => Self::TooLarge,
            contract::StorageError::Unavailable(why) => Self::Unavailable(why),
            contract::StorageError::Full => Self::Full("no room".to_owned()),
            contract::StorageError::Other(why) => Self::Other(why),
        }
    }
}

/// Whether the organization's space is empty.
///
/// # Errors
/// Those of a scan.
#[cfg(feature = "cli")]
pub(crate) async fn holds_nothing(storage: &dyn Storage, organization: &OrganizationId) -> Result<bool, StorageError> {
    let range = KeyRange { start: Vec::new(), end: LAST_KEY.to_vec() };
    let page = Page::first(range, 1);
    let scanned = storage.scan(organization, vec![page]).await?;
    Ok(scanned.iter().all(|page| page.entries.is_empty()))
}

/// Keeps an ordered, transactional key-value space for each organization.
///
/// An organization needs no creation: its space is empty until something is written. Once it is deleted, nothing can be
/// written for it again, and reads find nothing; [`OrganizationId`] distinguishes organizations that had the same name.
/// No call reaches another organization's keys. Reads see every commit that has returned, in this process or another. If
/// a future is dropped, its call may or may not take effect, but never half of it.
#[async_trait]
pub trait Storage: Send + Sync + 'static {
    /// The items at the keys, in the order of the keys; `None` for an absent one. [`check_get`] checks the keys; an answer with
    /// more than [`MAX_GET_BYTES`] of values is refused with [`StorageError::TooLarge`].
    ///
    /// [`check_get`]: crate::storage::bounds::check_get
    /// [`MAX_GET_BYTES`]: crate::storage::bounds::MAX_GET_BYTES
    async fn get(&self, organization: &OrganizationId, keys: Vec<Key>) -> Result<Vec<Option<Item>>, StorageError>;

    /// The pages, in their order. [`check_scan`] checks the arguments, and a [`PageBudget`] tells where each page ends: it is
    /// given the bytes of all pages before it.
    ///
    /// [`check_scan`]: crate::storage::bounds::check_scan
    /// [`PageBudget`]: crate::storage::bounds::PageBudget
    async fn scan(&self, organization: &OrganizationId, pages: Vec<Page>) -> Result<Vec<Scanned>, StorageError>;

    /// Makes the changes if all conditions are met. The commit is atomic, and durable when it returns. The limits are checked
    /// first ([`check_transaction`](crate::storage::bounds::check_transaction)), then the conditions
    /// ([`Condition::holds`]), and then the changes are made in their order ([`BoundedAdd::apply`]).
    ///
    /// Returns the version of everything that it wrote. No other transaction of the organization ever gets the same
    /// version, and one that commits later gets a higher one. That is also true after deletions, after
    /// [`Storage::delete_organization`], after a restart, and for commits from another process.
    async fn commit(&self, organization: &OrganizationId, transaction: Transaction) -> Result<u64, StorageError>;

    /// Puts the entries, in order, within the next 100 milliseconds. Only a crash of the host may lose them. What a
    /// caller has appended before a commit is present when the commit returns.
    async fn append(&self, organization: &OrganizationId, entries: Vec<(Key, Vec<u8>)>) -> Result<(), StorageError>;

    /// The organizations that a host may claim at `now` (milliseconds since the Unix epoch), those that have waited
    /// longest first, at most `limit`, which may be as large as [`usize::MAX`]: see [`Schedule::is_due`]. This must not read
    /// all organizations: times need an index of their own.
    ///
    /// [`Schedule::is_due`]: super::schedule::Schedule::is_due
    async fn due(&self, now: u64, limit: usize) -> Result<Vec<OrganizationId>, StorageError>;

    /// When a host may claim the next organization, in milliseconds since the Unix epoch: `now` or
    /// earlier if it may claim one already. See [`Schedule::next`](super::schedule::Schedule::next).
    async fn next_due(&self, now: u64) -> Result<Option<u64>, StorageError>;

    /// Claims the organization for a host that is about to run its jobs; `None` if it was deleted or is not due,
    /// usually because another host was faster. No commit and no other claim of the organization gets the number of this claim, and it
    /// is higher than all before. See [`Schedule::claim`](super::schedule::Schedule::claim).
    async fn claim(&self, organization: &OrganizationId, now: u64) -> Result<Option<Claim>, StorageError>;

    /// Renews the claim with this number from `now` on; `None` if another host has it by now. See
    /// [`Schedule::renew`](super::schedule::Schedule::renew).
    async fn renew(&self, organization: &OrganizationId, number: u64, now: u64) -> Result<Option<Claim>, StorageError>;

    /// Ends the claim with this number: the organization is due at `next`, or earlier if a commit has set an earlier
    /// time meanwhile. Returns whether the claim was still this one: another host's claim stays, but `next` counts
    /// nevertheless. Nothing happens if the organization was deleted. See
    /// [`Schedule::release`](super::schedule::Schedule::release).
    async fn release(
        &self,
        organization: &OrganizationId,
        number: u64,
        next: Option<u64>,
    ) -> Result<bool, StorageError>;

    /// Removes all data of the organization with its schedule, for good: nothing is ever written for it again,
    /// whichever process tries. From the beginning of this call at the latest, [`Storage::commit`] and
    /// [`Storage::append`] are refused with [`StorageError::Deleted`]; appended entries that still wait are dropped.
    /// Otherwise it need not be atomic: after an error, call it again. An organization of the same name and another
    /// generation keeps its data.
    async fn delete_organization(&self, organization: &OrganizationId) -> Result<(), StorageError>;

    /// Whether [`Storage::delete_organization`] was called for the organization, in this process or another.
    async fn is_deleted(&self, organization: &OrganizationId) -> Result<bool, StorageError>;

    /// How much the organization stores, for its quota; the latest commits may be missing. It costs as much as a scan
    /// of everything, and is called seldom.
    async fn size(&self, organization: &OrganizationId) -> Result<Size, StorageError> {
        let mut size = Size::default();
        let mut start = Vec::new();
        loop {
            let range = KeyRange { start, end: LAST_KEY.to_vec() };
            let page = Page::first(range, u32::MAX);
            let Some(scanned) = self.scan(organization, vec![page]).await?.into_iter().next() else { return Ok(size) };
            for Entry { key, value, .. } in &scanned.entries {
                size = size.plus(Size { bytes: (key.len() + value.len()) as u64, keys: 1 });
            }
            match scanned.entries.into_iter().next_back() {
                Some(last) if scanned.more => start = key_after(last.key),
                _ => return Ok(size),
            }
        }
    }

    /// Removes deleted and replaced data from the files, if the storage leaves it there. The host calls this in the
    /// background, some time after an organization was deleted or a person was erased, and before it stops.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if others prevented it: the data is removed in time, or by the next call.
    async fn scour(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Returns when all entries that were appended before are durable. The host calls it when it shuts down.
    async fn flush(&self) -> Result<(), StorageError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organization_id_takes_a_dns_label_in_lower_case() {
        for name in ["a", "0", "acme", "acme-2", "a-", &"a".repeat(63)] {
            assert_eq!(OrganizationId::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn organization_id_refusals_name_the_rule() {
        use InvalidOrganizationId::{Character, Empty, LeadingHyphen, TooLong};
        let long = "a".repeat(64);
        let cases = [
            ("", Empty),
            ("-a", LeadingHyphen),
            ("Acme", Character('A')),
            ("a/b", Character('/')),
            (&long, TooLong(64)),
        ];
        for (name, reason) in cases {
            assert_eq!(OrganizationId::parse(name), Err(reason), "{name}");
        }
    }

    #[test]
    fn organization_id_of_the_host_can_not_be_parsed() {
        let host = OrganizationId::host();
        assert!(host.is_host());
        assert_eq!(OrganizationId::parse(host.as_str()), Err(InvalidOrganizationId::Character('_')));
        assert_eq!(OrganizationId::from_stored(host.as_str()), Ok(host));
    }
}
