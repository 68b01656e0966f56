//! The files of a data directory: their names, and how they are written so that only their owner has access.

use std::fs;
use std::io;
use std::path::Path;

use crate::private_files;

/// The file of the database.
pub(super) const DATABASE: &str = "insomnia-scim.db";
/// The file of the host keys.
pub(super) const KEY: &str = "secret.key";
/// The file with the id of the database that belongs to the directory.
pub(super) const INSTANCE: &str = "instance";

/// Writes a file beside the path and renames it into place, so that a reader sees the whole content or none of it. Only
/// its owner has access.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let written = private_files::write(&beside, private_files::options().create(true).truncate(true), content);
    let placed = written.and_then(|()| fs::rename(&beside, path));
    // The directory is written to the disk as well, so that the file's name is there when this function returns.
    #[cfg(unix)]
    let placed = placed.and_then(|()| fs::File::open(path.parent().unwrap_or(path))?.sync_all());
    if placed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    placed
}
