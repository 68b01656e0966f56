//! OAuth 2.0 from outside: the tests send forms, read the responses, and use the tokens at the SCIM endpoint.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use insomnia_scim_contract::Actor;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;
use crate::connector::fixture::{BEGIN, MEMBER, OWNER, enabled, scim};
use crate::connector::{self, ConnectorError, Window};
use crate::testing::MemoryHost;
use crate::text::percent_encoded as encode;

mod assertions;
mod operators;
mod secrets;

const REDIRECT: &str = "https://system-admin.okta.com/admin/app/cpc/example/oauth/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

struct App {
    memory: MemoryHost,
    bearer: String,
    id: String,
    secret: String,
}

impl App {
    fn new() -> Self {
        Self::with(&NewClient {
            name: "IdP".into(),
            client_credentials: true,
            authorization_code: true,
            redirect_uris: vec![REDIRECT.into()],
            ..NewClient::default()
        })
    }

    fn with(new: &NewClient) -> Self {
        let (memory, bearer) = enabled(Window::Year1);
        let issued = create(&memory.host().store(), OWNER, new).unwrap();
        Self { memory, bearer, id: issued.client.id, secret: issued.secret.unwrap_or_default() }
    }

    fn basic(&self) -> Vec<(String, String)> {
        let credentials = STANDARD.encode(format!("{}:{}", encode(&self.id), encode(&self.secret)));
        vec![("Authorization".into(), format!("Basic {credentials}"))]
    }

    fn token(&self, form: &str) -> (u16, Value) {
        read(&token(self.memory.host(), &request(&self.basic(), form)))
    }

    fn authorize(&self, more: &str) -> Result<Consent, AuthorizeRefusal> {
        let query = format!("client_id={}&redirect_uri={}{more}", self.id, encode(REDIRECT));
        authorize_request(&self.memory.host().store(), &query, &[])
    }

    /// A code that the owner has consented to.
    fn code(&self, more: &str) -> String {
        let consent = self.authorize(&format!("&response_type=code&state=s%201&scope=scim{more}")).unwrap();
        let location = approve(&self.memory.host().store(), OWNER, &consent.request, &[]).unwrap();
        let rest = location.strip_prefix(&format!("{REDIRECT}?code=")).unwrap();
        rest.strip_suffix("&state=s%201").unwrap().to_owned()
    }

    fn exchange(&self, code: &str, more: &str) -> (u16, Value) {
        self.token(&format!("grant_type=authorization_code&code={code}&redirect_uri={}{more}", encode(REDIRECT)))
    }

    fn refresh(&self, refresh_token: &str) -> (u16, Value) {
        self.token(&format!("grant_type=refresh_token&refresh_token={refresh_token}"))
    }

    fn scim(&self, token: &str) -> u16 {
        scim(self.memory.host(), token).status
    }

    fn after(&self, milliseconds: u64) {
        self.memory.set_now(BEGIN + milliseconds);
    }
}

const ISSUER: &str = "https://scim.example/oauth/acme";

fn request(headers: &[(String, String)], form: &str) -> OAuthRequest {
    OAuthRequest {
        headers: headers.to_vec(),
        body: form.as_bytes().to_vec(),
        issuer: ISSUER.into(),
        operator_clients: Vec::new(),
    }
}

fn read(response: &OAuthResponse) -> (u16, Value) {
    let header = |name: &str| response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("www-authenticate").is_some(), response.status == 401);
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

fn pkce(verifier: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    format!("&code_challenge={challenge}&code_challenge_method=S256")
}

