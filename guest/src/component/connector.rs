//! The export `connector`.

use insomnia_scim_contract::{
    Act, ActionError, Actor, ConnectorStatus, ExpiryWindow, IdentityProvider, IdpApi, IssuedOAuthClient,
    IssuedSetupLink, IssuedToken, NewOAuthClient, NewSetupLink, OAuthClient, RefreshStatus, Requirement, SecretWindow,
    SetupLink, Source,
};

use super::Component;
use super::bindings::exports::insomnia::scim::connector::Guest;
use super::imports::host;
use crate::connector::{self, oauth, setup_link};

impl Guest for Component {
    fn unmet_requirements(actor: Actor) -> Result<Vec<Requirement>, ActionError> {
        Ok(connector::unmet_requirements(&host().store(), actor)?)
    }

    fn enable(by: Act, identity_provider: IdentityProvider, window: ExpiryWindow) -> Result<IssuedToken, ActionError> {
        Ok(connector::enable(&host().store(), by.actor, identity_provider, window)?)
    }

    fn disable(by: Act) -> Result<(), ActionError> {
        Ok(connector::disable(&host().store(), by.actor)?)
    }

    fn refresh(
        by: Act,
        passphrase: Option<String>,
        window: Option<ExpiryWindow>,
        overlap_seconds: u32,
    ) -> Result<IssuedToken, ActionError> {
        Ok(connector::refresh(&host().store(), by.actor, passphrase.as_deref(), window, overlap_seconds)?)
    }

    fn create_setup_link(
        by: Act,
        passphrase: Option<String>,
        link: NewSetupLink,
    ) -> Result<IssuedSetupLink, ActionError> {
        Ok(setup_link::create(&host().store(), by.actor, passphrase.as_deref(), &link)?)
    }

    fn list_setup_links() -> Result<Vec<SetupLink>, ActionError> {
        Ok(setup_link::list(&host().store())?)
    }

    fn revoke_setup_link(by: Act, id: String) -> Result<(), ActionError> {
        Ok(setup_link::revoke(&host().store(), by.actor, &id)?)
    }

    fn open_setup_link(_source: Source, token: String) -> Result<SetupLink, ActionError> {
        Ok(setup_link::open(&host().store(), &token)?)
    }

    fn redeem_setup_link(_source: Source, token: String) -> Result<IssuedToken, ActionError> {
        Ok(setup_link::redeem(&host().store(), &token)?)
    }

    fn get_status() -> Result<ConnectorStatus, ActionError> {
        Ok(connector::status(&host().store())?)
    }

    fn get_refresh_status() -> Result<RefreshStatus, ActionError> {
        Ok(connector::refresh::status(&host().store())?)
    }

    fn configure_idp_api(by: Act, api: IdpApi, connector_url: String) -> Result<(), ActionError> {
        Ok(connector::refresh::configure(host(), by.actor, api, &connector_url)?)
    }

    fn remove_idp_api(by: Act) -> Result<(), ActionError> {
        Ok(connector::refresh::remove(&host().store(), by.actor)?)
    }

    fn refresh_by_idp_api(by: Act) -> Result<(), ActionError> {
        Ok(connector::refresh::refresh_now(&host().store(), by.actor)?)
    }

    fn create_oauth_client(by: Act, client: NewOAuthClient) -> Result<IssuedOAuthClient, ActionError> {
        Ok(oauth::create(&host().store(), by.actor, &client)?)
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
        Ok(oauth::rotate_secret(&host().store(), by.actor, &id, window, overlap_seconds)?)
    }

    fn delete_oauth_client(by: Act, id: String) -> Result<(), ActionError> {
        Ok(oauth::delete(&host().store(), by.actor, &id)?)
    }
}
