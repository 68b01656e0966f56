//! P4 and P6: the outbox, webhooks, and events in the host's process.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use insomnia_scim::capability::email::MailError;
use insomnia_scim::capability::http::{HttpError, OutgoingRequest};
use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::delivery::{Delivery, DeliveryQueue};
use insomnia_scim::email::{MailFolder, Sender};
use insomnia_scim::event::EventSubscriber;
use serde_json::json;
use sha2::Sha256;

use crate::dice::Dice;
use crate::rules::mailbox::Fate;
use crate::rules::network::{Reply, header};
use crate::rules::organization::{Acme, OWNER};
use crate::rules::subscriber::Subscriber;
use crate::rules::world::{DAY, HOUR, Host, MINUTE, World};

const ADA: &str = "ada@acme.example";
const WEBHOOK: &str = "https://backend.example/events";

async fn scene(world: &World) -> (Host, Acme) {
    let host = world.host().await;
    let acme = Acme::enabled(&host, 20, ExpiryWindow::Never).await;
    (host, acme)
}

async fn queue(acme: &Acme, queue: DeliveryQueue) -> Vec<Delivery> {
    acme.organization.deliveries(queue, None, 500).await.unwrap().items
}

#[tokio::test]
async fn p4_a_mail_that_is_not_taken_is_tried_again_with_back_off_under_the_same_id() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    world.mailbox.break_down();
    acme.post_user(ADA).await.is(201);
    let mut last = 0;
    let mut waits = Vec::new();
    for attempts in 1..=5 {
        while world.mailbox.attempts() < attempts {
            world.live(&host, MINUTE / 2).await;
        }
        waits.push(world.now() - last);
        last = world.now();
        let waiting = queue(&acme, DeliveryQueue::EmailsWaiting).await;
        assert_eq!(waiting[0].attempts as usize, attempts);
        assert!(waiting[0].error.as_deref().is_some_and(|error| error.contains("4.3.2")), "{waiting:?}");
    }
    assert!(waits[2] > waits[1] && waits[3] > waits[2] && waits[4] > waits[3], "{waits:?}");
    world.mailbox.decide(|_| Fate::TakeAndBreak);
    world.live(&host, 3 * HOUR).await;
    world.mailbox.recover();
    world.live(&host, 3 * HOUR).await;
    assert!(world.mailbox.taken().len() >= 2, "an answer that was lost makes it come again");
    assert_eq!(world.mailbox.messages().len(), 1, "with the same id and content");
    assert!(queue(&acme, DeliveryQueue::EmailsWaiting).await.is_empty());
}

#[tokio::test]
async fn p4_a_mail_is_parked_after_three_days_visible_and_sent_again_by_hand() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    world.mailbox.break_down();
    acme.post_user(ADA).await.is(201);
    world.live(&host, 3 * DAY - 2 * HOUR).await;
    assert_eq!(queue(&acme, DeliveryQueue::EmailsWaiting).await.len(), 1);
    world.live(&host, 4 * HOUR).await;
    let parked = queue(&acme, DeliveryQueue::EmailsParked).await;
    assert_eq!((parked.len(), parked[0].to.as_deref()), (1, Some(ADA)));
    assert!(parked[0].error.is_some() && parked[0].attempts > 10, "{parked:?}");
    let attempts = world.mailbox.attempts();
    world.live(&host, 10 * DAY).await;
    assert_eq!(world.mailbox.attempts(), attempts, "it is left alone");
    world.mailbox.recover();
    let sent = acme.organization.retry_deliveries(DeliveryQueue::EmailsParked, &[parked[0].id.clone()]).await.unwrap();
    assert_eq!(sent, 1);
    world.live(&host, MINUTE).await;
    assert_eq!(world.mailbox.subjects_to(ADA), ["Your Insomnia account at Acme"]);
    assert!(queue(&acme, DeliveryQueue::EmailsParked).await.is_empty());
}

