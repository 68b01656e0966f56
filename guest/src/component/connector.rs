//! The export `connector`.

use insomnia_scim_contract::{
    Act, ActionError, Actor, ConnectorStatus, ExpiryWindow, IdentityProvider, IdpApi, IssuedOAuthClient,
    IssuedSetupLink, IssuedToken, NewOAuthClient, NewSetupLink, OAuthClient, RefreshStatus, Requirement, SecretWindow,
    SetupLink, Source,
};

use serde_json::json;

use super::Component;
use super::acts::{self, acting, acting_on};
use super::bindings::exports::insomnia::scim::connector::Guest;
use super::imports::host;
use crate::connector::{self, oauth, setup_link};
use crate::store::{EventSubject, StoreError};

impl Guest for Component {
    fn unmet_requirements(actor: Actor) -> Result<Vec<Requirement>, ActionError> {
        Ok(connector::unmet_requirements(&host().store(), actor)?)
    }

    fn enable(by: Act, identity_provider: IdentityProvider, window: ExpiryWindow) -> Result<IssuedToken, ActionError> {
        Ok(connector::enable(&acting(&by, "connector.enable"), by.actor, identity_provider, window)?)
    }

    fn disable(by: Act) -> Result<(), ActionError> {
        Ok(connector::disable(&acting(&by, "connector.disable"), by.actor)?)
    }

    fn refresh(
        by: Act,
        passphrase: Option<String>,
        window: Option<ExpiryWindow>,
        overlap_seconds: u32,
    ) -> Result<IssuedToken, ActionError> {
        let store = acting(&by, "token.refresh");
        Ok(connector::refresh(&store, by.actor, passphrase.as_deref(), window, overlap_seconds)?)
    }

    fn refresh_verified(
        by: Act,
        window: Option<ExpiryWindow>,
        overlap_seconds: u32,
    ) -> Result<IssuedToken, ActionError> {
        let store = acting(&by, "token.refresh");
        Ok(connector::refresh_verified(&store, by.actor, window, overlap_seconds)?)
    }

    fn create_setup_link(
        by: Act,
        passphrase: Option<String>,
        link: NewSetupLink,
    ) -> Result<IssuedSetupLink, ActionError> {
        let store = acting(&by, "setup-link.create");
        Ok(setup_link::create(&store, by.actor, passphrase.as_deref(), &link)?)
    }

    fn create_setup_link_verified(by: Act, link: NewSetupLink) -> Result<IssuedSetupLink, ActionError> {
        Ok(setup_link::create_verified(&acting(&by, "setup-link.create"), by.actor, &link)?)
    }

    fn list_setup_links() -> Result<Vec<SetupLink>, ActionError> {
        Ok(setup_link::list(&host().store())?)
    }

    fn revoke_setup_link(by: Act, id: String) -> Result<(), ActionError> {
        Ok(setup_link::revoke(&acting(&by, "setup-link.revoke"), by.actor, &id)?)
    }

    fn open_setup_link(_source: Source, token: String) -> Result<SetupLink, ActionError> {
        Ok(setup_link::open(&host().store(), &token)?)
    }

    fn redeem_setup_link(source: Source, token: String) -> Result<IssuedToken, ActionError> {
        // The act is done in the name of the person who made the link.
        let by = Act { actor: setup_link::maker_of(&host().store(), &token)?, source };
        Ok(setup_link::redeem(&acting(&by, "setup-link.use"), &token)?)
    }

    fn get_status() -> Result<ConnectorStatus, ActionError> {
        Ok(connector::status(&host().store())?)
    }

    fn get_refresh_status() -> Result<RefreshStatus, ActionError> {
        Ok(connector::refresh::status(&host().store())?)
    }

    fn configure_idp_api(by: Act, api: IdpApi, connector_url: String) -> Result<(), ActionError> {
        let (subject, after) = (EventSubject::only("idp-api"), acts::idp_api(&api));
        let store = acting_on(&by, "idp-api.set", subject, None, Some(after));
        Ok(connector::refresh::configure(host(), &store, by.actor, api, &connector_url)?)
    }

    fn remove_idp_api(by: Act) -> Result<(), ActionError> {
        let store = acting_on(&by, "idp-api.remove", EventSubject::only("idp-api"), None, None);
        Ok(connector::refresh::remove(&store, by.actor)?)
    }

    fn refresh_by_idp_api(by: Act) -> Result<(), ActionError> {
        let store = acting_on(&by, "token.refresh-by-idp-api", EventSubject::only("idp-api"), None, None);
        Ok(connector::refresh::refresh_now(&store, by.actor)?)
    }

    fn create_oauth_client(by: Act, client: NewOAuthClient) -> Result<IssuedOAuthClient, ActionError> {
        let after = json!({
            "clientCredentials": client.client_credentials,
            "authorizationCode": client.authorization_code,
            "redirectUris": client.redirect_uris,
        });
        let subject = acts::subject("oauth-client", "", client.name.trim());
        let store = acting_on(&by, "oauth-client.create", subject, None, Some(after));
        Ok(oauth::create(&store, by.actor, &client)?)
    }

    fn list_oauth_clients() -> Result<Vec<OAuthClient>, ActionError> {
        Ok(oauth::list(&host().store())?)
    }

    fn rotate_oauth_client_secret(
        by: Act,
        id: String,
        window: Option<SecretWindow>,
        overlap_seconds: u32,
    ) -> Result<IssuedOAuthClient, ActionError> {
        let after = json!({"overlapSeconds": overlap_seconds});
        let store = acting_on(&by, "oauth-client.rotate-secret", client(&id)?, None, Some(after));
        Ok(oauth::rotate_secret(&store, by.actor, &id, window, overlap_seconds)?)
    }

    fn delete_oauth_client(by: Act, id: String) -> Result<(), ActionError> {
        let store = acting_on(&by, "oauth-client.delete", client(&id)?, None, None);
        Ok(oauth::delete(&store, by.actor, &id)?)
    }
}

/// The OAuth client with this id, for the audit trail.
fn client(id: &str) -> Result<EventSubject, StoreError> {
    let name = host().store().oauth_client(id)?.map(|client| client.record.name);
    Ok(acts::subject("oauth-client", id, name.as_deref().unwrap_or_default()))
}
