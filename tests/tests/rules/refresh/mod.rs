//! P2: the automatic refresh, which installs the new token at the identity provider, tested with servers that behave
//! like Microsoft Graph and Okta.

mod crashes;
mod failures;
mod provider;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use insomnia_scim::ActionError;
use insomnia_scim::connector::{ExpiryWindow, TokenStatus};
use insomnia_scim::oauth::{OktaCredentials, OktaPrivateKey, RefreshMethod, RefreshState, RefreshStatus};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::rules::organization::{Acme, OWNER};
use crate::rules::wire::Site;
use crate::rules::world::{BEGIN, DAY, HOUR, Host, MINUTE, World};
use provider::{CLIENT_SECRET, Loopback, Provider, api_token, token_of};

/// The example key of RFC 7515 appendix A.3.
const JWK: &str = r#"{"kty":"EC","crv":"P-256","kid":"k1","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

/// An organization whose token of 30 days is to be refreshed on day 24, and its provider.
pub(super) struct Scene {
    world: World,
    host: Host,
    acme: Acme,
    provider: Provider,
    _site: Site,
}

impl Scene {
    async fn new(window: ExpiryWindow) -> Self {
        let mut world = World::in_memory();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        world.base_url = format!("http://{address}");
        world.http = Some(Arc::new(Loopback::new(Arc::clone(&world.faults))));
        let host = world.host().await;
        let site = Site::serve_at(listener, host.provisioner.router());
        let acme = Acme::enabled(&host, 9, window).await;
        let provider = Provider::start(&acme.token, Arc::clone(&world.faults)).await;
        Self { world, host, acme, provider, _site: site }
    }

    async fn entra() -> Self {
        let scene = Self::new(ExpiryWindow::Days30).await;
        let api = scene.provider.entra();
        scene.acme.organization.configure_idp_api(OWNER, api, Some("aadOptscim062020")).await.unwrap();
        scene
    }

    async fn okta(credentials: OktaCredentials) -> Self {
        let scene = Self::new(ExpiryWindow::Days30).await;
        scene.provider.tests(scene._site.address);
        let api = scene.provider.okta(credentials);
        scene.acme.organization.configure_idp_api(OWNER, api, None).await.unwrap();
        scene
    }

    /// Lives until so many milliseconds after the begin, with a sync of the provider at the end.
    async fn until(&self, after_begin: u64) {
        self.world.live_until(&self.host, BEGIN + after_begin).await;
    }

    async fn status(&self) -> RefreshStatus {
        self.acme.organization.refresh_status().await.unwrap()
    }

    async fn generation(&self) -> u32 {
        self.acme.organization.status().await.unwrap().generation
    }

    async fn sync(&self) -> u16 {
        self.provider.sync(&self.acme).await
    }
}

#[tokio::test]
async fn p2_nothing_is_installed_before_a_fifth_of_the_window_is_left() {
    let scene = Scene::entra().await;
    scene.until(24 * DAY - 1).await;
    assert!(scene.provider.installs().is_empty());
    let status = scene.status().await;
    assert_eq!((status.method, status.state), (RefreshMethod::IdpApi, RefreshState::Scheduled));
    assert_eq!(status.next_attempt, Some(BEGIN + 24 * DAY));
    scene.until(24 * DAY).await;
    assert_eq!(scene.provider.installs().len(), 1);
}

#[tokio::test]
async fn p2_entra_gets_the_token_over_graph_and_its_first_request_verifies_it() {
    let scene = Scene::entra().await;
    scene.until(24 * DAY + MINUTE).await;
    let sign_in = &scene.provider.sign_ins()[0];
    assert_eq!(
        (sign_in.method.as_str(), sign_in.target.as_str()),
        ("POST", "/login/contoso.onmicrosoft.com/oauth2/v2.0/token")
    );
    assert!(sign_in.body.contains("grant_type=client_credentials") && sign_in.body.contains("%2Fgraph%2F.default"));
    let install = scene.provider.installs()[0].json();
    let url = format!("{}?aadOptscim062020", scene.acme.organization.connector_url());
    assert_eq!(install["value"][0], json!({"key": "BaseAddress", "value": url}));

    // Two phases: until the first request with the new one, both work.
    let new = scene.provider.installed();
    assert_ne!(new, scene.acme.token);
    assert_eq!(scene.status().await.state, RefreshState::Verifying);
    assert_eq!((scene.generation().await, scene.acme.ping(&scene.acme.token).await), (1, 200));
    scene.world.pass(40 * MINUTE);
    assert_eq!(scene.sync().await, 200);
    let status = scene.status().await;
    assert_eq!((status.state, status.last_success), (RefreshState::Scheduled, Some(scene.world.now())));
    let connector = scene.acme.organization.status().await.unwrap();
    assert_eq!((connector.generation, connector.status), (2, TokenStatus::Valid));
    // The old one is let in for requests under way, and not for long.
    assert_eq!(scene.acme.ping(&scene.acme.token).await, 200);
    scene.world.pass(10 * MINUTE);
    assert_eq!((scene.acme.ping(&scene.acme.token).await, scene.sync().await), (401, 200));
    assert_eq!(scene.acme.event_types().await.iter().filter(|kind| *kind == "token.refreshed").count(), 1);
}

