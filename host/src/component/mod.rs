//! Runs the component: the engine, compiled code, instances, and limits.

mod assigned;
pub(crate) mod bindings;
#[cfg(feature = "cli")]
mod compile_ahead;
mod compiled;
mod components;
mod engine;
mod error;
#[cfg(test)]
mod fault_component;
#[cfg(test)]
pub(crate) mod fault_guest;
#[cfg(test)]
mod fault_tests;
mod imports;
mod instance;
mod lanes;
mod limits;
mod log_stream;
mod memory;
mod meter;
mod runtime;
mod shelf;
mod shipped;
mod state;
mod tenant;
#[cfg(test)]
mod tests;
mod trial;
#[cfg(test)]
mod versions_tests;
mod warm;

pub use error::{CallError, ComponentError};
pub use limits::Limits;

#[cfg(feature = "cli")]
pub(crate) use compile_ahead::make as compiled_code;
pub(crate) use error::Unusable;
pub(crate) use instance::{Exports, InstanceStore};
#[cfg(test)]
pub(crate) use lanes::Lanes;
pub(crate) use lanes::Steps;
pub(crate) use runtime::{Keep, Run, Runtime};
pub(crate) use state::InstanceState;

/// Which requests may use the same instance of the component. In either case an instance only serves one organization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Each call gets a new instance, which costs some 45 µs.
    Fresh,
    /// The requests of one organization reuse its instances. Each instance serves one request at a time.
    #[default]
    Organization,
}

/// The component that is built into this crate.
pub(crate) const BUILT_IN: &[u8] = include_bytes!(env!("INSOMNIA_SCIM_COMPONENT_FILE"));
