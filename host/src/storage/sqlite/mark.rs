//! Recognizes commits by the index of SQLite's write-ahead log.

#[cfg(unix)]
use std::ffi::OsString;
#[cfg(unix)]
use std::fs::File;
#[cfg(unix)]
use std::mem::ManuallyDrop;
#[cfg(unix)]
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The size of the index's header, of which there are two copies. If both are equal, no commit is being written to it.
const HEADER: usize = 48;
/// The position of the commit count in the header: four bytes in the machine's byte order. SQLite adds one with each
/// commit that writes pages, and nothing when the log starts again.
const COMMITS: std::ops::Range<usize> = 8..12;
/// The position of the byte that says that the header is valid.
const IS_VALID: usize = 12;

/// Identifies the last commit, by the header of the write-ahead log's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark([u8; HEADER]);

impl Mark {
    fn commits(&self) -> u32 {
        self.0.get(COMMITS).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_ne_bytes)
    }

    /// Whether exactly one commit lies between `before` and this state.
    pub(super) fn follows(&self, before: &Self) -> bool {
        self.commits() == before.commits().wrapping_add(1)
    }
}

/// The index of the write-ahead log.
#[derive(Debug)]
pub(super) struct Index {
    /// The file is never closed: when a process closes any descriptor of a file, it loses all its locks on that file
    /// (fcntl(2), POSIX), including those of SQLite's own connections.
    #[cfg(unix)]
    file: ManuallyDrop<File>,
}

impl Index {
    /// Opens the index of the database at `path`, to which a connection is open. `None` if it can't be read; then
    /// nothing is cached.
    #[cfg(unix)]
    pub(super) fn open(path: &Path) -> Option<Self> {
        // If the path is a link, SQLite's index is beside the target of the link.
        let path = path.canonicalize().ok()?;
        let name = [path.as_os_str(), "-shm".as_ref()].into_iter().collect::<OsString>();
        let file = ManuallyDrop::new(File::open(name).ok()?);
        Some(Self { file })
    }

    /// On other systems, reading the file need not show what another process has written to its mapped memory.
    #[cfg(not(unix))]
    pub(super) fn open(_: &Path) -> Option<Self> {
        None
    }

    /// The last commit; `None` if it is unknown, for instance because a commit is being written.
    #[cfg(unix)]
    pub(super) fn last(&self) -> Option<Mark> {
        let mut copies = [0; 2 * HEADER];
        self.file.read_exact_at(&mut copies, 0).ok()?;
        let (one, other) = copies.split_first_chunk::<HEADER>()?;
        (one[..] == *other && one[IS_VALID] == 1).then_some(Mark(*one))
    }

    #[cfg(not(unix))]
    pub(super) fn last(&self) -> Option<Mark> {
        None
    }
}
