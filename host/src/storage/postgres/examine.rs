//! Examines a database for the operator before a server uses it, without changing it.

use std::time::{Instant, SystemTime};

use tokio::time::timeout;

use super::config::PostgresConfig;
use super::migration::{PostgresOpenError, check_server};
use super::pool::Session;

/// A database that has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    /// The server's version, in its own words.
    pub(crate) version: String,
    /// By how many milliseconds the server's clock is ahead of this machine's; negative if it is behind. The question
    /// and its answer take some time, and an offset below half of it counts as 0.
    pub(crate) ahead: i64,
}

/// Connects, and asks for version and time.
///
/// # Errors
/// Says why there is no connection, or that the server is too old.
pub(crate) async fn ask(config: &PostgresConfig) -> Result<Answered, PostgresOpenError> {
    let asked = async {
        let unreachable = |error| PostgresOpenError::unreachable(config, &error);
        let session = Session::open(config).await.map_err(unreachable)?;
        let version = check_server(config, &session).await?;
        let (sent, begun) = (SystemTime::now(), Instant::now());
        let row = session
            .client()
            .query_typed_one("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint", &[])
            .await
            .map_err(unreachable)?;
        let half = begun.elapsed() / 2;
        let there: i64 = row.try_get(0).map_err(unreachable)?;
        let here = (sent + half).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let ahead = there.saturating_sub(i64::try_from(here.as_millis()).unwrap_or(i64::MAX));
        let is_known = u128::from(ahead.unsigned_abs()) > half.as_millis();
        Ok(Answered { version, ahead: if is_known { ahead } else { 0 } })
    };
    timeout(config.patience, asked).await.unwrap_or_else(|_| {
        let reason = format!("it did not answer within {:?}", config.patience);
        Err(PostgresOpenError::Connection { database: config.to_string(), reason })
    })
}
