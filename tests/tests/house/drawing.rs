//! The picture of a house, as SVG: floors from the top down, and lines from each room to those that it uses.
//!
//! A line that follows from others is left out: a room that uses a second room, which uses a third, may use the third
//! as well. Red lines run upwards: they violate the plan, and have to go.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::plan::Plan;
use super::sources::Room;

/// Sizes in pixels.
const WIDTH: usize = 900;
const HEIGHT: usize = 44;
const FLOOR: usize = 104;
const MARGIN: usize = 16;
const LABEL: usize = 18;
const CHARACTER: usize = 8;
const GAP: usize = 14;

/// Where a room is drawn.
struct Place {
    x: usize,
    y: usize,
    width: usize,
}

/// Draws the rooms that the plan names.
pub(super) fn draw(plan: &Plan, rooms: &BTreeMap<String, Room>) -> String {
    let places = places(plan, rooms);
    let height = plan.floors.len() * FLOOR + MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\">\n\
         <title>The rooms of {}/src: each uses only what is below it</title>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n",
        plan.folder
    );
    for (floor, (purpose, _)) in plan.floors.iter().enumerate() {
        let y = floor * FLOOR + LABEL;
        let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"{y}\" font-size=\"12\" fill=\"#666\">{purpose}</text>");
    }
    let downwards = |from: &str, to: &str| plan.floor(from) < plan.floor(to);
    for (from, to) in lines(rooms, &downwards) {
        if let (Some(from), Some(to)) = (places.get(from), places.get(to)) {
            let (x1, y1, x2, y2) = (from.x + from.width / 2, from.y + HEIGHT, to.x + to.width / 2, to.y);
            let middle = y1.midpoint(y2);
            let colour = if y1 < y2 { "#8a8fa3" } else { "#c0392b" };
            let _ = writeln!(
                svg,
                "<path d=\"M{x1} {y1}C{x1} {middle} {x2} {middle} {x2} {y2}\" fill=\"none\" stroke=\"{colour}\"/>"
            );
        }
    }
    for (name, Place { x, y, width }) in &places {
        let Some(room) = rooms.get(*name) else { continue };
        let uses: Vec<&str> = room.uses.keys().map(String::as_str).collect();
        let (middle, first, second) = (x + width / 2, y + 19, y + 35);
        let files = if room.files == 1 { "1 file".to_owned() } else { format!("{} files", room.files) };
        let _ = writeln!(
            svg,
            "<g><title>{name} uses {}</title><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" rx=\"6\" \
             fill=\"#f1effd\" stroke=\"#4f3fb5\"/><text text-anchor=\"middle\" x=\"{middle}\" y=\"{first}\" \
             font-size=\"14\">{name}</text><text text-anchor=\"middle\" x=\"{middle}\" y=\"{second}\" font-size=\"11\" \
             fill=\"#666\">{files}</text></g>",
            if uses.is_empty() { "no other room".to_owned() } else { uses.join(", ") }
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// The rooms of a floor side by side, in the middle of it.
fn places<'p>(plan: &'p Plan, rooms: &BTreeMap<String, Room>) -> BTreeMap<&'p str, Place> {
    let mut places = BTreeMap::new();
    for (floor, (_, names)) in plan.floors.iter().enumerate() {
        let names: Vec<_> = names.iter().filter(|name| rooms.contains_key(**name)).collect();
        let widths: Vec<usize> = names.iter().map(|name| name.len().max(7) * CHARACTER + 2 * GAP).collect();
        let all = widths.iter().sum::<usize>() + GAP * names.len().saturating_sub(1);
        let mut x = WIDTH.saturating_sub(all) / 2;
        for (name, width) in names.into_iter().zip(widths) {
            places.insert(*name, Place { x, y: floor * FLOOR + LABEL + 10, width });
            x += width + GAP;
        }
    }
    places
}

/// Who uses whom, without what follows from the rest. What runs upwards is drawn in any case, and nothing follows from it.
fn lines<'r>(rooms: &'r BTreeMap<String, Room>, downwards: &dyn Fn(&str, &str) -> bool) -> Vec<(&'r str, &'r str)> {
    let mut lines = Vec::new();
    for (name, room) in rooms {
        let below: Vec<&str> = room.uses.keys().map(String::as_str).filter(|used| downwards(name, used)).collect();
        for used in room.uses.keys().map(String::as_str) {
            let implies = |between: &&str| *between != used && reached(rooms, between, downwards).contains(used);
            if !downwards(name, used) || !below.iter().any(implies) {
                lines.push((name.as_str(), used));
            }
        }
    }
    lines
}

/// All rooms that a room uses, directly or through others, downwards.
fn reached<'r>(
    rooms: &'r BTreeMap<String, Room>,
    name: &'r str,
    downwards: &dyn Fn(&str, &str) -> bool,
) -> BTreeSet<&'r str> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![name];
    while let Some(name) = waiting.pop() {
        for used in rooms.get(name).into_iter().flat_map(|room| room.uses.keys()).map(String::as_str) {
            if downwards(name, used) && found.insert(used) {
                waiting.push(used);
            }
        }
    }
    found
}
