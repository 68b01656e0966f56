//! The webhook to which events are posted, with signatures in the form of Standard Webhooks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use insomnia_scim_contract::Webhook;
use thiserror::Error;

use crate::capability::{Secrets, SecretsError};
use crate::store::{PreviousKey, Sink, Store, StoreError, WebhookRecord, encode, keys};

/// The prefix of the signature key in the form that people see.
const PREFIX: &str = "whsec_";
/// How long the previous key signs beside a new one, in milliseconds.
pub(crate) const BOTH_SIGN: u64 = 24 * 60 * 60 * 1_000;

/// The reason why the webhook could not be set. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WebhookError {
    /// The text is not a URL.
    #[error("the webhook's address is an http or https URL")]
    Url,
    /// The key of the signatures can't be encrypted.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The store can't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the server post all events to this URL from now on; returns the key of the signatures, which is shown only
/// once. An earlier webhook is replaced, and its waiting events go to the new one. Setting the same URL again changes
/// the key: for 24 hours both keys sign, so that no delivery is lost until the receiver has the new one.
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

/// Removes the webhook, and drops its waiting events.
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
