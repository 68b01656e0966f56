//! Microsoft Entra ID: installs the secret token of an enterprise application's provisioning by Microsoft Graph.

use serde_json::json;

use super::outcome::{Failure, call, member};
use crate::capability::{HttpClient, HttpRequest};
use crate::text;

/// The addresses and the credentials of the API.
pub(super) struct Entra<'a> {
    pub(super) tenant_id: &'a str,
    pub(super) client_id: &'a str,
    pub(super) client_secret: &'a str,
    pub(super) service_principal_id: &'a str,
    pub(super) login_url: &'a str,
    pub(super) graph_url: &'a str,
}

impl Entra<'_> {
    /// Installs the token: `PUT /servicePrincipals/{id}/synchronization/secrets` (Graph 1.0), which answers 204.
    pub(super) fn install(
        &self,
        http: &dyn HttpClient,
        connector_url: &str,
        token: &str,
        now: u64,
    ) -> Result<(), Failure> {
        let access = self.sign_in(http, now)?;
        let secrets = json!({"value": [
            {"key": "BaseAddress", "value": connector_url},
            {"key": "SecretToken", "value": token},
        ]});
        let request = HttpRequest {
            method: "PUT".into(),
            url: format!(
                "{}/v1.0/servicePrincipals/{}/synchronization/secrets",
                self.graph_url, self.service_principal_id
            ),
            headers: vec![
                ("authorization".into(), format!("Bearer {access}")),
                ("content-type".into(), "application/json".into()),
            ],
            body: secrets.to_string().into_bytes(),
            timeout_milliseconds: None,
        };
        call(http, "Microsoft Graph", request, now).map(drop)
    }

    /// Gets an access token by client credentials (RFC 6749 §4.4).
    fn sign_in(&self, http: &dyn HttpClient, now: u64) -> Result<String, Failure> {
        let scope = format!("{}/.default", self.graph_url);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id),
            ("client_secret", self.client_secret),
            ("scope", &scope),
        ];
        let body = text::form(&form);
        let request = HttpRequest {
            method: "POST".into(),
            url: format!("{}/{}/oauth2/v2.0/token", self.login_url, self.tenant_id),
            headers: vec![
                ("content-type".into(), "application/x-www-form-urlencoded".into()),
                ("accept".into(), "application/json".into()),
            ],
            body: body.into_bytes(),
            timeout_milliseconds: None,
        };
        let response = call(http, "The Microsoft sign-in", request, now)?;
        let missing = || Failure::attention("The Microsoft sign-in gave no access token.");
        member(&response.body, "access_token").filter(|token| !token.is_empty()).ok_or_else(missing)
    }
}
