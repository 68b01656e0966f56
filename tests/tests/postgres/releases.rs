//! Data that an earlier release has left behind, in SQLite and in PostgreSQL: this release opens it and finds all of
//! it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::idp::okta_oin::OktaOin;
use insomnia_scim_tests::person::Person;
use insomnia_scim_tests::postgres::Cluster;
use insomnia_scim_tests::scim::{id, members, patch, sorted, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Server, Surroundings, binary};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::python::tool;

/// The folders of `tests/releases`: `make.sh` there has made them.
const RELEASES: [&str; 1] = ["2026-11-30"];

fn folder(release: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("releases").join(release)
}

/// A data directory with the release's host key.
fn data_of(release: &str) -> TempDir {
    let data = tempfile::tempdir().unwrap();
    let key = data.path().join("secret.key");
    fs::copy(folder(release).join("secret.key"), &key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    data
}

/// Runs SQL on the database of a data directory.
fn sqlite(data: &Path, sql: &str) {
    let script = "import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.executescript(open(sys.argv[2]).read())
database.close()";
    let file = data.join("statements.sql");
    fs::write(&file, sql).unwrap();
    let database = data.join("insomnia-scim.db");
    let output = Command::new(tool("python")).args(["-c", script]).args([&database, &file]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::remove_file(file).unwrap();
}

fn in_sqlite(release: &str) -> TempDir {
    let data = data_of(release);
    sqlite(data.path(), &fs::read_to_string(folder(release).join("sqlite.sql")).unwrap());
    data
}

fn in_postgres(release: &str) -> Cluster {
    let cluster = Cluster::start();
    cluster.sql(&format!("\\i {}", folder(release).join("postgres.sql").display()));
    cluster
}

/// The token that the release has issued.
fn token_of(release: &str) -> String {
    let issued: Value = serde_json::from_slice(&fs::read(folder(release).join("release.json")).unwrap()).unwrap();
    text(&issued, "token")
}

/// The ids of the users that a filter finds.
fn found(client: &Client, filter: &str) -> Vec<String> {
    let filter = filter.replace(' ', "+").replace('"', "%22").replace('@', "%40");
    let list = client.get(&format!("/Users?filter={filter}")).list();
    assert_eq!(list.total as usize, list.resources.len());
    list.resources.iter().map(id).collect()
}

/// Finds everybody by every index, checks all counters, and changes what is there.
fn everything_is_found_and_can_be_changed(server: &Server) {
    let client = &server.client();
    let listed = client.get("/Users?sortBy=userName").list();
    let ids: Vec<String> = listed.resources.iter().map(id).collect();
    let names: Vec<String> = listed.resources.iter().map(|user| text(user, "displayName")).collect();
    assert_eq!((listed.total, names), (3, vec!["Ada New".to_owned(), "Bea Old".into(), "Cem Old".into()]));
    let [ada, bea, cem] = <[String; 3]>::try_from(ids).unwrap();
    for (user, name, display) in [(&ada, "ada", "Ada New"), (&bea, "bea", "Bea Old"), (&cem, "cem", "Cem Old")] {
        for filter in [
            format!("userName eq \"{name}@demo.example\""),
            format!("userName eq \"{}@DEMO.example\"", name.to_uppercase()),
            format!("externalId eq \"ext-{name}\""),
            format!("emails.value eq \"{name}@demo.example\""),
            format!("emails.value eq \"{name}.second@demo.example\""),
            format!("displayName eq \"{display}\""),
            format!("id eq \"{user}\""),
        ] {
            assert_eq!(found(client, &filter), std::slice::from_ref(user), "{filter}");
        }
        assert_eq!(text(&client.get(&format!("/Users/{user}")).resource(200), "displayName"), display);
    }
    assert_eq!(found(client, "displayName eq \"Ada Old\""), Vec::<String>::new(), "of its old name nothing is left");
    assert_eq!(found(client, "userName eq \"gone@demo.example\""), Vec::<String>::new());
    assert_eq!(client.get(&format!("/Users/{cem}")).resource(200)["active"], json!(false));
    let group = client.get("/Groups?filter=externalId+eq+%22ext-crew%22").list().resources.remove(0);
    assert_eq!(client.get("/Groups?filter=displayName+eq+%22CREW%22").list().resources.len(), 1);
    let crew = client.get(&format!("/Groups/{}", id(&group))).resource(200);
    assert_eq!(members(&crew), sorted(&[ada.clone(), bea.clone()]));
    assert_eq!(client.get(&format!("/Groups?filter=members.value+eq+%22{bea}%22")).list().total, 1);
    for user in [&ada, &bea] {
        assert_eq!(client.get(&format!("/Users/{user}")).resource(200)["groups"][0]["value"], json!(id(&group)));
    }
    let taken = |expected: u64| {
        let shown = server.command(&["org", "show", &server.demo().organization]);
        assert_eq!(shown["licences"]["scim"], json!(expected), "{shown}");
    };
    taken(2);
    let organization = ["--organization", server.demo().organization.as_str()];
    let log = server.command(&[&["log", "list"], &organization[..]].concat());
    assert!(log.to_string().contains("ada@demo.example"), "the log is there: {log}");

    // What was taken is taken, and what is changed is found by its new name alone.
    let twice =
        Person { user_name: "ada@demo.example".into(), email: "ada@demo.example".into(), ..Person::new("twice") };
    client.post("/Users", seed::user_request(&twice)).error(409);
    let change = |user: &str, path: &str, value: Value| {
        client
            .patch(&format!("/Users/{user}"), patch(json!({ "op": "replace", "path": path, "value": value })))
            .is(200);
    };
    change(&cem, "active", json!(true));
    taken(3);
    change(&bea, "userName", json!("bea.new@demo.example"));
    assert_eq!(found(client, "userName eq \"bea.new@demo.example\""), std::slice::from_ref(&bea));
    assert_eq!(found(client, "userName eq \"bea@demo.example\""), Vec::<String>::new());
    client.delete(&format!("/Users/{ada}")).is(204);
    let crew = client.get(&format!("/Groups/{}", id(&group))).resource(200);
    assert_eq!(members(&crew), [bea]);
    taken(2);
    let app = OktaOin::new(&server.connector());
    let person = Person::new("afterwards");
    let user = app.okta().assign(&person);
    assert_eq!(app.okta().assign(&person), user);
}

#[test]
fn p9_a_data_directory_of_an_earlier_release_is_opened_with_all_that_it_has() {
    for release in RELEASES {
        let server = Server::start_on(in_sqlite(release), &token_of(release), &Surroundings::default());
        everything_is_found_and_can_be_changed(&server);
    }
}

#[test]
fn p9_a_postgresql_of_an_earlier_release_is_opened_with_all_that_it_has() {
    for release in RELEASES {
        let cluster = in_postgres(release);
        let surroundings = Surroundings { storage: Some(cluster.url()), ..Surroundings::default() };
        let server = Server::start_on(data_of(release), &token_of(release), &surroundings);
        everything_is_found_and_can_be_changed(&server);
        // What the release itself calls, as long as one of its servers runs, is mended too.
        let mended = "SELECT count(*) FROM pg_proc WHERE proname = 'commit_group'
            AND prosrc LIKE '%IF true THEN%' AND prosrc LIKE '%FOREACH v_key IN ARRAY x_key%'";
        assert_eq!(cluster.sql(mended), "1");
        // The views show it too.
        assert_eq!(cluster.sql("SELECT count(*) FROM insomnia_scim.members WHERE origin = 'scim'"), "3");
    }
}

#[test]
fn what_a_later_release_has_opened_is_refused_with_words_and_left_alone() {
    let release = RELEASES[RELEASES.len() - 1];
    let cluster = in_postgres(release);
    cluster.sql("UPDATE insomnia_scim.schema_version SET version = 99");
    let data = in_sqlite(release);
    sqlite(data.path(), "PRAGMA user_version = 99;");
    let listed = |storage: &Option<String>| {
        let mut command = Command::new(binary());
        command.args(["--data", data.path().to_str().unwrap(), "org", "list"]);
        command.envs(storage.as_ref().map(|url| ("INSOMNIA_SCIM_STORAGE", url))).output().unwrap()
    };
    let storages = [None, Some(cluster.url())];
    for storage in &storages {
        let output = listed(storage);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("has tables of version 99"), "{said}");
        assert!(said.contains("use the release that last opened it, or a newer one"), "{said}");
    }
    // The release that it belongs to finds it as it was.
    assert_eq!(cluster.sql("SELECT version FROM insomnia_scim.schema_version"), "99");
    cluster.sql("UPDATE insomnia_scim.schema_version SET version = 2");
    sqlite(data.path(), "PRAGMA user_version = 5;");
    for storage in &storages {
        let output = listed(storage);
        assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("demo"), "{output:?}");
    }
}
