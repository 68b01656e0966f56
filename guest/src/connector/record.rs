//! Changes of the connector's record: enabling, writing, and the form for the audit trail.

use insomnia_scim_contract::{Actor, IdentityProvider};
use serde_json::{Value, json};

use super::error::ConnectorError;
use super::requirements::unmet_requirements;
use crate::provisioning::events;
use crate::store::{Batch, ConnectorRecord, EventSubject, Store, StoreError};

/// Requires a valid name of an identity provider.
pub(super) fn check_provider(identity_provider: &IdentityProvider) -> Result<(), ConnectorError> {
    if identity_provider.name().trim().is_empty() || identity_provider.name().len() > 100 {
        return Err(ConnectorError::Invalid("the identity provider's name must have 1 to 100 characters".into()));
    }
    Ok(())
}

/// Enables the connector if all requirements are met. The caller then issues its token.
pub(super) fn begin(
    store: &Store,
    actor: &Actor,
    connector: &mut ConnectorRecord,
    identity_provider: &IdentityProvider,
) -> Result<(), ConnectorError> {
    let unmet = unmet_requirements(store, actor)?;
    if !unmet.is_empty() {
        return Err(ConnectorError::UnmetRequirements(unmet));
    }
    if connector.enabled {
        return Err(ConnectorError::Enabled);
    }
    connector.enabled = true;
    connector.identity_provider = Some(identity_provider.clone());
    connector.enabled_generation = connector.newest_generation().saturating_add(1);
    Ok(())
}

/// The connector as the audit trail shows it.
pub(super) fn shown(connector: &ConnectorRecord) -> Value {
    json!({
        "enabled": connector.enabled,
        "identityProvider": connector.identity_provider,
        "window": connector.window,
        "token": connector.token.as_ref().map(|token| json!({"generation": token.generation, "expires": token.expires})),
    })
}

/// Replaces the connector in the commit of the batch, if nobody has changed it since it was read. `before` is the
/// result of [`shown`] for the old connector.
pub(super) fn put(
    store: &Store,
    mut batch: Batch,
    seen: Option<u64>,
    before: Value,
    connector: &ConnectorRecord,
) -> Result<(), StoreError> {
    batch.put_connector(seen, connector)?;
    events::connector(store, &mut batch, connector)?;
    // The jobs then find out what is due, and when they must run next.
    batch.wake_at(store.now());
    store.note(EventSubject::only("connector"), Some(before), Some(shown(connector)));
    store.commit(batch).map(drop)
}
