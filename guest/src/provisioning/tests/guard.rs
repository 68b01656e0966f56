//! The mass-deprovisioning guard (rule P4).

use serde_json::{Value, json};

use crate::connector::Window;
use crate::directory;
use crate::provisioning::guard::{Decision, status};
use crate::store::Guard;
use crate::testing::organization::{DAY, TestOrganization};

const HOUR: u64 = 3_600_000;

struct Guarded {
    organization: TestOrganization,
    ids: Vec<String>,
}

impl Guarded {
    fn new(guard: Guard, members: usize) -> Self {
        let organization = TestOrganization::new(1_000, Window::Never).unwrap();
        organization.change(|record| record.options.passphrase_emails = false).unwrap();
        directory::set_guard(&organization.store(), Some(guard)).unwrap();
        let create = |number| {
            let body = json!({"userName": format!("u{number}@example.com")});
            organization.scim("POST", "/Users", Some(body)).1["id"].as_str().unwrap().to_owned()
        };
        let ids = (0..members).map(create).collect();
        Self { organization, ids }
    }

    fn delete(&self, index: usize) -> u16 {
        self.organization.scim("DELETE", &format!("/Users/{}", self.ids[index]), None).0
    }

    fn deactivate(&self, index: usize) -> (u16, Value) {
        let patch = json!({"Operations": [{"op": "replace", "path": "active", "value": false}]});
        self.organization.scim("PATCH", &format!("/Users/{}", self.ids[index]), Some(patch))
    }

    fn held(&self) -> Vec<String> {
        status(&self.organization.store(), None, 500).unwrap().held.into_iter().map(|held| held.member).collect()
    }

    fn decide(&self, decision: Decision, members: &[String]) -> u32 {
        directory::decide_held(&self.organization.store(), TestOrganization::OWNER, decision, members).unwrap()
    }
}

fn number(number: u32) -> Guard {
    Guard { number: Some(number), share: None }
}

#[test]
fn p4_removals_beyond_the_number_are_held_with_503_and_owners_are_mailed_once() {
    let guarded = Guarded::new(number(3), 10);
    let statuses: Vec<u16> =
        (0..8).map(|index| if index % 2 == 0 { guarded.delete(index) } else { guarded.deactivate(index).0 }).collect();
    assert_eq!(statuses, [204, 200, 204, 503, 503, 503, 503, 503]);
    assert_eq!(guarded.held().len(), 5);
    let (_, error) = guarded.deactivate(4);
    assert!(error["detail"].as_str().unwrap().contains("until an owner"), "{error}");
    guarded.organization.live_for(1_000).unwrap();
    for address in [TestOrganization::OWNER, TestOrganization::CO_OWNER] {
        assert_eq!(guarded.organization.subjects_to(address), ["Example: many members would lose access"]);
    }
    let (_, user) = guarded.organization.scim("GET", &format!("/Users/{}", guarded.ids[5]), None);
    assert_eq!(user["active"], true, "what is held has not happened");
}

#[test]
fn p4_the_next_hour_has_a_threshold_of_its_own() {
    let guarded = Guarded::new(number(1), 5);
    assert_eq!((guarded.delete(0), guarded.delete(1)), (204, 503));
    guarded.organization.live_for(HOUR + 60_000).unwrap();
    assert_eq!((guarded.delete(1), guarded.delete(2), guarded.delete(3)), (503, 204, 503));
    assert_eq!(guarded.held().len(), 2, "what is held stays held until an owner decides");
    guarded.organization.live_for(HOUR + 60_000).unwrap();
    let mails = guarded.organization.subjects_to(TestOrganization::OWNER);
    assert_eq!(mails.len(), 1, "owners are mailed once, however many hours it takes");
    assert_eq!(guarded.decide(Decision::Allowed, &[]), 2);
    assert_eq!((guarded.delete(1), guarded.delete(3)), (204, 204));
    assert!(guarded.held().is_empty(), "what was held and is done is held no more");
}

#[test]
fn p4_the_share_is_of_the_members_that_scim_manages() {
    let guarded = Guarded::new(Guard { number: None, share: Some(20) }, 10);
    assert_eq!((0..4).map(|index| guarded.deactivate(index).0).collect::<Vec<_>>(), [200, 200, 503, 503]);
    let small = Guarded::new(Guard { number: None, share: Some(20) }, 2);
    assert_eq!((small.delete(0), small.delete(1)), (204, 503), "the first one of an hour passes");
}

#[test]
fn p4_an_owner_lets_held_removals_through() {
    let guarded = Guarded::new(number(1), 5);
    let statuses: Vec<u16> = (0..4).map(|index| guarded.delete(index)).collect();
    assert_eq!(statuses, [204, 503, 503, 503]);
    assert_eq!(guarded.decide(Decision::Allowed, &[guarded.ids[1].clone()]), 1);
    assert_eq!((guarded.delete(1), guarded.delete(2)), (204, 503));
    assert_eq!(guarded.decide(Decision::Allowed, &[]), 2);
    assert_eq!((guarded.delete(2), guarded.delete(3), guarded.delete(4)), (204, 204, 503));
}

#[test]
fn p4_an_owner_refuses_held_removals() {
    let guarded = Guarded::new(number(1), 3);
    assert_eq!((guarded.delete(0), guarded.delete(1)), (204, 503));
    assert_eq!(guarded.decide(Decision::Refused, &[]), 1);
    guarded.organization.live_for(2 * HOUR).unwrap();
    assert_eq!(guarded.delete(1), 403);
    guarded.organization.live_for(8 * DAY).unwrap();
    assert_eq!(guarded.delete(1), 204, "a decision holds for a week");
}

#[test]
fn p4_only_owner_and_co_owners_decide_and_people_are_not_held() {
    let guarded = Guarded::new(number(1), 3);
    assert_eq!((guarded.delete(0), guarded.delete(1)), (204, 503));
    let store = guarded.organization.store();
    assert!(directory::decide_held(&store, "u2@example.com", Decision::Allowed, &[]).is_err());
    directory::remove_member(&store, &guarded.ids[1]).unwrap();
    assert!(guarded.held().is_empty());
}

#[test]
fn p4_the_guard_is_off_by_default_and_can_be_switched_off() {
    let guarded = Guarded::new(number(1), 4);
    assert_eq!((guarded.delete(0), guarded.delete(1)), (204, 503));
    directory::set_guard(&guarded.organization.store(), None).unwrap();
    assert_eq!((guarded.delete(1), guarded.delete(2)), (204, 204));
    for wrong in [Guard::default(), number(0), Guard { number: None, share: Some(100) }] {
        assert!(directory::set_guard(&guarded.organization.store(), Some(wrong)).is_err());
    }
}
