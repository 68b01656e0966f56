//! Why a declaration of schemas and resource types is refused.

#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::error::ActionError;

/// A mistake in a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Mistake {
    /// A JSON Pointer (RFC 6901) to the mistake, such as `/schemas/0/attributes/2/type`; empty for the whole declaration.
    pub pointer: String,
    /// The mistake in a sentence.
    pub detail: String,
}

/// Why a declaration is refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum DeclarationRefusal {
    /// The declaration is not valid.
    #[cfg_attr(feature = "host", component(name = "invalid"))]
    Invalid(Mistake),
    /// Any other reason.
    #[cfg_attr(feature = "host", component(name = "failed"))]
    Failed(ActionError),
}
