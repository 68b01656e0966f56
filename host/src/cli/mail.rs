//! What the commands and the server send email with, and where emails may be that were sent before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use crate::capability::email::{MailError, Mailer, Message};
use crate::capability::storage::OrganizationId;
use crate::email::{EmailConfig, MailFolder};

/// Sends with one mailer, and keeps in mind the mail folder, which an earlier start may have filled.
pub(super) struct Mail {
    mailer: Arc<dyn Mailer>,
    folder: PathBuf,
}

impl Mail {
    pub(super) fn new(mailer: Arc<dyn Mailer>, email: &EmailConfig, data: &Path) -> Self {
        Self { mailer, folder: email.folder.clone().unwrap_or_else(|| data.join("mail")) }
    }
}

#[async_trait]
impl Mailer for Mail {
    async fn send(&self, organization: &OrganizationId, message: Message) -> Result<(), MailError> {
        self.mailer.send(organization, message).await
    }

    async fn withdraw(&self, organization: &OrganizationId, id: &str) {
        self.mailer.withdraw(organization, id).await;
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
