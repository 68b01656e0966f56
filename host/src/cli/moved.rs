//! The mark in a data directory whose organizations were moved to another place, or are being moved there.
//!
//! The old database stays as it was, in case it is needed. Whoever then forgets to name the new place would go on with it, and
//! identity providers would change what nobody uses any more. So `migrate` leaves a file in the directory, and whoever opens the
//! database there is refused with the way to the new place, and the way back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::data::write_whole;

/// What the file is called.
const NAME: &str = "moved";

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// The new place, as people read it.
    to: String,
    /// When the move began (RFC 3339).
    began: String,
    /// When all had arrived there; not there yet if it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived: Option<String>,
}

/// Why the database in a data directory is not opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum Moved {
    /// All of it is elsewhere.
    #[error(
        "what {} held was moved to {to} on {at}: name that place, by --storage or --data. To go on with the old database \
         instead, without what was written there since, delete the file {}",
        .directory.display(),
        .directory.join(NAME).display()
    )]
    Arrived {
        /// The data directory.
        directory: PathBuf,
        /// The new place.
        to: String,
        /// When all had arrived there.
        at: String,
    },
    /// It is on its way, or the way was broken off.
    #[error(
        "what {} holds is being moved to {to} since {at}: wait for the end of `migrate`. If it was broken off, give the same \
         command again; or, to go on with this database, delete the file {}",
        .directory.display(),
        .directory.join(NAME).display()
    )]
    UnderWay {
        /// The data directory.
        directory: PathBuf,
        /// The new place.
        to: String,
        /// When it began.
        at: String,
    },
}

/// Refuses a data directory whose organizations are elsewhere, or on their way.
///
/// # Errors
/// [`Moved`] within, or the file can't be read.
pub(super) fn check(directory: &Path) -> anyhow::Result<()> {
    let Some(Mark { to, began, arrived }) = read(directory)? else { return Ok(()) };
    let directory = directory.to_owned();
    Err(match arrived {
        Some(at) => Moved::Arrived { directory, to, at },
        None => Moved::UnderWay { directory, to, at: began },
    }
    .into())
}

/// A move that is under way. Dropped before [`Move::arrived`], it takes the mark away again if it has made it.
pub(super) struct Move<'m> {
    directory: &'m Path,
    mark: Mark,
    is_new: bool,
}

impl<'m> Move<'m> {
    /// Marks the directory, from which all is moved to `to`. An earlier move that was broken off is taken up.
    ///
    /// # Errors
    /// [`Moved::Arrived`], or [`Moved::UnderWay`] to another place, or the mark can't be written.
    pub(super) fn begin(directory: &'m Path, to: &str) -> anyhow::Result<Self> {
        if let Some(mark) = read(directory)? {
            if mark.arrived.is_some() || mark.to != to {
                check(directory)?;
            }
            return Ok(Self { directory, mark, is_new: false });
        }
        let mark = Mark { to: to.to_owned(), began: now(), arrived: None };
        write(directory, &mark)?;
        Ok(Self { directory, mark, is_new: true })
    }

    /// All is at the new place.
    ///
    /// # Errors
    /// The mark can't be written.
    pub(super) fn arrived(mut self) -> anyhow::Result<()> {
        self.mark.arrived = Some(now());
        self.is_new = false;
        write(self.directory, &self.mark)
    }
}

impl Drop for Move<'_> {
    fn drop(&mut self) {
        if self.is_new
            && let Err(error) = forget(self.directory)
        {
            tracing::warn!("{error:#}");
        }
    }
}

/// Takes the mark away: organizations have arrived in this directory.
///
/// # Errors
/// The file can't be deleted.
pub(super) fn forget(directory: &Path) -> anyhow::Result<()> {
    let path = directory.join(NAME);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} can't be deleted", path.display()))
        }
        _ => Ok(()),
    }
}

fn read(directory: &Path) -> anyhow::Result<Option<Mark>> {
    let path = directory.join(NAME);
    let content = match fs::read(&path) {
        Ok(content) => content,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error).with_context(|| format!("{} can't be read", path.display())),
    };
    let mark = serde_json::from_slice(&content);
    mark.map(Some).with_context(|| format!("{} is not what `migrate` has written", path.display()))
}

fn write(directory: &Path, mark: &Mark) -> anyhow::Result<()> {
    let path = directory.join(NAME);
    let text = format!("{}\n", serde_json::to_string(mark)?);
    write_whole(&path, text.as_bytes()).with_context(|| format!("{} can't be written", path.display()))
}

fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(directory: &Path) -> String {
        format!("{:#}", check(directory).unwrap_err())
    }

    #[test]
    fn p9_a_move_marks_the_old_place_until_it_fails_and_for_good_when_all_has_arrived() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path();
        check(directory).unwrap();
        let begun = Move::begin(directory, "there").unwrap();
        assert!(refused(directory).contains("is being moved to there"));
        drop(begun);
        check(directory).unwrap();

        // A kill leaves the mark; who takes the move up, and fails, leaves it as well.
        std::mem::forget(Move::begin(directory, "there").unwrap());
        drop(Move::begin(directory, "there").unwrap());
        assert!(refused(directory).contains("give the same command again"));
        assert!(Move::begin(directory, "elsewhere").is_err(), "half of it is there");
        Move::begin(directory, "there").unwrap().arrived().unwrap();
        let said = refused(directory);
        assert!(said.contains("was moved to there on 2") && said.contains("delete the file"), "{said}");
        assert!(Move::begin(directory, "there").is_err(), "it is not moved twice");
        forget(directory).unwrap();
        check(directory).unwrap();
    }
}
