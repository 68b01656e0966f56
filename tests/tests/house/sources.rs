//! Reads from the sources which room uses which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A room of a crate.
#[derive(Default)]
pub(super) struct Room {
    /// How many files it has, without those of its tests.
    pub(super) files: usize,
    /// The other rooms that it uses, and the files in which it does.
    pub(super) uses: BTreeMap<String, Vec<String>>,
}

/// The rooms of the crate in this folder, by name. What only tests use is left out.
pub(super) fn rooms(source: &Path) -> BTreeMap<String, Room> {
    let library = read(&source.join("lib.rs"));
    let exports = exports(&library);
    let mut rooms = BTreeMap::new();
    for name in declared(&library, false) {
        let mut room = Room::default();
        for (file, module) in files(source, &name) {
            room.files += 1;
            let place = file.strip_prefix(source).unwrap_or(&file).display().to_string();
            for used in used(&read(&file), module.len()) {
                let used = exports.get(&used).cloned().unwrap_or(used);
                if used != name {
                    room.uses.entry(used).or_default().push(place.clone());
                }
            }
        }
        rooms.insert(name, room);
    }
    let known: BTreeSet<String> = rooms.keys().cloned().collect();
    for room in rooms.values_mut() {
        room.uses.retain(|used, _| known.contains(used));
    }
    rooms
}

/// The source without comments.
pub(super) fn read(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules that a file declares and that have files of their own: those that only tests have, or the others.
pub(super) fn declared(text: &str, tests: bool) -> Vec<String> {
    let mut names = Vec::new();
    let mut attributes = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            attributes.push_str(line);
            continue;
        }
        let item = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
        if let Some(name) = item.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'))
            && tests == (attributes.contains("cfg(test)") || attributes.contains("cfg(any(test"))
        {
            names.push(name.to_owned());
        }
        attributes.clear();
    }
    names
}

/// What `lib.rs` hands on from a room: the names that it gives, and the room.
fn exports(library: &str) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for item in library.split(';').filter_map(|item| item.trim().strip_prefix("pub use ")) {
        let Some((room, rest)) = item.split_once("::") else { continue };
        let last = rest.rsplit_once("::").map_or(rest, |(_, last)| last);
        for name in last.trim_matches(['{', '}']).split(',') {
            names.insert(name.trim().to_owned(), room.to_owned());
        }
    }
    names
}

/// The files of a module, without those of its tests, each with its path of modules from the crate's root.
pub(super) fn files(source: &Path, name: &str) -> Vec<(PathBuf, Vec<String>)> {
    let mut found = Vec::new();
    let mut waiting = vec![(source.to_path_buf(), vec![name.to_owned()])];
    while let Some((folder, module)) = waiting.pop() {
        let name = module.last().cloned().unwrap_or_default();
        let inside = folder.join(&name);
        let beside = folder.join(format!("{name}.rs"));
        let file = if beside.is_file() { beside } else { inside.join("mod.rs") };
        let children = declared(&read(&file), false);
        let below = children.into_iter().map(|child| (inside.clone(), [module.clone(), vec![child]].concat()));
        waiting.extend(below);
        found.push((file, module));
    }
    found
}

/// The first names of the paths that lead out of a module so many deep: what the crate's root knows.
fn used(text: &str, depth: usize) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let out = "super::".repeat(depth);
    let mut names = BTreeSet::new();
    for start in ["crate::", out.as_str()] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|character| character.is_alphanumeric() || character == '_' || character == ':') {
                continue;
            }
            names.extend(first_names(&code[at + start.len()..]));
        }
    }
    names
}

/// `a::b` has the first name a; `{a::{b, c}, d}` has a and d.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| {
        let text = text.trim_start();
        let end = text.find(|character: char| !character.is_alphanumeric() && character != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let Some(list) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut depth = 0_usize;
    let mut names = vec![name(list)];
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(&list[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn paths_are_read_as_the_compiler_reads_them() {
    let text = "use crate::{a::{x, y}, b};\nuse crate::c::D;\nuse super::super::e;\nuse super::near;\n\
        let f = my_crate::g;\n#[cfg(test)]\nmod tests {\n use crate::h;\n}";
    let expected: BTreeSet<String> = ["a", "b", "c", "e"].map(str::to_owned).into();
    assert_eq!(used(text, 2), expected);
}
