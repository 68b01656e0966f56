//! Compiled code of the built-in component that a binary brings along, so that its first start need not compile.
//!
//! It is what wasmtime keeps in a cache directory: one file, whose name tells the component, wasmtime's version, the target
//! and all settings that change the code. It is put into the directory that the engine uses, and read from there by
//! wasmtime itself, which checks the code again. Where the name is not the one that wasmtime looks for, since anything of
//! all that is another, it compiles as if nothing were there.
//!
//! A binary has it if [`make`] made a file, and the binary was built again with the variable
//! `INSOMNIA_SCIM_COMPILED_COMPONENT` naming that file: `make release` does both.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use wasmtime::component;

use super::compiled::ComponentError;
use super::engine;
use super::limits::Limits;

/// The file that was named when this crate was built; empty if none was.
const BUILT_IN: &[u8] = include_bytes!(env!("INSOMNIA_SCIM_COMPILED_FILE"));

/// A file of a cache directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shipped<'s> {
    /// Where it is inside the directory.
    path: &'s Path,
    content: &'s [u8],
}

/// What this binary brings along, if it does.
pub(super) fn built_in() -> Option<Shipped<'static>> {
    Shipped::parse(BUILT_IN)
}

impl<'s> Shipped<'s> {
    /// The form in which [`make`] writes it: the path, a line feed, and the content.
    fn parse(bytes: &'s [u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (path, content) = bytes.split_at_checked(end)?;
        let path = Path::new(str::from_utf8(path).ok()?);
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        (is_inside && path.file_name().is_some()).then_some(Self { path, content: content.get(1..)? })
    }

    /// Puts it into a cache directory, unless something is in its place.
    pub(super) fn install(self, directory: &Path) -> io::Result<()> {
        let path = directory.join(self.path);
        if path.exists() {
            return Ok(());
        }
        let parent = path.parent().unwrap_or(directory);
        fs::create_dir_all(parent)?;
        // Written beside its place and moved there, so that nobody reads a part of it.
        let beside = parent.join(format!(".shipped-{}", unique()?));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&beside)
            .and_then(|mut file| file.write_all(self.content))
            .and_then(|()| fs::rename(&beside, &path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    }
}

/// Compiles the component, and returns what a binary that brings its code along is built with.
///
/// # Errors
/// It can't be compiled, or there is no directory for what lasts no longer than this call.
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

/// The one file of code below the directory. Its name has no extension; wasmtime's notes beside it do, and so does what a
/// thread of its own is just writing.
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

/// A cache directory for the time of one start, of this process alone.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes it where the system keeps what is not to last.
    pub(super) fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("insomnia-scim-{}", unique()?));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // It is an error if it is there already: nobody else can have made it.
        builder.create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // wasmtime may write its notes at this moment; then one more time is enough.
        if fs::remove_dir_all(&self.0).is_err() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// A name that nobody can foresee.
fn unique() -> io::Result<String> {
    getrandom::u64().map(|number| format!("{number:016x}")).map_err(|error| io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::fault_guest;
    use super::*;

    #[test]
    fn a_file_belongs_inside_the_directory() {
        let parsed = Shipped::parse(b"modules/a/b\ncode\n").unwrap();
        assert_eq!(parsed, Shipped { path: Path::new("modules/a/b"), content: b"code\n" });
        for wrong in
            [&b""[..], b"no line", b"\ncode", b"/etc/x\ncode", b"../x\ncode", b"a/../../x\ncode", b"\xff\ncode"]
        {
            assert_eq!(Shipped::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_is_in_a_files_place_stays() {
        let directory = tempfile::tempdir().unwrap();
        let shipped = |content| Shipped { path: Path::new("modules/a/b"), content };
        shipped(b"one").install(directory.path()).unwrap();
        shipped(b"two").install(directory.path()).unwrap();
        let parent = directory.path().join("modules/a");
        assert_eq!(fs::read(parent.join("b")).unwrap(), b"one");
        assert_eq!(fs::read_dir(parent).unwrap().count(), 1);
    }

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
