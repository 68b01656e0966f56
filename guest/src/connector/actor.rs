//! The actor of an act on the connector: an administrator, who must prove it for some acts.

use insomnia_scim_contract::Actor;

use super::error::ConnectorError;
use crate::provisioning::administrators::{self, Administrator};
use crate::provisioning::passphrase;
use crate::store::Store;

/// The actor, who must be an administrator.
pub(super) fn administrator(store: &Store, actor: &Actor) -> Result<Administrator, ConnectorError> {
    match administrators::administrator(store, actor)? {
        Some(administrator) => Ok(administrator),
        None if *actor == Actor::Owner => Err(ConnectorError::NoOwner),
        None => Err(ConnectorError::Forbidden),
    }
}

/// Requires a proof that an administrator acts: a member gives the passphrase; the operator needs none.
pub(super) fn prove(store: &Store, actor: &Actor, given: Option<&str>) -> Result<(), ConnectorError> {
    if let Administrator::Member(member) = administrator(store, actor)? {
        let given = given.ok_or_else(|| ConnectorError::Invalid("the actor's passphrase is needed".into()))?;
        passphrase::confirm(store, member.record.id(), given)?;
    }
    Ok(())
}
