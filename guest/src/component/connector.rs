//! The export `connector`.

use super::Component;
use super::bindings::exports::insomnia::scim::connector::{
    Actor, Error, ExpiryWindow, Guest, IdentityProvider, IdpApi, IssuedOauthClient, IssuedToken, NewOauthClient,
    OauthClient, RefreshStatus, Requirement, Status, TokenStatus,
};
use super::imports::host;
use crate::connector::{self, Window, oauth};

impl Guest for Component {
    fn unmet_requirements(actor: Actor) -> Result<Vec<Requirement>, Error> {
        let unmet = connector::unmet_requirements(&host().store(), &actor)?;
        Ok(unmet.into_iter().map(Into::into).collect())
    }

    fn enable(actor: Actor, identity_provider: IdentityProvider, window: ExpiryWindow) -> Result<IssuedToken, Error> {
        let name = match &identity_provider {
            IdentityProvider::Okta => "okta",
            IdentityProvider::Azure => "azure",
            IdentityProvider::PingFederate => "ping-federate",
            IdentityProvider::Other(name) => name,
        };
        Ok(connector::enable(&host().store(), &actor, name, window.into())?.into())
    }

    fn disable(actor: Actor) -> Result<(), Error> {
        Ok(connector::disable(&host().store(), &actor)?)
    }

    fn refresh(
        actor: Actor,
        passphrase: String,
        window: Option<ExpiryWindow>,
        overlap_seconds: u32,
    ) -> Result<IssuedToken, Error> {
        let window = window.map(Into::into);
        Ok(connector::refresh(&host().store(), &actor, &passphrase, window, overlap_seconds)?.into())
    }

    fn refresh_as_operator(window: Option<ExpiryWindow>, overlap_seconds: u32) -> Result<IssuedToken, Error> {
        Ok(connector::refresh_as_operator(&host().store(), window.map(Into::into), overlap_seconds)?.into())
    }

    fn get_status() -> Result<Status, Error> {
        let status = connector::status(&host().store())?;
        let token = status.connector.token.as_ref();
        let identity_provider = status.connector.identity_provider.as_deref().map(|name| match name {
            "okta" => IdentityProvider::Okta,
            "azure" => IdentityProvider::Azure,
            "ping-federate" => IdentityProvider::PingFederate,
            other => IdentityProvider::Other(other.to_owned()),
        });
        Ok(Status {
            enabled: status.connector.enabled,
            identity_provider,
            window: status.connector.window.as_deref().and_then(Window::parse).map(Into::into),
            status: match status.token {
                connector::TokenStatus::Valid => TokenStatus::Valid,
                connector::TokenStatus::ExpiringSoon => TokenStatus::ExpiringSoon,
                connector::TokenStatus::Expired => TokenStatus::Expired,
                connector::TokenStatus::Disabled => TokenStatus::Disabled,
            },
            created: token.map(|token| token.created),
            expires: token.and_then(|token| token.expires),
            last_used: status.last_used,
            // Afterwards the token is kept only to be recognised.
            overlap_until: status.overlap_until,
            generation: token.map_or(0, |token| token.generation),
        })
    }

    fn get_refresh_status() -> Result<RefreshStatus, Error> {
        Ok(connector::refresh::status(&host().store())?.into())
    }

    fn configure_idp_api(actor: Actor, api: IdpApi, connector_url: String) -> Result<(), Error> {
        Ok(connector::refresh::configure(host(), &actor, api.into(), &connector_url)?)
    }

    fn remove_idp_api(actor: Actor) -> Result<(), Error> {
        Ok(connector::refresh::remove(&host().store(), &actor)?)
    }

    fn refresh_by_idp_api(actor: Actor) -> Result<(), Error> {
        Ok(connector::refresh::refresh_now(&host().store(), &actor)?)
    }

    fn create_oauth_client(actor: Actor, client: NewOauthClient) -> Result<IssuedOauthClient, Error> {
        Ok(oauth::create(&host().store(), &actor, &client.into())?.into())
    }

    fn list_oauth_clients() -> Result<Vec<OauthClient>, Error> {
        Ok(oauth::list(&host().store())?.into_iter().map(Into::into).collect())
    }

    fn rotate_oauth_client_secret(actor: Actor, id: String, overlap_seconds: u32) -> Result<IssuedOauthClient, Error> {
        Ok(oauth::rotate_secret(&host().store(), &actor, &id, overlap_seconds)?.into())
    }

    fn delete_oauth_client(actor: Actor, id: String) -> Result<(), Error> {
        Ok(oauth::delete(&host().store(), &actor, &id)?)
    }
}

impl From<connector::IssuedToken> for IssuedToken {
    fn from(issued: connector::IssuedToken) -> Self {
        Self { token: issued.token, expires: issued.expires }
    }
}

impl From<ExpiryWindow> for Window {
    fn from(window: ExpiryWindow) -> Self {
        match window {
            ExpiryWindow::Days30 => Self::Days30,
            ExpiryWindow::Days90 => Self::Days90,
            ExpiryWindow::Days180 => Self::Days180,
            ExpiryWindow::Year1 => Self::Year1,
            ExpiryWindow::Years2 => Self::Years2,
            ExpiryWindow::Never => Self::Never,
        }
    }
}

impl From<Window> for ExpiryWindow {
    fn from(window: Window) -> Self {
        match window {
            Window::Days30 => Self::Days30,
            Window::Days90 => Self::Days90,
            Window::Days180 => Self::Days180,
            Window::Year1 => Self::Year1,
            Window::Years2 => Self::Years2,
            Window::Never => Self::Never,
        }
    }
}
