//! P2: tokens, their windows, their status, and the refresh by hand.

use std::time::Duration;

use insomnia_scim::ActionError;
use insomnia_scim::connector::{ExpiryWindow, TokenStatus};
use sha2::{Digest as _, Sha256};

use crate::rules::organization::{Acme, CO_OWNER, OWNER, PASSPHRASE};
use crate::rules::world::{BEGIN, DAY, HOUR, MINUTE, World};

/// All that is in the files of the database.
pub(crate) fn database_bytes(world: &World) -> Vec<u8> {
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(world.directory()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    assert!(bytes.len() > 4_096, "there is a database");
    bytes
}

/// Whether the text occurs in the bytes.
pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    assert!(text.len() >= 8, "too short to be searched for: {text}");
    String::from_utf8_lossy(bytes).contains(text)
}

#[tokio::test]
async fn p2_each_window_ends_when_it_says() {
    let windows = [
        (ExpiryWindow::Days30, Some(30)),
        (ExpiryWindow::Days90, Some(90)),
        (ExpiryWindow::Days180, Some(180)),
        (ExpiryWindow::Year1, Some(365)),
        (ExpiryWindow::Years2, Some(730)),
        (ExpiryWindow::Never, None),
    ];
    let world = World::in_memory();
    let mut acme = Acme::enabled(&world.host().await, 9, ExpiryWindow::Days30).await;
    for (window, days) in windows {
        let issued = acme.organization.refresh_as_operator(Some(window), 0).await.unwrap();
        acme.token = issued.token;
        assert_eq!(issued.expires, days.map(|days| world.now() + days * DAY), "{window:?}");
        let status = acme.organization.status().await.unwrap();
        assert_eq!((status.window, status.expires), (Some(window), issued.expires));
        match issued.expires {
            Some(expires) => {
                world.clock.set(expires - 1);
                assert_eq!(acme.ping(&acme.token).await, 200, "{window:?}");
                world.clock.set(expires);
                assert_eq!(acme.ping(&acme.token).await, 401, "{window:?}");
            }
            None => {
                world.pass(20 * 365 * DAY);
                assert_eq!(acme.ping(&acme.token).await, 200, "{window:?}");
            }
        }
    }
}

#[tokio::test]
async fn p2_the_status_tells_how_the_token_stands() {
    let world = World::in_memory();
    let acme = Acme::enabled(&world.host().await, 9, ExpiryWindow::Days90).await;
    let at = async |time: u64| {
        world.clock.set(time);
        acme.organization.status().await.unwrap()
    };
    let status = at(BEGIN).await;
    assert_eq!((status.created, status.expires), (Some(BEGIN), Some(BEGIN + 90 * DAY)));
    assert_eq!((status.last_used, status.generation), (None, 1));
    assert_eq!(status.status, TokenStatus::Valid);
    assert_eq!(at(BEGIN + 70 * DAY - 1).await.status, TokenStatus::Valid, "more than 20 days are left");
    assert_eq!(at(BEGIN + 70 * DAY).await.status, TokenStatus::ExpiringSoon);
    assert_eq!(at(BEGIN + 90 * DAY - 1).await.status, TokenStatus::ExpiringSoon);
    assert_eq!(at(BEGIN + 90 * DAY).await.status, TokenStatus::Expired);
}

#[tokio::test]
async fn p2_last_used_is_kept_to_the_minute() {
    let world = World::in_memory();
    let acme = Acme::enabled(&world.host().await, 9, ExpiryWindow::Days90).await;
    world.pass(3 * HOUR + 7_000);
    acme.scim("GET", "/Users", None).await.is(200);
    let used = acme.organization.status().await.unwrap().last_used.unwrap();
    assert!(world.now() - used < MINUTE, "used {used}, now {}", world.now());
    world.pass(DAY);
    assert_eq!(acme.ping("insm_scim_wrong").await, 401);
    assert_eq!(acme.organization.status().await.unwrap().last_used, Some(used), "a wrong token uses nothing");
    assert_eq!(acme.ping(&acme.token).await, 200);
    assert!(world.now() - acme.organization.status().await.unwrap().last_used.unwrap() < MINUTE);
}

