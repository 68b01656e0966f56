//! The automatic refresh against identity providers that behave as Microsoft Graph and Okta do.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use insomnia_scim_contract::{Actor as Who, EntraApi, IdpApi, OktaApi, OktaApiToken, OktaCredentials, OktaPrivateKey};
use serde_json::{Value, json};

mod trouble;

use super::*;
use crate::capability::{HttpClient, HttpError, HttpRequest, HttpResponse};
use crate::connector::fixture::{BEGIN, CONNECTOR_URL, MEMBER, OWNER, enabled, scim};
use crate::connector::{self, ConnectorError, Window};
use crate::testing::MemoryHost;

const CLIENT_SECRET: &str = "entra~client-secret";
const API_TOKEN: &str = "00okta-api-token";

/// How the provider reacts to the next request to install a token.
enum Then {
    Fail(u16, &'static str),
    Error(HttpError),
    /// It installs the token, but the answer is lost.
    InstallAndTimeOut,
    /// It says that it installed the token, but did not.
    Forget,
    /// It answers as Okta does for an application whose connection has no API.
    Ignore,
}

/// An identity provider and its organization.
struct Provider {
    memory: MemoryHost,
    first: String,
    /// The token that the provider uses in its requests.
    installed: RefCell<String>,
    script: RefCell<VecDeque<Then>>,
    requests: RefCell<Vec<HttpRequest>>,
    /// Whether the provider tests a connection while it installs it, as Okta does.
    tests: bool,
    /// How the organization is changed while the provider handles a request.
    meanwhile: Cell<Option<fn(&MemoryHost)>>,
}

impl HttpClient for Provider {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        self.requests.borrow_mut().push(request.clone());
        if request.url.contains("/oauth2/") {
            return Ok(answer(200, json!({"access_token": "graph-access-token", "token_type": "Bearer"})));
        }
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile(&self.memory);
        }
        let next = self.script.borrow_mut().pop_front();
        match next {
            Some(Then::Fail(status, retry_after)) => {
                let mut answer = answer(status, json!({"errorCode": "E0000006", "echo": token_of(request)}));
                if !retry_after.is_empty() {
                    answer.headers.push(("retry-after".into(), retry_after.into()));
                }
                return Ok(answer);
            }
            Some(Then::Error(error)) => return Err(error),
            Some(Then::Forget) => return Ok(answer(204, Value::Null)),
            Some(Then::Ignore) => return Ok(answer(200, json!({"authScheme": "UNKNOWN", "status": "UNKNOWN"}))),
            Some(Then::InstallAndTimeOut) => {
                *self.installed.borrow_mut() = token_of(request);
                return Err(HttpError::Timeout);
            }
            None => {}
        }
        if self.tests && scim(self.memory.host(), &token_of(request)).status != 200 {
            return Ok(answer(400, json!({"errorCode": "E0000001"})));
        }
        *self.installed.borrow_mut() = token_of(request);
        Ok(answer(if self.tests { 200 } else { 204 }, Value::Null))
    }
}

fn answer(status: u16, body: Value) -> HttpResponse {
    HttpResponse { status, headers: Vec::new(), body: body.to_string().into_bytes() }
}

/// The token that a request installs.
fn token_of(request: &HttpRequest) -> String {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let entra = body["value"].as_array().and_then(|pairs| pairs.iter().find(|pair| pair["key"] == "SecretToken"));
    entra.map_or(&body["profile"]["token"], |pair| &pair["value"]).as_str().unwrap().to_owned()
}

impl Provider {
    fn new(api: IdpApi, window: Window) -> Self {
        let (memory, first) = enabled(window);
        configure(memory.host(), &memory.host().store(), OWNER, api, CONNECTOR_URL).unwrap();
        Self {
            memory,
            installed: RefCell::new(first.clone()),
            first,
            script: RefCell::default(),
            requests: RefCell::default(),
            tests: false,
            meanwhile: Cell::default(),
        }
    }

    fn entra() -> Self {
        Self::new(entra_api(), Window::Days30)
    }

    fn okta() -> Self {
        Self { tests: true, ..Self::new(okta_api(), Window::Days30) }
    }

