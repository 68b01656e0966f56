//! Clients that sign a JWT instead of having a secret (RFC 7523): `private_key_jwt` and Entra's workload identity federation.

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::json;

use super::*;
use crate::capability::{HttpError, HttpResponse};

const JWKS_URL: &str = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/discovery/v2.0/keys";
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const SECONDS: u64 = BEGIN / 1_000;

/// An RSA key's modulus, and a JWT of the form that Microsoft Entra ID sends, which OpenSSL has signed by it.
const RSA_MODULUS: &str = "\
    vuqYnyJ2QqhsrhUrgf0ZJEpd2Nx_xPUYcKpRNukYoIOmgizc4fV-2tR3dFP8aL8HXXfKuuFb0s3Pryrsq3Vv4QMmcu7lH1FZlrAYY-TPfE0kR5\
    iB2LHsJR7PVIIiFWOk6Z1GMVz5KZeEGVO3X_Csog5KgQWJXv03qiNc0bzX0aTaXt7KOEfzyqUka7_SFXpZw9XZW6h6qXKARzK4V5uY5d3_pzuG\
    Lfl9g_P5wH1XfXHjirXNhEq1GnwZLY59XPx6R1PhLHGkR2OI0OUqd7o9SV3j1Hn_Xn2sbKC7ELQ77f7pyNv2L-\
    Ln876z_LVY6eJdJJBdp59p3CSCnV_uBDXInQ";
const ENTRA_JWT: &str = "\
    eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsIng1dCI6ImVudHJhLWtleSIsImtpZCI6ImVudHJhLWtleSJ9.eyJhdWQiOiI2ZjRlM2IwZS0xM\
    TExLTRhNmItOWM1NS0wMDAwMDAwMDAwMDEiLCJpc3MiOiJodHRwczovL2xvZ2luLm1pY3Jvc29mdG9ubGluZS5jb20vOTE4ODA0MGQtNmM2Ny0\
    0YzViLWIxMTItMzZhMzA0YjY2ZGFkL3YyLjAiLCJpYXQiOjE3NjAwMDAwMDAsIm5iZiI6MTc2MDAwMDAwMCwiZXhwIjoxNzYwMDAzOTAwLCJhe\
    nAiOiIwMDAwMDAxNC0wMDAwLTAwMDAtYzAwMC0wMDAwMDAwMDAwMDAiLCJhenBhY3IiOiIyIiwib2lkIjoiM2Q1ZTdhMTAtMjIyMi00YzBiLTh\
    hNDQtMDAwMDAwMDAwMDAyIiwicmgiOiIxLkFYIiwic3ViIjoiM2Q1ZTdhMTAtMjIyMi00YzBiLThhNDQtMDAwMDAwMDAwMDAyIiwidGlkIjoiO\
    TE4ODA0MGQtNmM2Ny00YzViLWIxMTItMzZhMzA0YjY2ZGFkIiwidXRpIjoieCIsInZlciI6IjIuMCJ9.hdWM_yxVTwqNKDiA4v6IjcbBXYG_t0\
    jE0e8wsNQ3wqFDeapybJ_UndRAQvSYiWuYvoHGwq0CQCzElqJ5TtPQX4ZZkbTVUJq1O7n4N5Mjnac7XXhF4HzNiuXlESvmS-\
    oGKiizuuGVdaY8Abu4Rrnh9nukbaToYm2F8LoW1IC78oll_lRSlaEB-\
    GnJzBlR3yoKNhkwINwfaYKWFN_IQqOD33lzug61Fu_5uesocbzASesDK9rP1h2k3GjUL-eIZ_bkQ4MHvIOkHH-\
    AcPJFogBnc50sU830SuLomSdZDnvWCtqnwQdmzcZGRNbsfmQHFLS5Py_CK9ySA2fKlUt0dUuoyg";

/// A key of the curve P-256 in the identity provider's key set.
struct Signing {
    key: SigningKey,
    kid: &'static str,
}

impl Signing {
    fn new(kid: &'static str, byte: u8) -> Self {
        Self { key: SigningKey::from_slice(&[byte; 32]).unwrap(), kid }
    }

