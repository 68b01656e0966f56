//! Registers and manages OAuth clients.

use insomnia_scim_contract::{
    Actor, ClientAssertion, IssuedOAuthClient as IssuedClient, NewOAuthClient as NewClient, OAuthClient, SecretWindow,
};

use super::issue::{access_minutes, take_back};
use super::{ACCESS_MINUTES, DAY, SECOND, SECRET_PREFIX};
use crate::connector::ConnectorError;
use crate::connector::actor::administrator;
use crate::secret::Token;
use crate::store::{Batch, ClientRecord, KeySetRecord, SecretRecord, Store, StoreError, keys};

/// How many clients an organization may have.
const MOST_CLIENTS: usize = 20;
/// How many redirection URIs a client may have.
const MOST_URIS: usize = 10;
/// The longest redirection URI, in bytes.
const LONGEST_URI: usize = 2_000;
/// The longest name, in bytes.
const LONGEST_NAME: usize = 200;
/// The longest issuer, subject, audience or URL of a client assertion, in bytes.
const LONGEST_CLAIM: usize = 2_000;
/// The longest time that a replaced secret stays valid, in seconds: 90 days, so that the identity provider's
/// administrator has time to enter the new one.
pub(super) const LONGEST_OVERLAP: u32 = 90 * 86_400;

/// Registers a client.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn create(store: &Store, actor: impl Into<Actor>, new: &NewClient) -> Result<IssuedClient, ConnectorError> {
    let actor = actor.into();
    check(new)?;
    store.transact(|| {
        let created_by = administrator(store, &actor)?.name();
        if store.oauth_clients()?.iter().filter(|client| !client.operator).count() >= MOST_CLIENTS {
            return Err(ConnectorError::Invalid(format!("an organization has {MOST_CLIENTS} clients at the most")));
        }
        let has_secret = !new.public && new.assertion.is_none();
        let (secret, stored) = if has_secret { new_secret(store, new.secret_window) } else { (None, None) };
        let client = ClientRecord {
            id: store.new_id(),
            name: new.name.trim().to_owned(),
            client_credentials: new.client_credentials,
            authorization_code: new.authorization_code,
            redirect_uris: new.redirect_uris.clone(),
            secret: stored,
            previous_secret: None,
            secret_window: has_secret.then_some(new.secret_window),
            assertion: new.assertion.clone(),
            access_minutes: new.access_token_minutes,
            operator: false,
            created: store.now(),
            created_by,
        };
        let mut batch = Batch::new();
        batch.put_oauth_client(None, &client)?;
        // The jobs then plan the warning about the secret's expiry.
        batch.wake_at(store.now());
        store.commit(batch)?;
        Ok(IssuedClient { client: shown(client, None), secret })
    })
}

/// All clients, in the order of their registration.
///
/// # Errors
/// If the store can't answer.
pub fn list(store: &Store) -> Result<Vec<OAuthClient>, StoreError> {
    let clients = store.oauth_clients()?.into_iter();
    let with_keys = |client: ClientRecord| {
        let keys = if client.assertion.is_some() { store.oauth_keys(&client.id)? } else { None };
        Ok(shown(client, keys.map(|keys| keys.record)))
    };
    clients.map(with_keys).collect()
}

/// A client in the form in which it is shown, without the hashes of its secrets.
fn shown(client: ClientRecord, keys: Option<KeySetRecord>) -> OAuthClient {
    let (keys_fetched, keys_problem) = keys.map_or((None, None), |keys| (keys.fetched, keys.problem));
    OAuthClient {
        public: client.is_public(),
        operator: client.operator,
        secret_created: client.secret.as_ref().map(|secret| secret.created),
        secret_expires: client.secret.as_ref().and_then(|secret| secret.expires),
        overlap_until: client.previous_secret.as_ref().and_then(|secret| secret.expires),
        access_token_minutes: access_minutes(&client),
        keys_fetched,
        keys_problem,
        assertion: client.assertion,
        id: client.id,
        name: client.name,
        client_credentials: client.client_credentials,
        authorization_code: client.authorization_code,
        redirect_uris: client.redirect_uris,
        created: client.created,
    }
}

