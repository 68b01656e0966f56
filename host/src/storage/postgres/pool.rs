//! Connections, and calls over them.
//!
//! A call is one statement, so that it takes one round trip. On a connection that goes to the server itself the frequent ones are
//! prepared when it is opened, which saves the server reading and planning them each time. Behind a pool that gives each
//! transaction another connection (pgbouncer's transaction mode) a statement is sent as a whole, with its types.
//!
//! The connections are this module's own and not a pool library's, for the order of those who wait: organizations take
//! turns, so that one with many calls waits behind itself.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row, Statement};

use super::config::PostgresConfig;
use super::direct::is_direct;
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
    /// The statements that are prepared.
    frequent: Vec<String>,
    /// Whether they are: not once a session was found to have lost one.
    prepares: AtomicBool,
    turns: Gate<OrganizationId>,
    /// The last one returned is the next one taken.
    idle: Mutex<Vec<Connection>>,
}

/// A connection, and the task that reads and writes it.
struct Connection {
    client: Client,
    task: AbortHandle,
    opened: Instant,
    /// Statements, and what the server keeps of them.
    prepared: Vec<(String, Statement)>,
}

impl Connection {
    async fn run(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Error> {
        match self.prepared.iter().find(|(text, _)| text == sql) {
            Some((_, statement)) => {
                let values: Vec<_> = parameters.iter().map(|(value, _)| *value).collect();
                self.client.query(statement, &values).await
            }
            None => self.client.query_typed(sql, parameters).await,
        }
    }

    /// Prepares the statements if the session is this connection's own. What can't be prepared is sent as a whole, and the server
    /// then says what is wrong.
    async fn prepare(&mut self, statements: &[String]) -> Result<(), Error> {
        if !is_direct(&self.client).await? {
            return Ok(());
        }
        for sql in statements {
            if let Ok(statement) = self.client.prepare(sql).await {
                self.prepared.push((sql.clone(), statement));
            }
        }
        Ok(())
    }
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
    /// No connections yet, to a server on which these statements are the frequent ones.
    pub(super) fn new(config: PostgresConfig, frequent: Vec<String>) -> Self {
        let turns = Gate::with_room(config.connections, config.connections / 2);
        let prepares = AtomicBool::new(true);
        Self(Arc::new(Shared { config, frequent, prepares, turns, idle: Mutex::default() }))
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
        let result = lease.connection()?.run(sql, parameters).await;
        match result {
            Ok(rows) => {
                lease.give_back();
                Ok(rows)
            }
            Err(error) => {
                if error.code() == Some(&SqlState::INVALID_SQL_STATEMENT_NAME) {
                    self.0.prepares.store(false, Ordering::Relaxed);
                }
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
        let mut connection = connect(&self.0.config).await.map_err(|error| Fault::of(&error))?;
        if self.0.prepares.load(Ordering::Relaxed) {
            connection.prepare(&self.0.frequent).await.map_err(|error| Fault::of(&error))?;
        }
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
async fn connect(config: &PostgresConfig) -> Result<Connection, Error> {
    let (client, connection) = config.server.connect(config.tls.clone()).await?;
    let task = tokio::spawn(async move {
        // Whoever has a call under way is told the same.
        let _ = connection.await;
    })
    .abort_handle();
    Ok(Connection { client, task, opened: Instant::now(), prepared: Vec::new() })
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
    pub(super) async fn open(config: &PostgresConfig) -> Result<Self, Error> {
        connect(config).await.map(Self)
    }

    pub(super) fn client(&self) -> &Client {
        &self.0.client
    }
}
