//! The backend's mail system: it stores letters in a table, from which another program would send them.

use async_trait::async_trait;
use insomnia_scim::OrganizationId;
use insomnia_scim::capability::email::{MailError, Mailer, Message};

use crate::database::Database;

pub(crate) struct Letters {
    database: Database,
}

impl Letters {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    fn drop_letters(
        &self,
        organization: &OrganizationId,
        id: Option<&str>,
        recipient: Option<&str>,
    ) -> Result<u64, MailError> {
        let dropped = self.database.drop_letters(organization.as_str(), id, recipient);
        dropped.map(|count| count as u64).map_err(|error| MailError::Unavailable(error.to_string()))
    }
}

#[async_trait]
impl Mailer for Letters {
    /// The same message may come again after a crash. By its id it is stored only once.
    async fn send(&self, organization: &OrganizationId, message: Message) -> Result<(), MailError> {
        let letter = [&*message.id, &*message.to, &*message.subject, &*message.text];
        let kept = self.database.keep_letter(organization.as_str(), letter);
        kept.map_err(|error| MailError::Unavailable(error.to_string()))
    }

    async fn withdraw(&self, organization: &OrganizationId, id: &str) {
        let _ = self.drop_letters(organization, Some(id), None);
    }

    async fn erase(&self, organization: &OrganizationId, names: &[String]) -> Result<u64, MailError> {
        names.iter().map(|name| self.drop_letters(organization, None, Some(name))).sum()
    }

    async fn forget(&self, organization: &OrganizationId) -> Result<(), MailError> {
        self.drop_letters(organization, None, None).map(drop)
    }
}
