//! A SQLite database as the source and as the target of a copy.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tokio::sync::mpsc;
use tokio::task::{block_in_place, spawn_blocking};

use super::change::{OpenRows, Puts};
use super::open;
use super::place;
use super::rows::{Rows, Which};
use super::{Checkpoints, OpenError, from_integer, to_integer};
use crate::capability::storage::{Entry, Key, OrganizationId, StorageError, key_after};
use crate::storage::copy::{EndError, Head, PAGE_BYTES, PAGE_ITEMS, Part, Sent, Source, Target, not_begun};
use crate::storage::database::stored_organization;

/// A database that is read in the snapshot of the moment when [`Source::send`] began.
pub(crate) struct SqliteSource(Connection);

impl SqliteSource {
    /// Opens the database, which must exist and have the tables of this release. They are not migrated, since a server
    /// of an earlier release may use them. Blocks.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub(crate) fn open(path: &Path, checkpoints: Checkpoints) -> Result<Self, OpenError> {
        open::current_reader(path, checkpoints).map(Self)
    }

    fn send_all(&self, part: Part, to: &mpsc::Sender<Sent>) -> Result<(), StorageError> {
        // One transaction gives one snapshot, whatever others write meanwhile.
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
        for (id, name, generation, deleted, wake_at) in organizations {
            let organization = stored_organization(&name, generation)?;
            if !part.has(&organization) {
                continue;
            }
            let wake_at = wake_at.map(from_integer);
            let head = Head { organization, deleted, version: from_integer(version), wake_at };
            if to.blocking_send(Sent::Organization(head)).is_err() {
                return Ok(());
            }
            let mut last = Key::new();
            loop {
                let page = page_after(&self.0, id, &last)?;
                let Some(entry) = page.last() else { break };
                last.clone_from(&entry.key);
                if to.blocking_send(Sent::Items(page)).is_err() {
                    return Ok(());
                }
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

/// One page of items of the organization with this number, after a key; none only if there are no more.
fn page_after(connection: &Connection, id: i64, key: &[u8]) -> Result<Vec<Entry>, StorageError> {
    let mut range = place::everything();
    if !key.is_empty() {
        range.start = key_after(key.to_vec());
    }
    let (mut page, mut bytes) = (Vec::new(), 0);
    let rows = Rows::new(connection, id)?;
    for segment in place::segments(&range) {
        let read = rows.read(&segment, Which::ALL, |found| {
            bytes += found.bytes();
            let (key, value, version) = (found.whole_key(), found.value.to_vec(), found.version);
            page.push(Entry { key, value, version });
            if page.len() < PAGE_ITEMS && bytes < PAGE_BYTES {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        if read.is_break() {
            break;
        }
    }
    Ok(page)
}

/// A database into which organizations are copied.
pub(crate) struct SqliteTarget {
    path: PathBuf,
    checkpoints: Checkpoints,
    connection: Connection,
    /// The organization that is being copied.
    current: Option<Current>,
}

/// The organization that is being copied, inside a transaction.
#[derive(Clone, Copy)]
struct Current {
    /// Its number.
    id: i64,
    /// Whether it is the host's own space, whose records are written in one transaction.
    is_host: bool,
}

impl SqliteTarget {
    /// Opens the database, and creates it if there is none. Blocks.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub(crate) fn open(path: &Path, checkpoints: Checkpoints) -> Result<Self, OpenError> {
        let connection = open::writer(path, checkpoints)?;
        Ok(Self { path: path.to_owned(), checkpoints, connection, current: None })
    }

    fn current(&self) -> Result<Current, StorageError> {
        self.current.ok_or_else(not_begun)
    }

    fn find(&self, organization: &OrganizationId) -> Result<Option<i64>, StorageError> {
        let find = "SELECT id FROM organization WHERE name = ?1 AND generation = ?2";
        let named = params![organization.as_str(), to_integer(organization.generation())];
        Ok(self.connection.query_row(find, named, |row| row.get(0)).optional()?)
    }

    fn all(&self) -> Result<Vec<OrganizationId>, StorageError> {
        let mut statement = self.connection.prepare("SELECT name, generation FROM organization")?;
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            all.push(stored_organization(&name, row.get(1)?)?);
        }
        Ok(all)
    }

    fn remove_one(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        let Some(id) = self.find(organization)? else { return Ok(()) };
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        self.forget_batches(id)?;
        for table in ["alone", "grouped", "schedule"] {
            self.connection.execute(&format!("DELETE FROM {table} WHERE organization = ?1"), [id])?;
        }
        self.connection.execute("DELETE FROM organization WHERE id = ?1", [id])?;
        Ok(self.connection.execute_batch("COMMIT")?)
    }

    /// Deletes the records of unfinished large transactions. The data that they have written is compared like all other
    /// data.
    fn forget_batches(&self, id: i64) -> Result<(), StorageError> {
        let staged = "DELETE FROM staged WHERE batch IN (SELECT id FROM batch WHERE organization = ?1)";
        self.connection.execute(staged, [id])?;
        self.connection.execute("DELETE FROM batch WHERE organization = ?1", [id])?;
        Ok(())
    }

    fn begin_one(&mut self, head: &Head) -> Result<bool, StorageError> {
        let found = self.find(&head.organization)?;
        let connection = &self.connection;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        connection.execute("UPDATE sequence SET last = max(last, ?1)", [to_integer(head.version)])?;
        let id = match found {
            Some(id) => {
                self.forget_batches(id)?;
                connection.execute("UPDATE organization SET deleted = ?2 WHERE id = ?1", params![id, head.deleted])?;
                connection.execute("DELETE FROM schedule WHERE organization = ?1", [id])?;
                id
            }
            None => {
                let (name, generation) = (head.organization.as_str(), to_integer(head.organization.generation()));
                let insert = "INSERT INTO organization (name, generation, deleted) VALUES (?1, ?2, ?3)";
                connection.execute(insert, params![name, generation, head.deleted])?;
                connection.last_insert_rowid()
            }
        };
        if let Some(wake_at) = head.wake_at {
            let insert = "INSERT INTO schedule (organization, wake_at) VALUES (?1, ?2)";
            connection.execute(insert, [id, to_integer(wake_at)])?;
        }
        self.current = Some(Current { id, is_host: head.organization.is_host() });
        Ok(found.is_some())
    }

    fn change_some(&self, put: &[Entry], delete: &[Key]) -> Result<(), StorageError> {
        let Current { id, is_host } = self.current()?;
        let change = OpenRows { connection: &self.connection, organization: id };
        for key in delete {
            change.delete_key(key)?;
        }
        let mut puts = Puts::new(&self.connection)?;
        for Entry { key, value, version } in put {
            puts.put(id, key, value, to_integer(*version))?;
        }
        drop(puts);
        if !is_host {
            self.connection.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
        }
        Ok(())
    }
}

#[async_trait]
impl Target for SqliteTarget {
    async fn serves(&mut self) -> Result<bool, StorageError> {
        // Records of the host, by which a server finds organizations. A copy writes them last, in one transaction.
        let sql = "SELECT EXISTS (SELECT 1 FROM organization WHERE name = ?1)";
        Ok(self.connection.query_row(sql, [OrganizationId::host().as_str()], |row| row.get(0))?)
    }

    async fn organizations(&mut self) -> Result<Vec<OrganizationId>, StorageError> {
        block_in_place(|| self.all())
    }

    async fn remove(&mut self, organization: &OrganizationId) -> Result<(), StorageError> {
        block_in_place(|| self.remove_one(organization))
    }

    async fn begin(&mut self, head: &Head) -> Result<bool, StorageError> {
        block_in_place(|| self.begin_one(head))
    }

    async fn after(&mut self, key: &[u8]) -> Result<Vec<Entry>, StorageError> {
        let id = self.current()?.id;
        block_in_place(|| page_after(&self.connection, id, key))
    }

    async fn change(&mut self, put: Vec<Entry>, delete: Vec<Key>) -> Result<(), StorageError> {
        block_in_place(|| self.change_some(&put, &delete))
    }

    async fn end(&mut self) -> Result<(), EndError> {
        self.current.take().ok_or_else(not_begun).map_err(EndError::NotDone)?;
        block_in_place(|| self.connection.execute_batch("COMMIT")).map_err(|error| {
            // A transaction that goes on was not committed. Whether one that is over took effect, the file alone knows.
            let goes_on = !self.connection.is_autocommit();
            if goes_on { EndError::NotDone(error.into()) } else { EndError::Unknown(error.into()) }
        })
    }

    async fn source(&mut self) -> Result<Box<dyn Source>, StorageError> {
        let source = block_in_place(|| open::reader(&self.path, self.checkpoints));
        let source = source.map_err(|error| StorageError::Unavailable(error.to_string()))?;
        Ok(Box::new(SqliteSource(source)))
    }
}

fn is_host(name: &str) -> bool {
    name == OrganizationId::host().as_str()
}
