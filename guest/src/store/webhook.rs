//! The webhook to which events are posted, and the state of its deliveries.

use serde::{Deserialize, Serialize};

use super::{Batch, Store, StoreError, Versioned, keys};

/// The webhook. Stored as JSON under `webhook`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookRecord {
    /// The URL to which events are posted.
    pub url: String,
    /// The key of the signatures, encrypted by the host, in base64.
    pub secret: String,
    /// In milliseconds since the Unix epoch.
    pub created: u64,
    /// Since when all deliveries have succeeded, in milliseconds since the Unix epoch. If both this and `failing_since`
    /// are absent, nothing was delivered yet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub works_since: Option<u64>,
    /// Since when deliveries have failed, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failing_since: Option<u64>,
    /// How long no host has tried since then, in milliseconds. This time does not count towards the three days.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub downtime: u64,
    /// The last failure.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// The previous key, which also signs for a while.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<PreviousKey>,
    /// Whether the receiver has answered 410: nothing is posted until the webhook is set again.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub gone: bool,
}

/// A replaced signature key. It still signs while the receiver learns the new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousKey {
    /// The key, sealed by the host, in base64.
    pub secret: String,
    /// Until when it signs, in milliseconds since the Unix epoch.
    pub until: u64,
}

/// Serde calls this with a reference.
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Store<'_> {
    /// The webhook, if there is one.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn webhook(&self) -> Result<Option<Versioned<WebhookRecord>>, StoreError> {
        self.document(keys::WEBHOOK)
    }

    /// Stores the state of the deliveries. Nothing is written if the webhook was changed meanwhile.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn note_webhook(&self, seen: u64, record: &WebhookRecord) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch.replace(keys::WEBHOOK.to_vec(), Some(seen), record)?;
        self.commit_unless_changed(batch)
    }
}
