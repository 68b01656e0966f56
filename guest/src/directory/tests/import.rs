//! The import of members whom the backend already has, with ids of its own.

use insomnia_scim_contract::{Act, ImportOutcome, Origin, Role};
use serde_json::{Value, json};

use crate::connector::Window;
use crate::directory::{self, DirectoryError, import_members};
use crate::testing::organization::{DAY, TestOrganization};

const ADA: &str = "0b1f8a52-6d1e-4c0f-9a57-2f6f1c9f7a01";
const BOB: &str = "ffffffff-6d1e-8c0f-9a57-2f6f1c9f7a02";
const EVE: &str = "3d813cbb-47fb-32ba-91df-831e1593ac29";

fn organization(seats: u32) -> TestOrganization {
    TestOrganization::new(seats, Window::Never).unwrap()
}

fn import(organization: &TestOrganization, members: &Value) -> Vec<ImportOutcome> {
    let store = organization.store().for_act(&Act::of_backend(), "member.import");
    import_members(&store, &members.to_string()).unwrap()
}

fn is_refused(outcome: &ImportOutcome, because: &str) -> bool {
    matches!(outcome, ImportOutcome::Refused(why) if why.contains(because))
}

#[test]
fn members_are_taken_over_with_their_ids_and_nobody_is_mailed() {
    let organization = organization(10);
    let people = json!([
        {"id": ADA, "email": "Ada@Example.com", "displayName": "Ada", "role": "co-owner"},
        {"id": BOB, "email": "bob@example.com", "active": false},
    ]);
    assert_eq!(import(&organization, &people), [ImportOutcome::Added, ImportOutcome::Added]);
    let store = organization.store();
    let ada = directory::get_member(&store, "ada@example.com").unwrap();
    assert_eq!((ada.id.as_str(), ada.email.as_str(), ada.display_name.as_str()), (ADA, "Ada@Example.com", "Ada"));
    assert_eq!((ada.role, ada.origin, ada.active), (Role::CoOwner, Origin::Manual, true));
    let bob = directory::get_member(&store, BOB).unwrap();
    assert_eq!((bob.display_name.as_str(), bob.role, bob.active), ("bob@example.com", Role::Member, false));
    assert_eq!(directory::get_licences(&store).unwrap().manual, 3, "who is not active takes no seat");
    let told = organization.event_types().into_iter().filter(|kind| kind == "member.created").count();
    assert_eq!(told, 4, "and each has an event");
    organization.live_for(DAY).unwrap();
    assert!(organization.host.emails.borrow().is_empty());
    let trail = organization.host.dump();
    let entry = format!(
        r#""after":{{"added":2,"present":0,"refused":0,"administrators":[{{"id":"{ADA}","role":"co-owner"}}]}}"#
    );
    assert_eq!((trail.matches("member.import").count(), trail.matches(&entry).count()), (1, 1));
}

