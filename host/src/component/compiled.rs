//! The component, compiled and linked: what every instance is made from.

use std::path::Path;

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Error};

use super::bindings::ProvisionerPre;
use super::engine::engine;
use super::imports;
use super::instance::InstanceState;
use super::limits::Limits;

/// Why the component can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// The engine can't run on this machine.
    #[error("WebAssembly can't run on this machine: {0}")]
    Engine(String),
    /// It is not a WebAssembly component.
    #[error(
        "this is not a WebAssembly component that can be compiled: {0}\n\
         Build one with `cargo build`, or for another language with the world insomnia:scim/provisioner of wit/"
    )]
    Invalid(String),
    /// It imports what this host does not offer.
    #[error(
        "the component wants what this host does not offer:\n{}\n\nit imports:\n{}\n\nthe host offers:\n{}\n\n\
         Build the component against the wit/ of this host's version, and without what needs files, sockets or \
         the environment.",
        lines(.missing), lines(.imports), lines(.offered)
    )]
    Imports {
        /// Those imports that are not offered.
        missing: Vec<String>,
        /// All that it imports.
        imports: Vec<String>,
        /// What the host offers.
        offered: Vec<String>,
    },
    /// Its imports or exports have other types than `wit/`.
    #[error(
        "the component does not fit the world insomnia:scim/provisioner: {0}\n\
         Build it against the wit/ of this host's version."
    )]
    World(String),
}

fn lines(names: &[String]) -> String {
    names.iter().map(|name| format!("  {name}")).collect::<Vec<_>>().join("\n")
}

/// Compiles the component (or loads its compiled code from `cache`), checks what it imports, and links it.
pub(super) fn compile(
    wasm: &[u8],
    limits: &Limits,
    cache: Option<&Path>,
) -> Result<(Engine, ProvisionerPre<InstanceState>), ComponentError> {
    let engine = engine(limits, cache).map_err(|error| ComponentError::Engine(text(&error)))?;
    let component = Component::new(&engine, wasm).map_err(|error| ComponentError::Invalid(text(&error)))?;
    imports::check(&engine, &component)?;
    let world = |error: Error| ComponentError::World(text(&error));
    let mut linker = Linker::new(&engine);
    imports::add_to_linker(&mut linker).map_err(world)?;
    let linked = linker.instantiate_pre(&component).map_err(world)?;
    let linked = ProvisionerPre::new(linked).map_err(world)?;
    Ok((engine, linked))
}

fn text(error: &Error) -> String {
    format!("{error:#}")
}
