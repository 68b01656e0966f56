//! The mark in a data directory whose organizations were moved to another place, or are being moved there.
//!
//! The old database stays as it was, in case it is needed. Whoever then forgets to name the new place would go on with it, and
//! identity providers would change what nobody uses any more. So `migrate` leaves a file in the directory, and whoever opens the
//! database there is refused with the way to the new place, and the way back.
//!
//! Organizations may come back into a directory that has a mark, by `restore` or another `migrate`. The copy notes in the mark, before
//! it writes anything, that it has begun, and deletes the mark after its last commit. Nobody else ever ends a mark: whether the database
//! in the directory is the one that was filled, or an old one that somebody has put back, is known only to who compares it with its
//! source. A copy that was killed just after its last commit is given again, finds all there, and deletes the mark.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::data_files::write_whole;
use super::presence::own_name;
use crate::storage::copy::CopyError;

/// What the file is called.
const NAME: &str = "moved";

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The new place, as people read it.
    to: String,
    /// When the move began (RFC 3339).
    began: String,
    /// Which `migrate` has made the mark or has taken it up last.
    #[serde(default)]
    by: String,
    /// When all had arrived there; not there yet if it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived: Option<String>,
    /// Since when organizations are copied into the directory. The copy deletes the mark at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    returning: Option<String>,
}

impl Mark {
    /// Why the database in this directory is not opened.
    fn refusal(self, directory: &Path) -> Moved {
        let (directory, to) = (directory.to_owned(), self.to);
        match (self.returning, self.arrived) {
            (Some(at), _) => Moved::Returning { directory, to, at },
            (None, Some(at)) => Moved::Arrived { directory, to, at },
            (None, None) => Moved::UnderWay { directory, to, at: self.began },
        }
    }
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
    /// Something is copied into the directory, or that was broken off.
    #[error(
        "a copy into {} is under way since {at}, or was broken off: wait for the end of its command (`restore`, `migrate` or \
         `backup`), or give that command again. What the directory held before was moved to {to}, or was on its way there. Only if \
         you have put that old database back, and want to go on with it, delete the file {}",
        .directory.display(),
        .directory.join(NAME).display()
    )]
    Returning {
        /// The data directory.
        directory: PathBuf,
        /// Where what was there before is.
        to: String,
        /// When the copy began.
        at: String,
    },
    /// It may all be elsewhere: the way was broken off before that was noted, or before the end.
    #[error(
        "{to} has organizations already: the `migrate` that was broken off may have brought there all that {} holds, before it could \
         note that. Look with `insomnia-scim org list` there, by --storage or --data. If all are there, the move is complete: start the servers with that place, and leave the file \
         {} as it is. If they are others, start over: empty that place and give the same command again, or delete the file \
         {} and name another place",
        .directory.display(),
        .directory.join(NAME).display(),
        .directory.join(NAME).display()
    )]
    MayHaveArrived {
        /// The data directory.
        directory: PathBuf,
        /// The new place.
        to: String,
    },
    /// It is moved, or on its way, and this user may not read where to.
    #[error(
        "what {} holds was moved to another place, or is on its way, and this user may not read the file {} that says where to: let \
         everybody read it (chmod 644), and give the command again",
        .0.display(),
        .0.join(NAME).display()
    )]
    Unreadable(PathBuf),
}

/// Refuses a data directory whose organizations are elsewhere, or on their way. It does not touch the database.
///
/// # Errors
/// [`Moved`] within, or the file can't be read.
pub(super) fn check(directory: &Path) -> anyhow::Result<()> {
    match read(directory)? {
        Some(mark) => Err(mark.refusal(directory).into()),
        None => Ok(()),
    }
}

/// A move that is under way. Dropped before [`Move::arrived`], it takes the mark away again if it has made it.
pub(super) struct Move {
    directory: PathBuf,
    mark: Mark,
    /// No earlier move has made the mark, and nothing can have arrived.
    is_new: bool,
}

impl Move {
    /// Marks the directory, from which all is moved to `to`. An earlier move that was broken off is taken up. Nobody may have the
    /// database open meanwhile: whoever opens it later sees the mark.
    ///
    /// # Errors
    /// [`Moved::Arrived`], [`Moved::Returning`], or [`Moved::UnderWay`] to another place; or the mark can't be written.
    pub(super) fn begin(directory: &Path, to: &str) -> anyhow::Result<Self> {
        let (mark, is_new) = match read(directory)? {
            Some(mark) => {
                if mark.arrived.is_some() || mark.returning.is_some() || mark.to != to {
                    return Err(mark.refusal(directory).into());
                }
                (Mark { by: own_name(), ..mark }, false)
            }
            None => (Mark { to: to.to_owned(), began: now(), by: own_name(), arrived: None, returning: None }, true),
        };
        // Made before the mark, so that a mark that can't be written as a whole is taken away again.
        let begun = Self { directory: directory.to_owned(), mark, is_new };
        write(directory, &begun.mark)?;
        Ok(begun)
    }

    /// All is at the new place.
    ///
    /// # Errors
    /// The mark can't be written.
    pub(super) fn arrived(mut self) -> anyhow::Result<()> {
        self.mark.arrived = Some(now());
        self.is_new = false;
        write(&self.directory, &self.mark).with_context(|| {
            format!(
                "all has arrived in {}, and only this could not be noted: name that place from now on",
                self.mark.to
            )
        })
    }

