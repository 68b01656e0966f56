//! Stores alerts in the host's own space of the storage, so that they survive a restart and all hosts share them.
//!
//! | key | value |
//! |---|---|
//! | `alert/turn` | which host has the turn, and when the last look was |
//! | `alert/on/fleet/ORGANIZATION CAUSE` | an alert that was found by looking at the organization |
//! | `alert/on/seen/SUBJECT CAUSE` | an alert about what a host has noticed, in an organization or about itself |
//! | `alert/seen/SUBJECT CAUSE` | when a host has last noticed it |
//!
//! A space separates subject and cause. It sorts before every character that a name may have, so the keys of
//! organizations are in the order of their names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cause::AlertCause;
use super::state::State;
use crate::capability::host_space::{HostSpace, unchanged};
use crate::capability::schedule::{Claim, Schedule};
use crate::capability::storage::{Change, Condition, Entry, Item, Key, KeyRange, Storage, StorageError};

const TURN: &[u8] = b"alert/turn";
const ON: &str = "alert/on/";
const FLEET: &str = "alert/on/fleet/";
const SEEN_ON: &str = "alert/on/seen/";
const SEEN: &str = "alert/seen/";
/// The character after the space: keys with it come after all keys of an organization of this name, and before those of
/// longer names.
const AFTER_SPACE: char = '!';
/// How often a change of the turn is tried when others change it too.
const TRIES: usize = 8;

/// A cause and its subject: the name of an organization, or of a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct About {
    pub(super) subject: String,
    pub(super) cause: AlertCause,
}

impl About {
    pub(super) fn new(cause: AlertCause, subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), cause }
    }

    fn key(&self, prefix: &str) -> Key {
        format!("{prefix}{} {}", self.subject, self.cause).into()
    }

    fn parse(key: &[u8], prefix: &str) -> Option<Self> {
        let (subject, cause) = str::from_utf8(key).ok()?.strip_prefix(prefix)?.rsplit_once(' ')?;
        Some(Self::new(cause.parse().ok()?, subject))
    }
}

/// How an alert was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It was found by looking at each organization.
    Fleet,
    /// A host has noticed it.
    Seen,
}

impl Found {
    fn prefix(self) -> &'static str {
        match self {
            Self::Fleet => FLEET,
            Self::Seen => SEEN_ON,
        }
    }
}

/// An alert as it is stored.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) about: About,
    pub(super) state: State,
    key: Key,
    /// `None` for an alert that is not stored.
    version: Option<u64>,
}

impl Stored {
    /// An alert about the storage itself, which is kept in memory.
    pub(super) fn in_memory(about: About, state: State) -> Self {
        Self { about, state, key: Key::new(), version: None }
    }

    pub(super) fn is_in_memory(&self) -> bool {
        self.key.is_empty()
    }
}

/// An observation of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sight {
    /// Its time, in milliseconds since the Unix epoch.
    pub(super) at: u64,
    /// Details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
}

/// The record of the turns. One host at a time has the turn to look and to send, by the rules of [`Schedule`], which
/// also apply to an organization's jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Turns {
    wake_at: Option<u64>,
    until: Option<u64>,
    /// The number of the last claim.
    number: u64,
    #[serde(flatten)]
    last: Look,
}

/// The last look at all organizations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Look {
    /// When it began, in milliseconds since the Unix epoch; 0 for never.
    pub(super) looked: u64,
    /// How long it took, in milliseconds.
    pub(super) took: u64,
}

impl Turns {
    fn schedule(self) -> Schedule {
        Schedule { wake_at: self.wake_at, claim: self.until.map(|until| Claim { number: self.number, until }) }
    }

    fn set(&mut self, schedule: Schedule) {
        self.wake_at = schedule.wake_at;
        self.until = schedule.claim.map(|claim| claim.until);
        self.number = schedule.claim.map_or(self.number, |claim| claim.number);
    }
}

/// A host's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) number: u64,
    pub(super) last: Look,
}

/// The alerts in a storage.
#[derive(Clone, Copy)]
pub(super) struct Book<'s>(pub(super) &'s dyn Storage);

