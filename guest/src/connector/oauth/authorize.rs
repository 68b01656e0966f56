//! The authorization endpoint (RFC 6749 §4.1.1): checks the request, and sends the client the owner's decision.

use insomnia_scim_contract::{Actor, AuthorizeRefusal, Consent, OperatorClient, PageError};

use super::consent::{Asked, CONSENT_LIFE, redirect};
use super::exchange::is_known_scope;
use super::form::{Form, FormError};
use super::{CODE_LIFE, CODE_PREFIX, DAY, SCOPE, operator, pkce};
use crate::connector::ConnectorError;
use crate::connector::actor::administrator;
use crate::opaque::OpaqueKey;
use crate::secret::Token;
use crate::store::{Batch, ClientRecord, CodeRecord, Store, StoreError, keys};

/// The longest `state`, in bytes.
const LONGEST_STATE: usize = 2_048;

/// Checks an authorization request, given its query string. It comes from a client of the organization or of the
/// operator.
///
/// # Errors
/// [`AuthorizeRefusal`] says what to answer instead of a consent page.
pub fn authorize_request(
    store: &Store,
    query: &str,
    operator_clients: &[OperatorClient],
) -> Result<Consent, AuthorizeRefusal> {
    let page = |description: &str| refuse_to_send("invalid_request", description);
    let form = Form::parse(query).map_err(|error| match error {
        FormError::Unreadable => page("The request is too large."),
        FormError::Repeated => page("A parameter of the request occurs twice."),
    })?;
    let id = form.get("client_id").ok_or(page("The request names no client (client_id)."))?;
    let Some((_, client)) = operator::find(store, id, operator_clients).map_err(unavailable)? else {
        let description = "The client (client_id) is not registered with this organization.";
        return Err(refuse_to_send("invalid_client", description));
    };
    let named = form.get("redirect_uri");
    let redirect_uri = match (named, client.redirect_uris.as_slice()) {
        (Some(named), registered) if registered.iter().any(|uri| uri == named) => named,
        (None, [only]) => only.as_str(),
        _ => return Err(page("The redirection URI (redirect_uri) is not one of those registered for the client.")),
    };
    let state = form.get("state");
    let refuse = |error: &str, description: &str| {
        let parameters = [("error", error), ("error_description", description)];
        AuthorizeRefusal::Redirect(redirect(redirect_uri, state, &parameters))
    };
    if state.is_some_and(|state| state.len() > LONGEST_STATE) {
        return Err(page("The state is too long."));
    }
    let challenge = check(&form, &client).map_err(|(error, description)| refuse(error, description))?;
    if !store.is_enabled().map_err(unavailable)? {
        return Err(refuse("unauthorized_client", "SCIM is disabled for this organization"));
    }
    let asked = Asked {
        client: client.id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        named: named.is_some(),
        state: state.map(str::to_owned),
        challenge,
        expires: store.now() + CONSENT_LIFE,
    };
    let key = store.opaque_key().map_err(unavailable)?;
    let request = asked.seal(&key, store.random()).ok_or(refuse("server_error", "An internal error occurred"))?;
    Ok(Consent {
        client_id: client.id,
        client_name: client.name,
        redirect_uri: asked.redirect_uri,
        scope: SCOPE.to_owned(),
        request,
    })
}

/// An error that this server shows itself, because the browser must not be sent to the redirection URI of such a
/// request (RFC 6749 §4.1.2.1).
fn refuse_to_send(code: &str, description: &str) -> AuthorizeRefusal {
    AuthorizeRefusal::Page(PageError { code: code.to_owned(), description: description.to_owned() })
}

fn unavailable(error: StoreError) -> AuthorizeRefusal {
    AuthorizeRefusal::Unavailable(error.to_string())
}

