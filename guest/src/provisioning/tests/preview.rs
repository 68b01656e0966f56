//! A preview shows exactly what posting the same users does, for any organization and any list (rule P4).

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::connector::Window;
use crate::directory::{self, NewMember, PreviewOutcome as Outcome, PreviewedUser};
use crate::protocol::schema::USER;
use crate::store::keys::Kind;
use crate::store::{Candidates, Guard, MemberRecord, Origin, Role, StoreError, Stored};
use crate::testing::organization::TestOrganization;

/// An extension that the organization may declare.
const BADGE: &str = "urn:example:scim:schemas:2.0:Badge";

/// The options of an organization.
#[derive(Clone, Debug)]
struct Choices {
    seats: u32,
    allow_overage: bool,
    reactivate_on_post: bool,
    verified_domains_only: bool,
    strict: bool,
    declares_badge: bool,
    guard: Option<u32>,
}

/// A user that is sent. Numbers name people and addresses. There are few of them, so that users conflict.
#[derive(Clone, Debug)]
struct Sent {
    person: u8,
    email: Option<u8>,
    other_email: Option<u8>,
    active: Option<bool>,
    badge: bool,
    is_broken: bool,
}

fn choices() -> impl Strategy<Value = Choices> {
    let flags = any::<[bool; 5]>();
    (2_u32..9, flags, proptest::option::of(0_u32..3)).prop_map(|(seats, flags, guard)| {
        let [allow_overage, reactivate_on_post, verified_domains_only, strict, declares_badge] = flags;
        Choices { seats, allow_overage, reactivate_on_post, verified_domains_only, strict, declares_badge, guard }
    })
}

fn sent() -> impl Strategy<Value = Sent> {
    let number = || 0_u8..9;
    let flags = (any::<Option<bool>>(), proptest::bool::weighted(0.2), proptest::bool::weighted(0.05));
    (number(), proptest::option::of(number()), proptest::option::of(number()), flags).prop_map(
        |(person, email, other_email, (active, badge, is_broken))| Sent {
            person,
            email,
            other_email,
            active,
            badge,
            is_broken,
        },
    )
}

/// The address of a person. 0 is the owner, and the domain of 8 is not verified.
fn address(person: u8) -> String {
    match person {
        0 => TestOrganization::OWNER.to_owned(),
        8 => "p8@elsewhere.example".to_owned(),
        person => format!("p{person}@example.com"),
    }
}

fn body(sent: &Sent) -> Value {
    let mut user = json!({"schemas": [USER], "userName": address(sent.person)});
    let emails = sent.email.iter().map(|email| json!({"value": address(*email), "primary": true}));
    let others = sent.other_email.iter().map(|email| json!({"value": address(*email), "type": "home"}));
    let emails: Vec<Value> = emails.chain(others).collect();
    if !emails.is_empty() {
        user["emails"] = emails.into();
    }
    if let Some(active) = sent.active {
        user["active"] = active.into();
    }
    if sent.badge {
        user["schemas"] = json!([USER, BADGE]);
        user[BADGE] = json!({"number": "7"});
    }
    if sent.is_broken {
        user["name"] = json!(["not", "an", "object"]);
    }
    user
}

fn organization(choices: &Choices, by_hand: &[u8], by_scim: &[(u8, bool)]) -> TestOrganization {
    let organization = TestOrganization::new(20, Window::Never).unwrap();
    for person in by_hand {
        let (email, display_name) = (address(*person), format!("Person {person}"));
        let new = NewMember { email, display_name, role: Role::Member, passphrase: None };
        let _ = crate::testing::add_member(&organization.store(), &new);
    }
    for (person, active) in by_scim {
        organization.scim("POST", "/Users", Some(json!({"userName": address(*person), "active": active})));
    }
    if choices.declares_badge {
        let number = json!({"name": "number", "type": "string", "multiValued": false});
        let extension = json!({"schema": BADGE, "required": false});
        let user = json!({"name": "User", "endpoint": "/Users", "schema": USER, "schemaExtensions": [extension]});
        let schema = json!({"id": BADGE, "name": "Badge", "attributes": [number]});
        let declaration = json!({"schemas": [schema], "resourceTypes": [user]});
        directory::put_schemas(&organization.store(), &declaration.to_string()).unwrap();
    }
    let guard = choices.guard.map(|number| Guard { number: Some(number), share: None });
    directory::set_guard(&organization.store(), guard.filter(|guard| guard.number > Some(0))).unwrap();
    organization
        .change(|record| {
            record.seats = choices.seats;
            record.options.allow_overage = choices.allow_overage;
            record.options.reactivate_on_post = choices.reactivate_on_post;
            record.options.verified_domains_only = choices.verified_domains_only;
            record.options.strict = choices.strict;
        })
        .unwrap();
    organization
}

