//! The outbox: at least once, with the same id, parked after three days.

use insomnia_scim_contract::Act;
use serde_json::json;

use super::*;
use crate::capability::EmailError;
use crate::connector::Window;
use crate::store::Role;
use crate::testing::organization::{DAY, TestOrganization};

fn organization() -> TestOrganization {
    TestOrganization::new(100, Window::Never).unwrap()
}

fn create(organization: &TestOrganization, name: &str) {
    let (status, body) = organization.scim("POST", "/Users", Some(json!({"userName": name})));
    assert_eq!(status, 201, "{body}");
}

fn queue(organization: &TestOrganization, queue: DeliveryQueue) -> Vec<Delivery> {
    list_deliveries(&organization.store(), queue, None, 100).unwrap().items
}

#[test]
fn p4_the_initial_passphrase_is_mailed_and_gone_from_storage_once_sent() {
    let organization = organization();
    create(&organization, "ada@example.com");
    organization.live_for(1_000).unwrap();
    let emails = organization.host.emails.borrow();
    assert_eq!(emails.iter().map(|email| email.to.as_str()).collect::<Vec<_>>(), ["ada@example.com"]);
    let passphrase = emails[0].text.lines().find_map(|line| line.strip_prefix("    ")).unwrap();
    assert_eq!(passphrase.len(), 29, "25 characters of 5 bits in 5 groups");
    assert!(emails[0].html.contains(passphrase));
    let dump = organization.host.dump();
    assert!(!dump.contains(passphrase) && !dump.contains("outbox/"));
}

#[test]
fn outbox_a_passphrase_that_waits_is_sealed() {
    let organization = organization();
    create(&organization, "ada@example.com");
    let waiting = organization.host.dump();
    organization.live_for(1_000).unwrap();
    let emails = organization.host.emails.borrow();
    let passphrase = emails[0].text.lines().find_map(|line| line.strip_prefix("    ")).unwrap();
    assert!(waiting.contains("outbox/") && !waiting.contains(passphrase));
}

#[test]
fn outbox_an_email_that_was_not_taken_is_tried_again_with_back_off_and_sent_once() {
    let organization = organization();
    create(&organization, "ada@example.com");
    let refusals = [EmailError::Unavailable("4.2.1".into()), EmailError::Other("?".into())];
    organization.host.email_results.borrow_mut().extend(refusals);
    organization.live_for(1_000).unwrap();
    let waiting = queue(&organization, DeliveryQueue::EmailsWaiting);
    assert_eq!((waiting[0].attempts, waiting[0].error.as_deref()), (1, Some("not now: 4.2.1")));
    let wait = waiting[0].due.unwrap() - waiting[0].created;
    assert!((60_000..=66_000).contains(&wait), "{wait}");
    organization.live_for(DAY).unwrap();
    let emails = organization.host.emails.borrow();
    assert_eq!(emails.len(), 1);
    assert_eq!(emails[0].id, waiting[0].id[16..], "the id is that of the first attempt");
    assert_eq!(emails[0].date, waiting[0].created);
}

#[test]
fn outbox_an_email_is_parked_after_three_days_and_sent_again_by_hand() {
    let organization = organization();
    create(&organization, "ada@example.com");
    let outage = std::iter::repeat_n(EmailError::Unavailable("down".into()), 10_000);
    organization.host.email_results.borrow_mut().extend(outage);
    organization.live_for(2 * DAY).unwrap();
    assert!(queue(&organization, DeliveryQueue::EmailsParked).is_empty());
    organization.live_for(2 * DAY).unwrap();
    let parked = queue(&organization, DeliveryQueue::EmailsParked);
    assert_eq!(parked.len(), 1);
    assert!(queue(&organization, DeliveryQueue::EmailsWaiting).is_empty());
    let attempts = 10_000 - organization.host.email_results.borrow().len();
    assert!((70..100).contains(&attempts), "about once an hour: {attempts}");
    organization.host.email_results.borrow_mut().clear();
    organization.live_for(30 * DAY).unwrap();
    assert!(organization.host.emails.borrow().is_empty(), "parked is parked");
    assert_eq!(retry_deliveries(&organization.store(), DeliveryQueue::EmailsParked, &[]), Ok(1));
    organization.live_for(1_000).unwrap();
    assert_eq!(organization.host.emails.borrow()[0].id, parked[0].id);
}

#[test]
fn outbox_without_a_way_to_send_emails_are_parked_at_once_and_cost_no_retries() {
    let organization = organization();
    for number in 0..120 {
        organization.change(|record| record.seats = 1_000).unwrap();
        create(&organization, &format!("u{number}@example.com"));
    }
    organization.host.email_results.borrow_mut().extend(std::iter::repeat_n(EmailError::NotConfigured, 10));
    organization.live_for(60_000).unwrap();
    let parked = list_deliveries(&organization.store(), DeliveryQueue::EmailsParked, None, 500).unwrap();
    assert_eq!(parked.items.len(), 120);
    assert_eq!(parked.items[0].error.as_deref(), Some("no email is configured"));
    assert_eq!(organization.host.email_results.borrow().len(), 7, "one attempt for each 50");
    let next = run_due(organization.host.host(), &RunContext::default()).unwrap();
    assert!(next.is_some_and(|next| next > organization.store().now() + DAY / 2), "only the retention is planned");
}

