//! The commands that administrators use, with a server running on the same data.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use insomnia_scim_tests::client::{Client, Request, encode};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{id, patch, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Connector, Server, binary, shared};
use serde_json::{Value, json};

/// How long the scheduler may take to do what is due.
const SOON: Duration = Duration::from_secs(20);

fn organization(name: &str) -> (Connector, Client) {
    let connector = shared().another_organization(&unique(name));
    let client = connector.client();
    (connector, client)
}

/// Tries until there is something.
#[track_caller]
pub(crate) fn soon<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < SOON, "{what} did not come in {SOON:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn run(server: &Server, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--data").arg(server.data()).stdin(Stdio::null());
    command.output().expect("the binary runs")
}

/// A command has done its work when it prints: a reader that has had enough is no failure, and a full disk is said.
#[test]
fn a_command_whose_output_nobody_takes_ends_in_order() {
    let (connector, _) = organization("pipe");
    let organization = connector.organization.as_str();
    for arguments in
        [["connector", "status", "--organization", organization].as_slice(), &["schema", "show", organization]]
    {
        let run = |out: Stdio| {
            let mut command = Command::new(binary());
            command.args(arguments).arg("--data").arg(shared().data());
            command.stdin(Stdio::null()).stdout(out).output().expect("the binary runs")
        };
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let closed = run(writer.into());
        assert!(closed.status.success() && closed.stderr.is_empty(), "{closed:?}");
        let full = run(fs::File::options().write(true).open("/dev/full").expect("a full device").into());
        let said = String::from_utf8_lossy(&full.stderr);
        assert_eq!(full.status.code(), Some(1), "{said}");
        assert!(said.starts_with("error: the command has done its work") && said.lines().count() == 1, "{said}");
    }
}

/// A program that calls a command tells by the exit code that it is worth another try.
#[test]
fn p9_storage_that_is_away_ends_every_command_with_7() {
    let place = tempfile::tempdir().expect("a directory");
    let path = |name: &str| place.path().join(name).to_str().expect("a path").to_owned();
    let (data, kept, backup) = (path("data"), path("kept"), path("backup"));
    let run = |arguments: &[&str]| Command::new(binary()).args(arguments).output().expect("the binary runs");
    let made = run(&["--data", &kept, "org", "create", "acme", "--owner", "owner@acme.example"]);
    assert!(made.status.success(), "{made:?}");
    let away = "postgres://scim@127.0.0.1:1/insomnia";
    let of = ["--organization", "acme"];
    let commands: [&[&str]; 20] = [
        &["serve", "--listen", "127.0.0.1:0"],
        &["demo", "--listen", "127.0.0.1:0"],
        &["org", "list"],
        &["org", "create", "acme"],
        &["org", "set", "acme", "--seats", "7"],
        &["member", "list"],
        &["team", "list"],
        &["connector", "status"],
        &["setup-link", "list"],
        &["oauth-client", "list"],
        &["guard", "show"],
        &["log", "list"],
        &["audit", "list"],
        &["event", "list"],
        &["delivery", "list", "emails-waiting"],
        &["api-key", "list", "--operator"],
        &["component", "list"],
        &["key", "status"],
        &["backup", &backup],
        &["restore", &kept],
    ];
    let of_organization =
        ["member", "team", "connector", "setup-link", "oauth-client", "guard", "log", "audit", "event", "delivery"];
    for command in commands {
        let more = if of_organization.contains(&command[0]) { &of[..] } else { &[] };
        let ended = run(&[&["--json", "--data", &data, "--storage", away][..], command, more].concat());
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(7), "{command:?}: {said}");
        let told = said.lines().find_map(|line| serde_json::from_str::<Value>(line).ok()?.get("error").cloned());
        let told = told.unwrap_or_else(|| panic!("{command:?}: no error in JSON: {said}"));
        assert_eq!((&told["kind"], &told["exit_code"]), (&json!("unavailable"), &json!(7)), "{command:?}");
        assert!(text(&told, "message").contains("can't be reached"), "{command:?}: {told}");
    }
    let moved = run(&["migrate", "--from", &kept, "--to", away]);
    assert_eq!(moved.status.code(), Some(7), "{}", String::from_utf8_lossy(&moved.stderr));
}

