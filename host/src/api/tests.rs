//! The API as an embedder mounts it, with the test's clock.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use crate::api_keys::{self, ApiKeyHolder};
use crate::capability::clock::ManualClock;
use crate::capability::secrets::{NoSecrets, SecretKey, Secrets};
use crate::capability::storage::{Change, KeyRange, OrganizationId, Transaction};
use crate::provisioner::Provisioner;
use crate::storage::{MemoryStorage, count};

const START: u64 = 1_800_000_000_000;
const DAY: u64 = 24 * 60 * 60;

/// A host with a key of the operator.
struct Host {
    provisioner: Provisioner,
    clock: Arc<ManualClock>,
    routes: Router,
    /// The id of the key.
    id: String,
    secret: String,
}

impl Host {
    async fn new(secrets: Arc<dyn Secrets>) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let builder = Provisioner::builder().storage(Arc::new(MemoryStorage::new())).secrets(secrets);
        let builder = builder.clock(clock.clone()).scheduler(false);
        let provisioner = builder.base_url("https://scim.example.com/insomnia").build().await.unwrap();
        let issued = provisioner.api_keys().create(&ApiKeyHolder::Operator, "test").await.unwrap();
        let routes = super::router(&provisioner);
        Self { provisioner, clock, routes, id: issued.key.id, secret: issued.secret }
    }

    async fn sealing() -> Self {
        Self::new(Arc::new(SecretKey::new(&[7; 32]))).await
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let (head, body) = self.routes.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    fn request(&self, method: &str, path: &str) -> request::Builder {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        request.header("authorization", format!("Bearer {}", self.secret)).header("content-type", "application/json")
    }

    /// Makes another key, by a request with an idempotency key.
    async fn make(&self, key: &str, name: &str) -> (StatusCode, Value) {
        let request = self.request("POST", "/api-keys").header("idempotency-key", key);
        self.send(request.body(body(name).into()).unwrap()).await
    }

    async fn keys(&self) -> Vec<String> {
        let keys = self.provisioner.api_keys().list(&ApiKeyHolder::Operator).await.unwrap();
        keys.into_iter().map(|key| key.name).collect()
    }

    async fn put(&self, changes: Vec<Change>) {
        let transaction = Transaction { changes, ..Transaction::default() };
        self.provisioner.storage().commit(&OrganizationId::host(), transaction).await.unwrap();
    }

    /// The records of a request that began and did not end.
    fn begun(&self, key: &str, time: u64, asked: &str) -> Vec<Change> {
        let (id, hash) = (&self.id, hex::encode(Sha256::digest(key)));
        let record = json!({"asked": asked, "begun": time, "done": false}).to_string();
        vec![
            Change::put(format!("idempotency/{id}/record/{hash}").into(), record.into()),
            Change::put(format!("idempotency/{id}/at/{time:020}/{hash}").into(), hash.into()),
        ]
    }
}

fn body(name: &str) -> String {
    json!({"name": name}).to_string()
}

fn kind(problem: &Value) -> &str {
    problem["type"].as_str().and_then(|kind| kind.strip_prefix("urn:insomnia:problem:")).unwrap_or_default()
}

#[tokio::test]
async fn an_answer_is_kept_for_24_hours() {
    let host = Host::sealing().await;
    let (status, first) = host.make("k", "made").await;
    assert_eq!(status, StatusCode::CREATED);
    host.wait(DAY - 1);
    assert_eq!(host.make("k", "made").await, (StatusCode::CREATED, first.clone()));
    assert_eq!(host.keys().await, ["test", "made"]);
    host.wait(1);
    let (status, second) = host.make("k", "made").await;
    assert_eq!(status, StatusCode::CREATED);
    assert_ne!(first, second);
    assert_eq!(host.keys().await, ["test", "made", "made"]);
}

#[tokio::test]
async fn without_a_key_for_secrets_the_answer_is_not_kept_and_the_request_not_done_again() {
    let host = Host::new(Arc::new(NoSecrets)).await;
    assert_eq!(host.make("k", "made").await.0, StatusCode::CREATED);
    let (status, problem) = host.make("k", "made").await;
    assert_eq!((status, kind(&problem)), (StatusCode::CONFLICT, "answer-not-kept"));
    assert_eq!(host.keys().await, ["test", "made"]);
}

