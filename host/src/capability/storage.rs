//! Storage: the trait an embedder implements to keep organizations' data, and its types.
//!
//! It mirrors `wit/storage.wit` and adds what only the host calls: schedules and the removal of an
//! organization. [`crate::storage::bounds`] has the limits that every implementation keeps, and the
//! `conformance` feature has a suite that shows whether an implementation keeps the rules below.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;

use super::schedule::Claim;
pub use crate::quota::Size;

/// The longest name of an organization, in bytes.
pub const MAX_ORGANIZATION_ID: usize = 63;

/// The organization a call is bound to: its name, `[a-z0-9][a-z0-9-]{0,62}`, and its generation.
///
/// The name fits a DNS label and a path segment, so the connector URL can hold it as it is. When an organization is
/// deleted and another is created under the same name, the new one has the next generation. Two ids with the same name
/// and different generations are different organizations: they share nothing. A name that was parsed has generation 0,
/// which is that of the first organization with this name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationId {
    name: Arc<str>,
    generation: u64,
}

/// The host's own name; the underscore keeps it out of what [`OrganizationId::parse`] accepts.
static HOST: LazyLock<OrganizationId> = LazyLock::new(|| OrganizationId { name: Arc::from("_host"), generation: 0 });

/// No organization's name; the underscore keeps it out of what [`OrganizationId::parse`] accepts.
static NOBODY: LazyLock<OrganizationId> =
    LazyLock::new(|| OrganizationId { name: Arc::from("_nobody"), generation: 0 });

/// The operator's own; the underscore keeps it out of what [`OrganizationId::parse`] accepts.
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

    /// The space in which the host keeps what is not one organization's: the list of organizations,
    /// sessions of the page, operator keys. No parsed name is equal to it, so no call of a guest is
    /// ever bound to it.
    pub fn host() -> Self {
        HOST.clone()
    }

    /// Whether this is the host's own space.
    pub fn is_host(&self) -> bool {
        *self == *HOST
    }

    /// The space of the operator's own audit trail. The component keeps it as it keeps an organization's; nothing else is there.
    pub(crate) fn operator() -> Self {
        OPERATOR.clone()
    }

    /// Whether this is the space of the operator's own audit trail.
    pub(crate) fn is_operator(&self) -> bool {
        *self == *OPERATOR
    }

    /// A space in which nothing can be written: calls that show whether the component answers are bound to it.
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

    /// How many organizations had this name before and were deleted.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The organization of this generation with the same name.
    #[must_use]
    pub fn with_generation(&self, generation: u64) -> Self {
        Self { name: Arc::clone(&self.name), generation }
    }

    /// A name that a backend has read back from its own tables: [`OrganizationId::parse`], and the spaces of the host and of
    /// the operator's trail too.
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

/// Why a text is no name of an organization.
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
    /// It holds this character.
    #[error("the organization's name holds {0:?}; only a-z, 0-9 and hyphens are allowed")]
    Character(char),
}

/// 1 to 512 bytes, ordered bytewise.
pub type Key = Vec<u8>;

/// The last key that there can be.
const LAST_KEY: [u8; 512] = [0xff; 512];

/// A stored value and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// At most 1 MiB.
    pub value: Vec<u8>,
    /// The version of the transaction that wrote it; see [`Storage::commit`].
    pub version: u64,
}

/// An item with its key, as a scan returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub key: Key,
    /// What is there.
    pub value: Vec<u8>,
    /// The version of the transaction that wrote it; see [`Storage::commit`].
    pub version: u64,
}

/// The keys with `start <= key < end`. Empty if `start >= end`. An empty `start` is the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key that may be in the range.
    pub start: Key,
    /// The first key after the range.
    pub end: Key,
}

impl KeyRange {
    /// All keys that begin with this text.
    pub(crate) fn beginning_with(prefix: &str) -> Self {
        let mut end = prefix.as_bytes().to_vec();
        // No byte of a text is 255, so there is always a next one.
        if let Some(last) = end.last_mut() {
            *last += 1;
        }
        Self { start: prefix.into(), end }
    }

    /// Whether no key can be in it.
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }
}

/// What to read of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The keys to read.
    pub range: KeyRange,
    /// From the end of the range towards its start.
    pub reverse: bool,
    /// How many entries to pass over first.
    pub skip: u32,
    /// How many entries to return at the most; [`crate::storage::bounds`] caps it further.
    pub limit: u32,
}

/// A page of entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// In the order of the page.
    pub entries: Vec<Entry>,
    /// Whether the range holds entries past the last one returned (or past those skipped, if none was).
    pub more: bool,
}

/// What must hold when a transaction commits, before any of its changes takes effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Require {
    /// The key has a value.
    Exists(Key),
    /// The key has no value.
    Absent(Key),
    /// The key has a value of this version.
    Version(Key, u64),
}

