//! An organization's OAuth 2.0 authorization server, and its access to the identity provider's API.

use insomnia_scim_contract::Actor;

use super::Organization;
use crate::component::CallError;
use crate::error::ActionError;
use crate::oauth::{
    AuthorizeRefusal, Consent, IdpApi, IssuedOAuthClient, NewOAuthClient, OAuthClient, OAuthRequest, OAuthResponse,
    RefreshStatus, SecretWindow,
};

#[allow(clippy::missing_errors_doc, reason = "see the type")]
impl Organization {
    /// The issuer of its authorization server: `<base URL>/oauth/<organization>`. Its endpoints are `/authorize`, `/token`
    /// and `/revoke` below it.
    pub fn oauth_issuer(&self) -> String {
        format!("{}/oauth/{}", self.provisioner.base_url(), self.id)
    }

    /// Registers an OAuth 2.0 client. An organization has at most 20.
    pub async fn create_oauth_client(
        &self,
        actor: impl Into<Actor>,
        client: NewOAuthClient,
    ) -> Result<IssuedOAuthClient, ActionError> {
        let by = self.by(actor);
        act!(self.insomnia_scim_connector.call_create_oauth_client(&by, &client))
    }

    /// All OAuth 2.0 clients, in the order of their registration.
    pub async fn oauth_clients(&self) -> Result<Vec<OAuthClient>, ActionError> {
        act!(self.insomnia_scim_connector.call_list_oauth_clients())
    }

    /// Gives a client a new secret, which is valid for `window`, or for as long as the last choice. The old secret stops at
    /// once, or after `overlap_seconds` (at most 7,776,000), and never later than its own expiry.
    pub async fn rotate_oauth_client_secret(
        &self,
        actor: impl Into<Actor>,
        client: &str,
        window: Option<SecretWindow>,
        overlap_seconds: u32,
    ) -> Result<IssuedOAuthClient, ActionError> {
        let (by, client) = (self.by(actor), client.to_owned());
        act!(self.insomnia_scim_connector.call_rotate_oauth_client_secret(&by, &client, window, overlap_seconds))
    }

    /// Deletes a client with everything that was granted and issued to it.
    pub async fn delete_oauth_client(&self, actor: impl Into<Actor>, client: &str) -> Result<(), ActionError> {
        let (by, client) = (self.by(actor), client.to_owned());
        act!(self.insomnia_scim_connector.call_delete_oauth_client(&by, &client))
    }

    /// Checks a request of the authorization endpoint. `query` is the query as sent. Returns what the consent page shows, or
    /// what to answer instead.
    pub async fn authorize(&self, query: &str) -> Result<Result<Consent, AuthorizeRefusal>, CallError> {
        let (query, operators) = (query.to_owned(), self.provisioner.operator_clients().to_vec());
        let checked = self.call("insomnia_scim_oauth.call_authorize_request", move |store, exports| {
            Box::pin(
                async move { exports.insomnia_scim_oauth().call_authorize_request(store, &query, &operators).await },
            )
        });
        checked.await
    }

    /// The actor consents to the request. Returns the URL for the redirection. The caller must make sure that the actor is the
    /// one who sends the form.
    pub async fn approve_consent(&self, actor: impl Into<Actor>, request: &str) -> Result<String, ActionError> {
        let (by, request) = (self.by(actor), request.to_owned());
        let operators = self.provisioner.operator_clients().to_vec();
        act!(self.insomnia_scim_oauth.call_approve(&by, &request, &operators))
    }

    /// The actor refuses the request. Returns the URL for the redirection.
    pub async fn deny_consent(&self, request: &str) -> Result<String, ActionError> {
        let (by, request) = (self.by.clone(), request.to_owned());
        act!(self.insomnia_scim_oauth.call_deny(&by, &request))
    }

