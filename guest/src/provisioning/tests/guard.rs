//! The mass-deprovisioning guard (rule P4).

use serde_json::{Value, json};

use crate::connector::Window;
use crate::directory;
use crate::provisioning::guard::{Decision, HeldCounts, Removal, held, hold, status};
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
    guarded.organization.live_for(60_000).unwrap();
    for address in [TestOrganization::OWNER, TestOrganization::CO_OWNER] {
        assert_eq!(guarded.organization.subjects_to(address), ["Example: many members would lose access"]);
    }
    let text = guarded.organization.host.emails.borrow()[0].text.clone();
    assert!(text.contains("4 members would be deactivated, and 1 deleted"), "{text}");
    assert!(text.contains("- u3@example.com\n- u4@example.com\n"), "{text}");
    let (_, user) = guarded.organization.scim("GET", &format!("/Users/{}", guarded.ids[5]), None);
    assert_eq!(user["active"], true, "what is held has not happened");
}

#[test]
fn p4_the_next_hour_has_a_threshold_of_its_own_for_who_is_not_held() {
    let guarded = Guarded::new(number(1), 5);
    assert_eq!((guarded.delete(0), guarded.delete(1)), (204, 503));
    guarded.organization.live_for(HOUR + 60_000).unwrap();
    assert_eq!((guarded.delete(1), guarded.delete(2), guarded.delete(3)), (503, 204, 503));
    assert_eq!(guarded.held(), [guarded.ids[1].clone(), guarded.ids[3].clone()]);
}

#[test]
fn p4_what_is_held_stays_held_until_an_owner_decides_and_owners_are_mailed_once() {
    let guarded = Guarded::new(number(3), 20);
    let mails = || guarded.organization.subjects_to(TestOrganization::OWNER).len();
    let statuses: Vec<u16> = (0..20).map(|index| guarded.delete(index)).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 3);
    for _ in 0..8 {
        guarded.organization.live_for(61 * 60_000).unwrap();
        assert!((3..20).all(|index| guarded.delete(index) == 503), "an hour's wait is no decision");
    }
    assert_eq!((guarded.held().len(), mails()), (17, 1));
    let since = || status(&guarded.organization.store(), None, 1).unwrap().holding_since;
    assert_eq!(guarded.decide(Decision::Allowed, &guarded.ids[3..19]), 16);
    assert!((3..19).all(|index| guarded.delete(index) == 204));
    assert!(since().is_some(), "one is still held");
    assert_eq!(guarded.decide(Decision::Refused, &[]), 1);
    assert_eq!((guarded.delete(19), since()), (403, None));
}

#[test]
fn p4_owners_are_mailed_again_when_more_is_held_after_all_was_decided() {
    let guarded = Guarded::new(number(1), 6);
    assert_eq!((guarded.delete(0), guarded.delete(1), guarded.delete(2)), (204, 503, 503));
    guarded.decide(Decision::Allowed, &[guarded.ids[1].clone()]);
    assert_eq!(guarded.delete(3), 503);
    guarded.organization.live_for(60_000).unwrap();
    assert_eq!(guarded.organization.subjects_to(TestOrganization::OWNER).len(), 1);
    guarded.decide(Decision::Allowed, &[]);
    assert_eq!(guarded.delete(4), 503);
    guarded.organization.live_for(60_000).unwrap();
    assert_eq!(guarded.organization.subjects_to(TestOrganization::OWNER).len(), 2);
}

#[test]
fn p4_a_removal_that_is_held_again_leaves_the_decision_as_it_is() {
    let guarded = Guarded::new(number(1), 4);
    assert_eq!((guarded.delete(0), guarded.delete(1), guarded.delete(2)), (204, 503, 503));
    // The owner decides after the removal was refused, and before the refusal is recorded.
    guarded.decide(Decision::Allowed, &[guarded.ids[1].clone()]);
    hold(&guarded.organization.store(), &guarded.ids[1], Removal::Delete);
    assert_eq!(guarded.delete(1), 204);
    guarded.decide(Decision::Refused, &[]);
    hold(&guarded.organization.store(), &guarded.ids[2], Removal::Delete);
    assert_eq!(guarded.delete(2), 403);
}

#[test]
fn p4_an_adoption_that_deactivates_is_held_listed_and_mailed() {
    let guarded = Guarded::new(number(1), 1);
    let manual = directory::NewMember {
        email: "ada@example.com".into(),
        display_name: "Ada".into(),
        role: crate::store::Role::Member,
        passphrase: Some("a passphrase of hers".into()),
    };
    let id = crate::testing::add_member(&guarded.organization.store(), &manual).unwrap().id;
    assert_eq!(guarded.delete(0), 204);
    let body = json!({"userName": "ada@example.com", "active": false});
    assert_eq!(guarded.organization.scim("POST", "/Users", Some(body.clone())).0, 503);
    assert_eq!(guarded.held(), std::slice::from_ref(&id));
    guarded.organization.live_for(60_000).unwrap();
    assert_eq!(guarded.organization.subjects_to(TestOrganization::OWNER).len(), 1);
    guarded.decide(Decision::Allowed, &[id]);
    assert_eq!(guarded.organization.scim("POST", "/Users", Some(body)).0, 201);
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

#[test]
fn p4_what_is_held_is_shown_with_addresses_and_counted_over_all_pages() {
    let guarded = Guarded::new(number(1), 6);
    assert_eq!(guarded.delete(0), 204);
    for index in 1..6 {
        let status = if index == 1 { guarded.delete(index) } else { guarded.deactivate(index).0 };
        assert_eq!(status, 503);
    }
    guarded.decide(Decision::Allowed, &guarded.ids[2..3]);
    guarded.decide(Decision::Refused, &guarded.ids[3..4]);
    let store = guarded.organization.store();
    let first = held(&store, None, 2).unwrap();
    let addresses: Vec<&str> = first.items.iter().map(|held| held.email.as_str()).collect();
    assert_eq!(addresses, ["u1@example.com", "u2@example.com"]);
    assert_eq!(first.items[0].removal.removal, Removal::Delete);
    let counts = HeldCounts { deactivations: 2, deletions: 1, allowed: 1, refused: 1, at_least: false };
    assert_eq!(first.counts, counts);
    let rest = held(&store, first.next.as_deref(), 500).unwrap();
    assert_eq!((rest.items.len(), rest.next, rest.counts), (3, None, counts));
}
