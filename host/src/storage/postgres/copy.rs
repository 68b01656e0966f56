//! A PostgreSQL as a source of a copy, and as its target.

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_postgres::types::Type;

use super::config::PostgresConfig;
use super::migration::{self, in_schema};
use super::pool::{Parameter, Session};
use super::{PostgresOpenError, failed, fault, from_integer, random, to_integer};
use crate::capability::storage::{Entry, Key, OrganizationId, StorageError};
use crate::storage::copy::{Head, PAGE_BYTES, PAGE_ITEMS, Part, Sent, Source, Target, not_begun};

/// A database that is read as it is when [`Source::send`] begins.
pub(crate) struct PostgresSource {
    config: PostgresConfig,
    session: Session,
}

impl PostgresSource {
    /// Connects to the database, which must have tables.
    ///
    /// # Errors
    /// Says why there is no connection, or what is wrong with the database.
    pub(crate) async fn open(config: PostgresConfig) -> Result<Self, PostgresOpenError> {
        migration::migrate(&config, false).await?;
        let session = session(&config).await?;
        Ok(Self { config, session })
    }

    fn sql(&self, text: &str) -> String {
        in_schema(&self.config, text)
    }

    async fn send_all(&self, part: Part, to: &mpsc::Sender<Sent>) -> Result<(), StorageError> {
        let client = self.session.client();
        // One moment, whatever is written meanwhile.
        client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(failed)?;
        let organizations = self.sql(
            "SELECT id, name, generation, deleted, version, least(wake_at, claimed_until) FROM SCHEMA.organization
            ORDER BY name = $1, name, generation",
        );
        let host = OrganizationId::host();
        let of_host: [Parameter<'_>; 1] = [(&host.as_str(), Type::TEXT)];
        // A page ends before the item that would make it too large, unless that is its first one.
        let items = self.sql(
            "SELECT key, value, version FROM (
                SELECT *, sum(octet_length(key) + octet_length(value)) OVER (ORDER BY key) AS bytes,
                    row_number() OVER (ORDER BY key) AS place
                FROM (
                    SELECT key, value, version FROM SCHEMA.item WHERE organization = $1 AND key > $2
                    ORDER BY key LIMIT $3
                ) next
            ) page WHERE bytes <= $4 OR place = 1 ORDER BY key",
        );
        for row in client.query_typed(&organizations, &of_host).await.map_err(failed)? {
            let id: i64 = row.try_get(0).map_err(failed)?;
            let name: &str = row.try_get(1).map_err(failed)?;
            let organization =
                OrganizationId::from_stored(name).map_err(|error| StorageError::Other(error.to_string()))?;
            if !part.has(&organization) {
                continue;
            }
            let head = Head {
                organization: organization.with_generation(from_integer(row.try_get(2).map_err(failed)?)),
                deleted: row.try_get(3).map_err(failed)?,
                version: from_integer(row.try_get(4).map_err(failed)?),
                wake_at: row.try_get::<_, Option<i64>>(5).map_err(failed)?.map(from_integer),
            };
            if to.send(Sent::Organization(head)).await.is_err() {
                return Ok(());
            }
            let (mut after, limit, most) = (Key::new(), to_integer(PAGE_ITEMS as u64), to_integer(PAGE_BYTES as u64));
            loop {
                let parameters: [Parameter<'_>; 4] =
                    [(&id, Type::INT8), (&after, Type::BYTEA), (&limit, Type::INT8), (&most, Type::INT8)];
                let rows = client.query_typed(&items, &parameters).await.map_err(failed)?;
                let mut page = Vec::with_capacity(rows.len());
                for row in &rows {
                    page.push(Entry {
                        key: row.try_get(0).map_err(failed)?,
                        value: row.try_get(1).map_err(failed)?,
                        version: from_integer(row.try_get(2).map_err(failed)?),
                    });
                }
                let Some(last) = page.last() else { break };
                after.clone_from(&last.key);
                if to.send(Sent::Items(page)).await.is_err() {
                    return Ok(());
                }
            }
        }
        client.batch_execute("COMMIT").await.map_err(failed)
    }
}

#[async_trait]
impl Source for PostgresSource {
    async fn send(self: Box<Self>, part: Part, to: mpsc::Sender<Sent>) -> Result<(), StorageError> {
        self.send_all(part, &to).await
    }
}

/// A database that takes organizations.
pub(crate) struct PostgresTarget {
    config: PostgresConfig,
    session: Session,
    /// The organization that was begun.
    current: Option<i64>,
}

impl PostgresTarget {
    /// Connects, and makes the tables where there are none.
    ///
    /// # Errors
    /// Says why there is no connection, or what is wrong with the database.
    pub(crate) async fn open(config: PostgresConfig) -> Result<Self, PostgresOpenError> {
        migration::migrate(&config, true).await?;
        let session = session(&config).await?;
        Ok(Self { config, session, current: None })
    }

