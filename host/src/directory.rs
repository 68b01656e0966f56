//! The types of what the backend tells about an organization, and of its members, teams and licences.
//!
//! Times are milliseconds since the Unix epoch.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a member may do in the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything; there is always one active owner.
    Owner,
    /// What the owner may, but for giving the organization away.
    CoOwner,
    /// Use Insomnia.
    Member,
}

/// Who manages a member or a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// People, in Insomnia.
    Manual,
    /// The identity provider, over SCIM.
    Scim,
}

/// What must hold before SCIM can be enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Requirement {
    /// The organization is on the Enterprise plan.
    EnterprisePlan,
    /// The actor is the organization's owner or a co-owner.
    OwnerOrCoOwner,
    /// At least one domain is verified.
    VerifiedDomain,
    /// Single sign-on is configured for an identity provider.
    SingleSignOn,
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EnterprisePlan => "the organization must be on the Enterprise plan",
            Self::OwnerOrCoOwner => "the actor must be its owner or a co-owner",
            Self::VerifiedDomain => "at least one domain must be verified",
            Self::SingleSignOn => "single sign-on must be configured for an identity provider",
        })
    }
}

/// The plan that the organization pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Plan {
    /// Free.
    Free,
    /// Team.
    Team,
    /// Enterprise: the one with SCIM.
    Enterprise,
}

/// A domain of the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// Its name.
    pub name: String,
    /// Whether it was shown that the domain is the organization's.
    pub verified: bool,
}

/// Choices of the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Lists and filters hold manual members and teams too.
    pub list_manual: bool,
    /// Only users of verified domains may be provisioned.
    pub verified_domains_only: bool,
    /// Seats may be exceeded; the overage is counted.
    pub allow_overage: bool,
    /// New members get an email with their initial passphrase.
    pub passphrase_emails: bool,
    /// RFC 7644 to the letter, without the tolerance for what identity providers really send.
    pub strict: bool,
    /// Members of a group that are not known are left out instead of refusing the request.
    pub skip_unknown_members: bool,
    /// POST of a deactivated member's userName reactivates that member instead of 409.
    pub reactivate_on_post: bool,
    /// `Authorization: <token>` without a scheme is accepted.
    pub bare_token: bool,
    /// `Authorization: Basic` with the token as the password is accepted.
    pub basic_authentication: bool,
    /// The aliases `/ServiceProviderConfigs` and `/serviceConfiguration` are served.
    pub discovery_aliases: bool,
    /// A successful PATCH of a group is answered 204, whatever its size.
    pub group_patch_no_content: bool,
}

impl Default for Options {
    /// What product and RFC say where nobody chose: only the passphrase emails and the tolerance are on.
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

/// An organization as the backend knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationRecord {
    /// Its name, as people call it.
    pub name: String,
    /// What it pays for.
    pub plan: Plan,
    /// How many active members the plan allows.
    pub seats: u32,
    /// Its domains.
    #[serde(default)]
    pub domains: Vec<Domain>,
    /// The identity provider that single sign-on is configured for.
    pub single_sign_on: Option<String>,
    /// Its choices.
    #[serde(default)]
    pub options: Options,
}

/// A person in the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Member {
    /// UUID; the SCIM `id`.
    pub id: String,
    /// Email address.
    pub email: String,
    /// SCIM `userName`.
    pub user_name: String,
    /// SCIM `displayName`.
    pub display_name: String,
    /// What the member may do.
    pub role: Role,
    /// Who manages the member.
    pub origin: Origin,
    /// Whether the member has access, and takes a seat.
    pub active: bool,
    /// When the member was added.
    pub created: u64,
    /// When the member was changed last.
    pub last_modified: u64,
}

/// A member whose passphrase was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The member.
    pub member: Member,
    /// Whether it is the initial passphrase, which must be changed before anything else.
    pub must_change: bool,
}

/// A member to add by hand.
#[derive(Clone, PartialEq, Eq)]
pub struct NewMember {
    /// Email address.
    pub email: String,
    /// Name.
    pub display_name: String,
    /// What the member may do.
    pub role: Role,
    /// Signs the member in at once; without it a passphrase is generated and emailed.
    pub passphrase: Option<String>,
}

/// A named set of members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Team {
    /// UUID; the SCIM `id`.
    pub id: String,
    /// SCIM `displayName`.
    pub name: String,
    /// Who manages the team.
    pub origin: Origin,
    /// How many members it has.
    pub members: u64,
    /// When it was added.
    pub created: u64,
    /// When it was changed last.
    pub last_modified: u64,
}

/// Seats and who takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Licences {
    /// How many active members the plan allows.
    pub seats: u32,
    /// Active members managed by people.
    pub manual: u64,
    /// Active members managed by the identity provider.
    pub scim: u64,
}

/// Which part of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Only those whose name or email address begins with this, in any case.
    pub prefix: Option<String>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// 1 to 500.
    pub limit: u32,
}

impl Default for Listing {
    /// The first 100.
    fn default() -> Self {
        Self { prefix: None, after: None, limit: 100 }
    }
}

/// A part of a listing, in the order of creation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    /// What is listed.
    pub items: Vec<T>,
    /// For [`Listing::after`]; `None` on the last page.
    pub next: Option<String>,
}
