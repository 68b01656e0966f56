//! The list of people who got no seat (rules P4 and P5).

use serde_json::{Value, json};

use crate::connector::Window;
use crate::provisioning::without_seat::{MOST, PersonWithoutSeat, list, note};
use crate::store::Role;
use crate::testing::organization::{DAY, TestOrganization};

fn user(name: &str) -> Option<Value> {
    let email = format!("{name}@example.com");
    Some(json!({"userName": name, "displayName": format!("The {name}"), "emails": [{"value": email, "primary": true}]}))
}

fn active(active: bool) -> Option<Value> {
    Some(json!({"Operations": [{"op": "replace", "path": "active", "value": active}]}))
}

/// An organization in which the owner and the co-owner take all seats.
fn full() -> TestOrganization {
    TestOrganization::new(2, Window::Never).unwrap()
}

fn people(organization: &TestOrganization) -> Vec<PersonWithoutSeat> {
    list(&organization.store()).unwrap().people
}

fn names(organization: &TestOrganization) -> Vec<String> {
    people(organization).into_iter().map(|person| person.user_name).collect()
}

fn seats(organization: &TestOrganization, seats: u32) {
    organization.change(|record| record.seats = seats).unwrap();
}

#[test]
fn p4_who_got_no_seat_is_listed_with_how_often_since_when_and_by_which_request() {
    let organization = full();
    for name in ["ada", "bob", "ADA"] {
        assert_eq!(organization.scim("POST", "/Users", user(name)).0, 403);
    }
    let found = people(&organization);
    let told: Vec<_> = found.iter().map(|person| (person.user_name.as_str(), person.refusals)).collect();
    assert_eq!(told, [("ADA", 2), ("bob", 1)], "a name is one in any case, and the latest refusal comes first");
    let ada = &found[0];
    assert_eq!((ada.email.as_str(), ada.display_name.as_str()), ("ADA@example.com", "The ADA"));
    assert_eq!((ada.member.as_ref(), ada.request_id.as_str()), (None, "r1"));
    assert!(ada.since < found[1].last && found[1].last < ada.last);
}

#[test]
fn p4_who_gets_a_seat_in_whatever_way_is_no_longer_listed() {
    let organization = full();
    for name in ["ada", "bob", "cy"] {
        assert_eq!(organization.scim("POST", "/Users", user(name)).0, 403);
    }
    seats(&organization, 6);
    assert_eq!(names(&organization).len(), 3, "a free seat is not one that somebody has");
    assert_eq!(organization.scim("POST", "/Users", user("ada")).0, 201);
    assert_eq!(names(&organization), ["cy", "bob"]);
    // Bob is added by hand, with the same address.
    let (email, display_name) = ("bob@example.com".to_owned(), "Bob".to_owned());
    let new = insomnia_scim_contract::NewMember { email, display_name, role: Role::Member, passphrase: None };
    crate::testing::add_member(&organization.store(), &new).unwrap();
    assert_eq!(names(&organization), ["cy"]);
    // The identity provider now wants the user to be inactive.
    let mut inactive = user("cy").unwrap();
    inactive["active"] = false.into();
    assert_eq!(organization.scim("POST", "/Users", Some(inactive)).0, 201);
    assert_eq!(names(&organization), Vec::<String>::new());
}

#[test]
fn p4_a_deactivated_member_without_a_seat_is_listed_until_nobody_wants_one_for_it() {
    let organization = TestOrganization::new(3, Window::Never).unwrap();
    let (_, ada) = organization.scim("POST", "/Users", user("ada"));
    let path = format!("/Users/{}", ada["id"].as_str().unwrap());
    let refuse = || {
        seats(&organization, 2);
        assert_eq!(organization.scim("PATCH", &path, active(true)).0, 403);
        let found = people(&organization);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].member.as_deref(), ada["id"].as_str());
    };
    organization.scim("PATCH", &path, active(false));
    refuse();
    // The identity provider no longer wants the member to be active.
    assert_eq!(organization.scim("PATCH", &path, active(false)).0, 200);
    assert_eq!(names(&organization), Vec::<String>::new());
    refuse();
    seats(&organization, 3);
    assert_eq!(organization.scim("PATCH", &path, active(true)).0, 200);
    assert_eq!(names(&organization), Vec::<String>::new());
    organization.scim("PATCH", &path, active(false));
    refuse();
    assert_eq!(organization.scim("DELETE", &path, None).0, 204);
    assert_eq!(names(&organization), Vec::<String>::new());
    assert!(!organization.host.dump().contains("without-seat/"));
}

#[test]
fn p4_the_list_of_who_got_no_seat_is_bounded_and_forgets_what_is_too_old() {
    let organization = full();
    let store = organization.store();
    for number in 0..MOST + 5 {
        let Some(Value::Object(user)) = user(&format!("u{number}")) else { panic!("an object") };
        note(&store, &user, None, "r");
    }
    let found = list(&store).unwrap();
    assert_eq!((found.people.len(), found.is_full), (MOST as usize, true));
    organization.live_for(2_000).unwrap();
    assert_eq!(people(&organization).len(), MOST as usize);
    organization.live_for(91 * DAY).unwrap();
    assert_eq!(names(&organization), Vec::<String>::new());
    assert!(!organization.host.dump().contains("without-seat/"));
}
