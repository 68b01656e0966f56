//! Wake-ups and clocks: work that is planned while jobs run is not forgotten, several hosts share the jobs of an
//! organization, and a wrong clock makes nothing wait longer than planned work ever may.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use insomnia_scim::capability::clock::{Clock as _, ManualClock};
use insomnia_scim::capability::email::{MailError, Mailer, Message};
use insomnia_scim::capability::http::{HttpClient, HttpError, IncomingResponse, OutgoingRequest};
use insomnia_scim::capability::schedule::CLAIM;
use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::delivery::DeliveryQueue;
use insomnia_scim::{Organization, OrganizationId, Provisioner};
use serde_json::json;

use crate::rules::mailbox::Fate;
use crate::rules::network::Reply;
use crate::rules::organization::{Acme, OWNER, PASSPHRASE, name};
use crate::rules::world::{DAY, HOUR, Host, MINUTE, World};

const ADA: &str = "ada@acme.example";
const WEBHOOK: &str = "https://backend.example/events";
const NEW_WEBHOOK: &str = "https://backend.example/new";
const PAGE: &str = "https://scim.example/page";

async fn scene(world: &World) -> (Host, Acme) {
    let host = world.host().await;
    let acme = Acme::enabled(&host, 2_000, ExpiryWindow::Never).await;
    (host, acme)
}

/// A webhook's receiver during whose first attempt the owner asks for a link.
struct AsksMeanwhile {
    organization: OnceLock<Organization>,
    asked: AtomicBool,
}

#[async_trait]
impl HttpClient for AsksMeanwhile {
    async fn send(&self, _: &OrganizationId, _: OutgoingRequest) -> Result<IncomingResponse, HttpError> {
        if let Some(organization) = self.organization.get()
            && !self.asked.swap(true, Ordering::SeqCst)
        {
            organization.request_passphrase_reset(OWNER, PAGE).await.unwrap();
        }
        Ok(IncomingResponse { status: 204, headers: Vec::new(), body: Vec::new() })
    }
}

/// A link is asked for while a webhook is posted: whichever job looked first, the mail goes at once.
#[tokio::test]
async fn a_mail_that_comes_while_the_jobs_run_is_sent_at_once() {
    for _ in 0..6 {
        let mut world = World::in_memory();
        let receiver = Arc::new(AsksMeanwhile { organization: OnceLock::new(), asked: AtomicBool::new(false) });
        world.http = Some(Arc::clone(&receiver) as Arc<dyn HttpClient>);
        let (host, acme) = scene(&world).await;
        acme.organization.set_webhook(WEBHOOK).await.unwrap();
        world.live(&host, MINUTE).await;
        receiver.organization.set(acme.organization.clone()).ok();
        // An event that brings no email.
        acme.scim("POST", "/Groups", Some(json!({"displayName": "Crew"}))).await.is(201);
        world.live(&host, 1_000).await;
        assert!(receiver.asked.load(Ordering::SeqCst));
        assert_eq!(world.mailbox.subjects_to(OWNER).len(), 1, "the link is mailed within a second");
    }
}

/// A mail system during each of whose attempts another host looks for what is due.
struct Watched {
    other: OnceLock<Provisioner>,
    sent: Mutex<Vec<Message>>,
}

#[async_trait]
impl Mailer for Watched {
    async fn send(&self, _: &OrganizationId, message: Message) -> Result<(), MailError> {
        self.sent.lock().unwrap().push(message);
        if let Some(other) = self.other.get() {
            other.run_all_due().await.unwrap();
        }
        Ok(())
    }
}

/// Two hosts on one storage: who finds the jobs claimed leaves the other's times alone, so that all mails go in one row.
#[tokio::test]
async fn f7_two_hosts_on_one_storage_send_as_fast_as_one_and_nothing_twice() {
    let mut world = World::in_memory();
    let mails = Arc::new(Watched { other: OnceLock::new(), sent: Mutex::default() });
    world.mailer = Some(Arc::clone(&mails) as Arc<dyn Mailer>);
    let (host, acme) = scene(&world).await;
    let other = world.host().await;
    mails.other.set(other.provisioner.clone()).ok();
    for number in 0..120 {
        acme.post_user(&format!("u{number}@acme.example")).await.is(201);
    }
    world.live(&host, 2_000).await;
    let mut ids: Vec<String> = mails.sent.lock().unwrap().iter().map(|message| message.id.clone()).collect();
    assert_eq!(ids.len(), 120, "all within two seconds");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 120, "none twice");
}