fn members(organization: &TestOrganization) -> Vec<MemberRecord> {
    let mut members = Vec::new();
    let each = |stored: Stored<MemberRecord>| {
        members.push(stored.record);
        Ok::<_, StoreError>(true)
    };
    organization.store().each_candidate(Kind::User, &Candidates::All, each).unwrap();
    members
}

/// Whether the POST has the result that the preview showed.
fn agrees(told: &PreviewedUser, status: u16, answer: &Value, known: &[String], choices: &Choices) -> bool {
    let id = answer["id"].as_str();
    let is_known = id.is_some_and(|id| known.iter().any(|known| known == id));
    match told.outcome {
        Outcome::Creates => status == 201 && !is_known && told.member.is_none(),
        Outcome::Adopts => status == 201 && id == told.member.as_deref(),
        // A member that an earlier user of the list would add has no id in the preview.
        Outcome::Exists if status == 201 => {
            choices.reactivate_on_post && is_known && told.member.as_deref().is_none_or(|member| id == Some(member))
        }
        Outcome::Exists => status == 409,
        Outcome::Refuses => (400..500).contains(&status) || status == 503,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn p4_a_preview_tells_what_posting_the_users_then_does(
        choices in choices(),
        by_hand in proptest::collection::vec(1_u8..9, 0..4),
        by_scim in proptest::collection::vec((1_u8..9, any::<bool>()), 0..4),
        list in proptest::collection::vec(sent(), 0..16),
    ) {
        let organization = organization(&choices, &by_hand, &by_scim);
        let users: Vec<Value> = list.iter().map(body).collect();
        let before = organization.host.dump();
        let preview = directory::preview(&organization.store(), &json!(users).to_string()).unwrap();
        prop_assert_eq!(organization.host.dump(), before, "a preview changes nothing");
        for (user, told) in users.into_iter().zip(&preview.users) {
            let known: Vec<String> = members(&organization).iter().map(|member| member.id().to_owned()).collect();
            let (status, answer) = organization.scim("POST", "/Users", Some(user.clone()));
            prop_assert!(
                agrees(told, status, &answer, &known, &choices),
                "{user} was previewed as {told:?}, and answered {status} {answer}"
            );
        }
        let after = members(&organization);
        let active = after.iter().filter(|member| member.is_active()).count() as u64;
        prop_assert_eq!(preview.taken_after, active, "the seats that were previewed are those that are taken");
        let left = after.iter().filter(|member| member.is_active() && member.origin == Origin::Manual).count() as u64;
        prop_assert_eq!(preview.left_manual_count, left, "nobody else was adopted or deactivated");
    }
}

fn preview_of(organization: &TestOrganization, users: &Value) -> Vec<(Outcome, String)> {
    let preview = directory::preview(&organization.store(), &users.to_string()).unwrap();
    preview.users.into_iter().map(|user| (user.outcome, user.reason)).collect()
}

fn chosen() -> Choices {
    Choices {
        seats: 3,
        allow_overage: false,
        reactivate_on_post: false,
        verified_domains_only: false,
        strict: false,
        declares_badge: false,
        guard: None,
    }
}

#[test]
fn p4_a_preview_refuses_beyond_the_seats_as_a_post_does() {
    let organization = organization(&chosen(), &[], &[]);
    let users = json!([{"userName": "ada@example.com"}, {"userName": "bob@example.com"}]);
    let told = preview_of(&organization, &users);
    assert_eq!(told[0], (Outcome::Creates, "matches nobody".into()));
    let reason = "all 3 seats of the organization are taken: free one or buy more, then provision again";
    assert_eq!(told[1], (Outcome::Refuses, reason.into()));
}

#[test]
fn p4_a_preview_reads_users_by_the_schemas_that_the_organization_declares() {
    let users = json!([{"schemas": [USER, BADGE], "userName": "ada@example.com", BADGE: {"number": "7"}}]);
    let outcome = |declares_badge| {
        let organization = organization(&Choices { strict: true, declares_badge, ..chosen() }, &[], &[]);
        preview_of(&organization, &users)[0].0
    };
    assert_eq!(outcome(true), Outcome::Creates);
    assert_eq!(outcome(false), Outcome::Refuses);
}

#[test]
fn p4_a_preview_counts_the_seat_of_a_member_whom_a_post_reactivates() {
    let taken_after = |reactivate_on_post| {
        let choices = Choices { seats: 9, reactivate_on_post, ..chosen() };
        let organization = organization(&choices, &[], &[(1, false)]);
        let users = json!([{"userName": address(1)}]).to_string();
        let preview = directory::preview(&organization.store(), &users).unwrap();
        assert_eq!(preview.users[0].outcome, Outcome::Exists);
        (preview.taken, preview.taken_after)
    };
    assert_eq!(taken_after(true), (2, 3));
    assert_eq!(taken_after(false), (2, 2));
}
