//! A message in the form of RFC 5322 and MIME.

use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use crate::capability::email::{MailError, Message};

/// The longest id, in bytes: it is part of a file's name.
const ID_BYTES: usize = 128;
/// The longest address (RFC 5321 §4.5.3.1.3, without the brackets).
const ADDRESS_BYTES: usize = 254;
/// The longest subject, in bytes.
const SUBJECT_BYTES: usize = 2 * 1024;
/// The largest text or HTML part, in bytes.
const PART_BYTES: usize = 1024 * 1024;
/// The end of the year 9999, in seconds since the Unix epoch: later dates can't be written.
const LAST_SECOND: u64 = 253_402_300_799;

/// The sender of messages.
#[derive(Clone, Debug)]
pub struct Sender {
    from: Mailbox,
    reply_to: Option<Mailbox>,
    domain: String,
}

/// A sender that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSender {
    /// It is no mailbox.
    #[error("{0:?} is not a mailbox; write \"name@example.com\" or \"Name <name@example.com>\"")]
    Mailbox(String),
    /// It is no domain name.
    #[error("{0:?} is not a domain name that a Message-ID can end in")]
    Domain(String),
}

impl Sender {
    /// A sender: `Name <name@example.com>` or only the address; another address for answers; and the right part of
    /// Message-IDs if it is not the address's domain.
    ///
    /// # Errors
    /// The one that can't be used.
    pub fn new(from: &str, reply_to: Option<&str>, domain: Option<&str>) -> Result<Self, InvalidSender> {
        let from = mailbox(from)?;
        let domain = domain.unwrap_or_else(|| from.email.domain()).to_owned();
        let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if domain.len() > 253 || !domain.split('.').all(label) {
            return Err(InvalidSender::Domain(domain));
        }
        Ok(Self { reply_to: reply_to.map(mailbox).transpose()?, from, domain })
    }

    /// The right part of Message-IDs.
    pub(super) fn domain(&self) -> &str {
        &self.domain
    }

    /// The address of the sender.
    pub(super) fn address(&self) -> &Address {
        &self.from.email
    }

    /// The message as it goes over the wire, and its recipient.
    ///
    /// # Errors
    /// [`MailError::Rejected`]: a message that can't be written today can't be written tomorrow.
    pub(super) fn write(&self, message: &Message) -> Result<Letter, MailError> {
        let name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        // The id is a dot-atom (RFC 5322 §3.2.3), and can be a file's name.
        let id = &message.id;
        if id.len() > ID_BYTES || !id.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(name)) {
            return Err(MailError::Rejected("the message's id is not of letters, digits, hyphens and dots".into()));
        }
        if message.date / 1000 > LAST_SECOND {
            return Err(MailError::Rejected("the message's date is after the year 9999".into()));
        }
        if message.subject.len() > SUBJECT_BYTES || message.text.len() > PART_BYTES || message.html.len() > PART_BYTES {
            return Err(MailError::Rejected("the message is too large".into()));
        }
        let to = address(&message.to)
            .ok_or_else(|| MailError::Rejected("the recipient is not an address (RFC 5321 Mailbox)".into()))?;
        let date = SystemTime::UNIX_EPOCH + Duration::from_millis(message.date);
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(one_line(&message.subject))
            .message_id(Some(format!("<{id}@{}>", self.domain)))
            .date(date)
            .header(AutoSubmitted);
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        let parts = MultiPart::alternative_plain_html(message.text.clone(), message.html.clone());
        let written = builder.multipart(parts).map_err(|error| MailError::Rejected(error.to_string()))?;
        Ok(Letter { to, date, bytes: written.formatted() })
    }
}

/// A message, ready to be sent or stored.
pub(super) struct Letter {
    pub(super) to: Address,
    pub(super) date: SystemTime,
    pub(super) bytes: Vec<u8>,
}

/// `Auto-Submitted: auto-generated` (RFC 3834 §5) stops holiday notices and the like from answering it.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

fn mailbox(text: &str) -> Result<Mailbox, InvalidSender> {
    let parsed = if text.contains(char::is_control) { None } else { text.parse::<Mailbox>().ok() };
    parsed.filter(|mailbox| usable(&mailbox.email)).ok_or_else(|| InvalidSender::Mailbox(text.into()))
}

fn address(text: &str) -> Option<Address> {
    if text.len() > ADDRESS_BYTES || text.contains(char::is_control) {
        return None;
    }
    text.parse().ok().filter(usable)
}

/// These characters end an SMTP command and a header field, even if an address's grammar allows them in quotes.
fn usable(address: &Address) -> bool {
    !AsRef::<str>::as_ref(address).contains(|c: char| c.is_control() || c.is_whitespace() || c == '<' || c == '>')
}

/// The text without line breaks and other control characters, which would begin another header field.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '\u{2028}' || c == '\u{2029}' { ' ' } else { c }).collect()
}
