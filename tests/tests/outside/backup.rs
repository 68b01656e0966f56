//! Backup and restore: a copy has every change that was acknowledged before, and no copy is made where it would
//! overwrite something.

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

/// What `migrate` to another place has left in a directory, with more at its end.
fn mark(more: &str) -> String {
    let times = r#""began": "2026-01-01T00:00:00Z", "arrived": "2026-01-01T00:00:01Z""#;
    format!(r#"{{"to": "the database away", "by": "one that has ended", {times}{more}}}"#)
}

/// As [`mark`], after a copy into the directory has begun.
fn returning() -> String {
    mark(r#", "returning": "2026-01-02T00:00:00Z""#)
}

#[test]
fn p9_a_restore_into_a_place_that_was_moved_away_ends_the_mark_wherever_it_is_killed_and_given_again() {
    let from = tempfile::tempdir().unwrap();
    done(from.path(), &["org", "create", "acme", "--owner", "owner@acme.example"]);
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
        assert_eq!(looked.status.success(), !moved.exists(), "nobody but the copy ends the mark: {said}");
        let again = run(target, &restore);
        let said = String::from_utf8_lossy(&again.stderr);
        assert!(again.status.success() != looked.status.success(), "it was there, or is now: {said}");
        assert!(again.status.success() || said.contains("has organizations already"), "{said}");
        assert_eq!(members(target, "acme"), ["owner@acme.example"]);
        assert!(!moved.exists(), "the mark has ended");
        // One of a later move is none of this copy's.
        fs::write(&moved, mark("")).unwrap();
        assert!(refused(target, &["org", "list"]).contains("was moved to the database away"));
        assert!(refused(target, &restore).contains("has organizations already"));
        assert!(moved.exists(), "no copy has begun since");
    }
}

#[test]
fn p9_a_copy_that_was_killed_after_its_last_commit_ends_the_mark_when_it_is_given_again() {
    let from = tempfile::tempdir().unwrap();
    done(from.path(), &["org", "create", "acme", "--owner", "owner@acme.example"]);
    let place = tempfile::tempdir().unwrap();
    let (target, moved) = (place.path(), place.path().join("moved"));
    let restore = ["restore", text(from.path())];
    let first = done(target, &restore);
    assert!(!moved.exists(), "a copy makes no mark");
    fs::write(&moved, returning()).unwrap();
    let elsewhere = target.join("elsewhere");
    for command in [&["org", "list"][..], &["migrate", "--from", text(target), "--to", text(&elsewhere)]] {
        let said = refused(target, command);
        assert!(said.contains("or was broken off") && said.contains("give that command again"), "{said}");
        assert!(said.contains("\"exit_code\":4"), "{said}");
        assert!(moved.exists(), "nobody but the copy ends the mark");
    }
    let again = done(target, &restore);
    assert_eq!((&again["organizations"], &again["items"]), (&first["organizations"], &first["items"]));
    assert_eq!(again["items_of_earlier_copy"], first["items"]);
    assert!(!moved.exists(), "all is there");
    assert_eq!(members(target, "acme"), ["owner@acme.example"]);
}

#[test]
fn p9_an_old_database_that_is_put_back_after_a_copy_was_broken_off_is_not_taken_for_the_copy() {
    let from = tempfile::tempdir().unwrap();
    done(from.path(), &["org", "create", "acme", "--owner", "owner@acme.example"]);
    let place = tempfile::tempdir().unwrap();
    let (old, moved) = (place.path(), place.path().join("moved"));
    let restore = ["restore", text(from.path())];
    // It has the same key, and other data.
    done(old, &restore);
    done(old, &["member", "add", "late@acme.example", "--organization", "acme"]);
    fs::write(&moved, returning()).unwrap();
    for (command, why) in [
        (&["org", "list"][..], "delete the file"),
        (&restore, "not as the source has them"),
        (&["restore", text(old)], "has organizations already"),
    ] {
        let said = refused(old, command);
        assert!(said.contains(why) && said.contains("\"exit_code\":4"), "{command:?}: {said}");
        assert!(moved.exists(), "{command:?}");
    }
    fs::remove_file(&moved).unwrap();
    assert_eq!(members(old, "acme"), ["late@acme.example", "owner@acme.example"]);
}

#[test]
fn p9_doctor_looks_at_the_new_place_only_where_a_mark_names_one_and_else_examines_the_database() {
    let place = tempfile::tempdir().unwrap();
    done(place.path(), &["org", "create", "acme", "--owner", "owner@acme.example"]);
    let database = |content: &str| -> Value {
        fs::write(place.path().join("moved"), content).unwrap();
        let report: Value = serde_json::from_slice(&run(place.path(), &["doctor"]).stdout).unwrap();
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|found| found["check"] == "database").unwrap().clone()
    };
    let says = |found: &Value, key: &str, what: &str| found[key].as_str().is_some_and(|said| said.contains(what));
    let away = database(&mark(""));
    assert!(says(&away, "found", "was moved to") && says(&away, "advice", "look at the new place"), "{away}");
    let half = database(&returning());
    assert!(says(&half, "found", "or was broken off") && says(&half, "advice", "do what the message says"), "{half}");
    let unknown = database("no mark");
    assert!(unknown["state"] == "good" && says(&unknown, "found", "whole"), "{unknown}");
    fs::write(
        place.path().join("insomnia-scim.db"),
        "no database, although it is as long as the header of one".repeat(4),
    )
    .unwrap();
    let damaged = database("no mark");
    assert!(damaged["state"] == "bad" && says(&damaged, "advice", "restore a backup"), "{damaged}");
}
