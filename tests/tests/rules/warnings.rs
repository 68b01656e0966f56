//! P2: warnings that a token expires, and the words that describe its state.

use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::connector::IdentityProvider;
use insomnia_scim::directory::Role;

use crate::rules::organization::{Acme, CO_OWNER, OWNER, person};
use crate::rules::world::{BASE_URL, BEGIN, DAY, HOUR, MINUTE, World};

/// The subject of a warning so many days before the expiry; of the last word with 0.
fn subject(days: u32) -> String {
    match days {
        0 => "The SCIM token of Acme has expired: syncing has stopped".into(),
        1 => "The SCIM token of Acme expires in 1 day".into(),
        _ => format!("The SCIM token of Acme expires in {days} days"),
    }
}

fn subjects(days: &[u32]) -> Vec<String> {
    days.iter().map(|days| subject(*days)).collect()
}

#[tokio::test]
async fn p2_warnings_come_20_10_5_2_and_1_days_before_the_expiry_and_once_after_it() {
    let world = World::in_memory();
    let host = world.host().await;
    Acme::enabled(&host, 9, ExpiryWindow::Days90).await;
    for (day, told) in [(70, 20), (80, 10), (85, 5), (88, 2), (89, 1), (90, 0)] {
        let before = world.mailbox.taken().len();
        world.live_until(&host, BEGIN + day * DAY - 1).await;
        assert_eq!(world.mailbox.taken().len(), before, "nothing before day {day}");
        world.live_until(&host, BEGIN + day * DAY + MINUTE).await;
        let new: Vec<_> = world.mailbox.taken().split_off(before);
        let mut told_to: Vec<&str> = new.iter().map(|message| message.to.as_str()).collect();
        told_to.sort_unstable();
        assert_eq!(told_to, [CO_OWNER, OWNER], "day {day}");
        assert!(new.iter().all(|message| message.subject == subject(told)), "day {day}: {new:?}");
    }
    world.live(&host, 200 * DAY).await;
    assert_eq!(world.mailbox.subjects_to(OWNER), subjects(&[20, 10, 5, 2, 1, 0]), "and nothing after it");
    assert_eq!(world.mailbox.taken().len(), 12);
}

#[tokio::test]
async fn p2_a_warning_names_the_expiry_and_what_to_do() {
    let world = World::in_memory();
    let host = world.host().await;
    Acme::enabled(&host, 9, ExpiryWindow::Days30).await;
    world.live(&host, 10 * DAY + MINUTE).await;
    let message = world.mailbox.taken().remove(0);
    assert!(message.text.contains("2026-02-04 12:00 UTC"), "{}", message.text);
    assert!(message.text.contains("Refresh Token"), "{}", message.text);
    let page = format!("{BASE_URL}/organizations/acme/scim");
    assert!(message.text.contains(&page), "{}", message.text);
    assert!(message.html.contains("<html") && message.html.contains(&page));
    assert!(world.now() - message.date < 2 * MINUTE, "{}", message.date);
}

#[tokio::test]
async fn p2_every_active_co_owner_is_warned_and_nobody_else() {
    let world = World::in_memory();
    let host = world.host().await;
    let acme = Acme::enabled(&host, 9, ExpiryWindow::Days30).await;
    acme.change(|record| record.options.passphrase_emails = false).await;
    for (email, role) in
        [("second@acme.example", Role::CoOwner), ("gone@acme.example", Role::CoOwner), ("m@acme.example", Role::Member)]
    {
        acme.organization.add_member(person(email, role, None)).await.unwrap();
    }
    acme.organization.remove_member("gone@acme.example").await.unwrap();
    let demoted = acme.organization.set_role(CO_OWNER, Role::Member).await.unwrap();
    assert_eq!(demoted.role, Role::Member);
    world.live(&host, 10 * DAY + MINUTE).await;
    let mut to: Vec<String> = world.mailbox.taken().into_iter().map(|message| message.to).collect();
    to.sort_unstable();
    assert_eq!(to, [OWNER, "second@acme.example"]);
}

#[tokio::test]
async fn p2_after_a_downtime_over_several_thresholds_there_is_one_mail_and_not_five() {
    let world = World::on_disk();
    let host = world.host().await;
    Acme::enabled(&host, 9, ExpiryWindow::Days90).await;
    world.live(&host, DAY).await;
    drop(host);
    world.pass_until(86 * DAY + 6 * HOUR);
    let host = world.host().await;
    world.live(&host, HOUR).await;
    // It says how many days are really left, and not which threshold has passed.
    assert_eq!(world.mailbox.subjects_to(OWNER), subjects(&[4]));
    assert_eq!(world.mailbox.subjects_to(CO_OWNER), subjects(&[4]));
    world.live_until(&host, BEGIN + 100 * DAY).await;
    assert_eq!(world.mailbox.subjects_to(OWNER), subjects(&[4, 2, 1, 0]));
}