#[test]
fn outbox_an_email_refused_for_good_is_parked_and_does_not_hold_up_the_others() {
    let organization = organization();
    create(&organization, "ada@example.com");
    create(&organization, "bob@example.com");
    organization.host.email_results.borrow_mut().push_back(EmailError::Rejected("5.1.1".into()));
    organization.live_for(1_000).unwrap();
    let parked = queue(&organization, DeliveryQueue::EmailsParked);
    assert_eq!((parked.len(), parked[0].error.as_deref()), (1, Some("refused: 5.1.1")));
    let emails = organization.host.emails.borrow();
    assert_eq!(emails.len(), 1);
    assert_ne!(parked[0].to.as_deref(), Some(emails[0].to.as_str()));
}

#[test]
fn outbox_a_mail_system_out_of_order_is_left_alone_for_a_while() {
    let organization = organization();
    for number in 0..40 {
        create(&organization, &format!("u{number}@example.com"));
    }
    let outage = std::iter::repeat_n(EmailError::Unavailable("down".into()), 1_000);
    organization.host.email_results.borrow_mut().extend(outage);
    organization.live_for(50_000).unwrap();
    assert_eq!(organization.host.email_results.borrow().len(), 997, "three attempts, then a pause");
    organization.host.email_results.borrow_mut().clear();
    organization.live_for(3_600_000).unwrap();
    assert_eq!(organization.host.emails.borrow().len(), 40);
}

#[test]
fn outbox_recipients_who_are_refused_for_now_do_not_hold_up_the_others() {
    let organization = organization();
    for number in 0..20 {
        create(&organization, &format!("u{number}@example.com"));
    }
    let greylisted = std::iter::repeat_n(EmailError::Other("the recipient: 451".into()), 8);
    organization.host.email_results.borrow_mut().extend(greylisted);
    organization.live_for(1_000).unwrap();
    assert_eq!(organization.host.emails.borrow().len(), 12);
    assert_eq!(queue(&organization, DeliveryQueue::EmailsWaiting).len(), 8);
    organization.live_for(70_000).unwrap();
    assert_eq!(organization.host.emails.borrow().len(), 20);
}

#[test]
fn outbox_a_downtime_of_the_hosts_is_not_part_of_the_three_days() {
    let organization = organization();
    create(&organization, "ada@example.com");
    organization.host.email_results.borrow_mut().push_back(EmailError::Unavailable("down".into()));
    organization.live_for(10_000).unwrap();
    // No host is up for four days. Then the mail system needs some time to start.
    organization.host.set_now(organization.store().now() + 4 * DAY);
    organization
        .host
        .email_results
        .borrow_mut()
        .extend([EmailError::Unavailable("down".into()), EmailError::Unavailable("down".into())]);
    organization.live_for(3_600_000).unwrap();
    assert!(queue(&organization, DeliveryQueue::EmailsParked).is_empty());
    assert_eq!(organization.host.emails.borrow().len(), 1);
}

#[test]
fn outbox_a_passphrase_that_was_changed_meanwhile_is_not_mailed() {
    let organization = organization();
    create(&organization, "ada@example.com");
    crate::directory::set_passphrase(
        &organization.store(),
        &Act::of_backend(),
        "ada@example.com",
        "chosen by the admin",
    )
    .unwrap();
    organization.live_for(DAY).unwrap();
    assert!(organization.host.emails.borrow().is_empty());
    assert!(!organization.host.dump().contains("outbox"));
}

#[test]
fn outbox_two_hosts_never_deliver_at_the_same_time() {
    let organization = organization();
    create(&organization, "ada@example.com");
    let now = organization.store().now();
    let lease = organization.store().take_lease("email", now, 120_000).unwrap().unwrap();
    let next = run_due(organization.host.host(), &RunContext::default()).unwrap();
    assert_eq!(next, Some(lease.ends()), "the other host asks again when the lease has ended");
    assert!(organization.host.emails.borrow().is_empty());
    organization.live_for(130_000).unwrap();
    assert_eq!(organization.host.emails.borrow().len(), 1);
}

#[test]
fn a_job_that_fails_does_not_block_the_others() {
    let organization = organization();
    create(&organization, "ada@example.com");
    // These documents can't be read.
    for key in ["job/expiry", "connector"] {
        organization.store().append(key.into(), b"{".to_vec()).unwrap();
    }
    let next = run_due(organization.host.host(), &RunContext::default()).unwrap();
    assert_eq!(organization.host.emails.borrow().len(), 1);
    assert!(next.is_some_and(|next| next <= organization.store().now() + 60_000), "it is tried again soon");
}

