//! Storage in a PostgreSQL, which any number of hosts may share.
//!
//! A call is one statement: one round trip and one transaction of the database. Only the database coordinates the
//! hosts, and this process caches nothing that another host could make wrong:
//!
//! - **Order.** A commit first changes its organization's row, and so holds the row's lock until it is durable. The
//!   next commit of the organization, from whichever host, waits for the lock and sees the result. So requirements,
//!   counters and versions are exact, there are no deadlocks, and organizations never wait for each other.
//! - **Once.** When a connection breaks during a commit, the host can't know whether it took place. So each group of
//!   commits has a number, and stores it with its answer in the same transaction (table `receipt`). The group is sent
//!   again under this number until there is an answer: if the first try was committed, the database returns the stored
//!   answer.
//! - **Bounds.** The waits for a connection, for a lock and for an answer each end after some seconds with
//!   [`StorageError::Unavailable`], which callers see as 503 with `Retry-After`. If it is still unknown whether a
//!   commit took place, it can't take place after this organization's next commit from this host.

mod change;
mod config;
#[cfg(feature = "cli")]
mod copy;
mod direct;
#[cfg(feature = "cli")]
mod examine;
mod fault;
mod gets;
mod ids;
mod migration;
mod pool;
mod tls;
mod together;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

pub use config::{PostgresConfig, PostgresConfigError};
#[cfg(feature = "cli")]
pub(crate) use copy::{PostgresSource, PostgresTarget};
#[cfg(feature = "cli")]
pub(crate) use examine::{Answered, ask};
pub use migration::PostgresOpenError;
pub use tls::TlsError as PostgresTlsError;

use self::change::NetChange;
use self::fault::Fault;
use self::gets::Gets;
use self::ids::Ids;
use self::pool::{Parameter, Pool};
use self::writer::Writer;
use super::bounds;
use super::database::{from_integer, stored_organization, to_integer};
use crate::capability::clock::TOLERANCE;
use crate::capability::schedule::{CLAIM, Claim, LONGEST_PAUSE, plausible};
use crate::capability::storage::{Entry, Item, Key, OrganizationId, Page, Scanned, Storage, StorageError, Transaction};

/// No time beyond the configured limit, for quick calls.
const QUICK: Duration = Duration::ZERO;
/// The time beyond the configured limit for calls that read many rows.
const LONG: Duration = Duration::from_secs(20);
/// How many rows one statement deletes when an organization is deleted, so that others do not wait long for it.
const DELETED_AT_ONCE: i64 = 5_000;

/// A storage that keeps all organizations in one schema of a PostgreSQL database.
pub struct PostgresStorage {
    pool: Pool,
    ids: Arc<Ids>,
    gets: Gets,
    writer: Writer,
    statements: Statements,
}

/// The SQL statements, with the name of the schema.
struct Statements {
    get: String,
    scan: String,
    due: String,
    next_due: String,
    claim: String,
    renew: String,
    release: String,
    delete: String,
    is_deleted: String,
    #[cfg(feature = "cli")]
    others: String,
}

impl PostgresStorage {
    /// Connects, and creates or updates the tables and functions.
    ///
    /// # Errors
    /// The reason why there is no connection, or what is wrong with the database.
    pub async fn open(config: PostgresConfig) -> Result<Self, PostgresOpenError> {
        migration::migrate(&config, true).await?;
        Self::start(config).await
    }

    /// Like [`PostgresStorage::open`], but creates no tables if there are none.
    ///
    /// # Errors
    /// Those of `open`, and [`PostgresOpenError::Empty`].
    pub async fn open_existing(config: PostgresConfig) -> Result<Self, PostgresOpenError> {
        migration::migrate(&config, false).await?;
        Self::start(config).await
    }

