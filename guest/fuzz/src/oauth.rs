//! What a stranger sends to the OAuth endpoints: an authorization request, a consent, and forms for a token.
//!
//! The first line is an `Authorization` header, the second one the query of an authorization request, the third one a
//! signed request to approve, and the rest the form of a token or revocation request. `{client}`, `{secret}`, `{request}`
//! and `{code}` stand for what an honest client has: its id, its secret, the request that the consent page carries, and the
//! authorization code of a request that the owner has approved.

use insomnia_scim_guest::connector::oauth::{
    self, AuthorizeRefusal, NewClient, OAuthRequest, OAuthResponse, authorize_request,
};
use insomnia_scim_guest::store::Options;
use serde_json::Value;

use super::connector::Connector;

const OWNER: &str = "owner@example.com";
const REDIRECT: &str = "https://idp.example/callback";
const ISSUER: &str = "https://scim.example/oauth/org";

/// Checks one text.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let connector = Connector::new(9, Options::default());
    let host = connector.host.host();
    let new = NewClient {
        name: "IdP".into(),
        client_credentials: true,
        authorization_code: true,
        redirect_uris: vec![REDIRECT.into()],
        ..NewClient::default()
    };
    let issued = oauth::create(&host.store(), OWNER, &new).expect("a client");
    let (id, secret) = (issued.client.id, issued.secret.expect("a secret"));
    let honest = format!("response_type=code&client_id={id}&redirect_uri={REDIRECT}&state=s");
    let consent = authorize_request(&host.store(), &honest, &[]).expect("a consent page");
    let location = oauth::approve(&host.store(), OWNER, &consent.request, &[]).expect("an approval");
    let code = location.split(['?', '&']).find_map(|part| part.strip_prefix("code=")).expect("a code");
    let known = [("{client}", id.as_str()), ("{secret}", &secret), ("{request}", &consent.request), ("{code}", code)];
    let filled = known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
    let mut lines = filled.splitn(4, '\n');
    let [authorization, query, request, form] = [(); 4].map(|()| lines.next().unwrap_or_default());

    let goes_home = |location: &str| assert!(location.starts_with(REDIRECT), "{query:?} leads to {location}");
    match authorize_request(&host.store(), query, &[]) {
        Ok(consent) => {
            assert_eq!((consent.client_id, consent.redirect_uri.as_str()), (id.clone(), REDIRECT), "{query:?}");
            goes_home(&oauth::deny(&host.store(), &consent.request).expect("a denial"));
        }
        Err(AuthorizeRefusal::Redirect(location)) => goes_home(&location),
        Err(AuthorizeRefusal::Page(error)) => assert!(!error.description.is_empty(), "{query:?}"),
        Err(AuthorizeRefusal::Unavailable(why)) => panic!("{query:?}: {why}"),
    }
    if let Ok(location) = oauth::approve(&host.store(), OWNER, request, &[]) {
        assert_eq!(request, consent.request, "a request is approved that nobody was shown");
        goes_home(&location);
    }

    let honest = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    assert!(expect_oauth(&oauth::token(host, &asking("", &honest)), &secret), "an honest client gets no token");
    let asked = asking(authorization, form);
    let granted = expect_oauth(&oauth::token(host, &asked), &secret);
    assert!(!granted || knows(&filled, &secret), "{text:?} gets a token");
    expect_oauth(&oauth::revoke(host, &asked), &secret);
}

fn asking(authorization: &str, form: &str) -> OAuthRequest {
    OAuthRequest {
        headers: vec![
            ("authorization".into(), authorization.to_owned()),
            ("content-type".into(), "application/x-www-form-urlencoded".into()),
        ],
        body: form.as_bytes().to_vec(),
        issuer: ISSUER.into(),
        operator_clients: Vec::new(),
    }
}

/// Whether the text has the secret in one of the forms in which a client may present it.
fn knows(text: &str, secret: &str) -> bool {
    let in_basic = |word: &str| {
        let decoded = base64(word);
        String::from_utf8_lossy(&decoded).contains(secret)
    };
    text.contains(secret) || text.split(|character: char| character.is_ascii_whitespace()).any(in_basic)
}

/// What base64 of either alphabet stands for; what is none is passed over.
fn base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for six in text.bytes().filter_map(value) {
        bits = (bits << 6) | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

/// Every answer is 200, 400, 401, 405 or 415, JSON where it is not empty, and shows no secret. Returns whether a token was
/// granted.
fn expect_oauth(response: &OAuthResponse, secret: &str) -> bool {
    let text = String::from_utf8_lossy(&response.body);
    assert!(matches!(response.status, 200 | 400 | 401 | 405 | 415), "{}: {text}", response.status);
    assert!(!text.contains(secret), "the secret is shown: {text}");
    if response.body.is_empty() {
        return false;
    }
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(response.status == 200, body["error"].is_null(), "{text}");
    body["access_token"].is_string()
}
