//! Email by SMTP (RFC 5321), with one recipient for each message.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::config::{EmailConfigError, Server, SmtpConfig, SmtpTls};
use super::letter::{Letter, Sender};
use super::pool::{Endpoint, Pool, Security};
use crate::capability::email::{MailError, Mailer, Message};
use crate::capability::storage::OrganizationId;

/// How long a server is left alone after it did not answer in time.
const DOWN: Duration = Duration::from_secs(15);
/// How long a failed attempt must have taken before the server counts as hanging. A server that refuses at once delays
/// nobody.
const HUNG: Duration = Duration::from_secs(5);
/// How many characters of a server's text an error contains.
const REASON_CHARS: usize = 300;

/// Hands messages to an SMTP server, over connections that are kept for a while.
///
/// Only the server's word on the recipient or the content (5xx to `RCPT` or `DATA`) is final. A refusal before that,
/// for instance of the password or the sender, concerns the configuration: the message may be accepted once that is
/// corrected. A recipient who is refused for now (4xx to `RCPT`) is [`MailError::Other`]: other messages may be taken.
pub struct SmtpMailer {
    sender: Sender,
    pool: Pool,
    connections: Semaphore,
    timeout: Duration,
    server: String,
    /// Until when the server counts as down, after it did not answer in time.
    down_until: Mutex<Option<Instant>>,
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer").field("server", &self.server).field("sender", &self.sender).finish_non_exhaustive()
    }
}

impl SmtpMailer {
    /// A mailer for the configured server. It connects when the first message is sent.
    ///
    /// # Errors
    /// [`EmailConfigError::Smtp`] or [`EmailConfigError::File`] if the settings can't be used.
    pub fn new(config: &SmtpConfig, sender: Sender) -> Result<Self, EmailConfigError> {
        let server = config.server()?;
        let security = match server.tls {
            SmtpTls::Implicit => Security::Implicit(tls(&server)?),
            SmtpTls::Required => Security::StartTls(tls(&server)?),
            SmtpTls::None => Security::None,
        };
        let credentials = server.credentials.map(|(name, password)| Credentials::new(name, password.expose().into()));
        let endpoint = Endpoint {
            host: server.host.clone(),
            port: server.port,
            security,
            credentials,
            hello: ClientId::Domain(sender.domain().into()),
            connect_timeout: server.timeout,
        };
        Ok(Self {
            sender,
            pool: Pool::new(endpoint),
            connections: Semaphore::new(server.connections),
            timeout: server.timeout,
            server: format!("{}:{}", server.host, server.port),
            down_until: Mutex::default(),
        })
    }

    /// Whether the server can be reached and takes the sign-in. Nothing is sent.
    ///
    /// # Errors
    /// [`MailError::Unavailable`] says why not.
    pub async fn connects(&self) -> Result<(), MailError> {
        let connected = timeout(self.timeout, self.pool.take()).await;
        let reason = match connected {
            Ok(Ok(pooled)) => {
                self.pool.put(pooled).await;
                return Ok(());
            }
            Ok(Err(error)) => one_line(&error.to_string()),
            Err(_) => format!("no answer within {:?}", self.timeout),
        };
        Err(MailError::Unavailable(format!("no connection to {}: {reason}", self.server)))
    }

    /// Whether a message of any organization has found the server down, so that the others need not wait to find the
    /// same.
    fn is_down(&self) -> bool {
        let down_until = *self.down_until.lock().unwrap_or_else(PoisonError::into_inner);
        down_until.is_some_and(|until| Instant::now() < until)
    }

