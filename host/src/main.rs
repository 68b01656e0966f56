//! The `insomnia-scim` binary: the first user of the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    insomnia_scim::cli::main()
}
