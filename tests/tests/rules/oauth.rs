//! P2: OAuth 2.0 for connectors, over real HTTP: RFC 6749, 7009, 7636, 8414.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use insomnia_scim::ActionError;
use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::oauth::{AuthorizeRefusal, ClientAssertion, IssuedOAuthClient, NewOAuthClient};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::rules::network::Reply as Answer;
use crate::rules::organization::{Acme, CO_OWNER, OWNER, person};
use crate::rules::wire::{Reply, Site, form};
use crate::rules::world::{DAY, Host, MINUTE, World};

const REDIRECT: &str = "https://idp.example/callback?x=1";
const VERIFIER: &str = "a-verifier-of-43-characters-or-more-0123456789";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// An RSA key's modulus, and a JWT of the form that Microsoft Entra ID sends, which OpenSSL has signed by it when the tests'
/// time begins.
const RSA_MODULUS: &str = "\
    vuqYnyJ2QqhsrhUrgf0ZJEpd2Nx_xPUYcKpRNukYoIOmgizc4fV-2tR3dFP8aL8HXXfKuuFb0s3Pryrsq3Vv4QMmcu7lH1FZlrAYY-TPfE0kR5\
    iB2LHsJR7PVIIiFWOk6Z1GMVz5KZeEGVO3X_Csog5KgQWJXv03qiNc0bzX0aTaXt7KOEfzyqUka7_SFXpZw9XZW6h6qXKARzK4V5uY5d3_pzuG\
    Lfl9g_P5wH1XfXHjirXNhEq1GnwZLY59XPx6R1PhLHGkR2OI0OUqd7o9SV3j1Hn_Xn2sbKC7ELQ77f7pyNv2L-\
    Ln876z_LVY6eJdJJBdp59p3CSCnV_uBDXInQ";
const ENTRA_JWT: &str = "\
    eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6ImVudHJhLWtleSJ9.eyJhdWQiOiI2ZjRlM2IwZS0xMTExLTRhNmItOWM1NS0wMDAwM\
    DAwMDAwMDEiLCJpc3MiOiJodHRwczovL2xvZ2luLm1pY3Jvc29mdG9ubGluZS5jb20vOTE4ODA0MGQtNmM2Ny00YzViLWIxMTItMzZhMzA0YjY\
    2ZGFkL3YyLjAiLCJpYXQiOjE3Njc2MTQ0MDAsIm5iZiI6MTc2NzYxNDQwMCwiZXhwIjoxNzY3NjE4MzAwLCJhenAiOiIwMDAwMDAxNC0wMDAwL\
    TAwMDAtYzAwMC0wMDAwMDAwMDAwMDAiLCJhenBhY3IiOiIyIiwib2lkIjoiM2Q1ZTdhMTAtMjIyMi00YzBiLThhNDQtMDAwMDAwMDAwMDAyIiw\
    icmgiOiIxLkFYIiwic3ViIjoiM2Q1ZTdhMTAtMjIyMi00YzBiLThhNDQtMDAwMDAwMDAwMDAyIiwidGlkIjoiOTE4ODA0MGQtNmM2Ny00YzViL\
    WIxMTItMzZhMzA0YjY2ZGFkIiwidXRpIjoieCIsInZlciI6IjIuMCJ9.k96kbtABIi3EBW4qgXCZ9NzjocVPADHgvSfsBw9N-\
    VBfV8p4ukOsGmQbjy1kS40eUFhb7QsKktPvhybN9oSzPRREFTb3D9-oBO2g3bMgAeOY4KM7ZexofbjEei8jfTnZ4-\
    eR5qRJJkr0jyZJKqfe4vhn4CD5BnIBJCqTPOq_E9PJ-Rn2eNmtYCvgVhR6_TkFvkpV2At-\
    AWcq1TLtXfyeJShq7Bb0nzAFFlWzCtWxfinRTIkvYJ-gKQ77GMQbDp3UsiUcOTHoxLWQakWGuTW6x4d4lWWI6SVucWH4kMj68KnjUC_-\
    PN2OgPqRhMy6S8raMel9FQbEFBCrcS0RVfNogg";

