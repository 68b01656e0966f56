//! One organization in a folder: the functions of `wit/storage.wit`, and its wake-ups.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;

use insomnia_scim_contract::{Change, Entry, Item, Key, KeyRange, KeyValue, Page, Scanned, StorageError, Transaction};

use crate::bounds::{self, GET_BYTES, PAGE_BYTES, PAGE_ENTRIES, SCAN_BYTES};
use crate::files::{Fault, Published};
use crate::times::{CLAIM, Claim, Times};
use crate::view::{Durability, View};

/// How often a commit is tried while others are faster. Each try means that another one has committed.
const TRIES: usize = 1_000;

/// The changes of a commit: puts and removals.
type Changes = BTreeMap<Key, Option<Vec<u8>>>;

/// The storage of one organization. An object serves one call at a time; any number of objects, in one process or in
/// many, may use the same folder.
pub struct Folder {
    view: View,
    held: Option<u64>,
}

impl Folder {
    /// Opens the storage in this folder, which is created if it is absent.
    ///
    /// # Errors
    /// [`StorageError::Full`], or [`StorageError::Other`] if the files can't be read.
    pub fn open(root: &Path) -> Result<Self, StorageError> {
        Ok(Self { view: View::open(root)?, held: None })
    }

    /// The items at the keys, in their order.
    ///
    /// # Errors
    /// Those of `wit/storage.wit`.
    pub fn get(&mut self, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        bounds::check_get(keys)?;
        self.view.refresh()?;
        let mut left = GET_BYTES;
        let mut items = Vec::with_capacity(keys.len());
        for key in keys {
            let item = self.view.get(key)?;
            let size = item.as_ref().map_or(0, |item| item.value.len());
            left = left.checked_sub(size).ok_or(StorageError::TooLarge)?;
            items.push(item);
        }
        Ok(items)
    }

    /// The pages, in their order.
    ///
    /// # Errors
    /// Those of `wit/storage.wit`.
    pub fn scan(&mut self, pages: &[Page]) -> Result<Vec<Scanned>, StorageError> {
        bounds::check_scan(pages)?;
        self.view.refresh()?;
        let mut left = SCAN_BYTES;
        pages.iter().map(|page| Ok(scan_page(&self.view, page, &mut left)?)).collect()
    }

    /// Makes the changes if all conditions are met, and returns their version.
    ///
    /// # Errors
    /// Those of `wit/storage.wit`. [`StorageError::Unavailable`] also if somebody else has taken over the claim of this
    /// object: the call of the jobs must end then.
    pub fn commit(&mut self, transaction: &Transaction) -> Result<u64, StorageError> {
        bounds::check_commit(transaction)?;
        let version = self.write(Durability::Durable, |view, _| {
            for condition in &transaction.conditions {
                let version = view.get(condition.key())?.map(|item| item.version);
                if !condition.holds(version) {
                    return Err(StorageError::Conflict(condition.key().clone()));
                }
            }
            let mut changes = Changes::new();
            for change in &transaction.changes {
                make(view, &mut changes, change)?;
            }
            Ok(Some((changes, view.times.with_wake_at(transaction.wake_at))))
        })?;
        version.ok_or_else(|| StorageError::Other("a commit has no version".into()))
    }

    /// Puts the entries, in order. Unlike those of commits, their names are not forced to the disk.
    ///
    /// # Errors
    /// Those of `wit/storage.wit`.
    pub fn append(&mut self, entries: &[KeyValue]) -> Result<(), StorageError> {
        bounds::check_append(entries)?;
        let put: Changes = entries.iter().map(|entry| (entry.key.clone(), Some(entry.value.clone()))).collect();
        self.write(Durability::Lazy, |view, _| Ok(Some((put.clone(), view.times))))?;
        Ok(())
    }

    /// When the jobs may be claimed, in milliseconds since the Unix epoch; `None` if nothing is planned.
    ///
    /// # Errors
    /// [`StorageError::Other`] if the files can't be read.
    pub fn next_due(&mut self, now: u64) -> Result<Option<u64>, StorageError> {
        self.view.refresh()?;
        Ok(self.view.times.next(now))
    }

    /// Claims the jobs, if they are due and nobody else has claimed them. Commits of this object renew the claim.
    ///
    /// # Errors
    /// Those of [`Folder::commit`].
    pub fn claim(&mut self, now: u64) -> Result<Option<Claim>, StorageError> {
        self.held = None;
        let claimed = self.write(Durability::Durable, |view, version| {
            Ok(view.times.claimed(version, now).map(|times| (Changes::new(), times)))
        })?;
        self.held = claimed;
        Ok(claimed.and(self.view.times.claim))
    }

    /// Renews the claim from now on; `None` if another host has it by now.
    ///
    /// # Errors
    /// Those of [`Folder::commit`].
    pub fn renew(&mut self, number: u64, now: u64) -> Result<Option<Claim>, StorageError> {
        let claim = Claim { number, until: now.saturating_add(CLAIM) };
        let renewed = self.write(Durability::Durable, |view, _| {
            let times = Times { claim: Some(claim), ..view.times };
            Ok(view.times.is_claimed_by(number).then(|| (Changes::new(), times)))
        })?;
        Ok(renewed.map(|_| claim))
    }