#[tokio::test]
async fn p2_okta_tests_the_connection_while_it_is_activated_and_that_verifies_the_token() {
    let scene = Scene::okta(api_token()).await;
    scene.until(24 * DAY + MINUTE).await;
    let install = &scene.provider.installs()[0];
    assert_eq!(install.json()["profile"]["authScheme"], "TOKEN");
    assert_ne!(scene.provider.installed(), scene.acme.token);
    assert_eq!((scene.generation().await, scene.status().await.state), (2, RefreshState::Scheduled));
    assert_eq!(scene.sync().await, 200);
    scene.world.pass(10 * MINUTE);
    assert_eq!(scene.acme.ping(&scene.acme.token).await, 401);
}

#[tokio::test]
async fn p2_okta_with_a_key_gets_a_signed_assertion_and_no_secret() {
    let key = OktaCredentials::PrivateKey(OktaPrivateKey { client_id: "0oa-service".into(), private_key: JWK.into() });
    let scene = Scene::okta(key).await;
    scene.until(24 * DAY + MINUTE).await;
    let sign_in = &scene.provider.sign_ins()[0];
    assert_eq!(sign_in.target, "/oauth2/v1/token");
    assert!(sign_in.body.contains("scope=okta.apps.manage"), "{}", sign_in.body);
    let assertion = sign_in.body.split("client_assertion=").nth(1).unwrap();
    let parts: Vec<&str> = assertion.split('.').collect();
    assert_eq!(parts.len(), 3);
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("0oa-service"), &json!("0oa-service")));
    assert!(claims["aud"].as_str().unwrap().ends_with("/oauth2/v1/token"));
    assert!(claims["exp"].as_u64().unwrap() > (BEGIN + 24 * DAY) / 1_000);
    assert!(!sign_in.body.contains("jpsQnnGQmL"), "the key stays here");
    assert_eq!(scene.generation().await, 2);
}

#[tokio::test]
async fn p2_a_year_of_refreshes_needs_nobody_and_warns_nobody() {
    let scene = Scene::entra().await;
    for hours in (0..365 * 24).step_by(6) {
        scene.until(hours * HOUR).await;
        assert_eq!(scene.sync().await, 200, "hour {hours}");
    }
    assert!((12..=16).contains(&scene.generation().await), "{}", scene.generation().await);
    assert!(scene.world.mailbox.taken().is_empty());
}

#[tokio::test]
async fn p2_a_token_without_an_expiry_is_refreshed_every_90_days() {
    let scene = Scene::new(ExpiryWindow::Never).await;
    let api = scene.provider.entra();
    scene.acme.organization.configure_idp_api(OWNER, api, None).await.unwrap();
    scene.until(90 * DAY - 1).await;
    assert!(scene.provider.installs().is_empty());
    scene.until(90 * DAY + MINUTE).await;
    assert_eq!(scene.sync().await, 200);
    assert_eq!(scene.generation().await, 2);
    scene.until(180 * DAY - HOUR).await;
    assert_eq!(scene.provider.installs().len(), 1);
}

#[tokio::test]
async fn p2_somebody_can_ask_for_a_refresh_at_once_to_see_whether_the_access_works() {
    let scene = Scene::entra().await;
    scene.until(DAY).await;
    let member = scene.acme.organization.refresh_by_idp_api("nobody@acme.example").await;
    assert!(matches!(member, Err(ActionError::Forbidden(_))));
    scene.acme.organization.refresh_by_idp_api(OWNER).await.unwrap();
    scene.until(DAY + MINUTE).await;
    assert_eq!((scene.provider.installs().len(), scene.sync().await), (1, 200));
    assert_eq!(scene.generation().await, 2);
}

#[tokio::test]
async fn p2_a_refresh_by_hand_overtakes_one_under_way() {
    let scene = Scene::entra().await;
    scene.until(24 * DAY + MINUTE).await;
    let under_way = token_of(&scene.provider.installs()[0].json());
    let by_hand = scene.acme.organization.refresh_as_operator(None, 0).await.unwrap().token;
    assert_eq!((scene.acme.ping(&under_way).await, scene.acme.ping(&by_hand).await), (401, 200));
    assert_eq!(scene.status().await.state, RefreshState::Scheduled);
    scene.until(25 * DAY).await;
    assert_eq!(scene.acme.ping(&by_hand).await, 200);
}

#[tokio::test]
async fn p2_removing_the_access_leaves_the_tokens_as_they_are() {
    let scene = Scene::entra().await;
    scene.until(DAY).await;
    scene.acme.organization.remove_idp_api(OWNER).await.unwrap();
    let status = scene.status().await;
    assert_eq!((status.method, status.idp_api), (RefreshMethod::Manual, None));
    scene.until(29 * DAY).await;
    assert!(scene.provider.installs().is_empty());
    assert_eq!(scene.sync().await, 200);
    assert_eq!(scene.world.mailbox.subjects_to(OWNER).len(), 5, "so people are warned");
}

#[tokio::test]
async fn p2_two_hosts_at_the_same_time_install_one_token() {
    let scene = Scene::entra().await;
    let second = scene.world.host().await;
    scene.world.pass_until(24 * DAY);
    for _ in 0..3 {
        let (one, two) = tokio::join!(scene.host.provisioner.run_all_due(), second.provisioner.run_all_due());
        one.unwrap();
        two.unwrap();
        scene.world.pass(1_000);
    }
    assert_eq!(scene.provider.installs().len(), 1);
    assert_eq!(scene.sync().await, 200);
    assert_eq!(scene.acme.on(&second).organization.status().await.unwrap().generation, 2);
}

#[tokio::test]
async fn p2_nothing_that_is_shown_of_the_access_is_secret() {
    let scene = Scene::entra().await;
    let shown = format!("{:?}", scene.status().await);
    assert!(shown.contains("contoso.onmicrosoft.com") && !shown.contains(CLIENT_SECRET), "{shown}");
}
