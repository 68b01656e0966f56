//! What `doctor` reports about a PostgreSQL, and how commands fail that the PostgreSQL does not let in (P9).

use std::path::Path;
use std::process::{Command, Output, Stdio};

use insomnia_scim_tests::postgres::Cluster;
use insomnia_scim_tests::server::{Server, Surroundings, binary};
use serde_json::Value;

fn run(data: &Path, storage: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.arg("--json").arg("--data").arg(data).args(["--storage", storage]).args(arguments).stdin(Stdio::null());
    command.output().expect("the binary runs")
}

/// What `doctor` has found about one thing: its state, and the text.
fn found(data: &Path, storage: &str, check: &str) -> (String, String) {
    let told: Value = serde_json::from_slice(&run(data, storage, &["doctor"]).stdout).expect("JSON");
    let checks = told["checks"].as_array().expect("checks");
    let finding = checks.iter().find(|finding| finding["check"] == check).expect("the check");
    let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    (text("state"), format!("{} {}", text("found"), text("advice")))
}

#[test]
fn p9_a_postgresql_that_is_away_or_refuses_or_has_another_time_is_told_under_its_own_name_with_what_to_do() {
    let mut cluster = Cluster::start();
    let surroundings = Surroundings { storage: Some(cluster.url()), ..Surroundings::default() };
    let mut server = Server::start_in(&surroundings, &[]);
    let (data, url) = (server.data().to_owned(), cluster.url());
    for (check, said) in [("database", "answers; PostgreSQL"), ("clock", "T"), ("component", "the component answers")] {
        let (state, text) = found(&data, &url, check);
        assert!(state == "good" && text.contains(said), "{check}: {state}: {text}");
    }

    // A database whose clock is another.
    cluster.sql("CREATE SCHEMA early");
    for (interval, state, said) in [
        ("20 seconds", "warning", "s behind that of PostgreSQL"),
        ("-20 seconds", "warning", "s ahead of that of PostgreSQL"),
        ("90 seconds", "bad", "s behind that of PostgreSQL"),
    ] {
        cluster.sql(&format!(
            "CREATE OR REPLACE FUNCTION early.clock_timestamp() RETURNS timestamptz LANGUAGE sql
                AS $$ SELECT pg_catalog.clock_timestamp() + interval '{interval}' $$;
            ALTER ROLE postgres SET search_path = early, pg_catalog"
        ));
        let (found, text) = found(&data, &url, "clock");
        assert!(found == state && text.contains(said) && text.contains("NTP"), "{interval}: {found}: {text}");
    }
    cluster.sql("ALTER ROLE postgres RESET search_path");

    let elsewhere = url.replace("/postgres?", "/nowhere?");
    let (state, text) = found(&data, &elsewhere, "database");
    assert!(state == "bad" && text.contains("refuses the connection") && text.contains("--storage"), "{state}: {text}");
    // What the settings have wrong does not pass by itself.
    let refused = run(&data, &elsewhere, &["org", "list"]);
    assert_eq!(refused.status.code(), Some(2), "{}", String::from_utf8_lossy(&refused.stderr));

    server.kill();
    cluster.stop();
    let (state, text) = found(&data, &url, "database");
    assert!(state == "bad" && text.contains("can't be reached") && text.contains("--storage"), "{state}: {text}");
    let (state, text) = found(&data, &url, "component");
    assert!(state == "warning" && text.contains("not looked at") && text.contains("database"), "{state}: {text}");
    assert_eq!(run(&data, &url, &["org", "list"]).status.code(), Some(7));
}
