//! The connector and the hashes of its tokens.

use insomnia_scim_contract::{ExpiryWindow, IdentityProvider};
use serde::{Deserialize, Serialize};

use super::memo::Memo;
use super::{Batch, Store, StoreError, Versioned, form, keys, text};
use crate::opaque::OpaqueKey;

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

thread_local! {
    static LAST: Memo<ConnectorRecord> = const { Memo::new() };
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
    #[serde(with = "form::window")]
    pub window: Option<ExpiryWindow>,
    /// The current token.
    pub token: Option<TokenRecord>,
    /// The previous token: its `expires` is the end of the overlap, 0 if there was none. It is kept after that, so that it
    /// is recognised.
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
        Ok(item.and_then(|item| text(&item.value)?.parse().ok()))
    }

    /// Notes that a request was authenticated; a crash may lose it.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn note_connector_used(&self) -> Result<(), StoreError> {
        self.append(keys::CONNECTOR_USED.to_vec(), self.now().to_string().into_bytes())
    }

    /// The key of what this organization's clients carry, cursors among it; made at its first use.
    ///
    /// # Errors
    /// If the storage can't answer, or holds no key there.
    pub fn opaque_key(&self) -> Result<OpaqueKey, StoreError> {
        self.transact(|| {
            if let Some(item) = self.item(keys::CURSOR_KEY.to_vec())? {
                let broken = || StoreError::Broken("the key of cursors has not 32 bytes".to_owned());
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
