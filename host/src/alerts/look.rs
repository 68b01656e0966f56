//! Looks at all organizations and at the observations of hosts, and stores which alerts begin, last and end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::book::{About, Book, Found, Sight, Stored};
use super::cause::AlertCause;
use super::state::{State, after};
use crate::capability::storage::{OrganizationId, StorageError};
use crate::fleet::{FleetTrouble, Standing};
use crate::provisioner::Provisioner;
use crate::timestamp::date;

/// How many organizations are examined before other work gets its turn.
const AT_ONCE: u32 = 50;
/// The longest pause after this many organizations.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long an observation of a host is valid, in milliseconds.
const COUNTS: u64 = 15 * 60 * 1_000;
/// How long an observation of wrong sign-ins is valid, in milliseconds. An attacker who guesses is slowed down, so the
/// next observation may take longer.
const SIGN_INS_COUNT: u64 = 60 * 60 * 1_000;

/// Looks at all organizations once, one after another. After each page it pauses for as long as the page has taken (but
/// at most two seconds), so that other work gets its turn.
///
/// # Errors
/// Those of the storage. The organizations that were examined before count.
pub(super) async fn look(provisioner: &Provisioner, book: Book<'_>) -> Result<(), StorageError> {
    let mut after = None::<OrganizationId>;
    loop {
        let begun = Instant::now();
        let page = provisioner.fleet(after.as_ref(), AT_ONCE).await?;
        let last = page.last().filter(|_| page.len() == AT_ONCE as usize).map(|last| OrganizationId::parse(&last.id));
        let last = last.transpose().map_err(|error| StorageError::Other(error.to_string()))?;
        let stored =
            book.of_fleet(after.as_ref().map(OrganizationId::as_str), last.as_ref().map(OrganizationId::as_str));
        let (found, unknown) = found(&page);
        let changes = changes(stored.await?, found, &unknown, provisioner.clock().now());
        book.write(Found::Fleet, changes).await?;
        if last.is_none() {
            return Ok(());
        }
        after = last;
        sleep(begun.elapsed().min(LONGEST_PAUSE)).await;
    }
}

/// The alerts of these organizations, and the organizations whose component gave no answer. Alerts of the latter stay
/// as they were.
fn found(page: &[Standing]) -> (BTreeMap<About, Option<String>>, BTreeSet<String>) {
    let (mut found, mut unknown) = (BTreeMap::new(), BTreeSet::new());
    for standing in page {
        for trouble in &standing.troubles {
            let detail = match trouble {
                FleetTrouble::TokenExpired | FleetTrouble::TokenExpiringSoon => standing.token_expires.map(date),
                FleetTrouble::SeatsFull => Some(format!("{} of {} seats", standing.taken, standing.seats)),
                _ => None,
            };
            found.insert(About::new((*trouble).into(), &standing.id), detail);
        }
        if standing.troubles.contains(&FleetTrouble::NoAnswer) {
            unknown.insert(standing.id.clone());
        }
    }
    (found, unknown)
}

/// Takes over the recent observations of hosts.
///
/// # Errors
/// Those of the storage.
pub(super) async fn take_over(book: Book<'_>, now: u64) -> Result<(), StorageError> {
    let (counted, past) = counted(book.sights().await?, now);
    let changes = changes(book.of_seen().await?, counted, &BTreeSet::new(), now);
    book.write(Found::Seen, changes).await?;
    book.forget(&past).await
}

/// The observations that are valid, and those that are too old.
fn counted(sights: BTreeMap<About, Sight>, now: u64) -> (BTreeMap<About, Option<String>>, Vec<About>) {
    let (mut counted, mut past) = (BTreeMap::new(), Vec::new());
    for (about, Sight { at, detail }) in sights {
        let counts = if about.cause == AlertCause::WrongSignIns { SIGN_INS_COUNT } else { COUNTS };
        // If a clock was wrong, the observation may be in the future.
        if now.abs_diff(at) < counts {
            counted.insert(about, detail);
        } else {
            past.push(about);
        }
    }
    (counted, past)
}

