//! Tests of which component an organization runs: it can be changed while calls are under way, a pin holds for one
//! organization alone, and a canary that fails is rolled back.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::{Isolation, fault_guest};
use crate::capability::secrets::{Secrets, SecretsError};
use crate::capability::storage::{OrganizationId, Storage};
use crate::component::BUILT_IN;
use crate::provisioner::{ComponentsError, Provisioner};
use crate::registry::{ComponentBookError, ComponentId};
use crate::scim::ScimRequest;
use crate::storage::MemoryStorage;

/// Secrets that are sealed only when the test permits it.
#[derive(Clone)]
struct Gated(Arc<Semaphore>);

#[async_trait]
impl Secrets for Gated {
    async fn seal(&self, _: &OrganizationId, plain: Vec<u8>) -> Result<Vec<u8>, SecretsError> {
        let permit = self.0.acquire().await;
        drop(permit);
        Ok(plain)
    }

    async fn open(&self, _: &OrganizationId, sealed: Vec<u8>) -> Result<Vec<u8>, SecretsError> {
        Ok(sealed)
    }
}

/// The component of the fault tests, and the same one with a note in it: another component that does the same.
fn components() -> [Vec<u8>; 2] {
    let one = fault_guest::component();
    // A custom section, such as every tool may add: its id, its size, the length of its name, and its name.
    let two = [&one[..], &[0, 5, 4], b"note"].concat();
    [one, two]
}

async fn host(storage: &Arc<dyn Storage>, gate: &Gated) -> Provisioner {
    let builder = Provisioner::builder().storage(Arc::clone(storage)).secrets(Arc::new(gate.clone()));
    let [one, _] = components();
    builder.component(one).isolation(Isolation::Organization).scheduler(false).build().await.unwrap()
}

fn gate() -> Gated {
    Gated(Arc::new(Semaphore::new(0)))
}

/// The status of the answer: 200 plus the number of earlier calls of the instance.
async fn call(host: &Provisioner, name: &str, verb: &str) -> u16 {
    let request = ScimRequest { path: format!("/{verb}"), request_id: "r1".into(), ..ScimRequest::default() };
    host.organization(&id(name)).scim(request).await.status
}

fn id(name: &str) -> OrganizationId {
    OrganizationId::parse(name).unwrap()
}

