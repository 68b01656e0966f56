//! Tests of the messages to each receiver, with a storage in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde_json::Value;

use super::*;
use crate::alerts::book::{About, Found};
use crate::alerts::cause::AlertCause;
use crate::alerts::state::after;
use crate::capability::email::{MailError, Message};
use crate::capability::http::{HttpClient, HttpError, IncomingResponse};
use crate::storage::MemoryStorage;

const NOW: u64 = 1_800_000_000_000;

/// A receiver that accepts what is sent, unless it is broken.
#[derive(Default)]
struct Receiving {
    is_broken: AtomicBool,
    messages: Mutex<Vec<Message>>,
    requests: Mutex<Vec<OutgoingRequest>>,
}

impl Receiving {
    fn breaks(&self, is_broken: bool) {
        self.is_broken.store(is_broken, Ordering::Relaxed);
    }

    fn subjects(&self) -> Vec<String> {
        self.messages.lock().unwrap().iter().map(|message| message.subject.clone()).collect()
    }
}

#[async_trait]
impl Mailer for Receiving {
    async fn send(&self, organization: &OrganizationId, message: Message) -> Result<(), MailError> {
        assert!(organization.is_host());
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(MailError::Unavailable("it is broken".into()));
        }
        self.messages.lock().unwrap().push(message);
        Ok(())
    }
}

#[async_trait]
impl HttpClient for Receiving {
    async fn send(&self, _: &OrganizationId, request: OutgoingRequest) -> Result<IncomingResponse, HttpError> {
        let status = if self.is_broken.load(Ordering::Relaxed) { 500 } else { 204 };
        if status == 204 {
            self.requests.lock().unwrap().push(request);
        }
        Ok(IncomingResponse { status, headers: Vec::new(), body: Vec::new() })
    }
}

struct Scene {
    storage: MemoryStorage,
    mail: Receiving,
    hook: Arc<Receiving>,
    settings: Alerts,
    failing: Failing,
}

impl Scene {
    fn new() -> Self {
        let hook = Arc::new(Receiving::default());
        let client: Arc<dyn HttpClient> = hook.clone();
        let key = format!("whsec_{}", STANDARD.encode([7; 32]));
        let webhook = AlertWebhook::new("https://ops.example.com/hook", &key, client).unwrap();
        let settings = Alerts::default().mail(vec!["ops@example.com".into()]).unwrap().webhook(webhook);
        let settings = settings.leave_out([AlertCause::TokenExpiringSoon]);
        let (storage, mail, failing) = (MemoryStorage::new(), Receiving::default(), Failing::default());
        Self { storage, mail, hook, settings, failing }
    }

    /// Stores the result of a look at these organizations.
    async fn looks(&self, cause: AlertCause, organizations: &[&str], found: bool, now: u64) {
        let book = Book(&self.storage);
        let mut before = book.of_fleet(None, None).await.unwrap();
        let mut changes = Vec::new();
        for organization in organizations {
            let about = About::new(cause, *organization);
            let known = before.iter().position(|stored| stored.about == about).map(|place| before.swap_remove(place));
            let next = after(known.clone().map(|known| known.state), found.then_some(None), false, now);
            changes.push((about, known, next));
        }
        book.write(Found::Fleet, changes).await.unwrap();
    }

    async fn load(&self) -> Vec<Stored> {
        Book(&self.storage).of_fleet(None, None).await.unwrap()
    }

    async fn tells_with(&self, book: Book<'_>, now: u64) -> Result<Option<u64>, StorageError> {
        let origin = Origin { server: "https://scim.example.com", now };
        let (settings, mailer, failing) = (&self.settings, &self.mail, &self.failing);
        let teller = Teller { settings, mailer, origin, failing };
        let mut alerts: Vec<Stored> = self.load().await.into_iter().filter(|stored| teller.has_news(stored)).collect();
        teller.tell(book, &mut alerts).await
    }

    async fn tells(&self, now: u64) -> Option<u64> {
        self.tells_with(Book(&self.storage), now).await.unwrap()
    }
}

