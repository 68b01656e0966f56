//! A mail system or a webhook that hangs does not stop any other work.

use std::cell::{Cell, RefCell};

use serde_json::json;

use super::*;
use crate::capability::{EmailError, HttpClient, HttpError, HttpRequest, HttpResponse, Mailer, Message};
use crate::connector::Window;
use crate::journal;
use crate::testing::organization::{DAY, TestOrganization};

/// A host whose mail system and webhook answer slowly.
struct Slow<'o> {
    organization: &'o TestOrganization,
    /// How long each attempt takes, in milliseconds.
    takes: u64,
    emails: RefCell<Vec<u64>>,
    posts: RefCell<Vec<u64>>,
    /// Whether the host ends the call in the middle of the next attempt to send an email.
    killed: Cell<bool>,
}

impl Slow<'_> {
    fn now(&self) -> u64 {
        self.organization.store().now()
    }

    fn run(&self) -> Result<Option<u64>, StoreError> {
        run_due(Host { mailer: self, http: self, ..self.organization.host.host() }, &RunContext::default())
    }
}

impl Mailer for Slow<'_> {
    fn send(&self, _: &Message) -> Result<(), EmailError> {
        assert!(!self.killed.get(), "the call was ended");
        self.emails.borrow_mut().push(self.now());
        self.organization.host.set_now(self.now() + self.takes);
        Ok(())
    }
}

impl HttpClient for Slow<'_> {
    fn send(&self, _: &HttpRequest) -> Result<HttpResponse, HttpError> {
        self.posts.borrow_mut().push(self.now());
        self.organization.host.set_now(self.now() + self.takes.min(15_000));
        Ok(HttpResponse { status: 200, ..HttpResponse::default() })
    }
}

fn slow(organization: &TestOrganization, takes: u64) -> Slow<'_> {
    journal::set_webhook(&organization.store(), &organization.host, "https://backend.example/hook").unwrap();
    for number in 0..10 {
        let body = json!({"userName": format!("u{number}@example.com")});
        assert_eq!(organization.scim("POST", "/Users", Some(body)).0, 201);
    }
    Slow { organization, takes, emails: RefCell::default(), posts: RefCell::default(), killed: Cell::default() }
}

#[test]
fn jobs_no_attempt_is_begun_that_could_outlast_the_call() {
    let organization = TestOrganization::new(100, Window::Never).unwrap();
    let slow = slow(&organization, 30_000);
    let began = slow.now();
    assert!(slow.run().unwrap().is_some_and(|next| next <= slow.now()), "there is more to do");
    let attempts: Vec<u64> = slow.emails.borrow().iter().chain(slow.posts.borrow().iter()).copied().collect();
    assert!(!attempts.is_empty() && attempts.iter().all(|at| at - began < 25_000), "{attempts:?}");
    assert!(slow.now() - began < 60_000);
}

#[test]
fn jobs_a_slow_mail_system_and_a_slow_webhook_take_turns() {
    let organization = TestOrganization::new(100, Window::Never).unwrap();
    let slow = slow(&organization, 26_000);
    for _ in 0..40 {
        slow.run().unwrap();
    }
    assert_eq!((slow.emails.borrow().len(), slow.posts.borrow().len()), (10, 10));
}

#[test]
fn jobs_a_call_that_is_killed_leaves_a_pause_that_becomes_longer_and_the_others_go_on() {
    let organization = TestOrganization::new(100, Window::Never).unwrap();
    let slow = slow(&organization, 1);
    slow.killed.set(true);
    let mut waits = Vec::new();
    for _ in 0..4 {
        let before = slow.now();
        let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| slow.run()));
        assert!(killed.is_err(), "this one hangs");
        let next = slow.run().unwrap().unwrap();
        waits.push((next - before) / 60_000);
        organization.host.set_now(next);
    }
    assert_eq!(waits, [0, 2, 4, 8], "in minutes; the first is that of the lease");
    assert_eq!(slow.posts.borrow().len(), 10, "the webhook got its events meanwhile");
    slow.killed.set(false);
    slow.run().unwrap();
    organization.host.set_now(slow.now() + DAY);
    slow.run().unwrap();
    assert_eq!(slow.emails.borrow().len(), 10);
}