    fn host(&self) -> Host<'_> {
        Host { http: self, ..self.memory.host() }
    }

    fn run(&self) -> Option<u64> {
        run_due(self.host()).unwrap()
    }

    /// Does one step only, as if the process ended after it.
    fn step(&self) -> Step {
        step(self.host()).unwrap()
    }

    fn on_day(&self, day: u64) {
        self.memory.set_now(BEGIN + day * DAY);
    }

    fn after(&self, milliseconds: u64) {
        self.memory.set_now(self.memory.host().clock.now() + milliseconds);
    }

    /// A request as the provider would send it now.
    fn sync(&self) -> u16 {
        let token = self.installed.borrow().clone();
        scim(self.memory.host(), &token).status
    }

    fn try_token(&self, token: &str) -> u16 {
        scim(self.memory.host(), token).status
    }

    fn status(&self) -> RefreshStatus {
        status(&self.memory.host().store()).unwrap()
    }

    fn installs(&self) -> Vec<HttpRequest> {
        self.requests.borrow().iter().filter(|request| !request.url.contains("/oauth2/")).cloned().collect()
    }

    fn will(&self, then: Then) {
        self.script.borrow_mut().push_back(then);
    }

    fn generation(&self) -> u32 {
        connector::status(&self.memory.host().store()).unwrap().generation
    }
}

fn entra_api() -> IdpApi {
    IdpApi::Entra(EntraApi {
        tenant_id: "contoso.onmicrosoft.com".into(),
        client_id: "11111111-2222".into(),
        client_secret: CLIENT_SECRET.into(),
        service_principal_id: "33333333-4444".into(),
        login_url: Some("http://127.0.0.1:1/login/".into()),
        graph_url: Some("http://127.0.0.1:1/graph".into()),
    })
}

fn okta_api() -> IdpApi {
    okta("https://example.okta.com/", "0oa1", API_TOKEN)
}

fn okta(org_url: &str, app_id: &str, token: &str) -> IdpApi {
    let credentials = OktaCredentials::ApiToken(OktaApiToken { token: token.into() });
    IdpApi::Okta(OktaApi { org_url: org_url.into(), app_id: app_id.into(), credentials })
}

#[test]
fn p2_nothing_is_done_before_a_fifth_of_the_window_is_left() {
    let provider = Provider::entra();
    assert_eq!(provider.run(), Some(BEGIN + DAY), "the daily sweep");
    provider.on_day(24);
    provider.memory.set_now(BEGIN + 24 * DAY - 1);
    assert_eq!(provider.run(), Some(BEGIN + 24 * DAY));
    assert!(provider.installs().is_empty());
    assert_eq!((provider.status().state, provider.generation()), (RefreshState::Scheduled, 1));
}

#[test]
fn p2_entra_gets_the_token_over_graph_and_the_old_one_ends_after_a_request_with_the_new_one() {
    let provider = Provider::entra();
    provider.on_day(24);
    provider.run();
    let requests = provider.requests.borrow().clone();
    assert_eq!(requests[0].url, "http://127.0.0.1:1/login/contoso.onmicrosoft.com/oauth2/v2.0/token");
    let form = String::from_utf8(requests[0].body.clone()).unwrap();
    assert!(
        form.starts_with("grant_type=client_credentials&client_id=11111111-2222&client_secret=entra~client-secret")
    );
    assert!(form.ends_with("&scope=http%3A%2F%2F127.0.0.1%3A1%2Fgraph%2F.default"));
    let put = "http://127.0.0.1:1/graph/v1.0/servicePrincipals/33333333-4444/synchronization/secrets";
    assert_eq!((requests[1].method.as_str(), requests[1].url.as_str()), ("PUT", put));
    assert!(requests[1].headers.contains(&("authorization".into(), "Bearer graph-access-token".into())));
    let body: Value = serde_json::from_slice(&requests[1].body).unwrap();
    assert_eq!(body["value"][0], json!({"key": "BaseAddress", "value": CONNECTOR_URL}));

    assert_eq!((provider.status().state, provider.generation()), (RefreshState::Verifying, 1));
    assert_eq!(provider.try_token(&provider.first), 200);
    assert_eq!(provider.sync(), 200);
    assert_eq!((provider.status().state, provider.generation()), (RefreshState::Scheduled, 2));
    assert_eq!(provider.try_token(&provider.first), 200, "requests under way are let in");
    provider.after(OVERLAP);
    assert_eq!((provider.try_token(&provider.first), provider.sync()), (401, 200));
    provider.run();
    assert_eq!(provider.installs().len(), 1);
}

