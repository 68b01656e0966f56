//! Makes the component that hosts of `wasi:http` serve: `insomnia-scim-compose [OUTPUT]`, inside this repository.

use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let output =
        std::env::args_os().nth(1).map_or_else(|| PathBuf::from("target/insomnia_scim_http.wasm"), PathBuf::from);
    insomnia_scim_wasi_http::compose::build(&output)?;
    println!("{}", output.display());
    Ok(())
}
