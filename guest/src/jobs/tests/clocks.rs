//! Wrong clocks, hosts that are killed, and work that comes while other work is running (F7, F12 to F14, F26): nothing
//! waits longer than its longest wait.

use std::cell::{Cell, RefCell};

use serde_json::json;

use super::*;
use crate::capability::{Clock as _, EmailError, HttpClient, HttpError, HttpRequest, HttpResponse, Mailer, Message};
use crate::connector::Window;
use crate::journal;
use crate::provisioning::{passphrase, reset};
use crate::testing::organization::{DAY, TestOrganization};

const HOUR: u64 = 60 * 60 * 1_000;
const URL: &str = "https://backend.example/hook";
const NEW_URL: &str = "https://backend.example/new";

fn organization() -> TestOrganization {
    TestOrganization::new(100, Window::Never).unwrap()
}

fn create(organization: &TestOrganization, name: &str) {
    let (status, body) = organization.scim("POST", "/Users", Some(json!({"userName": name})));
    assert_eq!(status, 201, "{body}");
}

fn set_webhook(organization: &TestOrganization, url: &str) {
    journal::set_webhook(&organization.store(), &organization.host, url).unwrap();
}

fn answer_with(organization: &TestOrganization, status: u16, times: usize) {
    let answer = HttpResponse { status, ..HttpResponse::default() };
    organization.host.http_results.borrow_mut().extend(std::iter::repeat_n(Ok(answer), times));
}

fn ask_for_link(organization: &TestOrganization) {
    reset::request(&organization.store(), TestOrganization::OWNER, "https://scim.example/page").unwrap();
}

fn run(organization: &TestOrganization) -> Option<u64> {
    run_due(organization.host.host(), &organization.context.borrow()).unwrap()
}

#[test]
fn f12_a_pause_of_a_clock_that_was_ahead_ends_when_the_clock_is_right() {
    for ahead in [2 * HOUR, 30 * DAY] {
        let organization = organization();
        set_webhook(&organization, URL);
        let now = organization.store().now();
        organization.host.set_now(now + ahead);
        create(&organization, "ada@example.com");
        answer_with(&organization, 500, 9);
        let outage = std::iter::repeat_n(EmailError::Unavailable("down".into()), 9);
        organization.host.email_results.borrow_mut().extend(outage);
        organization.live_for(20 * 60_000).unwrap();
        organization.host.http_results.borrow_mut().clear();
        organization.host.email_results.borrow_mut().clear();
        let attempts = organization.host.requests.borrow().len();
        organization.host.set_now(now);
        run(&organization);
        assert_eq!(organization.host.requests.borrow().len(), attempts + 1, "{ahead}: the event");
        assert_eq!(organization.host.emails.borrow().len(), 1, "{ahead}: the email");
    }
}

#[test]
fn f12_a_mail_that_a_clock_ahead_has_written_is_sent_when_the_clock_is_right() {
    let organization = organization();
    let now = organization.store().now();
    organization.host.set_now(now + 30 * DAY);
    create(&organization, "ada@example.com");
    organization.host.set_now(now);
    create(&organization, "bob@example.com");
    run(&organization);
    let emails = organization.host.emails.borrow();
    let mut to: Vec<_> = emails.iter().map(|email| email.to.as_str()).collect();
    to.sort_unstable();
    assert_eq!(to, ["ada@example.com", "bob@example.com"]);
}

#[test]
fn f13_wrong_passphrases_of_a_clock_that_was_ahead_lock_nobody_out() {
    let organization = organization();
    let now = organization.store().now();
    organization.host.set_now(now + 30 * DAY);
    for _ in 0..8 {
        organization.host.set_now(organization.store().now() + 16 * 60_000);
        passphrase::sign_in(&organization.store(), TestOrganization::OWNER, "wrong").unwrap_err();
    }
    organization.host.set_now(now);
    passphrase::sign_in(&organization.store(), TestOrganization::OWNER, TestOrganization::PASSPHRASE).unwrap();
}

