//! The types of `wit/oauth.wit` and of the refresh in `wit/connector.wit`, and those of [`crate::oauth`].

use super::bindings::exports::insomnia::scim::{connector as wc, oauth as wo};
use crate::oauth::{
    AuthorizeRefusal, Consent, IdpApi, IdpApiStatus, IssuedOAuthClient, NewOAuthClient, OAuthClient, OAuthRequest,
    OAuthResponse, OktaCredentials, RefreshMethod, RefreshState, RefreshStatus,
};

impl From<NewOAuthClient> for wc::NewOauthClient {
    fn from(value: NewOAuthClient) -> Self {
        Self {
            name: value.name,
            client_credentials: value.client_credentials,
            authorization_code: value.authorization_code,
            redirect_uris: value.redirect_uris,
            public: value.public,
        }
    }
}

impl From<wc::OauthClient> for OAuthClient {
    fn from(value: wc::OauthClient) -> Self {
        Self {
            id: value.id,
            name: value.name,
            client_credentials: value.client_credentials,
            authorization_code: value.authorization_code,
            redirect_uris: value.redirect_uris,
            public: value.public,
            created: value.created,
            secret_created: value.secret_created,
            overlap_until: value.overlap_until,
        }
    }
}

impl From<wc::IssuedOauthClient> for IssuedOAuthClient {
    fn from(value: wc::IssuedOauthClient) -> Self {
        Self { client: value.client.into(), secret: value.secret }
    }
}

impl From<OAuthRequest> for wo::Request {
    fn from(value: OAuthRequest) -> Self {
        Self { headers: value.headers, body: value.body }
    }
}

impl From<wo::Response> for OAuthResponse {
    fn from(value: wo::Response) -> Self {
        Self { status: value.status, headers: value.headers, body: value.body }
    }
}

impl From<wo::Consent> for Consent {
    fn from(value: wo::Consent) -> Self {
        Self {
            client_id: value.client_id,
            client_name: value.client_name,
            redirect_uri: value.redirect_uri,
            scope: value.scope,
            request: value.request,
        }
    }
}

impl From<wo::AuthorizeRefusal> for AuthorizeRefusal {
    fn from(value: wo::AuthorizeRefusal) -> Self {
        match value {
            wo::AuthorizeRefusal::Page(page) => Self::Page { code: page.code, description: page.description },
            wo::AuthorizeRefusal::Redirect(url) => Self::Redirect(url),
            wo::AuthorizeRefusal::Unavailable(why) => Self::Unavailable(why),
        }
    }
}

impl From<IdpApi> for wc::IdpApi {
    fn from(value: IdpApi) -> Self {
        match value {
            IdpApi::Entra { tenant_id, client_id, client_secret, service_principal_id, login_url, graph_url } => {
                Self::Entra(wc::EntraApi {
                    tenant_id,
                    client_id,
                    client_secret,
                    service_principal_id,
                    login_url,
                    graph_url,
                })
            }
            IdpApi::Okta { org_url, app_id, credentials } => {
                let credentials = match credentials {
                    OktaCredentials::ApiToken(token) => wc::OktaCredentials::ApiToken(token),
                    OktaCredentials::PrivateKey { client_id, private_key } => {
                        wc::OktaCredentials::PrivateKey(wc::OktaPrivateKey { client_id, private_key })
                    }
                };
                Self::Okta(wc::OktaApi { org_url, app_id, credentials })
            }
        }
    }
}

impl From<wc::IdpApiStatus> for IdpApiStatus {
    fn from(value: wc::IdpApiStatus) -> Self {
        match value {
            wc::IdpApiStatus::Entra(entra) => Self::Entra {
                tenant_id: entra.tenant_id,
                client_id: entra.client_id,
                service_principal_id: entra.service_principal_id,
                login_url: entra.login_url,
                graph_url: entra.graph_url,
            },
            wc::IdpApiStatus::Okta(okta) => {
                Self::Okta { org_url: okta.org_url, app_id: okta.app_id, client_id: okta.client_id }
            }
        }
    }
}

impl From<wc::RefreshStatus> for RefreshStatus {
    fn from(value: wc::RefreshStatus) -> Self {
        Self {
            method: match value.method {
                wc::RefreshMethod::Manual => RefreshMethod::Manual,
                wc::RefreshMethod::Oauth => RefreshMethod::OAuth,
                wc::RefreshMethod::IdpApi => RefreshMethod::IdpApi,
            },
            state: match value.state {
                wc::RefreshState::Off => RefreshState::Off,
                wc::RefreshState::Scheduled => RefreshState::Scheduled,
                wc::RefreshState::Installing => RefreshState::Installing,
                wc::RefreshState::Verifying => RefreshState::Verifying,
                wc::RefreshState::Retrying => RefreshState::Retrying,
                wc::RefreshState::Unconfirmed => RefreshState::Unconfirmed,
                wc::RefreshState::NeedsAttention => RefreshState::NeedsAttention,
            },
            idp_api: value.idp_api.map(Into::into),
            next_attempt: value.next_attempt,
            last_attempt: value.last_attempt,
            last_success: value.last_success,
            failures: value.failures,
            problem: value.problem,
            oauth_last_used: value.oauth_last_used,
        }
    }
}