#[test]
fn p2_okta_gets_the_token_over_its_connection_and_its_own_test_verifies_it() {
    let provider = Provider::okta();
    provider.on_day(24);
    provider.run();
    let request = provider.installs().remove(0);
    let post = "https://example.okta.com/api/v1/apps/0oa1/connections/default?activate=true";
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", post));
    assert!(request.headers.contains(&("authorization".into(), format!("SSWS {API_TOKEN}"))));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, json!({"profile": {"authScheme": "TOKEN", "token": provider.installed.borrow().as_str()}}));
    assert_eq!((provider.status().state, provider.generation()), (RefreshState::Scheduled, 2));
    assert_eq!(provider.status().last_success, Some(BEGIN + 24 * DAY));
    provider.after(OVERLAP);
    assert_eq!((provider.sync(), provider.try_token(&provider.first)), (200, 401));
}

#[test]
fn p2_okta_with_a_private_key_signs_in_first() {
    let jwk = r#"{"kty":"EC","crv":"P-256","kid":"k1","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
    let key = OktaPrivateKey { client_id: "0oc1".into(), private_key: jwk.into() };
    let api = IdpApi::Okta(OktaApi {
        org_url: "https://example.okta.com".into(),
        app_id: "0oa1".into(),
        credentials: OktaCredentials::PrivateKey(key),
    });
    let provider = Provider { tests: true, ..Provider::new(api, Window::Never) };
    provider.on_day(90);
    provider.run();
    let requests = provider.requests.borrow().clone();
    assert_eq!(requests[0].url, "https://example.okta.com/oauth2/v1/token");
    assert!(String::from_utf8_lossy(&requests[0].body).contains("scope=okta.apps.manage&client_assertion_type="));
    assert!(requests[1].headers.contains(&("authorization".into(), "Bearer graph-access-token".into())));
    assert_eq!(provider.generation(), 2);
    assert!(!provider.memory.dump().contains("jpsQnnGQmL"));
}

#[test]
fn p2_a_test_of_a_connection_that_is_not_kept_does_not_end_the_old_token() {
    let provider = Provider::okta();
    provider.on_day(24);
    provider.step();
    // The provider tests the new token, and then fails.
    provider.will(Then::Fail(500, ""));
    provider.meanwhile.set(Some(|memory| {
        let store = memory.host().store();
        arrived(&store, 2).unwrap();
    }));
    provider.step();
    assert_eq!((provider.generation(), provider.status().state), (1, RefreshState::Retrying));
    assert_eq!(provider.sync(), 200);
    provider.after(6 * HOUR);
    provider.run();
    assert_eq!((provider.generation(), provider.sync()), (2, 200));
}

#[test]
fn p2_429_is_tried_again_when_the_provider_asks_for_it() {
    for (value, wait) in [("120", 120_000), ("Mon, 01 Jan 2001 00:00:00 GMT", 1_000)] {
        let provider = Provider::okta();
        provider.will(Then::Fail(429, value));
        provider.on_day(24);
        let now = BEGIN + 24 * DAY;
        assert_eq!(provider.run(), Some(now + wait));
        assert_eq!(provider.status().next_attempt, Some(now + wait));
        provider.memory.set_now(now + wait - 1);
        provider.run();
        assert_eq!((provider.installs().len(), provider.sync()), (1, 200));
        provider.memory.set_now(now + wait);
        provider.run();
        assert_eq!((provider.installs().len(), provider.generation()), (2, 2));
    }
}

#[test]
fn p2_5xx_timeouts_and_lost_connections_are_tried_again_with_back_off_and_the_same_token() {
    let provider = Provider::entra();
    provider.will(Then::Fail(503, ""));
    provider.will(Then::Error(HttpError::Timeout));
    provider.will(Then::Error(HttpError::Unreachable("reset".into())));
    provider.on_day(24);
    let mut waits = Vec::new();
    for _ in 0..3 {
        let now = provider.memory.host().clock.now();
        let next = provider.run().unwrap();
        waits.push(next - now);
        assert_eq!((provider.status().state, provider.sync()), (RefreshState::Retrying, 200));
        provider.memory.set_now(next);
    }
    assert!(waits[0] < waits[1] && waits[1] < waits[2], "{waits:?}");
    assert_eq!(provider.status().failures, 3);
    assert!(!will_refresh(&provider.memory.host().store()).unwrap());
    provider.run();
    let tokens: Vec<String> = provider.installs().iter().map(token_of).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]) && tokens.len() == 4);
    assert_eq!((provider.sync(), provider.generation(), provider.status().failures), (200, 2, 0));
}