impl Book<'_> {
    /// Takes the turn; `None` if none is due, or if another host has it.
    pub(super) async fn take_turn(self, now: u64) -> Result<Option<Turn>, StorageError> {
        self.change_turns(|turns| {
            let mut schedule = turns.schedule();
            if *turns == Turns::default() {
                schedule.wake(now);
            }
            let claim = schedule.claim(turns.number + 1, now)?;
            turns.set(schedule);
            Some(Turn { number: claim.number, last: turns.last })
        })
        .await
    }

    /// Renews the turn; `false` if another host has it.
    pub(super) async fn keep_turn(self, number: u64, now: u64) -> Result<bool, StorageError> {
        let kept = self.change_turns(|turns| {
            let mut schedule = turns.schedule();
            schedule.renew(number, now)?;
            turns.set(schedule);
            Some(())
        });
        Ok(kept.await?.is_some())
    }

    /// Gives the turn back. The next one is due at this time.
    pub(super) async fn end_turn(self, turn: Turn, next: u64) -> Result<(), StorageError> {
        let ended = self.change_turns(|turns| {
            let mut schedule = turns.schedule();
            if schedule.release(turn.number, Some(next)) {
                turns.last = turn.last;
            }
            turns.set(schedule);
            Some(())
        });
        ended.await.map(drop)
    }

    /// Makes the next turn due now.
    async fn wake(self, now: u64) -> Result<(), StorageError> {
        let woken = self.change_turns(|turns| {
            let mut schedule = turns.schedule();
            schedule.wake(now);
            turns.set(schedule);
            Some(())
        });
        woken.await.map(drop)
    }

    /// Reads, changes and writes the record of the turns. If another host was faster, all of this is done again. If
    /// `change` returns `None`, nothing is written.
    async fn change_turns<T>(self, change: impl Fn(&mut Turns) -> Option<T>) -> Result<Option<T>, StorageError> {
        let mut tries = 0;
        loop {
            let found = self.space().get(TURN.to_vec()).await?;
            let require = unchanged(TURN.to_vec(), found.as_ref());
            // A record that can't be read is replaced by a new one.
            let read = |item: Item| serde_json::from_slice::<Turns>(&item.value).ok();
            let mut turns = found.and_then(read).unwrap_or_default();
            let Some(changed) = change(&mut turns) else { return Ok(None) };
            let changes = vec![Change::put(TURN.to_vec(), encode(&turns)?)];
            match self.space().commit(vec![require], changes).await {
                Err(StorageError::Conflict(_)) if tries < TRIES => tries += 1,
                written => return written.map(|_| Some(changed)),
            }
        }
    }

    /// The alerts about the organizations whose names come after `after`, up to `last`, or up to the end if there is no
    /// `last`.
    pub(super) async fn of_fleet(self, after: Option<&str>, last: Option<&str>) -> Result<Vec<Stored>, StorageError> {
        let beyond = |name: &str| format!("{FLEET}{name}{AFTER_SPACE}").into_bytes();
        let all = KeyRange::beginning_with(FLEET);
        let range = KeyRange { start: after.map_or(all.start, beyond), end: last.map_or(all.end, beyond) };
        let entries = self.space().all(range).await?;
        Ok(entries.into_iter().filter_map(|entry| stored(entry, Found::Fleet)).collect())
    }

    /// The alerts about what hosts have noticed.
    pub(super) async fn of_seen(self) -> Result<Vec<Stored>, StorageError> {
        let entries = self.space().all(KeyRange::beginning_with(SEEN_ON)).await?;
        Ok(entries.into_iter().filter_map(|entry| stored(entry, Found::Seen)).collect())
    }

    /// A page of all alerts after the position `after`, which an earlier call has returned; and the position of the
    /// next page, if there is one.
    pub(super) async fn page(
        self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<Stored>, Option<String>), StorageError> {
        let mut range = KeyRange::beginning_with(ON);
        if let Some(after) = after {
            range.start = format!("{ON}{after}\0").into();
        }
        let scanned = self.space().scan(range, limit).await?;
        let last = scanned.entries.last().filter(|_| scanned.more);
        let next = last.and_then(|entry| Some(str::from_utf8(&entry.key).ok()?.strip_prefix(ON)?.to_owned()));
        let of = |entry: Entry| {
            let found = if entry.key.starts_with(FLEET.as_bytes()) { Found::Fleet } else { Found::Seen };
            stored(entry, found)
        };
        Ok((scanned.entries.into_iter().filter_map(of).collect(), next))
    }

    /// The observations of all hosts.
    pub(super) async fn sights(self) -> Result<BTreeMap<About, Sight>, StorageError> {
        let entries = self.space().all(KeyRange::beginning_with(SEEN)).await?;
        let read = |entry: Entry| Some((About::parse(&entry.key, SEEN)?, serde_json::from_slice(&entry.value).ok()?));
        Ok(entries.into_iter().filter_map(read).collect())
    }

    /// Stores this host's observations, and makes the next turn due.
    pub(super) async fn note(self, seen: &BTreeMap<About, Sight>, now: u64) -> Result<(), StorageError> {
        let put =
            |(about, sight): (&About, &Sight)| Ok::<_, StorageError>(Change::put(about.key(SEEN), encode(sight)?));
        let changes = seen.iter().map(put).collect::<Result<Vec<_>, _>>()?;
        self.space().change(changes).await?;
        self.wake(now).await
    }

    /// Deletes observations.
    pub(super) async fn forget(self, seen: &[About]) -> Result<(), StorageError> {
        let changes: Vec<Change> = seen.iter().map(|about| Change::Delete(about.key(SEEN))).collect();
        if changes.is_empty() { Ok(()) } else { self.space().change(changes).await }
    }

    /// Stores the new states of alerts; `None` for an alert that is over.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] if another host has written one of them meanwhile.
    pub(super) async fn write(
        self,
        found: Found,
        changes: Vec<(About, Option<Stored>, Option<State>)>,
    ) -> Result<(), StorageError> {
        if changes.is_empty() {
            return Ok(());
        }
        let (mut conditions, mut writes) = (Vec::new(), Vec::new());
        for (about, before, after) in changes {
            let key = before.as_ref().map_or_else(|| about.key(found.prefix()), |before| before.key.clone());
            conditions.push(match before.and_then(|before| before.version) {
                Some(version) => Condition::version(key.clone(), version),
                None => Condition::Absent(key.clone()),
            });
            writes.push(match after {
                Some(state) => Change::put(key, encode(&state)?),
                None => Change::Delete(key),
            });
        }
        self.space().commit(conditions, writes).await.map(drop)
    }

    /// Stores alerts of which somebody was told, and deletes those for which `done` is true. Alerts in memory are
    /// skipped.
    ///
    /// # Errors
    /// Those of [`Book::write`].
    pub(super) async fn rewrite(
        self,
        told: &mut [&mut Stored],
        done: impl Fn(&Stored) -> bool,
    ) -> Result<(), StorageError> {
        let (mut conditions, mut writes) = (Vec::new(), Vec::new());
        for stored in told.iter() {
            let Some(version) = stored.version else { continue };
            conditions.push(Condition::version(stored.key.clone(), version));
            writes.push(match done(stored) {
                true => Change::Delete(stored.key.clone()),
                false => Change::put(stored.key.clone(), encode(&stored.state)?),
            });
        }
        if writes.is_empty() {
            return Ok(());
        }
        let version = self.space().commit(conditions, writes).await?;
        for stored in told {
            stored.version = stored.version.map(|_| version);
        }
        Ok(())
    }

    fn space(&self) -> HostSpace<'_> {
        HostSpace(self.0)
    }
}

