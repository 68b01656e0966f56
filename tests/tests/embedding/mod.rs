//! The example hosts in `host/examples`, which embedders copy: their storages keep the rules, identity providers can
//! provision into them, and changes that they have acknowledged survive `kill -9`.

mod backend;
mod example;
mod folders;
mod wasi_http;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use example::{Example, JAVASCRIPT, PYTHON};

/// How long what a test waits for may take to appear.
const PATIENCE: Duration = Duration::from_secs(60);

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[test]
fn the_host_in_javascript_passes_its_own_tests_and_the_rules_of_storage() {
    passes_its_tests(&JAVASCRIPT);
}

#[test]
fn the_host_in_python_passes_its_own_tests_and_the_rules_of_storage() {
    passes_its_tests(&PYTHON);
}

#[test]
fn identity_providers_provision_into_the_host_in_javascript_through_kill_9() {
    serves_identity_providers(&JAVASCRIPT);
}

#[test]
fn identity_providers_provision_into_the_host_in_python_through_kill_9() {
    serves_identity_providers(&PYTHON);
}

#[test]
fn the_tests_install_what_the_hosts_pin() {
    let read = |path: &str| fs::read_to_string(Path::new(WORKSPACE).join(path)).unwrap();
    let packages = |path: &str, section: &str| -> BTreeMap<String, Value> {
        let package: Value = serde_json::from_str(&read(path)).unwrap();
        serde_json::from_value(package[section].clone()).unwrap()
    };
    let tested = packages("tests/package.json", "devDependencies");
    for example in ["node", "wasi-http"] {
        for (name, version) in packages(&format!("host/examples/{example}/package.json"), "dependencies") {
            assert_eq!(tested.get(&name), Some(&version), "{name} of {example}");
        }
    }
    let tested = read("tests/requirements.txt");
    let pinned = read("host/examples/python/requirements.txt");
    for line in pinned.lines().filter(|line| !line.starts_with('#')) {
        assert!(tested.lines().any(|tested| tested == line), "{line}");
    }
}

fn passes_its_tests(example: &Example) {
    succeeds(&example.tests().output().expect("the tests run"));
}

fn serves_identity_providers(example: &Example) {
    let data = TempDir::new().unwrap();
    let mut host = example.start(data.path());
    let (url, token) = (host.connector_url(), host.token());
    succeeds(&example::identity_providers(&url, &token, &[]));
    // The jobs are called when they are due: a member who stays gets the passphrase by email.
    let mail = data.path().join("mail/acme");
    let begin = Instant::now();
    while !says(&mail, "stays@acme.example") {
        assert!(begin.elapsed() < PATIENCE, "no email has come into {}: {}", mail.display(), host.said());
        thread::sleep(Duration::from_millis(50));
    }
    host.kill();

    let host = example.start(data.path());
    succeeds(&example::identity_providers(&host.connector_url(), &token, &["--again"]));
}

/// Whether a file of the folder has this text.
fn says(folder: &Path, text: &str) -> bool {
    let Ok(files) = fs::read_dir(folder) else { return false };
    let texts = files.flatten().filter_map(|file| fs::read_to_string(file.path()).ok());
    texts.into_iter().any(|found| found.contains(text))
}

fn succeeds(output: &Output) {
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}\n{said}");
}