fn error(answer: (u16, Value)) -> (u16, String) {
    (answer.0, text(&answer.1, "error").to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn rfc6749_4_4_client_credentials_give_an_access_token_for_two_hours_and_no_refresh_token() {
    let app = App::new();
    let (status, granted) = app.token("grant_type=client_credentials&scope=scim");
    assert_eq!(status, 200, "{granted}");
    assert_eq!((text(&granted, "token_type"), &granted["expires_in"]), ("Bearer", &Value::from(7_200)));
    assert_eq!((text(&granted, "scope"), granted.get("refresh_token")), ("scim", None));
    let access = text(&granted, "access_token");
    assert!(access.starts_with("insm_at_") && access.len() == 8 + 43 + 6);
    assert_eq!(app.scim(access), 200);
    app.after(7_200_000 - 1);
    assert_eq!(app.scim(access), 200);
    app.after(7_200_000);
    let answer = scim(app.memory.host(), access);
    assert_eq!(answer.status, 401);
    assert!(String::from_utf8_lossy(&answer.body).contains("access token has expired"));
}

#[test]
fn rfc6749_2_3_1_the_client_authenticates_by_basic_or_in_the_form_but_not_by_both() {
    let app = App::new();
    let post = |form: String| read(&token(app.memory.host(), &request(&[], &form)));
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={}", app.id, app.secret);
    assert_eq!(post(form.clone()).0, 200);
    let wrong = refused(401, "invalid_client");
    assert_eq!(error(post(format!("{form}x"))), wrong);
    assert_eq!(error(post("grant_type=client_credentials".into())), wrong);
    assert_eq!(error(post(format!("grant_type=client_credentials&client_id={}", app.id))), wrong);
    assert_eq!(error(post(form.replace(&app.id, "0190a6f0-0000-7000-8000-000000000001"))), wrong);
    assert_eq!(error(app.token(&form)), refused(400, "invalid_request"));
    let bearer = [("authorization".to_owned(), "Bearer x".to_owned())];
    assert_eq!(error(read(&token(app.memory.host(), &request(&bearer, "grant_type=client_credentials")))), wrong);
}

#[test]
fn rfc6749_5_2_what_is_wrong_with_a_token_request_has_its_own_code() {
    let app = App::new();
    let cases = [
        ("", "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=password&username=a&password=b", "unsupported_grant_type"),
        ("grant_type=client_credentials&scope=admin", "invalid_scope"),
        ("grant_type=authorization_code", "invalid_request"),
        ("grant_type=authorization_code&code=x", "invalid_grant"),
        ("grant_type=refresh_token", "invalid_request"),
        ("grant_type=refresh_token&refresh_token=insm_rt_x", "invalid_grant"),
    ];
    for (form, code) in cases {
        assert_eq!(error(app.token(form)), refused(400, code), "{form}");
    }
    let json = [app.basic(), vec![("content-type".into(), "application/json".into())]].concat();
    let answer = read(&token(app.memory.host(), &request(&json, "grant_type=client_credentials")));
    assert_eq!(error(answer), refused(400, "invalid_request"));
    let large = format!("grant_type=client_credentials&x={}", "x".repeat(20_000));
    assert_eq!(error(app.token(&large)), refused(400, "invalid_request"));
}

#[test]
fn a_client_uses_only_the_grants_that_it_was_registered_for() {
    let app = App::with(&NewClient { name: "Entra".into(), client_credentials: true, ..NewClient::default() });
    assert_eq!(error(app.refresh("x")), refused(400, "unauthorized_client"));
    assert!(matches!(app.authorize("&response_type=code"), Err(AuthorizeRefusal::Page { .. })));
}

#[test]
fn rfc6749_4_1_a_code_gives_an_access_token_and_a_refresh_token() {
    let app = App::new();
    let (status, granted) = app.exchange(&app.code(""), "");
    assert_eq!(status, 200, "{granted}");
    assert!(text(&granted, "refresh_token").starts_with("insm_rt_"));
    assert_eq!(app.scim(text(&granted, "access_token")), 200);
}

#[test]
fn rfc7636_the_verifier_must_be_that_of_the_challenge() {
    let app = App::new();
    let code = app.code(&pkce(VERIFIER));
    let wrong = refused(400, "invalid_grant");
    assert_eq!(error(app.exchange(&code, "")), wrong);
    assert_eq!(error(app.exchange(&code, &format!("&code_verifier={}", "x".repeat(43)))), wrong);
    assert_eq!(app.exchange(&code, &format!("&code_verifier={VERIFIER}")).0, 200);
    let code = app.code("");
    assert_eq!(error(app.exchange(&code, &format!("&code_verifier={VERIFIER}"))), wrong, "a downgrade");
}

#[test]
fn rfc7636_a_public_client_must_use_s256_and_has_no_secret() {
    let app = App::with(&NewClient {
        name: "Command line".into(),
        authorization_code: true,
        redirect_uris: vec![REDIRECT.into()],
        public: true,
        ..NewClient::default()
    });
    assert!(app.secret.is_empty());
    for more in
        ["", "&code_challenge=x", "&code_challenge_method=S256", "&code_challenge=x&code_challenge_method=plain"]
    {
        let refusal = app.authorize(&format!("&response_type=code{more}"));
        assert!(matches!(refusal, Err(AuthorizeRefusal::Redirect(url)) if url.contains("error=invalid_request")));
    }
    let code = app.code(&pkce(VERIFIER));
    let form = format!(
        "grant_type=authorization_code&client_id={}&code={code}&redirect_uri={}&code_verifier={VERIFIER}",
        app.id,
        encode(REDIRECT)
    );
    assert_eq!(read(&token(app.memory.host(), &request(&[], &form))).0, 200);
}

#[test]
fn rfc6749_4_1_2_a_code_is_valid_for_a_minute_and_once_and_its_reuse_revokes_the_tokens() {
    let app = App::new();
    let wrong = refused(400, "invalid_grant");
    let code = app.code("");
    app.after(60_000);
    assert_eq!(error(app.exchange(&code, "")), wrong);
    let code = app.code("");
    let (_, granted) = app.exchange(&code, "");
    assert_eq!(app.scim(text(&granted, "access_token")), 200);
    assert_eq!(error(app.exchange(&code, "")), wrong);
    assert_eq!(app.scim(text(&granted, "access_token")), 401);
    assert_eq!(error(app.refresh(text(&granted, "refresh_token"))), wrong);
}

#[test]
fn a_code_is_the_clients_to_whom_it_was_given() {
    let app = App::new();
    let code = app.code("");
    let new = NewClient {
        name: "Other".into(),
        authorization_code: true,
        redirect_uris: vec![REDIRECT.into()],
        ..NewClient::default()
    };
    let other = create(&app.memory.host().store(), OWNER, &new).unwrap();
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={}&client_id={}&client_secret={}",
        encode(REDIRECT),
        other.client.id,
        other.secret.unwrap()
    );
    let answer = read(&token(app.memory.host(), &request(&[], &form)));
    assert_eq!(error(answer), refused(400, "invalid_grant"));
    assert_eq!(app.exchange(&code, "").0, 200);
}

#[test]
fn rfc6749_4_1_3_the_redirection_uri_is_compared_exactly_and_no_error_goes_to_a_foreign_one() {
    let app = App::new();
    let store = app.memory.host().store();
    for uri in ["https://evil.example/", &format!("{REDIRECT}/"), &format!("{REDIRECT}?x=1"), &REDIRECT.to_uppercase()]
    {
        let query = format!("client_id={}&response_type=code&redirect_uri={}", app.id, encode(uri));
        assert!(matches!(authorize_request(&store, &query, &[]), Err(AuthorizeRefusal::Page { .. })), "{uri}");
    }
    assert!(matches!(authorize_request(&store, "client_id=x", &[]), Err(AuthorizeRefusal::Page { .. })));
    let code = app.code("");
    let form = format!("grant_type=authorization_code&code={code}&redirect_uri={}", encode("https://evil.example/"));
    assert_eq!(error(app.token(&form)), refused(400, "invalid_grant"));
    assert_eq!(error(app.token(&format!("grant_type=authorization_code&code={code}"))), refused(400, "invalid_grant"));
}

#[test]
fn rfc6749_4_1_2_1_what_is_wrong_with_an_authorization_request_is_told_to_the_client_with_its_state() {
    let app = App::new();
    let cases = [
        ("", "invalid_request"),
        ("&response_type=token", "unsupported_response_type"),
        ("&response_type=code&scope=admin", "invalid_scope"),
        ("&response_type=code&code_challenge=x&code_challenge_method=S256", "invalid_request"),
    ];
    for (more, code) in cases {
        let Err(AuthorizeRefusal::Redirect(url)) = app.authorize(&format!("{more}&state=a%26b")) else {
            panic!("{more}");
        };
        assert!(url.starts_with(&format!("{REDIRECT}?error={code}&")) && url.ends_with("&state=a%26b"), "{url}");
    }
    connector::disable(&app.memory.host().store(), OWNER).unwrap();
    let disabled = app.authorize("&response_type=code");
    assert!(matches!(disabled, Err(AuthorizeRefusal::Redirect(url)) if url.contains("error=unauthorized_client")));
}

#[test]
fn only_an_owner_or_co_owner_consents_and_only_to_what_was_shown() {
    let app = App::new();
    let store = app.memory.host().store();
    let consent = app.authorize("&response_type=code&state=x").unwrap();
    assert_eq!((consent.client_name.as_str(), consent.scope.as_str()), ("IdP", "scim"));
    assert_eq!(approve(&store, MEMBER, &consent.request, &[]), Err(ConnectorError::Forbidden));
    assert_eq!(approve(&store, "nobody", &consent.request, &[]), Err(ConnectorError::Forbidden));
    let bytes = URL_SAFE_NO_PAD.decode(&consent.request).unwrap();
    for readable in ["IdP", "client", REDIRECT] {
        let is_there = bytes.windows(readable.len()).any(|window| window == readable.as_bytes());
        assert!(!is_there, "{readable} can be read in what the page carries");
    }
    let altered = format!("A{}", consent.request);
    assert!(matches!(approve(&store, OWNER, &altered, &[]), Err(ConnectorError::Invalid(_))));
    assert!(matches!(approve(&store, OWNER, "é.é", &[]), Err(ConnectorError::Invalid(_))));
    let denied = deny(&store, &consent.request).unwrap();
    assert!(denied.starts_with(&format!("{REDIRECT}?error=access_denied&")) && denied.ends_with("&state=x"));
    app.after(600_000);
    let later = app.memory.host().store();
    assert!(matches!(approve(&later, OWNER, &consent.request, &[]), Err(ConnectorError::Invalid(_))));
}

#[test]
fn rfc9700_4_14_a_refresh_token_is_replaced_by_its_use_and_its_reuse_ends_the_family() {
    let app = App::new();
    let (_, first) = app.exchange(&app.code(""), "");
    let (status, second) = app.refresh(text(&first, "refresh_token"));
    assert_eq!(status, 200, "{second}");
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let (_, third) = app.refresh(text(&second, "refresh_token"));
    assert_eq!(app.scim(text(&third, "access_token")), 200);
    let wrong = refused(400, "invalid_grant");
    assert_eq!(error(app.refresh(text(&first, "refresh_token"))), wrong);
    assert_eq!(error(app.refresh(text(&third, "refresh_token"))), wrong);
    for granted in [&first, &second, &third] {
        assert_eq!(app.scim(text(granted, "access_token")), 401);
    }
}

#[test]
fn a_refresh_token_that_is_not_used_for_90_days_ends() {
    const DAY: u64 = 86_400_000;
    let app = App::new();
    let (_, first) = app.exchange(&app.code(""), "");
    app.after(90 * DAY - 1);
    let (status, second) = app.refresh(text(&first, "refresh_token"));
    assert_eq!(status, 200);
    app.after(180 * DAY - 1);
    assert_eq!(error(app.refresh(text(&second, "refresh_token"))), refused(400, "invalid_grant"));
}

#[test]
fn a_grant_has_sixteen_access_tokens_at_the_most_and_a_client_256() {
    let app = App::new();
    let (_, first) = app.exchange(&app.code(""), "");
    let mut last = first.clone();
    for _ in 0..16 {
        last = app.refresh(text(&last, "refresh_token")).1;
    }
    assert_eq!(app.scim(text(&first, "access_token")), 401);
    assert_eq!(app.scim(text(&last, "access_token")), 200);
    let (_, first) = app.token("grant_type=client_credentials");
    for _ in 0..256 {
        last = app.token("grant_type=client_credentials").1;
    }
    assert_eq!(app.scim(text(&first, "access_token")), 401);
    assert_eq!(app.scim(text(&last, "access_token")), 200);
    let stored = app.memory.dump().lines().filter(|line| line.starts_with("oauth-access/")).count();
    assert_eq!(stored, 256 + 16);
}

#[test]
fn p1_disabling_stops_access_tokens_at_once_and_enabling_again_does_not_bring_them_back() {
    let app = App::new();
    let store = app.memory.host().store();
    let (_, own) = app.token("grant_type=client_credentials");
    let (_, granted) = app.exchange(&app.code(""), "");
    connector::disable(&store, OWNER).unwrap();
    assert_eq!(app.scim(text(&own, "access_token")), 401);
    assert_eq!(error(app.token("grant_type=client_credentials")), refused(400, "unauthorized_client"));
    connector::enable(&store, OWNER, "okta", Window::Year1).unwrap();
    assert_eq!(app.scim(text(&own, "access_token")), 401);
    assert_eq!(app.scim(text(&granted, "access_token")), 401);
    assert_eq!(error(app.refresh(text(&granted, "refresh_token"))), refused(400, "invalid_grant"));
}

#[test]
fn p1_what_was_granted_before_disabling_is_of_no_worth_after_enabling_again() {
    let app = App::new();
    let (_, granted) = app.exchange(&app.code(""), "");
    let code = app.code("");
    let store = app.memory.host().store();
    connector::disable(&store, OWNER).unwrap();
    connector::enable(&store, OWNER, "okta", Window::Year1).unwrap();
    assert_eq!(error(app.exchange(&code, "")), refused(400, "invalid_grant"));
    assert_eq!(error(app.refresh(text(&granted, "refresh_token"))), refused(400, "invalid_grant"));
    let (status, granted) = app.exchange(&app.code(""), "");
    assert_eq!((status, app.scim(text(&granted, "access_token"))), (200, 200));
    connector::refresh(&store, Actor::Operator, None, None, 0).unwrap();
    let (status, granted) = app.refresh(text(&granted, "refresh_token"));
    assert_eq!((status, app.scim(text(&granted, "access_token"))), (200, 200), "a newer token ends no grant");
}

#[test]
fn an_access_token_of_another_organization_is_unknown() {
    let (app, other) = (App::new(), App::new());
    app.memory.set_now(BEGIN + 1);
    for _ in 0..3 {
        app.token("grant_type=client_credentials");
    }
    let (_, granted) = app.token("grant_type=client_credentials");
    assert_eq!(app.scim(text(&granted, "access_token")), 200);
    assert_eq!(other.scim(text(&granted, "access_token")), 401);
}

#[test]
fn an_access_token_is_read_ahead_with_all_else_so_that_it_costs_no_crossing() {
    let app = App::new();
    let (_, granted) = app.token("grant_type=client_credentials");
    let reads = |token: &str| {
        let before = app.memory.reads.get();
        assert_eq!(scim(app.memory.host(), token).status, 200);
        app.memory.reads.get() - before
    };
    assert_eq!(reads(text(&granted, "access_token")), reads(&app.bearer));
}

#[test]
fn rfc7009_a_refresh_token_is_revoked_with_its_family_an_access_token_alone_and_an_unknown_one_is_no_error() {
    let app = App::new();
    let end = |token: &str| {
        let form = format!("token={token}&token_type_hint=access_token");
        let response = revoke(app.memory.host(), &request(&app.basic(), &form));
        (response.status, response.body.len())
    };
    let (_, granted) = app.exchange(&app.code(""), "");
    let (_, own) = app.token("grant_type=client_credentials");
    assert_eq!(end(text(&own, "access_token")), (200, 0));
    assert_eq!(app.scim(text(&own, "access_token")), 401);
    assert_eq!(app.scim(text(&granted, "access_token")), 200);
    assert_eq!(end(text(&granted, "refresh_token")), (200, 0));
    assert_eq!(app.scim(text(&granted, "access_token")), 401);
    assert_eq!(error(app.refresh(text(&granted, "refresh_token"))), refused(400, "invalid_grant"));
    assert_eq!((end("nonsense"), end(&app.bearer)), ((200, 0), (200, 0)));
    assert_eq!(app.scim(&app.bearer), 200);
    let unknown = revoke(app.memory.host(), &request(&[], "token=x"));
    assert_eq!(error(read(&unknown)), refused(401, "invalid_client"));
    assert_eq!(error(read(&revoke(app.memory.host(), &request(&app.basic(), "")))), refused(400, "invalid_request"));
}

#[test]
fn a_rotated_secret_stops_at_once_or_after_the_overlap() {
    let mut app = App::new();
    let store = app.memory.host().store();
    let old = app.secret.clone();
    app.secret = rotate_secret(&store, OWNER, &app.id, None, 60).unwrap().secret.unwrap();
    let with = |app: &App, secret: &str| {
        let form = format!("grant_type=client_credentials&client_id={}&client_secret={secret}", app.id);
        token(app.memory.host(), &request(&[], &form)).status
    };
    assert_eq!((with(&app, &old), with(&app, &app.secret)), (200, 200));
    app.after(60_000);
    assert_eq!((with(&app, &old), with(&app, &app.secret)), (401, 200));
    let newest = rotate_secret(&store, OWNER, &app.id, None, 0).unwrap().secret.unwrap();
    assert_eq!((with(&app, &app.secret), with(&app, &newest)), (401, 200));
    assert!(matches!(rotate_secret(&store, MEMBER, &app.id, None, 0), Err(ConnectorError::Forbidden)));
    assert!(matches!(rotate_secret(&store, OWNER, &app.id, None, 90 * 86_400 + 1), Err(ConnectorError::Invalid(_))));
    assert!(matches!(rotate_secret(&store, OWNER, "x", None, 0), Err(ConnectorError::NotFound(_))));
}

#[test]
fn a_deleted_client_leaves_nothing_behind() {
    let app = App::new();
    let store = app.memory.host().store();
    let (_, granted) = app.exchange(&app.code(""), "");
    let (_, own) = app.token("grant_type=client_credentials");
    app.code("");
    assert_eq!(delete(&store, MEMBER, &app.id), Err(ConnectorError::Forbidden));
    delete(&store, OWNER, &app.id).unwrap();
    assert_eq!((app.scim(text(&own, "access_token")), app.scim(text(&granted, "access_token"))), (401, 401));
    assert_eq!(error(app.token("grant_type=client_credentials")), refused(401, "invalid_client"));
    assert!(list(&store).unwrap().is_empty());
    let left = app.memory.dump();
    let left: Vec<&str> =
        left.lines().filter(|line| line.starts_with("oauth-") && !line.starts_with("oauth-used")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_has_expired_is_swept_once_a_day() {
    let app = App::new();
    app.exchange(&app.code(""), "");
    app.token("grant_type=client_credentials");
    connector::refresh::run_due(app.memory.host()).unwrap();
    assert!(app.memory.dump().contains("oauth-access/"));
    app.after(91 * 86_400_000);
    connector::refresh::run_due(app.memory.host()).unwrap();
    let left = app.memory.dump();
    for kind in ["oauth-access/", "oauth-grant/", "oauth-code/"] {
        assert!(!left.contains(kind), "{kind}");
    }
    assert!(left.contains("oauth-client/"));
}

#[test]
fn a_client_is_checked_before_it_is_registered() {
    let (memory, _) = enabled(Window::Year1);
    let store = memory.host().store();
    let good = NewClient {
        name: "IdP".into(),
        authorization_code: true,
        redirect_uris: vec![REDIRECT.into()],
        ..NewClient::default()
    };
    let uri = |uri: &str| NewClient { redirect_uris: vec![uri.into()], ..good.clone() };
    let bad = [
        NewClient { name: " ".into(), ..good.clone() },
        NewClient { authorization_code: false, ..good.clone() },
        NewClient { redirect_uris: vec![], ..good.clone() },
        NewClient { redirect_uris: vec![REDIRECT.into(); 11], ..good.clone() },
        NewClient { public: true, client_credentials: true, ..good.clone() },
        uri("http://example.com/"),
        uri("http://system-admin.okta1.com:1802@evil.example/"),
        uri("http://system-admin.okta1.com/admin/app/cpc/x/oauth/callback"),
        uri("http://system-admin.okta1.com:1803/"),
        uri("http://okta1.com:1802/"),
        uri("https://example.com/#x"),
        uri("javascript:alert(1)"),
        uri("https://example.com/\r\nx: y"),
    ];
    for bad in bad {
        assert!(matches!(create(&store, OWNER, &bad), Err(ConnectorError::Invalid(_))), "{bad:?}");
    }
    assert!(matches!(create(&store, MEMBER, &good), Err(ConnectorError::Forbidden)));
    // Okta's test environment, which has no encryption.
    create(&store, OWNER, &uri("http://system-admin.okta1.com:1802/admin/app/cpc/x/oauth/callback")).unwrap();
    for _ in 0..19 {
        create(&store, OWNER, &good).unwrap();
    }
    assert!(matches!(create(&store, OWNER, &good), Err(ConnectorError::Invalid(_))));
}

#[test]
fn rfc8414_the_metadata_names_what_there_is() {
    let metadata: Value = serde_json::from_str(&metadata("https://scim.example/oauth/acme")).unwrap();
    assert_eq!(metadata["issuer"], "https://scim.example/oauth/acme");
    assert_eq!(metadata["authorization_endpoint"], "https://scim.example/oauth/acme/authorize");
    assert_eq!(metadata["token_endpoint"], "https://scim.example/oauth/acme/token");
    assert_eq!(metadata["revocation_endpoint"], "https://scim.example/oauth/acme/revoke");
    assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(metadata["response_types_supported"], serde_json::json!(["code"]));
    for endpoint in ["token", "revocation"] {
        let methods = serde_json::json!(["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]);
        assert_eq!(metadata[format!("{endpoint}_endpoint_auth_methods_supported")], methods);
        let algorithms = serde_json::json!(["RS256", "ES256"]);
        assert_eq!(metadata[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")], algorithms);
    }
}

#[test]
fn no_secret_of_oauth_is_stored() {
    let app = App::new();
    let code = app.code(&pkce(VERIFIER));
    let (_, granted) = app.exchange(&code, &format!("&code_verifier={VERIFIER}"));
    let (_, renewed) = app.refresh(text(&granted, "refresh_token"));
    let (_, own) = app.token("grant_type=client_credentials");
    app.scim(text(&own, "access_token"));
    let stored = app.memory.dump();
    let secrets = [&app.bearer, &app.secret, &code].map(String::as_str);
    let tokens = [&granted, &renewed].map(|granted| text(granted, "refresh_token"));
    let access = [&granted, &renewed, &own].map(|granted| text(granted, "access_token"));
    for secret in secrets.iter().chain(&tokens).chain(&access) {
        assert!(!stored.contains(*secret), "{secret}");
    }
    assert!(!stored.contains("insm_"));
}