/// A setting of which nothing good can come is told at the start, and not when it is needed first.
#[test]
fn p9_a_time_or_a_limit_in_the_configuration_that_is_none_or_absurd_is_refused_by_name() {
    let place = tempfile::tempdir().expect("a directory");
    let config = place.path().join("config.toml");
    let smtp = |setting: &str| {
        format!("[email]\nfrom = 'no-reply@example.com'\n[email.smtp]\nhost = 'smtp.example.com'\n{setting} = 0")
    };
    let (timeout, connections) = (smtp("timeout-seconds"), smtp("connections"));
    for (table, setting) in [
        ("[alerts]\nevery-seconds = 0", "`every-seconds` in the table [alerts] is 1 to 86400, and not 0"),
        ("[alerts]\nevery-seconds = 86401", "is 1 to 86400, and not 86401"),
        ("[alerts]\nevery-seconds = 9223372036854775807", "every-seconds"),
        ("[alerts]\ndisk-free-mib = 1073741825", "disk-free-mib"),
        ("[http]\ntimeout-seconds = 0", "timeout-seconds in the table [http] must be 1 to 3600, not 0"),
        ("[http]\nconnect-timeout-seconds = 0", "connect-timeout-seconds"),
        ("[http]\nports = [0]", "ports"),
        ("[email]\nfolder-keep-days = 0", "1 to 3650 days"),
        (timeout.as_str(), "timeout-seconds must be 1 to 3600, not 0"),
        (connections.as_str(), "connections must be 1 to 1000, not 0"),
        ("[quotas]\nemails-per-day = 0", "emails-per-day can't be lower than 1"),
        ("[otlp]\nendpoint = 'http://127.0.0.1:9'\nsample = 1.5", "from 0 to 1"),
    ] {
        fs::write(&config, table).expect("the configuration");
        // A server that took it would serve until it is told to end.
        let mut command = Command::new("timeout");
        command.arg("60").arg(binary()).args(["serve", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(place.path().join("data")).arg("--config").arg(&config).stdin(Stdio::null());
        let ended = command.output().expect("the binary runs");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{table}: {said}");
        assert!(said.contains(setting), "{table}: {said}");
    }
}

/// An organization's emails in the mail folder that are to this address.
pub(crate) fn mail_to(server: &Server, organization: &str, address: &str) -> Vec<String> {
    let Ok(folder) = fs::read_dir(server.data().join("mail").join(organization)) else { return Vec::new() };
    let letters = folder.filter_map(|entry| {
        let path = entry.ok()?.path();
        path.extension().filter(|extension| *extension == "eml")?;
        fs::read_to_string(path).ok()
    });
    letters.filter(|letter| letter.contains(&format!("\nTo: {address}\r"))).collect()
}

#[test]
fn a_new_user_gets_one_email_in_the_mail_folder() {
    let (connector, client) = organization("mail");
    let person = Person::new("mail");
    seed::user(&client, &person);
    let letter = soon("the email", || mail_to(shared(), &connector.organization, &person.email).pop());
    for field in ["Subject: ", "Message-ID: <", "Date: ", "text/plain", "text/html"] {
        assert!(letter.contains(field), "{field} is missing\n{letter}");
    }
    assert_eq!(mail_to(shared(), &connector.organization, &person.email).len(), 1);
    let log = shared().stderr();
    assert!(log.contains("WARN") && log.contains("emails are not sent"), "c25: nobody gets emails: {log}");
}

#[test]
fn the_log_lists_and_exports_what_was_asked_without_a_token() {
    let (connector, client) = organization("log");
    let user = seed::someone(&client, "log");
    client.get("/Users/nobody").error(404);
    let list =
        |more: &[&str]| shared().command(&[&["log", "list", "--organization", &connector.organization], more].concat());
    let all = soon("the log", || {
        let all = list(&[]);
        (all.as_array().map(Vec::len) == Some(2)).then_some(all)
    });
    assert_eq!((all[0]["status"].as_u64(), all[1]["status"].as_u64()), (Some(404), Some(201)));
    assert_eq!(all[1]["subject"]["id"], user["id"]);
    assert_eq!(list(&["--status", "4"]).as_array().map(Vec::len), Some(1));
    assert_eq!(list(&["--method", "post", "--resource", "User", "--since", "1h"]).as_array().map(Vec::len), Some(1));
    assert_eq!(list(&["--until", "1h"]), json!([]));
    for (status, said) in [("0", "listed without --status"), ("404", "so 4 is that of 404"), ("7", "first digit")] {
        let refused = run(shared(), &["log", "list", "--organization", &connector.organization, "--status", status]);
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && text.contains(said), "p5: --status {status}: {text}");
    }
    let help = run(shared(), &["log", "list", "--help"]);
    let help = String::from_utf8_lossy(&help.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("the status 0 are in no class"), "p5: the help says what 0 is: {help}");
    let events = |more: &[&str]| {
        let output =
            run(shared(), &[&["event", "list", "--organization", &connector.organization, "--json"], more].concat());
        (String::from_utf8(output.stdout).expect("UTF-8"), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    let (first, hint) = events(&["--limit", "1"]);
    assert!(first.contains("member.created") && !first.contains("connector.enabled"), "{first}");
    let after = hint.split_whitespace().last().expect("how to go on");
    let (rest, hint) = events(&["--after", after]);
    assert!(rest.contains("connector.enabled") && hint.is_empty(), "{rest}{hint}");
    for (format, lines) in [("csv", 3), ("jsonl", 2)] {
        let output = run(shared(), &["log", "export", "--organization", &connector.organization, "--format", format]);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(text.lines().count(), lines, "{text}");
        assert!(!text.contains(&connector.token), "the token is in the log");
    }
}

#[test]
fn a_client_of_oauth_gets_access_until_it_is_deleted() {
    let (connector, _) = organization("oauth");
    let of = ["--organization", connector.organization.as_str()];
    let command = |arguments: &[&str]| shared().command(&[arguments, &of].concat());
    let made = command(&["oauth-client", "create", "Entra", "--client-credentials"]);
    assert_eq!(made["connector_url"].as_str(), Some(connector.url.as_str()));
    let token = |made: &Value| {
        let endpoint = Client::bare(&text(made, "token_endpoint"));
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            encode(&text(made, "client_id")),
            encode(&text(made, "client_secret"))
        );
        endpoint.send(&Request::new("POST", "").header("Content-Type", "application/x-www-form-urlencoded").body(form))
    };
    let access = text(&token(&made).document_of_oauth(), "access_token");
    let client = Client::new(&connector.url, &access);
    client.get("/Users").is(200);

    let rotated = command(&["oauth-client", "rotate", &text(&made, "client_id")]);
    assert_eq!(token(&made).status, 401);
    assert_eq!(token(&rotated).status, 200);
    let listed = command(&["oauth-client", "list"]);
    assert_eq!(listed[0]["id"], made["client_id"]);
    assert!(!listed.to_string().contains(&text(&rotated, "client_secret")));

    command(&["oauth-client", "delete", &text(&made, "client_id")]);
    assert_eq!(token(&rotated).status, 401);
    client.get("/Users").error(401);
}

trait OAuthDocument {
    fn document_of_oauth(&self) -> Value;
}

impl OAuthDocument for insomnia_scim_tests::client::Response {
    #[track_caller]
    fn document_of_oauth(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        serde_json::from_str(&self.text()).expect("JSON")
    }
}

#[test]
fn access_to_the_identity_providers_api_is_shown_without_its_secret() {
    let (connector, _) = organization("idp-api");
    let secret = tempfile::NamedTempFile::new().expect("a file");
    fs::write(secret.path(), "00-secret-of-the-api\n").expect("the secret");
    let path = secret.path().to_str().expect("a path").to_owned();
    let command = |arguments: &[&str]| {
        shared().command(&[&["idp-api"], arguments, &["--organization", &connector.organization]].concat())
    };
    let okta = ["okta", "--org-url", "https://example.okta.com", "--app", "0oa1", "--secret-file", &path];
    let status = command(&okta);
    assert_eq!(status["idp_api"]["app_id"], "0oa1");
    assert_eq!(status["method"], "idp-api");
    let status = command(&["show"]);
    assert!(status["next_attempt"].is_u64() && !status.to_string().contains("secret-of-the-api"), "{status}");
    assert_eq!(command(&["remove"])["method"], "manual");
    let nothing = run(
        shared(),
        &[
            "idp-api",
            "okta",
            "--org-url",
            "https://e.okta.com",
            "--app",
            "a",
            "--organization",
            &connector.organization,
        ],
    );
    assert!(!nothing.status.success() && String::from_utf8_lossy(&nothing.stderr).contains("--secret-file"));
}

#[test]
fn the_guard_holds_what_goes_beyond_it_until_the_owner_decides() {
    let (connector, client) = organization("guard");
    let users = seed::people(&client, "guard", 3);
    let command = |arguments: &[&str]| {
        shared().command(&[&["guard"], arguments, &["--organization", &connector.organization]].concat())
    };
    command(&["set", "--number", "1"]);
    let off = patch(json!({ "op": "replace", "path": "active", "value": false }));
    client.patch(&format!("/Users/{}", users[0]), off.clone()).is(200);
    let held = client.delete(&format!("/Users/{}", users[1]));
    held.error(503);
    assert!(held.header("retry-after").is_some());
    client.delete(&format!("/Users/{}", users[2])).error(503);
    let shown = command(&["show"]);
    assert_eq!(shown["held"].as_array().map(Vec::len), Some(2), "{shown}");
    assert_eq!((&shown["counts"]["deletions"], &shown["counts"]["deactivations"]), (&json!(2), &json!(0)), "{shown}");
    assert!(shown["held"][0]["email"].as_str().is_some_and(|email| email.contains('@')), "{shown}");
    assert_eq!(command(&["allow", &users[1]]), json!({ "decided": 1 }));
    assert_eq!(command(&["refuse"]), json!({ "decided": 1 }));
    client.delete(&format!("/Users/{}", users[1])).no_content();
    client.delete(&format!("/Users/{}", users[2])).error(403);
    let bare = run(shared(), &["guard", "set", "--organization", &connector.organization]);
    let said = String::from_utf8_lossy(&bare.stderr).into_owned();
    assert!(bare.status.code() == Some(2) && said.contains("--number") && said.contains("--off"), "{said}");
    client.delete(&format!("/Users/{}", users[2])).error(403);
    let of = ["--organization", &connector.organization];
    assert_eq!(
        shared().command(&[&["guard", "show"], &of[..]].concat())["guard"]["number"],
        1,
        "a bare `set` sets nothing"
    );
    // Two removals pass: of the third, and of the one after it, the guard holds one.
    let (more, _) = (seed::people(&client, "guard", 2), command(&["set", "--number", "1"]));
    for user in &more {
        let _ = client.delete(&format!("/Users/{user}"));
    }
    let waits = command(&["show"])["counts"]["deletions"].clone();
    assert_eq!(command(&["set", "--off"]), json!({ "guard": null, "forgotten": waits }));
    assert_ne!(waits, json!(0));
    client.delete(&format!("/Users/{}", users[2])).no_content();
}

#[test]
fn c23_c24_members_are_searched_and_exported_and_parked_emails_corrected_and_given_up() {
    let (connector, client) = organization("lists");
    let command =
        |arguments: &[&str]| shared().command(&[arguments, &["--organization", &connector.organization]].concat());
    for name in ["one", "two"] {
        let address = format!("{name}..{name}@parked.example");
        seed::user(&client, &Person { email: address, ..Person::new(name) });
    }
    let found = command(&["member", "list", "--text", "NE..ONE@", "--origin", "scim", "--state", "active"]);
    assert_eq!(found[0]["email"], "one..one@parked.example", "{found}");
    let shown = command(&["member", "show", "one..one@parked.example"]);
    assert_eq!(shown["attributes"]["emails"][0]["value"], "one..one@parked.example", "{shown}");
    let file = run(shared(), &["member", "export", "--organization", &connector.organization, "--origin", "scim"]);
    let file = String::from_utf8_lossy(&file.stdout).into_owned();
    assert!(file.starts_with("id,user_name,") && file.lines().count() == 3, "{file}");
    assert_eq!(command(&["member", "count"])["active_scim"], json!(2));

    let parked = soon("two parked emails", || {
        let parked = command(&["delivery", "list", "emails-parked"]);
        parked.as_array().is_some_and(|parked| parked.len() == 2).then_some(parked)
    });
    command(&["delivery", "readdress", &text(&parked[0], "id"), "right@parked.example"]);
    soon("the corrected email", || {
        mail_to(shared(), &connector.organization, "right@parked.example").first().map(|_| ())
    });
    assert_eq!(command(&["delivery", "dismiss", "emails", "--all"]), json!({ "dismissed": 1 }));

    shared().command(&["org", "set", &connector.organization, "--seats", "1"]);
    client.post("/Users", seed::user_request(&Person::new("seatless"))).error(403);
    let without = command(&["member", "without-seat"]);
    assert_eq!((without.as_array().map(Vec::len), &without[0]["refusals"]), (Some(1), &json!(1)), "{without}");
}

#[test]
fn a_preview_tells_who_would_be_created_adopted_and_left_manual() {
    let (connector, client) = organization("preview");
    let known = Person::new("preview");
    seed::user(&client, &known);
    let manual = format!("manual@{}.example", connector.organization);
    shared().command(&["member", "add", &manual, "--organization", &connector.organization]);
    let users =
        json!([seed::user_request(&known), { "userName": manual.to_uppercase() }, { "userName": "new@x.example" }]);
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), users.to_string()).expect("the users");
    let path = file.path().to_str().expect("a path");
    let preview = shared().command(&["preview", path, "--organization", &connector.organization]);
    let outcomes: Vec<&str> = (0..3).filter_map(|at| preview["users"][at]["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["exists", "adopts", "creates"], "{preview}");
    assert_eq!(preview["left_manual_count"], 1, "the owner: {preview}");
    assert_eq!((&preview["taken"], &preview["taken_after"]), (&json!(3), &json!(4)));
}

#[test]
fn members_of_another_system_are_taken_over_from_a_file_once() {
    let (connector, client) = organization("import");
    let id = "3d813cbb-47fb-42ba-91df-831e1593ac29";
    let members = json!([
        {"id": id, "email": "ada@import.example", "displayName": "Ada"},
        {"id": "usr_42", "email": "bob@import.example"},
    ]);
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), members.to_string()).expect("the members");
    let path = file.path().to_str().expect("a path");
    let import = || {
        let done = run(shared(), &["member", "import", path, "--organization", &connector.organization, "--json"]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(said.contains("1 of 2 members were refused"), "{said}");
        assert_eq!(done.status.code(), Some(1), "somebody was refused");
        serde_json::from_slice::<Value>(&done.stdout).expect("what became of each")
    };
    let outcomes = |rows: &Value| [0, 1].map(|at| text(&rows[at], "outcome"));
    let first = import();
    assert_eq!(outcomes(&first), ["added", "refused"], "{first}");
    assert!(text(&first[1], "reason").contains("no UUID"), "{first}");
    assert_eq!(outcomes(&import()), ["present", "refused"]);
    // As the admin API writes it.
    let member = json!([{"id": id, "email": "ada@import.example", "display_name": "Ada"}]);
    fs::write(file.path(), member.to_string()).expect("the member");
    let all = shared().command(&["member", "import", path, "--organization", &connector.organization]);
    assert_eq!(text(&all[0], "outcome"), "present", "nobody was refused, so it has succeeded");
    assert_eq!(client.get(&format!("/Users/{id}")).is(200).json()["displayName"], "Ada");
    assert_eq!(mail_to(shared(), &connector.organization, "ada@import.example").len(), 0);
}

#[test]
fn an_organization_whose_owner_is_refused_is_not_created() {
    let id = unique("half");
    let create = |owner: &str| run(shared(), &["org", "create", "Half", "--id", &id, "--owner", owner]);
    let refused = create("no address");
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("no address"));
    assert!(!run(shared(), &["org", "show", &id]).status.success(), "nothing is left of it");
    assert!(create(&format!("owner@{id}.example")).status.success(), "its name is free");
}

