//! The stored form of set-up links, by which somebody other than an owner sets up the identity provider.

use insomnia_scim_contract::{ExpiryWindow, IdentityProvider};
use serde::{Deserialize, Serialize};

use super::{Batch, Store, StoreError, form, keys};

/// A set-up link, without its secret. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetupLinkRecord {
    /// A UUID.
    pub id: String,
    /// SHA-256 of the secret, in hexadecimal digits.
    pub sha256: String,
    /// The identity provider whose steps it shows.
    pub identity_provider: IdentityProvider,
    /// How long the token will be valid; absent for as long as the previous one.
    #[serde(with = "form::window", default)]
    pub window: Option<ExpiryWindow>,
    /// When it was made.
    pub created: u64,
    /// The id of the member who made it; absent if the operator did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub member: Option<String>,
    /// The name of the person who made the link.
    pub created_by: String,
    /// When the link expires.
    pub expires: u64,
    /// When the link was used and showed a token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub used: Option<u64>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revoked: Option<u64>,
}

/// All set-up links, oldest first. Stored as JSON under `setup-links`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SetupLinksRecord {
    /// The links.
    pub links: Vec<SetupLinkRecord>,
}

impl Store<'_> {
    /// The set-up links, and the version of their document.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn setup_links(&self) -> Result<(Option<u64>, Vec<SetupLinkRecord>), StoreError> {
        let stored = self.document::<SetupLinksRecord>(keys::SETUP_LINKS)?;
        Ok(stored.map_or_else(Default::default, |stored| (Some(stored.version), stored.record.links)))
    }

    /// Adds the new list of set-up links to the batch, if its version has not changed since it was `seen`.
    ///
    /// # Errors
    /// If they can't be encoded.
    pub fn put_setup_links(
        &self,
        batch: &mut Batch,
        seen: Option<u64>,
        links: Vec<SetupLinkRecord>,
    ) -> Result<(), StoreError> {
        batch.replace(keys::SETUP_LINKS.to_vec(), seen, &SetupLinksRecord { links })?;
        Ok(())
    }
}