/// Gives a client a new secret, which is valid for `window`, or for the time that was chosen before. The old secret
/// becomes invalid at once, or after `overlap` seconds (at most 7,776,000), and never later than it would have expired
/// anyway. Tokens that were issued with it stay valid.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn rotate_secret(
    store: &Store,
    actor: impl Into<Actor>,
    id: &str,
    window: Option<SecretWindow>,
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
        if client.operator {
            return Err(ConnectorError::Invalid("the operator gives this client its secret".into()));
        }
        if client.secret.is_none() {
            return Err(ConnectorError::Invalid("this client has no secret".into()));
        }
        let window = window.or(client.secret_window).unwrap_or(SecretWindow::Never);
        let (secret, stored) = new_secret(store, window);
        let until = store.now() + u64::from(overlap) * SECOND;
        client.previous_secret = client.secret.take().filter(|_| overlap > 0);
        if let Some(previous) = &mut client.previous_secret {
            previous.expires = Some(previous.expires.map_or(until, |expires| expires.min(until)));
        }
        client.secret = stored;
        client.secret_window = Some(window);
        let mut batch = Batch::new();
        batch.put_oauth_client(seen, &client)?;
        batch.wake_at(store.now());
        store.commit(batch)?;
        Ok(IssuedClient { client: shown(client, None), secret })
    })
}

/// Deletes a client with all its grants and tokens.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn delete(store: &Store, actor: impl Into<Actor>, id: &str) -> Result<(), ConnectorError> {
    let actor = actor.into();
    store.transact(|| {
        administrator(store, &actor)?;
        let client = store.oauth_client(id)?.ok_or_else(|| no_such(id))?;
        let mut batch = Batch::new();
        batch.remove(keys::oauth_client(id), Some(client.version));
        batch.delete(keys::oauth_keys(id));
        if store.oauth_clients()?.iter().all(|other| other.id == id) {
            // No client uses access tokens any more, so the expiry of the connector's token matters again.
            batch.delete(keys::OAUTH_USED.to_vec());
        }
        // Issuing a token or a grant changes one of these keys. A concurrent one therefore makes this commit fail, so
        // that none is overlooked.
        let live = store.oauth_live(id)?;
        batch.remove(keys::oauth_live(id), live.as_ref().map(|live| live.version));
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

/// Deletes expired access tokens that clients got for themselves, and grants and codes that have ended.
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

fn new_secret(store: &Store, window: SecretWindow) -> (Option<String>, Option<SecretRecord>) {
    let secret = Token::of_kind(SECRET_PREFIX, store.random());
    let expires = window.days().map(|days| store.now() + u64::from(days) * DAY);
    let record = SecretRecord { sha256: secret.sha256(), created: store.now(), expires, ..SecretRecord::default() };
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
    if let Some(assertion) = &new.assertion {
        check_assertion(new, assertion)?;
    }
    if new.access_token_minutes.is_some_and(|minutes| !ACCESS_MINUTES.contains(&minutes)) {
        return invalid("access tokens are valid for 60 to 360 minutes".into());
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

/// Checks the values with which the client's JWTs will be verified.
fn check_assertion(new: &NewClient, assertion: &ClientAssertion) -> Result<(), ConnectorError> {
    let ClientAssertion { issuer, subject, audience, jwks_url } = assertion;
    if new.public {
        return Err(ConnectorError::Invalid("a public client has no credentials of its own".into()));
    }
    for (name, claim) in [("issuer", issuer), ("subject", subject), ("audience", audience)] {
        let is_usable =
            |claim: &String| !claim.is_empty() && claim.len() <= LONGEST_CLAIM && !claim.chars().any(char::is_control);
        if !claim.as_ref().is_none_or(is_usable) {
            return Err(ConnectorError::Invalid(format!("the {name} has 1 to {LONGEST_CLAIM} bytes")));
        }
    }
    if !is_plain(jwks_url) || !crate::url::is_acceptable(jwks_url) {
        return Err(ConnectorError::Invalid(
            "the URL of the key set is an absolute https: URL without a fragment".into(),
        ));
    }
    Ok(())
}

/// Okta's own test environment. Okta uses this unencrypted redirection URI when it reviews an integration.
const OKTA_TEST: &str = "http://system-admin.okta1.com:1802/";

/// Whether codes may be sent to this URI. It must be absolute without a fragment (RFC 6749 §3.1.2). It must be
/// encrypted, except for a program on the same machine (RFC 8252 §7.3) and for Okta's test environment.
pub(super) fn is_redirect_uri(uri: &str) -> bool {
    is_plain(uri) && (crate::url::is_acceptable(uri) || uri.starts_with(OKTA_TEST))
}

/// Whether a URL has no fragment and only characters that are allowed in a URL.
fn is_plain(uri: &str) -> bool {
    uri.len() <= LONGEST_URI && uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"#<>\"\\".contains(&byte))
}
