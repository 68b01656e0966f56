//! Sends each receiver what is new to it, at least once.
//!
//! The alert's record says what was sent. It is updated after the receiver has accepted the message. If the host is
//! killed in between, the message is sent again with the same id. If a receiver accepts nothing, it is tried again
//! after a pause that grows from five seconds to an hour. Meanwhile the other receivers get their messages.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::time::timeout;

use super::book::{Book, Stored};
use super::message::{Contents, Item, Origin, body, id, letter};
use super::settings::{AlertWebhook, Alerts};
use super::state::Phase;
use crate::capability::email::Mailer;
use crate::capability::http::OutgoingRequest;
use crate::capability::storage::{OrganizationId, StorageError};
use crate::hourly::warn_hourly;

/// The first pause after a receiver has accepted nothing, in milliseconds.
const FIRST_PAUSE: u64 = 5_000;
/// The longest pause, in milliseconds.
const LONGEST_PAUSE: u64 = 60 * 60 * 1_000;
/// How long a webhook may take.
const LONGEST: Duration = Duration::from_secs(15);
/// How long the mail system may take. It has a limit of its own; this one applies if that one fails.
const LONGEST_MAIL: Duration = Duration::from_secs(90);
/// The most alerts in the body of a webhook.
const OF_WEBHOOK: usize = 200;
/// The most alerts in an email, which names 20 of each cause.
const OF_MAIL: usize = 5_000;

/// Receivers that have accepted nothing in their last try.
#[derive(Debug, Default)]
pub(super) struct Failing(Mutex<HashMap<String, Failed>>);

#[derive(Clone, Copy, Debug, Default)]
struct Failed {
    times: u32,
    again_at: u64,
}

impl Failing {
    /// When the receiver is tried next, if that is later than now.
    fn waits(&self, receiver: &str, now: u64) -> Option<u64> {
        let again_at = self.lock().get(receiver)?.again_at;
        // A wrong clock may have set the time far ahead.
        (again_at > now && again_at - now <= LONGEST_PAUSE).then_some(again_at)
    }

    fn failed(&self, receiver: &str, now: u64) -> u64 {
        let mut failing = self.lock();
        let failed = failing.entry(receiver.to_owned()).or_default();
        let pause = FIRST_PAUSE.saturating_mul(1 << failed.times.min(20)).min(LONGEST_PAUSE);
        *failed = Failed { times: failed.times.saturating_add(1), again_at: now.saturating_add(pause) };
        failed.again_at
    }

