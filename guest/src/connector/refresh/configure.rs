//! Configures and removes the access to the identity provider's API.

use insomnia_scim_contract::{
    Actor, EntraApi, EntraApiStatus, IdpApi, IdpApiStatus, OktaApi, OktaApiStatus, OktaApiToken, OktaCredentials,
    OktaPrivateKey,
};

use super::attempt::{can_unseal, seal};
use super::okta::PrivateKey;
use crate::capability::Host;
use crate::connector::ConnectorError;
use crate::connector::actor::administrator;
use crate::store::{Batch, IdpApiRecord, Store};
use crate::url;

/// The sign-in service of Microsoft Entra ID.
const LOGIN_URL: &str = "https://login.microsoftonline.com";
/// Microsoft Graph.
const GRAPH_URL: &str = "https://graph.microsoft.com";
/// The longest secret, in bytes: a private key is one.
const LONGEST_SECRET: usize = 4_096;
/// The longest id, in bytes.
const LONGEST_ID: usize = 128;

/// Checks the access; returns the part that is stored unencrypted, and the secret, which will be encrypted.
fn check(api: IdpApi) -> Result<(IdpApiStatus, String), ConnectorError> {
    match api {
        IdpApi::Entra(EntraApi { tenant_id, client_id, client_secret, service_principal_id, login_url, graph_url }) => {
            let api = EntraApiStatus {
                tenant_id: id("the tenant id", &tenant_id)?,
                client_id: id("the client id", &client_id)?,
                service_principal_id: id("the service principal's object id", &service_principal_id)?,
                login_url: base("the login URL", login_url.as_deref().unwrap_or(LOGIN_URL))?,
                graph_url: base("the Graph URL", graph_url.as_deref().unwrap_or(GRAPH_URL))?,
            };
            Ok((IdpApiStatus::Entra(api), secret("the client secret", &client_secret)?))
        }
        IdpApi::Okta(OktaApi { org_url, app_id, credentials }) => {
            let (org_url, app_id) = (base("the Okta URL", &org_url)?, id("the application id", &app_id)?);
            let (client_id, secret) = match credentials {
                OktaCredentials::ApiToken(OktaApiToken { token }) => (None, secret("the API token", &token)?),
                OktaCredentials::PrivateKey(OktaPrivateKey { client_id, private_key }) => {
                    let client_id = id("the client id", &client_id)?;
                    if private_key.len() > LONGEST_SECRET || PrivateKey::parse(&private_key).is_none() {
                        let rule = "the private key is a JWK of type EC and curve P-256";
                        return Err(ConnectorError::Invalid(rule.into()));
                    }
                    (Some(client_id), private_key)
                }
            };
            Ok((IdpApiStatus::Okta(OktaApiStatus { org_url, app_id, client_id }), secret))
        }
    }
}

/// Configures the API and replaces an earlier configuration. A token that could not be installed before is tried again
/// at once.
///
/// # Errors
/// [`ConnectorError`] says why not; [`ConnectorError::NotConfigured`] if the host has no key for secrets.
pub fn configure(
    host: Host<'_>,
    store: &Store,
    actor: impl Into<Actor>,
    api: IdpApi,
    connector_url: &str,
) -> Result<(), ConnectorError> {
    let actor = actor.into();
    administrator(store, &actor)?;
    let connector_url = called(connector_url)?;
    let (api, secret) = check(api)?;
    let sealed = seal(host, secret.as_bytes()).map_err(|failure| ConnectorError::NotConfigured(failure.text))?;
    store.transact(|| {
        administrator(store, &actor)?;
        let mut view = store.refresh_view()?;
        let refresh = &mut view.refresh;
        (refresh.failures, refresh.problem, refresh.retry_at) = (0, None, 0);
        // The results of the former access say nothing about this one.
        (refresh.last_attempt, refresh.last_success) = (None, None);
        if let Some(pending) = &mut refresh.pending {
            // It may be another provider, so the token must be installed there. A token that can't be decrypted any
            // more is replaced.
            (pending.installed, pending.leased_until) = (None, 0);
            if pending.sealed.is_empty() || !can_unseal(host, &pending.sealed) {
                pending.sealed.clear();
                refresh.forced = true;
            }
        }
        let record = IdpApiRecord {
            api: api.clone(),
            connector_url: connector_url.clone(),
            sealed: sealed.clone(),
            configured: store.now(),
        };
        let mut batch = Batch::new();
        batch.put_idp_api(&record)?;
        batch.put_refresh(view.refresh_seen, refresh)?;
        batch.wake_at(store.now());
        Ok(store.commit(batch).map(drop)?)
    })
}

