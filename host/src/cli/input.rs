//! Reads the input of commands: a file, or standard input.

use std::path::Path;

use anyhow::Context as _;

/// The text of the file. If the file is `-`, or if none is named, it is the text of standard input.
pub(super) fn read(file: Option<&Path>) -> anyhow::Result<String> {
    match file.filter(|path| *path != Path::new("-")) {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display())),
        None => std::io::read_to_string(std::io::stdin()).context("standard input can't be read"),
    }
}
