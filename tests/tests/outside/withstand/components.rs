//! An organization runs another component than the others, from one moment until it is rolled back, also after a
//! restart. The log of requests names the component.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use insomnia_scim_tests::component;
use insomnia_scim_tests::server::{Connector, Server};
use serde_json::{Value, json};

/// Servers follow within two seconds, and a busy machine compiles for long.
const PATIENCE: Duration = Duration::from_secs(120);

/// The built-in component with a note in it, which makes it another one that does the same.
fn noted(server: &Server) -> PathBuf {
    let mut wasm = std::fs::read(component::built()).expect("the component");
    // A custom section: its id, its size, the length of its name, the name.
    wasm.extend_from_slice(&[0, 5, 4]);
    wasm.extend_from_slice(b"note");
    let file = server.data().join("rules.wasm");
    std::fs::write(&file, wasm).expect("a file");
    file
}

/// What the newest entry of the log says that the request was served by.
fn served_by(server: &Server, connector: &Connector) -> String {
    connector.client().get("/Users?count=0").is(200);
    let log = || server.command(&["log", "list", "--organization", &connector.organization, "--limit", "1"]);
    // Log entries of reads are written a moment later.
    std::thread::sleep(Duration::from_millis(200));
    log()[0]["component"].as_str().unwrap_or_default().to_owned()
}

fn wait_until_served_by(server: &Server, connector: &Connector, wanted: &str) -> String {
    let begun = Instant::now();
    loop {
        let served_by = served_by(server, connector);
        if served_by.contains(wanted) {
            return served_by;
        }
        assert!(begun.elapsed() < PATIENCE, "it is served by {served_by}, not by {wanted}");
    }
}

#[test]
fn an_organization_is_pinned_while_the_server_runs_and_one_command_rolls_it_back() {
    let mut server = Server::start();
    let [acme, other] = ["pinned-acme", "pinned-other"].map(|name| server.another_organization(name));
    let file = noted(&server);
    let file = file.to_str().expect("a path");
    let set = |component: &str| server.command(&["org", "set", &acme.organization, "--component", component]);
    let shown = set(file);
    let pinned = shown["pinned"].as_str().expect("its id").to_owned();
    assert_eq!(shown["component"], json!(format!("rules@{}", &pinned[..12])), "{shown}");
    let served_by = wait_until_served_by(&server, &acme, "rules@");
    assert!(served_by.ends_with(&format!("(rules@{})", &pinned[..12])), "{served_by}");
    assert!(self::served_by(&server, &other).contains("(built-in@"), "nobody else is");

    // What is used is not removed, and it is still in force after a restart.
    assert_eq!(server.command(&["component", "list"])[0]["id"], json!(pinned));
    server.kill();
    server.start_again();
    assert!(self::served_by(&server, &acme).contains("rules@"));

    // It is rolled back by one command, and can be removed when nothing runs it.
    let shown = server.command(&["org", "set", &acme.organization, "--component", "former"]);
    assert_eq!(shown["pinned"], Value::Null, "{shown}");
    wait_until_served_by(&server, &acme, "(built-in@");

    // A canary of all organizations, which is ended.
    let canary = server.command(&["component", "canary", file, "--percent", "100"]);
    assert_eq!(canary["canary"]["percent"], json!(100), "{canary}");
    wait_until_served_by(&server, &other, "rules@");
    assert_eq!(server.command(&["component", "canary"])["canary"]["rolled_back"], Value::Null);
    assert_eq!(server.command(&["component", "canary", "--stop"])["canary"], Value::Null);
    wait_until_served_by(&server, &other, "(built-in@");
    server.command(&["component", "remove", &pinned]);
    assert_eq!(server.command(&["component", "list"]), json!([]));
}
