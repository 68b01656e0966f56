//! Data that is too old is deleted in parts.

use insomnia_scim_contract::Act;
use serde_json::json;

use super::*;
use crate::capability::{EmailError, KeyValue, Storage};
use crate::connector::Window;
use crate::journal;
use crate::store::keys;
use crate::testing::MemoryHost;
use crate::testing::organization::{DAY, TestOrganization};

fn organization() -> TestOrganization {
    let organization = TestOrganization::new(10_000, Window::Never).unwrap();
    organization.live_for(DAY + 60_000).unwrap();
    organization
}

fn entries(organization: &TestOrganization, prefix: &str) -> u64 {
    organization.host.count(&keys::prefixed(prefix))
}

#[test]
fn p5_entries_older_than_90_days_are_deleted_a_bounded_part_in_each_call() {
    let organization = organization();
    let old = organization.store().now() - 89 * DAY;
    let rows: Vec<_> =
        (0..10_500).map(|number| KeyValue::new(keys::log(old + number, "r", [0; 4]), Vec::new())).collect();
    organization.host.append(&rows).unwrap();
    let young = keys::log(organization.store().now(), "young", [0; 4]);
    organization.store().append(young.clone(), Vec::new()).unwrap();
    organization.host.set_now(organization.store().now() + 2 * DAY);
    let mut left = entries(&organization, "log/");
    while left > 1 {
        let next = run_due(organization.host.host(), &RunContext::default()).unwrap();
        let now_left = entries(&organization, "log/");
        assert!(now_left < left && left - now_left <= 4_000, "{left} to {now_left}");
        assert!(now_left == 1 || next.is_some_and(|next| next <= organization.store().now()), "it goes on soon");
        left = now_left;
    }
    let kept = organization.host.get(&[young]).unwrap();
    assert!(kept[0].is_some());
}

#[test]
fn p9_a_trail_without_an_organization_is_swept_as_well_after_400_days() {
    let host = MemoryHost::at(1_800_000_000_000);
    let begun = host.host().clock.now();
    journal::record_act(host.host().store(), &Act::of_backend(), "key.rotate".into(), "{}").unwrap();
    let mut kept = Vec::new();
    // As with the host's scheduler, the jobs only run when they are due.
    let mut due = host.take_wake();
    for day in [399, 402] {
        while let Some(at) = due.filter(|at| *at <= begun + day * DAY) {
            host.set_now(at.max(host.host().clock.now() + 20));
            let next = run_due(host.host(), &RunContext::default()).unwrap();
            due = [next, host.take_wake()].into_iter().flatten().min();
        }
        kept.push(host.count(&keys::audits(0, u64::MAX)));
    }
    assert_eq!(kept, [1, 0]);
    assert!(due.is_some_and(|due| due <= begun + 404 * DAY), "it is looked at again");
}

#[test]
fn p6_a_webhook_with_a_large_backlog_is_removed_part_by_part_and_the_next_one_gets_none_of_it() {
    let organization = organization();
    organization.change(|record| record.options.passphrase_emails = false).unwrap();
    journal::set_webhook(&organization.store(), &organization.host, "https://one.example/").unwrap();
    let now = organization.store().now();
    let position = |number: u64| format!("{:016x}{:08}-0000-7000-8000-000000000000", now - 1, number);
    let rows: Vec<_> =
        (0..9_000).map(|number| KeyValue::new(keys::event_due("webhook", &position(number)), Vec::new())).collect();
    organization.host.append(&rows).unwrap();
    journal::remove_webhook(&organization.store()).unwrap();
    assert!(entries(&organization, "event-due/") > 8_000, "not in the transaction that removes it");
    journal::set_webhook(&organization.store(), &organization.host, "https://two.example/").unwrap();
    organization.scim("POST", "/Users", Some(json!({"userName": "ada@example.com"})));
    run_due(organization.host.host(), &RunContext::default()).unwrap();
    assert!(entries(&organization, "event-due/") >= 5_000, "a part in each call");
    organization.live_for(60_000).unwrap();
    assert_eq!(entries(&organization, "event-due/"), 0);
    let requests = organization.host.requests.borrow();
    assert_eq!(requests.len(), 1, "what came after");
    assert_eq!(requests[0].url, "https://two.example/");
}

#[test]
fn outbox_what_is_parked_is_deleted_after_90_days_and_a_passphrase_as_soon_as_it_is_of_no_use() {
    let organization = organization();
    let refused = || EmailError::Rejected("no".into());
    organization.host.email_results.borrow_mut().extend([refused(), refused()]);
    for name in ["ada@example.com", "bob@example.com"] {
        assert_eq!(organization.scim("POST", "/Users", Some(json!({"userName": name}))).0, 201);
    }
    organization.live_for(60_000).unwrap();
    assert_eq!(entries(&organization, "outbox-parked/"), 2);
    crate::directory::set_passphrase(
        &organization.store(),
        &Act::of_backend(),
        "ada@example.com",
        "chosen by the admin",
    )
    .unwrap();
    organization.live_for(DAY).unwrap();
    assert_eq!(entries(&organization, "outbox-parked/"), 1);
    organization.live_for(88 * DAY).unwrap();
    assert_eq!(entries(&organization, "outbox-parked/"), 1);
    organization.live_for(3 * DAY).unwrap();
    assert_eq!(entries(&organization, "outbox-parked/"), 0);
}

#[test]
fn p5_the_retention_is_the_organizations_own_choice() {
    let organization = organization();
    let set = |days| crate::directory::set_retention(&organization.store(), days);
    assert!(set(0).is_err() && set(3_651).is_err());
    let day_old = keys::log(organization.store().now() - 2 * DAY, "r", [0; 4]);
    organization.store().append(day_old, Vec::new()).unwrap();
    set(3).unwrap();
    organization.live_for(60_000).unwrap();
    assert_eq!(entries(&organization, "log/"), 1);
    set(1).unwrap();
    organization.live_for(60_000).unwrap();
    assert_eq!(entries(&organization, "log/"), 0, "at once");
    set(400).unwrap();
    organization.scim("GET", "/Users", None);
    organization.live_for(399 * DAY).unwrap();
    assert_eq!(entries(&organization, "log/"), 1);
    organization.live_for(3 * DAY).unwrap();
    assert_eq!(entries(&organization, "log/"), 0);
}
