//! Organizations are moved from a data directory into a PostgreSQL, and back.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use insomnia_scim::capability::storage::{
    Change, Entry, KeyRange, OrganizationId, Page, Storage, StorageError, Transaction,
};
use insomnia_scim::storage::SqliteStorage;
use insomnia_scim_tests::postgres::Cluster;
use insomnia_scim_tests::server::{Server, Surroundings, binary};
use serde_json::Value;

use super::open;

fn run(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(binary()).arg("--json").args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[test]
fn p9_organizations_move_into_a_postgresql_and_back_with_all_that_they_have() {
    let cluster = Cluster::start();
    let (first, last) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (first, last, url) = (path(first.path()), path(&last.path().join("new")), cluster.url());
    for name in ["acme", "former", "globex"] {
        let owner = format!("owner@{name}.example");
        run(&["--data", &first, "org", "create", name, "--seats", "10", "--owner", &owner]).unwrap();
        run(&["--data", &first, "member", "add", &format!("someone@{name}.example"), "--organization", name]).unwrap();
    }
    run(&["--data", &first, "org", "delete", "former", "--yes-delete", "former"]).unwrap();
    let before =
        ["acme", "globex"].map(|name| run(&["--data", &first, "member", "list", "--organization", name]).unwrap());
    let (there, back) = (["migrate", "--from", &first, "--to", &url], ["migrate", "--from", &url, "--to", &last]);
    let moved = run(&there).unwrap();
    assert!(moved.contains("\"organizations\":2"), "{moved}");
    // The old database is left alone, and by everybody who forgets where it is now.
    for forgotten in [&there[..], &["--data", &first, "org", "list"], &["--data", &first, "backup", &last]] {
        let refused = run(forgotten).unwrap_err();
        assert!(
            refused.contains("was moved to the database postgres") && refused.contains("delete the file"),
            "{refused}"
        );
        assert!(refused.contains("\"exit_code\":4"), "{refused}");
    }
    // As a kill between the last commit and the note of it leaves the mark.
    let mark = Path::new(&first).join("moved");
    let noted = std::fs::read(&mark).unwrap();
    let mut unfinished: Value = serde_json::from_slice(&noted).unwrap();
    unfinished.as_object_mut().unwrap().remove("arrived");
    std::fs::write(&mark, unfinished.to_string()).unwrap();
    let again = run(&there).unwrap_err();
    assert!(again.contains("the move is complete") && again.contains("start over"), "{again}");
    assert!(again.contains("\"exit_code\":4"), "{again}");
    std::fs::write(&mark, noted).unwrap();
    let doctor = Command::new(binary()).args(["--json", "--data", &first, "doctor"]).output().unwrap();
    let found: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let database = found["checks"].as_array().unwrap().iter().find(|found| found["check"] == "database").unwrap();
    assert!(database["state"] == "bad" && database["found"].as_str().unwrap().contains("was moved to"), "{database}");
    // The key stays where it was: so does the data directory of the servers.
    let listed =
        |place: &[&str], name: &str| run(&[place, &["member", "list", "--organization", name]].concat()).unwrap();
    let in_postgres = ["--data", &first, "--storage", &url];
    for (name, before) in ["acme", "globex"].into_iter().zip(before) {
        assert_eq!(listed(&in_postgres, name), before);
    }
    run(&[&in_postgres[..], &["member", "add", "late@acme.example", "--organization", "acme"]].concat()).unwrap();
    // Out of the database the key must come from somewhere.
    let nowhere = format!("{last}-nowhere");
    let without = run(&[&["--data", &nowhere][..], &back].concat()).unwrap_err();
    assert!(without.contains("the host key is not in"), "{without}");
    run(&[&["--data", &first][..], &back].concat()).unwrap();
    assert_eq!(listed(&["--data", &last], "acme"), listed(&in_postgres, "acme"));
    assert!(listed(&["--data", &last], "acme").contains("late@acme.example"));
    // There is a way back to the old one.
    std::fs::remove_file(Path::new(&first).join("moved")).unwrap();
    assert!(!listed(&["--data", &first], "acme").contains("late@acme.example"));
    // A name that was deleted keeps its generation: what was its own is never seen again.
    run(&["--data", &last, "org", "create", "former", "--seats", "10", "--owner", "owner@former.example"]).unwrap();
    assert!(!listed(&["--data", &last], "former").contains("someone@former.example"));
}

#[test]
fn p9_a_move_out_of_a_postgresql_that_was_killed_after_its_last_commit_is_compared_with_it_when_it_is_given_again() {
    let cluster = Cluster::start();
    let (data, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (key, to, url) = (data.path().to_str().unwrap(), target.path().to_str().unwrap(), cluster.url());
    let there = |arguments: &[&str]| run(&[&["--data", key, "--storage", &url], arguments].concat());
    for name in ["acme", "former"] {
        there(&["org", "create", name, "--seats", "10", "--owner", &format!("owner@{name}.example")]).unwrap();
    }
    there(&["org", "delete", "former", "--yes-delete", "former"]).unwrap();
    let migrate = || -> Result<Value, String> {
        let report = run(&["--data", key, "migrate", "--from", &url, "--to", to])?;
        Ok(serde_json::from_str(&report).unwrap())
    };
    let first = migrate().unwrap();
    assert_eq!(first["organizations"], 1);

    // As a kill between the last commit and the end of the mark leaves the mark.
    let mark = target.path().join("moved");
    let returning =
        r#"{"to": "the database away", "began": "2026-01-01T00:00:00Z", "returning": "2026-01-02T00:00:00Z"}"#;
    std::fs::write(&mark, returning).unwrap();
    let again = migrate().unwrap();
    assert_eq!((&again["organizations"], &again["items"]), (&first["organizations"], &first["items"]));
    assert_eq!(again["items_of_earlier_copy"], first["items"]);
    assert!(!mark.exists(), "all is there");

    // What has changed in the source since is not there.
    std::fs::write(&mark, returning).unwrap();
    there(&["member", "add", "late@acme.example", "--organization", "acme"]).unwrap();
    let refused = migrate().unwrap_err();
    assert!(refused.contains("not as the source has them") && refused.contains("\"exit_code\":4"), "{refused}");
    assert!(mark.exists(), "nobody but the copy ends the mark");
}

fn acme() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

/// All items of the organization.
async fn everything(storage: &dyn Storage) -> Result<Vec<Entry>, StorageError> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let start = all.last().map(|last| [last.key.as_slice(), &[0]].concat()).unwrap_or_default();
        let page = Page { range: KeyRange { start, end: vec![0xff] }, reverse: false, skip: 0, limit: u32::MAX };
        let scanned = storage.scan(&acme(), vec![page]).await?.remove(0);
        all.extend(scanned.entries);
        if !scanned.more {
            return Ok(all);
        }
    }
}

