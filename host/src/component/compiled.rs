//! The steps from a component to its instances: it is compiled, then linked. The types enforce the order: only a
//! checked component can be linked, and only a linked one can be instantiated.

use std::path::Path;
use std::sync::Arc;

use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, Engine, Error};

use super::BUILT_IN;
use super::bindings::ProvisionerPre;
use super::engine::{self, engine};
use super::error::ComponentError;
use super::imports;
use super::limits::Limits;
use super::shipped::{self, Scratch, Shipped};
use super::state::InstanceState;
use crate::registry::ComponentId;

/// A compiled component, all of whose imports the host offers.
pub(super) struct Compiled {
    component: Component,
    label: Arc<str>,
}

impl Compiled {
    /// Compiles the component, or loads its compiled code from the engine's cache. Compiling blocks the thread for
    /// seconds.
    pub(super) fn new(engine: &Engine, name: &str, wasm: &[u8]) -> Result<Self, ComponentError> {
        // The compiler would say this too, in a dozen lines.
        if !wasm.starts_with(b"\0asm") {
            return Err(ComponentError::Invalid("its first bytes are not those of WebAssembly".into()));
        }
        let component = Component::new(engine, wasm).map_err(|error| ComponentError::Invalid(text(&error)))?;
        imports::check(engine, &component)?;
        Ok(Self { component, label: format!("{name}@{}", ComponentId::of(wasm).short()).into() })
    }

    /// Links the component to the host's functions. It must have the imports and exports of the world `provisioner`.
    pub(super) fn link(self, engine: &Engine) -> Result<Linked, ComponentError> {
        let world = |error: Error| ComponentError::World(text(&error));
        let mut linker = Linker::new(engine);
        imports::add_to_linker(&mut linker).map_err(world)?;
        let linked = linker.instantiate_pre(&self.component).map_err(world)?;
        Ok(Linked { pre: ProvisionerPre::new(linked).map_err(world)?, label: self.label })
    }
}

/// A component that fits the world and is linked to the host. Instances are made from it.
pub(super) struct Linked {
    pub(super) pre: ProvisionerPre<InstanceState>,
    /// Its name and the beginning of its SHA-256, for log lines and for the log of requests.
    pub(super) label: Arc<str>,
}

/// Makes the engine, and prepares the component with which the host is started. The component's compiled code comes
/// from `directory` or from this binary, if one of them has it.
pub(super) fn first(
    wasm: &[u8],
    limits: &Limits,
    directory: Option<&Path>,
) -> Result<(Engine, Linked), ComponentError> {
    let is_built_in = wasm == BUILT_IN;
    let shipped = if is_built_in { shipped::built_in() } else { None };
    let is_shipped = shipped.is_some();
    // The temporary directory is only needed until the code is loaded.
    let (cache, _scratch) = open(shipped, directory);
    let engine = engine(limits, cache).map_err(|error| ComponentError::Engine(text(&error)))?;
    if !is_shipped && directory.is_none_or(is_empty) {
        tracing::info!("the component is compiled now, which takes seconds; with a cache only the first start does so");
    }
    let linked = Compiled::new(&engine, if is_built_in { "built-in" } else { "given" }, wasm)?.link(&engine)?;
    Ok((engine, linked))
}

/// Opens the cache of compiled code: the given directory, if it can be used. Otherwise the code in this binary, if
/// there is any, is loaded from a temporary directory.
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

/// Whether the directory does not contain any code yet.
fn is_empty(directory: &Path) -> bool {
    let Ok(mut entries) = std::fs::read_dir(directory) else { return true };
    entries.next().is_none()
}

fn text(error: &Error) -> String {
    format!("{error:#}")
}
