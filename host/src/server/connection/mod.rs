//! One connection as the ledger and the watch see it: what it holds, what it has sent and taken, and when it must go.

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

/// What a connection takes before it has sent anything, in bytes: its task, its buffers and its place in the tables.
/// Measured with 2,000 silent connections; see the test of it.
const BASE: usize = 12 << 10;
/// What the HTTP library may keep of what a connection has sent and nobody has read, in bytes: a request's head, or
/// HTTP/2's window for the whole connection and a frame.
const UNREAD: usize = 160 << 10;
/// In steps of so many bytes the ledger is told of what a connection has sent.
const STEP: usize = 8 << 10;
/// What the requests and answers of a stranger's connection may hold, in bytes.
const OF_STRANGER: usize = 1 << 20;
/// What the requests and answers of any other connection may hold, in bytes. The largest answer has 32 MiB, the largest
/// request 16 MiB; both may be there at once, and others beside them.
const OF_KNOWN: usize = 128 << 20;

/// How often a connection is looked at.
pub(super) const LOOK: Duration = Duration::from_secs(5);
/// How long a connection may take to send its first request.
const FIRST_REQUEST: Duration = Duration::from_secs(30);
/// How long a stranger's connection may be idle between two requests.
const IDLE_STRANGER: Duration = Duration::from_secs(30);
/// How long any other connection may be idle between two requests.
const IDLE_KNOWN: Duration = Duration::from_secs(120);
/// How long a client may take no answer at all, or too little, before it is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may when the server stops.
const PATIENCE_AT_END: Duration = Duration::from_secs(5);
/// What a client must take while an answer waits for it, in bytes a second.
const MIN_RATE: u64 = 4 << 10;

/// What to do with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may stay.
    Stay,
    /// It has been idle for long: it is told that it ends.
    Finish,
    /// It is given up at once; the text says why.
    GiveUp(&'static str),
}

/// A connection that is open.
#[derive(Debug)]
pub(crate) struct Connection {
    all: Weak<Connections>,
    number: u64,
    begun: Instant,
    /// What it takes while nothing is sent over it, in bytes.
    base: usize,
    /// Somebody who sent a request over it has shown who they are.
    known: AtomicBool,
    /// Bytes that its requests and answers hold.
    holds: AtomicUsize,
    /// Of these, the bytes of answers that the client has not taken.
    unsent: AtomicUsize,
    /// Bytes sent to it, in all.
    written: AtomicU64,
    /// Bytes that came and that no request has taken yet.
    unread: AtomicUsize,
    /// Requests that have begun, in all.
    requests: AtomicU64,
    /// Requests whose answer is not complete.
    open: AtomicUsize,
    watch: Mutex<Watch>,
    /// What the connection itself takes, and what it has sent that nobody has read.
    own: Mutex<Held>,
    evicted: Notify,
}

/// What was seen when the connection was looked at last.
#[derive(Debug)]
struct Watch {
    /// Since when it has had no open request.
    idle: Instant,
    /// Since when an answer has waited for the client, and what had been written to it then.
    waits: Option<(Instant, u64)>,
}

impl Connection {
    /// Whether nobody who used it has shown who they are.
    pub(super) fn is_strangers(&self) -> bool {
        !self.known.load(Ordering::Relaxed)
    }

    /// Whether a request has begun over it, however long ago.
    pub(super) fn has_begun(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    /// Whether no request is open.
    fn is_idle(&self) -> bool {
        self.open.load(Ordering::Relaxed) == 0
    }

    /// Bytes that it holds, all in all.
    fn weight(&self) -> usize {
        self.holds.load(Ordering::Relaxed) + lock(&self.own).bytes()
    }

    /// Notes bytes of a request or an answer.
    ///
    /// # Errors
    /// It holds all that one connection may.
    pub(super) fn hold(&self, bytes: usize) -> Result<(), Full> {
        let most = if self.is_strangers() { OF_STRANGER } else { OF_KNOWN };
        let within = |now: usize| now.checked_add(bytes).filter(|sum| *sum <= most);
        self.holds.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).map(drop).map_err(|_| Full::Account)
    }

    /// Notes bytes that must be held in any case.
    pub(super) fn hold_anyway(&self, bytes: usize) {
        self.holds.fetch_add(bytes, Ordering::Relaxed);
    }

    /// They are held no more.
    pub(super) fn let_go(&self, bytes: usize) {
        self.holds.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// An answer of so many bytes waits to be sent.
    pub(super) fn owes(&self, bytes: usize) {
        self.unsent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many bytes of answers have been sent, or never will be.
    pub(super) fn owes_no_more(&self, bytes: usize) {
        if self.unsent.fetch_sub(bytes, Ordering::Relaxed) == bytes {
            lock(&self.watch).waits = None;
        }
    }

    /// The account of whom it is of; `None` while it is a stranger's.
    pub(super) fn account(&self) -> Option<Arc<Account>> {
        (!self.is_strangers()).then(|| Arc::clone(lock(&self.own).account()))
    }

    /// Somebody has shown who they are: the connection is theirs from now on.
    pub(super) fn is_of(&self, account: &Arc<Account>) {
        if !self.known.swap(true, Ordering::Relaxed) {
            lock(&self.own).move_to(account);
        }
    }

    /// Bytes came in.
    ///
    /// # Errors
    /// There is no room for what this connection has sent.
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

    /// A request, or a part of its body, was read by whoever serves it: what it holds is noted there.
    pub(super) fn read(&self, bytes: usize) {
        let less = |unread: usize| Some(unread.saturating_sub(bytes));
        let _ = self.unread.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Makes other strangers go that hold more, so that there is room for so many more bytes of this one.
    ///
    /// # Errors
    /// None holds more, or there is no room until they have gone.
    pub(super) fn push_out(&self, bytes: usize) -> Result<(), Full> {
        let holds = self.weight() + bytes;
        self.all.upgrade().map_or(Err(Full::Account), |all| all.push_out(bytes, holds, self.number))
    }

    /// Ready when another connection needs its place.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    /// Looks at the connection; `stopping` when the server takes no more requests.
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
        // Nothing that came belongs to a request that is open: what remains are frames without content.
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

    /// A request begins; it is open until the answer is dropped.
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
    /// So many bytes wait to be taken.
    pub(super) fn owes(&self, bytes: usize) {
        self.0.owes(bytes);
    }

    /// They have been taken, or never will be.
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
