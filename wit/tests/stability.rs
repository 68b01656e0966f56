//! What was released stays: every component of this contract fits every host of the released one.
//!
//! `released/` holds the text of the last release. It is replaced at a release, and only then:
//! `cp wit/*.wit wit/tests/released/`. Before 1.0.0 is released there is no last release: until then `released/` follows the
//! contract, and is replaced with each change of it.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

use wit_component::semver_check;
use wit_parser::{Resolve, SourceMap};

const WORLD: &str = "provisioner";

/// The texts of a contract: their names and what they say.
type Contract = Vec<(PathBuf, String)>;

fn read(directory: &str) -> Contract {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut files: Vec<PathBuf> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "wit"));
    files.sort();
    assert!(!files.is_empty(), "no contract in {}", directory.display());
    files.into_iter().map(|file| (file.clone(), fs::read_to_string(file).unwrap())).collect()
}

/// The contract with a text in place of another one, which it must have.
fn with(contract: &Contract, from: &str, to: &str) -> Contract {
    assert!(contract.iter().any(|(_, text)| text.contains(from)), "{from} is not in the contract");
    contract.iter().map(|(file, text)| (file.clone(), text.replace(from, to))).collect()
}

/// Whether a component of the contract `new` can take the place of one of the contract `old` in every host: it exports all
/// that the old one did, and imports nothing that the old one did not.
fn takes_the_place_of(new: &Contract, old: &Contract) -> Result<(), String> {
    let mut resolve = Resolve::default();
    let mut world = |contract: &Contract, version: &str| {
        let mut sources = SourceMap::new();
        for (file, text) in contract {
            // One package of a name and a version can be held at a time; versions are not compared.
            sources
                .push(file, text.replace("package insomnia:scim@1.0.0;", &format!("package insomnia:scim@{version};")));
        }
        let group = sources.parse().map_err(|(_, error)| error.to_string()).unwrap();
        let package = resolve.push_group(group).unwrap();
        resolve.select_world(&[package], Some(WORLD)).unwrap()
    };
    let (old, new) = (world(old, "1.0.0"), world(new, "1.0.1"));
    // wit-component's own question is whether the first world's component fits where the second world is expected.
    semver_check(resolve, new, old).map_err(|error| format!("{error:#}"))
}

#[test]
fn a_component_of_this_contract_fits_every_host_of_the_released_one() {
    if let Err(error) = takes_the_place_of(&read("."), &read("tests/released")) {
        panic!("within 1.x types don't change, exports stay and imports don't grow: {error}");
    }
}

#[test]
fn more_exports_fit_and_everything_else_is_noticed() {
    let released = read("tests/released");
    let check = |from: &str, to: &str| takes_the_place_of(&with(&released, from, to), &released);
    let admits = "    admits: func(authorization: option<string>) -> bool;";
    assert_eq!(check(admits, &format!("{admits}\n    another: func() -> bool;")), Ok(()), "an export more");
    assert!(check(admits, "").is_err(), "an export less");
    assert!(check(admits, "    admits: func(authorization: string) -> bool;").is_err(), "another argument");
    let open = "    open: func(sealed: list<u8>) -> result<list<u8>, secrets-error>;";
    assert!(check(open, &format!("{open}\n    another: func() -> bool;")).is_err(), "an import more");
    let seats = "    record licences {\n        seats: u32,";
    assert!(check(seats, &format!("{seats}\n        another: u32,")).is_err(), "a field more");
    let role = "    enum role {\n        owner,";
    assert!(check(role, &format!("{role}\n        another,")).is_err(), "a case more");
}
