//! P4: initial passphrases, the forced change, and resets by email.

use insomnia_scim::ActionError;
use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::delivery::DeliveryQueue;
use insomnia_scim::directory::Role;
use serde_json::json;

use crate::rules::mailbox::Mailbox;
use crate::rules::organization::{Acme, OWNER, PASSPHRASE, person};
use crate::rules::tokens::{database_bytes, holds};
use crate::rules::world::{DAY, HOUR, Host, MINUTE, World};

const ADA: &str = "ada@acme.example";
const CHOSEN: &str = "chosen by ada herself";

async fn scene(world: &World) -> (Host, Acme) {
    let host = world.host().await;
    let acme = Acme::enabled(&host, 9, ExpiryWindow::Never).await;
    (host, acme)
}

/// The initial passphrases that were mailed to this address.
fn mailed(world: &World, address: &str) -> Vec<String> {
    let to = world.mailbox.messages().into_iter().filter(|message| message.to == address);
    to.filter_map(|message| Mailbox::passphrase_in(&message)).collect()
}

/// The token of the newest link that was mailed to this address.
fn link(world: &World, address: &str) -> String {
    let to = world
        .mailbox
        .messages()
        .into_iter()
        .rev()
        .find(|message| message.to == address && message.subject == "Reset your Insomnia passphrase");
    let text = to.unwrap().text;
    text.split("token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn p4_an_initial_passphrase_is_mailed_once_and_must_be_changed_at_the_first_sign_in() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    acme.post_user(ADA).await.is(201);
    world.live(&host, MINUTE).await;
    let passphrases = mailed(&world, ADA);
    assert_eq!(passphrases.len(), 1);
    assert_eq!(world.mailbox.taken().len(), 1, "nobody else is told");
    let initial = &passphrases[0];
    // Five groups of five out of 32 characters: 125 bits.
    assert_eq!(initial.split('-').map(str::len).collect::<Vec<_>>(), [5; 5], "{initial}");

    let signed_in = acme.organization.sign_in(ADA, initial).await.unwrap();
    assert!(signed_in.must_change);
    let same = acme.organization.change_passphrase(ADA, initial, initial).await;
    assert!(matches!(same, Err(ActionError::Invalid(_))), "{same:?}");
    let short = acme.organization.change_passphrase(ADA, initial, "elevenchars").await;
    assert!(matches!(short, Err(ActionError::Invalid(_))), "{short:?}");
    let wrong = acme.organization.change_passphrase(ADA, "not the initial one", CHOSEN).await;
    assert_eq!(wrong.unwrap_err(), ActionError::WrongPassphrase);
    acme.organization.change_passphrase(ADA, initial, CHOSEN).await.unwrap();
    assert!(!acme.organization.sign_in(ADA, CHOSEN).await.unwrap().must_change);
    assert_eq!(acme.organization.sign_in(ADA, initial).await.unwrap_err(), ActionError::WrongPassphrase);
    world.live(&host, 30 * DAY).await;
    assert_eq!(mailed(&world, ADA).len(), 1);
}

#[tokio::test]
async fn p4_every_member_gets_a_passphrase_of_their_own() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    for number in 0..6 {
        acme.post_user(&format!("u{number}@acme.example")).await.is(201);
    }
    world.live(&host, MINUTE).await;
    let mut passphrases: Vec<String> =
        (0..6).flat_map(|number| mailed(&world, &format!("u{number}@acme.example"))).collect();
    passphrases.sort_unstable();
    passphrases.dedup();
    assert_eq!(passphrases.len(), 6);
}

#[tokio::test]
async fn p4_no_passphrase_is_mailed_to_who_is_adopted_or_where_these_mails_are_off() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    acme.post_user(OWNER).await.is(201);
    assert_eq!(acme.organization.sign_in(OWNER, PASSPHRASE).await.unwrap().member.email, OWNER, "it is as it was");
    acme.change(|record| record.options.passphrase_emails = false).await;
    acme.post_user(ADA).await.is(201);
    world.live(&host, DAY).await;
    assert!(world.mailbox.taken().is_empty());
}

#[tokio::test]
async fn p4_who_is_provisioned_inactive_gets_the_passphrase_with_the_first_activation() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    let body = json!({"userName": ADA, "emails": [{"value": ADA}], "active": false});
    let id = acme.scim("POST", "/Users", Some(body)).await.is(201).id();
    world.live(&host, DAY).await;
    assert!(world.mailbox.taken().is_empty());
    for active in [true, false, true] {
        acme.patch(&format!("/Users/{id}"), json!({"active": active})).await.is(200);
        world.live(&host, DAY).await;
    }
    assert_eq!(mailed(&world, ADA).len(), 1);
}

