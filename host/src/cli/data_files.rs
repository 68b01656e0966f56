//! The files of a data directory: what they are called, and how they are written for their owner only.

use std::fs;
use std::io;
use std::path::Path;

use crate::private_files;

/// The database.
pub(super) const DATABASE: &str = "insomnia-scim.db";
/// The host key.
pub(super) const KEY: &str = "secret.key";
/// The id of the database that belongs here.
pub(super) const INSTANCE: &str = "instance";

/// Writes beside and renames into place, for the owner only: who reads it sees all of it or none.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let written = private_files::write(&beside, private_files::options().create(true).truncate(true), content);
    let placed = written.and_then(|()| fs::rename(&beside, path));
    // Its name is on the disk as well when this returns.
    #[cfg(unix)]
    let placed = placed.and_then(|()| fs::File::open(path.parent().unwrap_or(path))?.sync_all());
    if placed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    placed
}
