//! Members of a backend that are imported, with the ids by which the backend knows them.

use serde::{Deserialize, Serialize};
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::Role;

/// A member of an import. Its JSON is an object of the argument of `directory.import-members`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportedMember {
    /// A UUID in lower case (RFC 9562 §4). It becomes the SCIM `id`.
    pub id: String,
    /// Email address. It becomes the userName as well.
    pub email: String,
    /// Name. The default is the email address; an empty name is refused. In JSON `display_name`, the name in the admin API, is
    /// accepted too.
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
    /// An active member with the role `member`, whose name is the email address.
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

/// The outcome for one member of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum ImportOutcome {
    /// The member was added.
    #[cfg_attr(feature = "host", component(name = "added"))]
    Added,
    /// A member with this id exists already, and stays unchanged, also if the email address or anything else differs. To
    /// compare, look at that member.
    #[cfg_attr(feature = "host", component(name = "present"))]
    Present,
    /// The member was not added; the text says why.
    #[cfg_attr(feature = "host", component(name = "refused"))]
    Refused(String),
}