#[tokio::test]
async fn p4_a_downtime_of_the_hosts_parks_nothing_untried() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    acme.organization.set_webhook(WEBHOOK).await.unwrap();
    acme.post_user(ADA).await.is(201);
    world.pass(5 * DAY);
    world.mailbox.break_down();
    world.network.break_down();
    world.live(&host, 2 * DAY).await;
    for parked in [DeliveryQueue::EmailsParked, DeliveryQueue::EventsParked] {
        assert!(queue(&acme, parked).await.is_empty(), "{parked:?}");
    }
    world.mailbox.recover();
    world.network.recover();
    world.live(&host, 2 * HOUR).await;
    assert_eq!(world.mailbox.subjects_to(ADA).len(), 1);
    assert_eq!(world.network.event_types(), ["member.created"]);
}

#[tokio::test]
async fn p4_a_mail_refused_for_good_is_parked_at_once_and_holds_up_nobody() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    world.mailbox.decide(|message| {
        let unknown = || Fate::Refuse(MailError::Rejected("5.1.1 no such user".into()));
        if message.to == ADA { unknown() } else { Fate::Take }
    });
    acme.post_user(ADA).await.is(201);
    acme.post_user("bob@acme.example").await.is(201);
    world.live(&host, DAY).await;
    assert_eq!(world.mailbox.attempts(), 2);
    assert_eq!(world.mailbox.subjects_to("bob@acme.example").len(), 1);
    let parked = queue(&acme, DeliveryQueue::EmailsParked).await;
    assert!(parked[0].error.as_deref().is_some_and(|error| error.contains("5.1.1")), "{parked:?}");
}

#[tokio::test]
async fn p4_mails_are_files_with_text_and_html_a_date_and_one_recipient() {
    let mut world = World::in_memory();
    let folder = world.directory().join("mail");
    let sender = Sender::new("Insomnia <no-reply@insomnia.example>", None, None).unwrap();
    world.mailer = Some(Arc::new(MailFolder::open(&folder, sender).unwrap()));
    let (host, acme) = scene(&world).await;
    acme.post_user(ADA).await.is(201);
    world.live(&host, MINUTE).await;
    let files: Vec<_> = std::fs::read_dir(folder.join("acme")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    assert!(files[0].extension().is_some_and(|extension| extension == "eml"), "{files:?}");
    let mail = std::fs::read_to_string(&files[0]).unwrap();
    for part in [
        "To: ada@acme.example",
        "Subject: Your Insomnia account at Acme",
        "Date: Mon, 05 Jan 2026 12:00:",
        "Message-ID: <",
        "@insomnia.example>",
        "Content-Type: text/plain",
        "Content-Type: text/html",
        "multipart/alternative",
    ] {
        assert!(mail.contains(part), "{part} is missing: {mail}");
    }
    assert_eq!(mail.matches("\nTo:").count() + mail.matches("\nCc:").count() + mail.matches("\nBcc:").count(), 1);
}

/// Whether the request is signed with this key, as Standard Webhooks has it.
fn is_signed(request: &OutgoingRequest, key: &str) -> bool {
    let key = STANDARD.decode(key.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{}.{}.", header(request, "webhook-id"), header(request, "webhook-timestamp")).as_bytes());
    mac.update(&request.body);
    header(request, "webhook-signature") == format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn p6_a_webhook_gets_every_event_in_order_signed_the_standard_webhooks_way() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    let key = acme.organization.set_webhook(WEBHOOK).await.unwrap();
    let id = acme.post_user(ADA).await.is(201).id();
    for active in [false, true] {
        world.pass(1);
        acme.patch(&format!("/Users/{id}"), json!({"active": active})).await.is(200);
    }
    world.pass(1);
    acme.scim("DELETE", &format!("/Users/{id}"), None).await.is(204);
    world.live(&host, MINUTE).await;
    let types = ["member.created", "member.deactivated", "member.reactivated", "member.deleted"];
    assert_eq!(world.network.event_types(), types);
    for request in world.network.taken() {
        assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", WEBHOOK));
        assert!(is_signed(&request, &key));
        assert_eq!(header(&request, "content-type"), "application/json");
        let timestamp: u64 = header(&request, "webhook-timestamp").parse().unwrap();
        assert!(world.now() / 1_000 - timestamp <= 60, "receivers refuse old timestamps");
    }
    let event = &world.network.events()[0];
    assert_eq!((&event["subject"]["type"], &event["subject"]["id"]), (&json!("member"), &json!(id)));
    assert_eq!(event["actor"], "scim");
    assert_eq!(event["cause"]["credential"], "token 1");
    assert!(event["cause"]["requestId"].as_str().is_some_and(|id| !id.is_empty()), "{event}");
    assert_eq!(event["data"]["after"]["userName"], ADA);
}

#[tokio::test]
async fn p6_an_attempt_that_is_repeated_is_signed_anew_under_the_same_id() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    let key = acme.organization.set_webhook(WEBHOOK).await.unwrap();
    let mut refusals = 2;
    world.network.decide(move |_| {
        refusals -= 1;
        if refusals >= 0 { Reply::Status(500, vec![]) } else { Reply::Take }
    });
    acme.post_user(ADA).await.is(201);
    acme.post_user("bob@acme.example").await.is(201);
    world.live(&host, HOUR).await;
    let attempts = world.network.attempts();
    assert_eq!(attempts.len(), 4);
    let ids: Vec<&str> = attempts.iter().map(|request| header(request, "webhook-id")).collect();
    assert_eq!((ids[0], ids[1]), (ids[1], ids[2]), "those behind it do not overtake it");
    assert_ne!(header(&attempts[0], "webhook-timestamp"), header(&attempts[2], "webhook-timestamp"));
    assert!(attempts.iter().all(|request| is_signed(request, &key)));
}

#[tokio::test]
async fn p6_a_webhook_is_asked_again_when_its_retry_after_says() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    acme.organization.set_webhook(WEBHOOK).await.unwrap();
    world.network.decide(|_| Reply::Status(429, vec![("retry-after".into(), "1800".into())]));
    acme.post_user(ADA).await.is(201);
    world.live(&host, 1_800_000 - 1_000).await;
    assert_eq!(world.network.attempts().len(), 1);
    world.network.recover();
    world.live(&host, MINUTE).await;
    assert_eq!(world.network.taken().len(), 1);
}