#[tokio::test]
async fn p9_what_begins_and_is_over_is_mailed_and_posted_once_and_forgotten_then() {
    let scene = Scene::new();
    scene.looks(AlertCause::SeatsFull, &["acme", "beta"], true, NOW).await;
    for second in 0..3 {
        assert_eq!(scene.tells(NOW + second * 1_000).await, None);
    }
    assert_eq!(scene.mail.subjects(), ["SCIM: alerts: 2 began"], "one message for both");
    scene.looks(AlertCause::SeatsFull, &["acme"], false, NOW + 60_000).await;
    assert_eq!(scene.tells(NOW + 60_000).await, None);
    scene.looks(AlertCause::SeatsFull, &["acme"], false, NOW + 120_000).await;
    assert_eq!(scene.tells(NOW + 120_000).await, None);
    assert_eq!(scene.mail.subjects()[1..], ["SCIM: acme: over: seats-full"]);
    assert_eq!(scene.load().await.len(), 1, "what is over and told is forgotten");

    let posted = scene.hook.requests.lock().unwrap();
    assert_eq!(posted.len(), 2);
    for request in posted.iter() {
        let field = |name: &str| request.headers.iter().find(|(known, _)| known == name).unwrap().1.clone();
        let signed = signature(&[7; 32], &field("webhook-id"), &field("webhook-timestamp"), &request.body);
        assert_eq!((request.url.as_str(), field("webhook-signature")), ("https://ops.example.com/hook", signed));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["id"].as_str(), Some(field("webhook-id").as_str()));
    }
}

#[tokio::test]
async fn p9_a_receiver_that_takes_nothing_is_tried_again_later_and_holds_up_no_other() {
    let scene = Scene::new();
    scene.mail.breaks(true);
    scene.looks(AlertCause::SeatsFull, &["acme"], true, NOW).await;
    let mut now = NOW;
    for pause in [5_000, 10_000, 20_000] {
        assert_eq!(scene.tells(now).await, Some(now + pause));
        assert_eq!(scene.tells(now + pause - 1).await, Some(now + pause), "it is not asked before");
        now += pause;
    }
    assert_eq!(scene.hook.requests.lock().unwrap().len(), 1);
    scene.mail.breaks(false);
    assert_eq!(scene.tells(now).await, None);
    assert_eq!(scene.mail.subjects(), ["SCIM: acme: seats-full"]);
    assert_eq!(scene.hook.requests.lock().unwrap().len(), 1, "who was told is not told again");
    for _ in 0..40 {
        now = scene.failing.failed("x", now);
    }
    assert_eq!(scene.failing.failed("x", now), now + LONGEST_PAUSE);
}

#[tokio::test]
async fn p9_a_host_that_is_killed_before_it_has_noted_what_it_told_tells_it_again_under_the_same_id() {
    let scene = Scene::new();
    scene.looks(AlertCause::SeatsFull, &["acme"], true, NOW).await;
    // This host can't store anything.
    let lost = MemoryStorage::new();
    assert!(scene.tells_with(Book(&lost), NOW).await.is_err());
    assert_eq!(scene.tells(NOW + 30_000).await, None);
    let messages = scene.mail.messages.lock().unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0].id, messages[1].id);
}

#[tokio::test]
async fn p9_a_cause_that_is_left_out_is_told_to_nobody_and_forgotten_when_it_is_over() {
    let scene = Scene::new();
    scene.looks(AlertCause::TokenExpiringSoon, &["acme"], true, NOW).await;
    assert_eq!(scene.tells(NOW).await, None);
    assert_eq!(scene.load().await.len(), 1, "it is an alert all the same");
    for _ in 0..2 {
        scene.looks(AlertCause::TokenExpiringSoon, &["acme"], false, NOW).await;
        assert_eq!(scene.tells(NOW).await, None);
    }
    assert!(scene.load().await.is_empty() && scene.mail.subjects().is_empty());
}

#[tokio::test]
async fn p9_many_alerts_are_posted_in_parts_and_none_is_left_out() {
    let scene = Scene::new();
    let names: Vec<String> = (0..OF_WEBHOOK + 1).map(|number| format!("o-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    scene.looks(AlertCause::SeatsFull, &names, true, NOW).await;
    assert_eq!(scene.tells(NOW).await, None);
    let sizes: Vec<usize> = scene
        .hook
        .requests
        .lock()
        .unwrap()
        .iter()
        .map(|request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            body["data"]["alerts"].as_array().unwrap().len()
        })
        .collect();
    assert_eq!((sizes, scene.mail.subjects().len()), (vec![OF_WEBHOOK, 1], 1));
}

#[test]
fn the_signature_is_that_of_standard_webhooks() {
    // The example of the reference libraries of Standard Webhooks.
    let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let signature = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}
