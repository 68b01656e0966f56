//! Writes the contract as one file, a WIT package in binary form with all its documentation: what tools read who are given no
//! folder of texts. `make release` puts it beside the binary.
//!
//! `cargo run --package insomnia-scim-contract --example package -- insomnia-scim.wit.wasm`

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use wit_parser::{Resolve, SourceMap};

/// The contract, encoded.
pub(crate) fn package() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut sources = SourceMap::new();
    for entry in fs::read_dir(env!("CARGO_MANIFEST_DIR"))? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "wit") {
            sources.push(&file, fs::read_to_string(&file)?);
        }
    }
    let group = sources.parse().map_err(|(_, error)| error.to_string())?;
    let mut resolve = Resolve::default();
    let package = resolve.push_group(group).map_err(|error| error.to_string())?;
    Ok(wit_component::encode(&resolve, package)?)
}

#[cfg_attr(test, allow(dead_code, reason = "the tests use only the function above"))]
fn main() -> Result<(), Box<dyn Error>> {
    let output = env::args_os().nth(1).ok_or("name the file to write")?;
    fs::write(Path::new(&output), package()?)?;
    Ok(())
}