/// Deletes the API configuration with its secret. A token that was already installed stays valid beside the current
/// one.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn remove(store: &Store, actor: impl Into<Actor>) -> Result<(), ConnectorError> {
    let actor = actor.into();
    store.transact(|| {
        administrator(store, &actor)?;
        let mut view = store.refresh_view()?;
        if view.api.is_none() {
            return Err(ConnectorError::NotFound("access to the identity provider's API".into()));
        }
        let mut batch = Batch::new();
        batch.delete_idp_api();
        if let Some(pending) = &mut view.refresh.pending {
            pending.sealed.clear();
        }
        let refresh = &mut view.refresh;
        (refresh.failures, refresh.problem, refresh.retry_at, refresh.forced) = (0, None, 0, false);
        batch.put_refresh(view.refresh_seen, refresh)?;
        Ok(store.commit(batch).map(drop)?)
    })
}

/// Makes a refresh due at once, whatever the age of the token. This shows whether the access works.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn refresh_now(store: &Store, actor: impl Into<Actor>) -> Result<(), ConnectorError> {
    let actor = actor.into();
    store.transact(|| {
        administrator(store, &actor)?;
        let mut view = store.refresh_view()?;
        if !view.connector.enabled {
            return Err(ConnectorError::Disabled);
        }
        if view.api.is_none() {
            return Err(ConnectorError::NotConfigured("access to the identity provider's API".into()));
        }
        view.refresh.forced = view.pending().is_none();
        view.refresh.retry_at = 0;
        let mut batch = Batch::new();
        batch.put_refresh(view.refresh_seen, &view.refresh)?;
        batch.wake_at(store.now());
        Ok(store.commit(batch).map(drop)?)
    })
}

/// Checks an id that becomes part of a path: it must not be able to change the path's target.
fn id(what: &str, text: &str) -> Result<String, ConnectorError> {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !plain || text.is_empty() || text.len() > LONGEST_ID || text.bytes().all(|byte| byte == b'.') {
        let rule = format!("{what} has 1 to {LONGEST_ID} letters, digits, hyphens, underscores and dots");
        return Err(ConnectorError::Invalid(rule));
    }
    Ok(text.to_owned())
}

fn base(what: &str, text: &str) -> Result<String, ConnectorError> {
    let rule = || ConnectorError::Invalid(format!("{what} is an https: URL without a query"));
    url::base(text).ok_or_else(rule)
}

/// Checks the connector URL for the provider. It may have a query, because Entra's flags (`?aadOptscim062020`) are set
/// there.
fn called(text: &str) -> Result<String, ConnectorError> {
    let text = text.trim();
    let plain = text.len() <= 500 && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\\".contains(&byte));
    if !plain || !url::is_acceptable(text) {
        return Err(ConnectorError::Invalid("the connector URL is an https: URL without a fragment".into()));
    }
    Ok(text.to_owned())
}

/// Checks a secret that becomes part of a header field or a form.
fn secret(what: &str, text: &str) -> Result<String, ConnectorError> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST_SECRET || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConnectorError::Invalid(format!("{what} has visible ASCII characters only, and at least one")));
    }
    Ok(text.to_owned())
}
