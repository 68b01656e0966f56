//! The files of a data directory: their names, and how they are written so that only their owner has access.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// The file of the database.
pub(super) const DATABASE: &str = "insomnia-scim.db";
/// The file of the host keys.
pub(super) const KEY: &str = "secret.key";
/// The file with the id of the database that belongs to the directory.
pub(super) const INSTANCE: &str = "instance";

/// Makes the directory if it does not exist. Only its owner has access, since it holds people's names and addresses.
pub(super) fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file beside the path and renames it into place, so that a reader sees the whole content or none of it. Only
/// its owner has access.
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
    // The directory is written to the disk as well, so that the file's name is there when this function returns.
    #[cfg(unix)]
    let placed = placed.and_then(|()| fs::File::open(path.parent().unwrap_or(path))?.sync_all());
    if placed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    placed
}
