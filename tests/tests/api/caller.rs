//! Callers of the API: those with a key of the operator, and those with a key of an organization.

use std::sync::OnceLock;

use insomnia_scim_tests::client::{Client, Request, Response};
use insomnia_scim_tests::person::unique;
use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::server::{Server, shared};
use serde_json::{Value, json};

/// The passphrase of the owners that tests make.
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// A client below `/api/v1` without a key.
pub(crate) fn nobody() -> Client {
    nobody_of(shared())
}

/// As [`nobody`], of another server.
pub(crate) fn nobody_of(server: &Server) -> Client {
    let url = server.client().at_root().url();
    Client::bare(&format!("{url}/api/v1")).content_type("application/json")
}

/// A client with this key.
pub(crate) fn with(key: &str) -> Client {
    nobody().header("Authorization", &format!("Bearer {key}"))
}

/// The operator of the shared server.
pub(crate) fn operator() -> Client {
    static KEY: OnceLock<String> = OnceLock::new();
    with(KEY.get_or_init(|| text(&shared().command(&["api-key", "create", "tests", "--operator"]), "secret")))
}

/// An organization with an owner, and a client with its key.
pub(crate) struct Organization {
    pub(crate) id: String,
    /// Its path below the API.
    pub(crate) path: String,
    pub(crate) owner: String,
    pub(crate) key: String,
    pub(crate) client: Client,
}

impl Organization {
    /// On the Enterprise plan, with 20 seats.
    pub(crate) fn new(name: &str) -> Self {
        Self::with(name, json!({"seats": 20}))
    }

    /// As [`Organization::new`], with some of it another way.
    pub(crate) fn with(name: &str, change: Value) -> Self {
        let operator = operator();
        let id = unique(name);
        let domain = format!("{id}.example");
        let mut record = json!({
            "name": name,
            "plan": "enterprise",
            "seats": 20,
            "domains": [{"name": domain, "verified": true}],
            "single_sign_on": "okta",
        });
        for (name, value) in change.as_object().expect("an object") {
            record[name] = value.clone();
        }
        operator.post("/organizations", json!({"id": id, "organization": record})).is(201);
        let path = format!("/organizations/{id}");
        let owner = format!("owner@{domain}");
        let member = json!({"email": owner, "role": "owner", "passphrase": PASSPHRASE});
        operator.post(&format!("{path}/members"), member).is(201);
        let key = text(&created(&operator.post(&format!("{path}/api-keys"), json!({"name": "tests"}))), "secret");
        let client = with(&key);
        Self { id, path, owner, key, client }
    }

    /// A path below the organization.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.path)
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Response {
        self.client.get(&self.at(path))
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: Value) -> Response {
        self.client.post(&self.at(path), body)
    }

    #[track_caller]
    pub(crate) fn put(&self, path: &str, body: Value) -> Response {
        self.client.put(&self.at(path), body)
    }

    #[track_caller]
    pub(crate) fn delete(&self, path: &str) -> Response {
        self.client.delete(&self.at(path))
    }

    /// Enables SCIM for Okta, and returns the token.
    pub(crate) fn enable(&self) -> String {
        let asked = json!({"identity_provider": "okta", "expires": "90d"});
        text(&ok(&self.post("/connector/enable", asked)), "token")
    }
}

/// The JSON of an answer with this status, and what every answer has.
#[track_caller]
pub(crate) fn answer(response: &Response, status: u16) -> Value {
    response.is(status);
    assert_eq!(response.header("content-type"), Some("application/json"), "{response}");
    assert_eq!(response.header("cache-control"), Some("no-store"), "{response}");
    assert!(response.header("x-request-id").is_some(), "{response}");
    response.json()
}

#[track_caller]
pub(crate) fn ok(response: &Response) -> Value {
    answer(response, 200)
}

#[track_caller]
pub(crate) fn created(response: &Response) -> Value {
    answer(response, 201)
}

/// An answer without a body.
#[track_caller]
pub(crate) fn gone(response: &Response) {
    response.is(204);
    assert!(response.body.is_empty(), "{response}");
}

/// A problem of this status and kind, as RFC 9457 and the API have it.
#[track_caller]
pub(crate) fn problem(response: &Response, status: u16, kind: &str) -> Value {
    response.is(status);
    assert_eq!(response.header("content-type"), Some("application/problem+json"), "{response}");
    assert_eq!(response.header("cache-control"), Some("no-store"), "{response}");
    let problem = response.json();
    assert_eq!(problem["type"], json!(format!("urn:insomnia:problem:{kind}")), "{response}");
    assert_eq!(problem["status"], json!(status), "{response}");
    assert_eq!(problem["instance"].as_str(), response.header("x-request-id"), "{response}");
    for name in ["title", "detail"] {
        assert!(problem[name].as_str().is_some_and(|text| !text.is_empty()), "{response}");
    }
    problem
}

/// A POST with an idempotency key.
pub(crate) fn keyed(path: &str, key: &str, body: Value) -> Request {
    Request::new("POST", path).header("Idempotency-Key", key).body(body)
}