/// Checks the parameters whose errors are reported to the client, and returns the challenge.
fn check(form: &Form, client: &ClientRecord) -> Result<Option<String>, (&'static str, &'static str)> {
    if !client.authorization_code {
        return Err(("unauthorized_client", "The client may not use authorization codes"));
    }
    match form.get("response_type") {
        Some("code") => {}
        None => return Err(("invalid_request", "The parameter response_type is missing")),
        Some(_) => return Err(("unsupported_response_type", "The only response_type is code")),
    }
    if form.get("scope").is_some_and(|scope| !is_known_scope(scope)) {
        return Err(("invalid_scope", "The only scope is scim"));
    }
    match (form.get("code_challenge"), form.get("code_challenge_method")) {
        (Some(challenge), Some("S256")) if pkce::is_well_formed(challenge) => Ok(Some(challenge.to_owned())),
        (Some(_), Some("S256")) => Err(("invalid_request", "The code_challenge is not a SHA-256 in base64url")),
        // Without a method it means "plain" (RFC 7636 §4.3), which gives no protection against an attacker who can see
        // the request.
        (Some(_), _) => Err(("invalid_request", "The only code_challenge_method is S256")),
        (None, Some(_)) => Err(("invalid_request", "The parameter code_challenge is missing")),
        (None, None) if client.is_public() => {
            Err(("invalid_request", "A public client must send a code_challenge (PKCE)"))
        }
        (None, None) => Ok(None),
    }
}

/// Approves the request for an owner or a co-owner; returns the redirection that brings the client its code. If the
/// client is the operator's, it is now also registered with this organization, which can delete it again.
///
/// # Errors
/// [`ConnectorError::Forbidden`]; [`ConnectorError::Invalid`] if the request is too old.
pub fn approve(
    store: &Store,
    actor: impl Into<Actor>,
    request: &str,
    operator_clients: &[OperatorClient],
) -> Result<String, ConnectorError> {
    let actor = actor.into();
    let key = store.opaque_key()?;
    store.transact(|| {
        let granted_by = administrator(store, &actor)?.name();
        let asked = verify(store, &key, request)?;
        let found = operator::find(store, &asked.client, operator_clients)?
            .filter(|(_, client)| client.authorization_code && client.redirect_uris.contains(&asked.redirect_uri));
        let (seen, client) = found.ok_or(ConnectorError::Invalid("the client is not registered any more".into()))?;
        let connector = store.connector()?.map(|stored| stored.record).filter(|connector| connector.enabled);
        let token = connector.ok_or(ConnectorError::Disabled)?.token;
        let code = Token::of_kind(CODE_PREFIX, store.random());
        let mut batch = Batch::new();
        if seen.is_none() {
            // Nothing that the operator can change is stored here, in particular not the secrets.
            let agreed = ClientRecord {
                secret: None,
                previous_secret: None,
                created: store.now(),
                created_by: granted_by.clone(),
                ..client
            };
            batch.put_oauth_client(None, &agreed)?;
        } else {
            batch.require_unchanged(keys::oauth_client(&client.id), seen);
        }
        let record = CodeRecord {
            client: asked.client.clone(),
            redirect_uri: asked.named.then(|| asked.redirect_uri.clone()),
            challenge: asked.challenge.clone(),
            granted_by,
            generation: token.map_or(0, |token| token.generation),
            expires: store.now() + CODE_LIFE,
            grant: None,
        };
        batch.put_oauth_code(&code.sha256(), None, &record)?;
        // A used code is kept for a day, so that a second use is recognised.
        for (sha256, old) in store.oauth_codes()? {
            if old.record.expires + DAY <= store.now() {
                batch.delete(keys::oauth_code(&sha256));
            }
        }
        store.commit(batch)?;
        Ok(asked.redirect(&[("code", &code.reveal())]))
    })
}

/// Denies the request; returns the redirection that tells the client.
///
/// # Errors
/// [`ConnectorError::Invalid`] if the request is too old.
pub fn deny(store: &Store, request: &str) -> Result<String, ConnectorError> {
    let asked = verify(store, &store.opaque_key()?, request)?;
    let description = "The owner did not agree";
    Ok(asked.redirect(&[("error", "access_denied"), ("error_description", description)]))
}

fn verify(store: &Store, key: &OpaqueKey, request: &str) -> Result<Asked, ConnectorError> {
    let stale =
        || ConnectorError::Invalid("the request is not valid any more; begin again in the identity provider".into());
    Asked::open(request, key, store.now()).ok_or_else(stale)
}
