//! Measures memory, files and rows at the end of an hour, and decides whether they are more than a day before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;

use insomnia_scim::OrganizationId;
use insomnia_scim::capability::storage::{KeyRange, Page, Storage as _};
use insomnia_scim::delivery::DeliveryQueue;

use super::world::World;
use crate::rules::organization::name;

/// Hours that are taken together, since jobs and checkpoints come when they come.
pub(super) const QUARTER: usize = 6;
/// How many emails or events of each queue are read, which is more than may wait.
const PAGE: u32 = 500;
/// What is kept for 400 days on purpose: it grows by what is done.
const KEPT: [&str; 1] = ["audit"];
/// By how much a value of the last day may exceed that of the day before: a share of it, and so much besides.
const ROWS: (f64, f64) = (0.02, 10.0);
const KIBIBYTES_OF_DATABASE: (f64, f64) = (0.05, 512.0);
/// The log is cut back to 80 MiB after a burst, and is as long as the last one in between.
const KIBIBYTES_OF_LOG: (f64, f64) = (0.25, 8_192.0);
/// Until it has 64 MiB, and with the last transaction some more, the log may grow.
const KIBIBYTES_OF_FULL_LOG: f64 = 73_728.0;
const KIBIBYTES_OF_MEMORY: (f64, f64) = (0.10, 16_384.0);
const WAITING: (f64, f64) = (0.0, 5.0);

/// What there is at the end of an hour; sizes in KiB.
pub(super) struct Hour {
    requests: u64,
    resident: u64,
    anonymous: u64,
    /// As far as it is written, be it in its own file or still in the log.
    database: u64,
    log: u64,
    /// Emails and events that wait, or are parked.
    waiting: u64,
    /// By the kind of key: what a key begins with up to its first slash.
    rows: BTreeMap<String, u64>,
}

impl Hour {
    pub(super) fn measure(world: &World, requests: u64) -> Self {
        let (rows, waiting) = world.runtime.block_on(async {
            world.provisioner.flush().await.expect("what was logged is stored");
            (rows(world).await, waiting(world).await)
        });
        let log = fs::metadata(world.log()).map_or(0, |file| file.len() >> 10);
        let [resident, anonymous] = ["VmRSS:", "RssAnon:"].map(memory);
        Self { requests, resident, anonymous, database: world.database(), log, waiting, rows }
    }

    fn sum(&self) -> u64 {
        self.rows.values().sum()
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, resident, anonymous, database, log, waiting, .. } = self;
        let (resident, anonymous, rows) = (resident >> 10, anonymous >> 10, self.sum());
        write!(f, "{requests:>8} {resident:>8} {anonymous:>8} {database:>12} {log:>8} {rows:>8} {waiting:>8}")
    }
}

/// How many rows there are of each kind, those of the host behind `host:`.
async fn rows(world: &World) -> BTreeMap<String, u64> {
    let mut rows = BTreeMap::new();
    for (of, before) in [(name(), ""), (OrganizationId::host(), "host:")] {
        let mut start = Vec::new();
        loop {
            let range = KeyRange { start, end: vec![0xff; 64] };
            let page = Page { range, reverse: false, skip: 0, limit: u32::MAX };
            let scanned = world.storage.scan(&of, vec![page]).await.expect("a scan").remove(0);
            for entry in &scanned.entries {
                let kind = entry.key.split(|byte| *byte == b'/').next().unwrap_or_default();
                *rows.entry(format!("{before}{}", String::from_utf8_lossy(kind))).or_default() += 1;
            }
            match scanned.entries.last() {
                Some(last) if scanned.more => start = [last.key.as_slice(), &[0]].concat(),
                _ => break,
            }
        }
    }
    rows
}

async fn waiting(world: &World) -> u64 {
    use DeliveryQueue::{EmailsParked, EmailsWaiting, EventsParked, EventsWaiting};
    let organization = world.provisioner.organization(&name());
    let mut waiting = 0;
    for queue in [EmailsWaiting, EmailsParked, EventsWaiting, EventsParked] {
        let items = organization.deliveries(queue, None, PAGE).await.expect("what waits").items;
        assert!(items.len() < PAGE as usize, "so much waits that it can't be counted: {queue:?}");
        waiting += items.len() as u64;
    }
    waiting
}