    fn jwk(&self) -> Value {
        let point = self.key.verifying_key().to_sec1_point(false);
        let bytes = point.as_bytes();
        let part = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&bytes[range]);
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": self.kid, "x": part(1..33), "y": part(33..65)})
    }

    fn sign(&self, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({"alg": "ES256", "kid": self.kid})), part(claims));
        let signature: Signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

/// A client that signs, in an organization of its own.
struct Signed {
    memory: MemoryHost,
    id: String,
}

impl Signed {
    fn new(assertion: ClientAssertion) -> Self {
        let (memory, _) = enabled(Window::Year1);
        let new = NewClient {
            name: "Entra".into(),
            client_credentials: true,
            assertion: Some(assertion),
            ..NewClient::default()
        };
        let issued = create(&memory.host().store(), OWNER, &new).unwrap();
        assert_eq!((issued.secret, issued.client.public, issued.client.secret_expires), (None, false, None));
        Self { memory, id: issued.client.id }
    }

    /// A client of which only the URL of its key set is registered. Its JWTs have its id as `iss` and `sub`, and this
    /// server as `aud`.
    fn by_key() -> Self {
        let jwks_url = "https://idp.example/keys".into();
        Self::new(ClientAssertion { issuer: None, subject: None, audience: None, jwks_url })
    }

    fn claims(&self) -> Value {
        let expires = self.memory.host().clock.now() / 1_000 + 300;
        json!({"iss": self.id, "sub": self.id, "aud": ISSUER, "exp": expires, "jti": "1"})
    }

    fn serves(&self, keys: &[Value]) {
        self.answers(Ok(HttpResponse {
            status: 200,
            body: json!({ "keys": keys }).to_string().into_bytes(),
            ..HttpResponse::default()
        }));
    }

    fn answers(&self, answer: Result<HttpResponse, HttpError>) {
        self.memory.http_results.borrow_mut().push_back(answer);
    }

    fn fetched(&self) -> usize {
        self.memory.requests.borrow().len()
    }

    fn present(&self, jwt: &str) -> (u16, Value) {
        self.post(&format!("client_id={}&client_assertion_type={}&client_assertion={jwt}", self.id, encode(TYPE)))
    }

    fn post(&self, form: &str) -> (u16, Value) {
        let form = format!("grant_type=client_credentials&{form}");
        read_any(&token(self.memory.host(), &request(&[], &form)))
    }

    fn shown(&self) -> insomnia_scim_contract::OAuthClient {
        list(&self.memory.host().store()).unwrap().remove(0)
    }
}

fn read_any(response: &OAuthResponse) -> (u16, Value) {
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

fn federated() -> ClientAssertion {
    ClientAssertion {
        issuer: Some("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0".into()),
        subject: Some("3d5e7a10-2222-4c0b-8a44-000000000002".into()),
        audience: Some("6f4e3b0e-1111-4a6b-9c55-000000000001".into()),
        jwks_url: JWKS_URL.into(),
    }
}

fn entra_keys() -> Vec<Value> {
    // Microsoft's key set also has certificates, and keys of other kinds.
    vec![
        json!({"kty": "RSA", "use": "sig", "kid": "other-key", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "RSA", "use": "sig", "kid": "entra-key", "x5t": "entra-key", "n": RSA_MODULUS, "e": "AQAB",
            "x5c": ["MIIC"], "cloud_instance_name": "microsoftonline.com", "issuer": "https://login.microsoftonline.com"}),
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "entra-key", "x": "AA"}),
    ]
}

#[test]
fn rfc7523_entras_workload_identity_federation_gets_a_token_and_unknown_parameters_are_ignored() {
    let client = Signed::new(federated());
    client.serves(&entra_keys());
    let form = format!(
        "client_id={}&client_assertion={ENTRA_JWT}&client_assertion_type={}&baseAddress={}&scope=scim",
        client.id,
        encode(TYPE),
        encode("https://scim.example/scim/v2/acme")
    );
    let (status, granted) = client.post(&form);
    assert_eq!((status, &granted["expires_in"]), (200, &Value::from(7_200)), "{granted}");
    assert_eq!(scim(client.memory.host(), text(&granted, "access_token")).status, 200);
    let requests = client.memory.requests.borrow();
    assert_eq!((requests[0].method.as_str(), requests[0].url.as_str()), ("GET", JWKS_URL));
    assert_eq!((client.shown().keys_fetched, client.shown().keys_problem), (Some(BEGIN), None));
}

