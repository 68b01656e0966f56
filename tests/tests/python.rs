//! The Python tools of `requirements.txt`, as `make setup` installs them.

use std::env;
use std::path::{Path, PathBuf};

/// A command of the virtual environment: `INSOMNIA_SCIM_VENV`, or `target/venv` of the workspace.
///
/// # Panics
/// When it is not there.
pub(crate) fn tool(name: &str) -> PathBuf {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv");
    let environment = env::var_os("INSOMNIA_SCIM_VENV").map_or_else(built, PathBuf::from);
    let path = environment.join("bin").join(name);
    assert!(path.is_file(), "{} is not there: run `make setup` first", path.display());
    path
}
