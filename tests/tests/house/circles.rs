//! Finds files of one room that use each other in a circle: to understand one of them, a reader would have to know all
//! of them.
//!
//! A file may use the items of its parents, by `super::`, and be used by them. This does not count as a circle. A name
//! that a module only re-exports counts as used where it is defined.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::sources::{declared, files, read};

/// The path of a module from the crate's root.
type Module = Vec<String>;

/// How often a name is followed to where it comes from.
const HANDED_ON: usize = 8;

/// The circles of the crate in this folder: the files of each, by their modules.
pub(super) fn circles(source: &Path) -> Vec<String> {
    let library = read(&source.join("lib.rs"));
    let rooms = declared(&library, false).into_iter().map(|room| {
        files(source, &room).into_iter().map(|(file, module)| (module, read(&file))).collect::<BTreeMap<_, _>>()
    });
    rooms.flat_map(|files| of_room(&files)).collect()
}

/// The circles among these files of one room.
fn of_room(files: &BTreeMap<Module, String>) -> Vec<String> {
    let uses: BTreeMap<&Module, BTreeSet<Module>> =
        files.iter().map(|(module, text)| (module, used(files, module, text))).collect();
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        uses.keys().map(|module| (*module, reached(&uses, module))).collect();
    let circles: BTreeSet<String> = reached
        .iter()
        .filter(|(module, all)| all.contains(*module))
        .map(|(module, all)| {
            let with = all.iter().filter(|other| reached.get(*other).is_some_and(|back| back.contains(module)));
            with.map(|module| module.join("/")).collect::<Vec<_>>().join(", ")
        })
        .collect();
    circles.into_iter().collect()
}

/// Whom a file uses: its own children, and where the names of its paths are defined.
fn used(files: &BTreeMap<Module, String>, module: &Module, text: &str) -> BTreeSet<Module> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let children = files.keys().filter(|other| other.len() == module.len() + 1 && other.starts_with(module)).cloned();
    let named = paths(code).into_iter().filter_map(|path| defined(files, &absolute(module, &path)?, HANDED_ON));
    let is_other = |home: &Module| !module.starts_with(home);
    children.chain(named.filter(is_other)).collect()
}

/// All files that this one uses, directly or through others.
fn reached<'m>(uses: &BTreeMap<&'m Module, BTreeSet<Module>>, module: &Module) -> BTreeSet<&'m Module> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![module];
    while let Some(module) = waiting.pop() {
        for used in uses.get(module).into_iter().flatten() {
            if let Some((known, _)) = uses.get_key_value(used)
                && found.insert(*known)
            {
                waiting.push(used);
            }
        }
    }
    found
}

/// The module that defines what a path names; `None` if it is in no file of the room.
fn defined(files: &BTreeMap<Module, String>, path: &[String], handed_on: usize) -> Option<Module> {
    let length = (1..=path.len()).rev().find(|length| files.contains_key(&path[..*length]))?;
    let (module, rest) = path.split_at(length);
    let from = rest.first().filter(|_| handed_on > 0).and_then(|name| {
        let imports = imports(&files[module]).into_iter().filter(|import| import.last() == Some(name));
        let absolute = imports.filter_map(|import| absolute(module, &import).or_else(|| below(files, module, &import)));
        absolute.filter_map(|path| defined(files, &path, handed_on - 1)).next()
    });
    Some(from.unwrap_or_else(|| module.to_vec()))
}

/// A path from the crate's root, of one that begins with `crate`, `super` or `self` in this module.
fn absolute(module: &[String], path: &[String]) -> Option<Module> {
    let ups = path.iter().take_while(|name| *name == "super").count();
    let (base, rest) = match path.first()?.as_str() {
        "crate" => (&[][..], &path[1..]),
        "self" => (module, &path[1..]),
        "super" => (&module[..module.len().checked_sub(ups)?], &path[ups..]),
        _ => return None,
    };
    Some([base, rest].concat())
}

/// A path from the crate's root, of one that begins with the name of a child of this module.
fn below(files: &BTreeMap<Module, String>, module: &[String], path: &[String]) -> Option<Module> {
    let child = [module, &path[..1]].concat();
    files.contains_key(&child).then(|| [module, path].concat())
}

/// The paths of a text that begin with `crate`, `super` or `self`.
fn paths(code: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':') {
                found.extend(leaves(&code[at..]));
            }
        }
    }
    found
}

/// The paths that a file imports.
fn imports(code: &str) -> Vec<Module> {
    let declarations = code.split(';').filter_map(|statement| {
        let (before, tree) = statement.rsplit_once("use ")?;
        let visibility = before.rsplit('\n').next()?.trim();
        (visibility.is_empty() || visibility.starts_with("pub")).then_some(tree)
    });
    declarations.flat_map(leaves).collect()
}

/// `a::{b, c::d}` has the paths a::b and a::c::d. What comes after the path is passed over.
fn leaves(tree: &str) -> Vec<Module> {
    let tree = tree.trim_start();
    let is_of_path = |character: char| character.is_alphanumeric() || matches!(character, '_' | ':' | '*');
    let end = tree.find(|character| !is_of_path(character)).unwrap_or(tree.len());
    let (path, rest) = tree.split_at(end);
    let path: Module = path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let Some(list) = rest.strip_prefix('{') else { return if path.is_empty() { Vec::new() } else { vec![path] } };
    let (mut depth, mut first, mut parts) = (0_usize, 0, Vec::new());
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&list[first..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[first..at]);
                first = at + 1;
            }
            _ => {}
        }
    }
    let whole = |leaf: Module| if leaf == ["self"] { path.clone() } else { [path.clone(), leaf].concat() };
    parts.into_iter().flat_map(leaves).map(whole).collect()
}

#[test]
fn a_circle_is_found_through_what_a_module_hands_on_and_a_parent_is_none() {
    let found = |texts: &[(&str, &str)]| {
        let module = |path: &str| path.split('/').map(str::to_owned).collect::<Module>();
        of_room(&texts.iter().map(|(path, text)| (module(path), (*text).to_owned())).collect())
    };
    let room = ("room", "mod one;\nmod two;\npub use one::{First, inner::Deep};\nconst SIZE: usize = 1;");
    let one = ("room/one", "use super::{SIZE, two::Second};");
    assert!(found(&[room, one, ("room/two", "use crate::other::Thing;")]).is_empty());
    assert_eq!(found(&[room, one, ("room/two", "fn a() -> super::First {}")]), ["room/one, room/two"]);
    assert_eq!(found(&[room, one, ("room/two", "use crate::room::{SIZE, First};")]), ["room/one, room/two"]);
    let inner = ("room/one/inner", "use super::super::two::Second;");
    assert_eq!(found(&[room, ("room/one", ""), inner, ("room/two", "use super::Deep;")]), ["room/one/inner, room/two"]);
    let of_child = [room, ("room/one", "mod inner;"), inner, ("room/two", "use super::one::First;")];
    assert_eq!(found(&of_child), ["room/one, room/one/inner, room/two"]);
    assert!(found(&[room, one, ("room/two", "#[cfg(test)]\nmod tests {\n use super::super::First;\n}")]).is_empty());
}