#[test]
fn p2_an_installation_whose_answer_was_lost_is_verified_by_the_first_request() {
    let provider = Provider::entra();
    provider.will(Then::InstallAndTimeOut);
    provider.on_day(24);
    provider.run();
    assert_eq!((provider.status().state, provider.generation()), (RefreshState::Retrying, 1));
    assert_eq!((provider.sync(), provider.generation()), (200, 2));
    assert_eq!(provider.status().state, RefreshState::Scheduled);
    provider.run();
    assert_eq!(provider.installs().len(), 1);
}

#[test]
fn p2_a_token_that_was_accepted_but_not_installed_is_installed_again_and_the_status_says_so() {
    let provider = Provider::entra();
    provider.will(Then::Forget);
    provider.on_day(24);
    provider.run();
    assert_eq!((provider.status().state, provider.sync(), provider.generation()), (RefreshState::Verifying, 200, 1));
    provider.after(6 * HOUR);
    let next = provider.run().unwrap();
    assert_eq!((provider.status().state, provider.installs().len()), (RefreshState::Unconfirmed, 1));
    assert!(!will_refresh(&provider.memory.host().store()).unwrap());
    provider.memory.set_now(next);
    provider.run();
    assert_eq!((provider.status().state, provider.installs().len()), (RefreshState::Unconfirmed, 2));
    assert_eq!((provider.sync(), provider.generation()), (200, 2));
    assert_eq!(provider.status().state, RefreshState::Scheduled);
}

#[test]
fn p2_a_refresh_that_took_weeks_does_not_shorten_the_new_tokens_life() {
    let provider = Provider::entra();
    provider.will(Then::Fail(403, ""));
    provider.on_day(24);
    provider.run();
    provider.on_day(29);
    provider.run();
    provider.sync();
    let token = connector::status(&provider.memory.host().store()).unwrap();
    assert_eq!(token.expires, Some(BEGIN + (29 + 30) * DAY));
}

#[test]
fn p2_an_expired_token_is_refreshed_as_well() {
    let provider = Provider::entra();
    provider.on_day(31);
    assert_eq!(provider.sync(), 401);
    provider.run();
    assert_eq!((provider.sync(), provider.generation()), (200, 2));
}

#[test]
fn p2_a_crash_between_any_two_steps_ends_in_a_working_connector() {
    // The process crashes after this number of steps, with or without a running call to the provider. Everything in
    // memory is lost.
    for crash_after in 0..4 {
        let provider = Provider::entra();
        provider.on_day(24);
        for _ in 0..crash_after {
            provider.step();
            assert_eq!((provider.sync(), provider.try_token(&provider.first)), (200, 200));
        }
        provider.after(HOUR);
        provider.run();
        assert_eq!((provider.sync(), provider.generation()), (200, 2), "after {crash_after} steps");
        provider.after(HOUR);
        provider.run();
        assert_eq!((provider.sync(), provider.try_token(&provider.first)), (200, 401));
    }
}

/// A client that ends the process in the middle of a call, so that the lease stays.
struct Crash<'a>(&'a Provider, bool);

impl HttpClient for Crash<'_> {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        if self.1 {
            let _ = self.0.send(request);
        }
        std::panic::resume_unwind(Box::new("the process ends"));
    }
}

