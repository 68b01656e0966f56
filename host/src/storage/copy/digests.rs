//! Digests of what was sent for each organization and of what arrived, to compare the two.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::{Copied, Head, Part, Sent};
use crate::capability::storage::{Entry, OrganizationId};

/// A digest of what was sent for each organization.
#[derive(Default)]
pub(super) struct Digests {
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

impl Digest {
    /// Facts that are equal if and only if the items are equal.
    fn facts(&self) -> (Option<Head>, u64, u64, [u8; 32]) {
        (self.head.clone(), self.items, self.bytes, self.hash.clone().finalize().into())
    }
}

impl Digests {
    pub(super) fn note(&mut self, sent: &Sent) {
        match sent {
            Sent::Organization(head) => {
                let name = (head.organization.as_str().to_owned(), head.organization.generation());
                // Version numbers that were given out after the last change are no data.
                let head = Head { version: 0, ..head.clone() };
                self.all.insert(name.clone(), Digest { head: Some(head), ..Digest::default() });
                self.current = Some(name);
            }
            Sent::Items(items) => {
                let Some(digest) = self.current.as_ref().and_then(|name| self.all.get_mut(name)) else { return };
                for Entry { key, value, version } in items {
                    digest.items += 1;
                    digest.bytes += (key.len() + value.len()) as u64;
                    // The lengths are hashed too, so that no byte of the key can be taken for a byte of the value.
                    for part in [key, value] {
                        digest.hash.update((part.len() as u64).to_be_bytes());
                        digest.hash.update(part);
                    }
                    digest.hash.update(version.to_be_bytes());
                }
            }
        }
    }

    /// The last noted organization, without its items.
    pub(super) fn last_without_items(&self) -> Self {
        let mut digests = Self::default();
        if let Some(name) = &self.current {
            let head = self.all.get(name).and_then(|digest| digest.head.clone());
            digests.all.insert(name.clone(), Digest { head, ..Digest::default() });
            digests.current = Some(name.clone());
        }
        digests
    }

    /// Whether both have noted the same items for the last noted organization.
    pub(super) fn has_the_same_last(&self, other: &Self) -> bool {
        let last = |digests: &Self| Some(digests.all.get(digests.current.as_ref()?)?.facts());
        last(self) == last(other)
    }

    /// The first organization of the part that differs between the two, or that only one of them has.
    pub(super) fn first_difference(&self, other: &Self, part: Part) -> Option<OrganizationId> {
        let all = self.all.iter().chain(&other.all);
        let of_part = all.filter_map(|(name, digest)| Some((name, &digest.head.as_ref()?.organization)));
        let mut different = of_part.filter(|(name, organization)| {
            part.has(organization) && self.all.get(*name).map(Digest::facts) != other.all.get(*name).map(Digest::facts)
        });
        different.next().map(|(_, organization)| organization.clone())
    }

    pub(super) fn sum(&self) -> Copied {
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
