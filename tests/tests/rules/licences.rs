//! P4: lifecycle, licences, the last owner, the domain rule, and the mass-deprovisioning guard.

use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::directory::{Listing, Role};
use insomnia_scim::guard::{Decision, Guard, Removal};
use insomnia_scim::{ActionError, Organization};
use serde_json::json;

use crate::rules::organization::{Acme, Answer, CO_OWNER, OWNER, person};
use crate::rules::world::{DAY, HOUR, Host, World};

/// With so many seats, two of which are taken.
async fn scene(world: &World, seats: u32) -> (Host, Acme) {
    let host = world.host().await;
    let acme = Acme::enabled(&host, seats, ExpiryWindow::Never).await;
    acme.change(|record| record.options.passphrase_emails = false).await;
    (host, acme)
}

async fn taken(organization: &Organization) -> u64 {
    let licences = organization.licences().await.unwrap();
    licences.manual + licences.scim
}

async fn set_active(acme: &Acme, id: &str, active: bool) -> Answer {
    acme.patch(&format!("/Users/{id}"), json!({"active": active})).await
}

#[tokio::test]
async fn p4_active_members_of_either_origin_take_a_seat_and_others_do_not() {
    let world = World::in_memory();
    let (_host, acme) = scene(&world, 9).await;
    let id = acme.post_user("ada@acme.example").await.is(201).id();
    acme.organization.add_member(person("bob@acme.example", Role::Member, None)).await.unwrap();
    let licences = acme.organization.licences().await.unwrap();
    assert_eq!((licences.seats, licences.manual, licences.scim), (9, 3, 1));
    let team = acme
        .scim("POST", "/Groups", Some(json!({"displayName": "Staff", "members": [{"value": id}]})))
        .await
        .is(201)
        .id();
    set_active(&acme, &id, false).await.is(200);
    assert_eq!(taken(&acme.organization).await, 3);
    // Deactivated, and still there: in lists, in filters, in the team.
    assert_eq!(acme.scim("GET", &format!("/Users/{id}"), None).await.is(200).body["active"], false);
    assert_eq!(acme.scim("GET", "/Users?filter=active+eq+false", None).await.body["totalResults"], 1);
    assert_eq!(acme.scim("GET", &format!("/Groups/{team}"), None).await.body["members"][0]["value"], json!(id));
    set_active(&acme, &id, true).await.is(200);
    assert_eq!(taken(&acme.organization).await, 4);
    acme.scim("DELETE", &format!("/Users/{id}"), None).await.is(204);
    assert_eq!(taken(&acme.organization).await, 3);
    assert_eq!(acme.scim("GET", &format!("/Groups/{team}"), None).await.body.get("members"), None);
    acme.scim("GET", &format!("/Users/{id}"), None).await.is(404);
}

