//! Sends the emails of the outbox: each to one recipient, at least once, and with the same Message-ID in every attempt.

use super::Budget;
use super::letters::{self, Facts};
use super::schedule::{DOWNTIME, EMAIL, LONGEST_PAUSE};
use crate::capability::{EmailError, Host, Message};
use crate::provisioning::{guard, passphrase};
use crate::store::{Batch, Lease, Letter, OutboxRecord, Sealed, Sink, Store, StoreError, StoredEmail, encode, keys};
use crate::text::cut;

/// The most emails that one run examines.
const MOST: u32 = 50;
/// How long the lease of the outbox lasts unless the host renews it, in milliseconds. If a host is killed while
/// sending, no other host sends emails for this time.
pub(super) const LEASE: u64 = LONGEST + 5_000;
/// The longest time that one email may take, in milliseconds. No email is begun later than this before the lease ends.
const LONGEST: u64 = 40_000;
/// After this many failures in a row, the mail system counts as out of order.
const OUTAGE: u32 = 3;
/// The longest error text that is stored, in bytes.
const LONGEST_ERROR: usize = 500;

/// Sends the emails that are due; returns when the next one is due.
pub(super) fn run(host: Host<'_>, store: &Store<'_>, budget: &Budget<'_>) -> Result<Option<u64>, StoreError> {
    let now = host.clock.now();
    match store.next_email(now, LONGEST_PAUSE)? {
        Some(due) if due <= now => {}
        later => return Ok(later),
    }
    if budget.is_spent(host) {
        return Ok(Some(now));
    }
    let mut lease = match store.take_lease("email", now, LEASE)? {
        Ok(lease) => lease,
        // The holder of the lease will say when the next email is due. This is the time to check in case that host is
        // killed.
        Err(at) => return Ok(Some(at)),
    };
    let is_out = send_due(host, store, &mut lease, budget)?;
    let failures = if is_out { lease.failures().saturating_add(1) } else { 0 };
    let now = host.clock.now();
    let pause = if is_out { now + EMAIL.pause(store, failures) } else { 0 };
    if !store.release_lease(&lease, pause, failures)? {
        return Ok(Some(now));
    }
    Ok(store.next_email(now, LONGEST_PAUSE)?.map(|due| due.max(pause)))
}