/// Reads a stored alert. If its state can't be read, the alert begins anew if it is found again.
fn stored(entry: Entry, found: Found) -> Option<Stored> {
    let about = About::parse(&entry.key, found.prefix())?;
    let state = serde_json::from_slice(&entry.value).unwrap_or_else(|_| State::unknown());
    Some(Stored { about, state, key: entry.key, version: Some(entry.version) })
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, StorageError> {
    serde_json::to_vec(value).map_err(|error| StorageError::Other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::state::after;
    use crate::capability::schedule::CLAIM;
    use crate::storage::MemoryStorage;

    const NOW: u64 = 1_800_000_000_000;

    #[tokio::test]
    async fn p9_one_host_at_a_time_looks_and_tells_and_another_takes_over_from_one_that_was_killed() {
        let storage = MemoryStorage::new();
        let book = Book(&storage);
        let first = book.take_turn(NOW).await.unwrap().unwrap();
        assert_eq!(book.take_turn(NOW + CLAIM - 1).await, Ok(None), "another host has it");
        assert_eq!(book.keep_turn(first.number, NOW + CLAIM - 1).await, Ok(true));
        assert_eq!(book.take_turn(NOW + 2 * CLAIM - 2).await, Ok(None));
        // The first host is killed, so nobody renews its turn.
        let second = book.take_turn(NOW + 2 * CLAIM).await.unwrap().unwrap();
        assert_eq!(book.keep_turn(first.number, NOW + 2 * CLAIM).await, Ok(false));
        let last = Look { looked: NOW, took: 7 };
        book.end_turn(Turn { last, ..first }, NOW).await.unwrap();
        assert_eq!(book.take_turn(NOW + 2 * CLAIM).await, Ok(None), "it has nothing to give back");
        book.end_turn(Turn { last, ..second }, NOW + 3 * CLAIM).await.unwrap();
        let third = book.take_turn(NOW + 3 * CLAIM).await.unwrap().unwrap();
        assert_eq!(third.last, last, "the next one knows when somebody looked last");
        book.end_turn(third, NOW + 9 * CLAIM).await.unwrap();
        assert_eq!(book.take_turn(NOW + 4 * CLAIM).await, Ok(None), "nothing is due");
        let seen = BTreeMap::from([(
            About::new(AlertCause::QuotaUsedUp, "acme"),
            Sight { at: NOW, detail: Some("emails-per-day".into()) },
        )]);
        book.note(&seen, NOW + 4 * CLAIM).await.unwrap();
        assert_eq!(book.sights().await.unwrap(), seen);
        assert!(book.take_turn(NOW + 4 * CLAIM).await.unwrap().is_some(), "what was seen makes it due");
        book.forget(&seen.into_keys().collect::<Vec<_>>()).await.unwrap();
        assert!(book.sights().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn p9_alerts_are_in_the_order_of_the_organizations_whatever_their_names() {
        let storage = MemoryStorage::new();
        let book = Book(&storage);
        let state = after(None, Some(None), false, NOW).unwrap();
        let about = |name: &str| About::new(AlertCause::SeatsFull, name);
        for name in ["acme", "acme-2", "acme2", "b", "0"] {
            book.write(Found::Fleet, vec![(about(name), None, Some(state.clone()))]).await.unwrap();
        }
        let of = async |after: Option<&str>, last: Option<&str>| {
            let found = book.of_fleet(after, last).await.unwrap();
            found.into_iter().map(|stored| stored.about.subject).collect::<Vec<_>>()
        };
        assert_eq!(of(None, None).await, ["0", "acme", "acme-2", "acme2", "b"]);
        assert_eq!(of(None, Some("acme")).await, ["0", "acme"]);
        assert_eq!(of(Some("acme"), Some("acme2")).await, ["acme-2", "acme2"]);
        assert_eq!(of(Some("acme2"), None).await, ["b"]);
        // If two hosts find the same alert, neither overwrites what the other has sent.
        let put = vec![Change::put(about("b").key(FLEET), b"spoilt".to_vec())];
        book.space().commit(Vec::new(), put).await.unwrap();
        let spoilt = book.of_fleet(Some("acme2"), None).await.unwrap().remove(0);
        let next = after(Some(spoilt.state.clone()), Some(None), false, NOW);
        assert_eq!(next, Some(state.clone()), "what can't be read is begun anew");
        book.write(Found::Fleet, vec![(about("b"), Some(spoilt), next)]).await.unwrap();
        let again = book.write(Found::Fleet, vec![(about("b"), None, Some(state.clone()))]).await;
        assert!(matches!(again, Err(StorageError::Conflict(_))), "{again:?}");
        let of_host = About::new(AlertCause::DiskNearlyFull, "@host");
        book.write(Found::Seen, vec![(of_host.clone(), None, Some(state))]).await.unwrap();
        let (mut names, mut after) = (Vec::new(), None::<String>);
        loop {
            let (page, next) = book.page(after.as_deref(), 2).await.unwrap();
            names.extend(page.into_iter().map(|stored| stored.about.subject));
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(names, ["0", "acme", "acme-2", "acme2", "b", "@host"]);
    }
}
