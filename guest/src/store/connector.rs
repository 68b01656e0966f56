//! The connector and the hashes of its tokens.

use insomnia_scim_contract::{ExpiryWindow, IdentityProvider};
use serde::{Deserialize, Serialize};

use super::memo::Memo;
use super::{Batch, Store, StoreError, Versioned, form, keys, number};
use crate::opaque::OpaqueKey;

/// The stored form of a token: its hash, never the token itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRecord {
    /// SHA-256 of the token, in hexadecimal digits.
    pub sha256: String,
    /// The number of the token among all tokens of the connector, counted from 1.
    pub generation: u32,
    /// When it was generated, in milliseconds since the Unix epoch.
    pub created: u64,
    /// When the token expires; absent if it never does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<u64>,
}

thread_local! {
    static LAST: Memo<ConnectorRecord> = const { Memo::new() };
}

/// The connector. Stored as JSON under `connector`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ConnectorRecord {
    /// Whether SCIM is enabled.
    pub enabled: bool,
    /// The identity provider for which SCIM was enabled.
    pub identity_provider: Option<IdentityProvider>,
    /// How long the current token is valid after it was generated.
    #[serde(with = "form::window")]
    pub window: Option<ExpiryWindow>,
    /// The current token.
    pub token: Option<TokenRecord>,
    /// The previous token. Its `expires` is the end of the overlap, 0 if there was none. The record is kept after that,
    /// so that the old token is recognised.
    pub previous: Option<TokenRecord>,
    /// The token that is being installed in the identity provider: accepted beside the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<TokenRecord>,
    /// The generation of the token that was issued when SCIM was last enabled. Grants and tokens that OAuth clients got
    /// before that are invalid.
    pub enabled_generation: u32,
}

impl ConnectorRecord {
    /// The generation of the newest token, in use or being installed; 0 if there never was a token.
    #[must_use]
    pub fn newest_generation(&self) -> u32 {
        let generation = |token: &Option<TokenRecord>| token.as_ref().map_or(0, |token| token.generation);
        generation(&self.token).max(generation(&self.next))
    }
}

impl Store<'_> {
    /// Whether SCIM is enabled.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn is_enabled(&self) -> Result<bool, StoreError> {
        Ok(self.connector()?.is_some_and(|connector| connector.record.enabled))
    }

    /// The connector; a disabled one if there is none yet.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn connector(&self) -> Result<Option<Versioned<ConnectorRecord>>, StoreError> {
        let item = self.item(keys::CONNECTOR.to_vec())?;
        item.map(|item| LAST.with(|last| last.decode(keys::CONNECTOR, item))).transpose()
    }

    /// When a request was last authenticated, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn connector_used(&self) -> Result<Option<u64>, StoreError> {
        let item = self.item(keys::CONNECTOR_USED.to_vec())?;
        Ok(item.and_then(|item| number(&item.value)))
    }

    /// Notes that a request was authenticated. A crash may lose this note.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn note_connector_used(&self) -> Result<(), StoreError> {
        self.append(keys::CONNECTOR_USED.to_vec(), self.now().to_string().into_bytes())
    }

    /// The key that encrypts the values that this organization's clients send back, such as cursors. It is made when it
    /// is first used.
    ///
    /// # Errors
    /// If the storage can't answer, or the stored value is no key.
    pub fn opaque_key(&self) -> Result<OpaqueKey, StoreError> {
        self.transact(|| {
            if let Some(item) = self.item(keys::CURSOR_KEY.to_vec())? {
                let broken = || StoreError::Broken("the key of cursors does not have 32 bytes".to_owned());
                return OpaqueKey::from_bytes(&item.value).ok_or_else(broken);
            }
            let key = self.random::<32>();
            let mut batch = Batch::new();
            batch.require_absent(keys::CURSOR_KEY.to_vec());
            batch.put(keys::CURSOR_KEY.to_vec(), key.to_vec());
            self.commit(batch)?;
            OpaqueKey::from_bytes(&key).ok_or(StoreError::Conflict)
        })
    }
}
