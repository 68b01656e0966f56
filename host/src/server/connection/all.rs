//! All open connections, and the choice of those that must end when there is no room for another.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::{BASE, Connection, Watch, lock};
use crate::ledger::{Full, Held, Ledger};

/// The most connections, if the system allows enough file descriptors.
const MOST: usize = 8_192;
/// The most connections of strangers among them.
const MOST_STRANGERS: usize = 1_536;
/// File descriptors that are kept for other uses: the database, emails, webhooks.
const RESERVED: usize = 128;
/// How many connections end at once when there is no room, because each search examines all connections.
const AT_ONCE: usize = 16;
/// Two connections whose memory differs by less than this, in bytes, count as equal.
const MUCH: usize = 64 << 10;

/// The connections of a server.
#[derive(Debug)]
pub(in crate::server) struct Connections {
    ledger: Ledger,
    most: usize,
    most_strangers: usize,
    next: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
}

impl Connections {
    /// No connections yet. `descriptors` is how many file descriptors the process may have; `None` if there is no
    /// limit.
    pub(in crate::server) fn new(ledger: Ledger, descriptors: Option<u64>) -> Arc<Self> {
        let descriptors = descriptors.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let reserved = RESERVED.max(descriptors / 8).min(descriptors / 2);
        let most = descriptors.saturating_sub(reserved).clamp(1, MOST);
        let most_strangers = MOST_STRANGERS.min(most.div_ceil(2));
        Arc::new(Self { ledger, most, most_strangers, next: AtomicU64::new(0), open: Mutex::default() })
    }

    /// How many connections there may be.
    pub(in crate::server) fn most(&self) -> usize {
        self.most
    }

    /// How many connections there are.
    pub(in crate::server) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Adds a stranger's connection that takes `beside` bytes in addition to the usual ones. If the strangers then have
    /// too many connections or too much memory, some connections are told to end, as [`Connections::evict`] chooses
    /// them.
    pub(in crate::server) fn enter(self: &Arc<Self>, beside: usize) -> Entered {
        let now = Instant::now();
        let mut own = Held::nothing(Arc::clone(self.ledger.strangers()));
        let base = BASE + beside;
        let full = own.grow(base).is_err();
        if full {
            // The connection is accepted in any case: the number of strangers' connections limits this memory too.
            own.grow_anyway(base);
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection {
            all: Arc::downgrade(self),
            number,
            begun: now,
            base,
            known: AtomicBool::new(false),
            holds: AtomicUsize::new(0),
            unsent: AtomicUsize::new(0),
            written: AtomicU64::new(0),
            unread: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
            open: AtomicUsize::new(0),
            watch: Mutex::new(Watch { idle: now, waits: None }),
            own: Mutex::new(own),
            evicted: Notify::new(),
        });
        let open = {
            let mut open = self.lock();
            open.insert(number, Arc::clone(&connection));
            open.len()
        };
        if full || open > self.most_strangers && self.strangers() > self.most_strangers {
            self.evict(Some(number), base);
        }
        Entered { all: Arc::clone(self), connection }
    }

    /// Makes room for a connection that is not accepted yet.
    pub(in crate::server) fn make_room(&self) {
        self.evict(None, BASE);
    }

    /// Tells strangers' connections that use more memory to end, so that connection `number` may use `holds` bytes in
    /// total, of which `bytes` are new.
    ///
    /// # Errors
    /// No connection uses more, or the strangers use so much beyond their share that this must wait until some have
    /// ended.
    pub(super) fn push_out(&self, bytes: usize, holds: usize, number: u64) -> Result<(), Full> {
        if !self.evict(Some(number), holds) {
            return Err(Full::Account);
        }
        let strangers = self.ledger.strangers();
        if strangers.held() + bytes <= strangers.most() + strangers.most() / 4 { Ok(()) } else { Err(Full::Account) }
    }

    fn strangers(&self) -> usize {
        self.lock().values().filter(|connection| connection.is_strangers()).count()
    }

    /// Tells some strangers' connections to end: first those with much memory, then those without a request, and among
    /// equal ones the oldest. `holds` is the memory of the connection that needs the room: unless it is little, only
    /// connections that use more end. If there are no strangers, the connections that have been idle longest end. The
    /// connection `but` is left out. Returns whether any connection ends.
    fn evict(&self, but: Option<u64>, holds: usize) -> bool {
        let open = self.lock();
        let others = || open.values().filter(|connection| Some(connection.number) != but);
        let may_go = |weight: usize| weight / MUCH > holds / MUCH || holds < MUCH;
        let mut going: Vec<&Arc<Connection>> = others().filter(|connection| connection.is_strangers()).collect();
        if going.is_empty() {
            going = others().filter(|connection| connection.is_idle()).collect();
            going.sort_by_cached_key(|connection| lock(&connection.watch).idle);
        } else {
            going.retain(|connection| may_go(connection.weight()));
            going.sort_by_cached_key(|connection| {
                (Reverse(connection.weight() / MUCH), !connection.is_idle(), connection.number)
            });
        }
        going.truncate(AT_ONCE);
        going.iter().for_each(|connection| connection.evicted.notify_one());
        !going.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        lock(&self.open)
    }
}

/// A connection's place among all, until this is dropped.
pub(in crate::server) struct Entered {
    all: Arc<Connections>,
    pub(in crate::server) connection: Arc<Connection>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.all.lock().remove(&self.connection.number);
    }
}
