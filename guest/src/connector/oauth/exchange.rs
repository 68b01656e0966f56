//! The token endpoint (RFC 6749 §3.2): exchanges a client's credentials, code or refresh token for tokens.

use insomnia_scim_contract::{OAuthRequest, OAuthResponse, lasts};

use super::answer::{self, Code, OAuthError};
use super::form::Form;
use super::issue::{Holder, RefreshToken, access_token, granted, take_back};
use super::{CODE_LIFE, CODE_PREFIX, GRANT_LIFE, SCOPE, credentials, pkce};
use crate::capability::Host;
use crate::secret::{Token, sha256};
use crate::store::{Batch, ClientRecord, CodeRecord, ConnectorRecord, GrantRecord, Store, Versioned, keys};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

/// How many access tokens for itself a client may have at a time.
const CLIENT_ACCESS: usize = 256;
/// How many access tokens a grant may have at a time.
const GRANT_ACCESS: usize = 16;
/// How many grants a client may have. One more makes the oldest one end.
const CLIENT_GRANTS: usize = 100;

type Granted = Result<Map<String, Value>, OAuthError>;

/// Serves a request to the token endpoint. It may have to fetch the client's key set.
#[must_use]
pub fn token(host: Host<'_>, request: &OAuthRequest) -> OAuthResponse {
    let store = &host.store();
    // Each attempt reads the client again, because it may have been deleted meanwhile.
    let served = store.transact(|| {
        let (form, client) = credentials::read(host, store, request)?;
        grant(store, &form, &client)
    });
    served.map_or_else(Into::into, answer::object)
}

fn grant(store: &Store, form: &Form, client: &Versioned<ClientRecord>) -> Granted {
    let missing = OAuthError::Refused(Code::InvalidRequest, "The parameter grant_type is missing");
    let grant_type = form.get("grant_type").ok_or(missing)?;
    let allowed = match grant_type {
        "client_credentials" => client.record.client_credentials,
        "authorization_code" | "refresh_token" => client.record.authorization_code,
        _ => {
            return Err(OAuthError::Refused(
                Code::UnsupportedGrantType,
                "The grant type must be client_credentials, authorization_code or refresh_token",
            ));
        }
    };
    if !allowed {
        return Err(OAuthError::Refused(Code::UnauthorizedClient, "The client may not use this grant type"));
    }
    if form.get("scope").is_some_and(|scope| !is_known_scope(scope)) {
        return Err(OAuthError::Refused(Code::InvalidScope, "The only scope is scim"));
    }
    let connector = store.connector()?.map(|stored| stored.record).filter(|connector| connector.enabled);
    let disabled = OAuthError::Refused(Code::UnauthorizedClient, "SCIM is disabled for this organization");
    let connector = connector.ok_or(disabled)?;
    match grant_type {
        "client_credentials" => of_client(store, client, newest(&connector)),
        "authorization_code" => of_code(store, form, client, &connector),
        _ => of_refresh_token(store, form, client, &connector),
    }
}

/// The generation of the connector's token when new tokens are issued.
fn newest(connector: &ConnectorRecord) -> u32 {
    connector.token.as_ref().map_or(0, |token| token.generation)
}

/// Whether the client asks for no scope except the only one that exists (RFC 6749 §3.3).
pub(super) fn is_known_scope(scope: &str) -> bool {
    scope.split(' ').all(|scope| scope == SCOPE)
}

/// A batch that fails if the client is changed or deleted meanwhile.
fn batch_for(client: &Versioned<ClientRecord>) -> Batch {
    let mut batch = Batch::new();
    batch.require_unchanged(keys::oauth_client(&client.record.id), Some(client.version));
    batch
}

/// Serves the client credentials grant (RFC 6749 §4.4).
fn of_client(store: &Store, client: &Versioned<ClientRecord>, generation: u32) -> Granted {
    let id = &client.record.id;
    let (seen, mut live) = Versioned::or_default(store.oauth_live(id)?);
    let mut batch = batch_for(client);
    let holder = Holder { client: &client.record, grant: None, generation, most: CLIENT_ACCESS };
    let access = access_token(store, &mut batch, &mut live.access, &holder)?;
    batch.put_oauth_live(id, seen, &live)?;
    store.commit(batch)?;
    Ok(granted(&client.record, access, None))
}

/// Serves the authorization code grant (RFC 6749 §4.1.3).
fn of_code(store: &Store, form: &Form, client: &Versioned<ClientRecord>, connector: &ConnectorRecord) -> Granted {
    const WRONG: OAuthError = OAuthError::Refused(
        Code::InvalidGrant,
        "The code is not valid: it is unknown, expired or used, or belongs \
            to another client",
    );
    let missing = OAuthError::Refused(Code::InvalidRequest, "The parameter code is missing");
    let presented = form.get("code").ok_or(missing)?;
    if !Token::is_of_kind(CODE_PREFIX, presented) {
        return Err(WRONG);
    }
    let sha256 = sha256(presented);
    let code = store.oauth_code(&sha256)?.filter(|code| code.record.client == client.record.id).ok_or(WRONG)?;
    if let Some(grant) = &code.record.grant {
        revoke_grant(store, &client.record.id, grant)?;
        return Err(WRONG);
    }
    // A code that was issued before SCIM was disabled and enabled again is invalid (rule P1).
    if !lasts(code.record.expires, store.now(), CODE_LIFE) || code.record.generation < connector.enabled_generation {
        return Err(WRONG);
    }
    check_code(form, &client.record, &code.record)?;

    let id = &client.record.id;
    let (refresh, text) = RefreshToken::first(store).ok_or(WRONG)?;
    let mut batch = batch_for(client);
    let mut grant = GrantRecord {
        granted_by: code.record.granted_by.clone(),
        refresh_sha256: refresh.sha256,
        rotation: 1,
        created: store.now(),
        expires: store.now() + GRANT_LIFE,
        generation: code.record.generation,
        access: Vec::new(),
    };
    let generation = newest(connector);
    let holder = Holder { client: &client.record, grant: Some(&refresh.grant), generation, most: GRANT_ACCESS };
    let access = access_token(store, &mut batch, &mut grant.access, &holder)?;
    batch.put_oauth_grant(id, &refresh.grant, None, &grant)?;
    let used = CodeRecord { grant: Some(refresh.grant.clone()), ..code.record };
    batch.put_oauth_code(&sha256, Some(code.version), &used)?;
    // The record is written again unchanged: a request that deletes the client at the same time then fails and sees the
    // new grant.
    let live = store.oauth_live(id)?;
    batch.put_oauth_live(
        id,
        live.as_ref().map(|live| live.version),
        &live.map(|live| live.record).unwrap_or_default(),
    )?;
    make_room(store, &mut batch, id)?;
    store.commit(batch)?;
    Ok(granted(&client.record, access, Some(text)))
}