#[test]
fn p9_the_audit_trail_names_the_administrators_of_an_import_and_of_many_the_first_hundred() {
    let organization = organization(10_000);
    let id = |number: usize| format!("{number:08x}-0000-4000-8000-000000000000");
    let owner =
        |number: usize| json!({"id": id(number), "email": format!("p{number}@example.com"), "role": "co-owner"});
    import(&organization, &(0..500).map(owner).collect());
    let trail = organization.host.dump();
    let entry = trail.split(r#""act":"member.import""#).nth(1).unwrap();
    let named = entry.split_once("administrators").unwrap().1.split_once(']').unwrap().0;
    assert_eq!(named.matches(r#""role":"co-owner""#).count(), 100, "{named}");
    assert!(named.contains(&id(0)) && named.contains(&id(99)), "{named}");
}

#[test]
fn an_import_that_comes_again_changes_nothing() {
    let organization = organization(10);
    let people = json!([{"id": ADA, "email": "ada@example.com"}, {"id": BOB, "email": "bob@example.com"}]);
    import(&organization, &people);
    directory::set_role(&organization.store(), ADA, Role::CoOwner).unwrap();
    let path = format!("/Users/{BOB}");
    let rename = json!({"Operations": [{"op": "replace", "path": "userName", "value": "robert@example.com"}]});
    assert_eq!(organization.scim("PATCH", &path, Some(rename)).0, 200);
    let events = organization.events().len();
    assert_eq!(import(&organization, &people), [ImportOutcome::Present, ImportOutcome::Present]);
    assert_eq!(organization.events().len(), events);
    let store = organization.store();
    assert_eq!(directory::get_member(&store, ADA).unwrap().role, Role::CoOwner);
    assert_eq!(directory::get_member(&store, BOB).unwrap().user_name, "robert@example.com");

    directory::remove_member(&store, BOB).unwrap();
    assert_eq!(import(&organization, &people), [ImportOutcome::Present, ImportOutcome::Added]);
}

#[test]
fn who_does_not_fit_is_refused_and_the_others_are_added() {
    let organization = organization(4);
    let team = directory::add_team(&organization.store(), "Team", &[]).unwrap().id;
    let people = json!([
        {"id": ADA, "email": "ada@example.com"},
        {"id": BOB.to_uppercase(), "email": "bob@example.com"},
        {"id": "usr_42", "email": "bob@example.com"},
        {"id": "0b1f8a526d1e4c0f9a572f6f1c9f7a01----", "email": "bob@example.com"},
        {"id": BOB, "email": "bob"},
        {"id": EVE, "email": "ADA@example.com"},
        {"id": "3d813cbb-47fb-32ba-91df-831e1593ac30", "email": TestOrganization::OWNER},
        {"id": team, "email": "team@example.com"},
        {"id": "3d813cbb-47fb-32ba-91df-831e1593ac31", "email": "x@example.com", "displayName": "x".repeat(1_001)},
        {"id": "3d813cbb-47fb-32ba-91df-831e1593ac32", "email": "last@example.com"},
        {"id": "3d813cbb-47fb-32ba-91df-831e1593ac33", "email": "late@example.com"},
        {"id": "3d813cbb-47fb-32ba-91df-831e1593ac34", "email": "off@example.com", "active": false},
    ]);
    let outcomes = import(&organization, &people);
    let reasons = [
        "",
        "no UUID",
        "no UUID",
        "no UUID",
        "not an email address",
        "another member of the import",
        "taken by the member",
        "a team",
        "1,000 bytes",
        "",
        "seats",
        "",
    ];
    for (place, (outcome, because)) in outcomes.iter().zip(reasons).enumerate() {
        let is_right = if because.is_empty() { *outcome == ImportOutcome::Added } else { is_refused(outcome, because) };
        assert!(is_right, "{place}: {outcome:?}");
    }
    let licences = directory::get_licences(&organization.store()).unwrap();
    assert_eq!((licences.manual, licences.seats), (4, 4));
    organization.change(|record| record.options.allow_overage = true).unwrap();
    let late = json!([{"id": "3d813cbb-47fb-32ba-91df-831e1593ac33", "email": "late@example.com"}]);
    assert_eq!(import(&organization, &late), [ImportOutcome::Added]);
}

#[test]
fn a_list_that_is_none_is_refused_as_a_whole() {
    let organization = organization(10);
    let many: Vec<Value> = (0..501)
        .map(|number| json!({"id": format!("{number:08x}-0000-4000-8000-000000000000"), "email": "a@b.example"}))
        .collect();
    let lists = [
        json!([{"id": ADA, "email": "ada@example.com"}, {"id": ADA, "email": "other@example.com"}]),
        json!([{"id": ADA, "email": "ada@example.com", "shoe": 42}]),
        json!([{"id": ADA, "email": "ada@example.com", "role": "king"}]),
        json!([{"id": ADA}]),
        json!({"members": []}),
        many.into(),
    ];
    for list in lists {
        let refused = import_members(&organization.store(), &list.to_string());
        assert!(matches!(refused, Err(DirectoryError::Invalid(_))), "{refused:?}");
    }
    assert!(directory::get_member(&organization.store(), ADA).is_err());
}

#[test]
fn p3_an_imported_member_is_adopted_with_the_id_of_the_backend() {
    let organization = organization(10);
    import(&organization, &json!([{"id": ADA, "email": "ada@example.com"}]));
    let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@example.com"});
    let (status, adopted) = organization.scim("POST", "/Users", Some(user));
    assert_eq!((status, adopted["id"].as_str()), (201, Some(ADA)));
    organization.live_for(DAY).unwrap();
    assert!(organization.host.emails.borrow().is_empty());
}