#[test]
fn rfc7523_a_jwt_for_somebody_else_or_of_another_time_gives_no_token() {
    let changed = [
        ClientAssertion { issuer: Some("https://login.microsoftonline.com/other/v2.0".into()), ..federated() },
        ClientAssertion { subject: Some("3d5e7a10-2222-4c0b-8a44-000000000003".into()), ..federated() },
        ClientAssertion { audience: Some("api://6f4e3b0e".into()), ..federated() },
        ClientAssertion { issuer: None, ..federated() },
        ClientAssertion { subject: None, ..federated() },
        ClientAssertion { audience: None, ..federated() },
    ];
    for changed in changed {
        let client = Signed::new(changed.clone());
        client.serves(&entra_keys());
        assert_eq!(error(client.present(ENTRA_JWT)), refused(401, "invalid_client"), "{changed:?}");
    }
    for (now, status) in [(3_900 + 59, 200), (3_900 + 60, 401)] {
        let client = Signed::new(federated());
        client.memory.set_now(BEGIN + now * 1_000);
        client.serves(&entra_keys());
        assert_eq!(client.present(ENTRA_JWT).0, status, "{now} seconds after it was issued");
    }
}

#[test]
fn rfc7523_private_key_jwt_names_the_client_and_this_server() {
    let client = Signed::by_key();
    let key = Signing::new("a", 7);
    client.serves(&[key.jwk()]);
    for audience in [json!(ISSUER), json!([ISSUER]), json!(format!("{ISSUER}/token"))] {
        let mut claims = client.claims();
        claims["aud"] = audience;
        assert_eq!(client.present(&key.sign(&claims)).0, 200, "{claims}");
        // RFC 7521 §4.2: the JWT alone identifies the client.
        let alone = format!("client_assertion_type={}&client_assertion={}", encode(TYPE), key.sign(&claims));
        assert_eq!(client.post(&alone).0, 200, "{claims}");
    }
    assert_eq!(client.fetched(), 1, "the key set is kept");
    let wrong = |change: &dyn Fn(&mut Value)| {
        let mut claims = client.claims();
        change(&mut claims);
        assert_eq!(error(client.present(&key.sign(&claims))), refused(401, "invalid_client"), "{claims}");
    };
    wrong(&|claims| claims["aud"] = json!("https://scim.example/oauth/other"));
    wrong(&|claims| claims["aud"] = json!([ISSUER, "https://elsewhere.example"]));
    wrong(&|claims| claims["iss"] = json!("somebody"));
    wrong(&|claims| claims["sub"] = json!("somebody"));
    wrong(&|claims| claims["exp"] = json!(SECONDS - 60));
    wrong(&|claims| claims["exp"] = Value::Null);
    wrong(&|claims| claims["nbf"] = json!(SECONDS + 61));
}

#[test]
fn rfc7515_a_signature_that_is_not_the_clients_gives_no_token() {
    let client = Signed::by_key();
    let (key, stranger) = (Signing::new("a", 7), Signing::new("a", 8));
    client.serves(&[key.jwk()]);
    let good = key.sign(&client.claims());
    assert_eq!(client.present(&good).0, 200);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let other_claims = part(json!({"iss": client.id, "sub": client.id, "aud": ISSUER, "exp": SECONDS + 301}));
    let hmac = part(json!({"alg": "HS256", "kid": "a"}));
    let bad = [
        stranger.sign(&client.claims()),
        format!("{header}.{other_claims}.{signature}"),
        format!("{}.{claims}.", part(json!({"alg": "none"}))),
        format!("{}.{claims}.{signature}", part(json!({"alg": "none", "kid": "a"}))),
        format!("{hmac}.{claims}.{signature}"),
        // The key with this `kid` is no RSA key, although the header says so.
        format!("{}.{claims}.{signature}", part(json!({"alg": "RS256", "kid": "a"}))),
        // A key that the sender puts into the header is not trusted.
        format!("{}.{claims}.{signature}", part(json!({"alg": "ES256", "jwk": stranger.jwk(), "kid": "b"}))),
        format!("{signed}."),
        format!("{signed}.AAAA"),
        "x".into(),
        "x".repeat(10_000),
    ];
    for bad in bad {
        assert_eq!(error(client.present(&bad)), refused(401, "invalid_client"), "{bad}");
    }
}

