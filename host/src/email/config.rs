//! The configuration of outgoing email.

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use url::Url;

use super::letter::InvalidSender;

/// For how many days messages stay in the folder.
const KEEP_DAYS: u32 = 7;
/// The longest that they may stay there, in days.
const LONGEST_KEEP_DAYS: u32 = 3_650;
/// How long a message may take, in seconds.
const TIMEOUT: u64 = 30;
/// The longest that a message may take, in seconds: an hour.
const LONGEST_TIMEOUT: u64 = 60 * 60;
/// How many connections there may be at a time.
const CONNECTIONS: usize = 4;
/// More connections than this are a mistake: servers take some tens from one sender.
const MOST_CONNECTIONS: usize = 1_000;

/// The `[email]` table of the configuration file. With none of it set, messages go to the folder `mail` in the data
/// directory.
///
/// ```toml
/// [email]
/// from = "Insomnia <no-reply@example.com>"
///
/// [email.smtp]
/// url = "smtps://mailer@smtp.example.com:465"
/// password-file = "/run/secrets/smtp-password"
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct EmailConfig {
    /// The From header: `name@example.com` or `Name <name@example.com>`. Needed with SMTP.
    pub from: Option<String>,
    /// The Reply-To header.
    pub reply_to: Option<String>,
    /// The right part of Message-IDs, and how the host names itself to the SMTP server. Default: the domain of `from`.
    pub message_id_domain: Option<String>,
    /// The folder for messages, instead of `mail` in the data directory.
    pub folder: Option<PathBuf>,
    /// For how many days messages stay in the folder: 1 to 3,650. Default: 7. Some contain initial passphrases.
    pub folder_keep_days: Option<u32>,
    /// The SMTP server to use, instead of a folder.
    pub smtp: Option<SmtpConfig>,
}

/// The `[email.smtp]` table: a URL, or a host with its port and security.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SmtpConfig {
    /// `smtps://user:password@host:465` (TLS from the start), `smtp://user:password@host:587` (STARTTLS, required) or
    /// `smtp://host:25?tls=none`. User and password are percent-encoded. It replaces the next three settings.
    pub url: Option<Secret>,
    /// The server's name or address.
    pub host: Option<String>,
    /// The server's port. Default: 465 with `implicit` TLS, 587 with STARTTLS, 25 without.
    pub port: Option<u16>,
    /// The security of the connection. Default: `required`.
    pub tls: Option<SmtpTls>,
    /// The user who signs in. Without it nobody signs in.
    pub username: Option<String>,
    /// The password. Prefer `password-file` or `password-env`.
    pub password: Option<Secret>,
    /// A file that holds the password; a line break at its end does not count.
    pub password_file: Option<PathBuf>,
    /// The name of the environment variable that holds the password.
    pub password_env: Option<String>,
    /// A PEM file of certificate authorities to trust beside Mozilla's.
    pub ca_file: Option<PathBuf>,
    /// How many seconds a message may take, connection included: 1 to 3,600. Default: 30.
    pub timeout_seconds: Option<u64>,
    /// How many connections there may be at a time: 1 to 1,000. Default: 4.
    pub connections: Option<usize>,
}

/// How the connection to an SMTP server is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmtpTls {
    /// TLS from the start (RFC 8314), as on port 465.
    Implicit,
    /// STARTTLS (RFC 3207), as on port 587; nothing is sent if the server does not offer it.
    #[default]
    Required,
    /// No TLS: for a server on the same machine or network. Sign-in is then only possible over loopback.
    None,
}

/// A text that is not shown by `Debug`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The reason why a configuration of email can't be used.
#[derive(Debug, thiserror::Error)]
pub enum EmailConfigError {
    /// Both a folder and a server are named.
    #[error("email.folder and email.smtp can't both be set")]
    FolderAndSmtp,
    /// SMTP needs a sender.
    #[error(
        "emails that are sent by SMTP need a sender: set --mail-from, for instance --mail-from 'Insomnia \
         <no-reply@example.com>', or `from` in the table [email] of the configuration file"
    )]
    NoFrom,
    /// Nobody takes an email from this sender, or could answer it.
    #[error(
        "emails that are sent by SMTP can't be from {0}, a reserved domain (RFC 2606): set --mail-from to an address \
         of yours"
    )]
    NobodysDomain(String),
    /// The folder's retention is out of bounds.
    #[error("--mail-folder-keep-days must be 1 to {LONGEST_KEEP_DAYS} days, not {0}")]
    KeepDays(u32),
    /// The sender can't be used.
    #[error(transparent)]
    Sender(#[from] InvalidSender),
    /// The folder can't be used.
    #[error("the mail folder {} can't be used", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The settings of the server are wrong; the text says how.
    #[error("email.smtp: {0}")]
    Smtp(String),
    /// A file that the settings name can't be read.
    #[error("email.smtp: {} can't be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl EmailConfig {
    /// The folder of messages without an SMTP server; `data` is the data directory.
    pub fn mail_folder(&self, data: &Path) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| data.join("mail"))
    }

    /// How many days messages stay in the folder.
    ///
    /// # Errors
    /// [`EmailConfigError::KeepDays`].
    pub fn keep_days(&self) -> Result<u32, EmailConfigError> {
        match self.folder_keep_days.unwrap_or(KEEP_DAYS) {
            days @ 1..=LONGEST_KEEP_DAYS => Ok(days),
            days => Err(EmailConfigError::KeepDays(days)),
        }
    }
}

