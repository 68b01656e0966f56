//! The seeds of the fuzz targets, each given to the function that the target calls.

use std::fs;
use std::path::Path;

use super::fuzz;

fn replay(target: &str, check: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let seeds = fs::read_dir(&directory).expect("seeds").map(|entry| entry.expect("a seed").path());
    let mut seeds: Vec<_> = seeds.collect();
    seeds.sort();
    assert!(seeds.len() >= 5, "there are {} seeds in {}", seeds.len(), directory.display());
    for seed in seeds {
        // Shown where the test fails.
        println!("{}", seed.display());
        check(&fs::read(&seed).expect("a seed"));
    }
}

#[test]
fn the_seeds_of_filter_keep_its_rules() {
    replay("filter", fuzz::filter::check);
}

#[test]
fn the_seeds_of_path_keep_its_rules() {
    replay("path", fuzz::path::check);
}

#[test]
fn the_seeds_of_patch_keep_its_rules() {
    replay("patch", fuzz::patch::check);
}

#[test]
fn the_seeds_of_request_keep_its_rules() {
    replay("request", fuzz::request::check);
}

#[test]
fn the_seeds_of_credential_keep_its_rules() {
    replay("credential", fuzz::credential::check);
}

#[test]
fn the_seeds_of_oauth_keep_its_rules() {
    replay("oauth", fuzz::oauth::check);
}
