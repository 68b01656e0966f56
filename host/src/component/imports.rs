//! The imports that a component may have: the interfaces of `insomnia:scim`, and from WASI the clocks, random numbers,
//! and the interfaces that the Rust standard library needs to start and to print.

use wasmtime::Engine;
use wasmtime::component::{Component, HasData, Linker, ResourceTable};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::p2::bindings::{cli, clocks, random};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi_io::bindings::wasi::io;

use super::error::ComponentError;
use super::state::InstanceState;
use crate::capability::{email, http, secrets, storage_glue};

/// The allowed interfaces, without their patch versions. There are no files and no sockets.
const OFFERED: [&str; 22] = [
    "insomnia:scim/storage@1.0",
    "insomnia:scim/storage-types@1.0",
    "insomnia:scim/secrets@1.0",
    "insomnia:scim/email@1.0",
    "insomnia:scim/http@1.0",
    "wasi:cli/environment@0.2",
    "wasi:cli/exit@0.2",
    "wasi:cli/stderr@0.2",
    "wasi:cli/stdin@0.2",
    "wasi:cli/stdout@0.2",
    "wasi:cli/terminal-input@0.2",
    "wasi:cli/terminal-output@0.2",
    "wasi:cli/terminal-stderr@0.2",
    "wasi:cli/terminal-stdin@0.2",
    "wasi:cli/terminal-stdout@0.2",
    "wasi:clocks/monotonic-clock@0.2",
    "wasi:clocks/wall-clock@0.2",
    "wasi:io/error@0.2",
    "wasi:io/poll@0.2",
    "wasi:io/streams@0.2",
    "wasi:random/insecure-seed@0.2",
    "wasi:random/random@0.2",
];

/// Refuses a component that imports any other interface.
pub(super) fn check(engine: &Engine, component: &Component) -> Result<(), ComponentError> {
    let imports: Vec<String> = component.component_type().imports(engine).map(|(name, _)| name.to_owned()).collect();
    let missing: Vec<String> = imports.iter().filter(|name| !is_offered(name)).cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let offered = OFFERED.iter().map(ToString::to_string).collect();
    Err(ComponentError::Imports { missing, imports, offered })
}

fn is_offered(name: &str) -> bool {
    OFFERED.iter().any(|offered| {
        name.strip_prefix(offered).is_some_and(|rest| {
            rest.strip_prefix('.').is_some_and(|patch| patch.bytes().all(|byte| byte.is_ascii_digit()))
        })
    })
}

struct HasIo;

impl HasData for HasIo {
    type Data<'a> = &'a mut ResourceTable;
}

/// Links the interfaces in [`OFFERED`].
pub(super) fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    storage_glue::add_to_linker(linker)?;
    secrets::add_to_linker(linker)?;
    email::add_to_linker(linker)?;
    http::add_to_linker(linker)?;

    io::error::add_to_linker::<_, HasIo>(linker, |state| state.ctx().table)?;
    io::poll::add_to_linker::<_, HasIo>(linker, |state| state.ctx().table)?;
    io::streams::add_to_linker::<_, HasIo>(linker, |state| state.ctx().table)?;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(linker, InstanceState::clocks)?;
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(linker, InstanceState::clocks)?;
    random::random::add_to_linker::<_, WasiRandom>(linker, |state| state.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(linker, |state| state.ctx().ctx.random())?;
    cli::environment::add_to_linker::<_, WasiCli>(linker, InstanceState::cli)?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, InstanceState::cli)?;
    cli::stdin::add_to_linker::<_, WasiCli>(linker, InstanceState::cli)?;
    cli::stdout::add_to_linker::<_, WasiCli>(linker, InstanceState::cli)?;
    cli::stderr::add_to_linker::<_, WasiCli>(linker, InstanceState::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(linker, InstanceState::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(linker, InstanceState::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, InstanceState::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, InstanceState::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, InstanceState::cli)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_sockets_and_other_major_versions_are_not_offered() {
        for name in ["insomnia:scim/storage@1.0.0", "insomnia:scim/storage@1.0.7", "wasi:io/poll@0.2.6"] {
            assert!(is_offered(name), "{name}");
        }
        for name in [
            "insomnia:scim/storage@1.1.0",
            "insomnia:scim/storage@1.0",
            "insomnia:scim/storage-types@1.0",
            "insomnia:scim/storage",
            "wasi:filesystem/types@0.2.0",
            "wasi:sockets/tcp@0.2.0",
            "wasi:http/types@0.2.0",
            "wasi:io/poll@0.3.0",
            "log",
        ] {
            assert!(!is_offered(name), "{name}");
        }
    }
}