impl SmtpConfig {
    /// The server according to the settings.
    pub(super) fn server(&self) -> Result<Server, EmailConfigError> {
        let fail = |why: &str| Err(EmailConfigError::Smtp(why.into()));
        let named = match (&self.url, &self.host) {
            (Some(url), None) if self.port.is_none() && self.tls.is_none() => from_url(url.expose())?,
            (Some(_), _) => return fail("url takes the place of host, port and tls"),
            (None, Some(host)) => Named { host: host.clone(), port: self.port, tls: self.tls, ..Named::default() },
            (None, None) => return fail("url or host must be set"),
        };
        let tls = named.tls.unwrap_or_default();
        let username = match (named.username, self.username.clone()) {
            (Some(_), Some(_)) => return fail("the user is in url and in username"),
            (one, other) => one.or(other),
        };
        let credentials = match (username, self.one_password(named.password)?) {
            (Some(username), Some(password)) => Some((username, password)),
            (None, None) => None,
            (Some(_), None) => return fail("there is a user but no password"),
            (None, Some(_)) => return fail("there is a password but no user"),
        };
        if tls == SmtpTls::None && credentials.is_some() && !is_loopback(&named.host) {
            return fail("without TLS the password would be sent in the clear");
        }
        let (timeout, connections) = (self.timeout_seconds.unwrap_or(TIMEOUT), self.connections.unwrap_or(CONNECTIONS));
        if !(1..=LONGEST_TIMEOUT).contains(&timeout) {
            return fail(&format!("timeout-seconds must be 1 to {LONGEST_TIMEOUT}, not {timeout}"));
        }
        if !(1..=MOST_CONNECTIONS).contains(&connections) {
            return fail(&format!("connections must be 1 to {MOST_CONNECTIONS}, not {connections}"));
        }
        if named.port == Some(0) {
            return fail("port must be 1 to 65535, not 0");
        }
        let authorities = self.ca_file.as_deref().map(read).transpose()?;
        let port = match tls {
            SmtpTls::Implicit => 465,
            SmtpTls::Required => 587,
            SmtpTls::None => 25,
        };
        Ok(Server {
            host: named.host,
            port: named.port.unwrap_or(port),
            tls,
            credentials,
            authorities,
            timeout: Duration::from_secs(timeout),
            connections,
        })
    }

    fn one_password(&self, in_url: Option<Secret>) -> Result<Option<Secret>, EmailConfigError> {
        let sources =
            [in_url.is_some(), self.password.is_some(), self.password_file.is_some(), self.password_env.is_some()];
        if sources.iter().filter(|given| **given).count() > 1 {
            return Err(EmailConfigError::Smtp("the password is given more than once".into()));
        }
        if let Some(path) = &self.password_file {
            let text = String::from_utf8(read(path)?)
                .map_err(|_| EmailConfigError::Smtp(format!("{} is not UTF-8", path.display())))?;
            let text = text.strip_suffix('\n').unwrap_or(&text);
            return Ok(Some(Secret(text.strip_suffix('\r').unwrap_or(text).into())));
        }
        if let Some(name) = &self.password_env {
            let text = env::var(name);
            let text =
                text.map_err(|_| EmailConfigError::Smtp(format!("the environment variable {name} is not set")))?;
            return Ok(Some(Secret(text)));
        }
        Ok(in_url.or_else(|| self.password.clone()))
    }
}

/// The meaning of a configuration.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: SmtpTls,
    pub(super) credentials: Option<(String, Secret)>,
    pub(super) authorities: Option<Vec<u8>>,
    pub(super) timeout: Duration,
    pub(super) connections: usize,
}

/// The content of a URL.
#[derive(Default)]
struct Named {
    host: String,
    port: Option<u16>,
    tls: Option<SmtpTls>,
    username: Option<String>,
    password: Option<Secret>,
}

/// No error repeats the URL, because it may contain a password.
fn from_url(text: &str) -> Result<Named, EmailConfigError> {
    let fail = |why: &str| EmailConfigError::Smtp(format!("url {why}"));
    let url = Url::parse(text).map_err(|error| fail(&format!("can't be read: {error}")))?;
    let mut tls = match url.scheme() {
        "smtps" => SmtpTls::Implicit,
        "smtp" => SmtpTls::Required,
        _ => return Err(fail("must begin with smtp:// or smtps://")),
    };
    for (name, value) in url.query_pairs() {
        tls = match (&*name, &*value, tls) {
            ("tls", "required", SmtpTls::Required) => SmtpTls::Required,
            ("tls", "none", SmtpTls::Required) => SmtpTls::None,
            _ => return Err(fail("may have ?tls=required or ?tls=none with smtp:// and nothing else")),
        };
    }
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err(fail("has more than a host and a port"));
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| fail("has no host"))?;
    let decode = |text: &str| {
        let decoded =
            percent_decode_str(text).decode_utf8().map_err(|_| fail("has a user or password that is not UTF-8"))?;
        Ok::<_, EmailConfigError>(decoded.into_owned())
    };
    let username = Some(url.username()).filter(|name| !name.is_empty()).map(decode).transpose()?;
    let password = url.password().map(decode).transpose()?.map(Secret);
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Ok(Named { host: host.into(), port: url.port(), tls: Some(tls), username, password })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn read(path: &Path) -> Result<Vec<u8>, EmailConfigError> {
    fs::read(path).map_err(|source| EmailConfigError::File { path: path.to_owned(), source })
}