#[tokio::test]
async fn p6_an_event_is_tried_for_three_days_then_parked_and_sent_again_by_hand() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    acme.organization.set_webhook(WEBHOOK).await.unwrap();
    world.network.decide(|_| Reply::Fail(HttpError::Unreachable("down".into())));
    acme.post_user(ADA).await.is(201);
    let down_since = world.now();
    world.live(&host, 3 * DAY - 2 * HOUR).await;
    assert!(queue(&acme, DeliveryQueue::EventsParked).await.is_empty());
    let webhook = acme.organization.webhook().await.unwrap().unwrap();
    assert_eq!((webhook.failing_since, webhook.error.is_some()), (Some(down_since), true));
    world.live(&host, 4 * HOUR).await;
    let parked = queue(&acme, DeliveryQueue::EventsParked).await;
    assert_eq!(parked.len(), 1);
    assert!(parked[0].error.is_some());
    // What comes later is tried all the same.
    acme.post_user("bob@acme.example").await.is(201);
    world.network.recover();
    world.live(&host, 2 * HOUR).await;
    assert_eq!(world.network.events()[0]["subject"]["name"], "bob@acme.example");
    assert_eq!(acme.organization.retry_deliveries(DeliveryQueue::EventsParked, &[]).await.unwrap(), 1);
    world.live(&host, MINUTE).await;
    assert_eq!(world.network.events()[1]["id"], parked[0].what.as_str());
    assert!(queue(&acme, DeliveryQueue::EventsParked).await.is_empty());
    assert_eq!(acme.organization.webhook().await.unwrap().unwrap().failing_since, None);
}

