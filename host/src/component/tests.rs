//! Tests of what happens when a guest misbehaves, with a component that is made for these tests.

use std::sync::Arc;
use std::time::Duration;

use super::fault_guest::{Stuck, component};
use super::{BUILT_IN, Isolation, Limits};
use crate::capability::storage::OrganizationId;
use crate::provisioner::Provisioner;
use crate::scim::ScimRequest;
use crate::storage::MemoryStorage;

async fn host(limits: Limits, isolation: Isolation) -> Provisioner {
    Provisioner::builder()
        .storage(Arc::new(MemoryStorage::new()))
        .secrets(Arc::new(Stuck))
        .component(component())
        .limits(limits)
        .isolation(isolation)
        .scheduler(false)
        .build()
        .await
        .unwrap()
}

/// The status of the answer: 200 plus the number of earlier calls of the instance, or the status of a refusal.
async fn call(host: &Provisioner, organization: &str, verb: &str) -> u16 {
    let organization = host.bound_organization(OrganizationId::parse(organization).unwrap());
    let request = ScimRequest { path: format!("/{verb}"), request_id: "r1".into(), ..ScimRequest::default() };
    let response = organization.scim(request).await;
    if response.status >= 400 {
        let body = String::from_utf8(response.body.to_vec()).unwrap();
        assert!(body.contains("api:messages:2.0:Error") && body.contains("[request r1]"), "{body}");
    }
    response.status
}

#[tokio::test]
async fn an_instance_is_reused_by_its_organization_and_never_by_another() {
    let host = host(Limits::default(), Isolation::Organization).await;
    assert_eq!(call(&host, "a", "count").await, 200);
    assert_eq!(call(&host, "a", "count").await, 201);
    assert_eq!(call(&host, "b", "count").await, 200);
    assert_eq!(call(&host, "a", "count").await, 202);
}

#[tokio::test]
async fn fresh_isolation_gives_every_call_an_instance_that_never_ran() {
    let host = host(Limits::default(), Isolation::Fresh).await;
    for _ in 0..3 {
        assert_eq!(call(&host, "a", "count").await, 200);
    }
}

#[tokio::test]
async fn an_instance_is_retired_after_its_calls() {
    let limits = Limits { calls_per_instance: 2, ..Limits::default() };
    let host = host(limits, Isolation::Organization).await;
    for expected in [200, 201, 200, 201] {
        assert_eq!(call(&host, "a", "count").await, expected);
    }
}

#[tokio::test]
async fn an_instance_is_retired_with_age() {
    let limits = Limits { instance_age: Duration::ZERO, ..Limits::default() };
    let host = host(limits, Isolation::Organization).await;
    assert_eq!(call(&host, "a", "count").await, 200);
    assert_eq!(call(&host, "a", "count").await, 200);
}

#[tokio::test]
async fn a_trap_is_answered_500_and_its_instance_is_not_used_again() {
    let host = host(Limits::default(), Isolation::Organization).await;
    assert_eq!(call(&host, "a", "count").await, 200);
    assert_eq!(call(&host, "b", "count").await, 200);
    assert_eq!(call(&host, "a", "trap").await, 500);
    assert_eq!(call(&host, "a", "count").await, 200);
    assert_eq!(call(&host, "b", "count").await, 201);
}

#[tokio::test]
async fn endless_computing_is_interrupted_and_its_instance_is_not_used_again() {
    let limits = Limits { compute_per_call: Duration::from_millis(50), ..Limits::default() };
    let host = host(limits, Isolation::Organization).await;
    assert_eq!(call(&host, "a", "count").await, 200);
    assert_eq!(call(&host, "a", "loop").await, 503);
    assert_eq!(call(&host, "a", "count").await, 200);
}

/// All of this runs on one thread, so the other call can only be polled if the loop is suspended for it.
#[tokio::test(flavor = "current_thread")]
async fn endless_computing_holds_up_nobody_else() {
    let host = host(Limits::default(), Isolation::Organization).await;
    let mut looping = std::pin::pin!(call(&host, "a", "loop"));
    tokio::select! {
        biased;
        status = &mut looping => panic!("the loop ended with {status}"),
        () = async {
            for expected in [200, 201, 202] {
                assert_eq!(call(&host, "b", "count").await, expected);
            }
        } => {}
    }
}

#[tokio::test]
async fn a_host_that_does_not_answer_ends_the_call_in_time() {
    let limits = Limits { time_per_call: Duration::from_millis(50), ..Limits::default() };
    let host = host(limits, Isolation::Organization).await;
    assert_eq!(call(&host, "a", "count").await, 200);
    assert_eq!(call(&host, "a", "seal").await, 503);
    assert_eq!(call(&host, "a", "count").await, 200);
}

#[tokio::test]
async fn taking_all_memory_ends_the_call_and_gives_it_back() {
    let limits = Limits { memory_per_organization: 256 << 20, ..Limits::default() };
    let host = host(limits, Isolation::Organization).await;
    for _ in 0..3 {
        assert_eq!(call(&host, "a", "memory").await, 503);
        assert_eq!(call(&host, "a", "count").await, 200);
        assert_eq!(call(&host, "b", "count").await / 100, 2);
    }
}

