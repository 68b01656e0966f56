//! The address of a PostgreSQL, and how to connect to it.

use std::fmt;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use super::tls::{Tls, TlsError};

/// The schema in which tables and functions are, unless the URL names another one.
const SCHEMA: &str = "insomnia_scim";
/// The port of a host for which the URL names none.
const PORT: u16 = 5432;
/// How many connections a host has at most, unless the URL sets another number.
const CONNECTIONS: usize = 16;
/// More connections than this are certainly a mistake: by default, PostgreSQL accepts 100 from all hosts together.
const MOST_CONNECTIONS: usize = 1_000;
/// How long a call may take in total, unless the URL sets another time. This includes the wait for a connection, and
/// retries after a connection broke.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to try each address of a server.
const CONNECT: Duration = Duration::from_secs(5);
/// A connection counts as broken if sent data is not acknowledged within this time.
const UNACKNOWLEDGED: Duration = Duration::from_secs(15);
/// A connection without traffic is tested after this time.
const SILENCE: Duration = Duration::from_secs(30);

/// The address of a PostgreSQL, the user, and how to connect.
///
/// It is read from a URL in the usual form: `postgres://user:password@host:5432/database`, or
/// `postgres:///database?host=/var/run/postgresql&user=scim` for a Unix socket. The URL may have `sslmode` and
/// `sslrootcert` as in libpq, the parameters that `tokio_postgres` knows, and three more: `schema` (where tables and
/// functions are; `insomnia_scim` by default), `connections` (the most that this host opens; 16 by default) and
/// `patience` (for how many seconds a call is tried; 10 by default). If it names several hosts, as in
/// `postgres://user@one,two/database`, the one that accepts writes is used.
///
/// Over a network the connection is encrypted, and the server's certificate must be valid for the host's name. A
/// connection to this machine is not encrypted, nor is any with `sslmode=disable`.
#[derive(Clone)]
pub struct PostgresConfig {
    pub(super) server: Config,
    pub(super) tls: Tls,
    pub(super) schema: String,
    pub(super) connections: usize,
    pub(super) patience: Duration,
}

