//! OAuth 2.0: registered clients, their grants, and the hashes of their tokens.

use insomnia_scim_contract::{ClientAssertion, SecretWindow};
use serde::{Deserialize, Serialize};

use super::{Batch, Store, StoreError, Versioned, decode, encode, keys, number};
use crate::capability::Page;

/// The most clients or grants that one listing reads; more are never stored.
const LISTED: u32 = 1_000;

/// The hash of a client's secret: never the secret itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretRecord {
    /// SHA-256 of the secret, in hexadecimal digits.
    pub sha256: String,
    /// When it was generated, in milliseconds since the Unix epoch.
    pub created: u64,
    /// When it stops being accepted; absent for never.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<u64>,
    /// The warnings about the secret's expiry that administrators got.
    #[serde(default)]
    pub told: Told,
}

/// The warnings about an expiry that administrators got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// The lowest threshold about which they were warned, in days.
    pub days: Option<u32>,
    /// Whether they were told that it has expired.
    pub expired: bool,
}

/// A registered client. Stored as JSON under `oauth-client/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClientRecord {
    /// The `client_id`.
    pub id: String,
    /// The name that administrators gave it.
    pub name: String,
    /// Whether the client credentials grant is allowed.
    pub client_credentials: bool,
    /// Whether the authorization code grant, with refresh tokens, is allowed.
    pub authorization_code: bool,
    /// The URIs to which authorization codes may be sent. They are compared as exact strings.
    pub redirect_uris: Vec<String>,
    /// The current secret; `None` of a client without one.
    pub secret: Option<SecretRecord>,
    /// The previous secret, while it is still accepted.
    pub previous_secret: Option<SecretRecord>,
    /// How long its secrets are valid; `None` for clients that were registered before this could be chosen: their
    /// secrets do not expire.
    #[serde(with = "super::form::secret_window")]
    pub secret_window: Option<SecretWindow>,
    /// The kind of assertion with which it authenticates instead of a secret.
    #[serde(with = "super::form::assertion")]
    pub assertion: Option<ClientAssertion>,
    /// For how many minutes an access token is valid, if an administrator has chosen that.
    pub access_minutes: Option<u32>,
    /// Whether the client belongs to the operator, and this organization has accepted it. Then the operator manages its
    /// name, its redirect URIs and its secrets.
    pub operator: bool,
    /// When it was registered, in milliseconds since the Unix epoch.
    pub created: u64,
    /// The id of the member who registered it.
    pub created_by: String,
}

impl ClientRecord {
    /// Whether the client has no means to authenticate.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.secret.is_none() && self.assertion.is_none() && !self.operator
    }
}

/// A public key. Its numbers are in base64url.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PublicKey {
    /// RSA.
    Rsa {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
    /// A point of the curve P-256.
    P256 {
        /// One coordinate.
        x: String,
        /// The other.
        y: String,
    },
}

/// A key of a client's key set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The key's id in the set.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kid: Option<String>,
    /// The key.
    #[serde(flatten)]
    pub public: PublicKey,
}

/// The key set of a client from the last fetch. Stored as JSON under `oauth-keys/{client}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeySetRecord {
    /// The keys that can be used.
    pub keys: Vec<KeyRecord>,
    /// When they were fetched, in milliseconds since the Unix epoch; `None` if no attempt has succeeded.
    pub fetched: Option<u64>,
    /// When the latest attempts began.
    pub tried: Vec<u64>,
    /// The reason why the last attempt failed.
    pub problem: Option<String>,
}

/// An access token that may still be valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveToken {
    /// SHA-256 of the token, in hexadecimal digits.
    pub sha256: String,
    /// When it expires, in milliseconds since the Unix epoch.
    pub expires: u64,
}

/// The access tokens that a client got for itself (client credentials). Stored as JSON under `oauth-live/{client}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LiveRecord {
    /// The tokens in the order of issue.
    pub access: Vec<LiveToken>,
}

/// An administrator's grant to a client: a family of refresh tokens, of which one is valid at a time. Stored as JSON
/// under `oauth-grant/{client}/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GrantRecord {
    /// The id of the member who granted it.
    pub granted_by: String,
    /// SHA-256 of the one refresh token that is valid, in hexadecimal digits.
    pub refresh_sha256: String,
    /// How many refresh tokens the grant had so far.
    pub rotation: u64,
    /// When it was granted, in milliseconds since the Unix epoch.
    pub created: u64,
    /// When the grant ends unless the refresh token is used before.
    pub expires: u64,
    /// The connector's token generation when it was granted.
    pub generation: u32,
    /// Its access tokens, in the order of issue.
    pub access: Vec<LiveToken>,
}

/// An authorization code. Stored as JSON under `oauth-code/{SHA-256}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CodeRecord {
    /// The `client_id`.
    pub client: String,
    /// The `redirect_uri` of the authorization request, if it had one.
    pub redirect_uri: Option<String>,
    /// The S256 `code_challenge`, if there was one.
    pub challenge: Option<String>,
    /// The id of the member who granted it.
    pub granted_by: String,
    /// The connector's token generation when it was granted.
    pub generation: u32,
    /// When it expires, in milliseconds since the Unix epoch.
    pub expires: u64,
    /// The grant for which the code was exchanged; once it is set, the code is used up.
    pub grant: Option<String>,
}

/// An access token. Stored as JSON under `oauth-access/{SHA-256}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AccessRecord {
    /// SHA-256 of the token, in hexadecimal digits.
    pub sha256: String,
    /// The `client_id`.
    pub client: String,
    /// The grant to which the token belongs; `None` for client credentials.
    pub grant: Option<String>,
    /// The connector's token generation when it was issued.
    pub generation: u32,
    /// When it was issued, in milliseconds since the Unix epoch.
    pub created: u64,
    /// When it expires, in milliseconds since the Unix epoch.
    pub expires: u64,
}