#[test]
fn the_attributes_of_the_example_are_declared_from_a_file_and_a_mistake_is_pointed_at() {
    let (connector, client) = organization("schema");
    let organization = connector.organization.as_str();
    let example = declaration("user-attributes.json");
    let urn = text(&read(&example)["schemas"][0], "id");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let wrong = fs::read_to_string(&example).expect("the example").replacen("\"integer\"", "\"number\"", 1);
    fs::write(file.path(), wrong).expect("a declaration");
    let refused = run(shared(), &["schema", "put", organization, file.path().to_str().expect("a path")]);
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && message.contains("/schemas/0/attributes/0/type: "), "{message}");
    client.get(&format!("/Schemas/{urn}")).error(404);
    shared().command(&["schema", "put", organization, &example]);
    assert_eq!(shared().command(&["schema", "show", organization]), read(&example));
    client.get(&format!("/Schemas/{urn}")).is(200);
    let mut person = seed::user_request(&Person::new("badge"));
    person["schemas"].as_array_mut().expect("schemas").push(json!(urn));
    person[urn.as_str()] = json!({"badgeNumber": 7, "clearance": "internal"});
    assert_eq!(client.post("/Users", person).is(201).json()[urn.as_str()]["badgeNumber"], json!(7));
    shared().command(&["schema", "remove", organization]);
    client.get(&format!("/Schemas/{urn}")).error(404);
}

