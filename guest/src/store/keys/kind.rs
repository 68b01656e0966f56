//! Keys that members and teams have in common.

use super::parts::{below, fold, indexed, many, of_many};
use crate::capability::{Key, KeyRange};

/// Members or teams: they share a part of the key layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A member, the SCIM User: its keys begin with `user`.
    User,
    /// A team, the SCIM Group: its keys begin with `team`.
    Team,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Team => "team",
        }
    }

    /// A key of this kind: `{kind}{purpose}{name}`.
    fn key(self, purpose: &str, name: &str) -> Key {
        // A key is made many times in each request, and joining texts of known length is quicker than formatting them.
        [self.prefix(), purpose, name].concat().into_bytes()
    }

    /// `user/{id}`, `team/{id}`: the document, [`crate::store::MemberRecord`] or [`crate::store::TeamRecord`].
    pub fn document(self, id: &str) -> Key {
        self.key("/", id)
    }

    /// All documents. Ids are in the order of creation, except those that a backend has imported.
    pub fn documents(self) -> KeyRange {
        below(self.key("/", ""))
    }

    /// `user-touch/{id}`, `team-touch/{id}`: when a membership last changed, as text; absent before the first.
    pub fn touch(self, id: &str) -> Key {
        self.key("-touch/", id)
    }

    /// `user-listed/{id}`, `team-listed/{id}`: marks a member or a team that SCIM manages. The value is empty.
    pub fn listed(self, id: &str) -> Key {
        self.key("-listed/", id)
    }

    /// All members or teams that SCIM manages, in the order of the ids.
    pub fn all_listed(self) -> KeyRange {
        below(self.key("-listed/", ""))
    }

    /// `count/users`, `count/teams`: the counter of all members or teams.
    pub fn count(self) -> Key {
        ["count/", self.prefix(), "s"].concat().into_bytes()
    }

    /// `count/users-listed`, `count/teams-listed`: the counter of those that SCIM manages.
    pub fn count_listed(self) -> Key {
        ["count/", self.prefix(), "s-listed"].concat().into_bytes()
    }

    /// `user-name/{folded}`, `team-name/{folded}`: the id of the member or team with this unique name, a member's
    /// userName or a team's displayName.
    pub fn name(self, name: &str) -> Key {
        indexed(&[self.prefix(), "-name/"].concat(), &fold(name))
    }

    /// The names that begin with `prefix`, which is no longer than [`super::INDEXED_PREFIX`].
    pub fn names_from(self, prefix: &str) -> KeyRange {
        below(self.key("-name/", &fold(prefix)))
    }

    /// `user-external/{externalId}␀{id}`, `team-external/{externalId}␀{id}`: marks a member or a team that has this
    /// `externalId`. The value is empty.
    pub fn external_id(self, external_id: &str, id: &str) -> Key {
        of_many(indexed(&[self.prefix(), "-external/"].concat(), external_id), id)
    }

    /// The members or teams that have this `externalId`.
    pub fn external_ids(self, external_id: &str) -> KeyRange {
        many(indexed(&[self.prefix(), "-external/"].concat(), external_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_fits_into_a_key_and_keeps_its_prefix() {
        let long = "é".repeat(2_000);
        let key = Kind::User.name(&long);
        assert!(key.len() <= 512);
        let range = Kind::User.names_from(&"é".repeat(30));
        assert!(range.start <= key && key < range.end);
        assert_ne!(key, Kind::User.name(&format!("{long}x")));
    }

    #[test]
    fn a_name_is_found_in_any_case() {
        assert_eq!(Kind::User.name("ÄLICE@Example.com"), Kind::User.name("älice@example.COM"));
    }
}
