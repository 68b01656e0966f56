//! A host in memory for native tests and fuzzing: storage, a clock that stands still, and repeatable randomness.

pub mod organization;

pub use organization::add_member;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};

use crate::capability::{
    Change, Clock, EmailError, Entry, Host, HttpClient, HttpError, HttpRequest, HttpResponse, Item, Key, KeyRange,
    KeyValue, Mailer, Message, Page, Random, Scanned, Secrets, SecretsError, Storage, StorageError, Transaction,
};

/// A host in memory.
#[derive(Default)]
pub struct MemoryHost {
    items: RefCell<BTreeMap<Key, Item>>,
    version: Cell<u64>,
    wake_at: Cell<Option<u64>>,
    now: Cell<u64>,
    random: Cell<u64>,
    /// How often keys were read or ranges scanned. Each time is one call from the component to its host.
    pub reads: Cell<u32>,
    /// The emails that were sent, in order.
    pub emails: RefCell<Vec<Message>>,
    /// The results of the next attempts to send; if the queue is empty, the email is accepted.
    pub email_results: RefCell<VecDeque<EmailError>>,
    /// The HTTP requests that were sent, in order.
    pub requests: RefCell<Vec<HttpRequest>>,
    /// The results of the next HTTP requests; if the queue is empty, the answer is 200 without a body.
    pub http_results: RefCell<VecDeque<Result<HttpResponse, HttpError>>>,
}

impl MemoryHost {
    /// An empty host whose clock shows this time (milliseconds since the Unix epoch).
    #[must_use]
    pub fn at(now: u64) -> Self {
        Self { now: Cell::new(now), ..Self::default() }
    }

    /// Sets the clock.
    pub fn set_now(&self, now: u64) {
        self.now.set(now);
    }

    /// The earliest time at which the jobs must run. It is removed, as the host's scheduler does before it runs them.
    pub fn take_wake(&self) -> Option<u64> {
        self.wake_at.take()
    }

    /// This host in the form that the crate's functions need.
    #[must_use]
    pub fn host(&self) -> Host<'_> {
        Host { storage: self, clock: self, random: self, mailer: self, http: self, secrets: self }
    }

    /// All stored data as one text, to search for data that must not be there.
    #[must_use]
    pub fn dump(&self) -> String {
        let line = |(key, item): (&Key, &Item)| {
            format!("{} = {}\n", String::from_utf8_lossy(key), String::from_utf8_lossy(&item.value))
        };
        self.items.borrow().iter().map(line).collect()
    }
}

impl Clock for MemoryHost {
    fn now(&self) -> u64 {
        self.now.get()
    }

    fn pause(&self, milliseconds: u64) {
        self.now.set(self.now.get() + milliseconds);
    }
}

impl Random for MemoryHost {
    /// SplitMix64: repeatable, and different in every call.
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            self.random.set(self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
            let mut mixed = self.random.get();
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.iter_mut().zip((mixed ^ (mixed >> 31)).to_le_bytes()).for_each(|(to, from)| *to = from);
        }
    }
}

impl Mailer for MemoryHost {
    fn send(&self, email: &Message) -> Result<(), EmailError> {
        if let Some(error) = self.email_results.borrow_mut().pop_front() {
            return Err(error);
        }
        self.emails.borrow_mut().push(email.clone());
        Ok(())
    }
}

impl HttpClient for MemoryHost {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        self.requests.borrow_mut().push(request.clone());
        let result = self.http_results.borrow_mut().pop_front();
        result.unwrap_or_else(|| Ok(HttpResponse { status: 200, ..HttpResponse::default() }))
    }
}

impl Secrets for MemoryHost {
    /// This is no encryption, but the text is not readable in a dump either.
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, SecretsError> {
        Ok(plain.iter().map(|byte| byte ^ 0xa5).collect())
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SecretsError> {
        self.seal(sealed)
    }
}

impl Storage for MemoryHost {
    fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        self.reads.set(self.reads.get() + 1);
        let items = self.items.borrow();
        keys.iter().map(|key| check_key(key).map(|()| items.get(key).cloned())).collect()
    }