#[test]
fn f13_a_link_of_a_clock_that_was_ahead_is_good_for_no_longer_than_any_other() {
    let organization = organization();
    let now = organization.store().now();
    organization.host.set_now(now + 30 * DAY);
    ask_for_link(&organization);
    organization.live_for(1_000).unwrap();
    let text = organization.host.emails.borrow()[0].text.clone();
    let token = text.split("token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    organization.host.set_now(now);
    reset::redeem(&organization.store(), &token, "a passphrase of mine").unwrap_err();
    // It does not keep the member from getting another link, either.
    ask_for_link(&organization);
    organization.live_for(1_000).unwrap();
    assert_eq!(organization.host.emails.borrow().len(), 2);
}

#[test]
fn f12_what_a_clock_ahead_has_told_too_early_is_told_again_in_its_time() {
    let organization = TestOrganization::new(100, Window::Days180).unwrap();
    let now = organization.store().now();
    organization.host.set_now(now + 400 * DAY);
    run(&organization);
    organization.host.set_now(now);
    organization.host.emails.borrow_mut().clear();
    organization.live_until(now + 200 * DAY).unwrap();
    let subjects = organization.subjects_to(TestOrganization::OWNER);
    assert_eq!(subjects.len(), 6, "20, 10, 5, 2 and 1 days before, and then: {subjects:?}");
}

/// How an organization is changed while a delivery is running.
type Meanwhile = Box<dyn FnOnce(&TestOrganization)>;

/// A host that runs some code during a delivery.
struct Busy<'o> {
    organization: &'o TestOrganization,
    /// How long an attempt of the webhook takes, in milliseconds.
    takes: u64,
    /// This code runs once, during an attempt.
    meanwhile: RefCell<Option<Meanwhile>>,
    status: Cell<u16>,
    posts: RefCell<Vec<String>>,
    /// When each email was sent.
    emails: RefCell<Vec<u64>>,
}

impl<'o> Busy<'o> {
    fn new(organization: &'o TestOrganization, takes: u64, status: u16) -> Self {
        Self {
            organization,
            takes,
            meanwhile: RefCell::default(),
            status: Cell::new(status),
            posts: RefCell::default(),
            emails: RefCell::default(),
        }
    }

    fn now(&self) -> u64 {
        self.organization.host.now()
    }

    fn during_next(&self, happens: impl FnOnce(&TestOrganization) + 'static) {
        self.meanwhile.replace(Some(Box::new(happens)));
    }

    fn run(&self) -> Option<u64> {
        let host = Host { mailer: self, http: self, ..self.organization.host.host() };
        run_due(host, &self.organization.context.borrow()).unwrap()
    }
}

impl HttpClient for Busy<'_> {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        self.posts.borrow_mut().push(request.url.clone());
        self.organization.host.set_now(self.now() + self.takes);
        let happens = self.meanwhile.take();
        if let Some(happens) = happens {
            happens(self.organization);
        }
        let status = if request.url == NEW_URL { 200 } else { self.status.get() };
        Ok(HttpResponse { status, ..HttpResponse::default() })
    }
}

impl Mailer for Busy<'_> {
    fn send(&self, _: &Message) -> Result<(), EmailError> {
        self.emails.borrow_mut().push(self.now());
        Ok(())
    }
}

#[test]
fn f14_a_webhook_that_is_replaced_while_an_attempt_is_under_way_is_tried_at_once() {
    let organization = organization();
    organization.change(|record| record.options.passphrase_emails = false).unwrap();
    set_webhook(&organization, URL);
    create(&organization, "ada@example.com");
    let busy = Busy::new(&organization, 2_000, 500);
    for _ in 0..9 {
        let next = busy.run().unwrap();
        organization.host.set_now(next);
    }
    assert_eq!(busy.posts.borrow().len(), 9, "it has failed nine times, and waits an hour by now");
    busy.during_next(|organization| set_webhook(organization, NEW_URL));
    let next = busy.run().unwrap();
    assert!(
        next <= busy.now(),
        "the failure of the old one is not the new one's: {} ms",
        next.saturating_sub(busy.now())
    );
    busy.run();
    assert_eq!(busy.posts.borrow().last().map(String::as_str), Some(NEW_URL));
    let webhook = organization.store().webhook().unwrap().unwrap().record;
    assert_eq!((webhook.failing_since, webhook.error), (None, None));
    assert!(!organization.store().is_event_due(crate::store::Sink::Webhook).unwrap());
}