/// What Okta's test suite for entitlements asks of each endpoint: `GET {endpoint}?count=1&startIndex=1` is answered 200 with one
/// resource, numbers of where it is, and the endpoints are found by `/ResourceTypes`.
#[test]
fn roles_and_entitlements_of_the_example_for_okta_are_found_and_read() {
    let (connector, client) = organization("entitlements");
    shared().command(&["schema", "put", &connector.organization, &declaration("okta-entitlements.json")]);
    let types = client.get("/ResourceTypes").is(200).json();
    for (name, endpoint) in [("Role", "/Roles"), ("Entitlement", "/Entitlements")] {
        let urn = format!("urn:okta:scim:schemas:core:1.0:{name}");
        let found = types["Resources"].as_array().into_iter().flatten().find(|one| one["name"] == *name);
        let found = found.unwrap_or_else(|| panic!("{name} is not in {types}"));
        assert_eq!((&found["endpoint"], &found["schema"]), (&json!(endpoint), &json!(urn)));
        for display in ["Reader", "Writer"] {
            let one =
                json!({"schemas": [urn], "displayName": display, "type": "Access", "description": "What it allows."});
            client.post(endpoint, one).is(201);
        }
        let page = client.get(&format!("{endpoint}?count=1&startIndex=1")).is(200).json();
        let numbers = ["startIndex", "itemsPerPage", "totalResults"].map(|name| page[name].as_u64());
        assert_eq!(numbers, [Some(1), Some(1), Some(2)], "{page}");
        assert_eq!(page["Resources"][0]["displayName"], json!("Reader"));
        client.post(endpoint, json!({"schemas": [urn], "type": "Access"})).error(400);
    }
}

