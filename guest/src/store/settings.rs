//! Settings that the component itself manages, unlike those of `put-organization`: receivers of events, event streams,
//! the mass-deprovisioning guard, the retention.

use insomnia_scim_contract::Guard;
use serde::{Deserialize, Serialize};

use super::{Batch, Retry, Store, StoreError, StreamRecord, Versioned, encode, keys};

/// For how many days the log and events are kept by default.
const RETENTION: u32 = 90;

/// Settings that the component itself manages, unlike those of `put-organization`. Stored as JSON under `settings`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SettingsRecord {
    /// Whether there is a webhook for events.
    pub webhook: bool,
    /// Whether a subscriber in the host's process takes events.
    pub subscriber: bool,
    /// The mass-deprovisioning guard; off if absent.
    pub guard: Option<Guard>,
    /// For how many days the log and events are kept; see [`SettingsRecord::retention_days`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<u32>,
    /// The streams of SCIM events.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub streams: Vec<StreamRecord>,
}

impl SettingsRecord {
    /// For how many days entries of the log, events and parked emails are kept.
    #[must_use]
    pub fn retention_days(&self) -> u32 {
        self.retention.unwrap_or(RETENTION)
    }
}

impl Store<'_> {
    /// The settings; each call reads them once.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn settings(&self) -> Result<SettingsRecord, StoreError> {
        if let Some(settings) = self.settings.borrow().as_ref() {
            return Ok(settings.clone());
        }
        let settings = self.document(keys::SETTINGS)?.map(|stored| stored.record).unwrap_or_default();
        self.settings.replace(Some(settings));
        self.settings()
    }

    /// Changes the settings, and commits them with what `change` adds to the batch.
    ///
    /// # Errors
    /// If the storage can't answer, and those of `change`.
    pub fn change_settings<E: From<StoreError> + Retry>(
        &self,
        change: impl Fn(&mut SettingsRecord, &mut Batch) -> Result<(), E>,
    ) -> Result<(), E> {
        self.transact(|| {
            let (version, mut settings) = Versioned::or_default(self.document::<SettingsRecord>(keys::SETTINGS)?);
            let mut batch = Batch::new();
            batch.require_unchanged(keys::SETTINGS.to_vec(), version);
            change(&mut settings, &mut batch)?;
            batch.put(keys::SETTINGS.to_vec(), encode(&settings)?);
            self.commit(batch)?;
            self.settings.replace(None);
            Ok(())
        })
    }
}