/// What holds a command up, see [`held_up`].
const HOLDS: &str = "pg_stat_activity WHERE wait_event = 'PgSleep'";

/// Starts the command, and waits until it writes the item with this key, at which the database holds it up until somebody
/// cancels that.
fn held_up(cluster: &Cluster, key: &str, arguments: &[&str]) -> Child {
    cluster.sql(&format!(
        "CREATE OR REPLACE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.key = convert_to('{key}', 'UTF8') THEN PERFORM pg_sleep(600); END IF;
            RETURN NEW;
        EXCEPTION WHEN query_canceled THEN
            RETURN NEW;
        END $$;
        CREATE OR REPLACE TRIGGER hold BEFORE INSERT ON insomnia_scim.item FOR EACH ROW EXECUTE FUNCTION hold()"
    ));
    let command = Command::new(binary()).args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    while cluster.sql(&format!("SELECT count(*) FROM {HOLDS}")) != "1" {
        assert!(begin.elapsed() < Duration::from_secs(120), "the command does not come to {key}");
        thread::sleep(Duration::from_millis(20));
    }
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p9_a_copy_that_kill_9_of_the_command_or_of_the_database_breaks_off_goes_on_with_what_has_arrived() {
    const ITEMS: usize = 10_000;
    let mut cluster = Cluster::start();
    let data = tempfile::tempdir().unwrap();
    let (from, url) = (data.path().to_str().unwrap().to_owned(), cluster.url());
    run(&["--data", &from, "org", "create", "acme", "--seats", "10", "--owner", "owner@acme.example"]).unwrap();
    // Nobody may have it open while it is moved.
    let source = || SqliteStorage::open(&data.path().join("insomnia-scim.db")).unwrap();
    let write = async |changes: Vec<Change>| {
        source().commit(&acme(), Transaction { changes, ..Transaction::default() }).await.unwrap();
    };
    let put = |number: usize, value: &str| Change::put(format!("zz/{number:05}").into(), value.repeat(20).into());
    write((0..ITEMS).map(|number| put(number, "before")).collect()).await;
    let members = |place: &[&str]| run(&[place, &["member", "list", "--organization", "acme"]].concat()).unwrap();
    let before = members(&["--data", &from]);
    // Its tables are made, so that they can be watched.
    drop(open(&url).await);
    let migrate = ["migrate", "--from", &from, "--to", &url];
    let arrived = || cluster.sql("SELECT count(*) FROM insomnia_scim.item").parse::<usize>().unwrap();

    let mut command = held_up(&cluster, "zz/05000", &migrate);
    command.kill().unwrap();
    command.wait().unwrap();
    cluster.sql(&format!("SELECT pg_terminate_backend(pid) FROM {HOLDS}"));
    let first = arrived();
    assert!((1_000..ITEMS).contains(&first), "{first} items have arrived");
    // Nobody takes what is there for all.
    let command = run(&["--data", &from, "--storage", &url, "org", "list"]);
    assert!(command.is_err(), "{command:?}");
    let old = run(&["--data", &from, "org", "list"]).unwrap_err();
    assert!(old.contains("is being moved to") && old.contains("give the same command again"), "{old}");

    // Meanwhile the source changes: where it was copied, where it was broken off, and where nothing was copied.
    write(vec![put(7, "after"), Change::Delete(b"zz/00008".to_vec()), put(ITEMS, "new"), put(9_000, "after")]).await;
    let mut command = held_up(&cluster, "zz/08000", &migrate);
    cluster.stop_at_once();
    assert!(!command.wait().unwrap().success());
    cluster.start_again();
    let second = cluster.sql("SELECT count(*) FROM insomnia_scim.item").parse::<usize>().unwrap();
    assert!(second > first, "{first} items had arrived, and now {second}");
    write(vec![Change::Delete(b"zz/00009".to_vec()), put(6_000, "last")]).await;
    cluster.sql("DROP TRIGGER hold ON insomnia_scim.item");
    let report: Value = serde_json::from_str(&run(&migrate).unwrap()).unwrap();
    let kept = report["items_of_earlier_copy"].as_u64().unwrap();
    assert_eq!(kept as usize, second - 2, "all but the one that has changed and the one that has gone since: {report}");
    let target = open(&url).await;
    assert_eq!(everything(&*target).await.unwrap(), everything(&source()).await.unwrap());
    assert_eq!(members(&["--data", &from, "--storage", &url]), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p9_a_copy_keeps_its_lock_however_long_it_takes_and_ends_with_words_if_the_lock_is_lost() {
    const PATIENCE: Duration = Duration::from_secs(60);
    let cluster = Cluster::start();
    let data = tempfile::tempdir().unwrap();
    let (from, url) = (data.path().to_str().unwrap().to_owned(), cluster.url());
    run(&["--data", &from, "org", "create", "acme", "--seats", "10", "--owner", "owner@acme.example"]).unwrap();
    let source = || SqliteStorage::open(&data.path().join("insomnia-scim.db")).unwrap();
    let changes = vec![Change::put(b"zz".to_vec(), b"value".to_vec())];
    source().commit(&acme(), Transaction { changes, ..Transaction::default() }).await.unwrap();
    drop(open(&url).await);
    cluster.sql("ALTER ROLE postgres SET idle_in_transaction_session_timeout = '1s'");
    let migrate = ["migrate", "--from", &from, "--to", &url];
    let command = held_up(&cluster, "zz", &migrate);
    // The session with the lock has nothing to do, for longer than others may.
    let holder = "pg_stat_activity WHERE state = 'idle in transaction' AND pid IN (
        SELECT pid FROM pg_locks WHERE locktype = 'advisory')";
    let begin = Instant::now();
    let lasts = format!("SELECT count(*) FROM {holder} AND state_change < now() - interval '3 seconds'");
    while cluster.sql(&lasts) != "1" {
        assert!(begin.elapsed() < PATIENCE, "the session with the lock was ended");
        thread::sleep(Duration::from_millis(50));
    }
    let second = run(&migrate).unwrap_err();
    assert!(second.contains("another copy into"), "{second}");
    assert_eq!(cluster.sql(&format!("SELECT pg_terminate_backend(pid) FROM {holder}")), "t");
    cluster.sql(&format!("SELECT pg_cancel_backend(pid) FROM {HOLDS}"));
    let ended = command.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && said.contains("holds the lock of this copy was closed"), "{said}");
    cluster
        .sql("ALTER ROLE postgres RESET idle_in_transaction_session_timeout; DROP TRIGGER hold ON insomnia_scim.item");
    run(&migrate).unwrap();
    assert_eq!(everything(&*open(&url).await).await.unwrap(), everything(&source()).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p9_a_last_commit_that_was_never_sent_is_told_as_not_made() {
    let cluster = Cluster::start();
    let data = tempfile::tempdir().unwrap();
    let (from, url) = (data.path().to_str().unwrap().to_owned(), cluster.url());
    run(&["--data", &from, "org", "create", "acme", "--seats", "10", "--owner", "owner@acme.example"]).unwrap();
    drop(open(&url).await);
    // The host's own records are in the transaction that the last commit ends.
    let command = held_up(&cluster, "organization/acme", &["--json", "migrate", "--from", &from, "--to", &url]);
    let holder = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()";
    assert_eq!(cluster.sql(&format!("SELECT pg_terminate_backend(pid) FROM ({holder}) AS holder")), "t");
    cluster.sql(&format!("SELECT pg_cancel_backend(pid) FROM {HOLDS}"));
    let ended = command.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("holds the lock of this copy was closed") && !said.contains("it is not known"), "{said}");
    assert_eq!(ended.status.code(), Some(7), "{said}");
    assert_eq!(
        cluster.sql("SELECT count(*) FROM insomnia_scim.organization WHERE name = '_host'"),
        "0",
        "it serves nobody"
    );
    // The old place goes on, and the same command finishes the move.
    run(&["--data", &from, "org", "list"]).unwrap();
    cluster.sql("DROP TRIGGER hold ON insomnia_scim.item");
    run(&["migrate", "--from", &from, "--to", &url]).unwrap();
}

#[test]
fn p9_a_place_that_a_server_uses_is_neither_moved_nor_moved_into_and_afterwards_the_old_one_is_refused() {
    let cluster = Cluster::start();
    let mut server = Server::start();
    let (from, url) = (server.data().to_str().unwrap().to_owned(), cluster.url());
    let migrate = ["--data", &from, "migrate", "--from", &from, "--to", &url];
    let mut refused =
        Command::new(binary()).args(migrate).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // While it looks, and afterwards, the server goes on, and so do commands beside it.
    while refused.try_wait().unwrap().is_none() {
        run(&["--data", &from, "org", "list"]).unwrap();
        assert!(!Path::new(&from).join("moved").exists(), "a place that is in use is not marked");
    }
    let refused = refused.wait_with_output().unwrap();
    let used = String::from_utf8_lossy(&refused.stderr);
    assert!(used.contains("is in use") && used.contains("stop its server"), "{used}");
    insomnia_scim_tests::seed::someone(&server.client(), "beside");
    run(&["--data", &from, "org", "list"]).unwrap();
    assert!(server.stop().success());
    run(&migrate).unwrap();
    for command in ["serve", "demo"] {
        let old = run(&["--data", &from, command, "--listen", "127.0.0.1:0"]).unwrap_err();
        assert!(old.contains("was moved to") && old.contains("--storage"), "{command}: {old}");
    }

    // The other way: servers on a PostgreSQL are told by what they do, and not by what one that was killed has left.
    let token = server.demo().token.clone();
    let (data, surroundings) =
        (server.into_directory(), Surroundings { storage: Some(url.clone()), ..Surroundings::default() });
    let mut server = Server::start_on(data, &token, &surroundings);
    let elsewhere = tempfile::tempdir().unwrap();
    let to = elsewhere.path().join("new").to_str().unwrap().to_owned();
    let back = ["--data", &from, "migrate", "--from", &url, "--to", &to];
    let used = run(&back).unwrap_err();
    assert!(used.contains("is in use") && used.contains(&format!("http://{}", server.authority())), "{used}");
    let third = tempfile::tempdir().unwrap();
    let third = third.path().to_str().unwrap();
    run(&["--data", third, "org", "create", "acme", "--owner", "owner@acme.example"]).unwrap();
    let full = run(&["migrate", "--from", third, "--to", &url]).unwrap_err();
    assert!(full.contains("nothing was written into the database postgres"), "{full}");
    assert!(full.contains("has organizations already"), "{full}");
    run(&["--data", third, "org", "list"]).unwrap();
    server.kill();
    run(&back).unwrap();
    let members = run(&["--data", &to, "member", "list", "--organization", "demo"]).unwrap();
    assert!(members.contains("owner@demo.example") && members.contains("beside"), "{members}");

    // Who restores is told where to, before anything is written there.
    let (data, second) = (tempfile::tempdir().unwrap(), format!("{url}&schema=second"));
    let data = data.path().to_str().unwrap();
    let restore = Command::new(binary()).args(["--data", data, "--storage", &second, "restore", &to]).output().unwrap();
    let said = String::from_utf8_lossy(&restore.stderr);
    assert!(restore.status.success(), "{said}");
    assert!(said.contains("(schema second), and the host key into ") && said.contains(data), "{said}");
}
