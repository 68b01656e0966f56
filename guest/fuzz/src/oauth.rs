//! What strangers can send to the authorization server: token and revocation requests, authorization and consent requests.
//!
//! The first line says where the rest goes: `token`, `revoke`, `authorize`, `approve` or `deny`, and behind it, after a
//! space, an `Authorization` header. `{id}` and `{secret}` stand for those of a client, `{code}` for a code that was just
//! given, `{request}` for a consent request.

use insomnia_scim_guest::connector::oauth::{self, IssuedClient, NewClient};
use insomnia_scim_guest::store::{Options, Store};
use serde_json::Value;

use super::connector::Connector;

/// Where the client is.
const REDIRECT: &str = "https://idp.example/callback";
/// The form that a client sends with its own id.
const AUTHORIZE: &str = "response_type=code&redirect_uri=https%3A%2F%2Fidp.example%2Fcallback&state=s&client_id=";

/// Checks one request.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let connector = Connector::new(4, Options::default());
    let store = connector.host.host().store();
    let client = client(&store);
    let secret = client.secret.clone().expect("a secret");
    let consent = || oauth::authorize_request(&store, &format!("{AUTHORIZE}{}", client.client.id)).expect("a consent");
    let mut text = text.replace("{id}", &client.client.id).replace("{secret}", &secret);
    if text.contains("{request}") {
        text = text.replace("{request}", &consent().request);
    }
    if text.contains("{code}") {
        let redirect = oauth::approve(&store, "owner@example.com", &consent().request).expect("a redirect");
        let code = redirect.split(['?', '&']).find_map(|pair| pair.strip_prefix("code=")).unwrap_or_default();
        text = text.replace("{code}", code);
    }
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let (place, authorization) = first.split_once(' ').unwrap_or((first, ""));
    let mut headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    if !authorization.is_empty() {
        headers.push(("authorization".to_owned(), authorization.to_owned()));
    }
    match place {
        "authorize" => {
            if let Ok(consent) = oauth::authorize_request(&store, rest) {
                assert_eq!((consent.redirect_uri.as_str(), consent.client_id), (REDIRECT, client.client.id), "{rest}");
            }
        }
        "approve" | "deny" => {
            let answered = match place {
                "approve" => oauth::approve(&store, "owner@example.com", rest),
                _ => oauth::deny(&store, rest),
            };
            if let Ok(redirect) = answered {
                assert!(redirect.starts_with(REDIRECT), "{rest} leads to {redirect}");
            }
        }
        "revoke" => {
            let answer = oauth::revoke(&store, &headers, rest.as_bytes());
            assert!(matches!(answer.status, 200 | 400 | 401 | 503), "{} {text}", answer.status);
        }
        _ => token(&oauth::token(&store, &headers, rest.as_bytes()), &text, &secret),
    }
}

/// An answer of the token endpoint: a token only for who has the secret.
fn token(answer: &oauth::OAuthResponse, text: &str, secret: &str) {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(matches!(answer.status, 200 | 400 | 401), "{} {text}", answer.status);
    let is_issued = body["access_token"].is_string();
    assert_eq!(is_issued, answer.status == 200, "{body} {text}");
    assert_eq!(!is_issued, body["error"].is_string(), "{body} {text}");
    // The secret may be written in several ways, but what it consists of is there.
    let shown = body.to_string();
    assert!(!shown.contains(secret), "the secret is shown: {text}");
}

fn client(store: &Store<'_>) -> IssuedClient {
    let new = NewClient {
        name: "Fuzz".into(),
        client_credentials: true,
        authorization_code: true,
        redirect_uris: vec![REDIRECT.into()],
        public: false,
    };
    oauth::create(store, "owner@example.com", &new).expect("a client")
}
