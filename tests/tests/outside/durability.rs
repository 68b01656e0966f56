//! Data that must survive a stop, a restart, `kill -9` and a directory that nobody may write to.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use insomnia_scim_tests::client::Request;
use insomnia_scim_tests::idp::entra::{Entra, Shape};
use insomnia_scim_tests::idp::okta_oin::OktaOin;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{BULK, id, members, sorted};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Server, binary};
use serde_json::{Value, json};

#[test]
fn kill_9_during_creates_loses_nothing_that_was_answered_201() {
    let mut server = Server::start();
    let writers = 8;
    let threads: Vec<_> = (0..writers)
        .map(|_| {
            let client = server.client();
            thread::spawn(move || {
                let mut answered = Vec::new();
                loop {
                    let request = Request::new("POST", "/Users").body(seed::user_request(&Person::new("stream")));
                    match client.try_send(&request) {
                        Ok(response) => answered.push(response.resource(201)),
                        // The connection broke: this create was not answered and may or may not be there.
                        Err(_) => return answered,
                    }
                }
            })
        })
        .collect();
    let watching = server.client();
    while watching.get("/Users?count=0").list().total < 50 {
        thread::sleep(Duration::from_millis(10));
    }
    server.kill();
    let answered: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().expect("a writer")).collect();
    assert!(answered.len() >= 50 - writers, "{} creates were answered", answered.len());

    server.start_again();
    let client = server.client();
    for created in &answered {
        assert_eq!(&client.get(&format!("/Users/{}", id(created))).resource(200), created);
    }
    let total = client.get("/Users?count=0").list().total;
    let answered = answered.len() as u64;
    assert!((answered..=answered + writers as u64).contains(&total), "{total} users, {answered} answered");
}

#[test]
fn entra_goes_on_after_a_restart_in_the_middle() {
    let mut server = Server::start();
    let entra = Entra::new(&server.connector(), Shape::Default);
    entra.test_connection();
    let (person, other) = (Person::new("entra"), Person::new("entra"));
    let ids = [entra.provision(&person), entra.provision(&other)];
    let name = unique("Entra Group");
    let group = entra.provision_group(&name);
    entra.add_members(&group, &ids);
    entra.disable(&ids[0]);

    assert!(server.stop().success(), "a stop by SIGTERM is a success");
    let line = server.start_again();
    assert_eq!(line["connector_url"], json!(server.demo().connector_url), "the connector URL never changes");
    assert_ne!(line["token"], json!(server.demo().token), "the token is shown once");

    assert_eq!(entra.provision(&person), ids[0], "the anchors hold");
    assert_eq!(entra.provision_group(&name), group);
    assert_eq!(entra.read(&ids[0])["active"], json!(false));
    entra.enable(&ids[0]);
    entra.remove_members(&group, &ids[1..]);
    let read = server.client().get(&format!("/Groups/{group}")).resource(200);
    assert_eq!(members(&read), [ids[0].clone()]);
    entra.purge(&ids[1]);

    server.kill();
    server.start_again();
    entra.is_gone(&ids[1]);
    let read = server.client().get(&format!("/Groups/{group}")).resource(200);
    assert_eq!(members(&read), [ids[0].clone()]);
    entra.delete_group(&group);
}

#[test]
fn okta_goes_on_after_a_restart_in_the_middle() {
    let mut server = Server::start();
    let app = OktaOin::new(&server.connector());
    app.okta().test_credentials();
    let people: Vec<Person> = (0..2).map(|_| Person::new("okta")).collect();
    let users: Vec<(String, String)> =
        people.iter().map(|person| (app.okta().assign(person), person.user_name.clone())).collect();
    let ids: Vec<String> = users.iter().map(|(user, _)| user.clone()).collect();
    let name = unique("Okta Group");
    let group = app.okta().push_group(&name);
    app.replace_members(&group, &users);
    app.deactivate(&ids[0]);

    server.kill();
    server.start_again();
    app.okta().test_credentials();
    assert_eq!(app.okta().read(&ids[0])["active"], json!(false));
    assert_eq!(app.okta().assign(&people[0]), ids[0]);
    assert_eq!(members(&app.okta().read_group(&group)), sorted(&ids));
    app.rename_group(&group, &name);
    app.swap_members(&group, &ids[..1], &[]);
    assert_eq!(members(&app.okta().read_group(&group)), ids[1..]);

    assert!(server.stop().success());
    server.start_again();
    assert_eq!(app.okta().import_users(), ids);
    assert_eq!(app.okta().import_groups(), [group]);
}

#[test]
fn a_graceful_stop_finishes_what_it_started() {
    let mut server = Server::start();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let client = server.client();
            thread::spawn(move || {
                let mut answered = Vec::new();
                loop {
                    let request = Request::new("POST", "/Users").body(seed::user_request(&Person::new("stop")));
                    match client.try_send(&request) {
                        Ok(response) if response.status == 201 => answered.push(id(&response.resource(201))),
                        Ok(response) => {
                            response.error(503);
                            return answered;
                        }
                        Err(_) => return answered,
                    }
                }
            })
        })
        .collect();
    let watching = server.client();
    while watching.get("/Users?count=0").list().total < 20 {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(server.stop().success());
    let answered: Vec<String> = threads.into_iter().flat_map(|thread| thread.join().expect("a writer")).collect();
    server.start_again();
    let client = server.client();
    assert_eq!(
        client.get("/Users?count=0").list().total,
        answered.len() as u64,
        "every create that took effect was answered"
    );
    for user in &answered {
        client.get(&format!("/Users/{user}")).resource(200);
    }
}