/// An email that the mail system refuses for good.
fn parked(organization: &TestOrganization, name: &str) -> Delivery {
    create(organization, name);
    organization.host.email_results.borrow_mut().push_back(EmailError::Rejected("no such mailbox".into()));
    organization.live_for(1_000).unwrap();
    queue(organization, DeliveryQueue::EmailsParked).pop().unwrap()
}

#[test]
fn c24_a_parked_email_is_dismissed_with_all_that_it_says() {
    let organization = organization();
    let first = parked(&organization, "ada@example.com");
    let second = parked(&organization, "bob@example.com");
    let store = organization.store();
    let dismiss = |ids: &[String]| dismiss_deliveries(&store, DeliveryQueue::EmailsParked, ids).unwrap();
    assert_eq!(dismiss(&["nothing".into()]), 0);
    assert_eq!(dismiss(std::slice::from_ref(&first.id)), 1);
    assert_eq!(dismiss(&[first.id]), 0, "it is gone");
    assert_eq!(queue(&organization, DeliveryQueue::EmailsParked), [second]);
    assert_eq!(dismiss_deliveries(&store, DeliveryQueue::EmailsWaiting, &[]).unwrap(), 0, "what waits is not given up");
    assert_eq!(dismiss(&[]), 1, "without ids all are meant");
    organization.live_for(4 * DAY).unwrap();
    assert!(organization.host.emails.borrow().is_empty() && !organization.host.dump().contains("outbox"));
}

#[test]
fn c24_a_parked_email_is_sent_to_a_corrected_address_and_the_member_keeps_the_own_one() {
    let organization = organization();
    let parked = parked(&organization, "ada@exmaple.com");
    let store = organization.store();
    for (id, to) in
        [("", "ada@example.com"), ("x", "ada@example.com"), (parked.id.as_str(), "a@b.example, c@d.example")]
    {
        assert!(readdress_email(&store, id, to).is_err(), "{id} {to}");
    }
    readdress_email(&store, &parked.id, " ada@example.com ").unwrap();
    assert!(readdress_email(&store, &parked.id, "ada@example.com").is_err(), "it is on its way");
    let waiting = queue(&organization, DeliveryQueue::EmailsWaiting);
    assert_eq!((waiting[0].to.as_deref(), waiting[0].attempts, &waiting[0].error), (Some("ada@example.com"), 0, &None));
    organization.live_for(1_000).unwrap();
    let emails = organization.host.emails.borrow();
    assert_eq!(emails.iter().map(|email| email.to.as_str()).collect::<Vec<_>>(), ["ada@example.com"]);
    assert_eq!(emails[0].id, parked.id, "it is the same email");
    let member = crate::directory::get_member(&store, "ada@exmaple.com").unwrap();
    assert_eq!(member.email, "ada@exmaple.com");
}

#[test]
fn p4_an_email_by_which_its_reader_acts_as_an_administrator_goes_to_no_other_address() {
    let organization = organization();
    let store = organization.store();
    let first = parked(&organization, "ada@example.com");
    crate::directory::set_role(&store, "ada@example.com", Role::CoOwner).unwrap();
    let refused = readdress_email(&store, &first.id, "eve@example.com").unwrap_err();
    assert!(refused.to_string().contains("owner or co-owner"), "{refused}");
    let page = "https://insomnia.example/reset";
    crate::directory::request_passphrase_reset(&store, TestOrganization::OWNER, page).unwrap();
    organization.host.email_results.borrow_mut().push_back(EmailError::Rejected("no such mailbox".into()));
    organization.live_for(1_000).unwrap();
    let all = queue(&organization, DeliveryQueue::EmailsParked);
    let reset = all.iter().find(|delivery| delivery.id != first.id).unwrap();
    let refused = readdress_email(&store, &reset.id, "eve@example.com").unwrap_err();
    assert!(refused.to_string().contains("be sent to another address"), "{refused}");
    assert_eq!(queue(&organization, DeliveryQueue::EmailsParked).len(), 2, "both are kept as they were");
}

#[test]
fn c24_an_event_that_was_not_taken_is_dismissed_and_stays_in_the_list_of_events() {
    let organization = organization();
    create(&organization, "ada@example.com");
    let store = organization.store();
    let position = store.events(None, 500).unwrap().0.pop().unwrap().position;
    let mut batch = crate::store::Batch::new();
    batch.put(crate::store::keys::event_parked(&position), br#"{"error":"gone"}"#.to_vec());
    store.commit(batch).unwrap();
    let kept = organization.events().len();
    let dismiss = |ids: &[String]| dismiss_deliveries(&store, DeliveryQueue::EventsParked, ids).unwrap();
    assert_eq!((dismiss(std::slice::from_ref(&position)), dismiss(&[position])), (1, 0));
    assert!(queue(&organization, DeliveryQueue::EventsParked).is_empty());
    assert_eq!(organization.events().len(), kept);
}
