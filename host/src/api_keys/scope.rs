//! What an API key may do. Each scope names a resource of the API, and whether it may be changed.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Declares the resources: each with its name in a scope, and the tag of its operations in the OpenAPI document.
macro_rules! resources {
    ($($(#[$meta:meta])* $case:ident = $name:literal, $tag:literal;)+) => {
        /// A group of operations of the admin API, as the OpenAPI document groups them by tags.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ApiResource {
            /// All resources, also those that later versions add.
            All,
            $($(#[$meta])* $case,)+
        }

        impl ApiResource {
            /// All cases, in the order of the document's tags.
            pub const ALL: &'static [Self] = &[Self::All, $(Self::$case),+];

            /// Its name in a scope.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    Self::All => "all",
                    $(Self::$case => $name),+
                }
            }

            /// The tag of its operations in the OpenAPI document, which people read.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    Self::All => "Everything",
                    $(Self::$case => $tag),+
                }
            }

            /// The resource whose operations have this tag.
            pub(crate) fn of_tag(tag: &str) -> Option<Self> {
                match tag {
                    $($tag => Some(Self::$case),)+
                    _ => None,
                }
            }
        }
    };
}

resources! {
    /// The organizations of the host, how each stands, and quotas.
    Organizations = "organizations", "Organizations";
    /// Builds of the component.
    Components = "components", "Components";
    /// The SCIM endpoint, its token, and set-up links.
    Connector = "connector", "Connector";
    /// Access to identity providers' APIs.
    AutomaticRefresh = "automatic-refresh", "Automatic refresh";
    /// Clients of OAuth 2.0.
    OauthClients = "oauth-clients", "OAuth clients";
    /// People and licences.
    Members = "members", "Members";
    /// Teams.
    Teams = "teams", "Teams";
    /// Declared schemas.
    Schemas = "schemas", "Schemas";
    /// The guard and held removals.
    Guard = "guard", "Guard";
    /// The log of SCIM requests, the audit trail, and how long they are kept.
    Logs = "logs", "Logs";
    /// Events, the webhook and deliveries.
    Events = "events", "Events";
    /// Streams of Security Event Tokens.
    Streams = "streams", "Streams";
    /// API keys.
    ApiKeys = "api-keys", "API keys";
}

impl fmt::Display for ApiResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a scope permits a key to do with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ApiAccess {
    /// Look at it.
    Read,
    /// Look at it and change it.
    Write,
}

impl ApiAccess {
    const ALL: [Self; 2] = [Self::Read, Self::Write];

    /// Its name in a scope.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// A scope of an API key, written `members:read`. A scope to write includes the one to read, and `all` includes every
/// resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiScope {
    /// The resource.
    pub resource: ApiResource,
    /// What the scope permits.
    pub access: ApiAccess,
}

/// The text is not a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no scope; one is a resource and `:read` or `:write`, and the resources are {names}", names = names())]
pub struct UnknownScope(String);

fn names() -> String {
    ApiResource::ALL.iter().map(|resource| resource.name()).collect::<Vec<_>>().join(", ")
}

impl ApiScope {
    /// The scope of a key for which nobody names another one: it permits everything that its holder may do.
    pub const EVERYTHING: Self = Self { resource: ApiResource::All, access: ApiAccess::Write };

    /// The scope to look at a resource.
    #[must_use]
    pub const fn read(resource: ApiResource) -> Self {
        Self { resource, access: ApiAccess::Read }
    }

    /// The scope to change a resource.
    #[must_use]
    pub const fn write(resource: ApiResource) -> Self {
        Self { resource, access: ApiAccess::Write }
    }

    /// All scopes, in the order of the resources.
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |resource: &ApiResource| ApiAccess::ALL.map(|access| Self { resource: *resource, access });
        ApiResource::ALL.iter().flat_map(of)
    }

    /// Whether this scope includes the other one.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        (self.resource == ApiResource::All || self.resource == other.resource) && self.access >= other.access
    }
}

/// Whether one of the scopes includes what is needed.
pub(crate) fn permits(scopes: &[ApiScope], needed: ApiScope) -> bool {
    scopes.iter().any(|scope| scope.includes(needed))
}

impl fmt::Display for ApiScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.access.name())
    }
}

impl FromStr for ApiScope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::all()
            .find(|scope| scope.to_string() == text)
            .ok_or_else(|| UnknownScope(text.chars().take(100).collect()))
    }
}

impl Serialize for ApiScope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ApiScope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// All scopes by name, so that generators of clients make a type of them.
impl PartialSchema for ApiScope {
    fn schema() -> RefOr<Schema> {
        let description = "A scope of an API key: a resource, which is a tag of this document, and whether the key may only \
            look at it (`read`) or change it too (`write`). `all` stands for every resource.";
        let names: Vec<String> = Self::all().map(|scope| scope.to_string()).collect();
        ObjectBuilder::new().schema_type(Type::String).description(Some(description)).enum_values(Some(names)).into()
    }
}

impl ToSchema for ApiScope {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ApiScope")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> ApiScope {
        text.parse().unwrap()
    }

    #[test]
    fn a_scope_to_write_includes_the_one_to_read_and_all_includes_every_resource() {
        for (held, needed, permitted) in [
            ("all:write", "members:write", true),
            ("all:write", "all:write", true),
            ("all:read", "members:read", true),
            ("all:read", "members:write", false),
            ("members:write", "members:read", true),
            ("members:read", "members:write", false),
            ("members:write", "teams:read", false),
            ("members:write", "all:read", false),
        ] {
            assert_eq!(permits(&[scope(held)], scope(needed)), permitted, "{held} {needed}");
        }
        assert!(!permits(&[], scope("members:read")));
        let every: Vec<ApiScope> = ApiScope::all().filter(|scope| scope.resource != ApiResource::All).collect();
        assert!(!permits(&every, scope("all:read")), "later versions have more resources");
    }

    #[test]
    fn a_scope_is_read_as_it_is_written_and_nothing_else_is_one() {
        for known in ApiScope::all() {
            assert_eq!(scope(&known.to_string()), known);
            assert_eq!(serde_json::from_value::<ApiScope>(serde_json::json!(known)).unwrap(), known);
        }
        for text in ["", "members", "members:", ":read", "members:delete", "Members:read", "members:read ", "*:read"] {
            let refused = text.parse::<ApiScope>().unwrap_err().to_string();
            assert!(refused.contains("oauth-clients"), "{refused}");
        }
    }
}