/// Sends a part of the emails that are due; returns whether the mail system is out of order.
fn send_due(host: Host<'_>, store: &Store<'_>, lease: &mut Lease, budget: &Budget<'_>) -> Result<bool, StoreError> {
    let emails = store.due_emails(host.clock.now(), LONGEST_PAUSE, MOST)?;
    let organization = store.organization()?.map(|stored| stored.record.name).unwrap_or_default();
    let (mut failed, mut long_out) = (0, false);
    for (index, stored) in emails.iter().enumerate() {
        let now = host.clock.now();
        if budget.is_spent(host) || (budget.is_turn_over(host) && store.is_event_due(Sink::Webhook)?) {
            return Ok(false);
        }
        if !store.renew_lease(lease, now, now + LONGEST)? {
            return Ok(false);
        }
        let Some(email) = prepare(host, store, stored, &organization, budget.context.page_url.as_deref())? else {
            continue;
        };
        match host.mailer.send(&email) {
            Ok(()) => {
                forget(store, stored)?;
                failed = 0;
            }
            Err(EmailError::NotConfigured) => {
                // All other emails would fail in the same way.
                park_all(store, emails.get(index..).unwrap_or_default(), &EmailError::NotConfigured.to_string())?;
                return Ok(false);
            }
            Err(error @ EmailError::Rejected(_)) => {
                park_all(store, std::slice::from_ref(stored), &error.to_string())?;
                failed = 0;
            }
            // Only this email failed: a refused recipient does not mean that the mail system is out of order.
            Err(error @ EmailError::Other(_)) => {
                postpone(host, store, stored, lease, &error.to_string())?;
                failed = 0;
            }
            Err(error @ EmailError::Unavailable(_)) => {
                let now = host.clock.now();
                long_out |= was_tried_for_long(&tried(stored, lease, now), now);
                postpone(host, store, stored, lease, &error.to_string())?;
                failed += 1;
            }
        }
        if failed == OUTAGE {
            let now = host.clock.now();
            // The emails behind were not tried themselves, so they are treated like those that were.
            let is_old =
                |email: &&StoredEmail| long_out && email.record.since.saturating_add(EMAIL.given_up_after) <= now;
            let old: Vec<_> = emails.iter().skip(index + 1).filter(is_old).cloned().collect();
            park_all(store, &old, "the mail system was out of order for three days")?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// The email to be sent; `None` if it is no longer needed or can't be sent, which is then recorded.
fn prepare(
    host: Host<'_>,
    store: &Store<'_>,
    stored: &StoredEmail,
    organization: &str,
    page_url: Option<&str>,
) -> Result<Option<Message>, StoreError> {
    let record = &stored.record;
    let mut waiting = None;
    match &record.letter {
        // The member was deleted, or has another passphrase by now.
        Letter::InitialPassphrase { member, .. } if !passphrase::is_initial(store, member)? => {
            forget(store, stored)?;
            return Ok(None);
        }
        Letter::PassphraseReset { expires, .. } if *expires <= host.clock.now() => {
            park_all(store, std::slice::from_ref(stored), "the link expired before the email could be sent")?;
            return Ok(None);
        }
        Letter::GuardHeld => {
            waiting = guard::waiting(store)?;
            // All removals were decided about meanwhile, or the guard was switched off.
            if waiting.is_none() {
                forget(store, stored)?;
                return Ok(None);
            }
        }
        _ => {}
    }
    let secret = match letters::secret(&record.letter).map(|secret| store.open(secret)).transpose() {
        Ok(secret) => secret.unwrap_or_default(),
        Err(error) => {
            park_all(store, std::slice::from_ref(stored), &error)?;
            return Ok(None);
        }
    };
    let facts = Facts { organization, to: &record.to, page_url, secret: &secret, waiting: waiting.as_ref() };
    let content = letters::render(&record.letter, &facts);
    Ok(Some(Message {
        id: record.id.clone(),
        date: record.created,
        to: record.to.clone(),
        subject: content.subject,
        text: content.text,
        html: content.html,
    }))
}

/// Deletes an email that was sent or is no longer needed, in particular because of its passphrase.
fn forget(store: &Store, stored: &StoredEmail) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.remove(stored.key.clone(), Some(stored.version));
    store.commit_unless_changed(batch)
}

fn postpone(
    host: Host<'_>,
    store: &Store<'_>,
    stored: &StoredEmail,
    lease: &Lease,
    error: &str,
) -> Result<(), StoreError> {
    let now = host.clock.now();
    let tried = tried(stored, lease, now);
    if was_tried_for_long(&tried, now) {
        return park_all(store, std::slice::from_ref(stored), error);
    }
    let attempts = tried.attempts.saturating_add(1);
    let record = OutboxRecord { attempts, error: Some(shortened(error)), ..tried };
    let due = now + EMAIL.pause(store, attempts);
    let mut batch = Batch::new();
    batch.remove(stored.key.clone(), Some(stored.version));
    batch.put(keys::outbox(due, &record.id), encode(&record)?);
    batch.wake_at(due);
    store.commit_unless_changed(batch)
}

/// The email with the start of its three days: they begin with the first attempt, and a downtime of the hosts does not
/// count. An email that waits behind others while the mail system is out of order is not in a downtime.
fn tried(stored: &StoredEmail, lease: &Lease, now: u64) -> OutboxRecord {
    let due = keys::time_of(&stored.key, "outbox/").unwrap_or(now).max(lease.planned());
    let since = match stored.record.attempts {
        0 => now,
        _ => stored.record.since.min(now) + now.saturating_sub(due.saturating_add(DOWNTIME)),
    };
    OutboxRecord { since, ..stored.record.clone() }
}

fn was_tried_for_long(record: &OutboxRecord, now: u64) -> bool {
    record.attempts > 0 && record.since.saturating_add(EMAIL.given_up_after) <= now
}

/// Parks emails until somebody tries them again. One with an expired link is deleted.
fn park_all(store: &Store, emails: &[StoredEmail], error: &str) -> Result<(), StoreError> {
    if emails.is_empty() {
        return Ok(());
    }
    let mut batch = Batch::new();
    for stored in emails {
        let attempts = stored.record.attempts.saturating_add(1);
        let mut record = OutboxRecord { attempts, error: Some(shortened(error)), ..stored.record.clone() };
        if let Letter::PassphraseReset { link, expires, .. } = &mut record.letter
            && *expires <= store.now()
        {
            *link = Sealed::Plain(String::new());
        }
        batch.remove(stored.key.clone(), Some(stored.version));
        batch.put(keys::outbox_parked(&record.id), encode(&record)?);
    }
    store.commit_unless_changed(batch)
}

pub(super) fn shortened(text: &str) -> String {
    cut(text, LONGEST_ERROR).to_owned()
}