#[test]
fn f14_a_retry_that_is_asked_for_while_an_attempt_is_under_way_does_not_wait() {
    let organization = organization();
    organization.change(|record| record.options.passphrase_emails = false).unwrap();
    set_webhook(&organization, URL);
    create(&organization, "ada@example.com");
    create(&organization, "bob@example.com");
    let busy = Busy::new(&organization, 1_000, 410);
    busy.run();
    busy.run();
    // Both are parked. The webhook is set again, and now it fails.
    set_webhook(&organization, URL);
    busy.status.set(500);
    create(&organization, "cy@example.com");
    busy.during_next(|organization| {
        assert_eq!(retry_deliveries(&organization.store(), DeliveryQueue::EventsParked, &[]), Ok(2));
    });
    let next = busy.run().unwrap();
    assert!(next <= busy.now(), "whoever asks wants it now");
}

#[test]
fn a_slow_webhook_lets_an_email_that_comes_meanwhile_go_first() {
    // The jobs choose at random which of the two has the first turn.
    for _ in 0..8 {
        let organization = organization();
        organization.change(|record| record.options.passphrase_emails = false).unwrap();
        set_webhook(&organization, URL);
        for number in 0..10 {
            create(&organization, &format!("u{number}@example.com"));
        }
        let busy = Busy::new(&organization, 6_000, 200);
        busy.during_next(ask_for_link);
        let began = busy.now();
        busy.run();
        let sent = busy.emails.borrow()[0] - began;
        assert!(sent <= 12_000, "sent after {sent} ms, while ten events take a minute");
        assert!(busy.posts.borrow().len() < 10);
    }
}

#[test]
fn f26_after_a_kill_in_the_middle_of_a_delivery_a_new_mail_waits_less_than_a_minute() {
    let organization = organization();
    create(&organization, "ada@example.com");
    let began = organization.store().now();
    // A host that is killed does not give its lease back.
    let lease = organization.store().take_lease("email", began, super::super::email::LEASE).unwrap().unwrap();
    create(&organization, "bob@example.com");
    let next = run(&organization).unwrap();
    assert_eq!(next, lease.ends());
    assert!(next - began < 60_000, "{}", next - began);
    organization.host.set_now(next);
    run(&organization);
    assert_eq!(organization.host.emails.borrow().len(), 2);
}

#[test]
fn f7_who_finds_the_lease_taken_sends_nothing_and_what_the_holder_gives_back_counts() {
    let organization = organization();
    create(&organization, "ada@example.com");
    let now = organization.store().now();
    let lease = organization.store().take_lease("email", now, super::super::email::LEASE).unwrap().unwrap();
    assert_eq!(run(&organization), Some(lease.ends()));
    assert!(organization.host.emails.borrow().is_empty());
    assert!(organization.store().release_lease(&lease, 0, 0).unwrap(), "it is still the holder's");
    run(&organization);
    assert_eq!(organization.host.emails.borrow().len(), 1);
}

#[test]
fn f7_a_holder_that_was_too_slow_leaves_no_pause_to_the_next_one() {
    let organization = organization();
    let store = organization.store();
    let now = store.now();
    let mut slow = store.take_lease("webhook", now, 20_000).unwrap().unwrap();
    let next = store.take_lease("webhook", now + 20_000, 20_000).unwrap().unwrap();
    assert!(!store.renew_lease(&mut slow, now + 20_000, now + 20_000).unwrap(), "it stops");
    assert!(!store.release_lease(&slow, now + HOUR, 9).unwrap(), "and its failure is not kept");
    assert!(store.release_lease(&next, 0, 0).unwrap());
    assert!(store.take_lease("webhook", now + 20_001, 20_000).unwrap().is_ok());
}