/// A line of this process's state, in KiB.
fn memory(line: &str) -> u64 {
    let state = fs::read_to_string("/proc/self/status").expect("the state of the process");
    let found = state.lines().find_map(|known| known.strip_prefix(line)).expect("its memory");
    found.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

/// The mean of a value in each quarter of the day.
fn quarters(day: &[Hour], value: impl Fn(&Hour) -> u64) -> Vec<f64> {
    let mean = |hours: &[Hour]| hours.iter().map(|hour| value(hour) as f64).sum::<f64>() / hours.len() as f64;
    day.chunks(QUARTER).map(mean).collect()
}

fn kinds<'d>(one: &'d [Hour], other: &'d [Hour]) -> BTreeSet<&'d str> {
    one.iter().chain(other).flat_map(|hour| hour.rows.keys()).map(String::as_str).collect()
}

fn of_kind(kind: &str) -> impl Fn(&Hour) -> u64 {
    move |hour| hour.rows.get(kind).copied().unwrap_or(0)
}

/// Prints how many rows of each kind there are in each quarter of both days.
pub(super) fn print_kinds(one: &[Hour], other: &[Hour]) {
    println!(
        "{:<24} {:>35}   {:>35}",
        "rows, by kind of key", "the day before, by quarter", "the last day, by quarter"
    );
    for kind in kinds(one, other) {
        let line = |day: &[Hour]| {
            let quarters = quarters(day, of_kind(kind)).into_iter().map(|mean| format!("{mean:>8.0}"));
            quarters.collect::<Vec<_>>().join(" ")
        };
        println!("{kind:<24} {}   {}", line(one), line(other));
    }
}

/// What there is more of on the second day than on the first. The memory has its say only where there was much to do.
pub(super) fn growth(one: &[Hour], other: &[Hour], looks_at_memory: bool) -> Vec<String> {
    let mut grown = Vec::new();
    let mut compare = |what: &str, (share, besides): (f64, f64), value: &dyn Fn(&Hour) -> u64| {
        for (quarter, (before, after)) in quarters(one, value).into_iter().zip(quarters(other, value)).enumerate() {
            if after > before * (1.0 + share) + besides {
                grown.push(format!("{what}, quarter {} of the day: {before:.0}, a day later {after:.0}", quarter + 1));
            }
        }
    };
    for kind in kinds(one, other).into_iter().filter(|kind| !KEPT.contains(kind)) {
        compare(&format!("rows of {kind}"), ROWS, &of_kind(kind));
    }
    compare("emails and events that wait", WAITING, &|hour| hour.waiting);
    if looks_at_memory {
        compare("KiB of resident memory", KIBIBYTES_OF_MEMORY, &|hour| hour.resident);
        compare("KiB of anonymous memory", KIBIBYTES_OF_MEMORY, &|hour| hour.anonymous);
    }
    // The log is moved into the database when it has 64 MiB, and stays as long as it was: what counts is the most of the day.
    let most = |day: &[Hour], value: &dyn Fn(&Hour) -> u64| day.iter().map(value).max().unwrap_or(0) as f64;
    for (what, (share, besides), always, value) in [
        ("the database", KIBIBYTES_OF_DATABASE, 0.0, (&|hour: &Hour| hour.database) as &dyn Fn(&Hour) -> u64),
        ("its write-ahead log", KIBIBYTES_OF_LOG, KIBIBYTES_OF_FULL_LOG, &|hour: &Hour| hour.log),
    ] {
        let (before, after) = (most(one, value), most(other, value));
        if after > always && after > before * (1.0 + share) + besides {
            grown.push(format!("KiB of {what} at the most: {before:.0}, a day later {after:.0}"));
        }
    }
    grown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(rows: u64, database: u64, resident: u64) -> Vec<Hour> {
        let hour = || Hour {
            requests: 1,
            resident,
            anonymous: 0,
            database,
            log: 0,
            waiting: 0,
            rows: BTreeMap::from([("log".to_owned(), rows), ("audit".to_owned(), rows)]),
        };
        (0..24).map(|_| hour()).collect()
    }

    #[test]
    fn p9_what_grows_by_more_than_the_tolerance_is_told_with_its_quarter() {
        let before = day(1_000, 10_000, 100_000);
        assert!(growth(&before, &day(1_025, 10_900, 120_000), true).is_empty());
        let grown = growth(&before, &day(1_100, 12_000, 200_000), false);
        assert_eq!(grown.len(), 5, "four quarters of the log, and the database: {grown:#?}");
        assert!(grown[0].starts_with("rows of log, quarter 1 of the day: 1000, a day later 1100"), "{grown:#?}");
        assert_eq!(growth(&before, &day(1_000, 10_000, 200_000), true).len(), 4);
    }
}
