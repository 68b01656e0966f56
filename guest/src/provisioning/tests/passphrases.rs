//! The life of a passphrase (rule P4).

use serde_json::json;

use crate::connector::{self, ConnectorError, Window};
use crate::directory::{self, DirectoryError, NewMember};
use crate::provisioning::passphrase::PassphraseError;
use crate::store::Role;
use crate::testing::organization::{DAY, TestOrganization};

const ADA: &str = "ada@example.com";
const PAGE: &str = "https://scim.example/page/reset";

fn organization() -> TestOrganization {
    TestOrganization::new(100, Window::Never).unwrap()
}

fn create(organization: &TestOrganization, body: serde_json::Value) -> String {
    let (status, body) = organization.scim("POST", "/Users", Some(body));
    assert_eq!(status, 201, "{body}");
    organization.live_for(1_000).unwrap();
    body["id"].as_str().unwrap().to_owned()
}

/// The passphrase or link in the last email to this address.
fn mailed(organization: &TestOrganization, to: &str) -> String {
    organization.live_for(1_000).unwrap();
    let emails = organization.host.emails.borrow();
    let text = &emails.iter().rev().find(|email| email.to == to).unwrap().text;
    let code = text.lines().find_map(|line| line.strip_prefix("    "));
    code.or_else(|| text.lines().find_map(|line| line.strip_prefix("Choose a new passphrase: "))).unwrap().to_owned()
}

fn token(organization: &TestOrganization, to: &str) -> String {
    mailed(organization, to).strip_prefix(&format!("{PAGE}?token=")).unwrap().to_owned()
}

#[test]
fn p4_the_initial_passphrase_signs_in_once_and_must_be_changed() {
    let organization = organization();
    create(&organization, json!({"userName": ADA}));
    let initial = mailed(&organization, ADA);
    let store = organization.store();
    let signed_in = directory::sign_in(&store, ADA, &initial).unwrap();
    assert!(signed_in.must_change && signed_in.member.email == ADA);
    let same = directory::change_passphrase(&store, ADA, &initial, &initial);
    assert!(matches!(same, Err(DirectoryError::Passphrase(PassphraseError::Unfit(_)))));
    directory::change_passphrase(&store, ADA, &initial, "a chosen passphrase").unwrap();
    let old = directory::sign_in(&store, ADA, &initial);
    assert_eq!(old, Err(DirectoryError::Passphrase(PassphraseError::Wrong)));
    assert!(!directory::sign_in(&store, ADA, "a chosen passphrase").unwrap().must_change);
}

#[test]
fn p4_every_passphrase_is_another_one_and_stored_as_a_hash_only() {
    let organization = organization();
    for name in ["ada", "bob"] {
        create(&organization, json!({"userName": format!("{name}@example.com")}));
    }
    let (ada, bob) = (mailed(&organization, ADA), mailed(&organization, "bob@example.com"));
    assert_ne!(ada, bob);
    let dump = organization.host.dump();
    assert!(!dump.contains(&ada) && !dump.contains(&bob));
}

#[test]
fn p3_an_adopted_member_gets_no_passphrase_email() {
    let organization = organization();
    create(&organization, json!({"userName": TestOrganization::OWNER}));
    organization.live_for(DAY).unwrap();
    assert!(organization.host.emails.borrow().is_empty());
    let store = organization.store();
    assert!(directory::sign_in(&store, TestOrganization::OWNER, TestOrganization::PASSPHRASE).is_ok());
}

#[test]
fn p4_passphrase_emails_can_be_turned_off() {
    let organization = organization();
    organization.change(|record| record.options.passphrase_emails = false).unwrap();
    create(&organization, json!({"userName": ADA}));
    organization.live_for(DAY).unwrap();
    assert!(organization.host.emails.borrow().is_empty());
}

#[test]
fn p4_who_is_created_inactive_gets_the_passphrase_at_the_first_activation_only() {
    let organization = organization();
    let id = create(&organization, json!({"userName": ADA, "active": false}));
    organization.live_for(DAY).unwrap();
    assert!(organization.host.emails.borrow().is_empty());
    for active in [true, false, true] {
        let patch = json!({"Operations": [{"op": "replace", "path": "active", "value": active}]});
        assert_eq!(organization.scim("PATCH", &format!("/Users/{id}"), Some(patch)).0, 200);
        organization.live_for(DAY).unwrap();
        assert_eq!(organization.host.emails.borrow().len(), 1);
    }
}

#[test]
fn a_member_added_by_hand_without_a_passphrase_gets_one_by_email() {
    let organization = organization();
    let new = NewMember { email: ADA.into(), display_name: "Ada".into(), role: Role::Member, passphrase: None };
    crate::testing::add_member(&organization.store(), &new).unwrap();
    let initial = mailed(&organization, ADA);
    assert!(directory::sign_in(&organization.store(), ADA, &initial).unwrap().must_change);
}

#[test]
fn p4_a_reset_link_works_once() {
    let organization = organization();
    create(&organization, json!({"userName": ADA}));
    directory::request_passphrase_reset(&organization.store(), ADA, PAGE).unwrap();
    let token = token(&organization, ADA);
    assert!(!organization.host.dump().contains(&token[37..]), "only its hash is stored");
    let store = organization.store();
    let unfit = directory::reset_passphrase(&store, &token, "short");
    assert!(matches!(unfit, Err(DirectoryError::Passphrase(PassphraseError::Unfit(_)))), "and the link still works");
    let member = directory::reset_passphrase(&store, &token, "a chosen passphrase").unwrap();
    assert_eq!(member.email, ADA);
    assert!(!directory::sign_in(&store, ADA, "a chosen passphrase").unwrap().must_change);
    let again = directory::reset_passphrase(&store, &token, "another passphrase");
    assert_eq!(again, Err(DirectoryError::Passphrase(PassphraseError::Link)));
}