#[tokio::test]
async fn an_organization_with_too_many_calls_is_refused_and_others_are_not() {
    let limits =
        Limits { calls_per_organization: 2, waiting_per_organization: 1, wait: Duration::ZERO, ..Limits::default() };
    let host = host(limits, Isolation::Organization).await;
    let stuck = async { tokio::join!(call(&host, "a", "seal"), call(&host, "a", "seal")) };
    tokio::select! {
        biased;
        _ = stuck => panic!("a call that waits for ever ended"),
        () = async {
            assert_eq!(call(&host, "a", "count").await, 503);
            assert_eq!(call(&host, "b", "count").await, 200);
        } => {}
    }
    // Those calls are given up now, and their turns are free again.
    assert_eq!(call(&host, "a", "count").await, 200);
}

#[tokio::test]
async fn a_full_host_refuses_instead_of_waiting_for_ever() {
    let limits = Limits { calls: 1, wait: Duration::from_millis(10), ..Limits::default() };
    let host = host(limits, Isolation::Organization).await;
    let stuck = call(&host, "a", "seal");
    tokio::select! {
        biased;
        _ = stuck => panic!("a call that waits for ever ended"),
        () = async { assert_eq!(call(&host, "b", "count").await, 503) } => {}
    }
    assert_eq!(call(&host, "b", "count").await, 200);
}

#[tokio::test]
async fn an_organization_that_takes_all_turns_it_can_leaves_some_to_others() {
    let limits = Limits { calls: 4, calls_per_organization: 4, wait: Duration::from_secs(60), ..Limits::default() };
    let host = host(limits, Isolation::Organization).await;
    let stuck = async {
        let one = || call(&host, "a", "seal");
        tokio::join!(one(), one(), one(), one(), one(), one())
    };
    tokio::select! {
        biased;
        _ = stuck => panic!("a call that waits for ever ended"),
        () = async {
            assert_eq!(call(&host, "b", "count").await, 200);
            assert_eq!(call(&host, "c", "count").await, 200);
        } => {}
    }
}

#[tokio::test]
async fn what_is_no_component_or_wants_more_is_refused_with_what_to_do() {
    let build = |wasm: Vec<u8>| Provisioner::builder().storage(Arc::new(MemoryStorage::new())).component(wasm).build();
    let message = |wasm| async move { build(wasm).await.err().unwrap().to_string() };
    assert!(message(b"no wasm".to_vec()).await.contains("not a WebAssembly component"));
    let wants = r#"(component (import "wasi:filesystem/types@0.2.0" (instance)))"#;
    let refused = message(wat::parse_str(wants).unwrap()).await;
    assert!(refused.contains("wasi:filesystem/types@0.2.0") && refused.contains("wasi:clocks/wall-clock"), "{refused}");
    let empty = message(wat::parse_str("(component)").unwrap()).await;
    assert!(empty.contains("insomnia:scim/provisioner"), "{empty}");
}

#[test]
fn the_built_in_component_imports_neither_files_nor_sockets() {
    let wit_component::DecodedWasm::Component(resolve, world) = wit_component::decode(BUILT_IN).unwrap() else {
        panic!("not a component");
    };
    let names: Vec<String> = resolve.worlds[world].imports.keys().map(|key| resolve.name_world_key(key)).collect();
    assert!(names.iter().any(|name| name.starts_with("insomnia:scim/storage")), "{names:?}");
    for name in names {
        let allowed = ["insomnia:scim/", "wasi:cli/", "wasi:io/", "wasi:clocks/", "wasi:random/"];
        assert!(allowed.iter().any(|package| name.starts_with(package)), "{name}");
    }
}

#[tokio::test]
async fn f3_the_calls_of_a_deleted_organization_end_at_once_and_its_instances_go() {
    let host = host(Limits::default(), Isolation::Organization).await;
    host.register(&OrganizationId::parse("a").unwrap()).await.unwrap();
    assert_eq!(call(&host, "a", "count").await, 200);
    let waits = tokio::spawn({
        let host = host.clone();
        async move { call(&host, "a", "seal").await }
    });
    // Once this call waits for the host, it has taken its instance. From then on another call gets a new instance,
    // which answers 200.
    while call(&host, "a", "count").await != 200 {
        tokio::task::yield_now().await;
    }
    host.delete_organization(&OrganizationId::parse("a").unwrap()).await.unwrap();
    assert_eq!(waits.await.unwrap(), 401);
    // Only the operator's audit trail is left, which has an entry about the deletion.
    assert_eq!(host.runtime().tenants(), 1);
    let again = host.register(&OrganizationId::parse("a").unwrap()).await.unwrap();
    let request = ScimRequest { path: "/count".into(), request_id: "r1".into(), ..ScimRequest::default() };
    assert_eq!(again.scim(request).await.status, 200, "an instance of the deleted organization serves the next");
}

#[tokio::test]
async fn organizations_that_nobody_calls_are_forgotten() {
    let limits = Limits { instance_age: Duration::ZERO, ..Limits::default() };
    let host = host(limits, Isolation::Organization).await;
    for organization in ["a", "b", "c"] {
        assert_eq!(call(&host, organization, "count").await, 200);
    }
    assert_eq!(host.runtime().tenants(), 3);
    host.runtime().sweep();
    assert_eq!(host.runtime().tenants(), 0);
}
