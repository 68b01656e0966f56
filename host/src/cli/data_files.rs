//! The files of a data directory: what they are called, and how they are written for their owner only.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// The database.
pub(super) const DATABASE: &str = "insomnia-scim.db";
/// The host key.
pub(super) const KEY: &str = "secret.key";
/// The id of the database that belongs here.
pub(super) const INSTANCE: &str = "instance";

/// Makes the directory, if it is not there, for its owner only: it holds people's names and addresses.
pub(super) fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes beside and renames into place, for the owner only: who reads it sees all of it or none.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    let placed = written.and_then(|()| fs::rename(&beside, path));
    // Its name is on the disk as well when this returns.
    #[cfg(unix)]
    let placed = placed.and_then(|()| fs::File::open(path.parent().unwrap_or(path))?.sync_all());
    if placed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    placed
}