    fn scan(&self, pages: &[Page]) -> Result<Vec<Scanned>, StorageError> {
        self.reads.set(self.reads.get() + 1);
        Ok(pages.iter().map(|page| self.scan_page(page)).collect())
    }

    fn commit(&self, transaction: Transaction) -> Result<u64, StorageError> {
        let mut items = self.items.borrow_mut();
        for condition in &transaction.conditions {
            if !condition.holds(items.get(condition.key()).map(|item| item.version)) {
                return Err(StorageError::Conflict(condition.key().clone()));
            }
        }
        let version = self.version.get() + 1;
        let mut undo = Vec::new();
        for change in transaction.changes {
            if let Err(error) = apply(&mut items, change, version, &mut undo) {
                for (key, old) in undo.into_iter().rev() {
                    match old {
                        Some(item) => items.insert(key, item),
                        None => items.remove(&key),
                    };
                }
                return Err(error);
            }
        }
        self.version.set(version);
        let wake_at = [self.wake_at.get(), transaction.wake_at].into_iter().flatten().min();
        self.wake_at.set(wake_at);
        Ok(version)
    }

    fn append(&self, entries: &[KeyValue]) -> Result<(), StorageError> {
        let changes = entries.iter().cloned().map(Change::Put).collect();
        self.commit(Transaction { changes, ..Transaction::default() }).map(drop)
    }
}

impl MemoryHost {
    /// How many keys the range holds.
    #[must_use]
    pub fn count(&self, range: &KeyRange) -> u64 {
        let KeyRange { start, end } = range.clone();
        self.items.borrow().range(start.clone()..end.max(start)).count() as u64
    }

    fn scan_page(&self, page: &Page) -> Scanned {
        let KeyRange { start, end } = page.range.clone();
        let items = self.items.borrow();
        let range = items.range(start.clone()..end.max(start));
        let entry =
            |(key, item): (&Key, &Item)| Entry { key: key.clone(), value: item.value.clone(), version: item.version };
        let (skip, limit) = (page.skip as usize, page.limit.min(4_096) as usize);
        let mut entries: Vec<Entry> = if page.reverse {
            range.rev().skip(skip).take(limit + 1).map(entry).collect()
        } else {
            range.skip(skip).take(limit + 1).map(entry).collect()
        };
        let more = entries.len() > limit;
        entries.truncate(limit);
        Scanned { entries, more }
    }
}

/// Makes one change, and records how to undo it.
fn apply(
    items: &mut BTreeMap<Key, Item>,
    change: Change,
    version: u64,
    undo: &mut Vec<(Key, Option<Item>)>,
) -> Result<(), StorageError> {
    let mut put = |items: &mut BTreeMap<Key, Item>, key: Key, value: Vec<u8>| {
        let old = items.insert(key.clone(), Item { value, version });
        undo.push((key, old));
    };
    match change {
        Change::Put(KeyValue { key, value }) => {
            check_key(&key)?;
            put(items, key, value);
        }
        Change::Delete(key) => {
            let old = items.remove(&key);
            undo.push((key, old));
        }
        Change::DeleteRange(range) if range.start < range.end => {
            let keys: Vec<Key> = items.range(range.start..range.end).map(|(key, _)| key.clone()).collect();
            for key in keys {
                let old = items.remove(&key);
                undo.push((key, old));
            }
        }
        Change::DeleteRange(_) => {}
        Change::Add(add) => {
            let sum = add.apply(items.get(&add.key).map(|item| item.value.as_slice()))?;
            put(items, add.key, sum);
        }
    }
    Ok(())
}

fn check_key(key: &[u8]) -> Result<(), StorageError> {
    if key.is_empty() || key.len() > 512 { Err(StorageError::TooLarge) } else { Ok(()) }
}
