//! Licences: what happens when they run out, and the preview (rule P4).

use serde_json::json;

use crate::connector::Window;
use crate::directory::{self, PreviewOutcome as Outcome};
use crate::testing::organization::{DAY, TestOrganization};

#[test]
fn p4_no_free_seat_is_told_to_owner_and_co_owners_at_most_once_a_day() {
    let organization = TestOrganization::new(2, Window::Never).unwrap();
    let start = organization.store().now();
    for day in 0..3 {
        for hour in 0..20 {
            organization.live_until(start + day * DAY + hour * 3_600_000).unwrap();
            let (status, _) = organization.scim("POST", "/Users", Some(json!({"userName": "ada@example.com"})));
            assert_eq!(status, 403);
        }
    }
    organization.live_for(1_000).unwrap();
    for address in [TestOrganization::OWNER, TestOrganization::CO_OWNER] {
        assert_eq!(organization.subjects_to(address), ["Example has no free Insomnia seat"; 3]);
    }
    let told = organization.event_types().iter().filter(|kind| *kind == "licences.exhausted").count();
    assert_eq!(told, 3);
}

#[test]
fn p4_a_preview_says_who_would_be_matched_created_and_left_manual() {
    let organization = TestOrganization::new(4, Window::Never).unwrap();
    let (_, ada) = organization.scim("POST", "/Users", Some(json!({"userName": "ada@example.com"})));
    let before = organization.host.dump();
    let users = json!([
        {"userName": "ADA@example.com"},
        {"userName": "o1", "emails": [{"value": "Owner@example.com"}]},
        {"userName": "bob@example.com"},
        {"userName": "bob@EXAMPLE.com"},
        {"userName": "cy@example.com", "active": false},
        {"displayName": "nobody"},
        "what",
    ]);
    let preview = directory::preview(&organization.store(), &users.to_string()).unwrap();
    let outcomes: Vec<Outcome> = preview.users.iter().map(|user| user.outcome).collect();
    use Outcome::{Adopts, Creates, Exists, Refuses};
    assert_eq!(outcomes, [Exists, Adopts, Creates, Refuses, Creates, Refuses, Refuses]);
    assert_eq!(preview.users[0].member.as_deref(), ada["id"].as_str());
    assert_eq!(preview.users[1].reason, "matches by emails");
    assert_eq!((preview.seats, preview.taken, preview.taken_after), (4, 3, 4));
    assert_eq!(preview.left_manual_count, 1);
    assert_eq!(preview.left_manual[0].email, TestOrganization::CO_OWNER);
    assert_eq!(organization.host.dump(), before, "it changes nothing");
    let list = json!({"Resources": users});
    let same = directory::preview(&organization.store(), &list.to_string()).unwrap();
    assert_eq!(same, preview);
    assert!(directory::preview(&organization.store(), "{}").is_err());
}
