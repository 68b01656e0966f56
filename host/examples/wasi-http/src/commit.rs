//! A commit as a file.

use std::collections::BTreeMap;

use insomnia_scim_contract::Key;

use crate::bytes::{CHECKSUM, Reader, checked, checksum, put_key};
use crate::files::Fault;
use crate::times::Times;

const MAGIC: &[u8] = b"insm-c1\n";
/// The length that means no value.
const ABSENT: u32 = u32::MAX;

/// A commit: the changes, and the times after it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    /// The version of everything that it put.
    pub(crate) version: u64,
    /// Whether the next commit belongs to the next epoch.
    pub(crate) is_last: bool,
    /// The times after it.
    pub(crate) times: Times,
    /// The keys with their values; a key without one is removed.
    pub(crate) changes: BTreeMap<Key, Option<Vec<u8>>>,
}

impl Commit {
    /// The length of the file.
    pub(crate) fn size(&self) -> usize {
        let change = |(key, value): (&Key, &Option<Vec<u8>>)| 6 + key.len() + value.as_ref().map_or(0, Vec::len);
        MAGIC.len() + 1 + 8 + 25 + 4 + CHECKSUM + self.changes.iter().map(change).sum::<usize>()
    }

    /// The content of the file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size());
        out.extend_from_slice(MAGIC);
        out.push(u8::from(self.is_last));
        out.extend_from_slice(&self.version.to_le_bytes());
        self.times.put(&mut out);
        // A commit has at most 650,000 changes, but the removal of a range may concern any number of keys.
        out.extend_from_slice(&u32::try_from(self.changes.len()).unwrap_or(u32::MAX).to_le_bytes());
        for (key, value) in &self.changes {
            put_key(&mut out, key);
            let length = value.as_ref().map_or(ABSENT, |value| u32::try_from(value.len()).unwrap_or(ABSENT));
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(value.as_deref().unwrap_or_default());
        }
        let sum = checksum(&out);
        out.extend_from_slice(&sum);
        out
    }

    /// Reads what [`Commit::encode`] wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        let mut reader = Reader(checked(bytes)?);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(Fault::Damaged("it is no commit"));
        }
        let (is_last, version) = (reader.byte()? != 0, reader.number()?);
        let times = Times::take(&mut reader)?;
        let mut changes = BTreeMap::new();
        for _ in 0..reader.small()? {
            let key = reader.key()?.to_vec();
            let value = match reader.small()? {
                ABSENT => None,
                length => Some(reader.take(usize::try_from(length).unwrap_or(usize::MAX))?.to_vec()),
            };
            changes.insert(key, value);
        }
        Ok(Self { version, is_last, times, changes })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

    use super::*;
    use crate::times::Claim;

    #[test]
    fn a_commit_is_read_as_it_was_written_and_not_at_all_once_a_byte_is_another() {
        let commit = Commit {
            version: 7,
            is_last: true,
            times: Times { wake_at: Some(0), claim: Some(Claim { number: 3, until: u64::MAX }) },
            changes: [(b"a".to_vec(), Some(Vec::new())), (b"b".to_vec(), None), (vec![0; 512], Some(vec![1; 900]))]
                .into(),
        };
        let bytes = commit.encode();
        assert_eq!(bytes.len(), commit.size());
        assert_eq!(Commit::decode(&bytes).unwrap(), commit);
        for at in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(Commit::decode(&damaged).is_err(), "byte {at}");
            assert!(Commit::decode(&bytes[..at]).is_err(), "{at} bytes");
        }
    }
}