impl Require {
    /// The key it is about, which a conflict names.
    pub fn key(&self) -> &Key {
        match self {
            Self::Exists(key) | Self::Absent(key) | Self::Version(key, _) => key,
        }
    }

    /// Whether it holds for a key that has a value of this version, or none.
    pub fn holds(&self, version: Option<u64>) -> bool {
        match self {
            Self::Exists(_) => version.is_some(),
            Self::Absent(_) => version.is_none(),
            Self::Version(_, wanted) => version == Some(*wanted),
        }
    }
}

/// Adds to a counter. Additions to one counter commute and never conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundedAdd {
    /// The counter's key.
    pub key: Key,
    /// What to add.
    pub delta: i64,
    /// The transaction fails with [`StorageError::Limit`] if the sum were less.
    pub min: Option<i64>,
    /// The transaction fails with [`StorageError::Limit`] if the sum were more.
    pub max: Option<i64>,
}

impl BoundedAdd {
    /// The counter's value after the addition. The value before is a decimal integer in ASCII (`-`
    /// and digits, within 64 bits); an absent one counts as 0.
    ///
    /// # Errors
    /// [`StorageError::Limit`] if the sum leaves its bounds or 64 bits, [`StorageError::Other`] if
    /// the value before is no such integer.
    pub fn apply(&self, before: Option<&[u8]>) -> Result<Vec<u8>, StorageError> {
        let number = match before {
            None => 0,
            Some(text) => decimal(text).ok_or_else(|| {
                StorageError::Other(format!("the value at {} is not a decimal integer", self.key.escape_ascii()))
            })?,
        };
        number
            .checked_add(self.delta)
            .filter(|sum| self.min.is_none_or(|min| *sum >= min) && self.max.is_none_or(|max| *sum <= max))
            .map(|sum| sum.to_string().into_bytes())
            .ok_or_else(|| StorageError::Limit(self.key.clone()))
    }
}

/// The integer that the text is, without the `+` that Rust's own parser would take.
fn decimal(text: &[u8]) -> Option<i64> {
    if text.starts_with(b"+") {
        return None;
    }
    str::from_utf8(text).ok()?.parse().ok()
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Sets the key's value.
    Put(Key, Vec<u8>),
    /// Removes the key; nothing happens if it is absent.
    Delete(Key),
    /// Removes all keys of the range.
    DeleteRange(KeyRange),
    /// Adds to a counter.
    Add(BoundedAdd),
}

/// Requirements and changes that take effect together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// All must hold in the state before the transaction; the first that does not is reported.
    pub require: Vec<Require>,
    /// Take effect in this order, each seeing those before it.
    pub write: Vec<Write>,
    /// Not later than at this time (milliseconds since the Unix epoch) the organization is due. An
    /// earlier time that is set already stays; see [`super::schedule`].
    pub wake_at: Option<u64>,
}

/// Why a call was refused. Nothing has been written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// A requirement on this key did not hold: read again, decide again.
    #[error("a requirement on the key {} did not hold", .0.escape_ascii())]
    Conflict(Key),
    /// The counter at this key would leave its bounds.
    #[error("the counter {} would leave its bounds", .0.escape_ascii())]
    Limit(Key),
    /// A key, a value, or the whole call is larger than [`crate::storage::bounds`] allows.
    #[error("a key, a value, or the whole call is too large")]
    TooLarge,
    /// The storage can't be reached or is overloaded; the same call may succeed later. Alone among
    /// these it may leave it open whether a commit took place, if the connection broke in the middle.
    #[error("the storage is unavailable: {0}")]
    Unavailable(String),
    /// There is no room: nothing can be written until somebody makes some. Reads may go on. The text is for the host's log.
    #[error("the storage is full: {0}")]
    Full(String),
    /// The organization was deleted: nothing is written for it any more.
    #[error("the organization was deleted")]
    Deleted,
    /// Anything else; the text is for the host's log.
    #[error("the storage failed: {0}")]
    Other(String),
}

