//! Compiled code of the built-in component that a binary brings along, so that its first start need not compile.
//!
//! It is what wasmtime keeps in a cache directory: one file, whose name tells the component, wasmtime's version, the target
//! and all settings that change the code. It is put into the directory that the engine uses, and read from there by
//! wasmtime itself, which checks the code again. Where the name is not the one that wasmtime looks for, since anything of
//! all that is another, it compiles as if nothing were there.
//!
//! A binary has it if `compile_ahead::make` made a file, and the binary was built again with the variable
//! `INSOMNIA_SCIM_COMPILED_COMPONENT` naming that file: `make release` does both.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

/// The file that was named when this crate was built; empty if none was.
const BUILT_IN: &[u8] = include_bytes!(env!("INSOMNIA_SCIM_COMPILED_FILE"));

/// A file of a cache directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shipped<'s> {
    /// Where it is inside the directory.
    pub(super) path: &'s Path,
    pub(super) content: &'s [u8],
}

/// What this binary brings along, if it does.
pub(super) fn built_in() -> Option<Shipped<'static>> {
    Shipped::parse(BUILT_IN)
}

impl<'s> Shipped<'s> {
    /// The form in which it is made: the path, a line feed, and the content.
    pub(super) fn parse(bytes: &'s [u8]) -> Option<Self> {
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
}
