//! Compiled code of the built-in component inside a binary, so that its first start need not compile.
//!
//! The code is a file of wasmtime's cache directory. The file's name depends on the component, wasmtime's version, the
//! target and all settings that change the code. The file is written into the directory that the engine uses, and
//! wasmtime reads it from there and checks the code again. If wasmtime looks for another name, because any of these
//! things is different, it ignores the file and compiles.
//!
//! A binary contains such code if `compile_ahead::make` made a file, and the binary was built again with the variable
//! `INSOMNIA_SCIM_COMPILED_COMPONENT` naming that file. `make release` does both.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

/// The content of the file that this variable named when the crate was built; empty if it named none.
const BUILT_IN: &[u8] = include_bytes!(env!("INSOMNIA_SCIM_COMPILED_FILE"));

/// A file to be written into a cache directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shipped<'s> {
    /// The path of the file in the directory.
    pub(super) path: &'s Path,
    pub(super) content: &'s [u8],
}

/// The compiled code in this binary, if there is any.
pub(super) fn built_in() -> Option<Shipped<'static>> {
    Shipped::parse(BUILT_IN)
}

impl<'s> Shipped<'s> {
    /// Parses the form that `compile_ahead::make` writes: the path, a line feed, and the content.
    pub(super) fn parse(bytes: &'s [u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (path, content) = bytes.split_at_checked(end)?;
        let path = Path::new(str::from_utf8(path).ok()?);
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        (is_inside && path.file_name().is_some()).then_some(Self { path, content: content.get(1..)? })
    }

    /// Writes the file into a cache directory, unless there is one already.
    pub(super) fn install(self, directory: &Path) -> io::Result<()> {
        let path = directory.join(self.path);
        if path.exists() {
            return Ok(());
        }
        let parent = path.parent().unwrap_or(directory);
        fs::create_dir_all(parent)?;
        // The file is written beside its place and moved there, so that nobody reads a part of it.
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

/// A temporary cache directory for one start of this process.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Creates the directory in the system's place for temporary files.
    pub(super) fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("insomnia-scim-{}", unique()?));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // It is an error if the directory exists: only somebody else could have made it.
        builder.create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // wasmtime may be writing its metadata at this moment; then a second attempt is enough.
        if fs::remove_dir_all(&self.0).is_err() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// A name that nobody can guess.
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
