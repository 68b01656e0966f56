//! The backend's own tables. They are not the provisioner's: a backend that exists has such tables already.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

/// How long a session lasts, in seconds.
pub(crate) const SESSION: u64 = 12 * 60 * 60;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS accounts (
        organization TEXT NOT NULL, id TEXT NOT NULL, email TEXT, name TEXT, role TEXT, active INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (organization, id)) STRICT;
    CREATE TABLE IF NOT EXISTS teams (
        organization TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (organization, id)) STRICT;
    CREATE TABLE IF NOT EXISTS memberships (
        organization TEXT NOT NULL, team TEXT NOT NULL, account TEXT NOT NULL,
        PRIMARY KEY (organization, team, account)) STRICT;
    CREATE TABLE IF NOT EXISTS caught_up (organization TEXT PRIMARY KEY) STRICT;
    -- Events that were applied, each written in the transaction of its effects: a crash leaves both or none.
    CREATE TABLE IF NOT EXISTS applied_events (
        organization TEXT NOT NULL, position TEXT NOT NULL, applied INTEGER NOT NULL, PRIMARY KEY (organization, position)) STRICT;
    CREATE INDEX IF NOT EXISTS applied_when ON applied_events (applied);
    CREATE TABLE IF NOT EXISTS sessions (
        token TEXT PRIMARY KEY, organization TEXT NOT NULL, account TEXT NOT NULL, expires INTEGER NOT NULL) STRICT;
    -- The last 30 seconds of which a code was used.
    CREATE TABLE IF NOT EXISTS second_factors (
        organization TEXT NOT NULL, account TEXT NOT NULL, secret BLOB NOT NULL, used INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (organization, account)) STRICT;
    CREATE TABLE IF NOT EXISTS letters (
        id TEXT PRIMARY KEY, organization TEXT NOT NULL, recipient TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL)
        STRICT;";

/// The database. Its clones share one connection, which is held for single statements and short transactions only.
#[derive(Clone)]
pub(crate) struct Database(Arc<Mutex<Connection>>);

/// Somebody who may sign in.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) role: String,
}

