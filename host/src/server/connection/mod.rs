//! The counters of one connection, for the ledger and for the decision when it must end: its memory, and what was sent
//! and received.

mod all;
mod io;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

pub(super) use self::all::Connections;
pub(super) use self::io::Watched;
use crate::ledger::{Account, Full, Held};

/// The memory of a connection that has sent nothing, in bytes: its task, its buffers and its place in the tables. It
/// was measured with 2,000 silent connections.
const BASE: usize = 12 << 10;
/// How many sent bytes the HTTP library may buffer before they are read: a request's head, or HTTP/2's window for the
/// whole connection and a frame.
const UNREAD: usize = 160 << 10;
/// The ledger is told about received bytes in steps of this size.
const STEP: usize = 8 << 10;
/// The most memory of the requests and answers of a stranger's connection, in bytes.
const OF_STRANGER: usize = 1 << 20;
/// The most memory of the requests and answers of any other connection, in bytes. The largest answer has 32 MiB, the
/// largest request 16 MiB; both may exist at once, and others beside them.
const OF_KNOWN: usize = 128 << 20;

/// How often a connection is examined.
pub(super) const LOOK: Duration = Duration::from_secs(5);
/// How long a connection may take to send its first request.
const FIRST_REQUEST: Duration = Duration::from_secs(30);
/// How long a stranger's connection may be idle between two requests.
const IDLE_STRANGER: Duration = Duration::from_secs(30);
/// How long any other connection may be idle between two requests.
const IDLE_KNOWN: Duration = Duration::from_secs(120);
/// How long a client may read no answer at all, or too little, before its connection is closed.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same time when the server stops.
const PATIENCE_AT_END: Duration = Duration::from_secs(5);
/// The least that a client must read while an answer waits, in bytes a second.
const MIN_RATE: u64 = 4 << 10;

/// The result of examining a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The connection may stay.
    Stay,
    /// The connection was idle for too long and ends in an orderly way.
    Finish,
    /// The connection is closed at once; the text says why.
    GiveUp(&'static str),
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    all: Weak<Connections>,
    number: u64,
    begun: Instant,
    /// The memory that it takes while nothing is sent, in bytes.
    base: usize,
    /// Whether a sender of one of its requests is known.
    known: AtomicBool,
    /// The memory of its requests and answers, in bytes.
    holds: AtomicUsize,
    /// The part of this memory that holds answers that the client has not read.
    unsent: AtomicUsize,
    /// All bytes that were sent to the client.
    written: AtomicU64,
    /// Received bytes that no request has read yet.
    unread: AtomicUsize,
    /// The number of requests that have begun.
    requests: AtomicU64,
    /// The number of requests whose answer is not complete.
    open: AtomicUsize,
    watch: Mutex<Watch>,
    /// The memory of the connection itself, and of received bytes that were not read.
    own: Mutex<Held>,
    evicted: Notify,
}

/// The state when the connection was last examined.
#[derive(Debug)]
struct Watch {
    /// Since when it has had no open request.
    idle: Instant,
    /// Since when an answer has waited for the client, and how many bytes had been sent by then.
    waits: Option<(Instant, u64)>,
}

impl Connection {
    /// Whether no sender of its requests is known yet.
    pub(super) fn is_strangers(&self) -> bool {
        !self.known.load(Ordering::Relaxed)
    }

    /// Whether any request has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    /// Whether no request is open.
    fn is_idle(&self) -> bool {
        self.open.load(Ordering::Relaxed) == 0
    }

    /// All its memory, in bytes.
    fn weight(&self) -> usize {
        self.holds.load(Ordering::Relaxed) + lock(&self.own).bytes()
    }