/// The reason why a PostgreSQL URL can't be used. No variant repeats the URL, which may contain a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresConfigError {
    /// It is no PostgreSQL URL.
    #[error(
        "the storage's URL can't be read: it has the form postgres://USER:PASSWORD@HOST:PORT/DATABASE, with \
         parameters that are known behind a ?; in a password, write % as %25, @ as %40, : as %3A, / as %2F, ? as %3F and # as %23"
    )]
    Url,
    /// It names no user.
    #[error("the storage's URL names no user: write postgres://USER@HOST/DATABASE, or add user=USER after the ?")]
    NoUser,
    /// The encryption mode is unknown or not supported.
    #[error("sslmode={0} is not possible here: use require (encrypted, the certificate is checked) or disable")]
    SslMode(String),
    /// The schema's name would need quotes.
    #[error("schema={0} is not a name: use at most 48 of a-z, 0-9 and _, with a letter or _ first")]
    Schema(String),
    /// The number of connections is zero or too large.
    #[error("connections={0} is not a number from 2 to {MOST_CONNECTIONS}")]
    Connections(String),
    /// The number of seconds is zero or too large.
    #[error("patience={0} is not a number of seconds from 1 to 300")]
    Patience(String),
    /// A file that the URL or an option names can't be read.
    #[error("the file {} can't be read", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The certificates with which the server's certificate is verified can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl PostgresConfig {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`PostgresConfigError`] says what is wrong with it.
    pub fn from_url(url: &str) -> Result<Self, PostgresConfigError> {
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut rest, mut mode, mut authorities) = (Vec::new(), None, None);
        let (mut schema, mut connections, mut patience) = (SCHEMA.to_owned(), CONNECTIONS, PATIENCE);
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').ok_or(PostgresConfigError::Url)?;
            let value = percent_decode_str(value).decode_utf8().map_err(|_| PostgresConfigError::Url)?.into_owned();
            match name {
                "sslmode" => mode = Some(value),
                "sslrootcert" => authorities = Some(PathBuf::from(value)),
                "schema" => schema = checked_schema(value)?,
                "connections" => connections = checked_connections(value)?,
                "patience" => patience = checked_patience(value)?,
                _ => rest.push(parameter),
            }
        }
        let mut server: Config = match rest.as_slice() {
            [] => address.parse(),
            rest => format!("{address}?{}", rest.join("&")).parse(),
        }
        .map_err(|_| PostgresConfigError::Url)?;
        if !address.starts_with("postgres://") && !address.starts_with("postgresql://") {
            return Err(PostgresConfigError::Url);
        }
        if server.get_user().is_none() {
            return Err(PostgresConfigError::NoUser);
        }
        if server.get_hosts().is_empty() && server.get_hostaddrs().is_empty() {
            server.host("localhost");
        }
        let mode = match mode.as_deref() {
            None if is_this_machine(&server) => SslMode::Disable,
            // The certificate is always verified, so these three modes are the same.
            None | Some("require" | "verify-ca" | "verify-full") => SslMode::Require,
            Some("disable") => SslMode::Disable,
            Some(other) => return Err(PostgresConfigError::SslMode(other.to_owned())),
        };
        server.ssl_mode(mode).connect_timeout(CONNECT).tcp_user_timeout(UNACKNOWLEDGED).keepalives_idle(SILENCE);
        if server.get_hosts().len() > 1 {
            // If the URL names a server and its standbys, the one that accepts writes is used.
            server.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if server.get_application_name().is_none() {
            server.application_name("insomnia-scim");
        }
        let authorities = authorities.map(|path| read(&path)).transpose()?;
        Ok(Self { server, tls: Tls::new(authorities.as_deref())?, schema, connections, patience })
    }

    /// Adds the password from a file: the text before the first line break.
    ///
    /// # Errors
    /// [`PostgresConfigError::File`] if it can't be read.
    pub fn password_file(mut self, path: &Path) -> Result<Self, PostgresConfigError> {
        let content = read(path)?;
        let password = content.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        self.server.password(password);
        Ok(self)
    }
}

impl PostgresConfig {
    /// All hosts that the URL names, with their ports.
    pub(super) fn hosts(&self) -> Vec<String> {
        let names = self.server.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let mut hosts: Vec<String> = names.collect();
        if hosts.is_empty() {
            hosts.extend(self.server.get_hostaddrs().iter().map(ToString::to_string));
        }
        let ports = self.server.get_ports();
        let with_port = |(place, host): (usize, String)| {
            // One port is that of all hosts.
            let port = ports.get(place).or(ports.first()).copied().unwrap_or(PORT);
            // Colons in an address would be taken for that before the port.
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
        };
        hosts.into_iter().enumerate().map(with_port).collect()
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig").field("server", &self.to_string()).finish_non_exhaustive()
    }
}

/// Shows the address without secrets.
impl fmt::Display for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.server.get_dbname().or(self.server.get_user()).unwrap_or_default();
        write!(f, "the database {database} at {} (schema {})", self.hosts().join(", "), self.schema)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, PostgresConfigError> {
    fs::read(path).map_err(|source| PostgresConfigError::File { path: path.to_owned(), source })
}

fn checked_schema(name: String) -> Result<String, PostgresConfigError> {
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let allowed = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    // PostgreSQL reserves names with this beginning.
    let reserved = name.starts_with("pg_");
    if begins && allowed && !reserved && name.len() <= 48 { Ok(name) } else { Err(PostgresConfigError::Schema(name)) }
}

fn checked_connections(text: String) -> Result<usize, PostgresConfigError> {
    match text.parse() {
        Ok(number @ 2..=MOST_CONNECTIONS) => Ok(number),
        _ => Err(PostgresConfigError::Connections(text)),
    }
}

