//! Who may administer the organization: its active owners and co-owners, and the operator of the host.

use insomnia_scim_contract::Actor;

use crate::store::{MemberRecord, Role, Store, StoreError, Stored, keys};

/// How an actor's right to administer was decided.
pub enum Administrator {
    /// An active owner or co-owner.
    Member(Box<Stored<MemberRecord>>),
    /// The operator of the host.
    Operator,
}

impl Administrator {
    /// How records name the administrator: the member's id, or `operator`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Member(member) => member.record.id().to_owned(),
            Self::Operator => "operator".to_owned(),
        }
    }
}

/// The actor as an administrator; `None` if the actor may not administer the organization.
///
/// # Errors
/// As the storage has them.
pub fn administrator(store: &Store, actor: &Actor) -> Result<Option<Administrator>, StoreError> {
    let member = match actor {
        Actor::Operator => return Ok(Some(Administrator::Operator)),
        Actor::Owner => active_owner(store)?,
        Actor::Member(member) => store.find_member(member)?,
    };
    Ok(member.filter(|member| is_administrator(&member.record)).map(|member| Administrator::Member(Box::new(member))))
}

/// Whether the member may administer the organization.
#[must_use]
pub fn is_administrator(member: &MemberRecord) -> bool {
    member.is_active() && member.role != Role::Member
}

/// An active owner; `None` if there is none.
///
/// # Errors
/// As the storage has them.
pub fn active_owner(store: &Store) -> Result<Option<Stored<MemberRecord>>, StoreError> {
    let mut owner = None;
    store.scan_all(keys::administrators(), |entry| {
        let member = keys::id_of(&entry.key).map(|id| store.member(&id)).transpose()?.flatten();
        owner = member.filter(|member| member.record.is_active() && member.record.role == Role::Owner);
        Ok(owner.is_none())
    })?;
    Ok(owner)
}
