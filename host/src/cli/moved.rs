//! The mark in a data directory whose organizations were moved to another place, or are being moved there.
//!
//! The old database stays as it was, in case it is needed. If the operator then forgot to name the new place, servers
//! would go on with the old database, and identity providers would change data that nobody uses any more. So `migrate`
//! leaves the file `moved` in the directory. Because of it, nobody can open the database there: the error names the new
//! place, and says how to go back to the old database.
//!
//! Organizations may come back into a directory that has a mark, by `restore` or another `migrate`. Before the copy
//! writes anything, it notes in the mark that it has begun, and after its last commit it deletes the mark. Nothing else
//! may delete such a mark. The database in the directory may be the one that the copy has filled, or an old one that
//! somebody has put back, and only a comparison with the source shows which it is. If a copy was killed just after its
//! last commit, the same command is given again: it finds everything there, and deletes the mark.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::data_files::write_whole;
use super::presence::own_name;
use crate::storage::copy::CopyError;

/// The name of the file.
const NAME: &str = "moved";

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The new place, in words for people.
    to: String,
    /// When the move began (RFC 3339).
    began: String,
    /// The name of the `migrate` process that has made the mark or was the last to continue the move.
    #[serde(default)]
    by: String,
    /// When everything had arrived at the new place; `None` if it has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived: Option<String>,
    /// Since when organizations are copied back into the directory; `None` if they are not. The copy deletes the mark
    /// at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    returning: Option<String>,
}

impl Mark {
    /// The reason why the database in this directory is not opened.
    fn refusal(self, directory: &Path) -> Moved {
        let (directory, to) = (directory.to_owned(), self.to);
        match (self.returning, self.arrived) {
            (Some(at), _) => Moved::Returning { directory, to, at },
            (None, Some(at)) => Moved::Arrived { directory, to, at },
            (None, None) => Moved::UnderWay { directory, to, at: self.began },
        }
    }
}

/// The reason why the database in a data directory is not opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum Moved {
    /// All organizations are at the new place.
    #[error(
        "what {} held was moved to {to} on {at}: name that place, by --storage or --data. To go on with the old \
         database instead, without what was written there since, delete the file {}",
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
    /// The organizations are being moved, or the move was broken off.
    #[error(
        "what {} holds is being moved to {to} since {at}: wait for the end of `migrate`. If it was broken off, give \
         the same command again; or, to go on with this database, delete the file {}",
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
    /// Organizations are being copied into the directory, or such a copy was broken off.
    #[error(
        "a copy into {} is under way since {at}, or was broken off: wait for the end of its command (`restore`, \
         `migrate` or `backup`), or give that command again. What the directory held before was moved to {to}, or was \
         on its way there. Only if you have put that old database back, and want to go on with it, delete the file {}",
        .directory.display(),
        .directory.join(NAME).display()
    )]
    Returning {
        /// The data directory.
        directory: PathBuf,
        /// The place to which the earlier content of the directory was moved.
        to: String,
        /// When the copy began.
        at: String,
    },
    /// All organizations may be at the new place. The move was broken off: either before it could note that all of them
    /// had arrived, or before they had.
    #[error(
        "{to} has organizations already: the `migrate` that was broken off may have brought there all that {} holds, \
         before it could note that. Look with `insomnia-scim org list` there, by --storage or --data. If all are \
         there, the move is complete: start the servers with that place, and leave the file {} as it is. If they are \
         others, start over: empty that place and give the same command again, or delete the file {} and name another \
         place",
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
    /// The organizations were moved or are being moved, and this user may not read to which place.
    #[error(
        "what {} holds was moved to another place, or is on its way, and this user may not read the file {} that says \
         where to: let everybody read it (chmod 644), and give the command again",
        .0.display(),
        .0.join(NAME).display()
    )]
    Unreadable(PathBuf),
}

/// Refuses a data directory whose organizations were moved or are being moved. The database is not touched.
///
/// # Errors
/// The error contains a [`Moved`], or says that the file can't be read.
pub(super) fn check(directory: &Path) -> anyhow::Result<()> {
    match read(directory)? {
        Some(mark) => Err(mark.refusal(directory).into()),
        None => Ok(()),
    }
}

/// A move that is under way. If it is dropped before [`Move::arrived`], it deletes the mark again, provided that it has
/// made the mark.
pub(super) struct Move {
    directory: PathBuf,
    mark: Mark,
    /// Whether this move has made the mark, and nothing can have arrived yet.
    is_new: bool,
}

impl Move {
    /// Marks the directory, whose organizations are moved to `to`. If an earlier move there was broken off, it is
    /// continued. Nobody else may have the database open meanwhile; whoever opens it later sees the mark.
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
        // This value is made before the mark, so that a mark that can't be written as a whole is deleted again.
        let begun = Self { directory: directory.to_owned(), mark, is_new };
        write(directory, &begun.mark)?;
        Ok(begun)
    }

    /// Notes that everything is at the new place.
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

    /// The error to report if this one has broken off the move. If everything may have arrived, the mark stays.
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
        // Another `migrate` may have continued the move meanwhile. Then the mark has the name of that process, which
        // relies on it.
        let is_own = || read(&self.directory).is_ok_and(|mark| mark.is_none_or(|mark| mark == self.mark));
        if self.is_new
            && is_own()
            && let Err(error) = forget(&self.directory)
        {
            tracing::warn!("{error:#}");
        }
    }
}

/// Notes in the mark, if there is one, that a copy into this directory begins. The caller has the database open, which
/// does not serve yet.
///
/// # Errors
/// The mark can't be read or written.
pub(super) fn begin_return(directory: &Path) -> anyhow::Result<()> {
    match read(directory)? {
        Some(mark) if mark.returning.is_none() => write(directory, &Mark { returning: Some(now()), ..mark }),
        _ => Ok(()),
    }
}

/// Whether a copy into this directory has begun and its end is not noted. The caller has the database open.
///
/// # Errors
/// The mark can't be read.
pub(super) fn is_returning(directory: &Path) -> anyhow::Result<bool> {
    Ok(read(directory)?.is_some_and(|mark| mark.returning.is_some()))
}

/// Deletes the mark. A copy still has the database open when it calls this. So nobody can have begun another move
/// meanwhile, and the mark is the one that the copy has found.
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
        // The file exists, and only its content is closed to this user. If the whole directory were closed, its
        // metadata could not be read either.
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
    // The mark has no secrets. Servers often run as another user than the one who moves their data, so everybody may
    // read it. If this can't be permitted, the servers report that they can't read the file.
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

        // A move that is killed leaves its mark, and so does one that continues it and fails.
        std::mem::forget(Move::begin(directory, "there").unwrap());
        drop(Move::begin(directory, "there").unwrap());
        assert!(refused(directory).contains("give the same command again"));
        assert!(Move::begin(directory, "elsewhere").is_err(), "half of it is there");
        let full = || anyhow::Error::from(CopyError::NotEmpty).context("nothing was written");
        let said = format!("{:#}", Move::begin(directory, "there").unwrap().broken_off(full()));
        assert!(said.contains("there has organizations already") && said.contains("start over"), "{said}");
        // A move that fails does not delete a mark on which another move relies.
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
        // The same command is given again.
        let noted = fs::read(directory.join(NAME)).unwrap();
        begin_return(directory).unwrap();
        assert_eq!(fs::read(directory.join(NAME)).unwrap(), noted);
        forget(directory).unwrap();
        // A mark that is made afterwards has nothing to do with that copy.
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
