//! An identity provider with an API. It behaves like Microsoft Graph and Okta when a new token is installed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use insomnia_scim::OrganizationId;
use insomnia_scim::capability::http::{HttpClient, HttpError, IncomingResponse, OutgoingRequest};
use insomnia_scim::http::{EgressClient, HttpConfig};
use insomnia_scim::oauth::{EntraApi, IdpApi, OktaApi, OktaApiToken, OktaCredentials};
use serde_json::{Value, json};

use crate::rules::faults::Faults;
use crate::rules::organization::Acme;
use crate::rules::wire::{Received, Sent, Server, ask};

pub(super) const CLIENT_SECRET: &str = "entra~client-secret-8Q";
pub(super) const API_TOKEN: &str = "00okta-api-token-8Q";
const GRAPH_ACCESS: &str = "graph-access-token-8Q";

/// What the provider does with the next request to install.
pub(super) enum Then {
    /// Refuses with this status and these header fields.
    Refuse(u16, Vec<(&'static str, String)>),
    /// Takes the token, and the answer never comes.
    InstallInSilence,
    /// Says nothing, and does nothing.
    Silence,
    /// Closes the connection.
    Break,
    /// Says that it took the token, and goes on with the one before.
    Forget,
    /// Takes the token, and the host crashes before it hears of it.
    InstallAndCrash,
}

#[derive(Default)]
struct State {
    /// What it sends with its own requests.
    installed: String,
    script: VecDeque<Then>,
    /// Where the connection is tested while it is activated, as Okta does: the connector's address and path.
    tests: Option<(std::net::SocketAddr, String)>,
    /// What it takes for its own credentials.
    rejects: bool,
}

/// The provider.
pub(super) struct Provider {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Provider {
    /// Starts one that provisions with this token.
    pub(super) async fn start(token: &str, faults: Arc<Faults>) -> Self {
        let state = Arc::new(Mutex::new(State { installed: token.into(), ..State::default() }));
        let shared = Arc::clone(&state);
        let server = Server::start(move |received| answer(received, Arc::clone(&shared), Arc::clone(&faults))).await;
        Self { server, state }
    }

    /// From now on it tests a connection at this connector URL before it keeps the token.
    pub(super) fn tests(&self, address: std::net::SocketAddr) {
        self.state.lock().unwrap().tests = Some((address, "/scim/v2/acme/Users?count=1".into()));
    }

    /// Whether it rejects the credentials that it is called with.
    pub(super) fn rejects(&self, rejects: bool) {
        self.state.lock().unwrap().rejects = rejects;
    }

    /// What it does next.
    pub(super) fn will(&self, then: Then) {
        self.state.lock().unwrap().script.push_back(then);
    }

    /// The token that it provisions with.
    pub(super) fn installed(&self) -> String {
        self.state.lock().unwrap().installed.clone()
    }

    /// A request as it would send it now.
    pub(super) async fn sync(&self, acme: &Acme) -> u16 {
        acme.ping(&self.installed()).await
    }

    /// The requests that install a token.
    pub(super) fn installs(&self) -> Vec<Received> {
        self.server.received().into_iter().filter(|received| !received.target.contains("oauth2")).collect()
    }

    /// The requests that sign in.
    pub(super) fn sign_ins(&self) -> Vec<Received> {
        self.server.received().into_iter().filter(|received| received.target.contains("oauth2")).collect()
    }

    pub(super) fn entra(&self) -> IdpApi {
        self.entra_with(CLIENT_SECRET)
    }

    pub(super) fn entra_with(&self, client_secret: &str) -> IdpApi {
        IdpApi::Entra(EntraApi {
            tenant_id: "contoso.onmicrosoft.com".into(),
            client_id: "11111111-2222".into(),
            client_secret: client_secret.into(),
            service_principal_id: "33333333-4444".into(),
            login_url: Some(format!("{}/login", self.server.url())),
            graph_url: Some(format!("{}/graph", self.server.url())),
        })
    }

    pub(super) fn okta(&self, credentials: OktaCredentials) -> IdpApi {
        IdpApi::Okta(OktaApi { org_url: self.server.url(), app_id: "0oa1".into(), credentials })
    }
}

async fn answer(received: Received, state: Arc<Mutex<State>>, faults: Arc<Faults>) -> Sent {
    if received.target.contains("oauth2") {
        let good = received.body.contains(&format!("client_secret={CLIENT_SECRET}"))
            || received.body.contains("client_assertion=");
        let error = json!({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"});
        return if good && !state.lock().unwrap().rejects {
            Sent::json(200, &json!({"access_token": GRAPH_ACCESS, "token_type": "Bearer", "expires_in": 3_599}))
        } else {
            Sent::json(401, &error)
        };
    }
    let entra = received.target == "/graph/v1.0/servicePrincipals/33333333-4444/synchronization/secrets";
    let okta = received.target == "/api/v1/apps/0oa1/connections/default?activate=true";
    assert!(entra && received.method == "PUT" || okta && received.method == "POST", "{received:?}");
    let authorized = [format!("Bearer {GRAPH_ACCESS}"), format!("SSWS {API_TOKEN}")];
    if state.lock().unwrap().rejects || !authorized.iter().any(|header| received.header("authorization") == header) {
        return Sent::json(401, &json!({"errorCode": "E0000011", "errorSummary": "Invalid token provided"}));
    }
    let token = token_of(&received.json());
    let next = state.lock().unwrap().script.pop_front();
    match next {
        Some(Then::Refuse(status, mut headers)) => {
            headers.push(("content-type", "application/json".into()));
            return Sent::Answer(status, headers, json!({"errorCode": "E0000047", "echo": token}).to_string());
        }
        Some(Then::InstallInSilence) => {
            state.lock().unwrap().installed = token;
            return Sent::Silence;
        }
        Some(Then::Silence) => return Sent::Silence,
        Some(Then::Break) => return Sent::Break,
        Some(Then::Forget) => return done(entra),
        Some(Then::InstallAndCrash) => {
            state.lock().unwrap().installed = token;
            faults.crash_after(0);
            return done(entra);
        }
        None => {}
    }
    let tests = state.lock().unwrap().tests.clone();
    if let Some((address, path)) = tests {
        let bearer = format!("Bearer {token}");
        if ask(address, "GET", &path, &[("authorization", &bearer)], "").await.status != 200 {
            return Sent::json(400, &json!({"errorCode": "E0000001", "errorSummary": "Api validation failed"}));
        }
    }
    state.lock().unwrap().installed = token;
    done(entra)
}

fn done(entra: bool) -> Sent {
    if entra {
        Sent::Answer(204, Vec::new(), String::new())
    } else {
        Sent::json(200, &json!({"authScheme": "TOKEN", "status": "ENABLED"}))
    }
}

/// The token that a request installs.
pub(super) fn token_of(body: &Value) -> String {
    let entra = body["value"].as_array().and_then(|pairs| pairs.iter().find(|pair| pair["key"] == "SecretToken"));
    entra.map_or(&body["profile"]["token"], |pair| &pair["value"]).as_str().unwrap().to_owned()
}

/// The real client, permitted to call loopback; a host that has crashed calls nobody.
pub(super) struct Loopback {
    client: EgressClient,
    faults: Arc<Faults>,
}

impl Loopback {
    pub(super) fn new(faults: Arc<Faults>) -> Self {
        let permit = vec!["http://127.0.0.1".to_owned()];
        let config = HttpConfig { permit, timeout_seconds: Some(1), ..HttpConfig::default() };
        Self { client: config.client().unwrap(), faults }
    }
}

#[async_trait]
impl HttpClient for Loopback {
    async fn send(
        &self,
        organization: &OrganizationId,
        request: OutgoingRequest,
    ) -> Result<IncomingResponse, HttpError> {
        if self.faults.is_crashed() {
            return Err(HttpError::Unreachable("the host has crashed".into()));
        }
        self.client.send(organization, request).await
    }
}

/// Okta's credentials of both kinds.
pub(super) fn api_token() -> OktaCredentials {
    OktaCredentials::ApiToken(OktaApiToken { token: API_TOKEN.into() })
}
