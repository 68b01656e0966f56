//! The house: which room of `guest/src` and of `host/src` uses which other room, read from the sources.
//!
//! A room is a module that `lib.rs` declares: a folder, or a file beside it. [`plan`] puts each room on a floor, and a
//! room may use only rooms on floors below its own. So no rooms use each other in a circle, and whoever reads a room
//! needs to know only the rooms beneath it. The files within a room do not use each other in a circle either. `make
//! picture` draws the rooms, and a test compares this drawing with the one in the repository.

mod circles;
mod drawing;
mod plan;
mod sources;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use circles::circles;
use plan::{GUEST, HOST, Plan};
use sources::{Room, rooms};

/// Rewrites the pictures instead of comparing them. `make picture` sets it.
const REDRAW: &str = "INSOMNIA_SCIM_REDRAW";

#[test]
fn every_room_of_the_guest_uses_only_rooms_on_floors_below() {
    only_downwards(&GUEST);
}

#[test]
fn every_room_of_the_host_uses_only_rooms_on_floors_below() {
    only_downwards(&HOST);
}

#[test]
fn no_files_of_a_room_use_each_other_in_a_circle() {
    let found: Vec<String> = [&GUEST, &HOST].into_iter().flat_map(|plan| circles(&source(plan))).collect();
    assert!(found.is_empty(), "files that use each other; move what they share to one of them:\n{}", found.join("\n"));
}

#[test]
fn the_picture_of_the_guest_is_true() {
    compare(&GUEST);
}

#[test]
fn the_picture_of_the_host_is_true() {
    compare(&HOST);
}

fn only_downwards(plan: &Plan) {
    let rooms = rooms(&source(plan));
    let mut wrong = Vec::new();
    let mut debts = BTreeSet::new();
    for (name, Room { uses, .. }) in &rooms {
        let Some(floor) = plan.floor(name) else {
            wrong.push(format!("{name} is on no floor: give it one in tests/tests/house/plan.rs"));
            continue;
        };
        for (used, places) in uses {
            if plan.floor(used).is_none_or(|other| other > floor) {
                continue;
            }
            let arrow = (name.as_str(), used.as_str());
            if plan.debts.contains(&arrow) {
                debts.insert(arrow);
            } else {
                wrong.push(format!("{name} uses {used}, which is not below it: {}", places.join(", ")));
            }
        }
    }
    let paid = plan.debts.iter().filter(|arrow| !debts.contains(*arrow));
    wrong.extend(paid.map(|(from, to)| format!("{from} does not use {to} any more: take it off the debts")));
    let gone = plan.rooms().filter(|name| !rooms.contains_key(*name));
    wrong.extend(gone.map(|name| format!("{name} is in the plan and not in the house")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn compare(plan: &Plan) {
    let drawn = drawing::draw(plan, &rooms(&source(plan)));
    let file = workspace().join(format!("tests/pictures/{}.svg", plan.folder));
    if env::var_os(REDRAW).is_some() {
        fs::write(&file, &drawn).expect("the picture is written");
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == drawn, "{} is not what the sources say any more: run `make picture`", file.display());
}

fn source(plan: &Plan) -> PathBuf {
    workspace().join(plan.folder).join("src")
}

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
