//! A storage without free space: changes are refused with an explanation, reads go on, and the host says that it is not
//! ready (F20, F21).

use insomnia_scim::Trouble;
use insomnia_scim::connector::ExpiryWindow;

use crate::rules::organization::{Acme, NAME};
use crate::rules::world::World;

#[tokio::test]
async fn f21_on_a_full_disk_a_change_is_refused_with_the_reason_and_reads_go_on() {
    let world = World::in_memory();
    let host = world.host().await;
    let acme = Acme::enabled(&host, 10, ExpiryWindow::Year1).await;
    let id = acme.post_user("ada@acme.example").await.is(201).id();
    world.faults.refuse_commits_of(Some(NAME));
    let refused = acme.post_user("bob@acme.example").await.is(503);
    assert!(refused.detail().contains("storage is full"), "{}", refused.detail());
    assert_eq!(refused.header("retry-after"), Some("300"), "somebody has to make room");
    acme.scim("GET", &format!("/Users/{id}"), None).await.is(200);
    acme.scim("GET", "/Users", None).await.is(200);
    world.faults.refuse_commits_of(None);
    acme.post_user("bob@acme.example").await.is(201);
}

#[tokio::test]
async fn f20_a_host_whose_storage_takes_no_write_is_not_ready() {
    let world = World::in_memory();
    assert_eq!(world.host().await.provisioner.trouble().await, None);
    world.faults.refuse_commits_of(Some("_host"));
    assert_eq!(world.host().await.provisioner.trouble().await, Some(Trouble::StorageFull));
}