#[test]
fn p2_a_crash_during_the_installation_is_continued_when_the_lease_is_over() {
    for installs in [false, true] {
        let provider = Provider::okta();
        provider.on_day(24);
        provider.step();
        let crash = Crash(&provider, installs);
        let host = Host { http: &crash, ..provider.memory.host() };
        let crashed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| step(host)));
        assert!(crashed.is_err());
        assert_eq!(provider.sync(), 200, "the provider has the one or the other");
        let lease = provider.run().unwrap();
        assert_eq!(provider.installs().len(), usize::from(installs), "nobody else installs meanwhile");
        assert_eq!(lease, BEGIN + 24 * DAY + 2 * MINUTE);
        provider.memory.set_now(lease);
        provider.run();
        assert_eq!((provider.sync(), provider.generation()), (200, 2));
        provider.after(OVERLAP);
        assert_eq!((provider.sync(), provider.try_token(&provider.first)), (200, 401));
    }
}

#[test]
fn p2_a_manual_refresh_overtakes_the_automatic_one_and_another_sets_the_provider_right() {
    let provider = Provider::entra();
    provider.on_day(24);
    provider.step();
    provider.meanwhile.set(Some(|memory| {
        connector::refresh(&memory.host().store(), Who::Operator, None, None, 0).unwrap();
    }));
    provider.step();
    assert_eq!(provider.sync(), 401, "the overtaken token is of no worth");
    provider.run();
    assert_eq!((provider.sync(), provider.installs().len()), (200, 2));
    assert_eq!(provider.status().state, RefreshState::Scheduled);
}

#[test]
fn p1_disabling_ends_a_refresh_under_way() {
    let provider = Provider::entra();
    provider.on_day(24);
    provider.run();
    connector::disable(&provider.memory.host().store(), OWNER).unwrap();
    assert_eq!((provider.sync(), provider.status().state), (401, RefreshState::Off));
    provider.run();
    let enabled = connector::enable(&provider.memory.host().store(), OWNER, "azure", Window::Days30).unwrap();
    assert_eq!((provider.sync(), provider.try_token(&enabled.token)), (401, 200));
    assert_eq!(provider.status().state, RefreshState::Scheduled);
}

#[test]
fn p2_access_is_configured_by_an_administrator_and_checked() {
    let (memory, _) = enabled(Window::Days30);
    let host = memory.host();
    let set = |api| configure(host, &host.store(), OWNER, api, CONNECTOR_URL);
    assert!(matches!(
        configure(host, &host.store(), MEMBER, okta_api(), CONNECTOR_URL),
        Err(ConnectorError::Forbidden)
    ));
    assert!(matches!(configure(host, &host.store(), OWNER, okta_api(), "ftp://x"), Err(ConnectorError::Invalid(_))));
    for bad in [
        okta("http://example.okta.com", "0oa1", "x"),
        okta("https://a@b", "0oa1", "x"),
        okta("https://example.okta.com", "../users", "x"),
        okta("https://example.okta.com", "..", "x"),
        okta("https://example.okta.com", "0oa1", ""),
        okta("https://example.okta.com", "0oa1", "x\r\ny: z"),
    ] {
        assert!(matches!(set(bad), Err(ConnectorError::Invalid(_))));
    }
    set(okta_api()).unwrap();
    configure(host, &host.store(), OWNER, okta_api(), &format!("{CONNECTOR_URL}?aadOptscim062020")).unwrap();
    let store = memory.host().store();
    assert_eq!(status(&store).unwrap().method, RefreshMethod::IdpApi);
    assert_eq!(remove(&store, MEMBER), Err(ConnectorError::Forbidden));
    remove(&store, OWNER).unwrap();
    assert_eq!(status(&store).unwrap().method, RefreshMethod::Manual);
    assert!(matches!(remove(&store, OWNER), Err(ConnectorError::NotFound(_))));
    assert!(!memory.dump().contains("idp-api ="));
}

#[test]
fn p2_what_needed_attention_is_tried_again_as_soon_as_it_is_corrected() {
    let provider = Provider::okta();
    provider.will(Then::Fail(401, ""));
    provider.on_day(24);
    provider.run();
    configure(provider.host(), &provider.host().store(), OWNER, okta_api(), CONNECTOR_URL).unwrap();
    provider.run();
    assert_eq!((provider.generation(), provider.sync()), (2, 200));
}

#[test]
fn p2_a_refresh_can_be_asked_for_at_any_time() {
    let provider = Provider::okta();
    let store = provider.memory.host().store();
    assert_eq!(refresh_now(&store, MEMBER), Err(ConnectorError::Forbidden));
    refresh_now(&store, OWNER).unwrap();
    assert!(provider.memory.take_wake().is_some());
    provider.run();
    assert_eq!((provider.generation(), provider.sync()), (2, 200));
    provider.run();
    assert_eq!(provider.installs().len(), 1);
}

