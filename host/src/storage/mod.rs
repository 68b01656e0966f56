//! The storages that come with the host, and the code that all storages share.

pub mod bounds;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "cli")]
pub(crate) mod copy;
#[cfg(any(test, feature = "conformance"))]
mod count;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod database;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(any(test, feature = "conformance"))]
pub(crate) use count::count;
pub use memory::MemoryStorage;
#[cfg(feature = "cli")]
pub(crate) use postgres::{Answered, PostgresSource, PostgresTarget, ask};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresConfig, PostgresConfigError, PostgresOpenError, PostgresStorage, PostgresTlsError};
#[cfg(feature = "sqlite")]
pub use sqlite::{Checkpoints, OpenError, SqliteStorage};
#[cfg(feature = "cli")]
pub(crate) use sqlite::{SqliteSource, SqliteTarget, examine, while_alone};
