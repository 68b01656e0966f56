//! The built component and the text of the contract in `wit/` agree: each has everything that the other has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use insomnia_scim_tests::component;
use wit_component::{DecodedWasm, WitPrinter, targets};
use wit_parser::{Resolve, SourceMap, WorldId, WorldItem, WorldKey};

/// The world of the contract with the interfaces of WASI that every build imports.
const WITH_WASI: &str = "provisioner-with-wasi";

/// A world, and all that it refers to.
struct World {
    resolve: Resolve,
    world: WorldId,
}

impl World {
    /// What the component says of itself.
    fn of(wasm: &[u8]) -> Self {
        match wit_component::decode(wasm).unwrap() {
            DecodedWasm::Component(resolve, world) => Self { resolve, world },
            DecodedWasm::WitPackage(..) => panic!("it is no component"),
        }
    }

    fn imports(&self) -> BTreeSet<String> {
        self.names(&self.resolve.worlds[self.world].imports)
    }

    /// The interfaces, and below each its functions, as `insomnia:scim/jobs@1.0.0#run-due`.
    fn exports(&self) -> BTreeSet<String> {
        self.names(&self.resolve.worlds[self.world].exports)
    }

    fn names<'i>(&self, items: impl IntoIterator<Item = (&'i WorldKey, &'i WorldItem)>) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for (key, item) in items {
            let name = self.resolve.name_world_key(key);
            let WorldItem::Interface { id, .. } = item else { panic!("{name} is no interface") };
            names.extend(self.resolve.interfaces[*id].functions.keys().map(|function| format!("{name}#{function}")));
            names.insert(name);
        }
        names
    }
}

/// The texts of `wit/`.
fn texts() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|extension| extension == "wit"));
    files.map(|file| (file.clone(), fs::read_to_string(file).unwrap())).collect()
}

/// The contract's world; with what `built` has of WASI, which the contract names and does not define.
fn contract(built: &World) -> World {
    let mut resolve = Resolve::default();
    for package in built.resolve.topological_packages() {
        let name = &built.resolve.packages[package].name;
        if name.namespace == "wasi" {
            let mut printer = WitPrinter::default();
            printer.print(&built.resolve, package, &[]).unwrap();
            resolve.push_source(&name.to_string(), &printer.output.to_string()).unwrap();
        }
    }
    let mut sources = SourceMap::new();
    for (file, text) in texts() {
        sources.push(&file, text);
    }
    let wasi = built.imports().into_iter().filter(|name| name.starts_with("wasi:") && !name.contains('#'));
    let imports: String = wasi.map(|name| format!("import {name};\n")).collect();
    sources.push_str("with-wasi.wit", format!("world {WITH_WASI} {{\ninclude provisioner;\n{imports}}}\n"));
    let group = sources.parse().map_err(|(_, error)| error.to_string()).unwrap();
    let package = resolve.push_group(group).unwrap();
    let world = resolve.select_world(&[package], Some("provisioner")).unwrap();
    World { resolve, world }
}

#[test]
fn the_component_targets_the_world_of_the_contract_with_its_types_and_signatures() {
    let wasm = fs::read(component::built()).unwrap();
    let contract = contract(&World::of(&wasm));
    let package = contract.resolve.worlds[contract.world].package.unwrap();
    let with_wasi = contract.resolve.select_world(&[package], Some(WITH_WASI)).unwrap();
    if let Err(error) = targets(&contract.resolve, with_wasi, &wasm) {
        panic!("the component does not fit the text of the contract: {error:#}");
    }
    let without = targets(&contract.resolve, contract.world, &wasm);
    assert!(without.is_err(), "WASI is no part of the world: wit/README.md says so");
}

#[test]
fn the_contract_promises_and_asks_for_nothing_that_the_component_does_not_have_and_hides_nothing() {
    let built = World::of(&fs::read(component::built()).unwrap());
    let contract = contract(&built);
    assert_eq!(built.exports(), contract.exports(), "what is exported, and what is said to be");
    let ours = |names: BTreeSet<String>| -> BTreeSet<String> {
        names.into_iter().filter(|name| name.starts_with("insomnia:")).collect()
    };
    assert_eq!(ours(built.imports()), contract.imports(), "what is asked of a host, and what is said to be");
}

#[test]
fn the_contract_names_each_interface_of_wasi_that_the_component_imports() {
    let built = World::of(&fs::read(component::built()).unwrap());
    let imported = built.imports().into_iter().filter(|name| name.starts_with("wasi:") && !name.contains('#'));
    let imported: BTreeSet<String> = imported.map(|name| name.split('@').next().unwrap().to_owned()).collect();
    let text: String =
        texts().into_iter().map(|(_, text)| text).filter(|text| text.contains("package insomnia")).collect();
    // `wasi:io/{error,poll}`
    let groups = text.split('`').filter_map(|part| part.strip_suffix('}')?.split_once("/{"));
    let named: BTreeSet<String> = groups
        .flat_map(|(package, names)| names.split(',').map(move |name| format!("{package}/{name}")))
        .filter(|name| name.starts_with("wasi:"))
        .collect();
    assert_eq!(imported, named);
}