/// The user `nobody`. Who is root may write whatever the permissions say.
const NOBODY: u32 = 65_534;

/// What a directory has, by name.
fn content(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn set_modes(directory: &Path, of_directory: u32, of_files: u32) {
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    set(directory, 0o700);
    content(directory).into_keys().for_each(|path| set(&path, of_files));
    set(directory, of_directory);
}

#[test]
fn a_data_directory_that_can_not_be_written_is_refused_with_words_and_nothing_is_lost() {
    let mut server = Server::start();
    let users: Vec<String> = (0..5).map(|_| id(&seed::someone(&server.client(), "kept"))).collect();
    // What was answered last is in the log only, and no process has it in memory.
    server.kill();
    let data = server.data().to_owned();
    let programs = tempfile::tempdir().unwrap();
    let program = programs.path().join("insomnia-scim");
    fs::copy(binary(), &program).unwrap();
    let is_root = fs::metadata(programs.path()).unwrap().uid() == 0;
    if is_root {
        let files = content(&data).into_keys().chain([data.clone(), programs.path().to_owned()]);
        files.for_each(|path| chown(path, Some(NOBODY), Some(NOBODY)).unwrap());
    }
    let run = |arguments: &[&str]| {
        let mut command = if is_root { Command::new("setpriv") } else { Command::new(&program) };
        if is_root {
            command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()]);
            command.arg(&program);
        }
        command.arg("--data").arg(&data).args(arguments).env("HOME", programs.path()).output().unwrap()
    };
    let is_refused = |of_directory: u32, of_files: u32| {
        set_modes(&data, of_directory, of_files);
        let before = content(&data);
        for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["org", "list"]] {
            let output = run(arguments);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success(), "{arguments:?} with {of_directory:o} and {of_files:o}: {said}");
            assert!(said.contains("writable for the user that runs this"), "{arguments:?}: {said}");
            assert!(said.contains("insomnia-scim.db"), "{arguments:?}: {said}");
        }
        assert!(content(&data) == before, "a file has changed with {of_directory:o} and {of_files:o}");
        set_modes(&data, 0o700, 0o600);
    };
    // Nothing there may be written, or the files that are there may not.
    is_refused(0o500, 0o400);
    is_refused(0o700, 0o400);
    server.start_again();
    for user in &users {
        server.client().get(&format!("/Users/{user}")).resource(200);
    }
    assert_eq!(server.client().get("/Users?count=0").list().total, users.len() as u64);
    // Beside the database no log can be made.
    assert!(server.stop().success());
    if is_root {
        content(&data).into_keys().for_each(|path| chown(path, Some(NOBODY), Some(NOBODY)).unwrap());
    }
    is_refused(0o500, 0o600);
}

#[test]
fn versions_and_times_are_the_same_after_a_restart() {
    let mut server = Server::start();
    let client = server.client();
    let user = seed::someone(&client, "same");
    let group = seed::group(&client, &unique("same"), &[id(&user)]);
    let read = client.get(&format!("/Users/{}", id(&user))).resource(200);
    server.kill();
    server.start_again();
    assert_eq!(client.get(&format!("/Users/{}", id(&user))).resource(200), read);
    assert_eq!(client.get(&format!("/Groups/{}", id(&group))).resource(200), group);
}

/// RFC 9967 §2.5.1: what was accepted is run also after a crash, and what was done before the crash is not done again.
#[test]
fn rfc_9967_2_5_1_kill_9_while_an_asynchronous_request_is_run_does_nothing_twice_and_leaves_nothing_out() {
    const USERS: usize = 250;
    let mut server = Server::start();
    let organization = server.demo().organization.clone();
    server.command(&["stream", "add", "Backend", "--audience", "https://rp.example", "--organization", &organization]);
    let client = server.client();
    let post = |number: usize| {
        let data = seed::user_request(&Person::new("later"));
        json!({"method": "POST", "path": "/Users", "bulkId": number.to_string(), "data": data})
    };
    let body = json!({"schemas": [BULK], "Operations": (0..USERS).map(post).collect::<Vec<_>>()});
    let accepted = client.send(&Request::new("POST", "/Bulk").header("Prefer", "respond-async").body(body));
    let location = accepted.is(202).header("location").expect("a location").to_owned();
    let path = location.strip_prefix(&server.demo().connector_url).expect("a path").to_owned();
    while client.get("/Users?count=0").list().total < 20 {
        thread::sleep(Duration::from_millis(5));
    }
    server.kill();
    server.start_again();

    let client = server.client();
    // Whoever was killed had the jobs for 15 seconds.
    let done = (0..600).find_map(|_| {
        thread::sleep(Duration::from_millis(100));
        Some(client.get(&path)).filter(|response| response.status == 200)
    });
    assert_eq!(done.expect("the results").json()["moreAvailable"], json!(true));
    assert_eq!(client.get("/Users?count=0").list().total, USERS as u64);
    let mut statuses = Vec::new();
    for start in (1..=USERS).step_by(100) {
        let page = client.get(&format!("{path}?startIndex={start}")).is(200).json();
        for token in page["sets"].as_object().into_iter().flat_map(serde_json::Map::values) {
            let claims = token.as_str().and_then(|token| token.split('.').nth(1)).expect("claims");
            let claims: Value =
                serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).expect("base64")).expect("JSON");
            statuses.push(claims["events"]["urn:ietf:params:scim:event:misc:asyncresp"]["status"].clone());
        }
    }
    assert_eq!(statuses, vec![json!("201"); USERS], "one that was done again would be a conflict");
}
