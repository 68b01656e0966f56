//! The `insomnia-scim` binary: the first user of the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// After answers of many megabytes the system's allocator keeps what they took, in an arena for each thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // The allocator asks for pages of 2 MiB, which the system then fills whole: 25 MiB more for a server that idles. Where the
    // system does not allow this setting it is only that: more memory.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    insomnia_scim::cli::main()
}
