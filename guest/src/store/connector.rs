//! The connector and the hashes of its tokens.

use insomnia_scim_contract::{ExpiryWindow, IdentityProvider};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Batch, EventKind, EventSubject, Store, StoreError, Versioned, encode, keys, text};
use crate::protocol::timestamp;

/// A token, as far as it is stored: never the token itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRecord {
    /// SHA-256 of the token, in hexadecimal digits.
    pub sha256: String,
    /// How many tokens there were, this one included.
    pub generation: u32,
    /// When it was generated, in milliseconds since the Unix epoch.
    pub created: u64,
    /// When it expires; absent for never.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<u64>,
}

/// The connector. Stored as JSON under `connector`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ConnectorRecord {
    /// Whether SCIM is enabled.
    pub enabled: bool,
    /// What it was enabled for.
    pub identity_provider: Option<IdentityProvider>,
    /// How long the current token is valid from its generation on.
    pub window: Option<ExpiryWindow>,
    /// The current token.
    pub token: Option<TokenRecord>,
    /// The one before: its `expires` is the end of the overlap, 0 if there was none. It is kept after that, so that it is
    /// recognised.
    pub previous: Option<TokenRecord>,
    /// The one that is being installed in the identity provider: accepted beside the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<TokenRecord>,
    /// The generation of the token that was issued when SCIM was last enabled: what was issued to OAuth clients before is
    /// of no worth any more.
    pub enabled_generation: u32,
}

impl ConnectorRecord {
    /// The generation of the newest token, be it in use or still being installed; 0 if there was none.
    #[must_use]
    pub fn newest_generation(&self) -> u32 {
        let generation = |token: &Option<TokenRecord>| token.as_ref().map_or(0, |token| token.generation);
        generation(&self.token).max(generation(&self.next))
    }
}

impl Store<'_> {
    /// The connector; a disabled one if there is none yet.
    ///
    /// # Errors
    /// As the storage has them.
    pub fn connector(&self) -> Result<Option<Versioned<ConnectorRecord>>, StoreError> {
        self.document(keys::CONNECTOR)
    }

    /// Replaces the connector if it still is as it was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it is not.
    pub fn put_connector(&self, seen: Option<u64>, record: &ConnectorRecord) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch.require_unchanged(keys::CONNECTOR.to_vec(), seen);
        batch.put(keys::CONNECTOR.to_vec(), encode(record)?);
        self.add_connector_events(&mut batch, record)?;
        self.commit(batch).map(drop)
    }

    /// Adds to the batch the events that this replacement of the connector makes, and when its token's expiry is due to
    /// be looked at. The batch requires the connector unchanged.
    ///
    /// # Errors
    /// As the storage has them.
    pub fn add_connector_events(&self, batch: &mut Batch, record: &ConnectorRecord) -> Result<(), StoreError> {
        let old = self.connector()?.map(|stored| stored.record).unwrap_or_default();
        let generation = |record: &ConnectorRecord| record.token.as_ref().map_or(0, |token| token.generation);
        let provider = json!({"identityProvider": record.identity_provider});
        match (old.enabled, record.enabled) {
            (false, true) => {
                self.add_event(batch, EventKind::ConnectorEnabled, EventSubject::only("connector"), provider)?;
            }
            (true, false) => {
                self.add_event(batch, EventKind::ConnectorDisabled, EventSubject::only("connector"), provider)?;
            }
            (true, true) if generation(&old) != generation(record) => {
                let expires = record.token.as_ref().and_then(|token| token.expires).map(timestamp::format);
                let subject = EventSubject::token(generation(record));
                self.add_event(batch, EventKind::TokenRefreshed, subject, json!({"expires": expires}))?;
            }
            _ => {}
        }
        // The jobs find out what is due then, and when to be called next.
        batch.wake_at(self.now());
        Ok(())
    }

    /// When a request was last authenticated, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// As the storage has them.
    pub fn connector_used(&self) -> Result<Option<u64>, StoreError> {
        let item = self.item(keys::CONNECTOR_USED.to_vec())?;
        Ok(item.and_then(|item| text(&item.value)?.parse().ok()))
    }

    /// Notes that a request was authenticated; a crash may lose it.
    ///
    /// # Errors
    /// As the storage has them.
    pub fn note_connector_used(&self) -> Result<(), StoreError> {
        self.append(keys::CONNECTOR_USED.to_vec(), self.now().to_string().into_bytes())
    }

    /// What signs this organization's cursors; made at its first use.
    ///
    /// # Errors
    /// As the storage has them.
    pub fn cursor_key(&self) -> Result<Vec<u8>, StoreError> {
        self.transact(|| {
            if let Some(item) = self.item(keys::CURSOR_KEY.to_vec())? {
                return Ok(item.value);
            }
            let key = self.random::<32>().to_vec();
            let mut batch = Batch::new();
            batch.require_absent(keys::CURSOR_KEY.to_vec());
            batch.put(keys::CURSOR_KEY.to_vec(), key.clone());
            self.commit(batch)?;
            Ok(key)
        })
    }
}
