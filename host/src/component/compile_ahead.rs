//! Compiles the component before a server starts, so that a binary can contain the compiled code (module `shipped`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wasmtime::component;

use super::engine;
use super::error::ComponentError;
use super::limits::Limits;
use super::shipped::Scratch;

/// Compiles the component, and returns the content of the file that `INSOMNIA_SCIM_COMPILED_COMPONENT` names when a
/// binary is built that contains the compiled code: the path of the code in a cache directory, a line feed, and the
/// code.
///
/// # Errors
/// It can't be compiled, or no temporary directory can be made.
pub(crate) fn make(wasm: &[u8], limits: &Limits) -> Result<Vec<u8>, ComponentError> {
    let failed = |error: io::Error| ComponentError::Engine(format!("compiled code can't be kept: {error}"));
    let directory = Scratch::new().map_err(failed)?;
    let cache = engine::cache(directory.path()).map_err(|error| ComponentError::Engine(format!("{error:#}")))?;
    let engine = engine::engine(limits, Some(cache)).map_err(|error| ComponentError::Engine(format!("{error:#}")))?;
    component::Component::new(&engine, wasm).map_err(|error| ComponentError::Invalid(format!("{error:#}")))?;
    let file = code(directory.path()).map_err(failed)?;
    let path = file.strip_prefix(directory.path()).ok().and_then(Path::to_str).unwrap_or_default();
    let content = fs::read(&file).map_err(failed)?;
    Ok([path.as_bytes(), b"\n", &content].concat())
}

/// The only file of compiled code below the directory. Its name has no extension, unlike those of the metadata that
/// wasmtime keeps beside it, and of a file that another thread is writing at this moment.
fn code(directory: &Path) -> io::Result<PathBuf> {
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_none() {
                return Ok(path);
            }
        }
    }
    Err(io::Error::other("wasmtime has written none"))
}

#[cfg(test)]
mod tests {
    use super::super::fault_guest;
    use super::super::shipped::Shipped;
    use super::*;

    #[test]
    fn code_that_is_brought_along_is_not_compiled_again() {
        let wasm = fault_guest::component();
        let made = make(&wasm, &Limits::default()).unwrap();
        let shipped = Shipped::parse(&made).unwrap();
        let directory = tempfile::tempdir().unwrap();
        shipped.install(directory.path()).unwrap();
        let cache = engine::cache(directory.path()).unwrap();
        let engine = engine::engine(&Limits::default(), Some(cache.clone())).unwrap();
        component::Component::new(&engine, &wasm).unwrap();
        assert_eq!((cache.cache_hits(), cache.cache_misses()), (1, 0));
    }

    #[test]
    fn code_of_another_component_or_that_is_damaged_is_compiled() {
        let wasm = fault_guest::component();
        let made = make(&wasm, &Limits::default()).unwrap();
        let shipped = Shipped::parse(&made).unwrap();
        for (path, content) in
            [(Path::new("modules/other"), shipped.content), (shipped.path, &b"not compiled code"[..])]
        {
            let directory = tempfile::tempdir().unwrap();
            Shipped { path, content }.install(directory.path()).unwrap();
            let cache = engine::cache(directory.path()).unwrap();
            let engine = engine::engine(&Limits::default(), Some(cache.clone())).unwrap();
            component::Component::new(&engine, &wasm).unwrap();
            assert_eq!((cache.cache_hits(), cache.cache_misses()), (0, 1), "{}", path.display());
        }
    }
}
