//! Connections to the SMTP server, kept for the next message.
//!
//! lettre has a pool of its own, but it takes a connection back even if the message's future is dropped between a
//! command and its reply; the next message would then read the wrong reply. Here a connection goes back only after the
//! reply to its last command was read.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;

use super::line_stream::LineStream;

/// How long a connection may be idle: servers close idle ones after some minutes.
const IDLE: Duration = Duration::from_secs(60);
/// How long an idle connection may take to answer that it still works.
const PROBE: Duration = Duration::from_secs(5);
/// How many messages a connection may send: many servers have a limit.
const MESSAGES: u32 = 50;

/// How to connect.
pub(super) struct Endpoint {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) credentials: Option<Credentials>,
    pub(super) hello: ClientId,
    pub(super) connect_timeout: Duration,
}

/// How a connection is secured.
pub(super) enum Security {
    Implicit(TlsParameters),
    StartTls(TlsParameters),
    None,
}

/// The reason why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error("{0}")]
    Open(io::Error),
    #[error(transparent)]
    Smtp(#[from] Error),
}

/// Idle connections to one endpoint.
pub(super) struct Pool {
    endpoint: Endpoint,
    idle: Mutex<Vec<Pooled>>,
}

/// A connection between two messages.
pub(super) struct Pooled {
    pub(super) connection: AsyncSmtpConnection,
    since: Instant,
    messages: u32,
}

impl Pool {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, idle: Mutex::default() }
    }

    /// A connection that is signed in.
    pub(super) async fn take(&self) -> Result<Pooled, ConnectionError> {
        while let Some(mut pooled) = self.pop() {
            let fresh = pooled.since.elapsed() < IDLE;
            if fresh && timeout(PROBE, pooled.connection.test_connected()).await.unwrap_or(false) {
                return Ok(pooled);
            }
        }
        Ok(Pooled { connection: self.connect().await?, since: Instant::now(), messages: 0 })
    }

    /// Takes a connection back. The reply to its last command was read.
    pub(super) async fn put(&self, mut pooled: Pooled) {
        pooled.messages += 1;
        if pooled.messages < MESSAGES {
            pooled.since = Instant::now();
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(pooled);
        } else {
            // This is only polite, so its result does not matter.
            let _ = timeout(PROBE, pooled.connection.quit()).await;
        }
    }

    fn pop(&self) -> Option<Pooled> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, ConnectionError> {
        let Endpoint { host, port, security, credentials, hello, connect_timeout } = &self.endpoint;
        let server = (host.as_str(), *port);
        let limit = Some(*connect_timeout);
        let mut connection = match security {
            Security::Implicit(tls) => {
                AsyncSmtpConnection::connect_tokio1(server, limit, hello, Some(tls.clone()), None).await?
            }
            Security::StartTls(tls) => {
                let stream = Box::new(LineStream::connect(server).await.map_err(ConnectionError::Open)?);
                let mut connection = AsyncSmtpConnection::connect_with_transport(stream, hello).await?;
                connection.starttls(tls.clone(), hello).await?;
                connection
            }
            Security::None => AsyncSmtpConnection::connect_tokio1(server, limit, hello, None, None).await?,
        };
        if let Some(credentials) = credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}
