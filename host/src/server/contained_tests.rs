//! The server still answers if the component gives no valid answer, if the host panics, and if its log panics.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, Response, header};
use tower::Service as _;
use tracing::span;

use crate::capability::secrets::{Secrets, SecretsError};
use crate::capability::storage::OrganizationId;
use crate::component::fault_guest::component;
use crate::provisioner::Provisioner;
use crate::storage::MemoryStorage;

/// A capability that panics.
struct Broken;

#[async_trait]
impl Secrets for Broken {
    async fn seal(&self, _: &OrganizationId, _: Vec<u8>) -> Result<Vec<u8>, SecretsError> {
        panic!("as a test of what the server makes of it")
    }

    async fn open(&self, _: &OrganizationId, _: Vec<u8>) -> Result<Vec<u8>, SecretsError> {
        panic!("as a test of what the server makes of it")
    }
}

/// A log that panics at every line.
struct Unwritable;

impl tracing::Subscriber for Unwritable {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        // Only the library's own lines count: other crates are not tested here.
        assert!(!event.metadata().target().starts_with("insomnia_scim"), "as a test of what the server makes of it");
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

async fn host() -> Provisioner {
    let builder = Provisioner::builder().storage(Arc::new(MemoryStorage::new())).secrets(Arc::new(Broken));
    let host = builder.component(component()).scheduler(false).build().await.unwrap();
    host.register(&OrganizationId::parse("a").unwrap()).await.unwrap();
    host
}

async fn get(host: &Provisioner, verb: &str) -> Response<Body> {
    let request = Request::get(format!("/scim/v2/a/{verb}")).body(Body::empty()).unwrap();
    host.scim_service().call(request).await.unwrap()
}

async fn is_error(answer: Response<Body>, status: u16) {
    assert_eq!(answer.status().as_u16(), status);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/scim+json");
    let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
    assert!(String::from_utf8_lossy(&body).contains("api:messages:2.0:Error"));
}

#[tokio::test]
async fn f25_a_status_that_is_none_of_an_answer_becomes_500() {
    is_error(get(&host().await, "wrong").await, 500).await;
}

#[tokio::test]
async fn f4_a_panic_of_the_host_is_answered_500_and_the_next_request_is_served() {
    let host = host().await;
    is_error(get(&host, "seal").await, 500).await;
    assert_eq!(get(&host, "count").await.status(), 200);
}

#[tokio::test]
async fn f4_a_log_that_panics_costs_no_answer() {
    let host = host().await;
    let _log = tracing::subscriber::set_default(Unwritable);
    assert_eq!(get(&host, "count").await.status(), 200);
    is_error(get(&host, "seal").await, 500).await;
}
