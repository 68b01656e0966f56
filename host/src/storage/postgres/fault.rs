//! The errors of a call to PostgreSQL, and whether another try may help.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
#[cfg(feature = "cli")]
use tokio_postgres::error::Severity;
use tokio_postgres::error::SqlState;

use crate::capability::storage::StorageError;

/// The reason why a call failed.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// The error for the caller if there is no other try.
    pub(super) error: StorageError,
    /// Whether the same call may succeed at once: a connection broke, a server was restarted, or transactions
    /// conflicted.
    pub(super) may_pass: bool,
    /// Whether the connection must not be used any more.
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
            // Another host's commit takes long, or it is the first try of this commit, whose connection broke and which
            // the server has not ended yet.
            SqlState::LOCK_NOT_AVAILABLE => (StorageError::Unavailable(text), true, false),
            SqlState::QUERY_CANCELED => (StorageError::Unavailable(text), false, false),
            // A pool between here and the server has given the session to others: nothing was done.
            SqlState::INVALID_SQL_STATEMENT_NAME => (StorageError::Unavailable(text), true, true),
            // The server has become a standby, or this is a standby that is about to become the server.
            SqlState::READ_ONLY_SQL_TRANSACTION => (StorageError::Unavailable(text), true, true),
            SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN
            | SqlState::CANNOT_CONNECT_NOW
            | SqlState::TOO_MANY_CONNECTIONS
            | SqlState::IDLE_SESSION_TIMEOUT => (StorageError::Unavailable(text), true, true),
            // Error classes: connections; other resources; access rights; errors of the operating system.
            _ if class == "08" => (StorageError::Unavailable(text), true, true),
            _ if ["53", "28", "3D", "58"].contains(&class) => (StorageError::Unavailable(text), false, true),
            _ => (StorageError::Other(text), false, false),
        };
        Self { error, may_pass, is_broken }
    }

    /// An error for which another try is useless.
    pub(super) fn unavailable(text: impl Into<String>) -> Self {
        Self { error: StorageError::Unavailable(text.into()), may_pass: false, is_broken: false }
    }
}

/// Whether the server itself has refused a commit, so that it has certainly not taken effect. A server that ends a session
/// ([`Severity::Fatal`]) may have committed before, and so may one behind a connection that broke.
#[cfg(feature = "cli")]
pub(super) fn is_refusal(error: &Error) -> bool {
    error.as_db_error().is_some_and(|said| {
        said.parsed_severity() == Some(Severity::Error)
            && !said.code().code().starts_with("08")
            && *said.code() != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
    })
}

/// The database's message, without details that may repeat stored data.
pub(super) fn text(error: &Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}