    /// Notes bytes of a request or an answer.
    ///
    /// # Errors
    /// The connection uses all the memory that it may.
    pub(super) fn hold(&self, bytes: usize) -> Result<(), Full> {
        let most = if self.is_strangers() { OF_STRANGER } else { OF_KNOWN };
        let within = |now: usize| now.checked_add(bytes).filter(|sum| *sum <= most);
        self.holds.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).map(drop).map_err(|_| Full::Account)
    }

    /// Notes bytes that must be counted in any case.
    pub(super) fn hold_anyway(&self, bytes: usize) {
        self.holds.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Removes bytes from the count.
    pub(super) fn let_go(&self, bytes: usize) {
        self.holds.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// An answer of this many bytes waits to be sent.
    pub(super) fn owes(&self, bytes: usize) {
        self.unsent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// This many bytes of answers were sent, or never will be.
    pub(super) fn owes_no_more(&self, bytes: usize) {
        if self.unsent.fetch_sub(bytes, Ordering::Relaxed) == bytes {
            lock(&self.watch).waits = None;
        }
    }

    /// The account to which it belongs; `None` while it is a stranger's.
    pub(super) fn account(&self) -> Option<Arc<Account>> {
        (!self.is_strangers()).then(|| Arc::clone(lock(&self.own).account()))
    }

    /// A sender is known now: the connection belongs to this account from now on.
    pub(super) fn is_of(&self, account: &Arc<Account>) {
        if !self.known.swap(true, Ordering::Relaxed) {
            lock(&self.own).move_to(account);
        }
    }

    /// Notes received bytes.
    ///
    /// # Errors
    /// There is no room for the bytes that this connection has sent.
    fn received(&self, bytes: usize) -> Result<(), Full> {
        let unread = self.unread.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let wanted = self.base + unread.min(UNREAD).div_ceil(STEP) * STEP;
        let mut own = lock(&self.own);
        let more = wanted.saturating_sub(own.bytes());
        if more == 0 {
            return Ok(());
        }
        let taken = own.grow(more);
        drop(own);
        match taken {
            Err(_) if self.is_strangers() => self.push_out(more).map(|()| lock(&self.own).grow_anyway(more)),
            other => other,
        }
    }

    /// Notes that a request, or a part of its body, was read: its bytes are then counted for the request.
    pub(super) fn read(&self, bytes: usize) {
        let less = |unread: usize| Some(unread.saturating_sub(bytes));
        let _ = self.unread.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Tells other strangers' connections that use more memory to end, so that there is room for this many more bytes.
    ///
    /// # Errors
    /// No connection uses more, or there is no room until some have ended.
    pub(super) fn push_out(&self, bytes: usize) -> Result<(), Full> {
        let holds = self.weight() + bytes;
        self.all.upgrade().map_or(Err(Full::Account), |all| all.push_out(bytes, holds, self.number))
    }

    /// Completes when another connection needs the place of this one.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    /// Examines the connection; `stopping` means that the server accepts no more requests.
    pub(super) fn verdict(&self, stopping: bool) -> Verdict {
        let now = Instant::now();
        let mut watch = lock(&self.watch);
        if self.unsent.load(Ordering::Relaxed) > 0 {
            let written = self.written.load(Ordering::Relaxed);
            let (since, before) = *watch.waits.get_or_insert((now, written));
            let patience = if stopping { PATIENCE_AT_END } else { PATIENCE };
            let waited = now - since;
            if waited >= patience {
                if written - before < MIN_RATE * waited.as_secs() {
                    return Verdict::GiveUp("it does not take its answers");
                }
                watch.waits = Some((now, written));
            }
        } else {
            watch.waits = None;
        }
        if !self.is_idle() {
            watch.idle = now;
            return Verdict::Stay;
        }
        // No open request has received anything, so only frames without content are left.
        let idle = now - watch.idle;
        if idle >= LOOK {
            self.unread.store(0, Ordering::Relaxed);
            lock(&self.own).shrink_to(self.base);
        }
        if !self.has_begun() {
            let waited = now - self.begun;
            return if waited >= FIRST_REQUEST { Verdict::GiveUp("it sends no request") } else { Verdict::Stay };
        }
        let most = if self.is_strangers() { IDLE_STRANGER } else { IDLE_KNOWN };
        match idle {
            idle if idle >= most + 2 * LOOK => Verdict::GiveUp("it is idle"),
            idle if idle >= most => Verdict::Finish,
            _ => Verdict::Stay,
        }
    }

    /// Begins a request. It is open until the answer is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Open {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }
}

/// A request whose answer is not complete.
#[derive(Debug)]
pub(super) struct Open(Arc<Connection>);

impl Open {
    /// This many bytes wait for the client.
    pub(super) fn owes(&self, bytes: usize) {
        self.0.owes(bytes);
    }

    /// These bytes were read by the client, or never will be.
    pub(super) fn owes_no_more(&self, bytes: usize) {
        self.0.owes_no_more(bytes);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        lock(&self.0.watch).idle = Instant::now();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