/// Keeps an ordered, transactional key-value space for each organization.
///
/// An organization needs no creation: it holds nothing until something is written. Once it is deleted, it can't be
/// written again: [`OrganizationId`] tells apart those that had one name. No call reaches another organization's keys. Reads see every commit that has returned, in this process or another.
/// A future that is dropped may or may not have its effect, but never half of it.
#[async_trait]
pub trait Storage: Send + Sync + 'static {
    /// The items at the keys, in their order; `None` for an absent one.
    async fn get(&self, organization: &OrganizationId, keys: Vec<Key>) -> Result<Vec<Option<Item>>, StorageError>;

    /// The pages, in their order.
    async fn scan(&self, organization: &OrganizationId, pages: Vec<Page>) -> Result<Vec<Scanned>, StorageError>;

    /// How many keys the range holds. It costs what a scan costs.
    async fn count(&self, organization: &OrganizationId, range: KeyRange) -> Result<u64, StorageError>;

    /// Makes the changes if all requirements hold: atomic, and durable when it returns.
    ///
    /// Returns the version given to all that it wrote. In an organization's life no other transaction
    /// gets the same one, and one that commits later gets a greater one: also after deletions, after
    /// [`Storage::delete_organization`], after a restart, and from another process.
    async fn commit(&self, organization: &OrganizationId, transaction: Transaction) -> Result<u64, StorageError>;

    /// Puts the entries, in order, some time within the next 100 milliseconds. Only a crash of the
    /// host may lose them. What one caller appended before it commits is there when the commit returns.
    async fn append(&self, organization: &OrganizationId, entries: Vec<(Key, Vec<u8>)>) -> Result<(), StorageError>;

    /// The organizations that a host may claim at `now` (milliseconds since the Unix epoch), those that
    /// have waited longest first, at most `limit`: see [`Schedule::is_due`]. Never reads all
    /// organizations: times have an index of their own.
    ///
    /// [`Schedule::is_due`]: super::schedule::Schedule::is_due
    async fn due(&self, now: u64, limit: usize) -> Result<Vec<OrganizationId>, StorageError>;

    /// When a host may claim the next organization, in milliseconds since the Unix epoch: `now` or
    /// earlier if it may claim one already. See [`Schedule::next`](super::schedule::Schedule::next).
    async fn next_due(&self, now: u64) -> Result<Option<u64>, StorageError>;

    /// Claims the organization for a host that is about to run its jobs; `None` if it is not due, most
    /// often because another host was faster. The claim's number is one that no commit and no other
    /// claim of the organization gets, and greater than those before. See
    /// [`Schedule::claim`](super::schedule::Schedule::claim).
    async fn claim(&self, organization: &OrganizationId, now: u64) -> Result<Option<Claim>, StorageError>;

    /// Makes the claim of this number last from `now` on; `None` if it is another host's by now. See
    /// [`Schedule::renew`](super::schedule::Schedule::renew).
    async fn renew(&self, organization: &OrganizationId, number: u64, now: u64) -> Result<Option<Claim>, StorageError>;

    /// Ends the claim of this number: the organization is due at `next`, or earlier if a commit has set
    /// an earlier time meanwhile. Returns whether the claim was still this one: another host's claim
    /// stays, and `next` counts all the same. Nothing happens if the organization was deleted. See
    /// [`Schedule::release`](super::schedule::Schedule::release).
    async fn release(
        &self,
        organization: &OrganizationId,
        number: u64,
        next: Option<u64>,
    ) -> Result<bool, StorageError>;

    /// Removes all that the organization has, its schedule included, for good: nothing is ever written for it again,
    /// whichever process tries. From the beginning of this call at the latest, [`Storage::commit`] and
    /// [`Storage::append`] are refused with [`StorageError::Deleted`]; what was appended before and waits is dropped.
    /// It need not be atomic otherwise: after an error, call it again. An organization of the same name and another
    /// generation keeps what it has.
    async fn delete_organization(&self, organization: &OrganizationId) -> Result<(), StorageError>;

    /// Whether [`Storage::delete_organization`] was called for the organization, in this process or another.
    async fn is_deleted(&self, organization: &OrganizationId) -> Result<bool, StorageError>;

    /// How much the organization keeps, for its quota: what was committed lately may be missing. It costs what a scan of
    /// all costs, and is asked seldom.
    async fn size(&self, organization: &OrganizationId) -> Result<Size, StorageError> {
        let mut size = Size::default();
        let mut start = Vec::new();
        loop {
            let range = KeyRange { start, end: LAST_KEY.to_vec() };
            let page = Page { range, reverse: false, skip: 0, limit: u32::MAX };
            let Some(scanned) = self.scan(organization, vec![page]).await?.into_iter().next() else { return Ok(size) };
            for Entry { key, value, .. } in &scanned.entries {
                size = size.plus(Size { bytes: (key.len() + value.len()) as u64, keys: 1 });
            }
            match scanned.entries.into_iter().next_back() {
                Some(last) if scanned.more => start = [last.key, vec![0]].concat(),
                _ => return Ok(size),
            }
        }
    }

    /// Takes out of the files what was deleted or replaced before, as far as the storage leaves anything in them: the host calls
    /// it in the background, some time after an organization was deleted or a person erased, and before it ends.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if others kept it from that: what is left goes in time, or with the next call.
    async fn scour(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Returns when everything appended before is durable. The host calls it when it shuts down.
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

    #[test]
    fn add_refuses_what_is_no_decimal_integer() {
        let add = BoundedAdd { key: b"n".to_vec(), delta: 1, min: None, max: None };
        for text in ["", "+1", " 1", "1.0", "x", "9223372036854775808"] {
            assert!(matches!(add.apply(Some(text.as_bytes())), Err(StorageError::Other(_))), "{text:?}");
        }
        assert_eq!(add.apply(Some(b"-1")), Ok(b"0".to_vec()));
        assert_eq!(add.apply(Some(b"9223372036854775807")), Err(StorageError::Limit(b"n".to_vec())));
    }
}