/// Stores a component without examining it, since some tests need one that the examination would refuse.
async fn store(host: &Provisioner, wasm: &[u8]) -> ComponentId {
    host.runtime().components().add("other", wasm, 7).await.unwrap().id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_is_pinned_while_its_calls_are_under_way_and_they_end_with_what_they_began_with() {
    let (storage, gate): (Arc<dyn Storage>, _) = (Arc::new(MemoryStorage::new()), gate());
    let host = host(&storage, &gate).await;
    for name in ["acme", "other"] {
        host.register(&id(name)).await.unwrap();
        assert_eq!((call(&host, name, "count").await, call(&host, name, "count").await), (200, 201));
    }
    let under_way = tokio::spawn({
        let host = host.clone();
        async move { call(&host, "acme", "seal").await }
    });
    while host.runtime().kept() > 1 {
        tokio::task::yield_now().await;
    }
    let two = store(&host, &components()[1]).await;
    let acme = host.organization(&id("acme"));
    acme.set_pin(Some(two)).await.unwrap();
    // Calls still run the former component until the new one is loaded. This waits until it is.
    assert_eq!(acme.component().await, Ok(format!("other@{}", two.short())));
    assert_eq!((call(&host, "acme", "count").await, call(&host, "acme", "count").await), (200, 201));
    assert_eq!(call(&host, "other", "count").await, 202, "nobody else's component has changed");
    assert!(!under_way.is_finished());
    gate.0.add_permits(1);
    assert_eq!(under_way.await.unwrap(), 202, "it ends as it began");
    assert_eq!(call(&host, "acme", "count").await, 202, "its instance is not used again");

    // The pin also holds after a restart, and for this organization only.
    let again = self::host(&storage, &gate).await;
    assert_eq!(again.organization(&id("acme")).component().await, Ok(format!("other@{}", two.short())));
    assert!(again.organization(&id("other")).component().await.unwrap().starts_with("given@"));
    // A single call returns to the former component.
    let acme = again.organization(&id("acme"));
    assert_eq!(acme.roll_back().await.unwrap().component, None);
    assert!(acme.component().await.unwrap().starts_with("given@"));
    acme.roll_back().await.unwrap();
    // A new organization of the same name is not pinned.
    again.delete_organization(&id("acme")).await.unwrap();
    again.register(&id("acme")).await.unwrap();
    assert!(again.organization(&id("acme")).component().await.unwrap().starts_with("given@"));
}

#[tokio::test]
async fn a_pinned_component_that_is_gone_is_not_replaced_by_another_in_silence() {
    let (storage, gate): (Arc<dyn Storage>, _) = (Arc::new(MemoryStorage::new()), gate());
    let first = host(&storage, &gate).await;
    first.register(&id("acme")).await.unwrap();
    let broken = store(&first, b"not a component").await;
    first.organization(&id("acme")).set_pin(Some(broken)).await.unwrap();
    assert_eq!(call(&first, "acme", "count").await, 503);
    first.organization(&id("acme")).set_pin(None).await.unwrap();
    assert_eq!(call(&first, "acme", "count").await, 200);
}

#[tokio::test]
async fn what_is_no_component_of_this_world_is_refused_with_what_it_wants() {
    let (storage, gate): (Arc<dyn Storage>, _) = (Arc::new(MemoryStorage::new()), gate());
    let host = host(&storage, &gate).await;
    let files = wat::parse_str(
        r#"(component (import "wasi:filesystem/types@0.2.0" (instance (export "descriptor" (type (sub resource))))))"#,
    );
    let refused = host.add_component("files", files.unwrap()).await.unwrap_err().to_string();
    assert!(
        refused.contains("wasi:filesystem/types@0.2.0") && refused.contains("insomnia:scim/storage@1.0"),
        "{refused}"
    );
    let refused = host.add_component("empty", wat::parse_str("(component)").unwrap()).await.unwrap_err().to_string();
    assert!(refused.contains("does not fit the world insomnia:scim/provisioner"), "{refused}");
    assert!(matches!(host.add_component("text", b"text".to_vec()).await, Err(ComponentsError::Component(_))));
    // This component fits the world, but traps as soon as it is instantiated.
    let trapping = fault_guest::component_that_begins_with("$fail");
    let refused = host.add_component("faulty", trapping).await.unwrap_err().to_string();
    assert!(refused.contains("answers no call"), "{refused}");
    let large = host.add_component("large", vec![0; (16 << 20) + 1]).await;
    assert!(matches!(large, Err(ComponentsError::Book(ComponentBookError::TooLarge))));
    assert!(host.components().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_that_fails_is_rolled_back_by_itself_and_says_why() {
    let (storage, gate): (Arc<dyn Storage>, _) = (Arc::new(MemoryStorage::new()), gate());
    let host = host(&storage, &gate).await;
    let names: Vec<String> = (0..20).map(|number| format!("o-{number}")).collect();
    for name in &names {
        host.register(&id(name)).await.unwrap();
    }
    let trapping = store(&host, &fault_guest::component_that_begins_with("$fail")).await;
    let canary = host.begin_canary(trapping, 30).await.unwrap();
    let taken = names.iter().filter(|name| canary.takes(&id(name))).count();
    assert!(taken > 0 && taken < names.len(), "{taken}");
    let mut failed = 0;
    for round in 0..8 {
        for name in &names {
            let status = call(&host, name, "count").await;
            assert!(canary.takes(&id(name)) || status != 500, "who does not run it is not harmed");
            failed += usize::from(status == 500);
            assert!(round < 7 || status != 500, "it is rolled back by now");
        }
    }
    assert!(failed >= 5, "{failed}");
    let mut ended = host.canary().await.unwrap().unwrap();
    for _ in 0..100 {
        if ended.rolled_back.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        ended = host.canary().await.unwrap().unwrap();
    }
    assert!(ended.rolled_back.is_some_and(|reason| reason.contains("calls failed")), "it says why");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_that_can_not_be_loaded_is_rolled_back_and_harms_nobody() {
    let (storage, gate): (Arc<dyn Storage>, _) = (Arc::new(MemoryStorage::new()), gate());
    let host = host(&storage, &gate).await;
    host.register(&id("acme")).await.unwrap();
    let broken = store(&host, b"not a component").await;
    host.begin_canary(broken, 100).await.unwrap();
    assert_eq!(call(&host, "acme", "count").await, 200);
    for _ in 0..100 {
        if host.canary().await.unwrap().unwrap().rolled_back.is_some() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it was not rolled back");
}

#[tokio::test]
async fn the_built_in_component_can_be_stored_and_pinned() {
    let (storage, gate): (Arc<dyn Storage>, _) = (Arc::new(MemoryStorage::new()), gate());
    let host = host(&storage, &gate).await;
    let stored = host.add_component("built-in", BUILT_IN.to_vec()).await.unwrap();
    assert_eq!(stored.id, ComponentId::of(BUILT_IN));
    host.register(&id("acme")).await.unwrap();
    host.organization(&id("acme")).set_pin(Some(stored.id)).await.unwrap();
    assert_eq!(call(&host, "acme", "Users").await, 401);
    assert!(host.remove_component(&stored.id).await.is_err());
}