#[tokio::test]
async fn p2_after_a_downtime_over_the_expiry_only_the_last_word_is_said() {
    let world = World::on_disk();
    let host = world.host().await;
    let acme = Acme::enabled(&host, 9, ExpiryWindow::Days30).await;
    world.live(&host, DAY).await;
    drop(host);
    world.pass_until(50 * DAY);
    let host = world.host().await;
    world.live(&host, 30 * DAY).await;
    assert_eq!(world.mailbox.subjects_to(OWNER), subjects(&[0]));
    let told: Vec<String> =
        acme.on(&host).event_types().await.into_iter().filter(|kind| kind.starts_with("token.")).collect();
    assert_eq!(told, ["token.expired"]);
}

#[tokio::test]
async fn p2_each_warning_is_sent_once_however_often_hosts_restart() {
    let world = World::on_disk();
    let mut host = world.host().await;
    Acme::enabled(&host, 9, ExpiryWindow::Days30).await;
    for hours in 0..16 {
        drop(host);
        host = world.host().await;
        world.live_until(&host, BEGIN + 10 * DAY + hours * 40 * HOUR).await;
    }
    assert_eq!(world.mailbox.subjects_to(OWNER), subjects(&[20, 10, 5, 2, 1, 0]));
    assert_eq!(world.mailbox.taken().len(), 12, "none came twice either");
}

#[tokio::test]
async fn p2_two_hosts_at_the_same_time_send_each_warning_once() {
    let world = World::on_disk();
    let (first, second) = (world.host().await, world.host().await);
    Acme::enabled(&first, 9, ExpiryWindow::Days30).await;
    for day in [10, 20, 25, 28, 29, 30] {
        world.pass_until(day * DAY + MINUTE);
        for _ in 0..3 {
            let (one, two) = tokio::join!(first.provisioner.run_all_due(), second.provisioner.run_all_due());
            one.unwrap();
            two.unwrap();
            world.pass(2 * MINUTE);
        }
    }
    assert_eq!(world.mailbox.subjects_to(OWNER), subjects(&[20, 10, 5, 2, 1, 0]));
    assert_eq!(world.mailbox.subjects_to(CO_OWNER), subjects(&[20, 10, 5, 2, 1, 0]));
    assert_eq!(world.mailbox.taken().len(), 12, "none came twice either");
}

#[tokio::test]
async fn p2_a_new_token_is_warned_of_anew_and_the_old_one_no_more() {
    let world = World::in_memory();
    let host = world.host().await;
    let mut acme = Acme::enabled(&host, 9, ExpiryWindow::Days30).await;
    world.live(&host, 21 * DAY).await;
    assert_eq!(world.mailbox.subjects_to(OWNER), subjects(&[20, 10]));
    acme.refresh().await;
    world.live(&host, 10 * DAY - MINUTE).await;
    assert_eq!(world.mailbox.subjects_to(OWNER), subjects(&[20, 10]), "the old token's end is nobody's concern");
    world.live(&host, 2 * MINUTE).await;
    assert_eq!(world.mailbox.subjects_to(OWNER), subjects(&[20, 10, 20]));
}

#[tokio::test]
async fn p2_a_disabled_connector_warns_of_nothing_and_an_enabled_one_again() {
    let world = World::in_memory();
    let host = world.host().await;
    let acme = Acme::enabled(&host, 9, ExpiryWindow::Days30).await;
    acme.organization.disable(OWNER).await.unwrap();
    world.live(&host, 40 * DAY).await;
    assert!(world.mailbox.taken().is_empty());
    acme.organization.enable(OWNER, IdentityProvider::Okta, ExpiryWindow::Days30).await.unwrap();
    world.live(&host, 10 * DAY + MINUTE).await;
    assert_eq!(world.mailbox.subjects_to(OWNER), subjects(&[20]));
}

#[tokio::test]
async fn p2_a_token_that_never_expires_is_never_warned_of() {
    let world = World::in_memory();
    let host = world.host().await;
    Acme::enabled(&host, 9, ExpiryWindow::Never).await;
    world.live(&host, 800 * DAY).await;
    assert!(world.mailbox.taken().is_empty());
}

#[tokio::test]
async fn p2_warnings_are_events_with_the_days_that_are_left() {
    let world = World::in_memory();
    let host = world.host().await;
    let acme = Acme::enabled(&host, 9, ExpiryWindow::Days30).await;
    world.live(&host, 31 * DAY).await;
    let events = acme.events().await;
    let days: Vec<u64> = events
        .iter()
        .filter(|event| event["type"] == "token.expiring")
        .map(|event| event["data"]["daysLeft"].as_u64().unwrap())
        .collect();
    assert_eq!(days, [20, 10, 5, 2, 1]);
    let expired: Vec<_> = events.iter().filter(|event| event["type"] == "token.expired").collect();
    assert_eq!(expired.len(), 1);
    assert_eq!((&expired[0]["actor"], &expired[0]["subject"]["id"]), (&"system".into(), &"1".into()));
    assert_eq!(expired[0]["data"]["expires"], "2026-02-04T12:00:00.000Z");
}
