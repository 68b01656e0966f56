//! The automatic token refresh in the identity provider: its configuration and its progress.

use insomnia_scim_contract::IdpApiStatus;
use serde::{Deserialize, Serialize};

use super::form::IdpApiForm;
use super::{Batch, ConnectorRecord, Store, StoreError, Versioned, keys};

/// The identity provider's API, with its secret encrypted by the host. Stored as JSON under `idp-api`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdpApiRecord {
    /// The kind of API, and its address.
    #[serde(with = "IdpApiForm")]
    pub api: IdpApiStatus,
    /// The connector URL that is installed along with the token.
    pub connector_url: String,
    /// The client secret, private key or API token: encrypted, in base64.
    pub sealed: String,
    /// When it was configured, in milliseconds since the Unix epoch.
    pub configured: u64,
}

/// A token that is being installed. It is accepted beside the connector's current one as [`ConnectorRecord::next`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Pending {
    /// The token's generation.
    pub generation: u32,
    /// The token: encrypted, in base64. It is deleted as soon as a request has used the token.
    pub sealed: String,
    /// How many attempts to install it were started.
    pub attempts: u32,
    /// Until when the current attempt may take, in milliseconds since the Unix epoch.
    pub leased_until: u64,
    /// When the identity provider accepted the token.
    pub installed: Option<u64>,
    /// When a request first used the token during the current attempt.
    pub seen: Option<u64>,
}

/// The kind of a problem of the refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// It is temporary: throttled, unreachable, an error of the server.
    Passing,
    /// The identity provider accepted the token, but no request has used it yet.
    Unconfirmed,
    /// An administrator must correct the configuration.
    Attention,
}

/// The reason why the last attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Its kind.
    pub trouble: Trouble,
    /// A text for administrators, without any secret.
    pub text: String,
    /// When it happened, in milliseconds since the Unix epoch.
    pub time: u64,
}

/// The progress of the refresh. Stored as JSON under `refresh`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RefreshRecord {
    /// The token that is being installed.
    pub pending: Option<Pending>,
    /// Failed attempts since the last success.
    pub failures: u32,
    /// The reason why the last attempt failed; `None` after a success.
    pub problem: Option<Problem>,
    /// No attempt is made before this time, in milliseconds since the Unix epoch.
    pub retry_at: u64,
    /// Whether a refresh is due at once, whatever the age of the token.
    pub forced: bool,
    /// When the last attempt began.
    pub last_attempt: Option<u64>,
    /// When a new token was last verified.
    pub last_success: Option<u64>,
}

/// All data that the refresh needs for its decisions, read together.
#[derive(Clone, Debug, Default)]
pub struct RefreshView {
    /// The connector.
    pub connector: ConnectorRecord,
    /// The connector's version.
    pub connector_seen: Option<u64>,
    /// The progress of the refresh.
    pub refresh: RefreshRecord,
    /// The version of the progress.
    pub refresh_seen: Option<u64>,
    /// The identity provider's API, if it is configured.
    pub api: Option<IdpApiRecord>,
}

impl RefreshView {
    /// The pending token, if the connector still accepts it.
    #[must_use]
    pub fn pending(&self) -> Option<&Pending> {
        let next = self.connector.next.as_ref()?;
        self.refresh.pending.as_ref().filter(|pending| pending.generation == next.generation)
    }
}

impl Store<'_> {
    /// Reads all data that the refresh needs for its decisions.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn refresh_view(&self) -> Result<RefreshView, StoreError> {
        self.prefetch(vec![keys::CONNECTOR.to_vec(), keys::REFRESH.to_vec(), keys::IDP_API.to_vec()])?;
        let (connector_seen, connector) = Versioned::or_default(self.connector()?);
        let (refresh_seen, refresh) = Versioned::or_default(self.document(keys::REFRESH)?);
        let api: Option<Versioned<IdpApiRecord>> = self.document(keys::IDP_API)?;
        let api = api.map(|stored| stored.record);
        Ok(RefreshView { connector, connector_seen, refresh, refresh_seen, api })
    }
}

impl Batch {
    pub(crate) fn put_connector(&mut self, seen: Option<u64>, record: &ConnectorRecord) -> Result<(), StoreError> {
        self.replace(keys::CONNECTOR.to_vec(), seen, record)
    }

    pub(crate) fn put_refresh(&mut self, seen: Option<u64>, record: &RefreshRecord) -> Result<(), StoreError> {
        self.replace(keys::REFRESH.to_vec(), seen, record)
    }

    pub(crate) fn put_idp_api(&mut self, record: &IdpApiRecord) -> Result<(), StoreError> {
        self.put(keys::IDP_API.to_vec(), super::encode(record)?);
        Ok(())
    }

    pub(crate) fn delete_idp_api(&mut self) {
        self.delete(keys::IDP_API.to_vec());
    }
}