#[test]
fn rfc6749_2_3_a_client_that_signs_authenticates_in_no_other_way_and_no_other_client_by_a_jwt() {
    let client = Signed::by_key();
    let key = Signing::new("a", 7);
    client.serves(&[key.jwk()]);
    let jwt = key.sign(&client.claims());
    let id = &client.id;
    let with = |form: &str| error(client.post(form));
    let assertion = format!("client_assertion_type={}&client_assertion={jwt}", encode(TYPE));
    assert_eq!(with(&format!("client_id={id}")), refused(401, "invalid_client"));
    assert_eq!(with(&format!("client_id={id}&client_secret=x")), refused(401, "invalid_client"));
    assert_eq!(with(&format!("{assertion}&client_id={id}&client_secret=x")), refused(400, "invalid_request"));
    assert_eq!(with(&format!("client_id={id}&client_assertion={jwt}")), refused(400, "invalid_request"));
    let saml = encode("urn:ietf:params:oauth:client-assertion-type:saml2-bearer");
    let form = format!("client_id={id}&client_assertion_type={saml}&client_assertion={jwt}");
    assert_eq!(with(&form), refused(400, "invalid_request"));
    let basic = [("authorization".to_owned(), format!("Basic {}", STANDARD.encode(format!("{id}:x"))))];
    let form = format!("grant_type=client_credentials&{assertion}");
    let answer = read_any(&token(client.memory.host(), &request(&basic, &form)));
    assert_eq!(error(answer), refused(400, "invalid_request"));
    assert_eq!(client.fetched(), 0, "nothing was fetched for any of them");
    // A client with a secret can't authenticate by a JWT.
    let app = App::new();
    let form = format!("grant_type=client_credentials&client_id={}&{assertion}", app.id);
    assert_eq!(error(read_any(&token(app.memory.host(), &request(&[], &form)))), refused(401, "invalid_client"));
    // The revocation endpoint requires the same authentication.
    let end = |form: &str| revoke(client.memory.host(), &request(&[], form)).status;
    assert_eq!((end(&format!("token=x&{assertion}")), end(&format!("token=x&client_id={id}"))), (200, 401));
}

#[test]
fn rfc7517_a_new_key_works_at_once_and_one_that_was_taken_out_stops_within_an_hour() {
    let client = Signed::by_key();
    let (old, new) = (Signing::new("old", 7), Signing::new("new", 8));
    client.serves(&[old.jwk()]);
    assert_eq!(client.present(&old.sign(&client.claims())).0, 200);
    client.serves(&[new.jwk()]);
    assert_eq!(client.present(&new.sign(&client.claims())).0, 200, "within the same second");
    assert_eq!(client.fetched(), 2);
    client.serves(&[new.jwk()]);
    assert_eq!(error(client.present(&old.sign(&client.claims()))), refused(401, "invalid_client"));

    let client = Signed::by_key();
    client.serves(&[old.jwk(), new.jwk()]);
    assert_eq!(client.present(&old.sign(&client.claims())).0, 200);
    client.memory.set_now(BEGIN + 3_600_000 - 1);
    assert_eq!((client.present(&old.sign(&client.claims())).0, client.fetched()), (200, 1));
    client.memory.set_now(BEGIN + 3_600_000);
    client.serves(&[new.jwk()]);
    assert_eq!(error(client.present(&old.sign(&client.claims()))), refused(401, "invalid_client"));
    assert_eq!(client.present(&new.sign(&client.claims())).0, 200);
}

