//! A misbehaving component harms no other organization: its own call ends in a SCIM error with the request's id, other
//! organizations are served meanwhile, its resources are released, and nothing is stored.

use std::sync::Arc;
use std::time::Duration;

use super::fault_guest::{Stuck, component, component_that_begins_with};
use super::{CallError, Isolation, Limits};
use crate::capability::storage::{OrganizationId, Size};
use crate::error::ActionError;
use crate::provisioner::Provisioner;
use crate::scim::{ScimRequest, ScimResponse};
use crate::storage::MemoryStorage;

async fn host(wasm: Vec<u8>) -> Provisioner {
    let limits = Limits {
        compute_per_call: Duration::from_millis(300),
        time_per_call: Duration::from_secs(3),
        ..Limits::default()
    };
    Provisioner::builder()
        .storage(Arc::new(MemoryStorage::new()))
        .secrets(Arc::new(Stuck))
        .component(wasm)
        .limits(limits)
        .isolation(Isolation::Organization)
        .scheduler(false)
        .build()
        .await
        .unwrap()
}

fn organization(name: &str) -> OrganizationId {
    OrganizationId::parse(name).unwrap()
}

async fn call(host: &Provisioner, name: &str, verb: &str) -> ScimResponse {
    let request = ScimRequest { path: format!("/{verb}"), request_id: "r1".into(), ..ScimRequest::default() };
    host.bound_organization(organization(name)).scim(request).await
}

fn is_refusal(response: &ScimResponse, status: u16) -> bool {
    let body = String::from_utf8_lossy(&response.body);
    response.status == status && body.contains("api:messages:2.0:Error") && body.contains("[request r1]")
}

/// What the component does in a call (the first letter of each name says it), and the status of the answer. Where the
/// status is 200, the host refuses something in the middle of the call, and the component goes on.
const FAULTS: [(&str, u16); 18] = [
    ("loop", 503),
    ("memory", 503),
    ("overflow", 500),
    ("trap", 500),
    ("seal", 503),
    ("giant-answer", 500),
    ("beyond-its-memory", 500),
    ("host-calls", 503),
    ("reads-outside", 500),
    ("key-too-long", 200),
    ("value-too-large", 200),
    ("all-of-a-commit", 500),
    ("put-and-trap", 500),
    ("deadline-slept-past", 503),
    ("noise", 503),
    ("xrandom-too-much", 500),
    ("yrandom-without-end", 503),
    ("utf8-broken", 500),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_component_does_in_a_call_is_contained() {
    let host = host(component()).await;
    for (fault, status) in FAULTS.into_iter().chain([("fields-without-end", 500)]) {
        let faulty = tokio::spawn({
            let host = host.clone();
            async move { call(&host, "faulty", fault).await }
        });
        // Others are served meanwhile.
        while !faulty.is_finished() {
            let answer = call(&host, "innocent", "count").await;
            // A refusal has a body.
            assert!(answer.body.is_empty(), "{fault}: {answer:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let answer = faulty.await.unwrap();
        let is_as_said = if status == 200 { answer.status == 200 } else { is_refusal(&answer, status) };
        assert!(is_as_said, "{fault}: {answer:?}");
        for name in ["faulty", "innocent"] {
            assert_eq!(host.storage().size(&organization(name)).await, Ok(Size::default()), "{fault}");
        }
        // An instance that failed is not used again.
        let next = call(&host, "faulty", "count").await.status;
        assert_eq!(next, if status == 200 { 201 } else { 200 }, "{fault}");
        host.runtime().end(&organization("faulty"));
    }
    // All resources of the component were released; only the instances of the other organizations are left.
    assert!(host.runtime().ledger().held() < 4 << 20, "{}", host.runtime().ledger().held());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_component_does_when_it_is_instantiated_is_contained() {
    for (start, status) in [("$forever", 503), ("$fill", 503), ("$descend", 500), ("$fail", 500)] {
        let host = host(component_that_begins_with(start)).await;
        let answer = call(&host, "faulty", "count").await;
        assert!(is_refusal(&answer, status), "{start}: {answer:?}");
        assert_eq!(host.runtime().ledger().held(), 0, "{start}");
        assert!(host.trouble().await.is_some(), "{start}: it is not ready");
    }
}

#[tokio::test]
async fn a_trap_of_any_export_is_an_error_of_that_call_alone() {
    let host = host(component()).await;
    let faulty = host.bound_organization(organization("faulty"));
    let trap = ActionError::Call(CallError::Trap);
    assert_eq!(faulty.status().await.unwrap_err(), trap);
    assert_eq!(
        faulty
            .enable("a", crate::connector::IdentityProvider::Okta, crate::connector::ExpiryWindow::Never)
            .await
            .unwrap_err(),
        trap
    );
    assert_eq!(faulty.get().await.unwrap_err(), trap);
    assert_eq!(faulty.licences().await.unwrap_err(), trap);
    assert_eq!(faulty.verify_passphrase("a", "b").await.unwrap_err(), trap);
    assert_eq!(faulty.schemas().await.unwrap_err(), trap);
    assert_eq!(faulty.run_due().await.unwrap_err(), trap);
    assert_eq!(faulty.admits(None).await, Ok(false));
    assert_eq!(call(&host, "faulty", "count").await.status, 200);
    assert_eq!(call(&host, "innocent", "count").await.status, 200);
}