/// The path of a declaration that comes with the project.
fn declaration(name: &str) -> String {
    format!("{}/../host/examples/declarations/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("a file")).expect("JSON")
}

#[test]
fn members_of_a_team_that_the_identity_provider_pushed_are_listed_and_changed() {
    let (connector, client) = organization("team");
    let people = [Person::new("one"), Person::new("two")];
    let ids: Vec<String> = people.iter().map(|person| id(&seed::user(&client, person))).collect();
    let members: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Pushed", "members": members});
    client.post("/Groups", group).is(201);
    let team = |arguments: &[&str]| {
        shared().command(&[&["team"], arguments, &["--organization", &connector.organization]].concat())
    };
    let listed = || {
        let members = team(&["members", "Pushed"]);
        members.as_array().into_iter().flatten().map(|member| text(member, "id")).collect::<Vec<_>>()
    };
    assert_eq!(listed(), ids);
    assert_eq!(team(&["remove-members", "pushed", &ids[0]])["members"], 1);
    assert_eq!(listed(), ids[1..]);
    assert_eq!(team(&["add-members", "pushed", &people[0].email])["members"], 2);
    let added = team(&["add", "By hand", &people[1].email]);
    assert_eq!((&added["origin"], &added["members"]), (&json!("manual"), &json!(1)));
    team(&["remove", "By hand"]);
    assert_eq!(team(&["list"]).as_array().map(Vec::len), Some(1));
    client.get(&format!("/Users/{}", ids[1])).is(200);
}

/// Answers every request with this status, and tells the requests.
pub(crate) fn receiver(status: &'static str) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("the port").port();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(connection) = connection else { return };
            let request = read_request(&connection);
            let mut connection = connection;
            let _ = write!(connection, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            if sender.send(request).is_err() {
                return;
            }
        }
    });
    (port, receiver)
}

