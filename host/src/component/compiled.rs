//! The component, compiled and linked: what every instance is made from.

use std::path::Path;

use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, Engine, Error};

use super::BUILT_IN;
use super::bindings::ProvisionerPre;
use super::engine::{self, engine};
use super::imports;
use super::instance::InstanceState;
use super::limits::Limits;
use super::shipped::{self, Scratch, Shipped};

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

/// Compiles the component (or loads its compiled code from `directory`, or from this binary), checks what it imports, and
/// links it.
pub(super) fn compile(
    wasm: &[u8],
    limits: &Limits,
    directory: Option<&Path>,
) -> Result<(Engine, ProvisionerPre<InstanceState>), ComponentError> {
    let shipped = if wasm == BUILT_IN { shipped::built_in() } else { None };
    // The directory for this start is needed no longer than until the code is loaded.
    let (cache, _scratch) = open(shipped, directory);
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

/// Where compiled code is looked for and kept: in the directory, if it can be used; otherwise what this binary brings along
/// is loaded by way of a directory for this start.
fn open(shipped: Option<Shipped<'_>>, directory: Option<&Path>) -> (Option<Cache>, Option<Scratch>) {
    if let Some(directory) = directory {
        let opened = engine::cache(directory).and_then(|cache| {
            shipped.map_or(Ok(()), |shipped| shipped.install(directory))?;
            Ok(cache)
        });
        match opened {
            Ok(cache) => return (Some(cache), None),
            Err(error) if shipped.is_none() => tracing::warn!(
                "compiled code is not kept in {}, so every start compiles the component: {error:#}",
                directory.display()
            ),
            Err(error) => tracing::debug!("compiled code is not kept in {}: {error:#}", directory.display()),
        }
    }
    let Some(shipped) = shipped else { return (None, None) };
    let unpacked = Scratch::new().map_err(Error::from).and_then(|scratch| {
        shipped.install(scratch.path())?;
        Ok((engine::cache(scratch.path())?, scratch))
    });
    match unpacked {
        Ok((cache, scratch)) => (Some(cache), Some(scratch)),
        Err(error) => {
            tracing::warn!("there is no place to unpack compiled code, so the component is compiled: {error:#}");
            (None, None)
        }
    }
}

fn text(error: &Error) -> String {
    format!("{error:#}")
}
