//! The newest state that an instance knows, and how it gets to a newer one.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use insomnia_scim_contract::{Item, Key};

use crate::commit::Commit;
use crate::files::{self, Fault, Published};
use crate::merge::{self, Overlay};
use crate::table::Table;
use crate::times::Times;

/// After this long an instance looks for the newest epoch again.
const TRUST: Duration = Duration::from_secs(600);
/// How long the folder of an epoch is kept after the epoch is over.
const KEEP: Duration = Duration::from_secs(3_600);
/// The fewest commits of an epoch. After them it ends when its commits cost a quarter of the bytes of its table, or at the next
/// number at the latest.
const LEAST_COMMITS: u64 = 32;
const MOST_COMMITS: u64 = 128;
/// The cost of a commit's file besides its bytes.
const COMMIT_COST: u64 = 4_096;
/// How often the newest epoch is looked for while others go on.
const LOOKS: usize = 20;

/// Whether a commit is on the disk when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It survives a power failure.
    Durable,
    /// It may be lost if the machine stops, but only as a whole.
    Lazy,
}

/// A state: the table of an epoch, and the later commits.
pub(crate) struct View {
    root: PathBuf,
    epoch: u64,
    /// How many commits of the epoch have been read.
    commits: u64,
    /// Their length, in bytes.
    length: u64,
    is_over: bool,
    table: Table,
    overlay: Overlay,
    since: Instant,
    /// The version of the last commit.
    pub(crate) version: u64,
    /// The times after it.
    pub(crate) times: Times,
}

impl View {
    /// The newest state in this folder, which is created if it is absent.
    pub(crate) fn open(root: &Path) -> Result<Self, Fault> {
        fs::create_dir_all(root)?;
        for _ in 0..LOOKS {
            let epoch = match hint(root)? {
                Some(epoch) => epoch,
                None => match newest(root)? {
                    Some(epoch) => epoch,
                    // If a table can't be found, but there are later epochs, the storage must not begin again.
                    None if epochs(root)?.iter().all(|epoch| *epoch <= 1) => begin(root)?,
                    None => return Err(Fault::Damaged("no epoch has a table")),
                },
            };
            match Self::of(root, epoch) {
                // The hint was old: others have moved on, and have removed the epoch.
                Err(fault) if fault.is_absence() => {
                    if let Some(epoch) = newest(root)?
                        && let Ok(view) = Self::of(root, epoch)
                    {
                        return Ok(view);
                    }
                }
                view => return view,
            }
        }
        Err(Fault::Damaged("no epoch has a table"))
    }

    fn of(root: &Path, epoch: u64) -> Result<Self, Fault> {
        let table = Table::open(&table_of(root, epoch))?;
        let (version, times) = (table.version, table.times);
        Ok(Self {
            root: root.to_owned(),
            epoch,
            commits: 0,
            length: 0,
            is_over: false,
            table,
            overlay: Overlay::new(),
            since: Instant::now(),
            version,
            times,
        })
    }

