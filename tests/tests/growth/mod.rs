//! Days of the same load, hour by hour. At the end there must not be more of anything that is kept, in memory or on the
//! disk, than at the same hour of the day before.
//!
//! The server is the one of the library, over HTTP, with SQLite on the disk and a clock that advances as fast as
//! requests are answered. The log and events are kept for a day, which is the shortest time, and are cleared out once a
//! day. So from the third day on there are between one and two days of them, and the same hours of two days can be
//! compared.
//!
//! The test makes one round of requests an hour, and compares rows and files in the first hours of both days. `make
//! growth LOAD=20` makes as many rounds an hour as it is told, also compares the memory, compares whole days, and
//! prints the numbers of each hour.

mod load;
mod measure;
mod world;

use std::time::Instant;

use load::Load;
use measure::{Hour, QUARTER, growth, print_kinds};
use world::World;

/// How many rounds an hour there are.
const LOAD: &str = "INSOMNIA_SCIM_GROWTH_LOAD";
/// Days until there is as much of everything as there ever is.
const BEFORE: usize = 2;
const HOURS: usize = 24;

#[test]
fn p9_a_day_of_the_same_load_leaves_no_more_than_the_day_before_it() {
    let asked = std::env::var(LOAD).ok().and_then(|rounds| rounds.parse::<u64>().ok()).filter(|rounds| *rounds > 0);
    let (rounds, begun) = (asked.unwrap_or(1), Instant::now());
    let world = World::begin();
    let mut load = Load::begin(&world, rounds);
    println!(
        "{:>3} {:>4} {:>8} {:>8} {:>8} {:>12} {:>8} {:>8} {:>8}",
        "day", "hour", "requests", "RSS MiB", "anonym.", "database KiB", "log KiB", "rows", "waiting"
    );
    let mut hours: Vec<Hour> = Vec::new();
    // Of the two days that are compared, so many hours are.
    let compared = if asked.is_some() { HOURS } else { QUARTER };
    for number in 0..(BEFORE + 1) * HOURS + compared {
        let requests = load.hour(&world);
        let hour = Hour::measure(&world, requests);
        println!("{:>3} {:>4} {hour}", number / HOURS + 1, number % HOURS);
        hours.push(hour);
    }
    let of_day = |day: usize| &hours[day * HOURS..][..compared];
    let (one, other) = (of_day(BEFORE), of_day(BEFORE + 1));
    print_kinds(one, other);
    let grown = growth(one, other, asked.is_some());
    println!("{} requests in {:.0} s; growth: {}", load.requests, begun.elapsed().as_secs_f64(), grown.len());
    assert!(grown.is_empty(), "{grown:#?}");
    assert!(load.requests as usize >= hours.len() * 15, "it was a load: {}", load.requests);
}
