//! Everything that can be wrong with a database when it is opened.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// The reason why a database can't be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory does not exist.
    #[error("the directory of {} does not exist: create it, or name another data directory", .0.display())]
    NoDirectory(PathBuf),
    /// The file or its directory can't be written.
    #[error("{} can't be written: make the file and its directory writable for the user that runs this", .0.display())]
    NotWritable(PathBuf),
    /// The file is not a database of this server.
    #[error("{} is not a SQLite database: name another data directory, or move the file away", .0.display())]
    NotADatabase(PathBuf),
    /// A newer release has changed the tables.
    #[error("{} has tables of version {found}, and this release knows versions up to {known}: use the release that last opened it, or a newer one", .path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// The version of its tables.
        found: i32,
        /// The newest version this release knows.
        known: i32,
    },
    /// An earlier release has made the tables, and the caller does not allow a migration.
    #[error("{} has tables of version {found}, and this release reads those of version {known}: use the release that last opened it, or start a server of this release on it first", .path.display())]
    Older {
        /// The database.
        path: PathBuf,
        /// The version of its tables.
        found: i32,
        /// The version that this release reads.
        known: i32,
    },
    /// The file system can't share memory between processes.
    #[error("{} can't use a write-ahead log: put the data directory on a local file system", .0.display())]
    NoWriteAheadLog(PathBuf),
    /// The write-ahead log beside the file belongs to another state of it: one of the two was replaced.
    #[error("the write-ahead log {}-wal does not belong to this database: one of the two was replaced by a copy. If the database is the copy that you want, move the log away (and the -shm file with it); what is only in the log is then lost", .0.display())]
    OtherLog(PathBuf),
    /// Another process has been writing to it for too long.
    #[error("{} is locked by another process: wait for it, or stop it", .0.display())]
    Locked(PathBuf),
    /// Any other error of the file system.
    #[error("{} can't be opened", .path.display())]
    Io {
        /// The database.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// Any other error of SQLite.
    #[error("{} can't be opened", .path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The tables can't be migrated.
    #[error("the tables of {} can't be brought up to date", .path.display())]
    Migration {
        /// The database.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite_migration::Error,
    },
}

impl OpenError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NoDirectory(path),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::NotWritable(path),
            _ => Self::Io { path, source },
        }
    }

    pub(super) fn sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase(path),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::NotWritable(path),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked(path),
            _ => Self::Sqlite { path, source },
        }
    }
}
