//! A decision about an act of an administrator is a value, and making it writes nothing (rules P3 and P4).

use insomnia_scim_contract::NewMember;
use serde_json::json;

use crate::connector::Window;
use crate::directory::add_team;
use crate::directory::decide;
use crate::directory::error::DirectoryError;
use crate::directory::named::{find, find_team};
use crate::provisioning::Refusal;
use crate::provisioning::decide::{Change, TeamDecision};
use crate::store::{Origin, Role, Store};
use crate::testing::organization::TestOrganization;

/// An organization with an owner, a co-owner, Ada, and a team `Crew` of Ada and the owner.
fn organization(seats: u32) -> TestOrganization {
    let organization = TestOrganization::new(10, Window::Never).unwrap();
    crate::testing::add_member(&organization.store(), &new("ada@example.com", "Ada")).unwrap();
    let members = ["ada@example.com", TestOrganization::OWNER].map(str::to_owned);
    add_team(&organization.store(), "Crew", &members).unwrap();
    organization.change(|record| record.seats = seats).unwrap();
    organization
}

fn new(email: &str, display_name: &str) -> NewMember {
    let (email, display_name) = (email.to_owned(), display_name.to_owned());
    NewMember { email, display_name, role: Role::Member, passphrase: None }
}

/// The decision as a short text; for a refusal the refusal's name.
fn decided<E: Into<DirectoryError>>(
    organization: &TestOrganization,
    decide: impl FnOnce(&Store<'_>) -> Result<String, E>,
) -> String {
    let before = organization.host.dump();
    let decided = decide(&organization.store()).map_err(Into::into);
    assert_eq!(before, organization.host.dump(), "a decision writes nothing");
    let name = |error: &dyn std::fmt::Debug| {
        let text = format!("{error:?}");
        text.split(|end: char| !end.is_alphanumeric()).next().unwrap_or_default().to_owned()
    };
    decided.unwrap_or_else(|error| match &error {
        DirectoryError::Refused(Refusal::Taken { attribute, .. }) => format!("Taken {attribute}"),
        DirectoryError::Refused(refusal) => name(refusal),
        DirectoryError::Passphrase(refusal) => name(refusal),
        other => name(other),
    })
}

#[test]
fn p4_who_is_added_by_hand_needs_an_address_of_their_own_a_name_a_fit_passphrase_and_a_seat() {
    let cases = [
        // Each case: seats, address, name, passphrase, whether passphrases are mailed, and the decision.
        (4, " bob@example.com ", "Bob", None, true, "bob@example.com Now"),
        (4, "bob@example.com", "Bob", None, false, "bob@example.com Never"),
        (4, "bob@example.com", "Bob", Some("five words of Bob's own"), true, "bob@example.com chosen Never"),
        (4, "bob@example.com", "Bob", Some("short"), true, "Unfit"),
        (4, "bob", "Bob", None, true, "Invalid"),
        (4, "bob@example.com", "  ", None, true, "Invalid"),
        (4, "ADA@example.com", "Ada", None, true, "Taken userName"),
        (4, "second@example.com", "Ada", None, true, "Taken emails"),
        (3, "bob@example.com", "Bob", None, true, "NoFreeSeat"),
        // An error of the request itself is reported before the missing seat.
        (3, "bob@example.com", "Bob", Some("short"), true, "Unfit"),
        (3, "ada@example.com", "Ada", None, true, "Taken userName"),
    ];
    for (seats, email, name, passphrase, mailed, expected) in cases {
        let organization = organization(seats);
        let ada = find(&organization.store(), "ada@example.com").unwrap().record.id().to_owned();
        let emails = json!([{"value": "second@example.com", "primary": true}]);
        let user = json!({"userName": "ada@example.com", "emails": emails});
        assert_eq!(organization.scim("PUT", &format!("/Users/{ada}"), Some(user)).0, 200);
        organization.change(|record| record.options.passphrase_emails = mailed).unwrap();
        let new = NewMember { passphrase: passphrase.map(str::to_owned), ..new(email, name) };
        let word = decided(&organization, |store| {
            let record = store.organization()?.unwrap().record;
            let decision = decide::add_member(store, &record, &new)?;
            assert_eq!((decision.record.origin, decision.record.is_active()), (Origin::Manual, true));
            let chosen = decision.chosen.map_or("", |_| "chosen ");
            Ok::<_, DirectoryError>(format!("{} {chosen}{:?}", decision.record.user_name(), decision.welcome))
        });
        assert_eq!(word, expected, "{seats} seats, {email}, {name}, {passphrase:?}, {mailed}");
    }
}

#[test]
fn p4_a_role_is_given_unless_the_last_owner_would_lose_it() {
    let organization = organization(10);
    let cases = [
        ("ada@example.com", Role::Member, "unchanged"),
        ("ada@example.com", Role::Owner, "owner"),
        (TestOrganization::CO_OWNER, Role::Member, "member"),
        (TestOrganization::OWNER, Role::Owner, "unchanged"),
        (TestOrganization::OWNER, Role::CoOwner, "LastOwner"),
        ("nobody@example.com", Role::Owner, "NotFound"),
    ];
    let decide = |member: &str, role: Role| {
        decided(&organization, |store| {
            let new = decide::set_role(store, &find(store, member)?.record, role)?;
            Ok::<_, DirectoryError>(new.map_or("unchanged".to_owned(), |new| new.role.name().to_owned()))
        })
    };
    for (member, role, expected) in cases {
        assert_eq!(decide(member, role), expected, "{member} as {role:?}");
    }
    crate::directory::set_role(&organization.store(), TestOrganization::CO_OWNER, Role::Owner).unwrap();
    assert_eq!(decide(TestOrganization::OWNER, Role::Member), "member", "another owner is left");
}

/// A decision about a team as a short text: how the record changes, and how many members join and leave.
fn short(decision: &TeamDecision) -> String {
    let change = match decision.change {
        Change::Put(_) => "put",
        Change::Remove => "remove",
        Change::Nothing => "nothing",
    };
    format!("{} {change} +{} -{}", decision.action.as_str(), decision.moves.added.len(), decision.moves.removed.len())
}

#[test]
fn p3_a_team_is_added_by_hand_under_a_free_name_with_members_who_are_there() {
    let organization = organization(10);
    let long = "x".repeat(1_001);
    let cases: [(&str, &[&str], &str); 7] = [
        ("New", &[], "created put +0 -0"),
        (" New ", &["ada@example.com", "ADA@example.com", TestOrganization::OWNER], "created put +2 -0"),
        ("crew", &[], "Taken displayName"),
        ("crew", &["nobody@example.com"], "Taken displayName"),
        ("New", &["nobody@example.com"], "NotFound"),
        (" ", &[], "Invalid"),
        (&long, &[], "Invalid"),
    ];
    for (name, members, expected) in cases {
        let members: Vec<String> = members.iter().map(|member| (*member).to_owned()).collect();
        let word = decided(&organization, |store| decide::add_team(store, name, &members).map(|it| short(&it)));
        assert_eq!(word, expected, "{name} with {members:?}");
    }
}

#[test]
fn t22_who_joins_and_leaves_a_team_by_hand_is_decided_before_anything_is_written() {
    let organization = organization(10);
    let (ada, owner, co_owner) = ("ada@example.com", TestOrganization::OWNER, TestOrganization::CO_OWNER);
    let cases: [(&[&str], &[&str], &str); 7] = [
        (&[co_owner], &[], "updated nothing +1 -0"),
        (&[], &[ada], "updated nothing +0 -1"),
        (&[co_owner, ada], &[owner], "updated nothing +1 -1"),
        (&[ada], &[co_owner], "unchanged nothing +0 -0"),
        (&[], &[], "unchanged nothing +0 -0"),
        (&[ada], &[ada], "Invalid"),
        (&[ada], &["nobody@example.com"], "NotFound"),
    ];
    for (add, remove, expected) in cases {
        let of = |members: &[&str]| members.iter().map(|member| (*member).to_owned()).collect::<Vec<_>>();
        let word = decided(&organization, |store| {
            let decision = decide::change_team_members(store, find_team(store, "Crew")?, &of(add), &of(remove))?;
            Ok::<_, DirectoryError>(short(&decision))
        });
        assert_eq!(word, expected, "+{add:?} -{remove:?}");
    }
}
