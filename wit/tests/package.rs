//! The contract as one file has all that its texts have, documentation included.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use wit_component::{DecodedWasm, decode};

#[path = "../examples/package.rs"]
mod example;

#[test]
fn the_package_file_has_every_interface_with_its_documentation() {
    let DecodedWasm::WitPackage(resolve, package) = decode(&example::package().unwrap()).unwrap() else {
        panic!("it is no package");
    };
    let package = &resolve.packages[package];
    assert_eq!(package.name.to_string(), "insomnia:scim@1.0.0");
    assert!(package.docs.contents.as_ref().is_some_and(|text| text.contains("**Stability.**")));
    assert!(package.interfaces.len() > 20, "{}", package.interfaces.len());
    for (name, interface) in &package.interfaces {
        let interface = &resolve.interfaces[*interface];
        assert!(interface.docs.contents.is_some(), "{name}");
        for (name, function) in &interface.functions {
            assert!(function.docs.contents.is_some(), "{name}");
        }
    }
}
