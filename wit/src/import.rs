//! Members whom a backend takes over, with the ids that it knows them by.

use serde::{Deserialize, Serialize};
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::Role;

/// A member of an import. As JSON it is an object of the argument of `directory.import-members`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportedMember {
    /// A UUID in small letters (RFC 9562 §4), which becomes the SCIM `id`.
    pub id: String,
    /// Email address, which becomes the userName as well.
    pub email: String,
    /// Name; the email address if there is none. An empty one is refused. In JSON `display_name` is read as well, which is its name in
    /// the admin API.
    #[serde(default, alias = "display_name", skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What the member may do.
    #[serde(default = "member")]
    pub role: Role,
    /// Whether the member has access, and so takes a seat.
    #[serde(default = "yes")]
    pub active: bool,
}

impl ImportedMember {
    /// An active member without a role of its own, who is called by the email address.
    #[must_use]
    pub fn new(id: impl Into<String>, email: impl Into<String>) -> Self {
        Self { id: id.into(), email: email.into(), display_name: None, role: member(), active: yes() }
    }
}

const fn member() -> Role {
    Role::Member
}

const fn yes() -> bool {
    true
}

/// What became of a member of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum ImportOutcome {
    /// The member was added.
    #[cfg_attr(feature = "host", component(name = "added"))]
    Added,
    /// A member with this id is there already, and stays as it is, whatever differs, also if it has another address: look at
    /// the member to compare.
    #[cfg_attr(feature = "host", component(name = "present"))]
    Present,
    /// The member was not added; the text says why.
    #[cfg_attr(feature = "host", component(name = "refused"))]
    Refused(String),
}
