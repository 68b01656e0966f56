//! The storage in PostgreSQL, tested with a real server: by itself, with faults, and with several hosts on it.

mod breaks;
mod chaos;
mod clocks;
mod doctor;
mod hosts;
mod moves;
mod pooled;
mod releases;
mod storage;
mod tls;
mod views;

use std::sync::Arc;

use insomnia_scim::storage::{PostgresConfig, PostgresStorage};

/// A storage on the database of this URL, as a host of its own.
async fn open(url: &str) -> Arc<PostgresStorage> {
    let config = PostgresConfig::from_url(url).expect("a URL");
    Arc::new(PostgresStorage::open(config).await.expect("the database can be opened"))
}
