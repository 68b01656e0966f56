//! The storages that come with the host, and what all storages have in common.

pub mod bounds;
#[cfg(feature = "conformance")]
pub mod conformance;
pub(crate) mod copy;
mod memory;
mod postgres;
mod sqlite;

pub use memory::MemoryStorage;
pub use postgres::{PostgresConfig, PostgresConfigError, PostgresOpenError, PostgresStorage, PostgresTlsError};
pub(crate) use postgres::{PostgresSource, PostgresTarget};
pub use sqlite::{OpenError, SqliteStorage};
pub(crate) use sqlite::{SqliteSource, SqliteTarget, examine};
