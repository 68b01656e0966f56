//! A storage in memory for tests and examples: its data is lost when it is dropped.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::bounds::{self, PageBudget};
use crate::capability::schedule::{Claim, Schedule};
use crate::capability::storage::{
    Change, Entry, Item, Key, KeyRange, KeyValue, OrganizationId, Page, Scanned, Storage, StorageError, Transaction,
};

/// Keeps all organizations in ordered maps behind one lock. `append` takes effect at once.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    spaces: HashMap<OrganizationId, Space>,
    schedules: HashMap<OrganizationId, Schedule>,
    deleted: HashSet<OrganizationId>,
    /// The last version or claim number that was given to any organization.
    version: u64,
}

type Space = BTreeMap<Key, Item>;

impl MemoryStorage {
    /// An empty storage.
    pub fn new() -> Self {
        Self::default()
    }

    /// A panic elsewhere can't leave the state half-changed, so a poisoned lock may be used.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    async fn get(&self, organization: &OrganizationId, keys: Vec<Key>) -> Result<Vec<Option<Item>>, StorageError> {
        bounds::check_get(&keys)?;
        let state = self.state();
        let Some(space) = state.spaces.get(organization) else {
            return Ok(vec![None; keys.len()]);
        };
        let mut bytes = 0;
        keys.iter()
            .map(|key| {
                let item = space.get(key);
                bytes += item.map_or(0, |item| item.value.len());
                if bytes > bounds::MAX_GET_BYTES { Err(StorageError::TooLarge) } else { Ok(item.cloned()) }
            })
            .collect()
    }

    async fn scan(&self, organization: &OrganizationId, pages: Vec<Page>) -> Result<Vec<Scanned>, StorageError> {
        bounds::check_scan(&pages)?;
        let state = self.state();
        let Some(space) = state.spaces.get(organization) else {
            return Ok(vec![Scanned::default(); pages.len()]);
        };
        let mut taken = 0;
        let scanned = pages.iter().map(|page| scan_page(space, page, &mut taken)).collect();
        Ok(scanned)
    }

    async fn commit(&self, organization: &OrganizationId, transaction: Transaction) -> Result<u64, StorageError> {
        bounds::check_transaction(&transaction)?;
        let mut state = self.state();
        let State { spaces, schedules, deleted, version } = &mut *state;
        if deleted.contains(organization) {
            return Err(StorageError::Deleted);
        }
        let space = spaces.entry(organization.clone()).or_default();
        let unmet = transaction.conditions.iter().find(|r| !r.holds(space.get(r.key()).map(|item| item.version)));
        if let Some(require) = unmet {
            return Err(StorageError::Conflict(require.key().clone()));
        }
        *version += 1;
        let mut change = UnderWay { space, undo: Vec::new(), version: *version };
        if let Err(error) = transaction.changes.into_iter().try_for_each(|write| change.apply(write)) {
            change.undo();
            return Err(error);
        }
        if let Some(at) = transaction.wake_at {
            schedules.entry(organization.clone()).or_default().wake(at);
        }
        Ok(*version)
    }

    async fn append(&self, organization: &OrganizationId, entries: Vec<(Key, Vec<u8>)>) -> Result<(), StorageError> {
        bounds::check_append(&entries)?;
        let changes = entries.into_iter().map(|(key, value)| Change::put(key, value)).collect();
        self.commit(organization, Transaction { changes, ..Transaction::default() }).await?;
        Ok(())
    }

    async fn due(&self, now: u64, limit: usize) -> Result<Vec<OrganizationId>, StorageError> {
        let state = self.state();
        let time = |(id, schedule): (&OrganizationId, &Schedule)| Some((schedule.next(now)?, id.clone()));
        let mut due: Vec<_> = state.schedules.iter().filter_map(time).filter(|(time, _)| *time <= now).collect();
        due.sort();
        due.truncate(limit);
        Ok(due.into_iter().map(|(_, id)| id).collect())
    }

    async fn next_due(&self, now: u64) -> Result<Option<u64>, StorageError> {
        Ok(self.state().schedules.values().filter_map(|schedule| schedule.next(now)).min())
    }

    async fn claim(&self, organization: &OrganizationId, now: u64) -> Result<Option<Claim>, StorageError> {
        let mut state = self.state();
        let State { schedules, version, .. } = &mut *state;
        let claim = schedules.get_mut(organization).and_then(|schedule| schedule.claim(*version + 1, now));
        *version += u64::from(claim.is_some());
        Ok(claim)
    }

    async fn renew(&self, organization: &OrganizationId, number: u64, now: u64) -> Result<Option<Claim>, StorageError> {
        Ok(self.state().schedules.get_mut(organization).and_then(|schedule| schedule.renew(number, now)))
    }

    async fn release(
        &self,
        organization: &OrganizationId,
        number: u64,
        next: Option<u64>,
    ) -> Result<bool, StorageError> {
        Ok(self.state().schedules.get_mut(organization).is_some_and(|schedule| schedule.release(number, next)))
    }

    async fn delete_organization(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        let mut state = self.state();
        state.deleted.insert(organization.clone());
        state.spaces.remove(organization);
        state.schedules.remove(organization);
        Ok(())
    }

    async fn is_deleted(&self, organization: &OrganizationId) -> Result<bool, StorageError> {
        Ok(self.state().deleted.contains(organization))
    }
}