/// The organization behind real HTTP, and a client of it.
struct Scene {
    world: World,
    acme: Acme,
    site: Site,
    client: IssuedOAuthClient,
    _host: Host,
}

fn both_grants() -> NewOAuthClient {
    NewOAuthClient {
        name: "The IdP".into(),
        client_credentials: true,
        authorization_code: true,
        redirect_uris: vec![REDIRECT.into()],
        ..NewOAuthClient::default()
    }
}

impl Scene {
    async fn new(client: NewOAuthClient) -> Self {
        let world = World::in_memory();
        let host = world.host().await;
        let acme = Acme::enabled(&host, 9, ExpiryWindow::Never).await;
        let client = acme.organization.create_oauth_client(OWNER, client).await.unwrap();
        let site = Site::serve(host.provisioner.router()).await;
        Self { world, acme, site, client, _host: host }
    }

    fn id(&self) -> &str {
        &self.client.client.id
    }

    fn secret(&self) -> &str {
        self.client.secret.as_deref().unwrap_or_default()
    }

    /// A request of the token endpoint, with the client's credentials in the form.
    async fn token(&self, fields: &[(&str, &str)]) -> Reply {
        let mut all = vec![("client_id", self.id()), ("client_secret", self.secret())];
        all.extend_from_slice(fields);
        self.bare_token(&all).await
    }

    /// A request of the token endpoint, with these fields only.
    async fn bare_token(&self, fields: &[(&str, &str)]) -> Reply {
        self.site.ask("POST", "/oauth/acme/token", &[FORM], &form(fields)).await
    }

    /// An authorization code that an administrator has agreed to, with the challenge of [`VERIFIER`].
    async fn code(&self) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let query = form(&[
            ("response_type", "code"),
            ("client_id", self.id()),
            ("redirect_uri", REDIRECT),
            ("scope", "scim"),
            ("state", "s t&te"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let consent = self.acme.organization.authorize(&query).await.unwrap().unwrap();
        assert_eq!((consent.client_name.as_str(), consent.scope.as_str()), ("The IdP", "scim"));
        let url = self.acme.organization.approve_consent(CO_OWNER, &consent.request).await.unwrap();
        assert!(url.starts_with("https://idp.example/callback?x=1&"), "{url}");
        assert_eq!(parameter(&url, "state"), "s%20t%26te");
        parameter(&url, "code").to_owned()
    }

    async fn exchange(&self, code: &str) -> Reply {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.token(&fields).await
    }

    async fn renew(&self, refresh_token: &str) -> Reply {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// What SCIM answers to this token, over HTTP as well.
    async fn scim(&self, token: &str) -> u16 {
        let bearer = format!("Bearer {token}");
        self.site.ask("GET", "/scim/v2/acme/Users", &[("authorization", &bearer)], "").await.status
    }
}

fn parameter<'u>(url: &'u str, name: &str) -> &'u str {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pair = |pair: &'u str| pair.split_once('=').filter(|(known, _)| *known == name).map(|(_, value)| value);
    query.split('&').find_map(pair).unwrap_or_default()
}

#[track_caller]
fn granted(reply: &Reply) -> (String, String) {
    let body = reply.clone().is(200).json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(7_200)));
    assert_eq!((reply.header("cache-control"), reply.header("pragma")), (Some("no-store"), Some("no-cache")));
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (text("access_token"), text("refresh_token"))
}