    /// Serves the token endpoint. Only the header fields and the body of the request are used: the issuer and the operator's
    /// clients are those of this host.
    pub async fn oauth_token(&self, request: OAuthRequest) -> Result<OAuthResponse, CallError> {
        let request = self.completed(request);
        let response = self.call("insomnia_scim_oauth.call_token", move |store, exports| {
            Box::pin(async move { exports.insomnia_scim_oauth().call_token(store, &request).await })
        });
        response.await
    }

    /// Serves the revocation endpoint, like [`Organization::oauth_token`].
    pub async fn oauth_revoke(&self, request: OAuthRequest) -> Result<OAuthResponse, CallError> {
        let request = self.completed(request);
        let response = self.call("insomnia_scim_oauth.call_revoke", move |store, exports| {
            Box::pin(async move { exports.insomnia_scim_oauth().call_revoke(store, &request).await })
        });
        response.await
    }

    fn completed(&self, request: OAuthRequest) -> OAuthRequest {
        let operator_clients = self.provisioner.operator_clients().to_vec();
        OAuthRequest { issuer: self.oauth_issuer(), operator_clients, ..request }
    }

    /// The metadata document of the authorization server (RFC 8414), in JSON.
    pub async fn oauth_metadata(&self) -> Result<String, CallError> {
        let issuer = self.oauth_issuer();
        let document = self.call("insomnia_scim_oauth.call_metadata", move |store, exports| {
            Box::pin(async move { exports.insomnia_scim_oauth().call_metadata(store, &issuer).await })
        });
        document.await
    }

    /// The state of the automatic refresh.
    pub async fn refresh_status(&self) -> Result<RefreshStatus, ActionError> {
        act!(self.insomnia_scim_connector.call_get_refresh_status())
    }

    /// Configures access to the identity provider's API, and replaces an earlier configuration. From now on tokens are
    /// refreshed automatically. `query` is the query that the identity provider adds to the connector URL, such as Entra's
    /// `aadOptscim062020`.
    pub async fn configure_idp_api(
        &self,
        actor: impl Into<Actor>,
        api: IdpApi,
        query: Option<&str>,
    ) -> Result<(), ActionError> {
        let by = self.by(actor);
        for Address { name, url, .. } in addresses(&api) {
            self.permits(url).await.map_err(|error| match error {
                ActionError::Invalid(why) => ActionError::Invalid(format!("{name}: {why}")),
                other => other,
            })?;
        }
        let connector_url =
            query.map_or_else(|| self.connector_url(), |query| format!("{}?{query}", self.connector_url()));
        act!(self.insomnia_scim_connector.call_configure_idp_api(&by, &api, &connector_url))
    }

    /// Forgets this access and its secret. Tokens stay as they are.
    pub async fn remove_idp_api(&self, actor: impl Into<Actor>) -> Result<(), ActionError> {
        let by = self.by(actor);
        act!(self.insomnia_scim_connector.call_remove_idp_api(&by))
    }

    /// Makes a refresh over the identity provider's API due at once. This shows whether the access works.
    pub async fn refresh_by_idp_api(&self, actor: impl Into<Actor>) -> Result<(), ActionError> {
        let by = self.by(actor);
        act!(self.insomnia_scim_connector.call_refresh_by_idp_api(&by))
    }
}

/// A URL that somebody has typed.
pub(crate) struct Address<'a> {
    /// Its name in errors.
    pub(crate) name: &'static str,
    /// A JSON Pointer to it in the admin API's body.
    pub(crate) pointer: &'static str,
    pub(crate) url: &'a str,
}

/// The addresses in an access to an identity provider's API.
pub(crate) fn addresses(api: &IdpApi) -> Vec<Address<'_>> {
    let address = |name, pointer, url| Address { name, pointer, url };
    match api {
        IdpApi::Entra(entra) => {
            let login = entra.login_url.as_deref().map(|url| address("the login URL", "/api/entra/login_url", url));
            let graph = entra.graph_url.as_deref().map(|url| address("the Graph URL", "/api/entra/graph_url", url));
            login.into_iter().chain(graph).collect()
        }
        IdpApi::Okta(okta) => vec![address("the Okta URL", "/api/okta/org_url", &okta.org_url)],
    }
}
