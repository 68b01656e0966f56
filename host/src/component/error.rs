//! Why a component can't be used, and why a call of one has no answer.

use std::sync::Arc;

use wasmtime::Trap;

use super::memory::OutOfMemory;
use crate::capability::storage::OrganizationId;
use crate::scim::{self, ScimResponse};

/// The reason why a component can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// The engine can't run on this machine.
    #[error("WebAssembly can't run on this machine: {0}")]
    Engine(String),
    /// The file is no WebAssembly component.
    #[error(
        "this is not a WebAssembly component that can be compiled: {0}\n\
         Build one with `cargo build`, or for another language with the world insomnia:scim/provisioner of wit/"
    )]
    Invalid(String),
    /// The component imports interfaces that this host does not offer.
    #[error(
        "the component wants what this host does not offer:\n{}\n\nit imports:\n{}\n\nthe host offers:\n{}\n\n\
         Build the component against the wit/ of this host's version, and without what needs files, sockets or \
         the environment.",
        lines(.missing), lines(.imports), lines(.offered)
    )]
    Imports {
        /// The imports that are not offered.
        missing: Vec<String>,
        /// All imports of the component.
        imports: Vec<String>,
        /// The imports that the host offers.
        offered: Vec<String>,
    },
    /// The imports or exports of the component have other types than in `wit/`.
    #[error(
        "the component does not fit the world insomnia:scim/provisioner: {0}\n\
         Build it against the wit/ of this host's version."
    )]
    World(String),
}

fn lines(names: &[String]) -> String {
    names.iter().map(|name| format!("  {name}")).collect::<Vec<_>>().join("\n")
}

/// The reason why organizations can't be pinned to a component.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error(transparent)]
    Component(Arc<ComponentError>),
    #[error("the component answers no call ({0}); the log has the backtrace")]
    Silent(CallError),
    #[error("the component lets a request in that has no token")]
    LetsStrangersIn,
}

/// The reason why a call has no answer. Every transaction that the call has committed is complete and stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// There are too many calls at the same time, of this organization or of all; the same call may succeed a moment
    /// later.
    #[error("too many calls at the same time")]
    Busy,
    /// The call computed or waited for longer than is allowed.
    #[error("the call took too long")]
    Deadline,
    /// The call needed more memory than an instance, an organization or all of them together may have.
    #[error("the call needed too much memory")]
    Memory,
    /// The call failed inside the component; the host's log has the backtrace.
    #[error("the call failed inside the component")]
    Trap,
    /// The organization does not exist, or was deleted while the call was running. What the call has committed was
    /// deleted with it.
    #[error("there is no such organization any more")]
    Deleted,
    /// The component that the organization is pinned to can't be loaded; the host's log says why.
    #[error("the component of the organization is not available")]
    Component,
}

impl CallError {
    /// The name of the error in metrics.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Trap => "trap",
            Self::Deleted => "deleted",
            Self::Component => "component",
        }
    }

    /// Whether the component has caused the error.
    pub(super) fn is_failure_of_component(&self) -> bool {
        matches!(self, Self::Deadline | Self::Memory | Self::Trap)
    }

    /// Writes the internal error of a call to the log, and returns only its kind.
    pub(super) fn of(organization: &OrganizationId, component: &str, error: &wasmtime::Error) -> Self {
        let kind = if error.downcast_ref::<OutOfMemory>().is_some() {
            Self::Memory
        } else if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
            Self::Deadline
        } else {
            Self::Trap
        };
        tracing::error!(%organization, component, "{kind}: {error:?}");
        kind
    }

    /// The SCIM error for a request that has no answer.
    pub(crate) fn response(&self, request_id: &str) -> ScimResponse {
        let (status, detail) = match self {
            Self::Busy => (503, "Too many requests at the same time."),
            Self::Deadline => (503, "The request took too long."),
            Self::Memory => (503, "The request needed too much memory."),
            Self::Trap => (500, "An internal error occurred."),
            Self::Deleted => return scim::deleted(request_id),
            Self::Component => (503, "The component of the organization is not available."),
        };
        ScimResponse::error(status, detail, request_id)
    }
}