#[tokio::test]
async fn p2_an_expired_token_is_refused_with_an_error_that_says_so_and_nobody_loses_access() {
    let world = World::in_memory();
    let host = world.host().await;
    let mut acme = Acme::enabled(&host, 9, ExpiryWindow::Days30).await;
    let ada = acme.post_user("ada@acme.example").await.is(201).id();
    world.pass(30 * DAY);
    for (method, target) in [("GET", "/Users".to_owned()), ("DELETE", format!("/Users/{ada}"))] {
        let refused = acme.scim(method, &target, None).await.is(401);
        assert!(refused.detail().contains("The token has expired"), "{}", refused.body);
        assert_eq!(refused.body["status"], "401");
        assert!(refused.header("www-authenticate").is_some());
    }
    assert!(acme.organization.member(&ada).await.unwrap().active);
    acme.refresh().await;
    acme.scim("GET", &format!("/Users/{ada}"), None).await.is(200);
}

#[tokio::test]
async fn p2_a_token_has_a_recognisable_prefix_and_a_checksum() {
    let world = World::in_memory();
    let mut acme = Acme::enabled(&world.host().await, 9, ExpiryWindow::Days30).await;
    let mut tokens = vec![acme.token.clone()];
    for _ in 0..20 {
        acme.token = acme.organization.refresh_as_operator(None, 0).await.unwrap().token;
        tokens.push(acme.token.clone());
    }
    for token in &tokens {
        let (signed, checksum) = token.split_at(token.len() - 6);
        let random = signed.strip_prefix("insm_scim_").unwrap();
        assert_eq!((random.len(), checksum.len()), (43, 6));
        assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{token}");
        assert_eq!(self::checksum(signed), checksum, "{token}");
    }
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 21, "no token comes twice");
}

/// The first 32 bits of the SHA-256, in base 62, most significant digit first: what a secret scanner computes.
fn checksum(signed: &str) -> String {
    let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let hash = Sha256::digest(signed.as_bytes());
    let mut number = u32::from_be_bytes(hash[..4].try_into().unwrap());
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = alphabet[(number % 62) as usize];
        number /= 62;
    }
    String::from_utf8(digits.to_vec()).unwrap()
}

