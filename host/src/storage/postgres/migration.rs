//! The tables and functions, and the migrations that update them.

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::config::PostgresConfig;
use super::fault;
use super::pool::Session;

/// The migrations from an empty schema to the newest one. A release may add one at the end; released ones never change.
const MIGRATIONS: &[&str] = &[include_str!("schema-1.sql"), include_str!("schema-2.sql"), include_str!("schema-3.sql")];
/// The placeholder for the schema in the migrations, with the dot after it.
const PLACEHOLDER: &str = "SCHEMA.";
/// The oldest server version with everything that the functions need (14.0).
const OLDEST: i32 = 140_000;
/// The advisory lock for migrations, so that hosts that start at the same time do not interfere. Its number is random.
const LOCK: i64 = 5_377_031_816_447_820_213;

/// The reason why a database can't be used, and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresOpenError {
    /// The connection failed.
    #[error("{database} can't be reached: {reason}")]
    Connection {
        /// The address of the database.
        database: String,
        /// The error of the system or the server.
        reason: String,
    },
    /// The server does not admit this user, or it has no such database.
    #[error("{database} refuses the connection: {reason}; look at the user, the password and the database's name")]
    Refused {
        /// The address of the database.
        database: String,
        /// The error of the server.
        reason: String,
    },
    /// The server is too old.
    #[error("{database} is a PostgreSQL {found}, and 14 is the oldest supported version")]
    Old {
        /// The address of the database.
        database: String,
        /// The server's version.
        found: String,
    },
    /// A newer release has changed the tables.
    #[error(
        "{database} has tables of version {found}, and this release knows versions up to {known}: use the release that \
         last opened it, or a newer one"
    )]
    Newer {
        /// The address of the database.
        database: String,
        /// The version of its tables.
        found: i32,
        /// The newest version that this release knows.
        known: i32,
    },
    /// The tables can't be made or brought up to date.
    #[error(
        "the tables of {database} can't be brought up to date: {reason}; the user needs the right to create a schema in \
         the database, or must own the one that is there"
    )]
    Migration {
        /// The address of the database.
        database: String,
        /// The error of the server.
        reason: String,
    },
    /// There are no tables, and the caller did not want them to be created.
    #[error("{0} has no data: `insomnia-scim serve`, `demo` or `org create` begins there")]
    Empty(String),
    /// Another copy is being written into the database.
    #[error("another copy into {0} is under way: wait for its end, or end it, and give the command again")]
    Copying(String),
    /// The system has no random numbers.
    #[error("the system has no random numbers")]
    Random,
}

impl PostgresOpenError {
    /// The error for a connection that failed or ended.
    pub(super) fn unreachable(config: &PostgresConfig, error: &tokio_postgres::Error) -> Self {
        let (database, reason) = (config.to_string(), fault::text(error));
        // These errors concern the user or the database. With several hosts, this is the error of the last one only,
        // and another may admit this user later.
        let is_refused = config.hosts().len() == 1
            && error.code().is_some_and(|code| code.code().starts_with("28") || code.code().starts_with("3D"));
        if is_refused { Self::Refused { database, reason } } else { Self::Connection { database, reason } }
    }
}

/// An SQL statement, in which the schema's name replaces the placeholder.
pub(super) fn in_schema(config: &PostgresConfig, sql: &str) -> String {
    sql.replace(PLACEHOLDER, &format!("\"{}\".", config.schema))
}

/// Updates tables and functions. If there are none, they are created if `begins`.
pub(super) async fn migrate(config: &PostgresConfig, begins: bool) -> Result<(), PostgresOpenError> {
    let database = config.to_string();
    let unreachable = |error| PostgresOpenError::unreachable(config, &error);
    let session = Session::open(config).await.map_err(unreachable)?;
    check_server(config, &session).await?;
    let newer = |found| PostgresOpenError::Newer { database: database.clone(), found, known: known() };
    match version(config, &session).await.map_err(unreachable)? {
        Some(found) if found == known() => return Ok(()),
        Some(found) if found > known() => return Err(newer(found)),
        None if !begins => return Err(PostgresOpenError::Empty(database.clone())),
        _ => {}
    }
    let failed = |error| PostgresOpenError::Migration { database: database.clone(), reason: fault::text(&error) };
    match bring_up_to_date(config, &session).await.map_err(failed)? {
        found if found > known() => Err(newer(found)),
        _ => Ok(()),
    }
}

fn known() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

/// Makes sure that the server is new enough, and returns its version.
pub(super) async fn check_server(config: &PostgresConfig, session: &Session) -> Result<String, PostgresOpenError> {
    let sql = "SELECT current_setting('server_version_num')::int, current_setting('server_version')";
    let unreachable = |error| PostgresOpenError::unreachable(config, &error);
    let row = session.client().query_typed_one(sql, &[]).await.map_err(unreachable)?;
    let number: i32 = row.try_get(0).map_err(unreachable)?;
    let found = row.try_get(1).map_err(unreachable)?;
    if number >= OLDEST {
        return Ok(found);
    }
    Err(PostgresOpenError::Old { database: config.to_string(), found })
}

/// The version of the tables; `None` if there are none.
async fn version(config: &PostgresConfig, session: &Session) -> Result<Option<i32>, tokio_postgres::Error> {
    let sql = in_schema(config, "SELECT version FROM SCHEMA.schema_version");
    match session.client().query_typed_opt(&sql, &[]).await {
        Ok(row) => row.map(|row| row.try_get(0)).transpose(),
        Err(error)
            if [Some(&SqlState::UNDEFINED_TABLE), Some(&SqlState::INVALID_SCHEMA_NAME)].contains(&error.code()) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Runs the migrations. Returns the version of the tables afterwards: another host, possibly of a newer release, may
/// have been faster.
async fn bring_up_to_date(config: &PostgresConfig, session: &Session) -> Result<i32, tokio_postgres::Error> {
    let client = session.client();
    // All migrations are one transaction. After any error the connection is closed, so that nothing was changed.
    client.batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK})")).await?;
    let exists = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)";
    let schema: &str = &config.schema;
    let row = client.query_typed_one(exists, &[(&schema, Type::TEXT)]).await?;
    if !row.try_get::<_, bool>(0)? {
        client.batch_execute(&format!("CREATE SCHEMA \"{schema}\"")).await?;
    }
    let table = "CREATE TABLE IF NOT EXISTS SCHEMA.schema_version (version int NOT NULL)";
    client.batch_execute(&in_schema(config, table)).await?;
    let found = version(config, session).await?;
    let done = usize::try_from(found.unwrap_or(0)).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(done) {
        client.batch_execute(&in_schema(config, step)).await?;
    }
    let now = known().max(found.unwrap_or(0));
    let note = match found {
        None => format!("INSERT INTO SCHEMA.schema_version VALUES ({now})"),
        Some(_) => format!("UPDATE SCHEMA.schema_version SET version = {now}"),
    };
    client.batch_execute(&format!("{}; COMMIT", in_schema(config, &note))).await?;
    Ok(now)
}
