//! Email into a folder, one `.eml` file a message: for a start without a mail server, and for tests.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::addressee;
use super::letter::{Letter, Sender};
use crate::capability::email::{MailError, Mailer, Message};
use crate::capability::storage::OrganizationId;
use crate::private_files::{self, create_directory};

/// How old an unfinished file must be to count as left by a crash.
const STALE: Duration = Duration::from_secs(3600);

/// How often to try to remove a folder into which another process still writes.
const REMOVALS: usize = 20;

/// Makes the names of files that are being written unique in this process.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// Writes messages to `<folder>/<organization>/<date>-<id>.eml`, readable by the owner only.
///
/// A file appears complete or not at all, and is on the disk when [`Mailer::send`] returns. A message that is sent
/// again replaces its own file.
#[derive(Clone, Debug)]
pub struct MailFolder {
    path: PathBuf,
    sender: Sender,
}

impl MailFolder {
    /// Opens the folder, and makes it if it does not exist.
    ///
    /// # Errors
    /// If it can't be made or read.
    pub fn open(path: &Path, sender: Sender) -> io::Result<Self> {
        create_directory(path)?;
        for organization in fs::read_dir(path)? {
            let organization = organization?;
            if organization.file_type()?.is_dir() {
                remove_stale(&organization.path())?;
            }
        }
        Ok(Self { path: path.to_owned(), sender })
    }

