//! `compile`: writes the file with which a binary is built that contains the component's compiled code.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::component::{BUILT_IN, Limits, compiled_code};

/// Arguments of `compile`.
#[derive(Args)]
pub(super) struct Compile {
    /// The file to write.
    file: PathBuf,
}

impl Compile {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let code = compiled_code(BUILT_IN, &Limits::default())?;
        fs::write(&self.file, code).with_context(|| format!("{} can't be written", self.file.display()))
    }
}
