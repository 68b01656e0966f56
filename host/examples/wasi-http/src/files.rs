//! Files that are written as a whole or not at all, and their errors.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use insomnia_scim_contract::StorageError;

/// Why files could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The file system refused.
    #[error("the file system: {0}")]
    Io(#[from] io::Error),
    /// The content is not what was written.
    #[error("a file of the storage is damaged: {0}")]
    Damaged(&'static str),
}

impl Fault {
    /// Whether a file or a folder was absent.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == ErrorKind::NotFound)
    }
}

impl From<Fault> for StorageError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Io(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => Self::Full,
            Fault::Io(error) if error.kind() == ErrorKind::Interrupted => Self::Unavailable(error.to_string()),
            other => Self::Other(other.to_string()),
        }
    }
}

/// Whether the file got this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// It has the name, and no other file can get it.
    First,
    /// Another file had the name already.
    TooLate,
}

/// Writes a file with this content, forces it to the disk, and gives it the name unless the name is taken. If several try this
/// at once, one succeeds.
///
/// # Errors
/// The file system refuses. The name is not given then.
pub(crate) fn publish(name: &Path, write: impl FnOnce(&mut File) -> Result<(), Fault>) -> Result<Published, Fault> {
    let draft = draft(name)?;
    let mut file = File::options().write(true).create_new(true).open(&draft)?;
    let written = write(&mut file).and_then(|()| Ok(file.sync_all()?));
    let linked = written.map(|()| fs::hard_link(&draft, name));
    // A draft that stays is removed with its folder.
    let _ = fs::remove_file(&draft);
    match linked? {
        Ok(()) => Ok(Published::First),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Published::TooLate),
        Err(error) => Err(error.into()),
    }
}

/// Replaces a file by one with this content.
///
/// # Errors
/// The file system refuses. The old file stays then.
pub(crate) fn replace(name: &Path, content: &[u8]) -> Result<(), Fault> {
    let draft = draft(name)?;
    let mut file = File::options().write(true).create_new(true).open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, name)?;
    sync_name(name)
}

/// Forces the name of a file or a folder to the disk.
///
/// # Errors
/// The file system refuses. Some hosts of WASI can't do this to folders. Then the file itself is forced to the disk once more;
/// on file systems with a journal this also saves its name.
pub(crate) fn sync_name(name: &Path) -> Result<(), Fault> {
    let folder = name.parent().unwrap_or_else(|| Path::new("."));
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if is_unsupported(&error) => {}
        result => return Ok(result?),
    }
    match File::open(name).and_then(|file| file.sync_all()) {
        Err(error) if is_unsupported(&error) => Ok(()),
        result => Ok(result?),
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    // A host that has no descriptor of the folder answers EBADF.
    const EBADF_ON_WASI: i32 = 8;
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput | ErrorKind::IsADirectory)
        || (cfg!(target_family = "wasm") && error.raw_os_error() == Some(EBADF_ON_WASI))
}

/// A name in the same folder that nobody else uses.
fn draft(name: &Path) -> Result<PathBuf, Fault> {
    let number = getrandom::u64().map_err(|_| io::Error::other("there is no randomness"))?;
    Ok(name.with_extension(format!("{number:016x}.draft")))
}
