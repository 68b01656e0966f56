//! Members and teams.

use serde::Serialize;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::enumeration::enumeration;

enumeration! {
    /// What a member may do in the organization.
    pub enum Role {
        /// The owner may do everything. There is always one active owner.
        Owner = "owner",
        /// A co-owner may do what the owner may, except giving the organization away.
        CoOwner = "co-owner",
        /// A member may use Insomnia.
        Member = "member",
    }
}

enumeration! {
    /// Who manages a member or a team.
    pub enum Origin {
        /// People, in Insomnia.
        Manual = "manual",
        /// The identity provider, over SCIM.
        Scim = "scim",
    }
}

/// Whether the text is one email address to which something can be mailed. It is a local part and a domain with one `@`
/// between, at most 254 bytes long (RFC 5321 §4.5.3.1.3 limits a path to 256, with its brackets). It contains no characters
/// that separate or enclose addresses, no blanks, no control characters, and no marks that turn the direction of the text
/// around it.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let separates =
        |character| matches!(character, '@' | ',' | ';' | ':' | '<' | '>' | '(' | ')' | '[' | ']' | '\\' | '"');
    let turns = |character| matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let fits = !local.is_empty() && !domain.is_empty() && text.len() <= 254;
    let is_strange = |character: char| character.is_whitespace() || character.is_control() || turns(character);
    fits && !text.chars().any(is_strange) && !local.contains(separates) && !domain.contains(separates)
}

/// A person in the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Member {
    /// UUID; the SCIM `id`. It is unique only within its organization: a program that stores members of several organizations
    /// must identify them by the organization and the id.
    pub id: String,
    /// Email address.
    pub email: String,
    /// SCIM `userName`.
    #[cfg_attr(feature = "host", component(name = "user-name"))]
    pub user_name: String,
    /// SCIM `displayName`.
    #[cfg_attr(feature = "host", component(name = "display-name"))]
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
    #[cfg_attr(feature = "host", component(name = "last-modified"))]
    pub last_modified: u64,
}

/// A member whose passphrase was right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct SignedIn {
    /// The member.
    pub member: Member,
    /// Whether it is the initial passphrase, which must be changed before anything else.
    #[cfg_attr(feature = "host", component(name = "must-change"))]
    pub must_change: bool,
}

/// A member to add by hand.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct NewMember {
    /// Email address.
    pub email: String,
    /// Name.
    #[cfg_attr(feature = "host", component(name = "display-name"))]
    pub display_name: String,
    /// What the member may do.
    pub role: Role,
    /// The member's passphrase. Without it a passphrase is generated and emailed.
    pub passphrase: Option<String>,
}

impl NewMember {
    /// A member. Without a display name, the name is the email address.
    #[must_use]
    pub fn new(email: String, display_name: Option<String>, role: Role, passphrase: Option<String>) -> Self {
        Self { display_name: display_name.unwrap_or_else(|| email.clone()), email, role, passphrase }
    }
}

/// Omits the passphrase, because debugging output ends up in logs.
impl std::fmt::Debug for NewMember {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewMember").field("email", &self.email).field("role", &self.role).finish_non_exhaustive()
    }
}

/// A named set of members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
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
    #[cfg_attr(feature = "host", component(name = "last-modified"))]
    pub last_modified: u64,
}
