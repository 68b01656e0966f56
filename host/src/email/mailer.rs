//! The mailer that a configuration describes.

use std::path::Path;
use std::sync::Arc;

use super::config::{EmailConfig, EmailConfigError, SmtpConfig};
use super::folder::MailFolder;
use super::letter::{InvalidSender, Sender};
use super::smtp::SmtpMailer;
use crate::capability::email::Mailer;

/// The sender if messages are only written to a folder. Nobody can own `.invalid` (RFC 2606).
const FOLDER_SENDER: &str = "Insomnia <no-reply@insomnia.invalid>";

impl EmailConfig {
    /// The mailer that the configuration describes; `data` is the data directory.
    ///
    /// # Errors
    /// [`EmailConfigError`] says why the configuration can't be used. No connection is made yet.
    pub fn mailer(&self, data: &Path) -> Result<Arc<dyn Mailer>, EmailConfigError> {
        match (&self.smtp, &self.folder) {
            (Some(_), Some(_)) => Err(EmailConfigError::FolderAndSmtp),
            (Some(smtp), None) => Ok(Arc::new(self.over_smtp(smtp)?)),
            (None, folder) => {
                let sender = self.sender(self.from.as_deref().unwrap_or(FOLDER_SENDER))?;
                let path = folder.clone().unwrap_or_else(|| self.mail_folder(data));
                match MailFolder::open(&path, sender) {
                    Ok(folder) => Ok(Arc::new(folder)),
                    Err(source) => Err(EmailConfigError::Folder { path, source }),
                }
            }
        }
    }

    /// The SMTP server's mailer, if one is configured.
    ///
    /// # Errors
    /// Those of [`EmailConfig::mailer`].
    #[cfg(feature = "cli")]
    pub(crate) fn smtp_mailer(&self) -> Result<Option<SmtpMailer>, EmailConfigError> {
        self.smtp.as_ref().map(|smtp| self.over_smtp(smtp)).transpose()
    }

    fn over_smtp(&self, smtp: &SmtpConfig) -> Result<SmtpMailer, EmailConfigError> {
        let from = self.from.as_deref().ok_or(EmailConfigError::NoFrom)?;
        let sender = self.sender(from)?;
        let domain = sender.address().domain();
        if domain.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("invalid")) {
            return Err(EmailConfigError::NobodysDomain(domain.to_owned()));
        }
        SmtpMailer::new(smtp, sender)
    }

    fn sender(&self, from: &str) -> Result<Sender, InvalidSender> {
        Sender::new(from, self.reply_to.as_deref(), self.message_id_domain.as_deref())
    }
}
