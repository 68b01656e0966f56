//! The page as an embedder mounts it, with a clock and sessions of its own.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, Response, header};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::{Page, Session, SessionError, SessionProvider, StepUp, StepUpQuestion, StepUpVerdict};
use crate::capability::clock::ManualClock;
use crate::capability::secrets::SecretKey;
use crate::capability::storage::OrganizationId;
use crate::connector::{ExpiryWindow, IdentityProvider};
use crate::directory::{Domain, NewMember, Options, OrganizationRecord, Plan, Role};
use crate::journal::AuditQuery;
use crate::organization::NewOrganization;
use crate::provisioner::Provisioner;
use crate::storage::MemoryStorage;

const BASE: &str = "https://scim.example.com/insomnia";
const HOME: &str = "/organizations/acme/scim";
const OWNER: &str = "owner@acme.example";
const PASSPHRASE: &str = "correct horse battery staple";
const START: u64 = 1_800_000_000_000;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A host with the test's clock, and with an organization `acme` and its owner.
struct Host {
    provisioner: Provisioner,
    clock: Arc<ManualClock>,
}

impl Host {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let builder = Provisioner::builder().storage(Arc::new(MemoryStorage::new())).base_url(BASE);
        let builder = builder.clock(clock.clone()).scheduler(false).secrets(Arc::new(SecretKey::new(&[7; 32])));
        let provisioner = builder.build().await.unwrap();
        let record = OrganizationRecord {
            name: "Acme & Sons".into(),
            plan: Plan::Enterprise,
            seats: 2,
            domains: vec![Domain { name: "acme.example".into(), verified: true }],
            single_sign_on: Some("okta".into()),
            options: Options::default(),
        };
        let new = NewOrganization::new(id(), record);
        let organization = provisioner.create_organization(new).await.unwrap().organization;
        for (email, role) in [(OWNER, Role::Owner), ("member@acme.example", Role::Member)] {
            let (email, passphrase) = (email.to_owned(), Some(PASSPHRASE.to_owned()));
            let member = NewMember { display_name: email.clone(), email, role, passphrase };
            organization.add_member(member).await.unwrap();
        }
        Self { provisioner, clock }
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn id() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

async fn send(routes: &Router, request: Request<Body>) -> (Response<()>, String) {
    let (head, body) = routes.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (Response::from_parts(head, ()), String::from_utf8(body.to_vec()).unwrap())
}

async fn get(routes: &Router, path: &str, fields: &[(&str, &str)]) -> (Response<()>, String) {
    let request = fields.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    send(routes, request.body(Body::empty()).unwrap()).await
}

/// Signs the owner in; returns the cookie, and the header field that set it.
async fn sign_in(routes: &Router) -> (String, String) {
    let form = format!("email={OWNER}&passphrase={}", PASSPHRASE.replace(' ', "+"));
    let request = Request::post(format!("{HOME}/sign-in"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    let (response, body) = send(routes, request.body(form.into()).unwrap()).await;
    assert_eq!(response.status(), 303, "{body}");
    assert_eq!(response.headers()[header::LOCATION], format!("/insomnia{HOME}").as_str());
    let field = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    (field.split(';').next().unwrap().to_owned(), field)
}

#[tokio::test]
async fn behind_https_the_cookie_is_secure_and_links_begin_with_the_path_of_the_base_url() {
    let host = Host::new().await;
    let routes = super::router(&host.provisioner);
    let (cookie, field) = sign_in(&routes).await;
    assert!(field.starts_with("__Secure-"), "{field}");
    for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/insomnia/organizations/acme/scim;"] {
        assert!(field.contains(attribute), "{attribute} is missing: {field}");
    }
    let (response, page) = get(&routes, HOME, &[("cookie", &cookie)]).await;
    assert_eq!(response.status(), 200, "{page}");
    let links = page.split(" href=\"/").chain(page.split(" src=\"/")).chain(page.split(" action=\"/"));
    assert!(page.contains("Acme &#38; Sons"), "{page}");
    for link in links.skip(1).filter(|rest| !rest.starts_with("<!doctype")) {
        assert!(link.starts_with("insomnia/"), "{link:.80}");
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_after_twelve_hours() {
    let host = Host::new().await;
    let routes = super::router(&host.provisioner);
    let status = async |cookie: &str| get(&routes, HOME, &[("cookie", cookie)]).await.0.status().as_u16();
    let (cookie, _) = sign_in(&routes).await;
    host.wait(29 * MINUTE);
    assert_eq!(status(&cookie).await, 200);
    host.wait(29 * MINUTE);
    assert_eq!(status(&cookie).await, 200, "what is used does not end");
    host.wait(31 * MINUTE);
    assert_eq!(status(&cookie).await, 303);

    let (cookie, _) = sign_in(&routes).await;
    for _ in 0..35 {
        host.wait(20 * MINUTE);
        assert_eq!(status(&cookie).await, 200);
    }
    host.wait(21 * MINUTE);
    assert_eq!(status(&cookie).await, 303);
    for nonsense in ["", "x", "1.2", "99999999999999999999.00", &cookie.replace('.', "..")] {
        let cookie = format!("__Secure-insomnia-scim={nonsense}");
        assert_eq!(status(&cookie).await, 303, "{nonsense}");
    }
}

#[tokio::test]
async fn the_page_warns_before_the_token_expires_and_when_it_has_and_when_no_seat_is_left() {
    let host = Host::new().await;
    let organization = host.provisioner.organization(&id());
    organization.enable(OWNER, IdentityProvider::Azure, ExpiryWindow::Days30).await.unwrap();
    let routes = super::router(&host.provisioner);
    let (cookie, _) = sign_in(&routes).await;
    let (_, page) = get(&routes, HOME, &[("cookie", &cookie)]).await;
    assert!(page.contains(">Enabled<") && page.contains("in 30 days"), "{page}");
    assert!(page.contains("No seats left"), "two of two seats are taken: {page}");

    host.wait(11 * DAY);
    let (cookie, _) = sign_in(&routes).await;
    let (_, page) = get(&routes, HOME, &[("cookie", &cookie)]).await;
    assert!(page.contains("The token expires soon") && page.contains("It expires in 19 days"), "{page}");

    host.wait(19 * DAY + MINUTE);
    let (cookie, _) = sign_in(&routes).await;
    let (_, page) = get(&routes, HOME, &[("cookie", &cookie)]).await;
    assert!(page.contains(">Token expired<") && page.contains("Syncing has stopped"), "{page}");
    assert!(page.contains(&format!("href=\"/insomnia{HOME}/refresh\"")), "{page}");
}

/// A backend that identifies people by a header field of the request.
struct Backend;

#[async_trait]
impl SessionProvider for Backend {
    async fn session(&self, organization: &OrganizationId, request: &Parts) -> Result<Option<Session>, SessionError> {
        let Some(field) = request.headers.get("x-backend-user") else { return Ok(None) };
        let actor = field.to_str().map_err(|error| SessionError(error.to_string()))?.to_owned();
        Ok(Some(Session { secret: format!("{organization} {actor}").into_bytes(), actor }))
    }

    fn sign_in_url(&self, organization: &OrganizationId, return_to: &str) -> String {
        format!("/login?team={organization}&to={return_to}")
    }

    fn sign_out_url(&self, _: &OrganizationId) -> Option<String> {
        Some("/logout".into())
    }
}

#[tokio::test]
async fn a_backend_brings_its_own_sessions_and_the_page_still_asks_for_the_role() {
    let host = Host::new().await;
    let routes = Page::new(&host.provisioner).sessions(Arc::new(Backend)).router();
    let (response, _) = get(&routes, &format!("{HOME}/logs?q=a"), &[]).await;
    assert_eq!(response.headers()[header::LOCATION], "/login?team=acme&to=/insomnia/organizations/acme/scim/logs?q=a");
    let (response, page) = get(&routes, HOME, &[("x-backend-user", OWNER)]).await;
    assert_eq!(response.status(), 200);
    assert!(page.contains("href=\"/logout\"") && !page.contains("sign-out"), "{page}");
    for (actor, status) in [("member@acme.example", 403), ("nobody@acme.example", 303)] {
        let (response, _) = get(&routes, HOME, &[("x-backend-user", actor)]).await;
        assert_eq!(response.status(), status, "{actor}");
    }
    let (response, page) = get(&routes, &format!("{HOME}/sign-in"), &[("x-backend-user", OWNER)]).await;
    assert_eq!(response.status(), 404, "{page}");
}

/// A backend that asks for its own code, unless a header field of the request says that the person signed in a moment
/// ago.
struct OwnCheck;

impl OwnCheck {
    const CODE: &str = "314159";

    fn is_fresh(fields: &HeaderMap) -> bool {
        fields.contains_key("x-backend-fresh")
    }
}

#[async_trait]
impl StepUp for OwnCheck {
    async fn question(
        &self,
        _: &OrganizationId,
        _: &Session,
        request: &Parts,
        return_to: &str,
    ) -> Result<StepUpQuestion, SessionError> {
        Ok(match request.headers.get("x-backend-asks").map(|field| field.as_bytes()) {
            _ if Self::is_fresh(&request.headers) => StepUpQuestion::Nothing,
            Some(b"elsewhere") => {
                let url = format!("/again?to={return_to}");
                StepUpQuestion::Elsewhere { url, label: "Sign in again".into() }
            }
            Some(_) => return Err(SessionError("the second factor is down".into())),
            None => StepUpQuestion::Field { label: "Your code".into(), hint: None, is_code: true },
        })
    }

    async fn verify(
        &self,
        organization: &OrganizationId,
        session: &Session,
        request: &Parts,
        typed: &str,
    ) -> Result<StepUpVerdict, SessionError> {
        assert_eq!((organization.as_str(), session.actor.as_str()), ("acme", OWNER));
        if typed == Self::CODE || Self::is_fresh(&request.headers) {
            return Ok(StepUpVerdict::Verified);
        }
        Ok(StepUpVerdict::Refused("The code is wrong.".into()))
    }
}

/// The text of the page between these two texts.
fn between<'p>(page: &'p str, before: &str, after: &str) -> &'p str {
    let rest = page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}")).1;
    rest.split_once(after).unwrap().0
}

/// Sends a form of the view to the view itself as the owner, with these header fields.
async fn send_form(routes: &Router, view: &str, form: &str, fields: &[(&str, &str)]) -> (u16, String) {
    send_form_to(routes, view, view, form, fields).await
}

/// Sends a form of the view as the owner, with these header fields.
async fn send_form_to(routes: &Router, view: &str, to: &str, form: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let fields: Vec<_> = fields.iter().copied().chain([("x-backend-user", OWNER)]).collect();
    let (_, page) = get(routes, &format!("{HOME}/{view}"), &fields).await;
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"");
    let generation =
        page.split_once("name=\"generation\" value=\"").map_or("", |(_, rest)| rest.split('"').next().unwrap());
    let request = Request::post(format!("{HOME}/{to}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let form = format!("csrf={csrf}&generation={generation}&{form}");
    let (response, body) = send(routes, request.body(form.into()).unwrap()).await;
    (response.status().as_u16(), body)
}

const REFRESH: &str = "window=&overlap=0";
const LINK: &str = "action=create&provider=okta&window=90d&seconds=3600";
const KEY: &str = "action=create&name=Program&amount=read&window=1y";

#[tokio::test]
async fn p2_a_backend_makes_sure_of_who_acts_in_its_own_way_before_a_token_a_link_and_a_key() {
    let host = Host::new().await;
    let organization = host.provisioner.organization(&id());
    organization.enable(OWNER, IdentityProvider::Okta, ExpiryWindow::Days30).await.unwrap();
    let page = Page::new(&host.provisioner).sessions(Arc::new(Backend)).step_up(Arc::new(OwnCheck));
    let routes = page.router();
    let passphrase = PASSPHRASE.replace(' ', "+");
    let forms = [
        ("refresh", REFRESH, "The token was not changed.", "insm_scim_"),
        ("setup-links", LINK, "No link was made.", "insm_setup_"),
        ("api-keys", KEY, "No key was made.", "insm_api_"),
    ];
    for (view, form, undone, shown) in forms {
        let (_, page) = get(&routes, &format!("{HOME}/{view}"), &[("x-backend-user", OWNER)]).await;
        assert!(page.contains(">Your code</label>") && page.contains("one-time-code"), "{page}");
        assert!(!page.contains("Your passphrase"), "{page}");
        let (status, body) = send_form(&routes, view, &format!("{form}&passphrase={passphrase}"), &[]).await;
        assert_eq!(status, 422, "{view}: {body}");
        assert!(body.contains(&format!("The code is wrong. {undone}")) && !body.contains(shown), "{body}");
        let right = format!("{form}&passphrase={}", OwnCheck::CODE);
        let (status, body) = send_form(&routes, view, &right, &[]).await;
        assert!(status == 200 && body.contains(shown), "{view}: {body}");
        // If nothing is asked, there is no field to type into.
        let fresh = [("x-backend-fresh", "yes")];
        let (_, page) = get(&routes, &format!("{HOME}/{view}"), &[("x-backend-user", OWNER), fresh[0]]).await;
        assert!(!page.contains("name=\"passphrase\""), "{page}");
        let (status, body) = send_form(&routes, view, form, &fresh).await;
        assert!(status == 200 && body.contains(shown), "{view}: {body}");

        let away = [("x-backend-user", OWNER), ("x-backend-asks", "elsewhere")];
        let (_, page) = get(&routes, &format!("{HOME}/{view}"), &away).await;
        let link = format!("<a href=\"/again?to=/insomnia{HOME}/{view}\">Sign in again</a>");
        assert!(page.contains(&link) && !page.contains("name=\"passphrase\""), "{page}");
        assert!(!page.contains("class=\"primary\""), "what can't be sent yet has no button: {page}");
        let down = [("x-backend-user", OWNER), ("x-backend-asks", "nothing works")];
        let (response, page) = get(&routes, &format!("{HOME}/{view}"), &down).await;
        if view == "refresh" {
            assert_eq!(response.status(), 503, "there is nothing but the form");
        } else {
            assert_eq!(response.status(), 200, "{view}: {page}");
            assert!(page.contains("verify who you are at the moment") && page.contains("/confirm/revoke-"), "{page}");
            assert!(!page.contains("name=\"passphrase\"") && !page.contains("class=\"primary\""), "{page}");
        }
    }
    // The audit trail names the member as the actor.
    let owner = organization.member(OWNER).await.unwrap().id;
    let trail =
        organization.audit(AuditQuery { text: Some("token.refresh".into()), limit: 10, ..AuditQuery::default() });
    let entries = trail.await.unwrap().entries;
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert!(entries.iter().all(|entry| entry.contains(&owner)), "{entries:?}");

    let wrong = format!("{REFRESH}&passphrase=000000");
    let mut statuses = Vec::new();
    for _ in 0..9 {
        statuses.push(send_form(&routes, "refresh", &wrong, &[]).await.0);
    }
    assert_eq!(statuses, [422, 422, 422, 422, 422, 422, 422, 429, 429], "three were wrong before");
}

const ENABLE: &str = "provider=okta&window=90d&refresh=manual&domains=all";
const CLIENT: &str = "action=create&name=Entra&grant=credentials&expires=1y&minutes=60";
const STREAM: &str = "action=add&name=Backend&audience=rp&detail=notice&delete=yes";

#[tokio::test]
async fn p2_most_of_what_outlives_the_session_is_not_to_be_had_by_the_session_alone() {
    let host = Host::new().await;
    let organization = host.provisioner.organization(&id());
    let page = Page::new(&host.provisioner).sessions(Arc::new(Backend)).step_up(Arc::new(OwnCheck));
    let routes = page.router();
    let (status, body) = send_form(&routes, "enable", ENABLE, &[]).await;
    assert!(status == 200 && body.contains("insm_scim_"), "who enables SCIM for the first time is not asked: {body}");
    organization.disable(OWNER).await.unwrap();

    for (view, to, form, undone, shown) in [
        ("enable", "enable", ENABLE, "SCIM was not enabled.", "insm_scim_"),
        ("automatic", "clients", CLIENT, "Nothing was changed.", "insm_cs_"),
        ("streams", "streams", STREAM, "No stream was added.", "insm_events_"),
    ] {
        let (_, page) = get(&routes, &format!("{HOME}/{view}"), &[("x-backend-user", OWNER)]).await;
        assert!(page.contains(">Your code</label>"), "{view}: {page}");
        let (status, body) = send_form_to(&routes, view, to, &format!("{form}&passphrase=000000"), &[]).await;
        assert_eq!(status, 422, "{view}: {body}");
        assert!(body.contains(&format!("The code is wrong. {undone}")) && !body.contains(shown), "{view}: {body}");
        let down = [("x-backend-asks", "nothing works")];
        let (_, page) = get(&routes, &format!("{HOME}/{view}"), &[("x-backend-user", OWNER), down[0]]).await;
        assert!(view == "enable" || page.contains("verify who you are at the moment"), "{view}: {page}");
        let right = format!("{form}&passphrase={}", OwnCheck::CODE);
        let (status, body) = send_form_to(&routes, view, to, &right, &[]).await;
        assert!(status == 200 && body.contains(shown), "{view}: {body}");
    }

    // Existing clients and streams get a new secret in the same way, and the form keeps what was typed.
    let client = organization.oauth_clients().await.unwrap().remove(0).id;
    let stream = organization.streams().await.unwrap().remove(0).id;
    let (rotated, again) =
        (format!("action=rotate&client={client}&overlap=86400"), format!("action=rotate-token&stream={stream}"));
    for (view, to, form, repeated, shown) in [
        (
            format!("confirm/new-secret?client={client}"),
            "clients",
            rotated,
            "value=\"86400\" required checked",
            "insm_cs_",
        ),
        (format!("confirm/new-stream-token?stream={stream}"), "streams", again, "", "insm_events_"),
    ] {
        let (status, body) = send_form_to(&routes, &view, to, &format!("{form}&passphrase=000000"), &[]).await;
        assert!(status == 422 && body.contains("The code is wrong. Nothing was changed."), "{view}: {body}");
        assert!(body.contains(repeated), "{view}: {body}");
        let right = format!("{form}&passphrase={}", OwnCheck::CODE);
        let (status, body) = send_form_to(&routes, &view, to, &right, &[]).await;
        assert!(status == 200 && body.contains(shown), "{view}: {body}");
    }
    let access = "action=entra&tenant=t&client-id=c&client-secret=s&service-principal=p&passphrase=000000";
    let (status, body) = send_form(&routes, "automatic", access, &[]).await;
    assert!(status == 422 && body.contains("The code is wrong. Nothing was changed."), "{body}");
    assert!(body.contains("name=\"tenant\" value=\"t\"") && !body.contains("value=\"s\""), "{body}");
}

const WRONG_CLIENT: &str = "action=create&name=Okta&grant=code&redirects=nonsense";
const RIGHT_CLIENT: &str = "action=create&name=Okta&grant=code&redirects=https://idp.example/callback";

/// A backend that accepts any code, but each only once.
#[derive(Default)]
struct OnceOnly(Mutex<HashSet<String>>);

#[async_trait]
impl StepUp for OnceOnly {
    async fn question(
        &self,
        _: &OrganizationId,
        _: &Session,
        _: &Parts,
        _: &str,
    ) -> Result<StepUpQuestion, SessionError> {
        Ok(StepUpQuestion::Field { label: "Your code".into(), hint: None, is_code: true })
    }

    async fn verify(
        &self,
        _: &OrganizationId,
        _: &Session,
        _: &Parts,
        typed: &str,
    ) -> Result<StepUpVerdict, SessionError> {
        let is_new = !typed.is_empty() && self.0.lock().unwrap().insert(typed.to_owned());
        Ok(if is_new { StepUpVerdict::Verified } else { StepUpVerdict::Refused("The code was used.".into()) })
    }
}

#[tokio::test]
async fn p2_a_code_that_came_with_another_mistake_is_not_used_up() {
    let host = Host::new().await;
    let organization = host.provisioner.organization(&id());
    organization.enable(OWNER, IdentityProvider::Okta, ExpiryWindow::Days30).await.unwrap();
    let page = Page::new(&host.provisioner).sessions(Arc::new(Backend)).step_up(Arc::new(OnceOnly::default()));
    let routes = page.router();
    // The page reports the errors that it finds itself before the code is checked.
    for (view, wrong, right, shown) in [
        ("refresh", "window=&overlap=7", REFRESH, "insm_scim_"),
        ("setup-links", "action=create&provider=okta&window=90d&seconds=7", LINK, "insm_setup_"),
        ("api-keys", "action=create&name=+&amount=read&window=1y", KEY, "insm_api_"),
        ("streams", "action=add&name=Backend&audience=rp&detail=notice", STREAM, "insm_events_"),
    ] {
        let (status, body) = send_form(&routes, view, &format!("{wrong}&passphrase=of-{view}"), &[]).await;
        assert!(status == 422 && body.contains(">Your code</label>"), "{view}: {body}");
        let (status, body) = send_form(&routes, view, &format!("{right}&passphrase=of-{view}"), &[]).await;
        assert!(status == 200 && body.contains(shown), "{view}: {body}");
    }
    // Errors that only the component finds are reported after that. The form is then sent again without another code.
    let wrong = format!("{WRONG_CLIENT}&passphrase=of-a-client");
    let (status, body) = send_form_to(&routes, "automatic", "clients", &wrong, &[]).await;
    assert!(status == 422 && body.contains("Nothing was changed: "), "{body}");
    assert!(!body.contains("for=\"client-proof\"") && body.contains("value=\"nonsense\""), "{body}");
    assert!(body.contains("for=\"entra-proof\"") && body.contains("for=\"okta-proof\""), "it is of one form: {body}");
    let other = send_form(&routes, "refresh", REFRESH, &[]).await;
    assert_eq!(other.0, 422, "it is of one form: {}", other.1);
    for access in [
        "action=entra&tenant=t&client-id=c&client-secret=s&service-principal=p",
        "action=okta&org-url=https://acme.okta.com&app-id=a&api-token=t",
    ] {
        let (status, body) = send_form(&routes, "automatic", access, &[]).await;
        let is_refused = status == 422 && body.contains("The code was used. Nothing was changed.");
        assert!(is_refused, "it is not of another form of the same view: {access}: {body}");
    }
    let (status, body) = send_form_to(&routes, "automatic", "clients", RIGHT_CLIENT, &[]).await;
    assert!(status == 200 && body.contains("insm_cs_"), "{body}");
    let (status, body) = send_form_to(&routes, "automatic", "clients", RIGHT_CLIENT, &[]).await;
    assert!(status == 422 && body.contains("The code was used."), "it is for one act: {body}");
}

#[tokio::test]
async fn p2_a_code_that_came_with_another_mistake_is_good_for_five_minutes_however_many_mistakes_follow() {
    let host = Host::new().await;
    let organization = host.provisioner.organization(&id());
    organization.enable(OWNER, IdentityProvider::Okta, ExpiryWindow::Days30).await.unwrap();
    let page = Page::new(&host.provisioner).sessions(Arc::new(Backend)).step_up(Arc::new(OnceOnly::default()));
    let routes = page.router();
    let first = format!("{WRONG_CLIENT}&passphrase=of-a-client");
    for form in [first.as_str(), WRONG_CLIENT, WRONG_CLIENT] {
        let (status, body) = send_form_to(&routes, "automatic", "clients", form, &[]).await;
        assert!(status == 422 && body.contains("Nothing was changed: "), "{form}: {body}");
        assert!(!body.contains("for=\"client-proof\""), "{form}: {body}");
        host.wait(2 * MINUTE);
    }
    let (_, page) = get(&routes, &format!("{HOME}/automatic"), &[("x-backend-user", OWNER)]).await;
    assert!(page.contains("for=\"client-proof\""), "six minutes after the code: {page}");
    let (status, body) = send_form_to(&routes, "automatic", "clients", RIGHT_CLIENT, &[]).await;
    assert!(status == 422 && body.contains("The code was used."), "six minutes after the code: {body}");
}

#[tokio::test]
async fn a_backend_that_stops_ends_live_logs() {
    let host = Host::new().await;
    let routes = Page::new(&host.provisioner).sessions(Arc::new(Backend)).router();
    let request =
        Request::get(format!("{HOME}/logs/live")).header("x-backend-user", OWNER).body(Body::empty()).unwrap();
    let mut log = routes.oneshot(request).await.unwrap().into_body();
    assert!(log.frame().await.unwrap().unwrap().is_data(), "somebody follows the log");
    host.provisioner.stop_waiting();
    tokio::time::timeout(Duration::from_secs(20), log.collect())
        .await
        .expect("the end, long before the minute")
        .unwrap();
}

#[tokio::test]
async fn routes_that_are_nested_below_the_path_of_the_base_url_work_as_others_do() {
    let host = Host::new().await;
    let page = Page::new(&host.provisioner).sessions(Arc::new(Backend)).router();
    let ours = Router::new().route("/scim", axum::routing::get(|| async { "ours" }));
    let routes = ours.nest("/insomnia", host.provisioner.router().merge(page));
    let (response, _) = get(&routes, &format!("/insomnia{HOME}/logs?q=a"), &[]).await;
    assert_eq!(response.headers()[header::LOCATION], "/login?team=acme&to=/insomnia/organizations/acme/scim/logs?q=a");
    let (response, page) = get(&routes, &format!("/insomnia{HOME}"), &[("x-backend-user", OWNER)]).await;
    assert_eq!(response.status(), 200, "{page}");
    let stylesheet = between(&page, "<link rel=\"stylesheet\" href=\"", "\"");
    assert_eq!(get(&routes, stylesheet, &[]).await.0.status(), 200, "{stylesheet}");
    let (response, refusal) = get(&routes, "/insomnia/scim/v2/acme/Users", &[]).await;
    assert_eq!((response.status().as_u16(), refusal.contains("Error")), (401, true), "{refusal}");
}