#[test]
fn p2_removed_access_leaves_a_token_that_was_installed_working() {
    let provider = Provider::entra();
    provider.on_day(24);
    provider.run();
    remove(&provider.memory.host().store(), OWNER).unwrap();
    assert_eq!((provider.sync(), provider.generation()), (200, 2));
}

/// The answer of the token endpoint to this form.
fn granted_to(memory: &MemoryHost, form: &str) -> Vec<u8> {
    let request = oauth::OAuthRequest { body: form.as_bytes().to_vec(), ..Default::default() };
    oauth::token(memory.host(), &request).body
}

#[test]
fn p2_a_plain_bearer_connector_has_nothing_to_refresh_and_an_oauth_connector_renews_by_itself() {
    let (memory, token) = enabled(Window::Days30);
    memory.set_now(BEGIN + 29 * DAY);
    run_due(memory.host()).unwrap();
    assert!(memory.requests.borrow().is_empty());
    let store = memory.host().store();
    assert!(!will_refresh(&store).unwrap());
    let new = oauth::NewClient { name: "Entra".into(), client_credentials: true, ..Default::default() };
    let client = oauth::create(&store, OWNER, &new).unwrap();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        client.client.id,
        client.secret.unwrap()
    );
    let granted: Value = serde_json::from_slice(&granted_to(&memory, &form)).unwrap();
    assert_eq!(scim(memory.host(), granted["access_token"].as_str().unwrap()).status, 200);
    let store = memory.host().store();
    assert_eq!(status(&store).unwrap().method, RefreshMethod::OAuth);
    assert!(will_refresh(&store).unwrap());
    assert_eq!(scim(memory.host(), &token).status, 200);
    let store = memory.host().store();
    assert_eq!(status(&store).unwrap().method, RefreshMethod::Manual, "somebody still comes with the token");
}

#[test]
fn p2_an_oauth_client_that_is_tried_out_does_not_hide_that_the_token_expires() {
    let (memory, token) = enabled(Window::Days90);
    let store = memory.host().store();
    let new = oauth::NewClient { name: "Entra".into(), client_credentials: true, ..Default::default() };
    let client = oauth::create(&store, OWNER, &new).unwrap();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        client.client.id,
        client.secret.unwrap()
    );
    let try_out = || {
        let granted = granted_to(&memory, &form);
        let granted: Value = serde_json::from_slice(&granted).unwrap();
        assert_eq!(scim(memory.host(), granted["access_token"].as_str().unwrap()).status, 200);
    };
    let method = || status(&memory.host().store()).unwrap().method;
    memory.set_now(BEGIN + DAY);
    assert_eq!(scim(memory.host(), &token).status, 200);
    memory.set_now(BEGIN + 20 * DAY);
    try_out();
    assert_eq!(method(), RefreshMethod::Manual);
    memory.set_now(BEGIN + 40 * DAY);
    try_out();
    assert_eq!(method(), RefreshMethod::OAuth, "the token was not used for a month");
    memory.set_now(BEGIN + 75 * DAY);
    assert_eq!(method(), RefreshMethod::Manual, "neither were access tokens");
    try_out();
    oauth::delete(&memory.host().store(), OWNER, &client.client.id).unwrap();
    assert_eq!(method(), RefreshMethod::Manual, "there is no client any more");
}

#[test]
fn no_secret_of_a_refresh_is_stored_in_the_open_and_the_sealed_token_is_dropped_once_verified() {
    let provider = Provider::entra();
    provider.will(Then::Fail(500, ""));
    provider.on_day(24);
    let next = provider.run().unwrap();
    provider.memory.set_now(next);
    provider.run();
    let new = provider.installed.borrow().clone();
    for dump in [provider.memory.dump(), {
        provider.sync();
        provider.memory.dump()
    }] {
        for secret in [new.as_str(), &provider.first, CLIENT_SECRET, "graph-access-token"] {
            assert!(!dump.contains(secret), "{secret}");
        }
    }
    assert!(!provider.memory.dump().lines().any(|line| line.starts_with("refresh =") && line.contains("sealed")));
}
