//! Outgoing email of the standalone host: a folder of messages (the default) or an SMTP server, and their
//! configuration.

mod addressee;
mod config;
mod folder;
mod letter;
mod line_stream;
mod mailer;
mod pool;
mod smtp;
#[cfg(test)]
mod tests;

pub use config::{EmailConfig, EmailConfigError, Secret, SmtpConfig, SmtpTls};
pub use folder::MailFolder;
pub use letter::{InvalidSender, Sender};
pub use smtp::SmtpMailer;
