//! What can go wrong with a call of PostgreSQL, and whether another try may help.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::capability::storage::StorageError;

/// Why a call failed.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// What the caller is told if there is no other try.
    pub(super) error: StorageError,
    /// The same call may succeed at once: a connection broke, a server was started again, transactions met.
    pub(super) may_pass: bool,
    /// The connection is of no use any more.
    pub(super) is_broken: bool,
}

impl Fault {
    pub(super) fn of(error: &Error) -> Self {
        let Some(code) = error.code() else {
            let is_broken = error.is_closed() || error.source().is_some_and(|source| source.is::<io::Error>());
            let text = text(error);
            let error = if is_broken { StorageError::Unavailable(text) } else { StorageError::Other(text) };
            return Self { error, may_pass: is_broken, is_broken: true };
        };
        let text = text(error);
        let class = code.code().get(..2).unwrap_or_default();
        let (error, may_pass, is_broken) = match *code {
            SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => {
                (StorageError::Unavailable(text), true, false)
            }
            SqlState::DISK_FULL => (StorageError::Full(text), false, false),
            // Another host's commit takes long; or it is this one's first try, whose connection broke and which the server
            // has not ended yet.
            SqlState::LOCK_NOT_AVAILABLE => (StorageError::Unavailable(text), true, false),
            SqlState::QUERY_CANCELED => (StorageError::Unavailable(text), false, false),
            // Somebody between here and the server has given the session away: nothing was done.
            SqlState::INVALID_SQL_STATEMENT_NAME => (StorageError::Unavailable(text), true, true),
            // The server was made a standby, or this is one that will be made the server.
            SqlState::READ_ONLY_SQL_TRANSACTION => (StorageError::Unavailable(text), true, true),
            SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN
            | SqlState::CANNOT_CONNECT_NOW
            | SqlState::TOO_MANY_CONNECTIONS
            | SqlState::IDLE_SESSION_TIMEOUT => (StorageError::Unavailable(text), true, true),
            // Connections; the rest of resources; who may connect, and to what; what the system did.
            _ if class == "08" => (StorageError::Unavailable(text), true, true),
            _ if ["53", "28", "3D", "58"].contains(&class) => (StorageError::Unavailable(text), false, true),
            _ => (StorageError::Other(text), false, false),
        };
        Self { error, may_pass, is_broken }
    }

    /// There is no use in another try.
    pub(super) fn unavailable(text: impl Into<String>) -> Self {
        Self { error: StorageError::Unavailable(text.into()), may_pass: false, is_broken: false }
    }
}

/// What the database says, without details that may repeat what is stored.
pub(super) fn text(error: &Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}
