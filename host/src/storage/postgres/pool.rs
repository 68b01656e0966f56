//! The connection pool, and calls over its connections.
//!
//! A call is one statement, so it takes one round trip. On a connection that goes to the server itself, the frequent
//! statements are prepared when it is opened, so that the server need not parse and plan them each time. Behind a pool
//! that gives each transaction another connection (pgbouncer's transaction mode), a statement is sent as a whole with
//! its types.
//!
//! The project has its own pool instead of a library's because of the order of waiting calls: organizations take turns,
//! so an organization with many calls only delays its own.

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
/// How long a connection is used. After that it is replaced, so that a new or recovered server gets its share.
const LIFE: Duration = Duration::from_secs(30 * 60);
/// The pause between the first try of a call and the second; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How long to try to tell the server that a call is cancelled.
const CANCEL: Duration = Duration::from_secs(2);

/// A parameter of a statement with its type.
pub(super) type Parameter<'p> = (&'p (dyn ToSql + Sync), Type);

/// The connections of this host. Clones share them.
#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    config: PostgresConfig,
    /// The statements that are prepared on each connection.
    frequent: Vec<String>,
    /// Whether statements are prepared. It becomes false once a session has lost a prepared one.
    prepares: AtomicBool,
    turns: Gate<OrganizationId>,
    /// The unused connections. The one that was returned last is used first.
    idle: Mutex<Vec<Connection>>,
}

/// A connection, and the task that reads and writes it.
struct Connection {
    client: Client,
    task: AbortHandle,
    opened: Instant,
    /// The prepared statements, and their handles.
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

    /// Prepares the statements if this connection has a server process of its own. A statement that can't be prepared
    /// is sent as a whole later, and the server then says what is wrong.
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
    /// A pool without connections yet, for a server on which these statements are frequent.
    pub(super) fn new(config: PostgresConfig, frequent: Vec<String>) -> Self {
        let turns = Gate::with_room(config.connections, config.connections / 2);
        let prepares = AtomicBool::new(true);
        Self(Arc::new(Shared { config, frequent, prepares, turns, idle: Mutex::default() }))
    }

    /// Runs a statement, and retries it after a temporary fault, until the configured patience and `more` are used up.
    /// It must therefore be a statement that may run twice.
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

/// A connection for one call. If it is dropped during the call, the connection is closed and the server is told to
/// cancel.
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
                // It does not matter whether this arrives: the server notices later that nobody reads its answer.
                let _ = timeout(CANCEL, token.cancel_query(tls)).await;
                drop(connection);
            });
        }
    }
}

/// Makes one attempt to connect.
async fn connect(config: &PostgresConfig) -> Result<Connection, Error> {
    let (client, connection) = config.server.connect(config.tls.clone()).await?;
    let task = tokio::spawn(async move {
        // The calls that use this connection get the same error.
        let _ = connection.await;
    })
    .abort_handle();
    Ok(Connection { client, task, opened: Instant::now(), prepared: Vec::new() })
}

/// A random time between half the pause and all of it, so that calls that have conflicted do not conflict again.
fn jittered(pause: Duration) -> Duration {
    let mut random = [0; 1];
    let _ = getrandom::fill(&mut random);
    pause / 2 + pause.mul_f64(f64::from(random[0]) / 512.0)
}

/// A connection for work that needs more than one call.
pub(super) struct Session(Connection);

impl Session {
    pub(super) async fn open(config: &PostgresConfig) -> Result<Self, Error> {
        connect(config).await.map(Self)
    }

    pub(super) fn client(&self) -> &Client {
        &self.0.client
    }
}