fn checked_patience(text: String) -> Result<Duration, PostgresConfigError> {
    match text.parse() {
        Ok(seconds @ 1..=300) => Ok(Duration::from_secs(seconds)),
        _ => Err(PostgresConfigError::Patience(text)),
    }
}

/// Whether all addresses belong to this machine: Unix sockets and loopback.
fn is_this_machine(server: &Config) -> bool {
    let names = server.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    names && server.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> PostgresConfigError {
        PostgresConfig::from_url(url).unwrap_err()
    }

    #[test]
    fn a_url_names_server_schema_and_connections() {
        let config =
            PostgresConfig::from_url("postgres://scim:p%40ss@db.example/main?schema=two&connections=5").unwrap();
        assert_eq!(config.server.get_user(), Some("scim"));
        assert_eq!(config.server.get_password(), Some(&b"p@ss"[..]));
        assert_eq!((config.schema.as_str(), config.connections), ("two", 5));
        assert_eq!(config.to_string(), "the database main at db.example:5432 (schema two)");
        let several = PostgresConfig::from_url("postgres://scim@one:5433,[::1]/main").unwrap();
        assert_eq!(several.to_string(), "the database main at one:5433, [::1]:5432 (schema insomnia_scim)");
    }

    #[test]
    fn over_a_network_the_connection_is_encrypted_unless_the_url_says_otherwise() {
        let mode = |url| PostgresConfig::from_url(url).unwrap().server.get_ssl_mode();
        for url in ["postgres://u@db.example/d", "postgres://u@10.0.0.1/d", "postgresql://u@localhost,db.example/d"] {
            assert_eq!(mode(url), SslMode::Require, "{url}");
        }
        for url in ["postgres://u@localhost/d", "postgres://u@127.0.0.1/d", "postgres://u@%2Frun%2Fpostgresql/d"] {
            assert_eq!(mode(url), SslMode::Disable, "{url}");
        }
        assert_eq!(mode("postgres://u@db.example/d?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgres://u@localhost/d?sslmode=verify-full"), SslMode::Require);
        assert!(matches!(refused("postgres://u@db.example/d?sslmode=prefer"), PostgresConfigError::SslMode(_)));
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_its_password() {
        for url in
            ["mysql://u:hunter2@h/d", "postgres://u:hunter2@h/d?x=hunter2", "postgres://u:hunter2?@h/d", "hunter2"]
        {
            let said = refused(url).to_string();
            assert!(said.contains("postgres://USER:PASSWORD@HOST") && !said.contains("hunter2"), "{said}");
        }
        assert!(matches!(refused("postgres://db.example/d"), PostgresConfigError::NoUser));
        for schema in ["Two", "1st", "a-b", "pg_two", "", "a\"b"] {
            assert!(matches!(refused(&format!("postgres://u@h/d?schema={schema}")), PostgresConfigError::Schema(_)));
        }
        assert!(matches!(refused("postgres://u@h/d?patience=0"), PostgresConfigError::Patience(_)));
        for connections in ["0", "1", "x", "1001"] {
            let url = format!("postgres://u@h/d?connections={connections}");
            assert!(matches!(refused(&url), PostgresConfigError::Connections(_)));
        }
        let config = PostgresConfig::from_url("postgres://u:hunter2@h/d").unwrap();
        assert!(!format!("{config:?} {config}").contains("hunter2"));
    }

    #[test]
    fn a_password_file_holds_the_password_and_perhaps_a_line_break() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        fs::write(&path, "p w\n").unwrap();
        let config = PostgresConfig::from_url("postgres://u@h/d").unwrap().password_file(&path).unwrap();
        assert_eq!(config.server.get_password(), Some(&b"p w"[..]));
        let missing =
            PostgresConfig::from_url("postgres://u@h/d").unwrap().password_file(&directory.path().join("none"));
        assert!(matches!(missing, Err(PostgresConfigError::File { .. })));
    }
}