    /// What there is to say when this error has broken the move off. Where all may have arrived, the mark stays.
    pub(super) fn broken_off(&mut self, error: anyhow::Error) -> anyhow::Error {
        let cause = error.downcast_ref::<CopyError>();
        let (is_unknown, is_full) =
            (matches!(cause, Some(CopyError::Unknown(_))), matches!(cause, Some(CopyError::NotEmpty)));
        if is_unknown {
            self.is_new = false;
        }
        if is_full && !self.is_new {
            return Moved::MayHaveArrived { directory: self.directory.clone(), to: self.mark.to.clone() }.into();
        }
        error
    }
}

impl Drop for Move {
    fn drop(&mut self) {
        // Another `migrate` may have taken the mark up meanwhile, and relies on it.
        let is_own = || read(&self.directory).is_ok_and(|mark| mark.is_none_or(|mark| mark == self.mark));
        if self.is_new
            && is_own()
            && let Err(error) = forget(&self.directory)
        {
            tracing::warn!("{error:#}");
        }
    }
}

/// Notes in the mark, if there is one, that a copy into this directory begins. The caller has the database open, and it does not
/// serve yet.
///
/// # Errors
/// The mark can't be read or written.
pub(super) fn begin_return(directory: &Path) -> anyhow::Result<()> {
    match read(directory)? {
        Some(mark) if mark.returning.is_none() => write(directory, &Mark { returning: Some(now()), ..mark }),
        _ => Ok(()),
    }
}

/// Whether a copy into this directory has begun, and its end is not noted. The caller has the database open.
///
/// # Errors
/// The mark can't be read.
pub(super) fn is_returning(directory: &Path) -> anyhow::Result<bool> {
    Ok(read(directory)?.is_some_and(|mark| mark.returning.is_some()))
}

/// Takes the mark away. A copy whose organizations have arrived in this directory has its database open until then: so nobody can have
/// begun another move meanwhile, and the mark is the one that the copy has found.
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
        // The file is there, and not only the directory closed to this user.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && fs::symlink_metadata(&path).is_ok() => {
            return Err(Moved::Unreadable(directory.to_owned()).into());
        }
        Err(error) => return Err(error).with_context(|| format!("{} can't be read", path.display())),
    };
    let mark = serde_json::from_slice(&content);
    mark.map(Some).with_context(|| format!("{} is not what `migrate` has written", path.display()))
}

fn write(directory: &Path, mark: &Mark) -> anyhow::Result<()> {
    let path = directory.join(NAME);
    let text = format!("{}\n", serde_json::to_string(mark)?);
    write_whole(&path, text.as_bytes()).with_context(|| format!("{} can't be written", path.display()))?;
    // There is nothing secret in it, and the servers are often another user's than who moves what they had. Where it can't be opened
    // to them, they say so.
    #[cfg(unix)]
    let _ = fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644));
    Ok(())
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
        let full = || anyhow::Error::from(CopyError::NotEmpty).context("nothing was written");
        let said = format!("{:#}", Move::begin(directory, "there").unwrap().broken_off(full()));
        assert!(said.contains("there has organizations already") && said.contains("start over"), "{said}");
        // Who fails does not take away the mark that another relies on.
        forget(directory).unwrap();
        let first = Move::begin(directory, "there").unwrap();
        let second = Move::begin(directory, "there").unwrap();
        drop(first);
        assert!(refused(directory).contains("is being moved to there"));
        drop(second);
        Move::begin(directory, "there").unwrap().arrived().unwrap();
        let said = refused(directory);
        assert!(said.contains("was moved to there on 2") && said.contains("delete the file"), "{said}");
        assert!(Move::begin(directory, "there").is_err(), "it is not moved twice");
        forget(directory).unwrap();
        check(directory).unwrap();
    }

    #[test]
    fn p9_a_move_whose_last_commit_had_no_answer_keeps_its_mark_and_one_that_met_others_does_not() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path();
        let full = Move::begin(directory, "there").unwrap().broken_off(CopyError::NotEmpty.into());
        assert!(full.is::<CopyError>(), "nothing of this move can be there: {full:#}");
        check(directory).unwrap();
        let lost = CopyError::Unknown(crate::capability::storage::StorageError::Unavailable("lost".into()));
        let unknown = Move::begin(directory, "there").unwrap().broken_off(lost.into());
        assert!(unknown.is::<CopyError>(), "{unknown:#}");
        assert!(refused(directory).contains("is being moved to there"));
    }

    #[test]
    fn p9_a_mark_names_the_place_of_before_until_a_copy_begins_and_the_copy_until_it_ends_it() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path();
        begin_return(directory).unwrap();
        check(directory).expect("a copy makes no mark");
        Move::begin(directory, "there").unwrap().arrived().unwrap();
        assert!(!is_returning(directory).unwrap());
        begin_return(directory).unwrap();
        assert!(is_returning(directory).unwrap());
        let said = refused(directory);
        assert!(said.contains("a copy into") && said.contains("give that command again"), "{said}");
        assert!(Move::begin(directory, "there").is_err(), "what is here is not whole");
        // The same command again.
        let noted = fs::read(directory.join(NAME)).unwrap();
        begin_return(directory).unwrap();
        assert_eq!(fs::read(directory.join(NAME)).unwrap(), noted);
        forget(directory).unwrap();
        // A mark that was made afterwards is none of that copy's.
        Move::begin(directory, "elsewhere").unwrap().arrived().unwrap();
        assert!(refused(directory).contains("was moved to elsewhere on 2"));
    }

    #[cfg(unix)]
    #[test]
    fn p9_everybody_can_read_where_all_was_moved_to() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().unwrap();
        Move::begin(place.path(), "there").unwrap().arrived().unwrap();
        assert_eq!(fs::metadata(place.path().join(NAME)).unwrap().permissions().mode() & 0o777, 0o644);
    }
}