#[track_caller]
fn refused(reply: &Reply, status: u16, error: &str) {
    let body = reply.clone().is(status).json();
    assert_eq!(body["error"], error, "{reply:?}");
    let description = body["error_description"].as_str().unwrap();
    // RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E.
    assert!(description.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\'));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn p2_client_credentials_give_an_access_token_for_two_hours() {
    let scene = Scene::new(NewOAuthClient { authorization_code: false, redirect_uris: vec![], ..both_grants() }).await;
    let (access, refresh) = granted(&scene.token(&[("grant_type", "client_credentials")]).await);
    assert!(access.starts_with("insm_at_") && refresh.is_empty(), "RFC 6749 §4.4.3: no refresh token");
    assert_eq!(scene.scim(&access).await, 200);
    scene.world.pass(120 * MINUTE - 1);
    assert_eq!(scene.scim(&access).await, 200);
    scene.world.pass(1);
    assert_eq!(scene.scim(&access).await, 401);
    // HTTP Basic, with both halves form-encoded, is the other way (RFC 6749 §2.3.1).
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", scene.id(), scene.secret())));
    let body = form(&[("grant_type", "client_credentials"), ("scope", "scim")]);
    let reply = scene.site.ask("POST", "/oauth/acme/token", &[FORM, ("authorization", &basic)], &body).await;
    assert_eq!(scene.scim(&granted(&reply).0).await, 200);
}

#[tokio::test]
async fn p2_an_authorization_code_with_pkce_gives_an_access_and_a_refresh_token() {
    let scene = Scene::new(both_grants()).await;
    let (access, refresh) = granted(&scene.exchange(&scene.code().await).await);
    assert!(access.starts_with("insm_at_") && refresh.starts_with("insm_rt_"));
    assert_eq!(scene.scim(&access).await, 200);
    assert_eq!(scene.scim(&refresh).await, 401, "a refresh token opens nothing");
}

#[tokio::test]
async fn p2_a_code_works_once_within_a_minute_and_for_its_own_request_only() {
    let scene = Scene::new(both_grants()).await;
    let code = scene.code().await;
    let with = async |redirect: &str, verifier: Option<&str>| {
        let mut fields = vec![("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", redirect)];
        fields.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        scene.token(&fields).await
    };
    refused(&with("https://idp.example/other", Some(VERIFIER)).await, 400, "invalid_grant");
    refused(&with(REDIRECT, None).await, 400, "invalid_grant");
    let wrong = VERIFIER.replace('a', "b");
    refused(&with(REDIRECT, Some(&wrong)).await, 400, "invalid_grant");
    let (access, refresh) = granted(&scene.exchange(&code).await);
    // Used twice: somebody has stolen it, so that all that came of it ends (RFC 6749 §4.1.2).
    refused(&scene.exchange(&code).await, 400, "invalid_grant");
    assert_eq!(scene.scim(&access).await, 401);
    refused(&scene.renew(&refresh).await, 400, "invalid_grant");

    let late = scene.code().await;
    scene.world.pass(MINUTE);
    refused(&scene.exchange(&late).await, 400, "invalid_grant");
    refused(&scene.exchange("insm_ac_made-up").await, 400, "invalid_grant");
}

#[tokio::test]
async fn p2_another_clients_code_and_refresh_token_are_worth_nothing() {
    let scene = Scene::new(both_grants()).await;
    let other = scene.acme.organization.create_oauth_client(OWNER, both_grants()).await.unwrap();
    let code = scene.code().await;
    let fields = [
        ("client_id", other.client.id.as_str()),
        ("client_secret", other.secret.as_deref().unwrap()),
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    refused(&scene.bare_token(&fields).await, 400, "invalid_grant");
    let (_, refresh) = granted(&scene.exchange(&code).await);
    let fields = [fields[0], fields[1], ("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    refused(&scene.bare_token(&fields).await, 400, "invalid_grant");
    granted(&scene.renew(&refresh).await);
}

#[tokio::test]
async fn p2_refresh_tokens_rotate_and_one_that_is_reused_ends_the_family() {
    let scene = Scene::new(both_grants()).await;
    let (first_access, first) = granted(&scene.exchange(&scene.code().await).await);
    let (second_access, second) = granted(&scene.renew(&first).await);
    let (third_access, third) = granted(&scene.renew(&second).await);
    assert!(first != second && second != third && first != third);
    for access in [&first_access, &second_access, &third_access] {
        assert_eq!(scene.scim(access).await, 200);
    }
    refused(&scene.renew(&first).await, 400, "invalid_grant");
    for access in [&first_access, &second_access, &third_access] {
        assert_eq!(scene.scim(access).await, 401);
    }
    refused(&scene.renew(&third).await, 400, "invalid_grant");
    // Another grant of the same client is not concerned.
    let (access, refresh) = granted(&scene.exchange(&scene.code().await).await);
    assert_eq!(scene.scim(&access).await, 200);
    scene.world.pass(89 * DAY);
    let (_, refresh) = granted(&scene.renew(&refresh).await);
    scene.world.pass(90 * DAY);
    refused(&scene.renew(&refresh).await, 400, "invalid_grant");
}

#[tokio::test]
async fn p2_a_revoked_token_stops_at_once() {
    let scene = Scene::new(both_grants()).await;
    let revoke = async |token: &str| {
        let fields = [("client_id", scene.id()), ("client_secret", scene.secret()), ("token", token)];
        scene.site.ask("POST", "/oauth/acme/revoke", &[FORM], &form(&fields)).await
    };
    let (access, refresh) = granted(&scene.exchange(&scene.code().await).await);
    let (other, _) = granted(&scene.token(&[("grant_type", "client_credentials")]).await);
    assert_eq!(revoke(&other).await.is(200).body, "");
    assert_eq!((scene.scim(&other).await, scene.scim(&access).await), (401, 200));
    revoke(&refresh).await.is(200);
    assert_eq!(scene.scim(&access).await, 401, "it ends with its refresh token");
    refused(&scene.renew(&refresh).await, 400, "invalid_grant");
    revoke("unknown").await.is(200);
    let nobody = [("client_id", scene.id()), ("client_secret", "wrong"), ("token", "unknown")];
    refused(&scene.site.ask("POST", "/oauth/acme/revoke", &[FORM], &form(&nobody)).await, 401, "invalid_client");
}

#[tokio::test]
async fn p2_errors_of_the_token_endpoint_are_those_of_rfc6749() {
    let scene = Scene::new(NewOAuthClient { client_credentials: false, ..both_grants() }).await;
    refused(&scene.token(&[]).await, 400, "invalid_request");
    refused(&scene.token(&[("grant_type", "password")]).await, 400, "unsupported_grant_type");
    refused(&scene.token(&[("grant_type", "client_credentials")]).await, 400, "unauthorized_client");
    refused(&scene.token(&[("grant_type", "authorization_code")]).await, 400, "invalid_request");
    refused(&scene.token(&[("grant_type", "refresh_token")]).await, 400, "invalid_request");
    let wrong_scope = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("scope", "admin")];
    refused(&scene.token(&wrong_scope).await, 400, "invalid_scope");
    let twice = "grant_type=refresh_token&grant_type=refresh_token&client_id=a";
    refused(&scene.site.ask("POST", "/oauth/acme/token", &[FORM], twice).await, 400, "invalid_request");
    let json = ("content-type", "application/json");
    refused(&scene.site.ask("POST", "/oauth/acme/token", &[json], "{}").await, 400, "invalid_request");

    let grant = ("grant_type", "client_credentials");
    for fields in [
        vec![grant],
        vec![grant, ("client_id", scene.id())],
        vec![grant, ("client_id", scene.id()), ("client_secret", "insm_cs_wrong")],
        vec![grant, ("client_id", "nobody"), ("client_secret", scene.secret())],
    ] {
        let reply = scene.bare_token(&fields).await;
        refused(&reply, 401, "invalid_client");
        assert!(reply.header("www-authenticate").is_some());
    }
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", scene.id(), scene.secret())));
    let both = form(&[grant, ("client_id", scene.id()), ("client_secret", scene.secret())]);
    let reply = scene.site.ask("POST", "/oauth/acme/token", &[FORM, ("authorization", &basic)], &both).await;
    refused(&reply, 400, "invalid_request");
    // What is no organization answers as an unknown client does.
    refused(&scene.site.ask("POST", "/oauth/nobody/token", &[FORM], &both).await, 401, "invalid_client");
    let large = format!("grant_type=client_credentials&x={}", "a".repeat(20_000));
    refused(&scene.site.ask("POST", "/oauth/acme/token", &[FORM], &large).await, 400, "invalid_request");
}

#[tokio::test]
async fn p2_a_public_client_must_use_pkce_and_has_no_secret() {
    let scene = Scene::new(NewOAuthClient { client_credentials: false, public: true, ..both_grants() }).await;
    assert!(scene.client.secret.is_none());
    let query = form(&[("response_type", "code"), ("client_id", scene.id())]);
    let Err(AuthorizeRefusal::Redirect(url)) = scene.acme.organization.authorize(&query).await.unwrap() else {
        panic!("not refused")
    };
    assert_eq!(parameter(&url, "error"), "invalid_request");
    let code = scene.code().await;
    let fields = [
        ("client_id", scene.id()),
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let (access, refresh) = granted(&scene.bare_token(&fields).await);
    assert_eq!(scene.scim(&access).await, 200);
    let renew = [("client_id", scene.id()), ("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    granted(&scene.bare_token(&renew).await);
}

#[tokio::test]
async fn p2_only_an_owner_or_co_owner_consents_and_only_for_ten_minutes() {
    let scene = Scene::new(both_grants()).await;
    scene
        .acme
        .organization
        .add_member(person("ada@acme.example", insomnia_scim::directory::Role::Member, None))
        .await
        .unwrap();
    let query = form(&[("response_type", "code"), ("client_id", scene.id()), ("state", "s")]);
    let consent = scene.acme.organization.authorize(&query).await.unwrap().unwrap();
    let approve = async |actor: &str| scene.acme.organization.approve_consent(actor, &consent.request).await;
    assert!(matches!(approve("ada@acme.example").await, Err(ActionError::Forbidden(_))));
    let denied = scene.acme.organization.deny_consent(&consent.request).await.unwrap();
    assert_eq!((parameter(&denied, "error"), parameter(&denied, "state")), ("access_denied", "s"));
    approve(OWNER).await.unwrap();
    let altered = format!("{}x", consent.request);
    assert!(scene.acme.organization.approve_consent(OWNER, &altered).await.is_err());
    scene.world.pass(10 * MINUTE);
    assert!(matches!(approve(OWNER).await, Err(ActionError::Invalid(_))));
}

#[tokio::test]
async fn p2_nobody_is_redirected_to_where_the_client_is_not_registered() {
    let scene = Scene::new(both_grants()).await;
    for (client, redirect) in [
        (scene.id(), "https://evil.example/"),
        (scene.id(), "https://idp.example/callback?x=1&y=2"),
        ("nobody", REDIRECT),
    ] {
        let query = form(&[("response_type", "code"), ("client_id", client), ("redirect_uri", redirect)]);
        let refusal = scene.acme.organization.authorize(&query).await.unwrap();
        assert!(matches!(refusal, Err(AuthorizeRefusal::Page(_))), "{redirect}: {refusal:?}");
    }
    let query = form(&[("response_type", "token"), ("client_id", scene.id()), ("state", "s")]);
    let Err(AuthorizeRefusal::Redirect(url)) = scene.acme.organization.authorize(&query).await.unwrap() else {
        panic!("not refused")
    };
    assert_eq!((parameter(&url, "error"), parameter(&url, "state")), ("unsupported_response_type", "s"));
}

#[tokio::test]
async fn p2_access_tokens_end_with_the_connector_the_client_and_the_secret_with_its_rotation() {
    let scene = Scene::new(both_grants()).await;
    let grant = [("grant_type", "client_credentials")];
    let (access, _) = granted(&scene.token(&grant).await);
    let rotated = scene.acme.organization.rotate_oauth_client_secret(OWNER, scene.id(), None, 7_200).await.unwrap();
    granted(&scene.token(&grant).await);
    scene.world.pass(7_200_000 - 1);
    granted(&scene.token(&grant).await);
    scene.world.pass(1);
    refused(&scene.token(&grant).await, 401, "invalid_client");
    let new = [("client_id", scene.id()), ("client_secret", rotated.secret.as_deref().unwrap()), grant[0]];
    let (fresh, _) = granted(&scene.bare_token(&new).await);
    assert_eq!((scene.scim(&access).await, scene.scim(&fresh).await), (401, 200), "the first one's two hours are over");

    scene.acme.organization.disable(OWNER).await.unwrap();
    assert_eq!(scene.scim(&fresh).await, 401);
    refused(&scene.bare_token(&new).await, 400, "unauthorized_client");
    let okta = insomnia_scim::connector::IdentityProvider::Okta;
    scene.acme.organization.enable(OWNER, okta, ExpiryWindow::Never).await.unwrap();
    assert_eq!(scene.scim(&fresh).await, 401, "what was issued before stays dead");
    let (fresh, _) = granted(&scene.bare_token(&new).await);
    assert_eq!(scene.scim(&fresh).await, 200);
    scene.acme.organization.delete_oauth_client(OWNER, scene.id()).await.unwrap();
    assert_eq!(scene.scim(&fresh).await, 401);
    refused(&scene.bare_token(&new).await, 401, "invalid_client");
}

#[tokio::test]
async fn p2_the_metadata_names_what_is_served() {
    let scene = Scene::new(both_grants()).await;
    let reply = scene.site.ask("GET", "/.well-known/oauth-authorization-server/oauth/acme", &[], "").await.is(200);
    let metadata = reply.json();
    let issuer = scene.acme.organization.oauth_issuer();
    assert_eq!(metadata["issuer"], issuer);
    for (name, end) in
        [("authorization_endpoint", "authorize"), ("token_endpoint", "token"), ("revocation_endpoint", "revoke")]
    {
        assert_eq!(metadata[name], format!("{issuer}/{end}"));
    }
    assert_eq!(metadata["response_types_supported"], json!(["code"]));
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(metadata["grant_types_supported"], json!(["authorization_code", "refresh_token", "client_credentials"]));
    scene.site.ask("GET", "/.well-known/oauth-authorization-server/oauth/nobody", &[], "").await.is(200);
}

#[tokio::test]
async fn p2_an_identity_provider_that_renews_by_itself_gets_no_warnings() {
    let scene = Scene::new(both_grants()).await;
    let issued = scene.acme.organization.refresh_as_operator(Some(ExpiryWindow::Days30), 0).await.unwrap();
    for _ in 0..40 {
        scene.world.live(&scene._host, DAY).await;
        let (access, _) = granted(&scene.token(&[("grant_type", "client_credentials")]).await);
        assert_eq!(scene.scim(&access).await, 200);
    }
    assert_eq!(scene.scim(&issued.token).await, 401, "the bearer token has expired, unused");
    assert_eq!(scene.world.mailbox.subjects_to(OWNER), Vec::<String>::new());
}

#[tokio::test]
async fn p2_workload_identity_federation_gives_a_token_without_any_secret() {
    let jwks_url = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/discovery/v2.0/keys";
    let assertion = ClientAssertion {
        issuer: Some("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0".into()),
        subject: Some("3d5e7a10-2222-4c0b-8a44-000000000002".into()),
        audience: Some("6f4e3b0e-1111-4a6b-9c55-000000000001".into()),
        jwks_url: jwks_url.into(),
    };
    let new = NewOAuthClient {
        name: "Entra".into(),
        client_credentials: true,
        assertion: Some(assertion),
        ..NewOAuthClient::default()
    };
    let scene = Scene::new(new).await;
    assert_eq!(scene.client.secret, None);
    scene.world.network.decide(|_| {
        Answer::Json(json!({"keys": [{"kty": "RSA", "use": "sig", "kid": "entra-key", "n": RSA_MODULUS, "e": "AQAB"}]}))
    });
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", scene.id()),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", ENTRA_JWT),
        ("baseAddress", "https://scim.example/scim/v2/acme"),
    ];
    let (access, _) = granted(&scene.bare_token(&fields).await);
    assert_eq!(scene.scim(&access).await, 200);
    let fetched: Vec<String> = scene.world.network.attempts().iter().map(|request| request.url.clone()).collect();
    assert_eq!(fetched, [jwks_url], "over the host's HTTP client, which has the egress policy");
    refused(&scene.bare_token(&fields[..2]).await, 401, "invalid_client");
    scene.world.pass(65 * MINUTE + MINUTE);
    refused(&scene.bare_token(&fields).await, 401, "invalid_client");
    let shown = scene.acme.organization.oauth_clients().await.unwrap();
    assert!(shown[0].keys_fetched.is_some() && shown[0].keys_problem.is_none());
}
