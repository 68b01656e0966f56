//! OAuth 2.0 in the browser: a client of an identity provider asks for consent, and an owner allows or refuses it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::thread;

use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::oauth::NewOAuthClient;
use insomnia_scim_tests::client::{Client, encode};
use serde_json::Value;

use crate::page::browser::examine::examine;
use crate::page::browser::{Browser, DESKTOP};
use crate::page::host::Host;
use crate::page::organization::Organization;
use crate::page::visitor::{Visitor, form};

/// The verifier and its challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[test]
fn an_owner_signs_in_allows_a_client_and_it_provisions() {
    let host = Host::start();
    let organization = Organization::of(&host, "consent");
    organization.enable(ExpiryWindow::Never);
    let asking = Asking::new(&organization);
    let browser = Browser::open(DESKTOP);
    // A request that is refused ends at the identity provider too, although the sign-in's form came before.
    browser.go(&asking.url(&organization).replace("response_type=code", "response_type=token"));
    browser.wait_for_text("h1", "Sign in");
    browser.sign_in(&organization.owner, &organization.passphrase);
    browser.wait_for_text("body", "at the identity provider");
    let back = browser.wait_for_url("error=");
    assert!(back.starts_with(&asking.redirect) && back.contains("error=unsupported_response_type"), "{back}");

    browser.go(&asking.url(&organization));
    browser.wait_for_text("h1", "Allow Okta <b> to provision");
    examine(&browser, "consent");

    browser.follow("button[value=deny]");
    browser.wait_for_text("body", "at the identity provider");
    let back = browser.wait_for_url("error=");
    assert!(back.starts_with(&asking.redirect), "{back}");
    assert!(back.contains("error=access_denied") && back.contains("state=s%201"), "{back}");

    browser.go(&asking.url(&organization));
    browser.follow("button[value=allow]");
    browser.wait_for_text("body", "at the identity provider");
    let back = browser.wait_for_url("code=");
    assert!(back.contains("state=s%201"), "{back}");
    let code = parameter(&back, "code");

    let wrong = asking.exchange(&organization, &code, &VERIFIER.replace('d', "e"));
    assert_eq!((wrong.0, wrong.1["error"].as_str()), (400, Some("invalid_grant")), "{}", wrong.1);
    browser.go(&asking.url(&organization));
    browser.follow("button[value=allow]");
    browser.wait_for_text("body", "at the identity provider");
    let (status, issued) = asking.exchange(&organization, &parameter(&browser.wait_for_url("code="), "code"), VERIFIER);
    assert_eq!(status, 200, "{issued}");
    assert!(issued["refresh_token"].is_string(), "{issued}");
    let token = issued["access_token"].as_str().expect("an access token");
    let client = Client::new(&organization.library.connector_url(), token);
    insomnia_scim_tests::seed::someone(&client, "consent");
}

#[test]
fn a_policy_lets_the_answer_go_to_the_redirect_uri_and_nowhere_else() {
    let organization = Organization::new("policy");
    organization.enable(ExpiryWindow::Never);
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    let fields = [
        ("csrf", csrf.as_str()),
        ("action", "create"),
        ("name", "Okta <b>"),
        ("grant", "code"),
        ("redirects", "https://idp.example/callback"),
        ("passphrase", &organization.passphrase),
    ];
    let page = visitor.post("/clients", &fields).is(200).text();
    assert!(page.contains("insm_cs_") && !page.contains("<b>\""), "{page}");
    let client = field(&page, "id=\"client-id\"");
    let query =
        format!("response_type=code&client_id={client}&redirect_uri=https%3A%2F%2Fidp.example%2Fcallback&state=s1");
    let screen = visitor.get(&format!("/consent?{query}"));
    let text = screen.is(200).text();
    assert!(text.contains("Okta &#60;b&#62;"), "{text}");
    let policy = screen.header("content-security-policy").unwrap_or_default();
    assert!(policy.ends_with("form-action 'self' https://idp.example"), "{policy}");
    let request = field(&text, "name=\"request\"");
    visitor.post("/consent", &[("request", &request), ("decision", "allow")]).is(403);
    visitor.post("/consent", &[("csrf", &csrf), ("request", "guessed"), ("decision", "allow")]).is(409);
    visitor.get("/consent?client_id=unknown").is(400);
    let elsewhere = query.replace("idp.example", "evil.example");
    visitor.get(&format!("/consent?{elsewhere}")).is(400);
}

/// A client that is registered, and the place that its codes are sent to.
struct Asking {
    client: String,
    secret: String,
    redirect: String,
}

impl Asking {
    fn new(organization: &Organization<'_>) -> Self {
        let redirect = callback();
        let new = NewOAuthClient {
            name: "Okta <b>".into(),
            client_credentials: false,
            authorization_code: true,
            redirect_uris: vec![redirect.clone()],
            ..NewOAuthClient::default()
        };
        let made = organization.library.create_oauth_client(&organization.owner, new);
        let made = organization.host.run(made).expect("a client");
        Self { client: made.client.id, secret: made.secret.expect("a secret"), redirect }
    }

    fn url(&self, organization: &Organization<'_>) -> String {
        format!(
            "{}/authorize?response_type=code&client_id={}&redirect_uri={}&scope=scim&state=s%201&code_challenge={CHALLENGE}\
             &code_challenge_method=S256",
            organization.library.oauth_issuer(),
            self.client,
            encode(&self.redirect),
        )
    }

    fn exchange(&self, organization: &Organization<'_>, code: &str, verifier: &str) -> (u16, Value) {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect),
            ("client_id", &self.client),
            ("client_secret", &self.secret),
            ("code_verifier", verifier),
        ];
        let answer = Client::bare(&organization.library.oauth_issuer()).send(&form("/token", &fields));
        (answer.status, serde_json::from_slice(&answer.body).expect("an answer in JSON"))
    }
}

/// The identity provider's end: it answers whatever comes.
fn callback() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok);
            lines.find(String::is_empty);
            let text = "<title>IdP</title>at the identity provider";
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
                text.len()
            );
        }
    });
    format!("http://{address}/callback")
}

fn parameter(url: &str, name: &str) -> String {
    let value = url.split(['?', '&']).find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    value.unwrap_or_else(|| panic!("{url} has no {name}")).to_owned()
}

/// The value of the field that is marked so.
fn field(page: &str, mark: &str) -> String {
    let rest = page.split_once(mark).map_or("", |(_, rest)| rest);
    let value = rest.split_once("value=\"").map_or("", |(_, value)| value);
    value.split('"').next().unwrap_or_default().to_owned()
}
