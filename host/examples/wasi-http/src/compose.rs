//! Connects the components.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};

/// The interface that hosts of `wasi:http` call.
const HANDLER: &str = "wasi:http/incoming-handler@";
/// The prefix of this project's interfaces.
const OURS: &str = "insomnia:";
/// The variable that names the component, if it was built before.
const PREBUILT: &str = "INSOMNIA_SCIM_PREBUILT_COMPONENT";
/// The repository.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");

/// Builds the components for wasm, composes them, and writes the result.
///
/// # Errors
/// Says what could not be built, found or written.
pub fn build(output: &Path) -> anyhow::Result<()> {
    let workspace = Path::new(WORKSPACE).canonicalize().context("the repository is not there")?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
    let target = target.join("guest");
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
        .current_dir(&workspace)
        // These are the flags with which the host's build script builds the component, so the packages that both need are
        // built once. The paths in messages do not depend on the machine.
        .env("CARGO_ENCODED_RUSTFLAGS", flags(&workspace))
        .args([
            "build",
            "--quiet",
            "--locked",
            "--package",
            "insomnia-scim-wasi-http",
            "--examples",
            "--features",
            "components",
        ])
        .args(["--profile", "guest", "--target", "wasm32-wasip2", "--target-dir"])
        .arg(&target)
        .status()
        .context("cargo can't be started")?;
    ensure!(status.success(), "the components did not build");
    let built = target.join("wasm32-wasip2/guest");
    let read = |path: PathBuf| {
        fs::read(&path).with_context(|| format!("{} can't be read; `cargo build` makes it", path.display()))
    };
    let guest = env::var_os(PREBUILT).map_or_else(|| built.join("insomnia_scim_guest.wasm"), PathBuf::from);
    let guest = read(guest)?;
    let [storage, capabilities, adapter] =
        ["storage", "capabilities", "adapter"].map(|name| read(built.join("examples").join(format!("{name}.wasm"))));
    let composed = compose(guest, storage?, capabilities?, adapter?)?;
    fs::write(output, composed).with_context(|| format!("{} can't be written", output.display()))
}

fn flags(workspace: &Path) -> String {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let remap = |(from, to): (&Path, &str)| format!("--remap-path-prefix={}={to}", from.display());
    let prefixes = [Some((workspace, "/insomnia-scim")), home.as_deref().map(|home| (home, "/cargo"))];
    prefixes.into_iter().flatten().map(remap).collect::<Vec<_>>().join("\u{1f}")
}

/// Connects the storage and the capabilities with the guest, and the guest with the adapter. The result exports the adapter's
/// exports for hosts of `wasi:http`. It also exports everything that the guest exports, so that a host of another kind can
/// call the guest's administrative functions.
///
/// # Errors
/// The components do not fit together.
pub fn compose(guest: Vec<u8>, storage: Vec<u8>, capabilities: Vec<u8>, adapter: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let mut instances = Instances { graph: &mut graph, exports: Vec::new() };
    instances.add("insomnia:storage", storage)?;
    instances.add("insomnia:capabilities", capabilities)?;
    instances.add("insomnia:guest", guest)?;
    instances.add("insomnia:adapter", adapter)?;
    let exports = instances.exports;
    for (name, node) in exports {
        // The storage and the interfaces between these components stay inside.
        if name.starts_with(HANDLER) || graph.get_alias_source(node).is_some_and(|(from, _)| is_guest(&graph, from)) {
            graph.export(node, name)?;
        }
    }
    Ok(graph.encode(EncodeOptions::default())?)
}

fn is_guest(graph: &CompositionGraph, instance: NodeId) -> bool {
    let package = graph[instance].package().map(|package| &graph[package]);
    package.is_some_and(|package| package.name() == "insomnia:guest")
}

struct Instances<'a> {
    graph: &'a mut CompositionGraph,
    /// The exports of the components so far, by name.
    exports: Vec<(String, NodeId)>,
}

impl Instances<'_> {
    /// Adds an instance of a component. Its imports with our prefix come from the components before it.
    fn add(&mut self, name: &str, bytes: Vec<u8>) -> anyhow::Result<()> {
        let package = Package::from_bytes(name, None, bytes, self.graph.types_mut())?;
        let package: PackageId = self.graph.register_package(package)?;
        let world = &self.graph.types()[self.graph[package].ty()];
        let imports: Vec<String> = world.imports.keys().filter(|name| name.starts_with(OURS)).cloned().collect();
        let exports: Vec<String> = world.exports.keys().cloned().collect();
        let instance = self.graph.instantiate(package);
        for import in imports {
            let found = self.exports.iter().find(|(export, _)| *export == import);
            let (_, node) = found.with_context(|| format!("{name} imports {import}, which nothing exports"))?;
            self.graph.set_instantiation_argument(instance, &import, *node)?;
        }
        for export in exports {
            let node = self.graph.alias_instance_export(instance, &export)?;
            self.exports.push((export, node));
        }
        Ok(())
    }
}