/// The new states of stored alerts, and the alerts that begin. Alerts of `unknown` organizations stay even if they were
/// not found.
fn changes(
    stored: Vec<Stored>,
    found: BTreeMap<About, Option<String>>,
    unknown: &BTreeSet<String>,
    now: u64,
) -> Vec<(About, Option<Stored>, Option<State>)> {
    let mut before: BTreeMap<About, Stored> = stored.into_iter().map(|stored| (stored.about.clone(), stored)).collect();
    let mut changes = Vec::new();
    let mut step = |about: About, known: Option<Stored>, found: Option<Option<String>>| {
        let was = known.as_ref().map(|known| known.state.clone());
        let is = after(was.clone(), found, about.cause.may_pass(), now);
        if was != is {
            changes.push((about, known, is));
        }
    };
    for (about, detail) in found {
        let known = before.remove(&about);
        step(about, known, Some(detail));
    }
    for (about, known) in before {
        if !unknown.contains(&about.subject) {
            step(about, Some(known), None);
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::state::Phase;
    use crate::connector::TokenStatus;
    use crate::storage::MemoryStorage;

    const NOW: u64 = 1_800_000_000_000;

    fn standing(id: &str, troubles: &[FleetTrouble]) -> Standing {
        Standing {
            id: id.into(),
            created: 0,
            name: None,
            plan: None,
            seats: 2,
            taken: 2,
            token: TokenStatus::Valid,
            token_expires: Some(NOW),
            identity_provider: None,
            last_request: None,
            troubles: troubles.to_vec(),
        }
    }

    /// The alerts after these organizations were examined.
    async fn looked(book: Book<'_>, page: &[Standing]) -> Vec<(String, AlertCause, Phase)> {
        let (found, unknown) = found(page);
        let changes = changes(book.of_fleet(None, None).await.unwrap(), found, &unknown, NOW);
        book.write(Found::Fleet, changes).await.unwrap();
        let stored = book.of_fleet(None, None).await.unwrap();
        stored.into_iter().map(|stored| (stored.about.subject, stored.about.cause, stored.state.phase)).collect()
    }

    #[tokio::test]
    async fn p9_what_a_look_finds_are_alerts_and_an_organization_without_an_answer_keeps_those_it_has() {
        let storage = MemoryStorage::new();
        let book = Book(&storage);
        let troubles = [FleetTrouble::SeatsFull, FleetTrouble::WebhookFailing];
        let first = looked(book, &[standing("acme", &troubles), standing("quiet", &[])]).await;
        let (on, suspected) = (Phase::On, Phase::Suspected);
        let acme = |cause, phase| ("acme".to_owned(), cause, phase);
        assert_eq!(first, [acme(AlertCause::SeatsFull, on), acme(AlertCause::WebhookFailing, suspected)]);
        let silent = looked(book, &[standing("acme", &[FleetTrouble::NoAnswer])]).await;
        let expected = [
            acme(AlertCause::NoAnswer, suspected),
            acme(AlertCause::SeatsFull, on),
            acme(AlertCause::WebhookFailing, suspected),
        ];
        assert_eq!(silent, expected);
        // An alert of a deleted organization ends like one whose problem is solved.
        assert_eq!(looked(book, &[]).await, [acme(AlertCause::SeatsFull, Phase::Fading { at: NOW })]);
        assert_eq!(looked(book, &[]).await, [acme(AlertCause::SeatsFull, Phase::Over { at: NOW })]);
    }

    #[test]
    fn p9_what_a_host_has_seen_counts_for_a_while_and_is_forgotten_then() {
        let sight = |cause, at| (About::new(cause, "acme"), Sight { at, detail: None });
        let sights =
            |at: u64| BTreeMap::from([sight(AlertCause::QuotaUsedUp, at), sight(AlertCause::WrongSignIns, at)]);
        for (at, counted_number) in [(NOW, 2), (NOW - COUNTS, 1), (NOW - SIGN_INS_COUNT, 0), (NOW + SIGN_INS_COUNT, 0)]
        {
            let (counted, past) = counted(sights(at), NOW);
            assert_eq!((counted.len(), past.len()), (counted_number, 2 - counted_number), "{at}");
        }
    }
}
