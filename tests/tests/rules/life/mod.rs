//! A simulated life of an organization: 400 days with hosts that crash and restart at random, and a mail system, a
//! webhook and a backend that fail at random. At the end, each expected email and event has arrived under a single id,
//! and no other has.

mod days;
mod expected;

use days::Life;
use expected::Counts;
use insomnia_scim::delivery::DeliveryQueue;
use serde_json::Value;

use crate::rules::world::{DAY, World};

/// How many days a life lasts.
const DAYS: u64 = 400;

/// Says by which seed a life can be lived again.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed of this life is {}", self.0);
        }
    }
}

#[tokio::test]
async fn p6_a_life_of_400_days_brings_exactly_the_expected_emails_and_events() {
    live(1, World::on_disk()).await;
}

#[tokio::test]
async fn p6_another_life_of_400_days_brings_exactly_the_expected_emails_and_events() {
    live(2, World::in_memory()).await;
}

#[tokio::test]
async fn p6_a_third_life_of_400_days_brings_exactly_the_expected_emails_and_events() {
    live(3, World::in_memory()).await;
}

/// A life by another seed can be lived with `RULES_SEED`.
async fn live(seed: u64, world: World) {
    let seed = std::env::var("RULES_SEED").map_or(seed, |seed| seed.parse().unwrap());
    let _told = Seed(seed);
    let mut life = Life::begin(seed, world).await;
    while life.day() < DAYS {
        life.quarter().await;
    }
    let end = life.end().await;

    let mails = counted(end.world.mailbox.messages().into_iter().map(|message| (message.to, message.subject)));
    same(&mails, &end.expected.mails);
    assert!(end.world.mailbox.taken().len() > end.world.mailbox.messages().len(), "answers were lost");

    let posted = end.world.network.events();
    let told = counted(posted.iter().map(of_event));
    same(&told, &end.expected.events);
    assert!(end.world.network.taken().len() > posted.len(), "answers were lost");
    in_order("the webhook", &posted, &end.listed);
    in_order("the backend", &end.subscriber.events(), &end.listed);
    assert!(end.subscriber.deliveries() > end.listed.len(), "which was told some twice");

    for queue in [
        DeliveryQueue::EmailsWaiting,
        DeliveryQueue::EmailsParked,
        DeliveryQueue::EventsWaiting,
        DeliveryQueue::EventsParked,
    ] {
        let left = end.acme.organization.deliveries(queue, None, 10).await.unwrap().items;
        assert!(left.is_empty(), "{queue:?}: {left:?}");
    }
    let licences = end.acme.organization.licences().await.unwrap();
    assert_eq!((licences.manual, licences.scim), (2, end.active), "a seat for each active member");
    assert!(end.crashes > 20 && end.downtimes > 3 && end.created > 20 && end.tokens >= 4, "it was a life");
    assert!(end.world.now() >= crate::rules::world::BEGIN + DAYS * DAY);
}

fn counted(of: impl Iterator<Item = (String, String)>) -> Counts {
    let mut counts = Counts::new();
    of.for_each(|one| *counts.entry(one).or_default() += 1);
    counts
}

fn of_event(event: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&event["type"]), text(&event["subject"]["id"]))
}

/// Each that is expected came under one id, and no other.
fn same(told: &Counts, expected: &Counts) {
    let differences: Vec<_> = told
        .keys()
        .chain(expected.keys())
        .filter(|one| told.get(*one) != expected.get(*one))
        .map(|one| format!("{one:?}: {:?} times instead of {:?}", told.get(one), expected.get(one)))
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

/// All that is listed came, in the order of the list.
fn in_order(who: &str, events: &[Value], listed: &[String]) {
    let told: Vec<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    let place =
        told.iter().zip(listed).position(|(told, listed)| told != listed).unwrap_or(told.len().min(listed.len()));
    assert_eq!(told.len(), listed.len(), "{who} parts from the list at {place}: {:?}", events.get(place));
    assert_eq!(told.get(place), listed.get(place).map(String::as_str).as_ref(), "{who}: {:?}", events.get(place));
}