#[tokio::test]
async fn p6_what_waits_goes_to_the_webhook_that_is_set_last_and_nowhere_after_its_removal() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    let first = acme.organization.set_webhook(WEBHOOK).await.unwrap();
    world.network.break_down();
    acme.post_user(ADA).await.is(201);
    world.live(&host, MINUTE).await;
    let second = acme.organization.set_webhook("https://new.example/hook").await.unwrap();
    assert_ne!(first, second);
    world.network.recover();
    world.live(&host, HOUR).await;
    let taken = world.network.taken();
    assert!(taken.iter().all(|request| request.url == "https://new.example/hook" && is_signed(request, &second)));
    assert_eq!(taken.len(), 1);
    acme.organization.remove_webhook().await.unwrap();
    acme.post_user("bob@acme.example").await.is(201);
    world.live(&host, HOUR).await;
    assert_eq!(world.network.taken().len(), 1);
}

#[tokio::test]
async fn p6_a_subscriber_gets_every_event_in_order_at_least_once_also_over_restarts() {
    let mut world = World::on_disk();
    let subscriber = Arc::new(Subscriber::unreliable(Dice::new(5)));
    world.subscriber = Some(subscriber.clone() as Arc<dyn EventSubscriber>);
    let (mut host, mut acme) = scene(&world).await;
    world.live(&host, MINUTE).await;
    let before = acme.events().await.len();
    for round in 0..8 {
        for number in 0..2 {
            world.pass(1);
            acme.post_user(&format!("u{round}-{number}@acme.example")).await.is(201);
        }
        if round % 2 == 0 {
            // The host dies before its scheduler comes to it, or in the middle of it.
            world.faults.crash_after(i64::from(round % 3));
            host.provisioner.run_all_due().await.unwrap();
        } else {
            world.live(&host, MINUTE).await;
        }
        world.faults.end();
        drop(host);
        host = world.host().await;
        acme = acme.on(&host);
    }
    subscriber.recover();
    world.live(&host, HOUR).await;
    let listed = acme.events().await.split_off(before);
    assert_eq!(listed.len(), 16);
    assert_eq!(subscriber.events(), listed);
}

#[tokio::test]
async fn p6_every_kind_of_change_is_an_event() {
    let world = World::in_memory();
    let host = world.host().await;
    let mut acme = Acme::enabled(&host, 4, ExpiryWindow::Days30).await;
    let tick = || world.pass(1);
    let ada = acme.post_user(ADA).await.is(201).id();
    tick();
    acme.post_user(OWNER).await.is(201);
    tick();
    acme.patch(&format!("/Users/{ada}"), json!({"displayName": "Ada"})).await.is(200);
    tick();
    let team = acme.scim("POST", "/Groups", Some(json!({"displayName": "Staff"}))).await.is(201).id();
    tick();
    let member = json!({"Operations": [{"op": "add", "path": "members", "value": [{"value": ada}]}]});
    acme.scim("PATCH", &format!("/Groups/{team}"), Some(member)).await;
    tick();
    acme.patch(&format!("/Groups/{team}"), json!({"displayName": "Team"})).await;
    tick();
    acme.scim("DELETE", &format!("/Groups/{team}"), None).await.is(204);
    tick();
    acme.post_user("bob@acme.example").await.is(201);
    tick();
    acme.post_user("eve@acme.example").await.is(403);
    tick();
    acme.patch(&format!("/Users/{ada}"), json!({"active": false})).await.is(200);
    tick();
    acme.patch(&format!("/Users/{ada}"), json!({"active": true})).await.is(200);
    tick();
    acme.scim("DELETE", &format!("/Users/{ada}"), None).await.is(204);
    tick();
    acme.refresh().await;
    world.live(&host, 31 * DAY).await;
    acme.organization.disable(OWNER).await.unwrap();
    let mut kinds = acme.event_types().await;
    kinds.sort_unstable();
    kinds.dedup();
    let all = [
        "connector.disabled",
        "connector.enabled",
        "licences.exhausted",
        "member.adopted",
        "member.created",
        "member.deactivated",
        "member.deleted",
        "member.reactivated",
        "member.updated",
        "team.created",
        "team.deleted",
        "team.membership-changed",
        "team.updated",
        "token.expired",
        "token.expiring",
        "token.refreshed",
    ];
    assert_eq!(kinds, all);
}
