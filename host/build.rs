//! Builds the guest as a WebAssembly component and tells the host crate where it is, to be embedded.
//!
//! The guest has its own cargo run, with its own profile and target directory: the outer one holds the lock of its
//! target directory, and its flags (coverage, clippy, sanitizers, an optimisation level) must not reach the component,
//! which is the same file whatever the host is built for.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

const TARGET: &str = "wasm32-wasip2";
const PACKAGE: &str = "insomnia-scim-guest";
const ARTIFACT: &str = "insomnia_scim_guest";
/// Names a component that was built before, for builds without the target or the network.
const PREBUILT: &str = "INSOMNIA_SCIM_PREBUILT_COMPONENT";
/// Names the component's compiled code, which `insomnia-scim compile` has written, to be embedded beside it.
const COMPILED: &str = "INSOMNIA_SCIM_COMPILED_COMPONENT";

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nerror: {message}\n");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    println!("cargo::rustc-env=INSOMNIA_SCIM_TARGET={}", variable("TARGET")?.display());
    embed_compiled()?;
    println!("cargo::rerun-if-env-changed={PREBUILT}");
    if let Some(path) = env::var_os(PREBUILT) {
        println!("cargo::rerun-if-changed={}", Path::new(&path).display());
        return embed(Path::new(&path));
    }
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let workspace = manifest.parent().ok_or("the host crate is not inside the workspace")?.to_path_buf();
    for file in ["Cargo.toml", "Cargo.lock", "guest/Cargo.toml", "wit", "host/build.rs"] {
        println!("cargo::rerun-if-changed={}", workspace.join(file).display());
    }
    require_target()?;

    let target_directory = outer_target_directory()?.join("guest");
    let status = cargo(&workspace, &target_directory)?
        .status()
        .map_err(|error| format!("cargo could not be started to build the component: {error}"))?;
    if !status.success() {
        return Err(format!("the component ({PACKAGE}) did not build; the compiler's messages are above"));
    }

    let built = target_directory.join(TARGET).join("guest");
    for source in sources(&built.join(format!("{ARTIFACT}.d"))) {
        println!("cargo::rerun-if-changed={}", source.display());
    }
    embed(&built.join(format!("{ARTIFACT}.wasm")))
}

fn embed(built: &Path) -> Result<(), String> {
    let component = PathBuf::from(variable("OUT_DIR")?).join("component.wasm");
    fs::copy(built, &component)
        .map_err(|error| format!("the component {} can't be copied: {error}", built.display()))?;
    println!("cargo::rustc-env=INSOMNIA_SCIM_COMPONENT_FILE={}", component.display());
    Ok(())
}

/// The component's compiled code; an empty file if none is named.
fn embed_compiled() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed={COMPILED}");
    let embedded = PathBuf::from(variable("OUT_DIR")?).join("component.compiled");
    let written = match env::var_os(COMPILED).filter(|path| !path.is_empty()) {
        Some(path) => {
            println!("cargo::rerun-if-changed={}", Path::new(&path).display());
            fs::copy(&path, &embedded).map(drop).map_err(|error| (PathBuf::from(path), error))
        }
        None => fs::write(&embedded, "").map_err(|error| (embedded.clone(), error)),
    };
    written.map_err(|(path, error)| format!("the compiled code {} can't be embedded: {error}", path.display()))?;
    println!("cargo::rustc-env=INSOMNIA_SCIM_COMPILED_FILE={}", embedded.display());
    Ok(())
}

/// The cargo command, in an environment that holds nothing of the outer build.
fn cargo(workspace: &Path, target_directory: &Path) -> Result<Command, String> {
    let mut command = Command::new(variable("CARGO")?);
    command
        .current_dir(workspace)
        .args(["rustc", "--quiet", "--package", PACKAGE, "--lib", "--crate-type", "cdylib"])
        .args(["--profile", "guest", "--locked", "--target", TARGET, "--target-dir"])
        .arg(target_directory)
        // Cargo reads this script's stdout for instructions.
        .stdout(Stdio::null());
    for (name, _) in env::vars_os() {
        if leaks(&name.to_string_lossy()) {
            command.env_remove(&name);
        }
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", flags(workspace).join("\u{1f}"));
    Ok(command)
}

/// Whether a variable comes from the outer build and would change the inner one. What cargo needs to reach its
/// registries and to share the job slots (`CARGO_HOME`, `CARGO_NET_*`, `CARGO_MAKEFLAGS`, …) stays.
fn leaks(name: &str) -> bool {
    const NAMES: [&str; 15] = [
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CLIPPY_ARGS",
        "CLIPPY_CONF_DIR",
        "CARGO_INCREMENTAL",
        "CARGO_PRIMARY_PACKAGE",
        "TARGET",
        "HOST",
        "PROFILE",
        "OPT_LEVEL",
        "DEBUG",
        "OUT_DIR",
        "LLVM_PROFILE_FILE",
    ];
    const PREFIXES: [&str; 9] = [
        "CARGO_PROFILE_",
        "CARGO_BUILD_",
        "CARGO_TARGET_",
        "CARGO_CFG_",
        "CARGO_FEATURE_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_UNSTABLE_",
        "CARGO_LLVM_COV",
    ];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Paths in panic messages and names are those of no particular machine, so that the component is byte for byte the
/// same from any checkout.
fn flags(workspace: &Path) -> Vec<String> {
    let mut flags = vec![format!("--remap-path-prefix={}=/insomnia-scim", workspace.display())];
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    if let Some(home) = home {
        flags.push(format!("--remap-path-prefix={}=/cargo", home.display()));
    }
    flags
}

/// The target directory of the outer build, whose profile directory holds `build/<package>/out`.
fn outer_target_directory() -> Result<PathBuf, String> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let profile = out
        .ancestors()
        .find(|path| path.file_name().is_some_and(|name| name == "build"))
        .and_then(Path::parent)
        .ok_or_else(|| format!("OUT_DIR has an unknown layout: {}", out.display()))?;
    Ok(profile.parent().unwrap_or(profile).to_path_buf())
}

/// One clear message instead of the compiler's "can't find crate for `core`", once for every dependency.
fn require_target() -> Result<(), String> {
    let output = Command::new(variable("RUSTC")?)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("rustc could not be started: {error}"))?;
    let directory = String::from_utf8_lossy(&output.stdout);
    let installed = output.status.success()
        && fs::read_dir(directory.trim())
            .is_ok_and(|files| files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libcore-")));
    if installed {
        return Ok(());
    }
    Err(format!(
        "the Rust target {TARGET} is not installed, and the WebAssembly component is built for it.\n       \
         Run this and build again:\n\n           rustup target add {TARGET}"
    ))
}

/// The files that the component was built from: the right side of the rule that cargo wrote beside it.
fn sources(rule: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(rule).unwrap_or_default();
    let Some((_, list)) = text.split_once(": ") else {
        return Vec::new();
    };
    let mut files = vec![String::new()];
    let mut characters = list.trim_end().chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(' ')) => {
                characters.next();
                if let Some(file) = files.last_mut() {
                    file.push(' ');
                }
            }
            (' ', _) => files.push(String::new()),
            (other, _) => {
                if let Some(file) = files.last_mut() {
                    file.push(other);
                }
            }
        }
    }
    files.into_iter().filter(|file| !file.is_empty()).map(PathBuf::from).collect()
}

fn variable(name: &str) -> Result<OsString, String> {
    env::var_os(name).ok_or_else(|| format!("{name} is not set: this is cargo's build script"))
}
