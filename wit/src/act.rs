//! Who acts, and from where.

#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::enumeration::enumeration;

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum Actor {
    /// A member whom the caller has authenticated, by id, userName or email address. The member's role decides what is allowed.
    #[cfg_attr(feature = "host", component(name = "member"))]
    Member(String),
    /// The organization's owner, for a caller who may do everything that the owner may and names nobody.
    #[cfg_attr(feature = "host", component(name = "owner"))]
    Owner,
    /// The operator of the host, whom the caller has authenticated in its own way. The operator may do everything that the
    /// owner may, and needs no passphrase.
    #[cfg_attr(feature = "host", component(name = "operator"))]
    Operator,
}

/// Takes the text as the id, the userName or the email address of a member.
impl From<&str> for Actor {
    fn from(member: &str) -> Self {
        Self::Member(member.to_owned())
    }
}

/// Takes the text as the id, the userName or the email address of a member.
impl From<&String> for Actor {
    fn from(member: &String) -> Self {
        Self::Member(member.clone())
    }
}

impl From<&Self> for Actor {
    fn from(actor: &Self) -> Self {
        actor.clone()
    }
}

enumeration! {
    /// The face of the host through which somebody acts.
    pub enum Face {
        /// The SCIM page.
        Page = "page",
        /// The admin API.
        Api = "api",
        /// The command line.
        CommandLine = "command-line",
        /// The backend that embeds the host.
        Backend = "backend",
    }
}

/// The origin of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Source {
    /// The face.
    pub face: Face,
    /// The IP address of the person or program that sent the request, if it is known.
    pub address: Option<String>,
    /// The caller's credential, such as the name of an API key, if it is not the session of a person.
    pub credential: Option<String>,
    /// The id of the request that asked for this.
    #[cfg_attr(feature = "host", component(name = "request-id"))]
    pub request_id: Option<String>,
    /// The `traceparent` (W3C Trace Context) of that request. Everything that it causes belongs to the same trace.
    pub traceparent: Option<String>,
}

impl Source {
    /// A source of which only the face is known.
    #[must_use]
    pub const fn new(face: Face) -> Self {
        Self { face, address: None, credential: None, request_id: None, traceparent: None }
    }
}

/// Who acts, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Act {
    /// The actor.
    pub actor: Actor,
    /// The source.
    pub source: Source,
}

impl Act {
    /// An action of the backend for the organization's owner. It is the default of a library call that names nobody.
    #[must_use]
    pub const fn of_backend() -> Self {
        Self { actor: Actor::Owner, source: Source::new(Face::Backend) }
    }
}