    /// Reads the commits of others since then.
    pub(crate) fn refresh(&mut self) -> Result<(), Fault> {
        if self.since.elapsed() > TRUST {
            *self = Self::open(&self.root)?;
        }
        loop {
            if self.is_over {
                self.go_on()?;
            }
            match fs::read(self.next_commit()) {
                Ok(bytes) => {
                    let commit = Commit::decode(&bytes)?;
                    if commit.version != self.version + 1 {
                        return Err(Fault::Damaged("a commit has the version of another"));
                    }
                    self.apply(commit);
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The item at a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Item>, Fault> {
        self.overlay.get(key).map_or_else(|| self.table.get(key), |item| Ok(item.clone()))
    }

    /// The items with `start <= key < end`, from one end of the range to the other.
    pub(crate) fn range<'a>(
        &'a self,
        start: &'a [u8],
        end: &'a [u8],
        reverse: bool,
    ) -> impl Iterator<Item = Result<(Key, Item), Fault>> + 'a {
        merge::merged(&self.table, &self.overlay, start, end, reverse)
    }

    /// Writes the next commit. It is too late if another instance has written that one.
    pub(crate) fn publish(
        &mut self,
        changes: BTreeMap<Key, Option<Vec<u8>>>,
        times: Times,
        durability: Durability,
    ) -> Result<Published, Fault> {
        let mut commit = Commit { version: self.version + 1, is_last: false, times, changes };
        commit.is_last = self.ends_with(commit.size() as u64);
        let name = self.next_commit();
        match files::publish(&name, |file| Ok(file.write_all(&commit.encode())?)) {
            Ok(Published::First) => {}
            // The epoch was over long ago, and its folder is gone.
            Err(fault) if fault.is_absence() => {
                *self = Self::open(&self.root)?;
                return Ok(Published::TooLate);
            }
            other => return other,
        }
        self.apply(commit);
        if durability == Durability::Durable {
            files::sync_name(&name)?;
        }
        Ok(Published::First)
    }

    /// Makes the next epoch if this one is over, and removes files that are not needed any more.
    pub(crate) fn tidy(&mut self) -> Result<(), Fault> {
        if self.is_over { self.go_on() } else { Ok(()) }
    }

    fn next_commit(&self) -> PathBuf {
        folder_of(&self.root, self.epoch).join((self.commits + 1).to_string())
    }

    fn ends_with(&self, length: u64) -> bool {
        let commits = self.commits + 1;
        let cost = self.length + length + commits * COMMIT_COST;
        commits >= MOST_COMMITS || (commits >= LEAST_COMMITS && cost >= self.table.length / 4)
    }

    fn apply(&mut self, commit: Commit) {
        self.commits += 1;
        self.length += commit.size() as u64;
        let version = commit.version;
        let items = commit.changes.into_iter().map(|(key, value)| (key, value.map(|value| Item { value, version })));
        self.overlay.extend(items);
        (self.version, self.times, self.is_over) = (version, commit.times, commit.is_last);
    }

    /// Moves to the next epoch, whose table this instance makes if nobody else has, or to the newest one.
    fn go_on(&mut self) -> Result<(), Fault> {
        let next = self.epoch + 1;
        match newest(&self.root)? {
            Some(newest) if newest >= next => *self = Self::of(&self.root, newest)?,
            _ => {
                let items = merge::all(&self.table, &self.overlay);
                make_epoch(&self.root, next, self.version, self.times, items)?;
                *self = Self::of(&self.root, next)?;
                clean(&self.root, next)?;
            }
        }
        Ok(())
    }
}

/// Makes the first epoch, which is empty.
fn begin(root: &Path) -> Result<u64, Fault> {
    make_epoch(root, 1, 0, Times::default(), std::iter::empty())?;
    Ok(1)
}

/// Makes an epoch. If others make the same one, their table has the same content.
fn make_epoch(
    root: &Path,
    epoch: u64,
    version: u64,
    times: Times,
    items: impl Iterator<Item = Result<(Key, Item), Fault>>,
) -> Result<(), Fault> {
    let folder = folder_of(root, epoch);
    fs::create_dir_all(&folder)?;
    let table = table_of(root, epoch);
    files::publish(&table, |file| Table::write(file, version, times, items))?;
    files::sync_name(&table)?;
    files::sync_name(&folder)?;
    files::replace(&root.join("current"), epoch.to_string().as_bytes())
}

/// Removes the tables of all epochs before the last one, and the folders of epochs that have been over for an hour. Files that
/// others remove at the same time are ignored. Files that can't be removed now are left to the next call.
fn clean(root: &Path, newest: u64) -> Result<(), Fault> {
    let is_old = |path: &Path| {
        let changed = fs::metadata(path).and_then(|file| file.modified()).ok();
        changed.and_then(|changed| SystemTime::now().duration_since(changed).ok()).is_some_and(|age| age > KEEP)
    };
    for epoch in epochs(root)?.into_iter().filter(|epoch| epoch + 2 <= newest) {
        let folder = folder_of(root, epoch);
        let is_over = is_old(&folder);
        if fs::remove_file(table_of(root, epoch)).is_err() && is_over {
            for file in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let _ = fs::remove_file(file.path());
            }
            let _ = fs::remove_dir(&folder);
        }
    }
    // Removes drafts that a crash has left.
    for file in fs::read_dir(root)?.flatten().map(|file| file.path()) {
        if file.extension().is_some_and(|extension| extension == "draft") && is_old(&file) {
            let _ = fs::remove_file(file);
        }
    }
    Ok(())
}

fn hint(root: &Path) -> Result<Option<u64>, Fault> {
    match fs::read_to_string(root.join("current")) {
        Ok(text) => Ok(text.parse().ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The newest epoch that has a table.
fn newest(root: &Path) -> Result<Option<u64>, Fault> {
    let mut epochs = epochs(root)?;
    epochs.retain(|epoch| table_of(root, *epoch).is_file());
    Ok(epochs.into_iter().max())
}

fn epochs(root: &Path) -> Result<Vec<u64>, Fault> {
    let mut epochs = Vec::new();
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        epochs.extend(
            name.to_str().and_then(|name| name.strip_prefix("epoch-")).and_then(|number| number.parse::<u64>().ok()),
        );
    }
    Ok(epochs)
}

fn folder_of(root: &Path, epoch: u64) -> PathBuf {
    root.join(format!("epoch-{epoch}"))
}

fn table_of(root: &Path, epoch: u64) -> PathBuf {
    folder_of(root, epoch).join("table")
}
