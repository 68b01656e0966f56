//! The `insomnia-scim` binary: the first user of the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// After answers of many megabytes the system's allocator keeps what they took, in an arena for each thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    insomnia_scim::cli::main()
}