    fn sql(&self, text: &str) -> String {
        in_schema(&self.config, text)
    }

    async fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<(), StorageError> {
        self.session.client().query_typed(&self.sql(sql), parameters).await.map(drop).map_err(failed)
    }
}

#[async_trait]
impl Target for PostgresTarget {
    async fn serves(&mut self) -> Result<bool, StorageError> {
        let sql = self.sql("SELECT EXISTS (SELECT FROM SCHEMA.organization WHERE name = $1)");
        let host = OrganizationId::host();
        let row = self.session.client().query_typed_one(&sql, &[(&host.as_str(), Type::TEXT)]).await.map_err(failed)?;
        row.try_get(0).map_err(failed)
    }

    async fn begin(&mut self, head: &Head) -> Result<(), StorageError> {
        let (name, generation) = (head.organization.as_str(), to_integer(head.organization.generation()));
        let named: [Parameter<'_>; 2] = [(&name, Type::TEXT), (&generation, Type::INT8)];
        let find = self.sql("SELECT id FROM SCHEMA.organization WHERE name = $1 AND generation = $2");
        let found = self.session.client().query_typed_opt(&find, &named).await.map_err(failed)?;
        self.session.client().batch_execute("BEGIN").await.map_err(failed)?;
        if let Some(found) = found {
            let id: i64 = found.try_get(0).map_err(failed)?;
            self.execute("DELETE FROM SCHEMA.item WHERE organization = $1", &[(&id, Type::INT8)]).await?;
            self.execute("DELETE FROM SCHEMA.organization WHERE id = $1", &[(&id, Type::INT8)]).await?;
        }
        let version = to_integer(head.version);
        let id = random().map_err(|error| StorageError::Other(error.to_string()))?;
        let wake_at = head.wake_at.map(to_integer);
        let parameters: [Parameter<'_>; 6] = [
            (&id, Type::INT8),
            (&name, Type::TEXT),
            (&generation, Type::INT8),
            (&head.deleted, Type::BOOL),
            (&version, Type::INT8),
            (&wake_at, Type::INT8),
        ];
        let insert = "INSERT INTO SCHEMA.organization (id, name, generation, deleted, version, wake_at)
            VALUES ($1, $2, $3, $4, $5, $6)";
        self.execute(insert, &parameters).await?;
        self.current = Some(id);
        Ok(())
    }

    async fn put(&mut self, items: Vec<Entry>) -> Result<(), StorageError> {
        let Some(id) = self.current else { return Err(not_begun()) };
        let keys: Vec<&[u8]> = items.iter().map(|entry| entry.key.as_slice()).collect();
        let values: Vec<&[u8]> = items.iter().map(|entry| entry.value.as_slice()).collect();
        let versions: Vec<i64> = items.iter().map(|entry| to_integer(entry.version)).collect();
        let parameters: [Parameter<'_>; 4] = [
            (&id, Type::INT8),
            (&keys, Type::BYTEA_ARRAY),
            (&values, Type::BYTEA_ARRAY),
            (&versions, Type::INT8_ARRAY),
        ];
        let insert = "INSERT INTO SCHEMA.item (organization, key, value, version)
            SELECT $1, i.key, i.value, i.version FROM unnest($2, $3, $4) AS i (key, value, version)";
        self.execute(insert, &parameters).await
    }

    async fn end(&mut self) -> Result<(), StorageError> {
        self.current.take().ok_or_else(not_begun)?;
        self.session.client().batch_execute("COMMIT").await.map_err(failed)
    }

    async fn source(&mut self) -> Result<Box<dyn Source>, StorageError> {
        let session = Session::open(&self.config).await.map_err(failed)?;
        Ok(Box::new(PostgresSource { config: self.config.clone(), session }))
    }
}

async fn session(config: &PostgresConfig) -> Result<Session, PostgresOpenError> {
    let unreachable =
        |error| PostgresOpenError::Connection { database: config.to_string(), reason: fault::text(&error) };
    Session::open(config).await.map_err(unreachable)
}
