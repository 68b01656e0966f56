//! P3: matching, adoption, and the members that are never changed.

use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::directory::{Listing, Origin, Role};
use serde_json::{Value, json};

use crate::rules::organization::{Acme, CO_OWNER, OWNER, PASSPHRASE, USER, person};
use crate::rules::world::{Host, World};

const INSOMNIA: &str = "urn:insomnia:params:scim:schemas:extension:1.0:User";
const BOB: &str = "Bob@Acme.example";

/// With Bob, a manual member, in the manual team Staff.
async fn scene(world: &World) -> (Host, Acme, String) {
    let host = world.host().await;
    let acme = Acme::enabled(&host, 20, ExpiryWindow::Never).await;
    let bob = acme.organization.add_member(person(BOB, Role::CoOwner, Some(PASSPHRASE))).await.unwrap();
    acme.organization.add_team("Staff", &[BOB.into(), OWNER.into()]).await.unwrap();
    world.pass(1);
    (host, acme, bob.id)
}

async fn only(acme: &Acme, filter: &str) -> Value {
    let filter = insomnia_scim_tests::client::encode(filter);
    let found = acme.scim("GET", &format!("/Users?filter={filter}"), None).await.is(200);
    assert_eq!(found.body["totalResults"], 1, "{filter}: {}", found.body);
    found.body["Resources"][0].clone()
}

#[tokio::test]
async fn p3_a_post_adopts_the_manual_member_with_the_same_user_name_or_email_in_any_case() {
    for body in [
        json!({"schemas": [USER], "userName": "BOB@acme.EXAMPLE"}),
        json!({"schemas": [USER], "userName": "bob.other", "emails": [{"value": "bob@ACME.example", "primary": true}]}),
    ] {
        let world = World::in_memory();
        let (host, acme, bob) = scene(&world).await;
        let before = acme.organization.licences().await.unwrap();
        let adopted = acme.scim("POST", "/Users", Some(body.clone())).await.is(201);
        assert_eq!(adopted.id(), bob, "the same member");
        assert_eq!(adopted.body["userName"], body["userName"], "returned as sent");
        let member = acme.organization.member(&bob).await.unwrap();
        assert_eq!((member.origin, member.role, member.active), (Origin::Scim, Role::CoOwner, true));
        let after = acme.organization.licences().await.unwrap();
        assert_eq!((after.manual + 1, after.scim), (before.manual, before.scim + 1), "and the same seat");
        let teams = acme.scim("GET", &format!("/Users/{bob}?attributes=groups"), None).await.is(200);
        assert_eq!(teams.body["groups"][0]["display"], "Staff");
        assert_eq!(acme.event_types().await.last().unwrap(), "member.adopted");
        world.live(&host, 1_000).await;
        assert!(world.mailbox.taken().is_empty(), "no passphrase is mailed");
        assert!(acme.organization.sign_in(&bob, PASSPHRASE).await.is_ok());
        let again = acme.scim("POST", "/Users", Some(body)).await.is(409);
        assert_eq!(again.body["scimType"], "uniqueness");
    }
}

#[tokio::test]
async fn p3_a_lookup_finds_manual_members_and_the_first_write_adopts_them() {
    let world = World::in_memory();
    let (_host, acme, bob) = scene(&world).await;
    for filter in [
        "userName eq \"bob@acme.example\"".to_owned(),
        "emails eq \"BOB@ACME.EXAMPLE\"".to_owned(),
        "emails.value eq \"bob@acme.example\"".to_owned(),
        format!("id eq \"{bob}\""),
    ] {
        let found = only(&acme, &filter).await;
        assert_eq!((&found["id"], &found["userName"]), (&json!(bob), &json!(BOB)), "{filter}");
    }
    assert_eq!(acme.organization.member(&bob).await.unwrap().origin, Origin::Manual, "looking changes nothing");
    acme.patch(&format!("/Users/{bob}"), json!({"externalId": "00u1"})).await.is(200);
    assert_eq!(acme.organization.member(&bob).await.unwrap().origin, Origin::Scim);
    assert_eq!(only(&acme, "externalId eq \"00u1\"").await["id"], json!(bob));
}

#[tokio::test]
async fn p3_lists_and_other_filters_hold_scim_members_and_teams_only_unless_chosen_otherwise() {
    let world = World::in_memory();
    let (_host, acme, bob) = scene(&world).await;
    let total = async |target: &str| acme.scim("GET", target, None).await.is(200).body["totalResults"].clone();
    for target in ["/Users", "/Users?filter=userName+sw+%22bob%22", "/Users?filter=active+eq+true", "/Groups"] {
        assert_eq!(total(target).await, 0, "{target}");
    }
    let found = acme.scim("GET", &format!("/Users/{bob}"), None).await.is(200);
    assert_eq!(found.id(), bob, "GET by id sees all");
    acme.change(|record| record.options.list_manual = true).await;
    assert_eq!((total("/Users").await, total("/Groups").await), (json!(3), json!(1)));
}

#[tokio::test]
async fn p3_the_insomnia_extension_tells_origin_role_and_licence_and_can_not_be_written() {
    let world = World::in_memory();
    let (_host, acme, bob) = scene(&world).await;
    let extension = async || {
        let target = format!("/Users/{bob}?attributes={INSOMNIA}");
        acme.scim("GET", &target, None).await.is(200).body[INSOMNIA].clone()
    };
    assert_eq!(extension().await, json!({"origin": "manual", "role": "co-owner", "licensed": true}));
    let mut body = json!({"userName": BOB, "active": false});
    body[INSOMNIA] = json!({"role": "owner", "origin": "manual", "licensed": true});
    acme.scim("PUT", &format!("/Users/{bob}"), Some(body)).await.is(200);
    assert_eq!(extension().await, json!({"origin": "scim", "role": "co-owner", "licensed": false}));
    let schemas = acme.scim("GET", "/Schemas", None).await.is(200);
    let ids: Vec<&str> =
        schemas.body["Resources"].as_array().unwrap().iter().filter_map(|schema| schema["id"].as_str()).collect();
    assert!(ids.contains(&INSOMNIA), "{ids:?}");
}