pub(crate) fn read_request(mut connection: &TcpStream) -> String {
    let (mut text, mut part) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = connection.read(&mut part) {
        text.extend_from_slice(&part[..length]);
        let read = String::from_utf8_lossy(&text);
        let Some((head, body)) = read.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn a_webhook_and_a_stream_are_posted_to_only_where_the_operator_permits_it() {
    let (port, received) = receiver("204 No Content");
    let server = Server::start_with(&["--http-permit", &format!("http://127.0.0.1:{port}")]);
    let url = format!("http://127.0.0.1:{port}/hook");
    let of = ["--organization", &server.demo().organization];
    let set = server.command(&[&["webhook", "set", &url], &of[..]].concat());
    assert!(text(&set, "secret").starts_with("whsec_"));
    assert!(set["works_since"].is_u64() && set["error"].is_null(), "{set}");
    let test = soon("the test event", || received.try_recv().ok());
    assert!(test.contains("webhook.test") && test.contains("webhook-signature: v1,"), "{test}");
    let user = seed::someone(&server.client(), "webhook");
    let request = soon("the event", || received.try_recv().ok());
    let lower = request.to_lowercase();
    for field in ["webhook-id: ", "webhook-timestamp: ", "webhook-signature: v1,", "post /hook "] {
        assert!(lower.contains(field), "{field} is missing\n{request}");
    }
    assert!(request.contains("member.created") && request.contains(&id(&user)), "{request}");

    let (forbidden, requests) = receiver("204 No Content");
    let elsewhere = format!("http://127.0.0.1:{forbidden}/hook");
    let refused = run(&server, &[&["webhook", "set", elsewhere.as_str()], &of[..]].concat());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("sends no requests there"), "{said}");
    assert!(requests.try_recv().is_err(), "the webhook was called");
    let kept = server.command(&[&["webhook", "show"], &of[..]].concat());
    assert_eq!(kept["url"], url.as_str(), "what is refused replaces nothing");
    // A name is looked up only when something is posted.
    let named = server.command(&[&["webhook", "set", "https://localhost:8443/hook"], &of[..]].concat());
    assert!(named["works_since"].is_null() && named["error"].is_string(), "{named}");
    let failed = run(&server, &[&["webhook", "test"], &of[..]].concat());
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(failed.status.code() == Some(1) && said.contains("did not take the test"), "{said}");
    server.command(&[&["webhook", "remove"], &of[..]].concat());

    let secret = server.data().join("authorization");
    fs::write(&secret, "Bearer of-the-receiver\n").expect("a file");
    let pushed = ["stream", "add", "Backend", "--audience", "https://rp.example/7", "--push-url", &url];
    let with = ["--authorization-file", secret.to_str().expect("a path")];
    let stream = server.command(&[&pushed[..], &with[..], &of[..]].concat());
    assert!(stream.get("token").is_none() && stream["poll_url"].is_null(), "{stream}");
    seed::someone(&server.client(), "stream");
    let request = soon("the token", || received.try_recv().ok());
    let lower = request.to_lowercase();
    for field in ["content-type: application/secevent+jwt", "authorization: bearer of-the-receiver", "post /hook "] {
        assert!(lower.contains(field), "{field} is missing\n{request}");
    }
    let (_, token) = request.split_once("\r\n\r\n").expect("a body");
    assert_eq!(token.split('.').count(), 3, "{token}");
    let refused = run(&server, &[&pushed[..6], &[elsewhere.as_str()], &of[..]].concat());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("sends no requests there"), "{said}");
    let shown = soon("that it was taken", || {
        let shown = server.command(&[&["stream", "show", &text(&stream, "id")], &of[..]].concat());
        shown["works_since"].is_u64().then_some(shown)
    });
    assert_eq!((&shown["waiting"], &shown["parked"]), (&json!(0), &json!(0)));
}

