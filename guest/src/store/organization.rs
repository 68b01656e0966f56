//! What the backend told about the organization.

use serde::{Deserialize, Serialize};

use super::{Batch, Store, StoreError, Versioned, encode, keys};

/// The plan that the organization pays for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Plan {
    /// Free of charge: no SCIM.
    #[default]
    Free,
    /// For teams: no SCIM.
    Team,
    /// Enterprise.
    Enterprise,
}

/// A domain of the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// Such as `example.com`.
    pub name: String,
    /// Whether the organization has proved that it is its own.
    pub verified: bool,
}

/// Choices of the organization, as `wit/directory.wit` describes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Options {
    /// Lists and filters hold manual members and teams too.
    pub list_manual: bool,
    /// Only users of verified domains may be provisioned.
    pub verified_domains_only: bool,
    /// Seats may be exceeded; the overage is counted.
    pub allow_overage: bool,
    /// New members get an email with their initial passphrase.
    pub passphrase_emails: bool,
    /// RFC 7644 to the letter.
    pub strict: bool,
    /// Unknown members of a group are left out instead of refusing the request.
    pub skip_unknown_members: bool,
    /// POST of a deactivated member's userName reactivates that member.
    pub reactivate_on_post: bool,
    /// `Authorization: <token>` without a scheme is accepted.
    pub bare_token: bool,
    /// `Authorization: Basic` with the token as the password is accepted.
    pub basic_authentication: bool,
    /// The aliases `/ServiceProviderConfigs` and `/serviceConfiguration` are served.
    pub discovery_aliases: bool,
    /// A successful PATCH of a group is answered 204.
    pub group_patch_no_content: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            list_manual: false,
            verified_domains_only: false,
            allow_overage: false,
            passphrase_emails: true,
            strict: false,
            skip_unknown_members: false,
            reactivate_on_post: false,
            bare_token: false,
            basic_authentication: false,
            discovery_aliases: false,
            group_patch_no_content: false,
        }
    }
}

/// The organization as the backend knows it. Stored as JSON under `organization`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OrganizationRecord {
    /// Its name.
    pub name: String,
    /// Its plan.
    pub plan: Plan,
    /// How many active members the plan allows.
    pub seats: u32,
    /// Its domains.
    pub domains: Vec<Domain>,
    /// The identity provider that single sign-on is configured for.
    pub single_sign_on: Option<String>,
    /// Its choices.
    pub options: Options,
}

impl OrganizationRecord {
    /// Whether the email address is of a verified domain.
    #[must_use]
    pub fn owns(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.domains.iter().any(|own| own.verified && own.name.eq_ignore_ascii_case(domain))
    }
}

impl Store<'_> {
    /// The organization, or `None` if the backend has not told yet.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn organization(&self) -> Result<Option<Versioned<OrganizationRecord>>, StoreError> {
        self.document(keys::ORGANIZATION)
    }

    /// Keeps what the backend tells.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn put_organization(&self, record: &OrganizationRecord) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch.wake_at(self.now());
        batch.put(keys::ORGANIZATION.to_vec(), encode(record)?);
        self.commit(batch).map(drop)
    }
}
