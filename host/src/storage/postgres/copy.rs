//! A PostgreSQL as the source and as the target of a copy.

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::config::PostgresConfig;
use super::migration::{self, in_schema};
use super::pool::{Parameter, Session};
use super::{PostgresOpenError, failed, fault, from_integer, organization_of, random, to_integer};
use crate::capability::storage::{Entry, Key, OrganizationId, StorageError};
use crate::storage::copy::{EndError, Head, PAGE_BYTES, PAGE_ITEMS, Part, Sent, Source, Target, not_begun};

/// A database that is read in the snapshot of the moment when [`Source::send`] begins.
pub(crate) struct PostgresSource {
    config: PostgresConfig,
    session: Session,
}

impl PostgresSource {
    /// Connects to the database, which must already have the tables.
    ///
    /// # Errors
    /// The reason why there is no connection, or what is wrong with the database.
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
        // A repeatable-read transaction gives one snapshot, whatever others write meanwhile.
        client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(failed)?;
        let organizations = self.sql(
            "SELECT id, name, generation, deleted, version, least(wake_at, claimed_until) FROM SCHEMA.organization
            ORDER BY name = $1, name, generation",
        );
        let host = OrganizationId::host();
        let of_host: [Parameter<'_>; 1] = [(&host.as_str(), Type::TEXT)];
        for row in client.query_typed(&organizations, &of_host).await.map_err(failed)? {
            let id: i64 = row.try_get(0).map_err(failed)?;
            let organization = organization_of(&row, 1)?;
            if !part.has(&organization) {
                continue;
            }
            let head = Head {
                organization,
                deleted: row.try_get(3).map_err(failed)?,
                version: from_integer(row.try_get(4).map_err(failed)?),
                wake_at: row.try_get::<_, Option<i64>>(5).map_err(failed)?.map(from_integer),
            };
            if to.send(Sent::Organization(head)).await.is_err() {
                return Ok(());
            }
            let mut last = Key::new();
            loop {
                let page = page_after(&self.config, client, id, &last).await?;
                let Some(entry) = page.last() else { break };
                last.clone_from(&entry.key);
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

/// One page of items of the organization with this id, after a key; none only if there are no more.
async fn page_after(config: &PostgresConfig, client: &Client, id: i64, key: &[u8]) -> Result<Vec<Entry>, StorageError> {
    // A page ends before the item that would make it too large, unless that item is its first one.
    let sql = in_schema(
        config,
        "SELECT key, value, version FROM (
            SELECT *, sum(octet_length(key) + octet_length(value)) OVER (ORDER BY key) AS bytes,
                row_number() OVER (ORDER BY key) AS place
            FROM (
                SELECT key, value, version FROM SCHEMA.item WHERE organization = $1 AND key > $2
                ORDER BY key LIMIT $3
            ) next
        ) page WHERE bytes <= $4 OR place = 1 ORDER BY key",
    );
    let (limit, most) = (to_integer(PAGE_ITEMS as u64), to_integer(PAGE_BYTES as u64));
    let parameters: [Parameter<'_>; 4] =
        [(&id, Type::INT8), (&key, Type::BYTEA), (&limit, Type::INT8), (&most, Type::INT8)];
    let rows = client.query_typed(&sql, &parameters).await.map_err(failed)?;
    let mut page = Vec::with_capacity(rows.len());
    for row in &rows {
        page.push(Entry {
            key: row.try_get(0).map_err(failed)?,
            value: row.try_get(1).map_err(failed)?,
            version: from_integer(row.try_get(2).map_err(failed)?),
        });
    }
    Ok(page)
}

/// A database into which organizations are copied.
pub(crate) struct PostgresTarget {
    config: PostgresConfig,
    session: Session,
    /// Holds the advisory lock for copies inside a transaction. As long as the transaction lasts, even a pool does not
    /// give the session to others. For this reason no timeout may end it, see [`locks`]; and each commit checks that it
    /// still exists, see [`PostgresTarget::is_alone`].
    lock: Session,
    /// The organization that is being copied.
    current: Option<Current>,
}

/// The organization that is being copied, inside a transaction.
#[derive(Clone, Copy)]
struct Current {
    id: i64,
    /// Whether it is the host's own space, whose records are written in one transaction.
    is_host: bool,
}

impl PostgresTarget {
    /// Connects, and creates the tables if there are none.
    ///
    /// # Errors
    /// The reason why there is no connection, or what is wrong with the database.
    pub(crate) async fn open(config: PostgresConfig) -> Result<Self, PostgresOpenError> {
        migration::migrate(&config, true).await?;
        let (session, lock) = (session(&config).await?, session(&config).await?);
        // Two copies at the same time would each undo the other's work, and what servers have written after the first
        // one ended.
        match locks(&config, lock.client()).await {
            Ok(true) => Ok(Self { config, session, lock, current: None }),
            Ok(false) => Err(PostgresOpenError::Copying(config.to_string())),
            Err(error) => Err(PostgresOpenError::unreachable(&config, &error)),
        }
    }

    fn sql(&self, text: &str) -> String {
        in_schema(&self.config, text)
    }

    fn current(&self) -> Result<Current, StorageError> {
        self.current.ok_or_else(not_begun)
    }

    async fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<(), StorageError> {
        self.session.client().query_typed(&self.sql(sql), parameters).await.map(drop).map_err(failed)
    }

    async fn batch(&self, sql: &str) -> Result<(), StorageError> {
        self.session.client().batch_execute(sql).await.map_err(failed)
    }

    /// Checks that the lock is still held. Nothing else would show that the server, or a pool before it, has ended the
    /// session.
    async fn is_alone(&self) -> Result<(), StorageError> {
        self.lock.client().batch_execute("SELECT 1").await.map_err(|error| {
            StorageError::Unavailable(format!(
                "the connection that holds the lock of this copy was closed, so another copy may have begun: {}; give the command \
                 again, and it goes on with what has arrived",
                fault::text(&error)
            ))
        })
    }

    async fn find(&self, organization: &OrganizationId) -> Result<Option<i64>, StorageError> {
        let (name, generation) = (organization.as_str(), to_integer(organization.generation()));
        let named: [Parameter<'_>; 2] = [(&name, Type::TEXT), (&generation, Type::INT8)];
        let find = self.sql("SELECT id FROM SCHEMA.organization WHERE name = $1 AND generation = $2");
        let found = self.session.client().query_typed_opt(&find, &named).await.map_err(failed)?;
        found.map(|row| row.try_get(0)).transpose().map_err(failed)
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

    async fn organizations(&mut self) -> Result<Vec<OrganizationId>, StorageError> {
        let sql = self.sql("SELECT name, generation FROM SCHEMA.organization");
        let rows = self.session.client().query_typed(&sql, &[]).await.map_err(failed)?;
        rows.iter().map(|row| organization_of(row, 0)).collect()
    }

    async fn remove(&mut self, organization: &OrganizationId) -> Result<(), StorageError> {
        let Some(id) = self.find(organization).await? else { return Ok(()) };
        self.batch("BEGIN").await?;
        for sql in [
            "DELETE FROM SCHEMA.item WHERE organization = $1",
            "DELETE FROM SCHEMA.receipt WHERE organization = $1",
            "DELETE FROM SCHEMA.organization WHERE id = $1",
        ] {
            self.execute(sql, &[(&id, Type::INT8)]).await?;
        }
        self.is_alone().await?;
        self.batch("COMMIT").await
    }

    async fn begin(&mut self, head: &Head) -> Result<bool, StorageError> {
        self.is_alone().await?;
        let found = self.find(&head.organization).await?;
        self.batch("BEGIN").await?;
        let (name, generation) = (head.organization.as_str(), to_integer(head.organization.generation()));
        let (version, wake_at) = (to_integer(head.version), head.wake_at.map(to_integer));
        let id = match found {
            Some(id) => id,
            None => random().map_err(|error| StorageError::Other(error.to_string()))?,
        };
        let of_both: [Parameter<'_>; 4] =
            [(&id, Type::INT8), (&head.deleted, Type::BOOL), (&version, Type::INT8), (&wake_at, Type::INT8)];
        if found.is_some() {
            let update = "UPDATE SCHEMA.organization SET deleted = $2, version = greatest(version, $3), wake_at = $4,
                claim = NULL, claimed_until = NULL WHERE id = $1";
            self.execute(update, &of_both).await?;
        } else {
            let insert = "INSERT INTO SCHEMA.organization (id, deleted, version, wake_at, name, generation)
                VALUES ($1, $2, $3, $4, $5, $6)";
            let named: [Parameter<'_>; 2] = [(&name, Type::TEXT), (&generation, Type::INT8)];
            self.execute(insert, &[&of_both[..], &named[..]].concat()).await?;
        }
        self.current = Some(Current { id, is_host: head.organization.is_host() });
        Ok(found.is_some())
    }

    async fn after(&mut self, key: &[u8]) -> Result<Vec<Entry>, StorageError> {
        let id = self.current()?.id;
        page_after(&self.config, self.session.client(), id, key).await
    }

    async fn change(&mut self, put: Vec<Entry>, delete: Vec<Key>) -> Result<(), StorageError> {
        let Current { id, is_host } = self.current()?;
        if !delete.is_empty() {
            let gone: [Parameter<'_>; 2] = [(&id, Type::INT8), (&delete, Type::BYTEA_ARRAY)];
            self.execute("DELETE FROM SCHEMA.item WHERE organization = $1 AND key = ANY ($2)", &gone).await?;
        }
        let keys: Vec<&[u8]> = put.iter().map(|entry| entry.key.as_slice()).collect();
        let values: Vec<&[u8]> = put.iter().map(|entry| entry.value.as_slice()).collect();
        let versions: Vec<i64> = put.iter().map(|entry| to_integer(entry.version)).collect();
        let parameters: [Parameter<'_>; 4] = [
            (&id, Type::INT8),
            (&keys, Type::BYTEA_ARRAY),
            (&values, Type::BYTEA_ARRAY),
            (&versions, Type::INT8_ARRAY),
        ];
        let insert = "INSERT INTO SCHEMA.item (organization, key, value, version)
            SELECT $1, i.key, i.value, i.version FROM unnest($2, $3, $4) AS i (key, value, version)
            ON CONFLICT (organization, key) DO UPDATE SET value = excluded.value, version = excluded.version";
        if !put.is_empty() {
            self.execute(insert, &parameters).await?;
        }
        if !is_host {
            self.is_alone().await?;
            self.batch("COMMIT; BEGIN").await?;
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<(), EndError> {
        self.current.take().ok_or_else(not_begun).map_err(EndError::NotDone)?;
        self.is_alone().await.map_err(EndError::NotDone)?;
        let client = self.session.client();
        if client.is_closed() {
            let text = "the connection was closed before the last commit".into();
            return Err(EndError::NotDone(StorageError::Unavailable(text)));
        }
        client.batch_execute("COMMIT").await.map_err(|error| match fault::is_refusal(&error) {
            true => EndError::NotDone(failed(error)),
            false => EndError::Unknown(failed(error)),
        })
    }

    async fn source(&mut self) -> Result<Box<dyn Source>, StorageError> {
        let session = Session::open(&self.config).await.map_err(failed)?;
        Ok(Box::new(PostgresSource { config: self.config.clone(), session }))
    }
}

/// Takes the advisory lock for copies into the schema, until the session ends; `false` if another session has it. Its
/// transaction may last as long as the copy, whatever timeouts the database usually sets.
async fn locks(config: &PostgresConfig, client: &Client) -> Result<bool, tokio_postgres::Error> {
    // Some server versions do not have all of these settings.
    let lasts = "BEGIN; SELECT set_config(name, '0', true) FROM pg_catalog.pg_settings
        WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')";
    client.batch_execute(lasts).await?;
    let lock = in_schema(config, "SELECT pg_try_advisory_xact_lock(hashtextextended('insomnia-scim copy SCHEMA', 0))");
    client.query_typed_one(&lock, &[]).await?.try_get(0)
}

async fn session(config: &PostgresConfig) -> Result<Session, PostgresOpenError> {
    Session::open(config).await.map_err(|error| PostgresOpenError::unreachable(config, &error))
}
