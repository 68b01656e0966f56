//! The memory of the host that one request uses: its head, its body, the decoded body, and its answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::{Extensions, HeaderMap, Uri, request};
use bytes::Bytes;

use super::connection::Connection;
use crate::ledger::{Account, Full, Held, Ledger};

/// The memory that serving a request takes in addition to the sent bytes: its task and its tables.
const SERVING: usize = 4 << 10;

/// The memory of a request. All clones share it; it is given back when the last clone is dropped. The answer is noted
/// separately, until it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Bill(Arc<Mutex<Item>>);

impl Bill {
    /// The bill of a stranger's request. At first every caller is a stranger.
    ///
    /// # Errors
    /// The strangers or the connection use all the memory that they may.
    pub(super) fn begin(ledger: &Ledger, connection: Option<&Arc<Connection>>, head: usize) -> Result<Self, Full> {
        if let Some(connection) = connection {
            connection.read(head);
        }
        let mut item = Item::nothing(Arc::clone(ledger.strangers()), connection.cloned());
        if let Err(full) = item.grow(SERVING + head) {
            // If the connection belongs to a known account, that account pays, so that strangers can't keep it out.
            let account = connection.and_then(|connection| connection.account()).ok_or(full)?;
            item = Item::nothing(account, connection.cloned());
            item.grow(SERVING + head)?;
        }
        Ok(Self(Arc::new(Mutex::new(item))))
    }

    /// The bill that the server has begun for this request; a new one if another server serves the request.
    ///
    /// # Errors
    /// Those of [`Bill::begin`].
    pub(crate) fn of(head: &request::Parts, ledger: &Ledger) -> Result<Self, Full> {
        match Self::begun(&head.extensions) {
            Some(bill) => Ok(bill),
            None => Self::begin(ledger, None, size_of_head(&head.uri, &head.headers)),
        }
    }

    /// The bill that the server has begun for this request.
    pub(crate) fn begun(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Self>().cloned()
    }

    /// Notes more bytes. This must be called before they are allocated.
    ///
    /// # Errors
    /// There is no room for them.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), Full> {
        self.lock().grow(bytes)
    }

    /// Notes that a part of the body was read or skipped.
    pub(crate) fn has_read(&self, bytes: usize) {
        if let Some(connection) = &self.lock().connection {
            connection.read(bytes);
        }
    }

    /// The sender has proved to belong to the organization with this account, which pays for the request from now on.
    pub(crate) fn is_of(&self, account: &Arc<Account>) {
        let mut item = self.lock();
        item.held.move_to(account);
        if let Some(connection) = &item.connection {
            connection.is_of(account);
        }
    }

    /// Notes the bytes of an answer until they are sent. An answer that `must` be sent, since it reports a change, is
    /// noted in any case.
    ///
    /// # Errors
    /// There is no room for them.
    pub(super) fn answer(&self, bytes: Bytes, must: bool) -> Result<Bytes, Full> {
        if bytes.is_empty() {
            return Ok(bytes);
        }
        let mut item = {
            let request = self.lock();
            Item::nothing(Arc::clone(request.held.account()), request.connection.clone())
        };
        match item.grow(bytes.len()) {
            Err(_) if must => item.grow_anyway(bytes.len()),
            other => other?,
        }
        if let Some(connection) = &item.connection {
            connection.owes(bytes.len());
        }
        Ok(Bytes::from_owner(Answer { bytes, item }))
    }

    fn lock(&self) -> MutexGuard<'_, Item> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The approximate memory of a request's head, in bytes.
pub(super) fn size_of_head(uri: &Uri, headers: &HeaderMap) -> usize {
    let target = uri.path().len() + uri.query().map_or(0, str::len);
    target + headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>()
}

/// Bytes that are counted in an account and for a connection.
#[derive(Debug)]
struct Item {
    held: Held,
    connection: Option<Arc<Connection>>,
}

impl Item {
    fn nothing(account: Arc<Account>, connection: Option<Arc<Connection>>) -> Self {
        Self { held: Held::nothing(account), connection }
    }

    fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let Some(connection) = &self.connection else { return self.held.grow(bytes) };
        connection.hold(bytes)?;
        let taken = match self.held.grow(bytes) {
            // A stranger may make connections end that use more.
            Err(_) if connection.is_strangers() => connection.push_out(bytes).map(|()| self.held.grow_anyway(bytes)),
            other => other,
        };
        if taken.is_err() {
            connection.let_go(bytes);
        }
        taken
    }

    fn grow_anyway(&mut self, bytes: usize) {
        if let Some(connection) = &self.connection {
            connection.hold_anyway(bytes);
        }
        self.held.grow_anyway(bytes);
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            connection.let_go(self.held.bytes());
        }
    }
}

/// An answer that the HTTP library is sending. The library drops it when the last byte is on its way.
struct Answer {
    bytes: Bytes,
    item: Item,
}

impl AsRef<[u8]> for Answer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(connection) = &self.item.connection {
            connection.owes_no_more(self.bytes.len());
        }
    }
}
