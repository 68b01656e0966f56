//! The export `oauth`, and what `connector` says of OAuth clients and of the refresh.

use super::Component;
use super::bindings::exports::insomnia::scim::connector as wit;
use super::bindings::exports::insomnia::scim::oauth::{
    Actor, AuthorizeRefusal, Consent, Error, Guest, PageError, Request, Response,
};
use super::imports::host;
use crate::connector::oauth;
use crate::connector::refresh::{self, NewIdpApi};
use crate::store;

impl Guest for Component {
    fn authorize_request(query: String) -> Result<Consent, AuthorizeRefusal> {
        match oauth::authorize_request(&host().store(), &query) {
            Ok(consent) => Ok(Consent {
                client_id: consent.client_id,
                client_name: consent.client_name,
                redirect_uri: consent.redirect_uri,
                scope: consent.scope,
                request: consent.request,
            }),
            Err(oauth::AuthorizeRefusal::Page { error, description }) => {
                Err(AuthorizeRefusal::Page(PageError { code: error.into(), description: description.into() }))
            }
            Err(oauth::AuthorizeRefusal::Redirect(url)) => Err(AuthorizeRefusal::Redirect(url)),
            Err(oauth::AuthorizeRefusal::Store(error)) => Err(AuthorizeRefusal::Unavailable(error.to_string())),
        }
    }

    fn approve(actor: Actor, request: String) -> Result<String, Error> {
        Ok(oauth::approve(&host().store(), &actor, &request)?)
    }

    fn deny(request: String) -> Result<String, Error> {
        Ok(oauth::deny(&host().store(), &request)?)
    }

    fn token(request: Request) -> Response {
        oauth::token(&host().store(), &request.headers, &request.body).into()
    }

    fn revoke(request: Request) -> Response {
        oauth::revoke(&host().store(), &request.headers, &request.body).into()
    }

    fn metadata(issuer: String) -> Vec<u8> {
        oauth::metadata(&issuer)
    }
}

impl From<oauth::OAuthResponse> for Response {
    fn from(response: oauth::OAuthResponse) -> Self {
        Self { status: response.status, headers: response.headers, body: response.body }
    }
}

impl From<wit::NewOauthClient> for oauth::NewClient {
    fn from(client: wit::NewOauthClient) -> Self {
        Self {
            name: client.name,
            client_credentials: client.client_credentials,
            authorization_code: client.authorization_code,
            redirect_uris: client.redirect_uris,
            public: client.public,
        }
    }
}

impl From<store::ClientRecord> for wit::OauthClient {
    fn from(client: store::ClientRecord) -> Self {
        Self {
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
}

impl From<oauth::IssuedClient> for wit::IssuedOauthClient {
    fn from(issued: oauth::IssuedClient) -> Self {
        Self { client: issued.client.into(), secret: issued.secret }
    }
}

impl From<wit::IdpApi> for NewIdpApi {
    fn from(api: wit::IdpApi) -> Self {
        match api {
            wit::IdpApi::Entra(entra) => Self::Entra {
                tenant_id: entra.tenant_id,
                client_id: entra.client_id,
                client_secret: entra.client_secret,
                service_principal_id: entra.service_principal_id,
                login_url: entra.login_url,
                graph_url: entra.graph_url,
            },
            wit::IdpApi::Okta(wit::OktaApi { org_url, app_id, credentials }) => match credentials {
                wit::OktaCredentials::ApiToken(api_token) => Self::OktaToken { org_url, app_id, api_token },
                wit::OktaCredentials::PrivateKey(key) => {
                    Self::OktaKey { org_url, app_id, client_id: key.client_id, private_key: key.private_key }
                }
            },
        }
    }
}

impl From<store::IdpApi> for wit::IdpApiStatus {
    fn from(api: store::IdpApi) -> Self {
        match api {
            store::IdpApi::Entra { tenant_id, client_id, service_principal_id, login_url, graph_url } => {
                Self::Entra(wit::EntraApiStatus { tenant_id, client_id, service_principal_id, login_url, graph_url })
            }
            store::IdpApi::Okta { org_url, app_id, client_id } => {
                Self::Okta(wit::OktaApiStatus { org_url, app_id, client_id })
            }
        }
    }
}

impl From<refresh::RefreshStatus> for wit::RefreshStatus {
    fn from(status: refresh::RefreshStatus) -> Self {
        Self {
            method: match status.method {
                refresh::RefreshMethod::Manual => wit::RefreshMethod::Manual,
                refresh::RefreshMethod::OAuth => wit::RefreshMethod::Oauth,
                refresh::RefreshMethod::Entra | refresh::RefreshMethod::Okta => wit::RefreshMethod::IdpApi,
            },
            state: match status.state {
                refresh::RefreshState::Off => wit::RefreshState::Off,
                refresh::RefreshState::Scheduled => wit::RefreshState::Scheduled,
                refresh::RefreshState::Installing => wit::RefreshState::Installing,
                refresh::RefreshState::Verifying => wit::RefreshState::Verifying,
                refresh::RefreshState::Retrying => wit::RefreshState::Retrying,
                refresh::RefreshState::Unconfirmed => wit::RefreshState::Unconfirmed,
                refresh::RefreshState::NeedsAttention => wit::RefreshState::NeedsAttention,
            },
            idp_api: status.api.map(Into::into),
            next_attempt: status.next_attempt,
            last_attempt: status.last_attempt,
            last_success: status.last_success,
            failures: status.failures,
            problem: status.problem.map(|problem| problem.text),
            oauth_last_used: status.oauth_last_used,
        }
    }
}
