//! Connections, and calls over them.
//!
//! A call is one statement whose types are said with it, so that it takes one round trip, needs no statement that was
//! prepared before, and works behind a pool that gives each transaction another connection (pgbouncer's transaction mode).
//!
//! The connections are this module's own and not a pool library's, for the order of those who wait: organizations take
//! turns, so that one with many calls waits behind itself.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::config::PostgresConfig;
use super::fault::Fault;
use crate::capability::storage::{OrganizationId, StorageError};
use crate::fair::{Gate, Turn};

/// How long to wait for a free connection.
const TURN: Duration = Duration::from_secs(5);
/// How long a connection is used: so a server that is new, or back again, gets its share.
const LIFE: Duration = Duration::from_secs(30 * 60);
/// Between the first try of a call and the second; then twice as long, and so on.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How long a server may take to be told that nobody waits any more.
const CANCEL: Duration = Duration::from_secs(2);

/// A value of a statement, and its type.
pub(super) type Parameter<'p> = (&'p (dyn ToSql + Sync), Type);

/// The connections of this host. Clones are the same.
#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    config: PostgresConfig,
    turns: Gate<OrganizationId>,
    /// The last one returned is the next one taken.
    idle: Mutex<Vec<Connection>>,
}

/// A connection, and the task that reads and writes it.
struct Connection {
    client: Client,
    task: AbortHandle,
    opened: Instant,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.0.config).finish()
    }
}

impl Pool {
    pub(super) fn new(config: PostgresConfig) -> Self {
        let turns = Gate::with_room(config.connections, config.connections / 2);
        Self(Arc::new(Shared { config, turns, idle: Mutex::default() }))
    }

    /// Runs a statement, and runs it again after a fault that may pass, until the configured patience and `more` are at
    /// their end. So the statement must be one that may run twice.
    pub(super) async fn call(
        &self,
        of: &OrganizationId,
        sql: &str,
        parameters: &[Parameter<'_>],
        more: Duration,
    ) -> Result<Vec<Row>, StorageError> {
        let patience = self.0.config.patience + more;
        let deadline = Instant::now() + patience;
        let mut pause = FIRST_PAUSE;
        loop {
            let fault = match timeout_at(deadline, self.once(of, sql, parameters)).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(fault)) => fault,
                Err(_) => Fault::unavailable(format!("the database did not answer within {patience:?}")),
            };
            if !fault.may_pass || Instant::now() + pause >= deadline {
                return Err(fault.error);
            }
            sleep(jittered(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn once(&self, of: &OrganizationId, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Fault> {
        let lease = self.lease(of).await?;
        let result = lease.connection()?.client.query_typed(sql, parameters).await;
        match result {
            Ok(rows) => {
                lease.give_back();
                Ok(rows)
            }
            Err(error) => {
                let fault = Fault::of(&error);
                if !fault.is_broken {
                    lease.give_back();
                }
                Err(fault)
            }
        }
    }

    async fn lease(&self, of: &OrganizationId) -> Result<Lease, Fault> {
        let turn = timeout(TURN, self.0.turns.enter(of)).await;
        let turn = turn.map_err(|_| Fault::unavailable("all connections to the database are in use"))?;
        while let Some(connection) = self.idle(|idle| idle.pop()) {
            if !connection.client.is_closed() && connection.opened.elapsed() < LIFE {
                return Ok(Lease { pool: self.clone(), connection: Some(connection), _turn: turn });
            }
        }
        let connection = connect(&self.0.config).await.map_err(|error| Fault::of(&error))?;
        Ok(Lease { pool: self.clone(), connection: Some(connection), _turn: turn })
    }

    fn idle<T>(&self, act: impl FnOnce(&mut Vec<Connection>) -> T) -> T {
        act(&mut self.0.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A connection for the time of one call. Dropped in the middle of one, it is closed, and the server is told.
struct Lease {
    pool: Pool,
    connection: Option<Connection>,
    _turn: Turn<OrganizationId>,
}

impl Lease {
    fn connection(&self) -> Result<&Connection, Fault> {
        self.connection.as_ref().ok_or_else(|| Fault::unavailable("the connection was given back"))
    }

    fn give_back(mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.idle(|idle| idle.push(connection));
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if connection.client.is_closed() {
            return;
        }
        let (token, tls) = (connection.client.cancel_token(), self.pool.0.config.tls.clone());
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                // Whether it arrives or not: the server finds out when it has an answer for nobody.
                let _ = timeout(CANCEL, token.cancel_query(tls)).await;
                drop(connection);
            });
        }
    }
}

/// Connects once.
async fn connect(config: &PostgresConfig) -> Result<Connection, tokio_postgres::Error> {
    let (client, connection) = config.server.connect(config.tls.clone()).await?;
    let task = tokio::spawn(async move {
        // Whoever has a call under way is told the same.
        let _ = connection.await;
    })
    .abort_handle();
    Ok(Connection { client, task, opened: Instant::now() })
}

/// Between half of it and all of it, so that those who met do not meet again.
fn jittered(pause: Duration) -> Duration {
    let mut random = [0; 1];
    let _ = getrandom::fill(&mut random);
    pause / 2 + pause.mul_f64(f64::from(random[0]) / 512.0)
}

/// A connection for one piece of work that is more than a call.
pub(super) struct Session(Connection);

impl Session {
    pub(super) async fn open(config: &PostgresConfig) -> Result<Self, tokio_postgres::Error> {
        connect(config).await.map(Self)
    }

    pub(super) fn client(&self) -> &Client {
        &self.0.client
    }
}