#[test]
fn p4_a_reset_link_works_for_24_hours_whoever_asks_for_another_until_one_is_used() {
    let organization = organization();
    create(&organization, json!({"userName": ADA}));
    let link = || {
        directory::request_passphrase_reset(&organization.store(), ADA, PAGE).unwrap();
        token(&organization, ADA)
    };
    let try_out = |token: &str| directory::reset_passphrase(&organization.store(), token, "a chosen passphrase");
    let dead = Err(DirectoryError::Passphrase(PassphraseError::Link));
    let first = link();
    organization.live_for(DAY / 2).unwrap();
    let second = link();
    assert_ne!(first, second);
    organization.live_for(DAY / 2).unwrap();
    assert_eq!(try_out(&first), dead, "after 24 hours");
    let third = link();
    assert!(try_out(&second).is_ok(), "a stranger's request takes nothing away");
    assert_eq!((try_out(&second), try_out(&third)), (dead.clone(), dead.clone()));
    for wrong in ["", ".", "x.y", &third.replace('.', "-"), &format!("{}.insm_reset_0", &third[..36])] {
        assert_eq!(try_out(wrong), dead);
    }
}

#[test]
fn p4_nobody_learns_from_a_reset_who_is_a_member() {
    let organization = organization();
    let id = create(&organization, json!({"userName": ADA}));
    let patch = json!({"Operations": [{"op": "replace", "path": "active", "value": false}]});
    assert_eq!(organization.scim("PATCH", &format!("/Users/{id}"), Some(patch)).0, 200);
    for member in [ADA, "nobody@example.com", ""] {
        assert_eq!(directory::request_passphrase_reset(&organization.store(), member, PAGE), Ok(()));
    }
    let url = directory::request_passphrase_reset(&organization.store(), ADA, "javascript:x");
    assert!(matches!(url, Err(DirectoryError::Passphrase(PassphraseError::Unfit(_)))));
    assert!(!organization.host.dump().contains("passphrase-reset"));
}

#[test]
fn p4_at_most_one_reset_link_in_ten_minutes_and_five_a_day_are_mailed() {
    let organization = organization();
    let mailed = || organization.subjects_to(TestOrganization::OWNER).len();
    let ask_every_minute = |minutes: u64| {
        for _ in 0..minutes {
            directory::request_passphrase_reset(&organization.store(), TestOrganization::OWNER, PAGE).unwrap();
            organization.live_for(60_000).unwrap();
        }
    };
    ask_every_minute(20);
    assert_eq!(mailed(), 2);
    ask_every_minute(100);
    assert_eq!(mailed(), 5);
    organization.live_for(DAY).unwrap();
    ask_every_minute(1);
    assert_eq!(mailed(), 6);
}

#[test]
fn p2_wrong_tries_are_forgotten_and_nobody_waits_longer_than_a_quarter_of_an_hour() {
    let organization = organization();
    let try_out = |passphrase: &str| {
        let result = directory::sign_in(&organization.store(), TestOrganization::OWNER, passphrase);
        match result {
            Ok(_) => None,
            Err(DirectoryError::Passphrase(PassphraseError::Throttled(seconds))) => Some(seconds),
            Err(error) => {
                assert_eq!(error, DirectoryError::Passphrase(PassphraseError::Wrong));
                Some(0)
            }
        }
    };
    let later = |milliseconds: u64| organization.host.set_now(organization.store().now() + milliseconds);
    for _ in 0..20 {
        while let Some(seconds) = try_out("not the passphrase").filter(|seconds| *seconds > 0) {
            assert!(seconds <= 900, "{seconds}");
            later(u64::from(seconds) * 1_000);
        }
    }
    assert!(try_out(TestOrganization::PASSPHRASE).is_some_and(|seconds| seconds > 600));
    // An attacker who wants to lock the owner out tries a wrong passphrase every hour.
    for _ in 0..6 {
        later(3_600_000);
        assert_eq!(try_out("not the passphrase"), Some(0));
    }
    assert_eq!(try_out(TestOrganization::PASSPHRASE), None);
}

#[test]
fn p2_wrong_tries_to_sign_in_do_not_keep_who_is_signed_in_from_refreshing_the_token() {
    let organization = organization();
    let owner = TestOrganization::OWNER;
    let refresh =
        |passphrase: &str| connector::refresh(&organization.store(), owner, Some(passphrase), None, 0).map(drop);
    for _ in 0..6 {
        assert!(directory::sign_in(&organization.store(), owner, "not the passphrase").is_err());
    }
    assert!(directory::sign_in(&organization.store(), owner, TestOrganization::PASSPHRASE).is_err());
    assert_eq!(refresh(TestOrganization::PASSPHRASE), Ok(()));
    for _ in 0..5 {
        assert!(refresh("not the passphrase").is_err());
    }
    let throttled = refresh(TestOrganization::PASSPHRASE);
    assert!(matches!(throttled, Err(ConnectorError::Passphrase(PassphraseError::Throttled(_)))), "a try is a try");
}