/// Compares the redirection URI and the code verifier with those of the authorization request.
fn check_code(form: &Form, client: &ClientRecord, code: &CodeRecord) -> Result<(), OAuthError> {
    let same_place = match (&code.redirect_uri, form.get("redirect_uri")) {
        (Some(asked), given) => given == Some(asked.as_str()),
        // If the authorization request had no URI, this request needs none either; if it has one, it must be a
        // registered one.
        (None, given) => given.is_none_or(|given| client.redirect_uris.iter().any(|uri| uri == given)),
    };
    if !same_place {
        return Err(OAuthError::Refused(
            Code::InvalidGrant,
            "The redirect_uri is not that of the authorization request",
        ));
    }
    let verified = match (&code.challenge, form.get("code_verifier")) {
        (Some(challenge), Some(verifier)) => pkce::verify(challenge, verifier),
        (Some(_), None) => false,
        (None, None) => true,
        // An attacker has removed the challenge from the authorization request (RFC 9700 §2.1.1), or there never was
        // one.
        (None, Some(_)) => {
            let text = "There is a code_verifier, but the authorization request had no code_challenge";
            return Err(OAuthError::Refused(Code::InvalidGrant, text));
        }
    };
    if !verified {
        return Err(OAuthError::Refused(Code::InvalidGrant, "The code_verifier is not that of the code_challenge"));
    }
    Ok(())
}

/// Deletes grants that have ended, and the oldest ones if there are too many.
fn make_room(store: &Store, batch: &mut Batch, client: &str) -> Result<(), OAuthError> {
    let mut grants = store.oauth_grants(client)?;
    grants.sort_by_key(|(_, grant)| grant.record.created);
    let over = (grants.len() + 1).saturating_sub(CLIENT_GRANTS);
    for (index, (id, grant)) in grants.iter().enumerate() {
        if index < over || grant.record.expires <= store.now() {
            take_back(batch, client, id, grant);
        }
    }
    Ok(())
}

/// Serves a refresh token, and replaces it by a new one (RFC 6749 §6, RFC 9700 §4.14).
fn of_refresh_token(
    store: &Store,
    form: &Form,
    client: &Versioned<ClientRecord>,
    connector: &ConnectorRecord,
) -> Granted {
    const WRONG: OAuthError = OAuthError::Refused(
        Code::InvalidGrant,
        "The refresh token is not valid: it is unknown, expired, revoked or used",
    );
    let missing = OAuthError::Refused(Code::InvalidRequest, "The parameter refresh_token is missing");
    let presented = RefreshToken::parse(form.get("refresh_token").ok_or(missing)?).ok_or(WRONG)?;
    let id = &client.record.id;
    let mut grant = store.oauth_grant(id, &presented.grant)?.ok_or(WRONG)?;
    let is_current: bool = grant.record.refresh_sha256.as_bytes().ct_eq(presented.sha256.as_bytes()).into();
    // A grant from before SCIM was disabled and enabled again is invalid (rule P1).
    let is_outdated = grant.record.generation < connector.enabled_generation;
    if !is_current || is_outdated || grant.record.expires <= store.now() {
        // The token was used before. One of its two users has stolen it, and the server can't know which, so it revokes
        // the whole family.
        revoke_grant(store, id, &presented.grant)?;
        return Err(WRONG);
    }
    let (next, text) = presented.next(store).ok_or(WRONG)?;
    let mut batch = batch_for(client);
    grant.record.refresh_sha256 = next.sha256;
    grant.record.rotation += 1;
    grant.record.expires = store.now() + GRANT_LIFE;
    let generation = newest(connector);
    let holder = Holder { client: &client.record, grant: Some(&presented.grant), generation, most: GRANT_ACCESS };
    let access = access_token(store, &mut batch, &mut grant.record.access, &holder)?;
    batch.put_oauth_grant(id, &presented.grant, Some(grant.version), &grant.record)?;
    store.commit(batch)?;
    Ok(granted(&client.record, access, Some(text)))
}

/// Ends a grant with all its tokens. Nothing happens if it has ended already.
pub(super) fn revoke_grant(store: &Store, client: &str, id: &str) -> Result<(), OAuthError> {
    let Some(grant) = store.oauth_grant(client, id)? else { return Ok(()) };
    let mut batch = Batch::new();
    take_back(&mut batch, client, id, &grant);
    store.commit(batch)?;
    Ok(())
}