#[tokio::test]
async fn a_request_that_was_broken_off_is_not_done_again_and_says_so() {
    let host = Host::sealing().await;
    let asked = hex::encode(Sha256::digest(["/api-keys\0", &body("made")].concat()));
    host.put(host.begun("k", START, &asked)).await;
    let (status, problem) = host.make("k", "made").await;
    assert_eq!((status, kind(&problem)), (StatusCode::CONFLICT, "request-in-progress"));
    let (status, problem) = host.make("k", "other").await;
    assert_eq!((status, kind(&problem)), (StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused"));
    host.wait(5 * 60);
    let (status, problem) = host.make("k", "made").await;
    assert_eq!((status, kind(&problem)), (StatusCode::CONFLICT, "outcome-unknown"));
    assert_eq!(host.keys().await, ["test"]);
}

#[tokio::test]
async fn of_an_api_key_so_many_requests_are_remembered_and_no_more() {
    let host = Host::sealing().await;
    let before = (0..1_200).flat_map(|number| host.begun(&format!("old-{number}"), START + number, "x")).collect();
    host.put(before).await;
    host.wait(60);
    assert_eq!(host.make("new", "made").await.0, StatusCode::CREATED);
    let count = |kind: &str| {
        let id = &host.id;
        let (start, end) = (format!("idempotency/{id}/{kind}/"), format!("idempotency/{id}/{kind}0"));
        let range = KeyRange { start: start.into(), end: end.into() };
        let storage = host.provisioner.storage();
        async move { count(storage, &OrganizationId::host(), range).await.unwrap() }
    };
    assert_eq!((count("at").await, count("record").await, count("answer").await), (1_000, 1_000, 1));
    let (status, problem) = host.make("old-1199", "made").await;
    assert_eq!((status, kind(&problem)), (StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused"));
    assert_eq!(host.make("old-0", "made").await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn what_is_remembered_of_a_key_goes_with_it() {
    let host = Host::sealing().await;
    assert_eq!(host.make("k", "made").await.0, StatusCode::CREATED);
    host.provisioner.api_keys().revoke(&ApiKeyHolder::Operator, &host.id).await.unwrap();
    let range = api_keys::requests(&host.id);
    assert_eq!(count(host.provisioner.storage(), &OrganizationId::host(), range).await, Ok(0));
    assert_eq!(host.make("k", "made").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn links_begin_with_the_base_url() {
    let host = Host::sealing().await;
    for name in ["a", "b"] {
        let record = json!({"name": name, "plan": "free", "seats": 1});
        let request =
            host.request("POST", "/organizations").body(json!({"id": name, "organization": record}).to_string());
        assert_eq!(host.send(request.unwrap().map(Body::from)).await.0, StatusCode::CREATED);
    }
    let request = host.request("GET", "/organizations?limit=1").body(Body::empty()).unwrap();
    let response = host.routes.clone().oneshot(request).await.unwrap();
    let expected = "<https://scim.example.com/insomnia/api/v1/organizations?limit=1&after=a>; rel=\"next\"";
    assert_eq!(response.headers()["link"], expected);
}

#[tokio::test]
async fn the_document_has_only_forms_that_generated_clients_keep() {
    let host = Host::new(Arc::new(NoSecrets)).await;
    let request = host.request("GET", "/openapi.json").body(Body::empty()).unwrap();
    let (_, document) = host.send(request).await;
    let schemas = &document["components"]["schemas"];
    let options = &schemas["OptionChanges"];
    let names = |schema: &Value| schema["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(options), names(&schemas["Options"]), "every option can be changed");
    assert!(options.get("required").is_none() && options.get("default").is_none(), "{options}");
    for (name, property) in options["properties"].as_object().unwrap() {
        assert!(property.get("default").is_none(), "{name}: a client would send what nobody named");
    }
    assert!(schemas["OrganizationChange"].get("required").is_none());
    assert_eq!(schemas["PreviewUsers"]["type"], "array", "generators make no type of a list or an object");
    for schema in schemas.as_object().unwrap().values() {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(property.get("default").is_none(), "{name}: a client would send what nobody named, or demand it");
        }
    }
    let strict = &schemas["Options"]["properties"]["strict"]["description"];
    assert!(strict.as_str().unwrap().ends_with(" If it is left out, it is `false`."), "{strict}");
    let okta = &schemas["IdpApiStatus"]["oneOf"][1];
    assert_eq!(names(okta).len(), 4, "a part of a part would be lost: {okta}");
    assert_eq!(okta["required"], json!(["org_url", "app_id", "kind"]));
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    for operation in operations {
        let Some(content) = operation["requestBody"]["content"].as_object() else { continue };
        assert_eq!(content.len(), 1, "{}: with two media types, clients do not compile", operation["operationId"]);
        assert!(content.values().all(|media| media["schema"].get("oneOf").is_none()), "{operation}");
    }
    let component = &document["paths"]["/api/v1/components/{component}"]["put"]["requestBody"]["content"];
    assert_eq!(component["application/octet-stream"]["schema"], json!({"type": "string", "format": "binary"}));
}
