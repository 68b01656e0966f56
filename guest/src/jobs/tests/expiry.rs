//! Warnings of an expiring token (rule P2).

use super::RunContext;
use crate::connector::{self, Window};
use crate::testing::organization::{DAY, TestOrganization};

const OWNER: &str = TestOrganization::OWNER;
const CO_OWNER: &str = TestOrganization::CO_OWNER;

fn expiring(organization: &TestOrganization, to: &str) -> Vec<String> {
    let text = |subject: &String| subject.rsplit_once(" of Example ").unwrap().1.to_owned();
    organization.subjects_to(to).iter().map(text).collect()
}

#[test]
fn p2_warnings_go_to_owner_and_co_owners_at_20_10_5_2_and_1_days_and_at_the_expiry() {
    let organization = TestOrganization::new(10, Window::Days90).unwrap();
    organization.live_for(200 * DAY).unwrap();
    let expected = [
        "expires in 20 days",
        "expires in 10 days",
        "expires in 5 days",
        "expires in 2 days",
        "expires in 1 day",
        "has expired: syncing has stopped",
    ];
    assert_eq!(expiring(&organization, OWNER), expected);
    assert_eq!(expiring(&organization, CO_OWNER), expected);
    let mut ids: Vec<String> = organization.host.emails.borrow().iter().map(|email| email.id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 12);
    let emails = organization.host.emails.borrow();
    let sent_on = emails.iter().filter(|email| email.to == OWNER).map(|email| (email.date - 1_760_000_000_000) / DAY);
    assert_eq!(sent_on.collect::<Vec<_>>(), [70, 80, 85, 88, 89, 90]);
}

#[test]
fn p2_each_warning_is_an_event_of_the_token() {
    let organization = TestOrganization::new(10, Window::Days30).unwrap();
    organization.live_for(40 * DAY).unwrap();
    let events = organization.events();
    let of = |kind: &str| events.iter().filter(|event| event["type"] == kind).cloned().collect::<Vec<_>>();
    let days: Vec<u64> = of("token.expiring").iter().map(|event| event["data"]["daysLeft"].as_u64().unwrap()).collect();
    assert_eq!(days, [20, 10, 5, 2, 1]);
    assert_eq!(of("token.expired").len(), 1);
    assert!(of("token.expiring").iter().all(|event| event["subject"]["id"] == "1" && event["actor"] == "system"));
}

#[test]
fn p2_after_a_downtime_over_several_thresholds_only_the_nearest_is_told() {
    let organization = TestOrganization::new(10, Window::Days30).unwrap();
    organization.live_for(DAY).unwrap();
    organization.host.set_now(1_760_000_000_000 + 26 * DAY);
    organization.live_for(DAY / 2).unwrap();
    assert_eq!(expiring(&organization, OWNER), ["expires in 4 days"], "so many are really left");
    organization.host.set_now(1_760_000_000_000 + 100 * DAY);
    organization.live_for(DAY).unwrap();
    assert_eq!(expiring(&organization, OWNER), ["expires in 4 days", "has expired: syncing has stopped"]);
}

#[test]
fn p2_running_again_and_again_sends_nothing_twice() {
    let organization = TestOrganization::new(10, Window::Days30).unwrap();
    organization.host.set_now(1_760_000_000_000 + 11 * DAY);
    for _ in 0..50 {
        super::run_due(organization.host.host(), &RunContext::default()).unwrap();
    }
    assert_eq!(expiring(&organization, OWNER).len(), 1);
}

#[test]
fn p2_a_refreshed_token_is_warned_of_anew_and_its_predecessor_no_more() {
    let organization = TestOrganization::new(10, Window::Days30).unwrap();
    organization.live_for(11 * DAY).unwrap();
    connector::refresh(&organization.store(), OWNER, Some(TestOrganization::PASSPHRASE), None, 0).unwrap();
    organization.live_for(9 * DAY).unwrap();
    assert_eq!(expiring(&organization, OWNER), ["expires in 20 days"]);
    organization.live_for(2 * DAY).unwrap();
    assert_eq!(expiring(&organization, OWNER), ["expires in 20 days", "expires in 20 days"]);
    assert_eq!(organization.event_types().iter().filter(|kind| *kind == "token.refreshed").count(), 1);
}

#[test]
fn p2_a_token_that_never_expires_or_is_disabled_is_not_warned_of() {
    let never = TestOrganization::new(10, Window::Never).unwrap();
    never.live_for(800 * DAY).unwrap();
    let disabled = TestOrganization::new(10, Window::Days30).unwrap();
    connector::disable(&disabled.store(), OWNER).unwrap();
    disabled.live_for(100 * DAY).unwrap();
    assert!(never.host.emails.borrow().is_empty() && disabled.host.emails.borrow().is_empty());
}

#[test]
fn p2_a_clients_secret_is_warned_of_like_a_token_and_a_new_one_anew() {
    use crate::connector::oauth::{self, NewClient};

    let organization = TestOrganization::new(10, Window::Never).unwrap();
    let new = NewClient { name: "Entra\r\n<b>".into(), client_credentials: true, ..NewClient::default() };
    let client = oauth::create(&organization.store(), OWNER, &new).unwrap().client;
    organization.live_for(400 * DAY).unwrap();
    let subjects = organization.subjects_to(CO_OWNER);
    let told: Vec<&str> = subjects.iter().map(|text| text.rsplit_once(" of Example ").unwrap().1).collect();
    let expected = [
        "expires in 20 days",
        "expires in 10 days",
        "expires in 5 days",
        "expires in 2 days",
        "expires in 1 day",
        "has expired: syncing has stopped",
    ];
    assert_eq!(told, expected);
    assert!(subjects.iter().all(|subject| subject.starts_with("The secret of the OAuth client Entra  <b> of")));
    let events = organization.events();
    let of = |kind: &str| events.iter().filter(|event| event["type"] == kind).cloned().collect::<Vec<_>>();
    let days: Vec<u64> =
        of("client-secret.expiring").iter().map(|event| event["data"]["daysLeft"].as_u64().unwrap()).collect();
    assert_eq!((days, of("client-secret.expired").len()), (vec![20, 10, 5, 2, 1], 1));
    assert_eq!(of("client-secret.expired")[0]["subject"]["id"], client.id);

    oauth::rotate_secret(&organization.store(), OWNER, &client.id, None, 0).unwrap();
    organization.live_for(346 * DAY).unwrap();
    assert_eq!(organization.subjects_to(OWNER).len(), 7, "of the new one at 20 days");
    oauth::delete(&organization.store(), OWNER, &client.id).unwrap();
    organization.live_for(100 * DAY).unwrap();
    assert_eq!(organization.subjects_to(OWNER).len(), 7);
}
