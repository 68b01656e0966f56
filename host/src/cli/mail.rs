//! The mailer of commands and of the server. Also the mail folder, in which emails of an earlier start may be, and the
//! time for which emails stay there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::capability::email::{MailError, Mailer, Message};
use crate::capability::storage::OrganizationId;
use crate::email::{EmailConfig, EmailConfigError, MailFolder};
use crate::hourly::error_hourly;

/// How often old messages in the folder are looked for.
const LOOK: Duration = Duration::from_secs(60 * 60);
/// How many messages are deleted before others may use the disk.
const AT_ONCE: usize = 500;
/// The pause after this many messages.
const PAUSE: Duration = Duration::from_millis(50);

/// Sends with one mailer. Erasing and deleting also concern the mail folder, which an earlier start may have filled.
pub(super) struct Mail {
    mailer: Arc<dyn Mailer>,
    folder: PathBuf,
}

impl Mail {
    pub(super) fn new(mailer: Arc<dyn Mailer>, email: &EmailConfig, data: &Path) -> Self {
        Self { mailer, folder: email.mail_folder(data) }
    }
}

/// The mail folder of a server. It keeps messages for a limited time, since initial passphrases are among them. Even if
/// there is an SMTP server now, the folder may have messages of an earlier start.
pub(super) struct KeptMail {
    folder: PathBuf,
    days: u32,
    /// Whether messages are written there now.
    in_use: bool,
}

impl KeptMail {
    /// The mail folder according to the settings of email.
    ///
    /// # Errors
    /// The number of days is out of bounds.
    pub(super) fn new(email: &EmailConfig, data: &Path) -> Result<Self, EmailConfigError> {
        Ok(Self { folder: email.mail_folder(data), days: email.keep_days()?, in_use: email.smtp.is_none() })
    }

    /// Warns in the log if emails are written to the folder and so reach nobody.
    pub(super) fn warn(&self) {
        if self.in_use {
            tracing::warn!(
                "emails are not sent: without an SMTP server they are written to the folder {}, initial passphrases \
                 among them, and deleted there after {} days (--mail-folder-keep-days). Set --smtp-url and --mail-from \
                 to send them",
                self.folder.display(),
                self.days
            );
        }
    }

    /// Deletes messages that have been in the folder for long enough, now and every hour, until the process ends.
    pub(super) async fn keep(self) {
        loop {
            self.delete_old().await;
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn delete_old(&self) {
        let age = Duration::from_secs(u64::from(self.days) * 24 * 60 * 60);
        let Some(before) = SystemTime::now().checked_sub(age) else { return };
        loop {
            let folder = self.folder.clone();
            let deleted = tokio::task::spawn_blocking(move || MailFolder::delete_older(&folder, before, AT_ONCE)).await;
            match deleted {
                Ok(Ok(true)) => tokio::time::sleep(PAUSE).await,
                Ok(Ok(false)) => return,
                Ok(Err(error)) => {
                    return error_hourly!("old-emails"; "old emails in {} stay: {error}", self.folder.display());
                }
                Err(error) => {
                    return error_hourly!("old-emails"; "old emails in {} stay: {error}", self.folder.display());
                }
            }
        }
    }
}

#[async_trait]
impl Mailer for Mail {
    async fn send(&self, organization: &OrganizationId, message: Message) -> Result<(), MailError> {
        self.mailer.send(organization, message).await
    }

    fn delivers(&self) -> bool {
        self.mailer.delivers()
    }

    async fn withdraw(&self, organization: &OrganizationId, id: &str) {
        self.mailer.withdraw(organization, id).await;
    }

    async fn erase(&self, organization: &OrganizationId, names: &[String]) -> Result<u64, MailError> {
        let by_mailer = self.mailer.erase(organization, names).await?;
        let (folder, organization, names) = (self.folder.clone(), organization.clone(), names.to_vec());
        let removed =
            tokio::task::spawn_blocking(move || MailFolder::remove_addressed(&folder, &organization, &names)).await;
        let removed = removed
            .map_err(|error| MailError::Other(error.to_string()))?
            .map_err(|error| MailError::Unavailable(format!("the mail folder can't be written: {error}")))?;
        Ok(by_mailer + removed)
    }

    async fn forget(&self, organization: &OrganizationId) -> Result<(), MailError> {
        self.mailer.forget(organization).await?;
        let (folder, organization) = (self.folder.clone(), organization.clone());
        let removed = tokio::task::spawn_blocking(move || MailFolder::remove(&folder, &organization)).await;
        removed
            .map_err(|error| MailError::Other(error.to_string()))?
            .map_err(|error| MailError::Unavailable(format!("the mail folder can't be written: {error}")))
    }
}