#[tokio::test]
async fn p2_only_the_hash_of_a_token_is_stored() {
    let world = World::on_disk();
    let host = world.host().await;
    let mut acme = Acme::enabled(&host, 9, ExpiryWindow::Days30).await;
    let mut tokens = vec![acme.token.clone()];
    acme.refresh().await;
    tokens.push(acme.token.clone());
    acme.scim("GET", "/Users", None).await.is(200);
    host.provisioner.flush().await.unwrap();
    let bytes = database_bytes(&world);
    for token in &tokens {
        assert!(!holds(&bytes, token) && !holds(&bytes, &token[10..30]), "a token is stored");
    }
    let hash: String = Sha256::digest(acme.token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(holds(&bytes, &hash), "its SHA-256 is");
}

#[tokio::test]
async fn p2_a_refresh_needs_the_actors_passphrase_and_ends_the_old_token_at_once() {
    let world = World::in_memory();
    let acme = Acme::enabled(&world.host().await, 9, ExpiryWindow::Days30).await;
    world.pass(DAY);
    let wrong = acme.organization.refresh(OWNER, "not the passphrase", None, 0).await;
    assert_eq!(wrong.unwrap_err(), ActionError::WrongPassphrase);
    assert_eq!(acme.ping(&acme.token).await, 200, "nothing has changed");
    let issued = acme.organization.refresh(CO_OWNER, PASSPHRASE, None, 0).await.unwrap();
    assert_eq!(issued.expires, Some(world.now() + 30 * DAY), "the window of the old token, from now on");
    assert_eq!((acme.ping(&acme.token).await, acme.ping(&issued.token).await), (401, 200));
    let status = acme.organization.status().await.unwrap();
    assert_eq!((status.generation, status.overlap_until), (2, None));
    assert_eq!(acme.event_types().await.last().unwrap(), "token.refreshed");
}

#[tokio::test]
async fn p2_with_an_overlap_the_old_token_stays_for_so_long_and_not_longer() {
    let world = World::in_memory();
    let acme = Acme::enabled(&world.host().await, 9, ExpiryWindow::Days30).await;
    let too_long = acme.organization.refresh(OWNER, PASSPHRASE, None, 86_401).await;
    assert!(matches!(too_long, Err(ActionError::Invalid(_))), "{too_long:?}");
    let issued = acme.organization.refresh(OWNER, PASSPHRASE, None, 86_400).await.unwrap();
    assert_eq!(acme.organization.status().await.unwrap().overlap_until, Some(world.now() + DAY));
    world.pass(DAY - 1);
    assert_eq!((acme.ping(&acme.token).await, acme.ping(&issued.token).await), (200, 200));
    world.pass(1);
    assert_eq!((acme.ping(&acme.token).await, acme.ping(&issued.token).await), (401, 200));
}

#[tokio::test]
async fn p2_an_overlap_does_not_lengthen_the_old_tokens_life() {
    let world = World::in_memory();
    let acme = Acme::enabled(&world.host().await, 9, ExpiryWindow::Days30).await;
    world.pass(30 * DAY - HOUR);
    let issued = acme.organization.refresh(OWNER, PASSPHRASE, None, 86_400).await.unwrap();
    world.pass(HOUR);
    assert_eq!((acme.ping(&acme.token).await, acme.ping(&issued.token).await), (401, 200));
}

#[tokio::test]
async fn p2_a_third_token_ends_the_overlap_of_the_first() {
    let world = World::in_memory();
    let acme = Acme::enabled(&world.host().await, 9, ExpiryWindow::Days30).await;
    let second = acme.organization.refresh_as_operator(None, 86_400).await.unwrap().token;
    let third = acme.organization.refresh_as_operator(None, 86_400).await.unwrap().token;
    let pings = [acme.ping(&acme.token).await, acme.ping(&second).await, acme.ping(&third).await];
    assert_eq!(pings, [401, 200, 200]);
}

#[tokio::test]
async fn p2_after_five_wrong_passphrases_the_next_try_has_to_wait() {
    let world = World::on_disk();
    let host = world.host().await;
    let acme = Acme::enabled(&host, 9, ExpiryWindow::Days30).await;
    for _ in 0..5 {
        let wrong = acme.organization.refresh(OWNER, "not the passphrase", None, 0).await;
        assert_eq!(wrong.unwrap_err(), ActionError::WrongPassphrase);
    }
    // The right one is not even looked at, on another host as little as on this one.
    let other = world.host().await;
    let mut last = 0;
    for round in 0..4 {
        for acme in [&acme, &acme.on(&other)] {
            let throttled = acme.organization.refresh(OWNER, PASSPHRASE, None, 0).await;
            let Err(ActionError::Throttled(seconds)) = throttled else { panic!("round {round}: {throttled:?}") };
            assert!(seconds > 0);
        }
        let Err(ActionError::Throttled(seconds)) = acme.organization.refresh(OWNER, PASSPHRASE, None, 0).await else {
            panic!("not throttled")
        };
        assert!(seconds > last, "each wrong try doubles the wait");
        last = seconds;
        world.clock.advance(Duration::from_secs(seconds.into()));
        if round < 3 {
            let wrong = acme.organization.refresh(OWNER, "not the passphrase", None, 0).await;
            assert_eq!(wrong.unwrap_err(), ActionError::WrongPassphrase);
        }
    }
    // Others are not held up by it, and waiting is all it takes.
    acme.organization.refresh(CO_OWNER, PASSPHRASE, None, 0).await.unwrap();
    acme.organization.refresh(OWNER, PASSPHRASE, None, 0).await.unwrap();
    let wrong = acme.organization.refresh(OWNER, "not the passphrase", None, 0).await;
    assert_eq!(wrong.unwrap_err(), ActionError::WrongPassphrase, "the count began anew");
}

#[tokio::test]
async fn p2_refresh_and_disable_hold_at_once_in_warm_instances_and_on_a_second_host() {
    let world = World::on_disk();
    let (first, second) = (world.host().await, world.host().await);
    let here = Acme::enabled(&first, 9, ExpiryWindow::Days30).await;
    let there = here.on(&second);
    // Both hosts have instances that know the token.
    for acme in [&here, &there, &here, &there] {
        assert_eq!(acme.ping(&here.token).await, 200);
    }
    let issued = here.organization.refresh(OWNER, PASSPHRASE, None, 0).await.unwrap();
    for acme in [&here, &there] {
        assert_eq!((acme.ping(&here.token).await, acme.ping(&issued.token).await), (401, 200));
    }
    there.organization.disable(OWNER).await.unwrap();
    for acme in [&here, &there] {
        assert_eq!(acme.ping(&issued.token).await, 401);
    }
}

#[tokio::test]
async fn p2_two_refreshes_at_the_same_time_leave_one_token_that_works() {
    let world = World::on_disk();
    let (first, second) = (world.host().await, world.host().await);
    let here = Acme::enabled(&first, 9, ExpiryWindow::Days30).await;
    let there = here.on(&second);
    let (one, two) =
        tokio::join!(here.organization.refresh_as_operator(None, 0), there.organization.refresh_as_operator(None, 0));
    let (one, two) = (one.unwrap().token, two.unwrap().token);
    let mut pings = [here.ping(&one).await, here.ping(&two).await];
    pings.sort_unstable();
    assert_eq!(pings, [200, 401]);
    assert_eq!(here.organization.status().await.unwrap().generation, 3);
}
