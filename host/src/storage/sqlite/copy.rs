//! A SQLite database as a source of a copy, and as its target.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tokio::sync::mpsc;
use tokio::task::{block_in_place, spawn_blocking};

use super::change::Puts;
use super::open::{self, OpenError};
use super::place;
use super::rows::{Rows, Which};
use super::{from_integer, to_integer};
use crate::capability::storage::{Entry, OrganizationId, StorageError};
use crate::storage::copy::{Head, PAGE_BYTES, PAGE_ITEMS, Part, Sent, Source, Target, not_begun};

/// A database that is read as it was when [`Source::send`] began.
pub(crate) struct SqliteSource(Connection);

impl SqliteSource {
    /// Opens the database, which must be there and have the tables of this release: they are not brought up to date, since a
    /// server of an earlier release may use them. Blocks.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        open::current_reader(path).map(Self)
    }

    fn send_all(&self, part: Part, to: &mpsc::Sender<Sent>) -> Result<(), StorageError> {
        // One transaction, and so one moment, whatever is written meanwhile.
        self.0.execute_batch("BEGIN")?;
        let version: i64 = self.0.query_row("SELECT last FROM sequence", [], |row| row.get(0))?;
        let sql = "SELECT o.id, o.name, o.generation, o.deleted, s.wake_at, s.claimed_until
            FROM organization o LEFT JOIN schedule s ON s.organization = o.id";
        let read = |row: &Row<'_>| {
            let (name, generation, deleted): (String, i64, bool) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let (wake_at, claimed_until): (Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?);
            Ok((row.get::<_, i64>(0)?, name, generation, deleted, wake_at.into_iter().chain(claimed_until).min()))
        };
        let mut organizations = self.0.prepare(sql)?.query_map([], read)?.collect::<Result<Vec<_>, _>>()?;
        organizations
            .sort_by(|one, other| (is_host(&one.1), &one.1, one.2).cmp(&(is_host(&other.1), &other.1, other.2)));
        let everything = place::everything();
        for (id, name, generation, deleted, wake_at) in organizations {
            let organization = organization(&name, generation)?;
            if !part.has(&organization) {
                continue;
            }
            let wake_at = wake_at.map(from_integer);
            let head = Head { organization, deleted, version: from_integer(version), wake_at };
            if to.blocking_send(Sent::Organization(head)).is_err() {
                return Ok(());
            }
            let (mut page, mut bytes) = (Vec::new(), 0);
            let rows = Rows::new(&self.0, id)?;
            for segment in place::segments(&everything) {
                let read = rows.read(&segment, Which::ALL, |found| {
                    bytes += found.bytes();
                    let (key, value, version) = (found.whole_key(), found.value.to_vec(), found.version);
                    page.push(Entry { key, value, version });
                    if page.len() < PAGE_ITEMS && bytes < PAGE_BYTES {
                        return ControlFlow::Continue(());
                    }
                    bytes = 0;
                    match to.blocking_send(Sent::Items(std::mem::take(&mut page))) {
                        Ok(()) => ControlFlow::Continue(()),
                        Err(_) => ControlFlow::Break(()),
                    }
                })?;
                if read.is_break() {
                    return Ok(());
                }
            }
            if !page.is_empty() && to.blocking_send(Sent::Items(page)).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Source for SqliteSource {
    async fn send(self: Box<Self>, part: Part, to: mpsc::Sender<Sent>) -> Result<(), StorageError> {
        let sent = spawn_blocking(move || self.send_all(part, &to)).await;
        sent.unwrap_or_else(|error| Err(StorageError::Other(error.to_string())))
    }
}

/// A database that takes organizations.
pub(crate) struct SqliteTarget {
    path: PathBuf,
    connection: Connection,
    /// The organization that was begun.
    current: Option<i64>,
}

impl SqliteTarget {
    /// Opens the database, and creates it if there is none. Blocks.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self { path: path.to_owned(), connection: open::writer(path)?, current: None })
    }

    fn begin_one(&mut self, head: &Head) -> Result<(), StorageError> {
        let Self { connection, current, .. } = self;
        let (name, generation) = (head.organization.as_str(), to_integer(head.organization.generation()));
        let find = "SELECT id FROM organization WHERE name = ?1 AND generation = ?2";
        let found: Option<i64> = connection.query_row(find, params![name, generation], |row| row.get(0)).optional()?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        connection.execute("UPDATE sequence SET last = max(last, ?1)", [to_integer(head.version)])?;
        if let Some(id) = found {
            for table in ["alone", "grouped", "schedule"] {
                connection.execute(&format!("DELETE FROM {table} WHERE organization = ?1"), [id])?;
            }
            let staged = "DELETE FROM staged WHERE batch IN (SELECT id FROM batch WHERE organization = ?1)";
            connection.execute(staged, [id])?;
            connection.execute("DELETE FROM batch WHERE organization = ?1", [id])?;
            connection.execute("DELETE FROM organization WHERE id = ?1", [id])?;
        }
        let insert = "INSERT INTO organization (name, generation, deleted) VALUES (?1, ?2, ?3)";
        connection.execute(insert, params![name, generation, head.deleted])?;
        let id = connection.last_insert_rowid();
        if let Some(wake_at) = head.wake_at {
            let insert = "INSERT INTO schedule (organization, wake_at) VALUES (?1, ?2)";
            connection.execute(insert, [id, to_integer(wake_at)])?;
        }
        *current = Some(id);
        Ok(())
    }

    fn put_some(&mut self, items: &[Entry]) -> Result<(), StorageError> {
        let Some(id) = self.current else { return Err(not_begun()) };
        let mut puts = Puts::new(&self.connection)?;
        for Entry { key, value, version } in items {
            puts.put(id, key, value, to_integer(*version))?;
        }
        Ok(())
    }
}

#[async_trait]
impl Target for SqliteTarget {
    async fn serves(&mut self) -> Result<bool, StorageError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM organization WHERE name = ?1)";
        Ok(self.connection.query_row(sql, [OrganizationId::host().as_str()], |row| row.get(0))?)
    }

    async fn begin(&mut self, head: &Head) -> Result<(), StorageError> {
        block_in_place(|| self.begin_one(head))
    }

    async fn put(&mut self, items: Vec<Entry>) -> Result<(), StorageError> {
        block_in_place(|| self.put_some(&items))
    }

    async fn end(&mut self) -> Result<(), StorageError> {
        self.current.take().ok_or_else(not_begun)?;
        Ok(block_in_place(|| self.connection.execute_batch("COMMIT"))?)
    }

    async fn source(&mut self) -> Result<Box<dyn Source>, StorageError> {
        let source = block_in_place(|| open::reader(&self.path));
        let source = source.map_err(|error| StorageError::Unavailable(error.to_string()))?;
        Ok(Box::new(SqliteSource(source)))
    }
}

fn organization(name: &str, generation: i64) -> Result<OrganizationId, StorageError> {
    let organization = OrganizationId::from_stored(name).map_err(|error| StorageError::Other(error.to_string()))?;
    Ok(organization.with_generation(from_integer(generation)))
}

fn is_host(name: &str) -> bool {
    name == OrganizationId::host().as_str()
}