#[tokio::test]
async fn p4_without_a_free_seat_creating_and_reactivating_are_403_and_nothing_changes() {
    let world = World::in_memory();
    let (_host, acme) = scene(&world, 4).await;
    let ada = acme.post_user("ada@acme.example").await.is(201).id();
    set_active(&acme, &ada, false).await.is(200);
    for name in ["bob@acme.example", "eve@acme.example"] {
        acme.post_user(name).await.is(201);
    }
    let before = acme.organization.members(Listing::default()).await.unwrap();
    let refused = acme.post_user("joe@acme.example").await.is(403);
    assert!(refused.detail().contains("4 seats"), "{}", refused.body);
    assert_eq!(refused.body["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
    set_active(&acme, &ada, true).await.is(403);
    assert_eq!(acme.organization.members(Listing::default()).await.unwrap(), before);
    // Who is deactivated can be provisioned, and what is not about a seat goes on.
    let idle = json!({"userName": "idle@acme.example", "active": false});
    acme.scim("POST", "/Users", Some(idle)).await.is(201);
    acme.patch(&format!("/Users/{ada}"), json!({"displayName": "Ada"})).await.is(200);
    let by_hand = acme.organization.add_member(person("bill@acme.example", Role::Member, None)).await;
    assert_eq!(by_hand.unwrap_err(), ActionError::NoFreeSeat);
}

#[tokio::test]
async fn p4_administrators_hear_of_missing_seats_once_a_day() {
    let world = World::in_memory();
    let (host, acme) = scene(&world, 2).await;
    for hours in 0..60 {
        world.live_until(&host, crate::rules::world::BEGIN + hours * HOUR).await;
        acme.post_user("ada@acme.example").await.is(403);
    }
    world.live(&host, HOUR).await;
    for address in [OWNER, CO_OWNER] {
        assert_eq!(world.mailbox.subjects_to(address), ["Acme has no free Insomnia seat"; 3]);
    }
    let exhausted = acme.event_types().await.iter().filter(|kind| *kind == "licences.exhausted").count();
    assert_eq!(exhausted, 3);
}

#[tokio::test]
async fn p4_overage_is_an_option_and_is_counted() {
    let world = World::in_memory();
    let (_host, acme) = scene(&world, 2).await;
    acme.post_user("ada@acme.example").await.is(403);
    acme.change(|record| record.options.allow_overage = true).await;
    acme.post_user("ada@acme.example").await.is(201);
    let licences = acme.organization.licences().await.unwrap();
    assert_eq!((licences.seats, licences.manual + licences.scim), (2, 3));
    acme.change(|record| record.options.allow_overage = false).await;
    acme.post_user("bob@acme.example").await.is(403);
    assert_eq!(taken(&acme.organization).await, 3, "nobody loses a seat by it");
}

#[tokio::test]
async fn p4_seats_are_exact_under_32_concurrent_creates_at_the_limit_on_two_hosts() {
    let world = World::on_disk();
    let (first, here) = scene(&world, 12).await;
    let second = world.host().await;
    let there = here.on(&second);
    let names: Vec<String> = (0..32).map(|number| format!("u{number}@acme.example")).collect();
    let mut requests = tokio::task::JoinSet::new();
    for (index, name) in names.into_iter().enumerate() {
        let acme = if index % 2 == 0 { here.on(&first) } else { there.on(&second) };
        requests.spawn(async move { acme.post_user(&name).await });
    }
    let answers = requests.join_all().await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    // Who was turned away in the crowd (503) comes again, as identity providers do.
    assert_eq!(count(201) + count(403) + count(503), 32, "{answers:?}");
    let mut made = count(201);
    for number in 0..32 {
        let answer = here.post_user(&format!("u{number}@acme.example")).await;
        assert!(matches!(answer.status, 201 | 403 | 409), "{answer:?}");
        made += usize::from(answer.status == 201);
    }
    assert_eq!(made, 10, "never one too many, and none lost");
    assert_eq!(taken(&here.organization).await, 12);
    assert_eq!(here.organization.members(Listing::default()).await.unwrap().items.len(), 12);
}

#[tokio::test]
async fn p4_no_seat_is_lost_by_failures() {
    let world = World::in_memory();
    let (mut host, mut acme) = scene(&world, 6).await;
    for commits in 0..12 {
        let name = format!("u{commits}@acme.example");
        world.faults.crash_after(commits % 4);
        acme.post_user(&name).await;
        world.faults.end();
        host = world.host().await;
        acme = acme.on(&host);
        let members = acme.organization.members(Listing::default()).await.unwrap().items;
        assert_eq!(taken(&acme.organization).await, members.len() as u64);
        let filter = format!("/Users?filter=userName+eq+%22{name}%22");
        if let Some(id) = acme.scim("GET", &filter, None).await.body["Resources"][0]["id"].as_str() {
            world.faults.crash_after(commits % 3);
            acme.scim("DELETE", &format!("/Users/{id}"), None).await;
            world.faults.end();
            acme.scim("DELETE", &format!("/Users/{id}"), None).await;
        }
        assert_eq!(taken(&acme.organization).await, 2);
    }
    for number in 0..4 {
        acme.post_user(&format!("v{number}@acme.example")).await.is(201);
    }
    acme.post_user("v4@acme.example").await.is(403);
    drop(host);
}

#[tokio::test]
async fn p4_the_last_active_owner_can_not_be_deactivated_or_deleted() {
    let world = World::in_memory();
    let (_host, acme) = scene(&world, 9).await;
    let owner = acme.organization.member(OWNER).await.unwrap();
    let path = format!("/Users/{}", owner.id);
    for answer in [
        set_active(&acme, &owner.id, false).await,
        acme.scim("DELETE", &path, None).await,
        acme.scim("PUT", &path, Some(json!({"userName": OWNER, "active": false}))).await,
        acme.scim("POST", "/Users", Some(json!({"userName": OWNER, "active": false}))).await,
    ] {
        let refused = answer.is(403);
        assert!(refused.detail().contains("last active owner"), "{}", refused.body);
    }
    assert_eq!(acme.organization.member(OWNER).await.unwrap(), owner, "nothing has changed");
    assert!(acme.organization.remove_member(OWNER).await.is_err());
    assert!(acme.organization.set_role(OWNER, Role::Member).await.is_err());
    let logged = acme.log(Default::default()).await;
    let refusals =
        logged.iter().filter(|entry| entry["status"] == 403 && entry["detail"].as_str().unwrap().contains("owner"));
    assert_eq!(refusals.count(), 4);
}

#[tokio::test]
async fn p4_with_the_domain_rule_only_users_of_verified_domains_are_provisioned() {
    let world = World::in_memory();
    let (_host, acme) = scene(&world, 9).await;
    acme.post_user("before@elsewhere.example").await.is(201);
    acme.change(|record| record.options.verified_domains_only = true).await;
    for name in ["ada@elsewhere.example", "ada@sub.acme.example", "ada@acme.example.evil", "ada"] {
        let refused = acme.post_user(name).await.is(403);
        assert!(refused.detail().contains("verified domain"), "{}", refused.body);
    }
    let id = acme.post_user("ada@ACME.example").await.is(201).id();
    let moved = json!({"emails": [{"value": "ada@elsewhere.example", "primary": true}]});
    acme.patch(&format!("/Users/{id}"), moved).await.is(403);
    assert_eq!(acme.organization.member(&id).await.unwrap().email, "ada@ACME.example");
}

async fn people(acme: &Acme, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(acme.post_user(&format!("g{number}@acme.example")).await.is(201).id());
    }
    ids
}

#[tokio::test]
async fn p4_the_guard_holds_removals_beyond_its_number_until_an_owner_lets_them_through() {
    let world = World::in_memory();
    let (host, acme) = scene(&world, 20).await;
    let ids = people(&acme, 6).await;
    acme.organization.set_guard(Some(Guard { number: Some(2), share: None })).await.unwrap();
    set_active(&acme, &ids[0], false).await.is(200);
    acme.scim("DELETE", &format!("/Users/{}", ids[1]), None).await.is(204);
    for _ in 0..2 {
        let held = set_active(&acme, &ids[2], false).await.is(503);
        assert!(held.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
        acme.scim("DELETE", &format!("/Users/{}", ids[3]), None).await.is(503);
    }
    acme.patch(&format!("/Users/{}", ids[2]), json!({"displayName": "Still here"})).await.is(200);
    let status = acme.organization.guard(None, 100).await.unwrap();
    let mut held: Vec<_> = status.held.iter().map(|held| (held.member.clone(), held.removal)).collect();
    held.sort_by_key(|(member, _)| ids.iter().position(|id| id == member));
    assert_eq!(held, [(ids[2].clone(), Removal::Deactivate), (ids[3].clone(), Removal::Delete)]);
    assert_eq!(status.holding_since, Some(world.now()));
    // The email waits for half a minute, to say how many there are.
    world.live(&host, 60_000).await;
    for address in [OWNER, CO_OWNER] {
        assert_eq!(world.mailbox.subjects_to(address), ["Acme: many members would lose access"], "once");
    }
    let member = acme.organization.decide_held(&ids[4], Decision::Allowed, &[]).await;
    assert!(matches!(member, Err(ActionError::Forbidden(_))));
    assert_eq!(acme.organization.decide_held(CO_OWNER, Decision::Allowed, &[ids[2].clone()]).await.unwrap(), 1);
    assert_eq!(acme.organization.decide_held(OWNER, Decision::Refused, &[]).await.unwrap(), 1);
    set_active(&acme, &ids[2], false).await.is(200);
    let refused = acme.scim("DELETE", &format!("/Users/{}", ids[3]), None).await.is(403);
    assert!(refused.detail().contains("refused"), "{}", refused.body);
    assert!(acme.organization.member(&ids[3]).await.unwrap().active);
}

#[tokio::test]
async fn p4_the_guard_counts_by_share_and_starts_anew_after_an_hour() {
    let world = World::in_memory();
    let (_host, acme) = scene(&world, 20).await;
    let ids = people(&acme, 10).await;
    acme.organization.set_guard(Some(Guard { number: None, share: Some(20) })).await.unwrap();
    set_active(&acme, &ids[0], false).await.is(200);
    set_active(&acme, &ids[1], false).await.is(200);
    set_active(&acme, &ids[2], false).await.is(503);
    world.pass(HOUR + 60_000);
    set_active(&acme, &ids[2], false).await.is(503);
    set_active(&acme, &ids[9], false).await.is(200);
    // What people do by hand is not held, and neither is anything once it is off.
    for id in &ids[3..6] {
        acme.organization.remove_member(id).await.unwrap();
    }
    acme.organization.set_guard(None).await.unwrap();
    for id in &ids[6..9] {
        set_active(&acme, id, false).await.is(200);
    }
}

#[tokio::test]
async fn p4_what_the_guard_holds_does_not_slip_through_hour_by_hour_and_owners_are_mailed_once() {
    let world = World::in_memory();
    let (host, acme) = scene(&world, 20).await;
    let ids = people(&acme, 12).await;
    acme.organization.set_guard(Some(Guard { number: Some(2), share: None })).await.unwrap();
    for hour in 0..20 {
        for id in &ids {
            let answer = set_active(&acme, id, false).await;
            assert!(matches!(answer.status, 200 | 503), "hour {hour}: {answer:?}");
        }
        world.live(&host, HOUR + 60_000).await;
    }
    assert_eq!(acme.organization.licences().await.unwrap().scim, 10, "the two that were within the threshold are gone");
    assert_eq!(world.mailbox.subjects_to(OWNER).len(), 1);
    assert_eq!(acme.organization.decide_held(OWNER, Decision::Allowed, &[]).await.unwrap(), 10);
    for id in &ids {
        set_active(&acme, id, false).await.is(200);
    }
    assert_eq!(acme.organization.licences().await.unwrap().scim, 0);
}

#[tokio::test]
async fn p4_a_decision_of_the_guard_holds_for_a_week() {
    let world = World::in_memory();
    let (host, acme) = scene(&world, 20).await;
    let ids = people(&acme, 3).await;
    acme.organization.set_guard(Some(Guard { number: Some(1), share: None })).await.unwrap();
    set_active(&acme, &ids[0], false).await.is(200);
    set_active(&acme, &ids[1], false).await.is(503);
    acme.organization.decide_held(OWNER, Decision::Refused, &[]).await.unwrap();
    world.live(&host, 6 * DAY).await;
    set_active(&acme, &ids[1], false).await.is(403);
    world.live(&host, DAY).await;
    set_active(&acme, &ids[1], false).await.is(200);
}
