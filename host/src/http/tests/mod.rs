//! Requests of the client to servers on loopback, and to forbidden addresses.

mod exchange;
mod policy;
mod server;

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::{EgressClient, EgressConfig, EgressPolicy, Resolver};
use crate::capability::http::{HttpClient as _, HttpError, IncomingResponse, OutgoingRequest};
use crate::capability::storage::OrganizationId;

/// A resolver that answers from a table, and counts its calls.
#[derive(Default)]
struct Table {
    names: Mutex<HashMap<String, Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Table {
    fn new(names: &[(&str, &str)]) -> Self {
        let addresses = |list: &str| list.split(' ').map(|address| address.parse().unwrap()).collect();
        let names = names.iter().map(|(name, list)| ((*name).to_owned(), addresses(list))).collect();
        Self { names: Mutex::new(names), asked: AtomicUsize::new(0) }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolver for Table {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let names = self.names.lock().unwrap();
        names.get(host).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

fn policy(permit: &[&str]) -> EgressPolicy {
    let permit = permit.iter().map(|&rule| rule.to_owned()).collect();
    EgressPolicy::new(&EgressConfig { permit, ..EgressConfig::default() }).unwrap()
}

fn client(permit: &[&str]) -> EgressClient {
    EgressClient::new(policy(permit), None).unwrap()
}

fn acme() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

fn get(url: &str) -> OutgoingRequest {
    OutgoingRequest { method: "GET".into(), url: url.into(), headers: vec![], body: vec![], timeout: None }
}

fn post(url: &str, body: &str) -> OutgoingRequest {
    let headers = vec![("content-type".into(), "text/plain".into()), ("authorization".into(), "Bearer t".into())];
    OutgoingRequest { method: "POST".into(), headers, body: body.into(), ..get(url) }
}

async fn send(client: &EgressClient, request: OutgoingRequest) -> Result<IncomingResponse, HttpError> {
    client.send(&acme(), request).await
}

fn assert_not_allowed(answer: Result<IncomingResponse, HttpError>, what: &str) {
    assert!(matches!(answer, Err(HttpError::NotAllowed(_))), "{what}: {answer:?}");
}