    fn took(&self, receiver: &str) {
        self.lock().remove(receiver);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Failed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The settings and services for sending.
pub(super) struct Teller<'t> {
    pub(super) settings: &'t Alerts,
    pub(super) mailer: &'t dyn Mailer,
    pub(super) origin: Origin<'t>,
    pub(super) failing: &'t Failing,
}

/// A receiver.
#[derive(Clone, Copy)]
enum Receiver<'r> {
    Address(&'r str),
    Webhook(&'r AlertWebhook),
}

impl Receiver<'_> {
    /// The name under which alerts record what the receiver was told, as in [`Alerts::receivers`].
    fn name(self) -> String {
        match self {
            Self::Address(address) => format!("mail:{address}"),
            Self::Webhook(webhook) => webhook.name(),
        }
    }

    fn at_once(self) -> usize {
        match self {
            Self::Address(_) => OF_MAIL,
            Self::Webhook(_) => OF_WEBHOOK,
        }
    }
}

impl Teller<'_> {
    fn receivers(&self) -> impl Iterator<Item = Receiver<'_>> {
        let addresses = self.settings.addresses.iter().map(|address| Receiver::Address(address));
        addresses.chain(self.settings.webhook.as_ref().map(Receiver::Webhook))
    }

    /// Whether a receiver must be told of this alert, or it is over and can be deleted.
    pub(super) fn has_news(&self, stored: &Stored) -> bool {
        let is_new = |receiver: Receiver<'_>| stored.state.news(&receiver.name(), self.origin.now).is_some();
        self.is_done(stored) || (!self.is_left_out(stored) && self.receivers().any(is_new))
    }

    fn is_left_out(&self, stored: &Stored) -> bool {
        self.settings.left_out.contains(&stored.about.cause)
    }

    /// Whether the alert is over and every receiver was told.
    pub(super) fn is_done(&self, stored: &Stored) -> bool {
        let names: Vec<String> = match self.is_left_out(stored) {
            true => Vec::new(),
            false => self.receivers().map(Receiver::name).collect(),
        };
        stored.state.is_done(names.iter().map(String::as_str))
    }

    /// Sends all receivers what is new to them, and records it. Returns when to try again, if a receiver has accepted
    /// nothing.
    ///
    /// # Errors
    /// Those of the storage. Alerts that could not be recorded are sent again.
    pub(super) async fn tell(&self, book: Book<'_>, alerts: &mut [Stored]) -> Result<Option<u64>, StorageError> {
        let is_done = |stored: &Stored| self.is_done(stored);
        let mut done: Vec<&mut Stored> = alerts.iter_mut().filter(|stored| is_done(stored)).collect();
        book.rewrite(&mut done, is_done).await?;
        let (mut next, now) = (None::<u64>, self.origin.now);
        for receiver in self.receivers() {
            let name = receiver.name();
            let is_new = |stored: &&mut Stored| !self.is_left_out(stored) && stored.state.news(&name, now).is_some();
            let mut new: Vec<&mut Stored> = alerts.iter_mut().filter(is_new).collect();
            if new.is_empty() {
                continue;
            }
            if let Some(again_at) = self.failing.waits(&name, now) {
                next = Some(next.map_or(again_at, |next| next.min(again_at)));
                continue;
            }
            for some in new.chunks_mut(receiver.at_once()) {
                let items: Vec<Item> = some.iter().filter_map(|stored| item(stored, &name, now)).collect();
                if let Err(why) = self.send(receiver, Contents::Items(&items)).await {
                    let again_at = self.failing.failed(&name, now);
                    warn_hourly!(&format!("alerts to {name}"); receiver = %name,
                        "alerts are not accepted, and are sent again: {why}");
                    next = Some(next.map_or(again_at, |next| next.min(again_at)));
                    break;
                }
                self.failing.took(&name);
                some.iter_mut().for_each(|stored| stored.state.tell(&name, now));
                book.rewrite(some, is_done).await?;
            }
        }
        Ok(next)
    }

    /// Sends a test to all receivers. Returns the name of each, and the error if it has accepted nothing.
    pub(super) async fn test(&self) -> Vec<(String, Result<(), String>)> {
        let mut outcomes = Vec::new();
        for receiver in self.receivers() {
            outcomes.push((receiver.name(), self.send(receiver, Contents::Test).await));
        }
        outcomes
    }

    async fn send(&self, receiver: Receiver<'_>, contents: Contents<'_>) -> Result<(), String> {
        let id = match contents {
            Contents::Items(items) => id(&receiver.name(), items),
            Contents::Test => format!("alert-test-{}", self.origin.now),
        };
        match receiver {
            Receiver::Address(address) => {
                let message = letter(id, address, contents, self.origin);
                let sent = timeout(LONGEST_MAIL, self.mailer.send(&OrganizationId::host(), message)).await;
                sent.map_err(|_| "the mail system did not answer in time".to_owned())?
                    .map_err(|error| error.to_string())
            }
            Receiver::Webhook(webhook) => post(webhook, &id, body(&id, contents, self.origin), self.origin.now).await,
        }
    }
}

fn item(stored: &Stored, receiver: &str, now: u64) -> Option<Item> {
    let over = match stored.state.phase {
        Phase::Over { at } => Some(at),
        _ => None,
    };
    let news = stored.state.news(receiver, now)?;
    let (about, since, detail) = (stored.about.clone(), stored.state.since, stored.state.detail.clone());
    Some(Item { news, about, since, over, detail })
}

/// Posts a signed body as Standard Webhooks requires. Any 2xx means that it was accepted.
async fn post(webhook: &AlertWebhook, id: &str, body: Vec<u8>, now: u64) -> Result<(), String> {
    let timestamp = (now / 1_000).to_string();
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let request = OutgoingRequest {
        method: "POST".into(),
        url: webhook.url.clone(),
        headers: vec![
            header("content-type", "application/json"),
            header("user-agent", concat!("insomnia-scim/", env!("CARGO_PKG_VERSION"))),
            header("webhook-id", id),
            header("webhook-timestamp", &timestamp),
            header("webhook-signature", &signature(&webhook.key, id, &timestamp, &body)),
        ],
        body,
        timeout: Some(LONGEST),
    };
    let sent = timeout(LONGEST * 2, webhook.client.send(&OrganizationId::host(), request)).await;
    match sent.map_err(|_| "the receiver did not answer in time".to_owned())? {
        Ok(response) if (200..300).contains(&response.status) => Ok(()),
        Ok(response) => Err(format!("HTTP status {}", response.status)),
        Err(error) => Err(error.to_string()),
    }
}

/// `v1,` and the HMAC-SHA256 of id, time and body, in base64.
fn signature(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> String {
    // HMAC accepts a key of any length, so this can't fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests;