/// A pause that a clock ahead has brought is over when the clock is right, and mails written then do not wait.
#[tokio::test]
async fn f12_what_a_clock_that_was_ahead_has_put_off_is_delivered_when_it_is_right() {
    for ahead in [30 * DAY, 8 * HOUR] {
        let world = World::in_memory();
        let (host, acme) = scene(&world).await;
        acme.organization.set_webhook(WEBHOOK).await.unwrap();
        let now = world.now();
        world.clock.set(now + ahead);
        world.network.decide(|_| Reply::Status(500, Vec::new()));
        world.mailbox.break_down();
        acme.post_user(ADA).await.is(201);
        world.live(&host, 5 * MINUTE).await;
        assert!(world.mailbox.taken().is_empty() && world.network.event_types().is_empty());
        // A crash in the middle of the jobs while the clock is ahead: its claim is not believed either.
        host.storage.commit(&name(), wake(world.now())).await.unwrap();
        assert!(host.storage.claim(&name(), world.now()).await.unwrap().is_some());
        world.clock.set(now);
        world.network.recover();
        world.mailbox.recover();
        world.live(&host, 90_000).await;
        assert_eq!(world.network.event_types(), ["member.created"], "{ahead}");
        assert_eq!(world.mailbox.subjects_to(ADA).len(), 1, "{ahead}");
    }
}

fn wake(at: u64) -> insomnia_scim::capability::storage::Transaction {
    insomnia_scim::capability::storage::Transaction { wake_at: Some(at), ..Default::default() }
}

/// Wrong passphrases typed while the clock was ahead keep nobody out for longer than the longest wait.
#[tokio::test]
async fn f13_wrong_passphrases_of_a_clock_that_was_ahead_lock_nobody_out() {
    let world = World::in_memory();
    let (_host, acme) = scene(&world).await;
    let now = world.now();
    world.clock.set(now + 30 * DAY);
    for _ in 0..8 {
        world.clock.set(world.now() + 16 * MINUTE);
        acme.organization.sign_in(OWNER, "a wrong passphrase").await.unwrap_err();
    }
    world.clock.set(now);
    acme.organization.sign_in(OWNER, PASSPHRASE).await.unwrap();
}

/// A receiver that fails, and during one of whose attempts the webhook is replaced.
struct ReplacedMeanwhile {
    clock: Arc<ManualClock>,
    organization: OnceLock<Organization>,
    attempts: AtomicUsize,
    taken: Mutex<Vec<String>>,
}

#[async_trait]
impl HttpClient for ReplacedMeanwhile {
    async fn send(&self, _: &OrganizationId, request: OutgoingRequest) -> Result<IncomingResponse, HttpError> {
        let answer = |status| Ok(IncomingResponse { status, headers: Vec::new(), body: Vec::new() });
        if request.url == NEW_WEBHOOK {
            self.taken.lock().unwrap().push(request.url);
            return answer(204);
        }
        self.clock.set(self.clock.now() + 2_000);
        if self.attempts.fetch_add(1, Ordering::SeqCst) == 8 {
            self.organization.get().unwrap().set_webhook(NEW_WEBHOOK).await.unwrap();
        }
        answer(500)
    }
}

/// A webhook that replaces another one in the middle of an attempt does not wait for the old one's pause.
#[tokio::test]
async fn f14_a_webhook_that_is_replaced_during_an_attempt_is_tried_at_once() {
    let mut world = World::in_memory();
    let receiver = Arc::new(ReplacedMeanwhile {
        clock: Arc::clone(&world.clock),
        organization: OnceLock::new(),
        attempts: AtomicUsize::new(0),
        taken: Mutex::default(),
    });
    world.http = Some(Arc::clone(&receiver) as Arc<dyn HttpClient>);
    let (host, acme) = scene(&world).await;
    receiver.organization.set(acme.organization.clone()).ok();
    acme.organization.set_webhook(WEBHOOK).await.unwrap();
    acme.scim("POST", "/Groups", Some(json!({"displayName": "Crew"}))).await.is(201);
    while receiver.attempts.load(Ordering::SeqCst) < 9 {
        world.live(&host, MINUTE).await;
    }
    assert_eq!(receiver.taken.lock().unwrap().len(), 1, "within the minute in which it was replaced");
    assert_eq!(receiver.attempts.load(Ordering::SeqCst), 9, "and the old one is left alone");
}

/// A host that is killed in the middle of a delivery: another one, or itself after a restart, goes on within a minute.
#[tokio::test]
async fn f26_after_a_kill_in_the_middle_of_a_delivery_a_new_mail_waits_less_than_a_minute() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    world.live(&host, MINUTE).await;
    acme.post_user(ADA).await.is(201);
    let faults = Arc::clone(&world.faults);
    world.mailbox.decide(move |_| {
        faults.crash_after(0);
        Fate::TakeAndBreak
    });
    world.live(&host, 1_000).await;
    assert!(world.faults.is_crashed());
    drop(host);
    world.faults.end();
    world.mailbox.recover();
    let host = world.host().await;
    let acme = Acme { organization: host.provisioner.organization(&name()), token: acme.token };
    acme.post_user("bob@acme.example").await.is(201);
    world.live(&host, CLAIM - 1).await;
    assert_eq!(world.mailbox.subjects_to("bob@acme.example").len(), 0, "whether the host still runs can't be known");
    world.live(&host, MINUTE - CLAIM).await;
    assert_eq!(world.mailbox.subjects_to("bob@acme.example").len(), 1);
    assert!(acme.organization.deliveries(DeliveryQueue::EmailsWaiting, None, 10).await.unwrap().items.is_empty());
}
