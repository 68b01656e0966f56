//! The webhook: where events are posted to, signed as Standard Webhooks has it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use insomnia_scim_contract::Webhook;
use thiserror::Error;

use crate::capability::{Secrets, SecretsError};
use crate::store::{PreviousKey, Sink, Store, StoreError, WebhookRecord, encode, keys};

/// What the key of the signatures begins with where people see it.
const PREFIX: &str = "whsec_";
/// How long the key before signs beside a new one, in milliseconds.
pub(crate) const BOTH_SIGN: u64 = 24 * 60 * 60 * 1_000;

/// Why the webhook could not be set. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WebhookError {
    /// Not a URL.
    #[error("the webhook's address is an http or https URL")]
    Url,
    /// The key of the signatures can't be sealed.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The store can't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Posts all events from now on to this URL; returns the key of the signatures, which is shown once. An earlier webhook
/// is replaced, and what waits for it goes to the new one. Setting the same URL again changes the key: for 24 hours both
/// sign, so that no delivery is lost until the receiver has the new one.
///
/// # Errors
/// [`WebhookError`] says why not.
pub fn set_webhook(store: &Store, secrets: &dyn Secrets, url: &str) -> Result<String, WebhookError> {
    if !crate::url::is_linkable(url) {
        return Err(WebhookError::Url);
    }
    let key = store.random::<32>();
    let secret = STANDARD.encode(secrets.seal(&key)?);
    store.change_settings::<StoreError>(|settings, batch| {
        settings.webhook = true;
        let before = store.webhook()?.map(|stored| stored.record).filter(|before| before.url == url);
        let until = store.now() + BOTH_SIGN;
        let record = WebhookRecord {
            url: url.to_owned(),
            secret: secret.clone(),
            created: store.now(),
            works_since: None,
            failing_since: None,
            downtime: 0,
            error: None,
            previous: before.map(|before| PreviousKey { secret: before.secret, until }),
            gone: false,
        };
        batch.put(keys::WEBHOOK.to_vec(), encode(&record)?);
        store.end_pause(batch, "webhook")?;
        batch.wake_at(store.now());
        Ok(())
    })?;
    Ok(format!("{PREFIX}{}", STANDARD.encode(key)))
}

/// Posts no events any more, and forgets what waited.
///
/// # Errors
/// If the store can't answer.
pub fn remove_webhook(store: &Store) -> Result<(), StoreError> {
    store.change_settings::<StoreError>(|settings, batch| {
        settings.webhook = false;
        batch.delete(keys::WEBHOOK.to_vec());
        store.drop_events(batch, Sink::Webhook);
        Ok(())
    })
}

/// The webhook; `None` if there is none.
///
/// # Errors
/// If the store can't answer.
pub fn get_webhook(store: &Store) -> Result<Option<Webhook>, StoreError> {
    let webhook = store.webhook()?.map(|stored| stored.record);
    Ok(webhook.map(|WebhookRecord { url, created, works_since, failing_since, error, .. }| Webhook {
        url,
        created,
        works_since,
        failing_since,
        error,
    }))
}
