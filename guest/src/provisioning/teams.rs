//! Teams: this module commits what [`decide`](super::decide) has decided (rules P3 and P4).

use super::decide::{Change, TeamDecision, TeamRules};
use super::{Precondition, Provisioned, Refusal, write};
use crate::protocol::document::Document;
use crate::protocol::error::ScimError;
use crate::protocol::patch::{MemberChange, Patched};
use crate::sentence::Sentence;
use crate::store::{Batch, OrganizationRecord, Store, StoreError, Stored, TeamRecord};

/// The teams of an organization, as SCIM sees and changes them.
pub struct Teams<'c, 'h> {
    rules: TeamRules<'c, 'h>,
}

impl<'c, 'h> Teams<'c, 'h> {
    /// The teams of the organization. Clients see them at URLs that begin with `base_url`.
    pub fn new(store: &'c Store<'h>, organization: &'c OrganizationRecord, base_url: &'c str) -> Self {
        Self { rules: TeamRules { store, organization, base_url } }
    }

    /// Provisions a group: adopts the manual team with the same name, else adds a team.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn provision(&self, document: &Document, members: Vec<String>) -> Result<Provisioned<TeamRecord>, Refusal> {
        let members = [MemberChange::Add(members)];
        self.rules.store.transact(|| self.rules.post(document, &members)?.commit(self.rules.store))
    }

    /// Changes a team. `change` makes the new document and the changes of the members from the current document.
    ///
    /// # Errors
    /// [`Refusal`] says why not; it may come from `change`.
    pub fn update(
        &self,
        id: &str,
        precondition: Precondition<'_>,
        change: impl Fn(&Document) -> Result<Patched, ScimError>,
    ) -> Result<Provisioned<TeamRecord>, Refusal> {
        self.rules.store.transact(|| {
            let team = self.existing(id, precondition)?;
            let patch = change(&team.record.document)?;
            let decision = self.rules.change(team, patch.document, &patch.members, Sentence::AddressedById)?;
            decision.commit(self.rules.store)
        })
    }

    /// Deletes a team and its memberships. The members stay in the organization.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn delete(&self, id: &str, precondition: Precondition<'_>) -> Result<Provisioned<TeamRecord>, Refusal> {
        self.rules.store.transact(|| self.rules.delete(self.existing(id, precondition)?).commit(self.rules.store))
    }

    fn existing(&self, id: &str, precondition: Precondition<'_>) -> Result<Stored<TeamRecord>, Refusal> {
        super::existing(self.rules.store.team(id)?, "Group", id, precondition)
    }
}

impl TeamDecision {
    /// Commits the decision in one transaction.
    ///
    /// # Errors
    /// Those of the storage.
    pub(crate) fn commit(self, store: &Store) -> Result<Provisioned<TeamRecord>, Refusal> {
        let Self { old, change, mut moves, action, because } = self;
        let mut batch = Batch::new();
        let stored = match (old, change) {
            (Some(old), Change::Nothing) if !moves.any() => old,
            (Some(old), Change::Nothing) => {
                write::memberships(store, &mut batch, &old, &mut moves)?;
                let version = store.commit(batch)?;
                Stored { touch: Some((version, store.now())), ..old }
            }
            (Some(old), Change::Remove) => {
                write::team(store, &mut batch, Some(&old), None, &mut moves)?;
                store.commit(batch)?;
                old
            }
            (old, Change::Put(record)) => {
                write::team(store, &mut batch, old.as_ref(), Some(&record), &mut moves)?;
                let version = store.commit(batch)?;
                let touch = if moves.any() { Some((version, store.now())) } else { old.and_then(|old| old.touch) };
                Stored { record, version, touch }
            }
            (None, Change::Remove | Change::Nothing) => {
                return Err(StoreError::Broken("a decision about no team".into()).into());
            }
        };
        Ok(Provisioned { stored, action, because, left_out: moves.unknown.len() })
    }
}
