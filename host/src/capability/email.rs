//! Outgoing email: the trait that an embedder implements, and the interface of `wit/email.wit`.

use std::sync::Arc;

use async_trait::async_trait;
use wasmtime::component::{HasData, Linker};

use super::Capabilities;
use super::storage::OrganizationId;
use crate::component::InstanceState;
use crate::component::bindings::insomnia::scim::email as wit;
use crate::hourly::warn_hourly;
use crate::quota::{Quota, Usage};

/// A message to one recipient, with a text and an HTML part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The left part of the Message-ID. It is the same in every attempt to send this message.
    pub id: String,
    /// The Date header, in milliseconds since the Unix epoch.
    pub date: u64,
    /// The recipient's address (RFC 5321 Mailbox).
    pub to: String,
    /// The Subject header, not yet encoded.
    pub subject: String,
    /// The `text/plain` part.
    pub text: String,
    /// The `text/html` part.
    pub html: String,
}

/// The reason why a message was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The host has no way to send email.
    #[error("no mail system is configured")]
    NotConfigured,
    /// The recipient or the message was refused for good (SMTP 5xx).
    #[error("the mail system refused the message: {0}")]
    Rejected(String),
    /// The mail system accepts nothing now (no connection, connection lost, timeout, SMTP 4xx but for recipients). The
    /// same message may be accepted later, and until then no other message is tried.
    #[error("the mail system is unavailable: {0}")]
    Unavailable(String),
    /// Any other error, such as a recipient who is refused for now (SMTP 450 to 452 to `RCPT`). This message is tried
    /// again later, and other messages are not delayed.
    #[error("the message was not taken: {0}")]
    Other(String),
}

/// Sends messages by a mail system.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Sends a message of the organization. It is called at least once for each message: after a crash the same id may
    /// come again.
    ///
    /// # Errors
    /// Those of [`MailError`]; only [`MailError::Unavailable`] and [`MailError::Other`] are tried again.
    async fn send(&self, organization: &OrganizationId, message: Message) -> Result<(), MailError>;

    /// Whether messages are sent to their recipients. A mailer that only stores them returns `false`; the page then
    /// tells administrators that nobody gets emails.
    fn delivers(&self) -> bool {
        true
    }

    /// Removes the message with this id, if the mailer still stores it: its organization was deleted while it was being
    /// sent. A mailer that stores no messages has nothing to do.
    async fn withdraw(&self, organization: &OrganizationId, id: &str) {
        let _ = (organization, id);
    }

    /// Removes the organization's stored messages to a person who is being erased; returns how many. `names` are the
    /// person's addresses and other names in lower case. Messages to others that only mention the person stay. A mailer
    /// that stores no messages has nothing to do.
    ///
    /// # Errors
    /// Says what could not be removed; the erasure must then be requested again.
    async fn erase(&self, organization: &OrganizationId, names: &[String]) -> Result<u64, MailError> {
        let _ = (organization, names);
        Ok(0)
    }

    /// Removes all stored messages of an organization that is being deleted: they contain initial passphrases. A mailer
    /// that stores no messages has nothing to do.
    ///
    /// # Errors
    /// Says what could not be removed; the deletion must then be tried again.
    async fn forget(&self, organization: &OrganizationId) -> Result<(), MailError> {
        let _ = organization;
        Ok(())
    }
}

/// The default: every message is answered [`MailError::NotConfigured`].
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMailer;

#[async_trait]
impl Mailer for NoMailer {
    async fn send(&self, _: &OrganizationId, _: Message) -> Result<(), MailError> {
        Err(MailError::NotConfigured)
    }
}

/// The parts of the host that a call of this interface needs.
pub(crate) struct EmailView<'a> {
    organization: &'a OrganizationId,
    capabilities: &'a Arc<Capabilities>,
    usage: &'a Usage,
}

struct HasEmail;

impl HasData for HasEmail {
    type Data<'a> = EmailView<'a>;
}

pub(crate) fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasEmail>(linker, |state| EmailView {
        organization: state.organization(),
        capabilities: state.capabilities(),
        usage: state.usage(),
    })
}

impl wit::Host for EmailView<'_> {
    async fn send(&mut self, message: wit::Message) -> Result<(), wit::EmailError> {
        let taken = self.usage.take(Quota::EmailsPerDay, 1);
        taken.map_err(|exceeded| wit::EmailError::Unavailable(exceeded.to_string()))?;
        let wit::Message { id, date, to, subject, text, html } = message;
        let message = Message { id, date, to, subject, text, html };
        let sent = send(self.capabilities, self.organization, message);
        let sent = self.capabilities.measured("email", "send", sent).await;
        // The list of deliveries shows a single refused email. A mail server that accepts none affects all
        // organizations, so it is logged here.
        if let Err(MailError::Unavailable(why) | MailError::Other(why)) = &sent {
            warn_hourly!("mail-server"; organization = %self.organization, "emails can't be sent and wait: {why}");
        }
        sent.map_err(|error| match error {
            MailError::NotConfigured => wit::EmailError::NotConfigured,
            MailError::Rejected(why) => wit::EmailError::Rejected(why),
            MailError::Unavailable(why) => wit::EmailError::Unavailable(why),
            MailError::Other(why) => wit::EmailError::Other(why),
        })
    }
}

/// Sends the message, and withdraws it if its organization was deleted meanwhile. This is a separate task: if the
/// deletion ends the call, a message that the mailer stores afterwards must still be removed.
async fn send(
    capabilities: &Arc<Capabilities>,
    organization: &OrganizationId,
    message: Message,
) -> Result<(), MailError> {
    let (capabilities, organization) = (Arc::clone(capabilities), organization.clone());
    let sending = tokio::spawn(async move {
        let id = message.id.clone();
        let sent = capabilities.mailer.send(&organization, message).await;
        match capabilities.storage.is_deleted(&organization).await {
            Ok(false) => {}
            Ok(true) => capabilities.mailer.withdraw(&organization, &id).await,
            Err(error) => {
                warn_hourly!("mail-of-deleted"; %organization, "it can't be told whether it was deleted: {error}")
            }
        }
        sent
    });
    sending.await.unwrap_or_else(|error| Err(MailError::Other(format!("the mailer ended early: {error}"))))
}
