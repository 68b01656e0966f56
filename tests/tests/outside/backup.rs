//! Backup and restore: what was answered before is in the copy, and a copy is only made where nothing is lost by it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use insomnia_scim_tests::person::Person;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Server, binary};
use serde_json::Value;

fn run(data: &Path, arguments: &[&str]) -> Output {
    Command::new(binary()).args(["--json", "--data"]).arg(data).args(arguments).output().unwrap()
}

fn done(data: &Path, arguments: &[&str]) -> Value {
    let output = run(data, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(data: &Path, arguments: &[&str]) -> String {
    let output = run(data, arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The addresses of the organization's members.
fn members(data: &Path, organization: &str) -> Vec<String> {
    let listed = done(data, &["member", "list", "--organization", organization]);
    let mut members: Vec<String> =
        listed.as_array().unwrap().iter().map(|member| member["email"].as_str().unwrap().to_owned()).collect();
    members.sort();
    members
}

#[test]
fn p9_a_backup_beside_a_busy_server_has_all_that_was_answered_and_can_be_restored() {
    let mut server = Server::start();
    let organization = server.demo().organization.clone();
    let before: Vec<Person> = (0..5).map(|_| Person::new("before")).collect();
    before.iter().for_each(|person| drop(seed::user(&server.client(), person)));
    let elsewhere = tempfile::tempdir().unwrap();
    let (backup, restored) = (elsewhere.path().join("backup"), elsewhere.path().join("restored"));
    let over = AtomicBool::new(false);
    let report = thread::scope(|scope| {
        scope.spawn(|| {
            let client = server.client();
            while !over.load(Ordering::Relaxed) {
                seed::someone(&client, "meanwhile");
            }
        });
        let report = done(server.data(), &["backup", text(&backup)]);
        over.store(true, Ordering::Relaxed);
        report
    });
    assert_eq!(report["organizations"], 1);
    let copied = members(&backup, &organization);
    before.iter().for_each(|person| assert!(copied.contains(&person.email), "{} is missing", person.email));

    let again = refused(server.data(), &["backup", text(&backup)]);
    assert!(again.contains("has organizations already"), "{again}");
    let into = Command::new(binary()).arg("--data").arg(&restored).args(["restore", text(&backup)]).output().unwrap();
    let said = String::from_utf8_lossy(&into.stderr);
    assert!(into.status.success(), "{said}");
    assert_eq!(said.trim_end(), format!("restoring {} into {}", backup.display(), restored.display()));
    assert_eq!(members(&restored, &organization), copied);
    #[cfg(unix)]
    for name in ["insomnia-scim.db", "secret.key"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(restored.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }

    // Beside the server nothing is restored, and what is there is left alone.
    let full = refused(server.data(), &["restore", text(&backup)]);
    assert!(full.contains("has organizations already") && full.contains(text(server.data())), "{full}");
    server.stop();
}

#[test]
fn p9_a_restore_neither_replaces_a_host_key_nor_goes_without_one() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for directory in [&first, &second] {
        done(directory.path(), &["org", "create", "acme", "--owner", "owner@acme.example"]);
    }
    let key = fs::read(second.path().join("secret.key")).unwrap();
    fs::remove_file(second.path().join("insomnia-scim.db")).unwrap();
    let another = refused(second.path(), &["restore", text(first.path())]);
    assert!(another.contains("another host key"), "{another}");
    assert_eq!(fs::read(second.path().join("secret.key")).unwrap(), key);
    fs::remove_file(first.path().join("secret.key")).unwrap();
    let target = first.path().join("target");
    let without = refused(&target, &["restore", text(first.path())]);
    assert!(without.contains("the host key is not in"), "{without}");
    let nothing = refused(&target, &["restore", text(&first.path().join("nowhere"))]);
    assert!(nothing.contains("there is no database in"), "{nothing}");
}

#[test]
fn p9_a_restore_into_a_place_that_was_moved_away_ends_the_mark_with_its_last_commit_wherever_it_is_killed() {
    let from = tempfile::tempdir().unwrap();
    done(from.path(), &["org", "create", "acme", "--owner", "owner@acme.example"]);
    let mark = |more: &str| {
        let times = r#""began": "2026-01-01T00:00:00Z", "arrived": "2026-01-01T00:00:01Z""#;
        format!(r#"{{"to": "the database away", "by": "one that has ended", {times}{more}}}"#)
    };
    let restore = ["restore", text(from.path())];
    for pause in 0..8 {
        let place = tempfile::tempdir().unwrap();
        let (target, moved) = (place.path(), place.path().join("moved"));
        fs::write(&moved, mark("")).unwrap();
        let mut killed = Command::new(binary());
        killed.arg("--data").arg(target).args(restore).stdout(Stdio::null()).stderr(Stdio::null());
        let mut killed = killed.spawn().unwrap();
        thread::sleep(Duration::from_millis(pause * 10));
        killed.kill().unwrap();
        killed.wait().unwrap();
        let looked = run(target, &["org", "list"]);
        let said = String::from_utf8_lossy(&looked.stderr);
        assert!(looked.status.success() || said.contains("was moved to the database away"), "{said}");
        let again = run(target, &restore);
        let said = String::from_utf8_lossy(&again.stderr);
        assert!(again.status.success() || said.contains("has organizations already"), "{said}");
        assert_eq!(members(target, "acme"), ["owner@acme.example"]);
        assert!(!moved.exists(), "the mark has ended");
        // As a kill between the last commit and the end of the file leaves it.
        fs::write(&moved, mark(r#", "returning": "2026-01-02T00:00:00Z""#)).unwrap();
        assert_eq!(members(target, "acme"), ["owner@acme.example"]);
        assert!(!moved.exists(), "whoever finds a mark that has ended takes it away");
        // One of a later move is none of this copy's.
        fs::write(&moved, mark("")).unwrap();
        assert!(refused(target, &["org", "list"]).contains("was moved to the database away"));
    }
}
