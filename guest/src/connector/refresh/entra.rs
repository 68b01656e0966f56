//! Microsoft Entra ID: installs the secret token of an enterprise application's provisioning by Microsoft Graph.

use serde_json::json;

use super::outcome::{Failure, access_token, call};
use crate::capability::{HttpClient, HttpRequest};

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

    fn sign_in(&self, http: &dyn HttpClient, now: u64) -> Result<String, Failure> {
        let scope = format!("{}/.default", self.graph_url);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id),
            ("client_secret", self.client_secret),
            ("scope", &scope),
        ];
        let url = format!("{}/{}/oauth2/v2.0/token", self.login_url, self.tenant_id);
        access_token(http, "The Microsoft sign-in", url, &form, now)
    }
}