#[tokio::test]
async fn p3_a_manual_team_of_the_same_name_is_adopted_by_a_pushed_group() {
    let world = World::in_memory();
    let (_host, acme, bob) = scene(&world).await;
    let before = acme.organization.teams(Listing::default()).await.unwrap().items;
    let group = json!({"displayName": "STAFF"});
    let adopted = acme.scim("POST", "/Groups", Some(group.clone())).await.is(201);
    assert_eq!(adopted.id(), before[0].id);
    let after = acme.organization.teams(Listing::default()).await.unwrap().items;
    assert_eq!((after.len(), after[0].origin, after[0].members), (1, Origin::Scim, 2), "its members stay");
    acme.scim("POST", "/Groups", Some(group)).await.is(409);
    acme.scim("DELETE", &format!("/Groups/{}", adopted.id()), None).await.is(204);
    assert!(acme.organization.member(&bob).await.is_ok(), "no member goes with a team");
}

#[tokio::test]
async fn p3_a_member_whom_the_identity_provider_does_not_know_is_never_changed() {
    let world = World::in_memory();
    let (host, acme, bob) = scene(&world).await;
    let manual = async || {
        let mut members = Vec::new();
        for id in [bob.as_str(), OWNER, CO_OWNER] {
            members.push(acme.organization.member(id).await.unwrap());
        }
        members
    };
    let before = manual().await;
    // A client that creates its own, and deletes whatever else it is shown.
    let ada = acme.post_user("ada@acme.example").await.is(201).id();
    for (list, kind) in [("/Users", "Users"), ("/Groups", "Groups")] {
        let shown = acme.scim("GET", list, None).await.is(200).body;
        for resource in
            shown["Resources"].as_array().into_iter().flatten().filter(|resource| resource["id"] != ada.as_str())
        {
            acme.scim("DELETE", &format!("/{kind}/{}", resource["id"].as_str().unwrap()), None).await;
        }
    }
    acme.scim("DELETE", &format!("/Users/{ada}"), None).await.is(204);
    acme.organization.disable(OWNER).await.unwrap();
    world.live(&host, 1_000).await;
    assert_eq!(manual().await, before);
    assert_eq!(acme.organization.teams(Listing::default()).await.unwrap().items[0].members, 2);
}

#[tokio::test]
async fn p3_what_was_sent_is_returned_as_sent_and_compared_in_any_case() {
    let world = World::in_memory();
    let (_host, acme, _) = scene(&world).await;
    let id = acme.post_user("Ada.Lovelace@ACME.example").await.is(201).id();
    assert_eq!(only(&acme, "userName eq \"ada.lovelace@acme.EXAMPLE\"").await["userName"], "Ada.Lovelace@ACME.example");
    let taken = acme.post_user("ADA.LOVELACE@acme.example").await.is(409);
    assert_eq!(taken.body["scimType"], "uniqueness");
    // Who has only one of the two is another one's conflict all the same.
    let body = json!({"userName": "somebody.else", "emails": [{"value": "ada.lovelace@acme.example"}]});
    acme.scim("POST", "/Users", Some(body)).await.is(409);
    assert_eq!(acme.organization.member("ADA.lovelace@acme.example").await.unwrap().id, id);
}

#[tokio::test]
async fn p3_a_preview_tells_who_is_matched_created_refused_and_left_and_changes_nothing() {
    let world = World::in_memory();
    let (_host, acme, bob) = scene(&world).await;
    let ada = acme.post_user("ada@acme.example").await.is(201).id();
    let before = (acme.organization.members(Listing::default()).await.unwrap(), acme.events().await);
    let users = json!([
        {"userName": "BOB@acme.example"},
        {"userName": "ada@acme.example"},
        {"userName": "new@acme.example"},
        {"userName": "new@acme.example"},
        {"displayName": "nobody"},
        {"userName": "idle@acme.example", "active": false},
    ]);
    let preview = acme.organization.preview(users.to_string()).await.unwrap();
    use insomnia_scim::guard::PreviewOutcome::{Adopts, Creates, Exists, Refuses};
    let outcomes: Vec<_> = preview.users.iter().map(|user| user.outcome).collect();
    assert_eq!(outcomes, [Adopts, Exists, Creates, Refuses, Refuses, Creates]);
    assert_eq!(
        (preview.users[0].member.as_deref(), preview.users[1].member.as_deref()),
        (Some(bob.as_str()), Some(ada.as_str()))
    );
    let mut left: Vec<&str> = preview.left_manual.iter().map(|member| member.email.as_str()).collect();
    left.sort_unstable();
    assert_eq!((left, preview.left_manual_count), (vec![CO_OWNER, OWNER], 2));
    assert_eq!((preview.seats, preview.taken, preview.taken_after), (20, 4, 5));
    assert_eq!((acme.organization.members(Listing::default()).await.unwrap(), acme.events().await), before);
    // And it comes as it was foretold.
    acme.post_user("BOB@acme.example").await.is(201);
    acme.post_user("new@acme.example").await.is(201);
    let licences = acme.organization.licences().await.unwrap();
    assert_eq!(licences.manual + licences.scim, 5);
}