    fn note(&self, outcome: &Result<(), MailError>, began: Instant) {
        let hung = matches!(outcome, Err(MailError::Unavailable(_))) && began.elapsed() >= HUNG;
        let until = hung.then(|| Instant::now() + DOWN);
        *self.down_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    fn down(&self) -> MailError {
        MailError::Unavailable(format!("{} did not answer a moment ago", self.server))
    }

    async fn deliver(&self, letter: Letter) -> Result<(), MailError> {
        let closed = |_| MailError::Other("the mailer is closed".into());
        let _permit = self.connections.acquire().await.map_err(closed)?;
        // This is checked again, because another message may have found the server down meanwhile.
        if self.is_down() {
            return Err(self.down());
        }
        let mut pooled = self.pool.take().await.map_err(|error| {
            MailError::Unavailable(format!("no connection to {}: {}", self.server, one_line(&error.to_string())))
        })?;
        let outcome = self.transact(&mut pooled.connection, &letter).await;
        // After a refusal the connection can be used again, once the transaction is reset.
        let usable = match &outcome {
            Ok(()) => true,
            Err(failure) => failure.answered && pooled.connection.command(Rset).await.is_ok(),
        };
        if usable {
            self.pool.put(pooled).await;
        }
        outcome.map_err(|failure| failure.error)
    }

    async fn transact(&self, connection: &mut AsyncSmtpConnection, letter: &Letter) -> Result<(), Failure> {
        let info = connection.server_info();
        let mut options = vec![];
        let ascii = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
        if !ascii(&letter.to) || !ascii(self.sender.address()) {
            if !info.supports_feature(Extension::SmtpUtfEight) {
                let why = "the mail server accepts only ASCII addresses (no SMTPUTF8)".into();
                return Err(Failure { error: MailError::Rejected(why), answered: true });
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        if !letter.bytes.is_ascii() && info.supports_feature(Extension::EightBitMime) {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let answered = |error: &Error| error.status().is_some();

        let mail = Mail::new(Some(self.sender.address().clone()), options);
        let failed = |error: Error| Failure { error: not_final("the sender", &error), answered: answered(&error) };
        connection.command(mail).await.map_err(failed)?;

        let rcpt = Rcpt::new(letter.to.clone(), vec![]);
        let failed = |error: Error| Failure { error: of_recipient(&error), answered: answered(&error) };
        connection.command(rcpt).await.map_err(failed)?;

        let failed = |error: Error| Failure { error: may_be_final("the message", &error), answered: answered(&error) };
        connection.command(Data).await.map_err(failed)?;
        connection.message(&letter.bytes).await.map_err(failed)?;
        Ok(())
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, _: &OrganizationId, message: Message) -> Result<(), MailError> {
        let letter = self.sender.write(&message)?;
        if self.is_down() {
            return Err(self.down());
        }
        let began = Instant::now();
        let outcome = timeout(self.timeout, self.deliver(letter)).await.unwrap_or_else(|_| {
            Err(MailError::Unavailable(format!("{} took more than {:?}", self.server, self.timeout)))
        });
        self.note(&outcome, began);
        outcome
    }
}

/// A transaction that failed, and whether the server has answered its last command.
struct Failure {
    error: MailError,
    answered: bool,
}

fn not_final(what: &str, error: &Error) -> MailError {
    MailError::Unavailable(format!("{what}: {}", words(error)))
}

/// A mailbox that is busy or greylisted (RFC 5321 §4.2.3) does not affect other recipients: only this message waits.
fn of_recipient(error: &Error) -> MailError {
    match error.status().map(u16::from) {
        Some(450..=452) => MailError::Other(format!("the recipient: {}", words(error))),
        _ => may_be_final("the recipient", error),
    }
}

fn may_be_final(what: &str, error: &Error) -> MailError {
    let code = error.status().map(u16::from);
    match code {
        // Unknown or misplaced commands (RFC 5321 §4.2.2) and a missing sign-in (RFC 4954 §6) do not concern the
        // message.
        Some(500 | 502 | 503 | 504 | 530 | 534 | 535 | 538) => not_final(what, error),
        Some(_) if error.is_permanent() => MailError::Rejected(format!("{what}: {}", words(error))),
        _ => not_final(what, error),
    }
}

fn words(error: &Error) -> String {
    one_line(&error.to_string())
}

/// The server's text is cut to one short line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_CHARS).collect()
}

fn tls(server: &Server) -> Result<TlsParameters, EmailConfigError> {
    let fail = |why: String| EmailConfigError::Smtp(why);
    let mut builder = TlsParameters::builder(server.host.clone()).certificate_store(CertificateStore::WebpkiRoots);
    if let Some(pem) = &server.authorities {
        if !String::from_utf8_lossy(pem).contains("-----BEGIN CERTIFICATE-----") {
            return Err(fail("there is no certificate in ca-file".into()));
        }
        let certificates = Certificate::from_pem(pem).map_err(|error| fail(format!("ca-file: {error}")))?;
        builder = builder.add_root_certificate(certificates);
    }
    builder.build().map_err(|error| fail(format!("TLS can't be set up: {error}")))
}