    /// Removes an organization's messages from a folder, if both exist. This is for a mailer that no longer writes
    /// there.
    ///
    /// # Errors
    /// If they can't be removed.
    pub fn remove(path: &Path, organization: &OrganizationId) -> io::Result<()> {
        let folder = path.join(organization.as_str());
        // Another process may write a message meanwhile, which makes the folder again or keeps it from being empty.
        for _ in 0..REMOVALS {
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                removed => return removed,
            }
        }
        fs::remove_dir_all(&folder)
    }

    /// Deletes messages that were written before this time, from the folder of every organization, and those to the operator.
    /// `most` is how many
    /// files it deletes at the most; returns whether there may be more to delete. A folder that is not there has none.
    ///
    /// # Errors
    /// If the folder can't be read, or a message can't be deleted.
    pub fn delete_older(path: &Path, before: SystemTime, most: usize) -> io::Result<bool> {
        let organizations = match fs::read_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            organizations => organizations?,
        };
        let (mut left, mut first_error) = (most, None);
        for organization in organizations {
            let organization = organization?;
            let is_one =
                organization.file_name().to_str().is_some_and(|name| OrganizationId::from_stored(name).is_ok());
            if !is_one || !organization.file_type()?.is_dir() {
                continue;
            }
            // A message that can't be deleted in one folder does not affect the other folders.
            match delete_older_in(&organization.path(), before, &mut left) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => drop(first_error.get_or_insert(error)),
            }
        }
        first_error.map_or(Ok(false), Err)
    }

    /// Removes the messages of an organization in a folder that are addressed to somebody; returns how many. `names` are
    /// in small letters, and those that are addresses count. Messages to others stay until they are old. A folder that is not
    /// there has none.
    ///
    /// # Errors
    /// If the folder can't be read, or a message can't be removed.
    pub fn remove_addressed(path: &Path, organization: &OrganizationId, names: &[String]) -> io::Result<u64> {
        let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let files = match fs::read_dir(path.join(organization.as_str())) {
            Err(error) if gone(&error) => return Ok(0),
            files => files?,
        };
        let mut removed = 0;
        for file in files {
            let file = file?;
            if !file.file_name().to_str().is_some_and(is_message) || !file.file_type()?.is_file() {
                continue;
            }
            let message = match fs::read(file.path()) {
                // Another process has deleted it.
                Err(error) if gone(&error) => continue,
                message => message?,
            };
            if !addressee::is_addressed_to(&message, names) {
                continue;
            }
            match fs::remove_file(file.path()) {
                Err(error) if gone(&error) => {}
                done => {
                    done?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// The folder of the messages.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[async_trait]
impl Mailer for MailFolder {
    async fn send(&self, organization: &OrganizationId, message: Message) -> Result<(), MailError> {
        let Letter { date, bytes, .. } = self.sender.write(&message)?;
        let folder = self.path.join(organization.as_str());
        // Colons are not allowed in file names everywhere.
        let date = humantime::format_rfc3339_millis(date).to_string().replace(':', "-");
        let name = format!("{date}-{}", message.id);
        let written = tokio::task::spawn_blocking(move || write(&folder, &name, &bytes)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(MailError::Unavailable(format!("the mail folder can't be written: {error}"))),
            Err(error) => Err(MailError::Other(format!("the mail folder's writer ended: {error}"))),
        }
    }

    fn delivers(&self) -> bool {
        false
    }

    async fn withdraw(&self, organization: &OrganizationId, id: &str) {
        let (folder, end) = (self.path.join(organization.as_str()), format!("-{id}.eml"));
        let removed = tokio::task::spawn_blocking(move || remove_ending(&folder, &end)).await;
        match removed {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%organization, "an email of a deleted organization is left: {error}"),
            Err(error) => tracing::error!(%organization, "an email of a deleted organization is left: {error}"),
        }
    }

    async fn erase(&self, organization: &OrganizationId, names: &[String]) -> Result<u64, MailError> {
        let (path, organization, names) = (self.path.clone(), organization.clone(), names.to_vec());
        let removed = tokio::task::spawn_blocking(move || Self::remove_addressed(&path, &organization, &names)).await;
        removed
            .map_err(|error| MailError::Other(error.to_string()))?
            .map_err(|error| MailError::Unavailable(format!("the mail folder can't be written: {error}")))
    }

    async fn forget(&self, organization: &OrganizationId) -> Result<(), MailError> {
        let (path, organization) = (self.path.clone(), organization.clone());
        let removed = tokio::task::spawn_blocking(move || Self::remove(&path, &organization)).await;
        removed
            .map_err(|error| MailError::Other(error.to_string()))?
            .map_err(|error| MailError::Unavailable(format!("the mail folder can't be written: {error}")))
    }
}

/// Removes the files with this suffix, and then the folder if it is empty. The next message makes the folder again.
fn remove_ending(folder: &Path, end: &str) -> io::Result<()> {
    let files = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        files => files?,
    };
    for file in files {
        let file = file?;
        if file.file_name().to_str().is_some_and(|name| name.ends_with(end)) {
            fs::remove_file(file.path())?;
        }
    }
    // If the folder contains other files, it stays.
    let _ = fs::remove_dir(folder);
    Ok(())
}

/// Deletes an organization's messages from before this time; returns whether it stopped because the limit was reached.
fn delete_older_in(folder: &Path, before: SystemTime, left: &mut usize) -> io::Result<bool> {
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let files = match fs::read_dir(folder) {
        Err(error) if gone(&error) => return Ok(false),
        files => files?,
    };
    let mut first_error = None;
    for file in files {
        let file = file?;
        if !file.file_name().to_str().is_some_and(is_message) || !file.file_type()?.is_file() {
            continue;
        }
        let written = match file.metadata().and_then(|data| data.modified()) {
            // Another process has deleted it.
            Err(error) if gone(&error) => continue,
            written => written?,
        };
        if written >= before {
            continue;
        }
        if *left == 0 {
            return Ok(true);
        }
        *left -= 1;
        match fs::remove_file(file.path()) {
            Err(error) if !gone(&error) => drop(first_error.get_or_insert(error)),
            _ => {}
        }
    }
    if let Some(error) = first_error {
        return Err(error);
    }
    // The folder of an organization without messages is removed, and the next message makes it again. If it contains
    // other files, it stays.
    let _ = fs::remove_dir(folder);
    Ok(false)
}

/// Whether a file has the name of a message: a time such as `2026-11-29T17-40-00.000Z`, and an id. Other files are not
/// touched.
fn is_message(name: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00-00-00.000Z-";
    let fits = |(byte, form): (u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == *form };
    name.ends_with(".eml") && name.len() > FORM.len() && name.bytes().zip(FORM).all(fits)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    create_directory(folder)?;
    let count = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let unfinished = folder.join(format!(".{}-{count}.tmp", std::process::id()));
    let finished = folder.join(format!("{name}.eml"));
    let written = private_files::write(&unfinished, private_files::options().create(true).truncate(true), bytes);
    let result = written.and_then(|()| fs::rename(&unfinished, &finished));
    if result.is_err() {
        // The file may contain a passphrase, so it is removed. If that fails, the first error is still the one to
        // report.
        let _ = fs::remove_file(&unfinished);
    }
    result?;
    File::open(folder)?.sync_all()
}

fn remove_stale(folder: &Path) -> io::Result<()> {
    for file in fs::read_dir(folder)? {
        let file = file?;
        let name = file.file_name();
        let unfinished = name.to_str().is_some_and(|name| name.starts_with('.') && name.ends_with(".tmp"));
        let age = |written| SystemTime::now().duration_since(written).unwrap_or_default();
        if unfinished && file.metadata().and_then(|data| data.modified()).is_ok_and(|written| age(written) > STALE) {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}
