//! Clients of the operator: one `client_id` for all organizations. Each organization consents for itself.
//!
//! An organization that has consented stores a record of the client. Its grants belong to that record, and it can
//! delete it. The operator manages the client's name, its redirection URIs and its secrets; the host passes them in
//! every call.

use insomnia_scim_contract::OperatorClient;

use crate::store::{ClientRecord, SecretRecord, Store, StoreError, Versioned};

/// The client with the operator's current data; `None` if it was the operator's and the operator has removed it.
pub(super) fn current(
    stored: Option<Versioned<ClientRecord>>,
    operator_clients: &[OperatorClient],
) -> Option<Versioned<ClientRecord>> {
    let mut stored = stored?;
    if stored.record.operator {
        let client = operator_clients.iter().find(|client| client.id == stored.record.id)?;
        stored.record =
            ClientRecord { created: stored.record.created, created_by: stored.record.created_by, ..described(client) };
    }
    Some(stored)
}

/// The client for which an organization is asked to consent: its own, or the operator's. Returned with the version of
/// the organization's record, if there is one.
///
/// # Errors
/// If the store can't answer.
pub(super) fn find(
    store: &Store,
    id: &str,
    operator_clients: &[OperatorClient],
) -> Result<Option<(Option<u64>, ClientRecord)>, StoreError> {
    Ok(match store.oauth_client(id)? {
        Some(stored) => current(Some(stored), operator_clients).map(|client| (Some(client.version), client.record)),
        None => operator_clients.iter().find(|client| client.id == id).map(|client| (None, described(client))),
    })
}

/// The record of an operator's client, with its current secrets, at most two.
fn described(client: &OperatorClient) -> ClientRecord {
    let mut secrets =
        client.secrets_sha256.iter().map(|sha256| SecretRecord { sha256: sha256.clone(), ..SecretRecord::default() });
    ClientRecord {
        id: client.id.clone(),
        name: client.name.clone(),
        authorization_code: true,
        redirect_uris: client.redirect_uris.clone(),
        secret: secrets.next(),
        previous_secret: secrets.next(),
        operator: true,
        ..ClientRecord::default()
    }
}