impl Database {
    pub(crate) fn open(directory: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        std::fs::create_dir_all(directory)?;
        let connection = Connection::open(directory.join("backend.db"))?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
        connection.execute_batch(TABLES)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Runs changes that must take effect as a whole.
    pub(crate) fn transaction<T>(
        &self,
        run: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let done = run(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Whether the members from before the organization's first event have been read.
    pub(crate) fn is_caught_up(&self, organization: &str) -> rusqlite::Result<bool> {
        let query = "SELECT count(*) > 0 FROM caught_up WHERE organization = ?1";
        self.connection().query_row(query, [organization], |row| row.get(0))
    }

    /// The active account with this id.
    pub(crate) fn active(&self, organization: &str, id: &str) -> rusqlite::Result<Option<Account>> {
        let query = "SELECT id, email, name, role FROM accounts
                     WHERE organization = ?1 AND id = ?2 AND active = 1";
        self.connection().query_row(query, [organization, id], account).optional()
    }

    /// All active accounts, in the order of their names.
    pub(crate) fn all_active(&self, organization: &str) -> rusqlite::Result<Vec<Account>> {
        let connection = self.connection();
        let mut query = connection.prepare(
            "SELECT id, email, name, role FROM accounts WHERE organization = ?1 AND active = 1 ORDER BY name, id",
        )?;
        query.query_map([organization], account)?.collect()
    }

    /// The names of the teams that the account is in.
    pub(crate) fn teams_of(&self, organization: &str, account: &str) -> rusqlite::Result<Vec<String>> {
        let connection = self.connection();
        let mut query = connection.prepare(
            "SELECT name FROM memberships JOIN teams ON teams.organization = memberships.organization AND id = team
             WHERE memberships.organization = ?1 AND account = ?2 ORDER BY name",
        )?;
        query.query_map([organization, account], |row| row.get(0))?.collect()
    }

    /// Begins a session; `token` is its hash.
    pub(crate) fn begin_session(
        &self,
        token: &str,
        organization: &str,
        account: &str,
        now: u64,
    ) -> rusqlite::Result<()> {
        let connection = self.connection();
        connection.execute("DELETE FROM sessions WHERE expires <= ?1", [seconds(now)])?;
        let insert = "INSERT INTO sessions (token, organization, account, expires) VALUES (?1, ?2, ?3, ?4)";
        connection.execute(insert, params![token, organization, account, seconds(now + SESSION)]).map(drop)
    }

    /// The account of the session, if it is still active. A session ends at the moment when the identity provider deactivates
    /// its member.
    pub(crate) fn session(&self, token: &str, now: u64) -> rusqlite::Result<Option<(String, Account)>> {
        let query = "SELECT accounts.id, email, name, role, accounts.organization
                     FROM sessions JOIN accounts ON accounts.organization = sessions.organization AND id = account
                     WHERE token = ?1 AND expires > ?2 AND active = 1";
        let found = |row: &rusqlite::Row<'_>| Ok((row.get(4)?, account(row)?));
        self.connection().query_row(query, params![token, seconds(now)], found).optional()
    }

    pub(crate) fn end_session(&self, token: &str) -> rusqlite::Result<()> {
        self.connection().execute("DELETE FROM sessions WHERE token = ?1", [token]).map(drop)
    }

    /// Gives an account a second factor unless it has one. Returns the secret, if no code of it has been used yet.
    pub(crate) fn enrol(&self, organization: &str, account: &str, secret: &[u8]) -> rusqlite::Result<Option<Vec<u8>>> {
        let insert =
            "INSERT INTO second_factors (organization, account, secret) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let unused = "SELECT secret FROM second_factors WHERE organization = ?1 AND account = ?2 AND used = 0";
        self.transaction(|transaction| {
            transaction.execute(insert, params![organization, account, secret])?;
            transaction.query_row(unused, [organization, account], |row| row.get(0)).optional()
        })
    }

    /// The secret of an account's second factor.
    pub(crate) fn second_factor(&self, organization: &str, account: &str) -> rusqlite::Result<Option<Vec<u8>>> {
        let query = "SELECT secret FROM second_factors WHERE organization = ?1 AND account = ?2";
        self.connection().query_row(query, [organization, account], |row| row.get(0)).optional()
    }

    /// Uses the code of this time step. Returns whether neither it nor a later one was used before.
    pub(crate) fn use_code(&self, organization: &str, account: &str, step: u64) -> rusqlite::Result<bool> {
        let update = "UPDATE second_factors SET used = ?3 WHERE organization = ?1 AND account = ?2 AND used < ?3";
        self.connection().execute(update, params![organization, account, seconds(step)]).map(|rows| rows == 1)
    }

    /// Stores a letter. A letter that is there already stays as it is.
    pub(crate) fn keep_letter(&self, organization: &str, letter: [&str; 4]) -> rusqlite::Result<()> {
        let [id, recipient, subject, body] = letter;
        let insert = "INSERT INTO letters (id, organization, recipient, subject, body) VALUES (?1, ?2, ?3, ?4, ?5)
                      ON CONFLICT (id) DO NOTHING";
        self.connection().execute(insert, [id, organization, recipient, subject, body]).map(drop)
    }

    /// Removes letters of the organization: the one with this id, those to this address, or all.
    pub(crate) fn drop_letters(
        &self,
        organization: &str,
        id: Option<&str>,
        recipient: Option<&str>,
    ) -> rusqlite::Result<usize> {
        let delete = "DELETE FROM letters WHERE organization = ?1 AND id = coalesce(?2, id)
                      AND lower(recipient) = coalesce(?3, lower(recipient))";
        self.connection().execute(delete, params![organization, id, recipient])
    }

    /// If a panic happens while the connection is held, the transaction is rolled back, so the connection can be used further.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn account(row: &rusqlite::Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account { id: row.get(0)?, email: row.get(1)?, name: row.get(2)?, role: row.get(3)? })
}

/// SQLite's integers are signed.
fn seconds(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}