    /// Ends the claim: the organization is due at `next`, or earlier if a commit has set an earlier time meanwhile. Returns
    /// whether the claim was still this one: another claim stays, but `next` counts nevertheless.
    ///
    /// # Errors
    /// Those of [`Folder::commit`].
    pub fn release(&mut self, number: u64, next: Option<u64>) -> Result<bool, StorageError> {
        self.held = None;
        let mut was_held = false;
        self.write(Durability::Durable, |view, _| {
            was_held = view.times.is_claimed_by(number);
            let times = view.times.with_wake_at(next);
            let claim = if was_held { None } else { times.claim };
            let times = Times { claim, ..times };
            Ok((times != view.times).then(|| (Changes::new(), times)))
        })?;
        Ok(was_held)
    }

    /// Removes all data of the organization. Its versions keep growing.
    ///
    /// # Errors
    /// Those of [`Folder::commit`].
    pub fn clear(&mut self) -> Result<(), StorageError> {
        self.held = None;
        self.write(Durability::Durable, |view, _| {
            let everything = view.range(&[], &[0xFF; 513], false);
            let changes = everything.map(|entry| Ok((entry?.0, None))).collect::<Result<Changes, Fault>>()?;
            Ok(Some((changes, Times::default())))
        })?;
        Ok(())
    }

    /// Does work that can wait until a request is answered: it makes the table of the next epoch if that is due.
    ///
    /// # Errors
    /// [`StorageError::Full`], or [`StorageError::Other`] if the files can't be read.
    pub fn tidy(&mut self) -> Result<(), StorageError> {
        Ok(self.view.tidy()?)
    }

    /// Plans a commit on the newest state and writes it, and repeats this while others are faster. Nothing is written if the
    /// plan is `None`. Returns the commit's version.
    fn write(
        &mut self,
        durability: Durability,
        mut plan: impl FnMut(&View, u64) -> Result<Option<(Changes, Times)>, StorageError>,
    ) -> Result<Option<u64>, StorageError> {
        for _ in 0..TRIES {
            self.view.refresh()?;
            if self.held.is_some_and(|number| !self.view.times.is_claimed_by(number)) {
                return Err(StorageError::Unavailable("somebody else has taken over the jobs".into()));
            }
            let version = self.view.version + 1;
            let Some((changes, times)) = plan(&self.view, version)? else { return Ok(None) };
            let times = self.renewed(times);
            // After a fault here it is uncertain whether the commit exists, because its name may have been given.
            let published = self.view.publish(changes, times, durability);
            match published {
                Ok(Published::First) => return Ok(Some(version)),
                Ok(Published::TooLate) => {}
                Err(fault) => {
                    let error = StorageError::from(fault);
                    let is_open = self.view.version >= version && error != StorageError::Full;
                    return Err(if is_open { StorageError::Unavailable(error.to_string()) } else { error });
                }
            }
        }
        Err(StorageError::Unavailable("others commit all the time".into()))
    }

    /// These times, with the claim of this object renewed.
    fn renewed(&self, times: Times) -> Times {
        let held = times.claim.filter(|claim| self.held == Some(claim.number));
        let renew = |claim: Claim| Claim { until: claim.until.max(milliseconds().saturating_add(CLAIM)), ..claim };
        Times { claim: held.map_or(times.claim, |claim| Some(renew(claim))), ..times }
    }
}

/// The time now, in milliseconds since the Unix epoch.
fn milliseconds() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Reads one page within `left` bytes, and reduces `left`. The page that would exceed it leaves nothing for the pages after
/// it.
fn scan_page(view: &View, page: &Page, left: &mut usize) -> Result<Scanned, Fault> {
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX).min(PAGE_ENTRIES);
    let skip = usize::try_from(page.skip).unwrap_or(usize::MAX);
    let mut scanned = Scanned::default();
    let mut used = 0;
    for (at, item) in view.range(&page.range.start, &page.range.end, page.reverse).enumerate() {
        let (key, item) = item?;
        if at < skip {
            continue;
        }
        let size = key.len() + item.value.len();
        scanned.more = true;
        if scanned.entries.len() == limit || used + size > PAGE_BYTES {
            break;
        }
        if used + size > *left {
            *left = 0;
            return Ok(scanned);
        }
        scanned.more = false;
        used += size;
        scanned.entries.push(Entry { key, value: item.value, version: item.version });
    }
    *left -= used;
    Ok(scanned)
}

/// Adds a change to those before it in the transaction.
fn make(view: &View, changes: &mut Changes, change: &Change) -> Result<(), StorageError> {
    match change {
        Change::Put(entry) => drop(changes.insert(entry.key.clone(), Some(entry.value.clone()))),
        Change::Delete(key) => drop(changes.insert(key.clone(), None)),
        Change::DeleteRange(KeyRange { start, end }) if start < end => {
            let within = (Bound::Included(start.as_slice()), Bound::Excluded(end.as_slice()));
            changes.range_mut::<[u8], _>(within).for_each(|(_, value)| *value = None);
            for entry in view.range(start, end, false) {
                changes.insert(entry.map_err(StorageError::from)?.0, None);
            }
        }
        Change::DeleteRange(_) => {}
        Change::Add(add) => {
            let before = match changes.get(&add.key) {
                Some(value) => value.clone(),
                None => view.get(&add.key)?.map(|item| item.value),
            };
            changes.insert(add.key.clone(), Some(add.apply(before.as_deref())?));
        }
    }
    Ok(())
}