    /// Whether there are organizations, apart from the host's own records.
    ///
    /// # Errors
    /// If the database can't answer.
    #[cfg(feature = "cli")]
    pub(crate) async fn holds_organizations(&self) -> Result<bool, StorageError> {
        let host = OrganizationId::host();
        let parameters: [Parameter<'_>; 1] = [(&host.as_str(), Type::TEXT)];
        let rows = self.pool.call(&host, &self.statements.others, &parameters, QUICK).await?;
        Ok(!rows.is_empty())
    }

    async fn start(config: PostgresConfig) -> Result<Self, PostgresOpenError> {
        let host = random().map_err(|_| PostgresOpenError::Random)?;
        let statements = Statements::new(&config);
        let frequent = vec![statements.get.clone(), statements.scan.clone(), writer::together(&config)];
        let (pool, ids) = (Pool::new(config.clone(), frequent), Arc::new(Ids::new(&config)));
        // A host that ended long ago does not ask for its receipts again, so they can be deleted.
        let sql = "DELETE FROM SCHEMA.receipt WHERE at < now() - interval '1 day'";
        let swept = pool.call(&OrganizationId::host(), &migration::in_schema(&config, sql), &[], LONG).await;
        if let Err(error) = swept {
            tracing::warn!("old receipts of commits can't be removed: {error}");
        }
        let writer = Writer::new(&config, pool.clone(), Arc::clone(&ids), host);
        let gets = Gets::new({
            let (pool, ids, sql) = (pool.clone(), Arc::clone(&ids), Arc::<str>::from(statements.get.as_str()));
            move |of, keys| {
                let (pool, ids, sql) = (pool.clone(), Arc::clone(&ids), Arc::clone(&sql));
                async move { get(&pool, &ids, &sql, &of, &keys).await }
            }
        });
        Ok(Self { pool, ids, gets, writer, statements })
    }

    /// Runs a statement with the organization's id as its first parameter; `None` if it has none yet.
    async fn call(
        &self,
        of: &OrganizationId,
        sql: &str,
        parameters: &[Parameter<'_>],
        more: Duration,
    ) -> Result<Option<Vec<Row>>, StorageError> {
        let Some(id) = self.ids.find(&self.pool, of).await? else { return Ok(None) };
        let mut all: Vec<Parameter<'_>> = vec![(&id, Type::INT8)];
        all.extend_from_slice(parameters);
        self.pool.call(of, sql, &all, more).await.map(Some)
    }

    /// Like [`PostgresStorage::call`]; returns whether there is a row, and its first value.
    async fn value<T: for<'r> FromSql<'r>>(
        &self,
        of: &OrganizationId,
        sql: &str,
        parameters: &[Parameter<'_>],
        more: Duration,
    ) -> Result<Option<T>, StorageError> {
        let rows = self.call(of, sql, parameters, more).await?.unwrap_or_default();
        rows.first().map(|row| row.try_get(0)).transpose().map_err(failed)
    }
}

#[async_trait]
impl Storage for PostgresStorage {
    async fn get(&self, organization: &OrganizationId, keys: Vec<Key>) -> Result<Vec<Option<Item>>, StorageError> {
        bounds::check_get(&keys)?;
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.gets.get(organization, keys).await
    }

    async fn scan(&self, organization: &OrganizationId, pages: Vec<Page>) -> Result<Vec<Scanned>, StorageError> {
        bounds::check_scan(&pages)?;
        let mut scanned = vec![Scanned::default(); pages.len()];
        if pages.iter().all(|page| page.range.is_empty()) {
            return Ok(scanned);
        }
        let starts: Vec<&[u8]> = pages.iter().map(|page| page.range.start.as_slice()).collect();
        let ends: Vec<&[u8]> = pages.iter().map(|page| page.range.end.as_slice()).collect();
        let reverse: Vec<bool> = pages.iter().map(|page| page.reverse).collect();
        let skip: Vec<i64> = pages.iter().map(|page| page.skip.into()).collect();
        let most = bounds::MAX_PAGE_ENTRIES as i64;
        let limit: Vec<i64> = pages.iter().map(|page| i64::from(page.limit).min(most)).collect();
        let of_page = to_integer(bounds::MAX_PAGE_BYTES as u64);
        let of_all = to_integer(bounds::MAX_SCAN_BYTES as u64);
        let parameters: [Parameter<'_>; 7] = [
            (&starts, Type::BYTEA_ARRAY),
            (&ends, Type::BYTEA_ARRAY),
            (&reverse, Type::BOOL_ARRAY),
            (&skip, Type::INT8_ARRAY),
            (&limit, Type::INT8_ARRAY),
            (&of_page, Type::INT8),
            (&of_all, Type::INT8),
        ];
        let rows = self.call(organization, &self.statements.scan, &parameters, LONG).await?.unwrap_or_default();
        for row in rows {
            let page: i32 = row.try_get(0).map_err(failed)?;
            let page = usize::try_from(page).unwrap_or(0).checked_sub(1).and_then(|page| scanned.get_mut(page));
            let Some(page) = page else { continue };
            match row.try_get::<_, Option<Key>>(1).map_err(failed)? {
                None => page.more = true,
                Some(key) => page.entries.push(Entry {
                    key,
                    value: row.try_get(2).map_err(failed)?,
                    version: from_integer(row.try_get(3).map_err(failed)?),
                }),
            }
        }
        Ok(scanned)
    }

    async fn commit(&self, organization: &OrganizationId, transaction: Transaction) -> Result<u64, StorageError> {
        bounds::check_transaction(&transaction)?;
        self.writer.commit(organization, NetChange::of(transaction)).await
    }

    async fn append(&self, organization: &OrganizationId, entries: Vec<(Key, Vec<u8>)>) -> Result<(), StorageError> {
        let bytes = bounds::check_append(&entries)?;
        self.writer.append(organization, NetChange::append(entries), bytes)
    }

    async fn due(&self, now: u64, limit: usize) -> Result<Vec<OrganizationId>, StorageError> {
        let most = to_integer(limit as u64);
        let (past, latest, claimed) = (to_integer(now), latest(now, LONGEST_PAUSE), latest(now, CLAIM));
        let parameters: [Parameter<'_>; 4] =
            [(&past, Type::INT8), (&latest, Type::INT8), (&claimed, Type::INT8), (&most, Type::INT8)];
        let rows = self.pool.call(&OrganizationId::host(), &self.statements.due, &parameters, QUICK).await?;
        let mut due = Vec::with_capacity(rows.len());
        for row in rows {
            // A time that is too far ahead to be right counts as due now.
            let time = row.try_get::<_, i64>(2).map_err(failed)?.min(past);
            due.push((time, organization_of(&row, 0)?));
        }
        due.sort();
        due.truncate(limit);
        Ok(due.into_iter().map(|(_, organization)| organization).collect())
    }

    async fn next_due(&self, now: u64) -> Result<Option<u64>, StorageError> {
        let rows = self.pool.call(&OrganizationId::host(), &self.statements.next_due, &[], QUICK).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let mut next = None::<u64>;
        for (column, longest) in [(0, LONGEST_PAUSE), (1, LONGEST_PAUSE), (2, CLAIM), (3, CLAIM)] {
            let time: Option<i64> = row.try_get(column).map_err(failed)?;
            let time = time.map(|time| plausible(from_integer(time), now, longest));
            next = next.into_iter().chain(time).min();
        }
        Ok(next)
    }

    async fn claim(&self, organization: &OrganizationId, now: u64) -> Result<Option<Claim>, StorageError> {
        let until = now.saturating_add(CLAIM);
        let (past, end) = (to_integer(now), to_integer(until));
        let (latest, claimed) = (latest(now, LONGEST_PAUSE), latest(now, CLAIM));
        let parameters: [Parameter<'_>; 4] =
            [(&past, Type::INT8), (&latest, Type::INT8), (&claimed, Type::INT8), (&end, Type::INT8)];
        let number: Option<i64> = self.value(organization, &self.statements.claim, &parameters, QUICK).await?;
        Ok(number.map(|number| Claim { number: from_integer(number), until }))
    }

    async fn renew(&self, organization: &OrganizationId, number: u64, now: u64) -> Result<Option<Claim>, StorageError> {
        let until = now.saturating_add(CLAIM);
        let (claim, end) = (to_integer(number), to_integer(until));
        let parameters: [Parameter<'_>; 2] = [(&claim, Type::INT8), (&end, Type::INT8)];
        let renewed: Option<i64> = self.value(organization, &self.statements.renew, &parameters, QUICK).await?;
        Ok(renewed.map(|_| Claim { number, until }))
    }

    async fn release(
        &self,
        organization: &OrganizationId,
        number: u64,
        next: Option<u64>,
    ) -> Result<bool, StorageError> {
        let (claim, next) = (to_integer(number), next.map(to_integer));
        let parameters: [Parameter<'_>; 2] = [(&claim, Type::INT8), (&next, Type::INT8)];
        let was_current = self.value(organization, &self.statements.release, &parameters, QUICK).await?;
        Ok(was_current.unwrap_or(false))
    }

    async fn delete_organization(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        // An organization that never wrote gets a row too, which marks it as deleted for good.
        self.ids.find_or_make(&self.pool, organization).await?;
        let parameters: [Parameter<'_>; 1] = [(&DELETED_AT_ONCE, Type::INT8)];
        while self.value::<i64>(organization, &self.statements.delete, &parameters, LONG).await?.unwrap_or(0) > 0 {}
        Ok(())
    }

    async fn is_deleted(&self, organization: &OrganizationId) -> Result<bool, StorageError> {
        Ok(self.value(organization, &self.statements.is_deleted, &[], QUICK).await?.unwrap_or(false))
    }

    async fn flush(&self) -> Result<(), StorageError> {
        self.writer.flush().await
    }
}

impl fmt::Debug for PostgresStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStorage").field("pool", &self.pool).finish_non_exhaustive()
    }
}

impl Statements {
    fn new(config: &PostgresConfig) -> Self {
        let sql = |text| migration::in_schema(config, text);
        Self {
            #[cfg(feature = "cli")]
            others: sql("SELECT FROM SCHEMA.organization WHERE name <> $1 LIMIT 1"),
            get: sql("SELECT SCHEMA.get_items($1, $2, $3)"),
            scan: sql("SELECT page, key, value, version FROM SCHEMA.scan($1, $2, $3, $4, $5, $6, $7, $8)"),
            due: sql("
                (SELECT name, generation, wake_at FROM SCHEMA.organization
                    WHERE claim IS NULL AND wake_at <= $1 ORDER BY wake_at LIMIT $4)
                UNION ALL (SELECT name, generation, wake_at FROM SCHEMA.organization
                    WHERE claim IS NULL AND wake_at > $2 ORDER BY wake_at LIMIT $4)
                UNION ALL (SELECT name, generation, claimed_until FROM SCHEMA.organization
                    WHERE claim IS NOT NULL AND claimed_until <= $1 ORDER BY claimed_until LIMIT $4)
                UNION ALL (SELECT name, generation, claimed_until FROM SCHEMA.organization
                    WHERE claim IS NOT NULL AND claimed_until > $3 ORDER BY claimed_until LIMIT $4)"),
            next_due: sql("SELECT
                (SELECT min(wake_at) FROM SCHEMA.organization WHERE claim IS NULL AND wake_at IS NOT NULL),
                (SELECT max(wake_at) FROM SCHEMA.organization WHERE claim IS NULL AND wake_at IS NOT NULL),
                (SELECT min(claimed_until) FROM SCHEMA.organization WHERE claim IS NOT NULL),
                (SELECT max(claimed_until) FROM SCHEMA.organization WHERE claim IS NOT NULL)"),
            // `Schedule::claim`: $2 is the current time; a time after $3, and a claim after $4, is too far ahead to be
            // right.
            claim: sql("UPDATE SCHEMA.organization SET version = version + 1, claim = version + 1, claimed_until = $5,
                    wake_at = CASE WHEN wake_at > $2 AND wake_at <= $3 THEN wake_at END
                WHERE id = $1 AND NOT deleted AND CASE
                    WHEN claim IS NOT NULL THEN claimed_until <= $2 OR claimed_until > $4
                    ELSE wake_at <= $2 OR wake_at > $3 END
                RETURNING claim"),
            renew: sql("UPDATE SCHEMA.organization SET claimed_until = $3
                WHERE id = $1 AND NOT deleted AND claim = $2 RETURNING claim"),
            release: sql("WITH before AS (
                    SELECT id, coalesce(claim = $2, false) AS is_current FROM SCHEMA.organization
                    WHERE id = $1 AND NOT deleted FOR NO KEY UPDATE)
                UPDATE SCHEMA.organization o SET wake_at = least(o.wake_at, $3),
                    claim = CASE WHEN before.is_current THEN NULL ELSE o.claim END,
                    claimed_until = CASE WHEN before.is_current THEN NULL ELSE o.claimed_until END
                FROM before WHERE o.id = before.id RETURNING before.is_current"),
            delete: sql("SELECT SCHEMA.delete_items($1, $2)"),
            is_deleted: sql("SELECT deleted FROM SCHEMA.organization WHERE id = $1"),
        }
    }
}

/// Reads the items at the keys with one statement.
async fn get(
    pool: &Pool,
    ids: &Ids,
    sql: &str,
    of: &OrganizationId,
    keys: &[Key],
) -> Result<Vec<Option<Item>>, StorageError> {
    let mut items = vec![None; keys.len()];
    let Some(id) = ids.find(pool, of).await? else { return Ok(items) };
    let most = to_integer(bounds::MAX_GET_BYTES as u64);
    let parameters: [Parameter<'_>; 3] = [(&id, Type::INT8), (&keys, Type::BYTEA_ARRAY), (&most, Type::INT8)];
    let rows = pool.call(of, sql, &parameters, QUICK).await?;
    let Some(row) = rows.first() else { return Ok(items) };
    let found: Option<Vec<Option<&[u8]>>> = row.try_get(0).map_err(failed)?;
    for packed in found.ok_or(StorageError::TooLarge)?.into_iter().flatten() {
        let (place, item) = unpacked(packed).ok_or_else(|| StorageError::Other("an item has no place".into()))?;
        if let Some(found) = items.get_mut(place) {
            *found = Some(item);
        }
    }
    Ok(items)
}

/// The latest plausible time at `now` for something that lasts at most `longest`; milliseconds since the Unix epoch.
fn latest(now: u64, longest: u64) -> i64 {
    to_integer(now.saturating_add(longest).saturating_add(TOLERANCE))
}

/// Unpacks an item and the index of its key, counted from 0. The database sends the index from 1 and the version, in
/// eight bytes each, and the value.
fn unpacked(packed: &[u8]) -> Option<(usize, Item)> {
    let (place, rest) = packed.split_first_chunk()?;
    let (version, value) = rest.split_first_chunk()?;
    let place = usize::try_from(i64::from_be_bytes(*place)).ok()?.checked_sub(1)?;
    Some((place, Item { value: value.to_vec(), version: from_integer(i64::from_be_bytes(*version)) }))
}

/// The organization whose name and generation are in this column and the next.
fn organization_of(row: &Row, column: usize) -> Result<OrganizationId, StorageError> {
    stored_organization(row.try_get(column).map_err(failed)?, row.try_get(column + 1).map_err(failed)?)
}

/// A random positive number that no other host has.
fn random() -> Result<i64, getrandom::Error> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok((i64::from_le_bytes(bytes) & i64::MAX).max(1))
}

/// The error for an unexpected answer of the database, or for a database that is away.
fn failed(error: tokio_postgres::Error) -> StorageError {
    Fault::of(&error).error
}