#[test]
fn email_that_the_smtp_server_does_not_take_waits_and_is_shown() {
    // Nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let url = format!("smtp://127.0.0.1:{port}?tls=none");
    let server = Server::start_with(&["--smtp-url", &url, "--mail-from", "Insomnia <no-reply@demo.example>"]);
    let person = Person::new("smtp");
    seed::user(&server.client(), &person);
    let of = ["--organization", &server.demo().organization];
    let waiting = soon("the failed try", || {
        let waiting = server.command(&[&["delivery", "list", "emails-waiting"], &of[..]].concat());
        waiting[0]["error"].is_string().then_some(waiting)
    });
    assert_eq!(waiting[0]["to"].as_str(), Some(person.email.as_str()), "{waiting}");
    assert!(!server.data().join("mail").exists());
}

#[test]
fn a_wrong_configuration_is_refused_with_what_is_wrong() {
    let directory = tempfile::tempdir().expect("a directory");
    for (arguments, said) in [
        (vec!["--mail-from", "a@example.com", "--smtp-url", "https://example.com"], "smtp://"),
        (vec!["--smtp-url", "smtp://localhost?tls=none"], "set --mail-from"),
        (vec!["--mail-folder-keep-days", "0"], "--mail-folder-keep-days"),
        (vec!["--http-permit", "10.0.0.0/99"], "10.0.0.0/99"),
        (vec!["--base-url", "example.com"], "https://"),
        (vec!["--config", "/nowhere/config.toml"], "/nowhere/config.toml"),
    ] {
        let mut command = Command::new(binary());
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(directory.path()).args(&arguments);
        let output = command.stdin(Stdio::null()).output().expect("the binary runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(said), "{arguments:?}: {text}");
    }
}

/// The table of exit codes in the README: 2 for arguments, 3 for what is not there, 6 for a value.
#[test]
fn p9_what_is_wrong_with_a_command_is_told_by_its_exit_code_and_in_common_words() {
    let (connector, _) = organization("codes");
    let id = connector.organization.as_str();
    for (arguments, code, said) in [
        (vec!["org", "set", id, "--quota", "foo=1"], 2, "there is no quota"),
        (vec!["org", "set", id, "--quota", "requests-per-second=1"], 2, "can't be lower than 25"),
        (vec!["org", "set", id, "--option", "strict=maybe"], 2, "true or false"),
        (vec!["org", "set", id, "--option", "foo=true"], 2, "there is no option \"foo\"; there are "),
        (vec!["org", "set", id, "--seats", "x"], 2, "whole number"),
        (vec!["org", "show", id, "--base-url", "foo"], 2, "https://"),
        (vec!["org", "show", id, "--log", "x=y=z"], 2, "log filter"),
        (vec!["org", "delete", id, "--yes-delete", "foo"], 2, "nothing was deleted"),
        (vec!["serve", "--listen", "127.0.0.1:0", "--trusted-proxy", "foo"], 2, "is no network"),
        (vec!["serve", "--listen", "127.0.0.1:0", "--tls-cert", "cert.pem"], 2, "--tls-key"),
        (vec!["org", "show", "nobody-has-this"], 3, "there is no organization"),
        (vec!["member", "erase", "misspelt@nowhere.example", "--organization", id], 3, "check the spelling"),
        (vec!["org", "show", "Not Valid"], 6, "organization"),
    ] {
        let output = run(shared(), &arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(code) && text.contains(said),
            "{arguments:?}: {:?}: {text}",
            output.status
        );
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}