#[tokio::test]
async fn p4_a_waiting_passphrase_is_sealed_and_forgotten_once_it_is_delivered() {
    let world = World::on_disk();
    let (host, acme) = scene(&world).await;
    world.mailbox.break_down();
    acme.post_user(ADA).await.is(201);
    world.live(&host, HOUR).await;
    let waiting = acme.organization.deliveries(DeliveryQueue::EmailsWaiting, None, 10).await.unwrap().items;
    assert_eq!(
        (waiting.len(), waiting[0].what.as_str(), waiting[0].to.as_deref()),
        (1, "initial-passphrase", Some(ADA))
    );
    let before = database_bytes(&world);
    world.mailbox.recover();
    world.live(&host, 2 * HOUR).await;
    let passphrase = mailed(&world, ADA).remove(0);
    assert!(!holds(&before, &passphrase), "it was readable while it waited");
    assert!(!holds(&database_bytes(&world), &passphrase));
    let left = acme.organization.deliveries(DeliveryQueue::EmailsWaiting, None, 10).await.unwrap().items;
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn p4_a_passphrase_that_was_changed_before_its_mail_left_is_not_mailed() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    world.mailbox.break_down();
    acme.post_user(ADA).await.is(201);
    acme.post_user("bob@acme.example").await.is(201);
    world.live(&host, MINUTE).await;
    acme.organization.set_passphrase(ADA, CHOSEN).await.unwrap();
    acme.organization.remove_member("bob@acme.example").await.unwrap();
    world.mailbox.recover();
    world.live(&host, DAY).await;
    assert!(world.mailbox.taken().is_empty());
}

#[tokio::test]
async fn p4_a_lost_passphrase_is_reset_by_a_link_that_works_once() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    acme.organization.request_passphrase_reset(OWNER, "https://scim.example/reset?x=1").await.unwrap();
    world.live(&host, MINUTE).await;
    let text = world.mailbox.messages().remove(0).text;
    assert!(text.contains("https://scim.example/reset?x=1&token="), "{text}");
    let token = link(&world, OWNER);
    let unfit = acme.organization.reset_passphrase(&token, "short").await;
    assert!(matches!(unfit, Err(ActionError::Invalid(_))), "{unfit:?}");
    assert_eq!(acme.organization.reset_passphrase(&token, CHOSEN).await.unwrap().email, OWNER);
    assert!(acme.organization.sign_in(OWNER, CHOSEN).await.is_ok());
    assert_eq!(acme.organization.sign_in(OWNER, PASSPHRASE).await.unwrap_err(), ActionError::WrongPassphrase);
    let again = acme.organization.reset_passphrase(&token, "yet another passphrase").await;
    assert!(matches!(again, Err(ActionError::Invalid(_))), "{again:?}");
    assert!(acme.organization.sign_in(OWNER, CHOSEN).await.is_ok());
}

#[tokio::test]
async fn p4_a_link_works_for_24_hours_whoever_asks_for_another_and_none_does_after_one_was_used() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    let request = async || {
        acme.organization.request_passphrase_reset(OWNER, "https://scim.example/reset").await.unwrap();
        world.live(&host, 11 * MINUTE).await;
        link(&world, OWNER)
    };
    let first = request().await;
    world.pass(DAY);
    assert!(acme.organization.reset_passphrase(&first, CHOSEN).await.is_err(), "24 hours are over");
    let second = request().await;
    let third = request().await;
    assert_ne!(second, third);
    world.pass(DAY - 23 * MINUTE);
    acme.organization.reset_passphrase(&second, CHOSEN).await.unwrap();
    assert!(acme.organization.reset_passphrase(&third, "yet another passphrase").await.is_err());
}

#[tokio::test]
async fn p4_asking_for_a_link_tells_nobody_who_is_a_member_and_floods_nobody() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    let id = acme.post_user(ADA).await.is(201).id();
    acme.patch(&format!("/Users/{id}"), json!({"active": false})).await.is(200);
    for who in ["nobody@acme.example", ADA, OWNER, OWNER, OWNER] {
        acme.organization.request_passphrase_reset(who, "https://scim.example/reset").await.unwrap();
    }
    world.live(&host, HOUR).await;
    let links: Vec<String> = world
        .mailbox
        .messages()
        .into_iter()
        .filter(|message| message.subject.starts_with("Reset"))
        .map(|message| message.to)
        .collect();
    assert_eq!(links, [OWNER]);
}

#[tokio::test]
async fn p4_a_member_added_by_hand_without_a_passphrase_gets_one_by_mail_too() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    acme.organization.add_member(person("bob@acme.example", Role::Member, None)).await.unwrap();
    world.live(&host, MINUTE).await;
    let initial = mailed(&world, "bob@acme.example").remove(0);
    assert!(acme.organization.sign_in("bob@acme.example", &initial).await.unwrap().must_change);
}

#[tokio::test]
async fn p4_a_deactivated_member_can_not_sign_in_and_a_reactivated_one_can() {
    let world = World::in_memory();
    let (_host, acme) = scene(&world).await;
    let id = acme.post_user(ADA).await.is(201).id();
    acme.organization.set_passphrase(ADA, CHOSEN).await.unwrap();
    acme.patch(&format!("/Users/{id}"), json!({"active": false})).await.is(200);
    assert_eq!(acme.organization.sign_in(ADA, CHOSEN).await.unwrap_err(), ActionError::WrongPassphrase);
    acme.patch(&format!("/Users/{id}"), json!({"active": true})).await.is(200);
    assert!(!acme.organization.sign_in(ADA, CHOSEN).await.unwrap().must_change);
}
