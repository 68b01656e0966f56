//! Makes the pictures of the README: `INSOMNIA_SCIM_PICTURES=tests/pictures` writes them into that folder.

use std::env;
use std::fs;
use std::path::PathBuf;

use crate::page::acme::acme;
use crate::page::browser::{Browser, DESKTOP, Look, PHONE};
use crate::page::host::Host;

/// The largest picture, in bytes: README stays quick to load.
const LARGEST: usize = 150_000;
/// The height of a picture, in pixels.
const HEIGHT: u64 = 900;

/// Name, view, and how it is looked at.
const PICTURES: [(&str, &str, Look); 4] = [
    ("overview", "", DESKTOP),
    ("logs", "logs?status=4", Look { dark: true, ..DESKTOP }),
    ("setup", "setup?idp=okta", DESKTOP),
    ("phone", "", PHONE),
];

#[test]
fn the_pictures_of_the_readme_are_of_this_page_and_small() {
    let host = Host::start();
    let (acme, _) = acme(&host);
    let browser = Browser::open(DESKTOP);
    acme.sign_in(&browser);
    for (name, view, look) in PICTURES {
        browser.look(look);
        browser.go(&acme.view(view));
        let picture = browser.picture(HEIGHT);
        assert!(picture.starts_with(b"\x89PNG") && picture.len() < LARGEST, "{name} has {} bytes", picture.len());
        if let Some(directory) = env::var_os("INSOMNIA_SCIM_PICTURES") {
            let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(directory);
            fs::create_dir_all(&path).expect("a directory for pictures");
            fs::write(path.join(format!("{name}.png")), picture).expect("a picture is written");
        }
    }
}
