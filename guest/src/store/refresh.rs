//! The automatic refresh into the identity provider: what is configured, and how far it has come.

use insomnia_scim_contract::IdpApiStatus;
use serde::{Deserialize, Serialize};

use super::form::IdpApiForm;
use super::{Batch, ConnectorRecord, Store, StoreError, Versioned, keys};

/// The identity provider's API, with its secret sealed by the host. Stored as JSON under `idp-api`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdpApiRecord {
    /// Which API, and where it is.
    #[serde(with = "IdpApiForm")]
    pub api: IdpApiStatus,
    /// The connector URL that is installed along with the token.
    pub connector_url: String,
    /// The client secret, private key or API token: sealed, in base64.
    pub sealed: String,
    /// When it was configured, in milliseconds since the Unix epoch.
    pub configured: u64,
}

/// A token that is being installed. It is accepted beside the connector's current one as [`ConnectorRecord::next`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Pending {
    /// Which of the connector's tokens it is.
    pub generation: u32,
    /// The token: sealed, in base64. It is gone as soon as a request has arrived with it.
    pub sealed: String,
    /// How often its installation was begun.
    pub attempts: u32,
    /// Until when an attempt may be under way, in milliseconds since the Unix epoch.
    pub leased_until: u64,
    /// When the identity provider accepted it.
    pub installed: Option<u64>,
    /// When a request first arrived with it during the current attempt.
    pub seen: Option<u64>,
}

/// What kind of trouble the refresh has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// It will pass by itself: throttled, unreachable, an error of the server.
    Passing,
    /// The identity provider took the token, and no request has come with it.
    Unconfirmed,
    /// Somebody must correct the configuration.
    Attention,
}

/// Why the last attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Its kind.
    pub trouble: Trouble,
    /// For administrators; never with anything secret in it.
    pub text: String,
    /// When it happened, in milliseconds since the Unix epoch.
    pub time: u64,
}

/// How far the refresh has come. Stored as JSON under `refresh`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RefreshRecord {
    /// The token that is being installed.
    pub pending: Option<Pending>,
    /// Failed attempts since the last success.
    pub failures: u32,
    /// Why the last attempt failed; `None` after a success.
    pub problem: Option<Problem>,
    /// No attempt is made before, in milliseconds since the Unix epoch.
    pub retry_at: u64,
    /// A refresh is due at once, whatever the age of the token.
    pub forced: bool,
    /// When the last attempt began.
    pub last_attempt: Option<u64>,
    /// When a new token was last verified.
    pub last_success: Option<u64>,
}

/// All that the refresh decides upon, read at once.
#[derive(Clone, Debug, Default)]
pub struct RefreshView {
    /// The connector.
    pub connector: ConnectorRecord,
    /// Its version.
    pub connector_seen: Option<u64>,
    /// How far the refresh has come.
    pub refresh: RefreshRecord,
    /// Its version.
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
    /// All that the refresh decides upon.
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
