//! Files and directories that only their owner may read: they hold secrets, or people's names and addresses.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Options to write a file. If it is new, only its owner may read it.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes a file. Its content is on the disk when this returns.
pub(crate) fn write(path: &Path, options: &OpenOptions, content: &[u8]) -> io::Result<()> {
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Creates the directory and the directories above it, unless they exist.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
