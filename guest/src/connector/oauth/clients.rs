//! Registering OAuth clients.

use insomnia_scim_contract::{Actor, IssuedOAuthClient as IssuedClient, NewOAuthClient as NewClient, OAuthClient};

use super::issue::take_back;
use super::{DAY, SECOND, SECRET_PREFIX};
use crate::connector::ConnectorError;
use crate::connector::lifecycle::administrator;
use crate::secret::Token;
use crate::store::{Batch, ClientRecord, SecretRecord, Store, StoreError, keys};

/// How many clients an organization may have.
const MOST_CLIENTS: usize = 20;
/// How many redirection URIs a client may have.
const MOST_URIS: usize = 10;
/// The longest redirection URI, in bytes.
const LONGEST_URI: usize = 2_000;
/// The longest name, in bytes.
const LONGEST_NAME: usize = 200;
/// The longest that a replaced secret stays valid, in seconds.
pub(super) const LONGEST_OVERLAP: u32 = 86_400;

/// Registers a client.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn create(store: &Store, actor: impl Into<Actor>, new: &NewClient) -> Result<IssuedClient, ConnectorError> {
    let actor = actor.into();
    check(new)?;
    store.transact(|| {
        let created_by = administrator(store, &actor)?.name();
        if store.oauth_clients()?.len() >= MOST_CLIENTS {
            return Err(ConnectorError::Invalid(format!("an organization has {MOST_CLIENTS} clients at the most")));
        }
        let (secret, stored) = if new.public { (None, None) } else { new_secret(store) };
        let client = ClientRecord {
            id: store.new_id(),
            name: new.name.trim().to_owned(),
            client_credentials: new.client_credentials,
            authorization_code: new.authorization_code,
            redirect_uris: new.redirect_uris.clone(),
            secret: stored,
            previous_secret: None,
            created: store.now(),
            created_by,
        };
        let mut batch = Batch::new();
        batch.put_oauth_client(None, &client)?;
        store.commit(batch)?;
        Ok(IssuedClient { client: shown(client), secret })
    })
}

/// All clients, in the order of their registration.
///
/// # Errors
/// If the store can't answer.
pub fn list(store: &Store) -> Result<Vec<OAuthClient>, StoreError> {
    Ok(store.oauth_clients()?.into_iter().map(shown).collect())
}

/// A client without the hashes of its secrets.
fn shown(client: ClientRecord) -> OAuthClient {
    OAuthClient {
        public: client.secret.is_none(),
        secret_created: client.secret.as_ref().map(|secret| secret.created),
        overlap_until: client.previous_secret.as_ref().and_then(|secret| secret.expires),
        id: client.id,
        name: client.name,
        client_credentials: client.client_credentials,
        authorization_code: client.authorization_code,
        redirect_uris: client.redirect_uris,
        created: client.created,
    }
}

/// Gives a client a new secret. The old one stops at once, or after `overlap` seconds (at most 86,400); what was issued
/// with it stays valid.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn rotate_secret(
    store: &Store,
    actor: impl Into<Actor>,
    id: &str,
    overlap: u32,
) -> Result<IssuedClient, ConnectorError> {
    let actor = actor.into();
    if overlap > LONGEST_OVERLAP {
        return Err(ConnectorError::Invalid(format!("the overlap may last {LONGEST_OVERLAP} seconds at the most")));
    }
    store.transact(|| {
        administrator(store, &actor)?;
        let client = store.oauth_client(id)?.ok_or_else(|| no_such(id))?;
        let (seen, mut client) = (Some(client.version), client.record);
        if client.secret.is_none() {
            return Err(ConnectorError::Invalid("a public client has no secret".into()));
        }
        let (secret, stored) = new_secret(store);
        let until = store.now() + u64::from(overlap) * SECOND;
        client.previous_secret = client.secret.take().filter(|_| overlap > 0);
        if let Some(previous) = &mut client.previous_secret {
            previous.expires = Some(until);
        }
        client.secret = stored;
        let mut batch = Batch::new();
        batch.put_oauth_client(seen, &client)?;
        store.commit(batch)?;
        Ok(IssuedClient { client: shown(client), secret })
    })
}