impl Store<'_> {
    /// The client of this id.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn oauth_client(&self, id: &str) -> Result<Option<Versioned<ClientRecord>>, StoreError> {
        if !keys::is_id(id) {
            return Ok(None);
        }
        self.document(&keys::oauth_client(id))
    }

    /// All clients, in the order of their registration.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn oauth_clients(&self) -> Result<Vec<ClientRecord>, StoreError> {
        let page = Page::first(keys::oauth_clients(), LISTED);
        let entries = self.scan_page(page)?.entries;
        let decoded = |entry: crate::capability::Entry| {
            let key = entry.key.clone();
            Ok(decode(&key, &entry.into_item())?.record)
        };
        entries.into_iter().map(decoded).collect()
    }

    /// The access token with this hash.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn oauth_access(&self, sha256: &str) -> Result<Option<AccessRecord>, StoreError> {
        Ok(self.document(&keys::oauth_access(sha256))?.map(|stored| stored.record))
    }

    pub(crate) fn oauth_keys(&self, client: &str) -> Result<Option<Versioned<KeySetRecord>>, StoreError> {
        self.document(&keys::oauth_keys(client))
    }

    pub(crate) fn oauth_live(&self, client: &str) -> Result<Option<Versioned<LiveRecord>>, StoreError> {
        self.document(&keys::oauth_live(client))
    }

    pub(crate) fn oauth_code(&self, sha256: &str) -> Result<Option<Versioned<CodeRecord>>, StoreError> {
        self.document(&keys::oauth_code(sha256))
    }

    pub(crate) fn oauth_grant(&self, client: &str, id: &str) -> Result<Option<Versioned<GrantRecord>>, StoreError> {
        self.document(&keys::oauth_grant(client, id))
    }

    /// All codes, with their hashes.
    pub(crate) fn oauth_codes(&self) -> Result<Vec<(String, Versioned<CodeRecord>)>, StoreError> {
        let page = Page::first(keys::oauth_codes(), LISTED);
        self.named(page)
    }

    /// All grants of a client, with their ids.
    pub(crate) fn oauth_grants(&self, client: &str) -> Result<Vec<(String, Versioned<GrantRecord>)>, StoreError> {
        let page = Page::first(keys::oauth_grants(client), LISTED);
        self.named(page)
    }

    fn named<T: serde::de::DeserializeOwned>(&self, page: Page) -> Result<Vec<(String, Versioned<T>)>, StoreError> {
        let named = |entry: crate::capability::Entry| {
            let name = std::str::from_utf8(&entry.key)
                .ok()
                .and_then(|key| key.rsplit_once('/'))
                .map(|(_, name)| name.to_owned());
            let key = entry.key.clone();
            Ok((name.unwrap_or_default(), decode(&key, &entry.into_item())?))
        };
        self.scan_page(page)?.entries.into_iter().map(named).collect()
    }

    /// When a request was last authenticated by an access token, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn oauth_used(&self) -> Result<Option<u64>, StoreError> {
        let item = self.item(keys::OAUTH_USED.to_vec())?;
        Ok(item.and_then(|item| number(&item.value)))
    }

    /// When expired tokens were last deleted, in milliseconds since the Unix epoch.
    pub(crate) fn oauth_swept(&self) -> Result<Option<u64>, StoreError> {
        let item = self.item(keys::OAUTH_SWEPT.to_vec())?;
        Ok(item.and_then(|item| number(&item.value)))
    }

    pub(crate) fn note_oauth_swept(&self) -> Result<(), StoreError> {
        self.append(keys::OAUTH_SWEPT.to_vec(), self.now().to_string().into_bytes())
    }

    /// Notes that an access token has authenticated a request. A crash may lose this note.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn note_oauth_used(&self) -> Result<(), StoreError> {
        self.append(keys::OAUTH_USED.to_vec(), self.now().to_string().into_bytes())
    }
}

impl Batch {
    pub(crate) fn put_oauth_client(&mut self, seen: Option<u64>, record: &ClientRecord) -> Result<(), StoreError> {
        self.replace(keys::oauth_client(&record.id), seen, record)
    }

    pub(crate) fn put_oauth_keys(
        &mut self,
        client: &str,
        seen: Option<u64>,
        record: &KeySetRecord,
    ) -> Result<(), StoreError> {
        self.replace(keys::oauth_keys(client), seen, record)
    }

    pub(crate) fn put_oauth_live(
        &mut self,
        client: &str,
        seen: Option<u64>,
        record: &LiveRecord,
    ) -> Result<(), StoreError> {
        self.replace(keys::oauth_live(client), seen, record)
    }

    pub(crate) fn put_oauth_grant(
        &mut self,
        client: &str,
        id: &str,
        seen: Option<u64>,
        record: &GrantRecord,
    ) -> Result<(), StoreError> {
        self.replace(keys::oauth_grant(client, id), seen, record)
    }

    pub(crate) fn put_oauth_code(
        &mut self,
        sha256: &str,
        seen: Option<u64>,
        record: &CodeRecord,
    ) -> Result<(), StoreError> {
        self.replace(keys::oauth_code(sha256), seen, record)
    }

    pub(crate) fn put_oauth_access(&mut self, record: &AccessRecord) -> Result<(), StoreError> {
        self.put(keys::oauth_access(&record.sha256), encode(record)?);
        Ok(())
    }
}