#[test]
fn rfc7517_a_key_set_that_can_not_be_fetched_is_used_as_it_was_and_its_trouble_is_shown() {
    let client = Signed::by_key();
    let key = Signing::new("a", 7);
    let troubles = [
        Err(HttpError::Timeout),
        Err(HttpError::NotAllowed("10.0.0.1 is not public".into())),
        Ok(HttpResponse { status: 503, ..HttpResponse::default() }),
        Ok(HttpResponse { status: 200, body: b"<html>".to_vec(), ..HttpResponse::default() }),
    ];
    for trouble in troubles.clone() {
        client.answers(trouble);
        assert_eq!(error(client.present(&key.sign(&client.claims()))), refused(503, "temporarily_unavailable"));
        assert!(client.shown().keys_problem.is_some_and(|problem| !problem.is_empty()));
    }
    client.serves(&[key.jwk()]);
    assert_eq!(client.present(&key.sign(&client.claims())).0, 200);
    assert_eq!(client.shown().keys_problem, None);
    for (hours, trouble) in (1..).zip(troubles) {
        client.memory.set_now(BEGIN + hours * 5_000_000);
        client.answers(trouble);
        assert_eq!(client.present(&key.sign(&client.claims())).0, 200, "the set that was kept");
        let shown = client.shown();
        assert_eq!((shown.keys_fetched, shown.keys_problem.is_some()), (Some(BEGIN), true));
    }
}

#[test]
fn rfc7517_invented_key_ids_make_the_server_fetch_five_times_in_five_minutes_at_the_most() {
    let client = Signed::by_key();
    let (key, invented) = (Signing::new("a", 7), Signing::new("invented", 8));
    for _ in 0..100 {
        client.serves(&[key.jwk()]);
        assert_eq!(error(client.present(&invented.sign(&client.claims()))), refused(401, "invalid_client"));
    }
    assert_eq!(client.fetched(), 5);
    assert_eq!(client.present(&key.sign(&client.claims())).0, 200, "whom the set has is not kept out");
    client.memory.set_now(BEGIN + 300_000);
    client.present(&invented.sign(&client.claims()));
    assert_eq!(client.fetched(), 6);
}

#[test]
fn what_a_client_signs_by_is_checked_before_it_is_registered() {
    let (memory, _) = enabled(Window::Year1);
    let store = memory.host().store();
    let with = |assertion: ClientAssertion| NewClient {
        name: "Entra".into(),
        client_credentials: true,
        assertion: Some(assertion),
        ..NewClient::default()
    };
    create(&store, OWNER, &with(federated())).unwrap();
    let bad = [
        with(ClientAssertion { jwks_url: "http://login.microsoftonline.com/keys".into(), ..federated() }),
        with(ClientAssertion { jwks_url: "https://login.example/keys#x".into(), ..federated() }),
        with(ClientAssertion { jwks_url: String::new(), ..federated() }),
        with(ClientAssertion { issuer: Some(String::new()), ..federated() }),
        with(ClientAssertion { subject: Some("x".repeat(2_001)), ..federated() }),
        with(ClientAssertion { audience: Some("a\nb".into()), ..federated() }),
        NewClient {
            client_credentials: false,
            authorization_code: true,
            redirect_uris: vec![REDIRECT.into()],
            public: true,
            ..with(federated())
        },
    ];
    for bad in bad {
        assert!(matches!(create(&store, OWNER, &bad), Err(ConnectorError::Invalid(_))), "{bad:?}");
    }
}

#[test]
fn a_deleted_client_leaves_no_key_set_behind() {
    let client = Signed::by_key();
    let key = Signing::new("a", 7);
    client.serves(&[key.jwk()]);
    assert_eq!(client.present(&key.sign(&client.claims())).0, 200);
    assert!(client.memory.dump().contains("oauth-keys/"));
    delete(&client.memory.host().store(), OWNER, &client.id).unwrap();
    assert!(!client.memory.dump().contains("oauth-keys/"));
}