/// The items of a range. `BTreeMap::range` panics for an inverted range, so that is checked first.
fn within<'s>(space: &'s Space, range: &KeyRange) -> impl DoubleEndedIterator<Item = (&'s Key, &'s Item)> {
    let bounds = (Bound::Included(range.start.clone()), Bound::Excluded(range.end.clone()));
    (!range.is_empty()).then(|| space.range(bounds)).into_iter().flatten()
}

fn scan_page(space: &Space, page: &Page, taken: &mut usize) -> Scanned {
    let items = within(space, &page.range);
    let mut items: Box<dyn Iterator<Item = _>> = if page.reverse { Box::new(items.rev()) } else { Box::new(items) };
    let mut budget = PageBudget::new(page.limit, *taken);
    let mut scanned = Scanned::default();
    for (key, item) in items.by_ref().skip(page.skip as usize) {
        let bytes = key.len() + item.value.len();
        if !budget.take(bytes) {
            scanned.more = true;
            break;
        }
        *taken += bytes;
        scanned.entries.push(Entry { key: key.clone(), value: item.value.clone(), version: item.version });
    }
    scanned
}

/// A transaction that is being applied, with the former value of each key.
struct UnderWay<'s> {
    space: &'s mut Space,
    undo: Vec<(Key, Option<Item>)>,
    version: u64,
}

impl UnderWay<'_> {
    fn apply(&mut self, write: Change) -> Result<(), StorageError> {
        match write {
            Change::Put(KeyValue { key, value }) => self.set(key, Some(value)),
            Change::Delete(key) => self.set(key, None),
            Change::DeleteRange(range) => {
                let keys: Vec<Key> = within(self.space, &range).map(|(key, _)| key.clone()).collect();
                keys.into_iter().for_each(|key| self.set(key, None));
            }
            Change::Add(add) => {
                let sum = add.apply(self.space.get(&add.key).map(|item| item.value.as_slice()))?;
                self.set(add.key, Some(sum));
            }
        }
        Ok(())
    }

    fn set(&mut self, key: Key, value: Option<Vec<u8>>) {
        let version = self.version;
        let before = match value {
            Some(value) => self.space.insert(key.clone(), Item { value, version }),
            None => self.space.remove(&key),
        };
        self.undo.push((key, before));
    }

    fn undo(self) {
        for (key, before) in self.undo.into_iter().rev() {
            match before {
                Some(item) => self.space.insert(key, item),
                None => self.space.remove(&key),
            };
        }
    }
}