/// Deletes a client with all that was granted and issued to it.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn delete(store: &Store, actor: impl Into<Actor>, id: &str) -> Result<(), ConnectorError> {
    let actor = actor.into();
    store.transact(|| {
        administrator(store, &actor)?;
        let client = store.oauth_client(id)?.ok_or_else(|| no_such(id))?;
        let mut batch = Batch::new();
        batch.require_unchanged(keys::oauth_client(id), Some(client.version));
        batch.delete(keys::oauth_client(id));
        if store.oauth_clients()?.iter().all(|other| other.id == id) {
            // Nobody comes with access tokens any more: the connector's token is what counts.
            batch.delete(keys::OAUTH_USED.to_vec());
        }
        // Whoever issues a token or a grant meanwhile changes one of these, so that none is overlooked.
        let live = store.oauth_live(id)?;
        batch.require_unchanged(keys::oauth_live(id), live.as_ref().map(|live| live.version));
        batch.delete(keys::oauth_live(id));
        for token in live.iter().flat_map(|live| &live.record.access) {
            batch.delete(keys::oauth_access(&token.sha256));
        }
        for (grant_id, grant) in store.oauth_grants(id)? {
            take_back(&mut batch, id, &grant_id, &grant);
        }
        for (sha256, code) in store.oauth_codes()? {
            if code.record.client == id {
                batch.delete(keys::oauth_code(&sha256));
            }
        }
        Ok(store.commit(batch).map(drop)?)
    })
}

/// Deletes what has expired of each client's own access tokens, and grants and codes that have ended.
///
/// # Errors
/// If the store can't answer.
pub(crate) fn sweep(store: &Store) -> Result<(), StoreError> {
    let now = store.now();
    for client in store.oauth_clients()? {
        store.transact(|| {
            let mut batch = Batch::new();
            if let Some(mut live) = store.oauth_live(&client.id)? {
                let (ended, alive) = live.record.access.into_iter().partition(|token| token.expires <= now);
                live.record.access = alive;
                let ended: Vec<crate::store::LiveToken> = ended;
                for token in &ended {
                    batch.delete(keys::oauth_access(&token.sha256));
                }
                if !ended.is_empty() {
                    batch.put_oauth_live(&client.id, Some(live.version), &live.record)?;
                }
            }
            for (id, grant) in store.oauth_grants(&client.id)? {
                if grant.record.expires <= now {
                    take_back(&mut batch, &client.id, &id, &grant);
                }
            }
            if batch.is_empty() { Ok(()) } else { store.commit(batch).map(drop) }
        })?;
    }
    let mut batch = Batch::new();
    for (sha256, code) in store.oauth_codes()? {
        if code.record.expires + DAY <= now {
            batch.delete(keys::oauth_code(&sha256));
        }
    }
    if batch.is_empty() { Ok(()) } else { store.commit(batch).map(drop) }
}

fn new_secret(store: &Store) -> (Option<String>, Option<SecretRecord>) {
    let secret = Token::of_kind(SECRET_PREFIX, store.random());
    let record = SecretRecord { sha256: secret.sha256(), created: store.now(), expires: None };
    (Some(secret.reveal()), Some(record))
}

fn no_such(id: &str) -> ConnectorError {
    ConnectorError::NotFound(format!("OAuth client '{id}'"))
}

fn check(new: &NewClient) -> Result<(), ConnectorError> {
    let invalid = |text: String| Err(ConnectorError::Invalid(text));
    if new.name.trim().is_empty() || new.name.len() > LONGEST_NAME {
        return invalid(format!("a client's name has 1 to {LONGEST_NAME} bytes"));
    }
    if !new.client_credentials && !new.authorization_code {
        return invalid("a client uses client credentials, authorization codes, or both".into());
    }
    if new.public && new.client_credentials {
        return invalid("a public client has no credentials of its own".into());
    }
    if new.authorization_code == new.redirect_uris.is_empty() || new.redirect_uris.len() > MOST_URIS {
        return invalid(format!(
            "authorization codes need 1 to {MOST_URIS} redirection URIs, and nothing else has any"
        ));
    }
    match new.redirect_uris.iter().find(|uri| !is_redirect_uri(uri)) {
        Some(uri) => invalid(format!("'{uri}' is not an absolute https: URI without a fragment")),
        None => Ok(()),
    }
}

/// RFC 6749 §3.1.2: absolute, without a fragment; and encrypted, but for a program on the same machine (RFC 8252 §7.3).
fn is_redirect_uri(uri: &str) -> bool {
    let visible =
        uri.len() <= LONGEST_URI && uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"#<>\"\\".contains(&byte));
    visible && crate::url::is_acceptable(uri)
}
