//! A deleted organization: nothing is written for it any more, and a new organization with its name gets nothing of it
//! (F3).

use insomnia_scim::OrganizationId;
use insomnia_scim::capability::storage::{KeyRange, Page};
use insomnia_scim::connector::ExpiryWindow;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::rules::organization::{Acme, OWNER, USER, name};
use crate::rules::tokens::{database_bytes, holds};
use crate::rules::world::{DAY, HOUR, Host, World};

/// Bulk requests that are under way at the same time.
const REQUESTS: usize = 6;
/// What each of them creates.
const CREATES: usize = 1_000;

fn bulk(request: usize) -> Value {
    let operation = |number: usize| {
        let user = format!("user-{request}-{number}@acme.example");
        json!({"method": "POST", "path": "/Users", "bulkId": format!("b{number}"), "data": {
            "schemas": [USER], "userName": user, "emails": [{"value": user, "primary": true}],
        }})
    };
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": (0..CREATES).map(operation).collect::<Vec<_>>(),
    })
}

/// All items and due times of an organization that had this generation of the name.
async fn left(host: &Host, generation: u64) -> usize {
    let id = name().with_generation(generation);
    let range = KeyRange { start: Vec::new(), end: vec![0xff; 512] };
    let page = Page { range, reverse: false, skip: 0, limit: 1_000 };
    let items = host.storage.scan(&id, vec![page]).await.unwrap().remove(0).entries.len();
    let due = host.storage.due(u64::MAX, usize::MAX).await.unwrap();
    items + due.iter().filter(|organization| **organization == id).count()
}

/// Seats that are taken.
async fn taken(acme: &Acme) -> u64 {
    let licences = acme.organization.licences().await.unwrap();
    licences.manual + licences.scim
}

/// Deletes on one host what identity providers write to on the other, and creates another of its name.
async fn deletes_while_writing(world: World, on_the_same_host: bool) {
    let serving = world.host().await;
    let other = world.host().await;
    let deleting = if on_the_same_host { &serving } else { &other };
    let acme = Acme::enabled(&serving, 100_000, ExpiryWindow::Year1).await;
    let mut requests = JoinSet::new();
    for request in 0..REQUESTS {
        let acme = Acme { organization: acme.organization.clone(), token: acme.token.clone() };
        requests.spawn(async move { acme.scim("POST", "/Bulk", Some(bulk(request))).await });
    }
    while taken(&acme).await < 20 {
        tokio::task::yield_now().await;
    }
    deleting.provisioner.delete_organization(&name()).await.unwrap();
    let mails = world.mailbox.taken().len();
    for answer in requests.join_all().await {
        assert_eq!(answer.status, 401, "{}", answer.body);
        assert!(answer.detail().contains("request-"), "{}", answer.body);
    }
    serving.provisioner.flush().await.unwrap();
    assert_eq!(left(&serving, 0).await, 0, "items and due times that were written after the deletion");
    assert_eq!(acme.ping(&acme.token).await, 401);

    let again = Acme::enabled(deleting, 100, ExpiryWindow::Year1).await;
    assert_eq!(again.ping(&acme.token).await, 401, "the old token opens the new organization");
    let users = again.scim("GET", "/Users", None).await.is(200);
    assert_eq!(users.body["totalResults"], 0, "{}", users.body);
    assert_eq!(taken(&again).await, 2, "the owners take seats, and nobody else");
    // Entries of reads are appended, and may be seen a little later.
    deleting.provisioner.flush().await.unwrap();
    assert_eq!(again.log(Default::default()).await.len(), 2, "the log begins anew");
    // The old handle is that of the old organization, whatever has its name now.
    assert_eq!(acme.scim("GET", "/Users", None).await.status, 401);
    assert!(acme.organization.set_passphrase(OWNER, "another long passphrase").await.is_err());
    world.live(deleting, DAY).await;
    assert_eq!(world.mailbox.taken().len(), mails, "an email of the deleted organization is sent");
    assert_eq!(left(&serving, 0).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f3_bulk_requests_under_way_write_nothing_after_a_deletion_in_memory() {
    deletes_while_writing(World::in_memory(), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f3_bulk_requests_under_way_write_nothing_after_a_deletion_in_sqlite() {
    deletes_while_writing(World::on_disk(), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f3_bulk_requests_under_way_write_nothing_after_a_deletion_on_another_host() {
    deletes_while_writing(World::on_disk(), false).await;
}

#[tokio::test]
async fn p9_nothing_of_a_deleted_organization_or_of_an_erased_person_is_in_the_files_of_the_database() {
    let world = World::on_disk();
    let host = world.host().await;
    let acme = Acme::enabled(&host, 10_000, ExpiryWindow::Year1).await;
    let user = |number: usize| {
        let name = format!("mark-er-{number}@acme.example");
        json!({"schemas": [USER], "userName": name, "displayName": format!("Mark-er {number}")})
    };
    let ada = acme.scim("POST", "/Users", Some(user(0))).await.is(201).id();
    acme.scim(
        "PATCH",
        &format!("/Users/{ada}"),
        Some(json!({"Operations": [{"op": "remove", "path": "displayName"}]})),
    )
    .await;
    acme.post_user("bystander@acme.example").await.is(201);
    world.live(&host, HOUR).await;
    let erased = acme.organization.erase_person(&ada, &[]).await.unwrap();
    assert!(erased.done && erased.erased > 0, "{erased:?}");
    // What was found is forgotten when nothing that was under way can be left.
    world.live(&host, HOUR).await;
    host.storage.scour().await.unwrap();
    let bytes = database_bytes(&world);
    assert!(!holds(&bytes, "mark-er-0") && !holds(&bytes, "Mark-er 0"), "the person is in a file");
    assert!(holds(&bytes, "bystander@acme.example") && holds(&bytes, &ada), "others and the id stay");

    for number in 1..40 {
        acme.scim("POST", "/Users", Some(user(number))).await.is(201);
    }
    host.provisioner.delete_organization(&name()).await.unwrap();
    host.storage.scour().await.unwrap();
    let bytes = database_bytes(&world);
    for text in ["mark-er-", "Mark-er ", "bystander@acme.example", OWNER] {
        assert!(!holds(&bytes, text), "{text} of a deleted organization is in a file");
    }
}

#[tokio::test]
async fn f3_what_has_no_name_any_more_can_not_be_written() {
    let world = World::in_memory();
    let host = world.host().await;
    let never = host.provisioner.organization(&OrganizationId::parse("never").unwrap());
    assert!(never.put(crate::rules::organization::record(5)).await.is_err(), "it was never created");
    let acme = Acme::found(&host, 10).await;
    let named = host.provisioner.organization(&name());
    host.provisioner.delete_organization(&name()).await.unwrap();
    for organization in [&acme.organization, &named] {
        assert!(organization.put(crate::rules::organization::record(5)).await.is_err());
    }
    assert_eq!(left(&host, 0).await, 0);
    // A name stands for whoever has it: the handle by name is that of the new organization.
    Acme::found(&host, 7).await;
    assert_eq!(named.licences().await.unwrap().seats, 7);
    assert!(acme.organization.licences().await.is_err());
}
