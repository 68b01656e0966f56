//! Three servers on one PostgreSQL, each with a data directory of its own.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use insomnia_scim_tests::client::{Client, Request};
use insomnia_scim_tests::idp::entra::{Entra, Shape};
use insomnia_scim_tests::idp::okta_oin::OktaOin;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::postgres::Cluster;
use insomnia_scim_tests::scim::{PATCH, id, members, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Connector, Server, Surroundings};
use serde_json::{Value, json};

use super::views;
use crate::outside::alerts;
use crate::outside::commands::soon;
use crate::page::visitor::Visitor;

fn first_host(cluster: &Cluster) -> Server {
    Server::start_in(&Surroundings { storage: Some(cluster.url()), ..Surroundings::default() }, &[])
}

fn through(client: &Client, connector: &Connector) -> Connector {
    Connector { url: client.url(), ..connector.clone() }
}

#[test]
fn identity_providers_whose_requests_reach_three_hosts_in_turn_see_one_server() {
    let cluster = Cluster::start();
    let server = first_host(&cluster);
    let (two, three) = (server.another_host(), server.another_host());
    let connector = server.connector();
    let hosts = [server.client(), two.client(), three.client()];
    let okta = hosts.each_ref().map(|host| OktaOin::new(&through(host, &connector)));
    let entra = hosts.each_ref().map(|host| Entra::new(&through(host, &connector), Shape::Default));
    for number in 0..3 {
        let at = |step: usize| (number + step) % 3;
        let person = Person::new("okta");
        let user = okta[at(0)].okta().assign(&person);
        assert_eq!(okta[at(1)].okta().assign(&person), user, "the match is found on the next host at once");
        okta[at(2)].okta().push_profile(&user, |profile| profile["displayName"] = json!("Changed"));
        assert_eq!(okta[at(0)].okta().read(&user)["displayName"], json!("Changed"));
        let person = Person::new("entra");
        let user = entra[at(1)].provision(&person);
        let name = unique("Entra Group");
        let group = entra[at(2)].provision_group(&name);
        entra[at(0)].add_members(&group, std::slice::from_ref(&user));
        entra[at(1)].disable(&user);
        assert_eq!(entra[at(2)].read(&user)["active"], json!(false));
        entra[at(0)].enable(&user);
        let read = hosts[at(1)].get(&format!("/Groups/{group}")).resource(200);
        assert_eq!(members(&read), [user]);
    }
    who_follows_the_log_at_one_host_sees_what_another_serves(&server, &two, &three);
    views::show(&cluster, &server, &connector);
}

/// Whoever signed in at the first host follows the log at the second, and what the third serves comes in the same stream.
fn who_follows_the_log_at_one_host_sees_what_another_serves(one: &Server, two: &Server, three: &Server) {
    let visitor = Visitor::at(&one.demo().page_url);
    visitor.sign_in(&one.demo().owner_email, &one.demo().owner_passphrase).is(303);
    visitor.choose_passphrase(&one.demo().owner_passphrase, "one that nobody else has seen");
    let cookie = visitor.cookie.borrow().clone().expect("a cookie");
    let mut follow = Command::new("curl");
    follow.args(["-sS", "-N", "--max-time", "50", "-H", &format!("Cookie: {cookie}")]);
    follow.arg(format!("{}/logs/live?status=4", two.demo().page_url)).stdout(Stdio::piped());
    let mut follow = follow.spawn().expect("curl runs");
    let mut lines = BufReader::new(follow.stdout.take().expect("its output")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("retry:")), "the stream has begun");
    let name = unique("never-there");
    three.client().get(&format!("/Users/{name}")).is(404);
    assert!(lines.any(|line| line.starts_with("data:") && line.contains(&name)), "{name} is not in the live log");
    let _ = (follow.kill(), follow.wait());
    // A file that is written afterwards has it too.
    let at_two = Visitor::at(&two.demo().page_url);
    at_two.cookie.replace(Some(cookie));
    let export = at_two.get("/logs/export.jsonl").is(200).text();
    assert!(export.contains(&name), "{name} is not in the export");
}

#[test]
fn a_token_that_one_host_has_replaced_and_a_connector_that_it_has_disabled_are_refused_by_the_others_at_once() {
    let cluster = Cluster::start();
    let (config, posted, _settings) = alerts::alerting();
    let surroundings = Surroundings { storage: Some(cluster.url()), config: Some(config), ..Surroundings::default() };
    let server = Server::start_in(&surroundings, &[]);
    let two = server.another_host();
    let other = server.another_organization("acme");
    let at_two =
        Client::new(&two.client().url().replace(&server.demo().organization, &other.organization), &other.token);
    // Both hosts have served both, so that whatever they keep is warm.
    for client in [&server.client(), &two.client(), &other.client(), &at_two] {
        client.get("/Users?count=1").is(200);
    }
    let demo = ["--organization", server.demo().organization.as_str()];
    let refreshed = server.command(&[&["connector", "refresh"], &demo[..]].concat());
    two.client().get("/Users?count=1").is(401);
    Client::new(&two.client().url(), &text(&refreshed, "token")).get("/Users?count=1").is(200);
    server.command(&["connector", "disable", "--organization", &other.organization]);
    at_two.get("/Users?count=1").is(401);
    // Both look every second for what needs a person, and one of them tells it.
    let mut told = Vec::new();
    for (seats, state) in [("1", "began"), ("1000", "over")] {
        server.command(&["org", "set", &other.organization, "--seats", seats]);
        soon("the alert", || {
            told.extend(posted.try_iter().flat_map(|request| alerts::alerts(&request)));
            told.iter().any(|(cause, _, known)| cause == "seats-full" && known == state).then_some(())
        });
    }
    let states: Vec<&str> =
        told.iter().filter(|(cause, ..)| cause == "seats-full").map(|(.., state)| state.as_str()).collect();
    assert_eq!(states, ["began", "over"], "{told:?}");
}

#[test]
fn p9_the_host_key_is_rotated_on_two_hosts_when_both_have_it() {
    let cluster = Cluster::start();
    let server = first_host(&cluster);
    let two = server.another_host();
    let add = ["stream", "add", "Backend", "--audience", "https://rp.example/7", "--organization"];
    let stream = server.command(&[&add[..], &[server.demo().organization.as_str()]].concat());
    seed::someone(&server.client(), "before");
    // A host to whose directory the file was not copied must not make another key.
    assert_eq!(two.run(&["key", "rotate", "--copied"]).status.code(), Some(4));
    let prepared = server.command(&["key", "rotate"]);
    assert_eq!(two.run(&["key", "rotate", "--copied"]).status.code(), Some(4));
    assert_eq!(server.command(&["key", "status"])["sealing"], prepared["sealing"], "nothing seals with it yet");
    two.copy_key(&server);
    assert_eq!(server.command(&["key", "rotate", "--copied"])["sealing"], prepared["new"]);
    soon("everything is sealed again", || {
        (server.command(&["key", "status"])["items_of_old"] == json!(0)).then_some(())
    });
    assert_eq!(server.command(&["key", "retire", "--after", "5"])["retired"], json!([prepared["sealing"]]));
    // Each host opens what the other may have sealed again.
    for client in [server.client(), two.client()] {
        let poller = Client::bare(&client.url()).header("Authorization", &format!("Bearer {}", text(&stream, "token")));
        let request = Request::new("POST", &format!("/streams/{}/poll", text(&stream, "id")));
        let request = request.header("Content-Type", "application/json").body(r#"{"returnImmediately": true}"#);
        let sets = poller.send(&request).is(200).json();
        assert!(sets["sets"].as_object().is_some_and(|sets| !sets.is_empty()), "{sets}");
    }
}

/// What one caller was told.
#[derive(Default)]
struct History {
    /// Ids and names of users that were created, with 201.
    created: Vec<(String, String)>,
    /// Names of users for whom no answer came: they may be there or not.
    unknown: HashSet<String>,
    /// The display name that was answered last, by id; `None` if the last change had no answer.
    renamed: HashMap<String, Option<String>>,
    /// Ids that were put into the group, with an answer.
    joined: Vec<String>,
    /// Ids whose place in the group is not known.
    perhaps: HashSet<String>,
}

/// Creates users, changes them and puts each into the group, through the hosts in turn; a host that does not answer is
/// passed over from then on.
fn provision(hosts: &[Client], group: &str, users: usize, done: impl Fn()) -> History {
    let mut history = History::default();
    let mut down = HashSet::new();
    let mut turn = 0;
    let mut send = |request: &Request| loop {
        turn += 1;
        let host = turn % hosts.len();
        if down.contains(&host) {
            continue;
        }
        match hosts[host].try_send(request) {
            // 503: it asks to try again, and has done nothing, or does not know.
            Ok(response) if response.status == 503 => return None,
            Ok(response) => return Some(response),
            Err(_) => {
                down.insert(host);
                return None;
            }
        }
    };
    for _ in 0..users {
        done();
        let person = Person::new("crowd");
        let Some(response) = send(&Request::new("POST", "/Users").body(seed::user_request(&person))) else {
            history.unknown.insert(person.user_name);
            continue;
        };
        let user = id(&response.resource(201));
        history.created.push((user.clone(), person.user_name));
        let name = unique("Renamed");
        let patch = json!({ "schemas": [PATCH],
            "Operations": [{ "op": "replace", "path": "displayName", "value": name }] });
        let answer = send(&Request::new("PATCH", &format!("/Users/{user}")).body(patch));
        history.renamed.insert(user.clone(), answer.map(|response| text(&response.resource(200), "displayName")));
        let patch = json!({ "schemas": [PATCH],
            "Operations": [{ "op": "add", "path": "members", "value": [{ "value": user }] }] });
        match send(&Request::new("PATCH", &format!("/Groups/{group}")).body(patch)) {
            Some(response) if matches!(response.status, 200 | 204) => history.joined.push(user),
            Some(response) => panic!("{response}"),
            None => {
                history.perhaps.insert(user);
            }
        }
    }
    history
}

#[test]
fn a_host_that_is_killed_takes_nothing_with_it_and_leaves_nothing_twice() {
    const CALLERS: usize = 6;
    const USERS: usize = 12;
    let cluster = Cluster::start();
    let server = first_host(&cluster);
    let (two, mut three) = (server.another_host(), server.another_host());
    let hosts = [server.client(), two.client(), three.client()];
    let group = id(&seed::group(&hosts[0], &unique("Crowd"), &[]));
    let begun = AtomicUsize::new(0);
    let (sender, half) = channel();
    let histories = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (hosts, group, begun, sender) = (hosts.clone(), &group, &begun, sender.clone());
                scope.spawn(move || {
                    provision(&hosts, group, USERS, || {
                        if begun.fetch_add(1, Ordering::SeqCst) == CALLERS * USERS / 2 {
                            let _ = sender.send(());
                        }
                    })
                })
            })
            .collect();
        half.recv().expect("half of the users are begun");
        three.kill();
        callers.into_iter().map(|caller| caller.join().expect("a caller")).collect::<Vec<_>>()
    });
    check(&server, &server.client(), &two.client(), &group, &histories);
}

fn check(server: &Server, one: &Client, two: &Client, group: &str, histories: &[History]) {
    let stored = everybody(one);
    assert_eq!(stored.len() as u64, two.get("/Users?count=0").list().total);
    let mut by_name: HashMap<String, Vec<&Value>> = HashMap::new();
    for user in &stored {
        by_name.entry(text(user, "userName")).or_default().push(user);
    }
    let mut members_of_group: HashSet<String> = HashSet::new();
    let mut perhaps: HashSet<String> = HashSet::new();
    let mut expected: HashSet<String> = HashSet::new();
    for history in histories {
        for (user, name) in &history.created {
            let found = by_name.get(name).map(Vec::as_slice).unwrap_or_default();
            assert_eq!(found.len(), 1, "{name} was answered with 201");
            assert_eq!(id(found[0]), *user);
            if let Some(Some(renamed)) = history.renamed.get(user) {
                assert_eq!(text(found[0], "displayName"), *renamed, "the last change that was answered is there");
            }
            expected.insert(name.clone());
        }
        for name in &history.unknown {
            assert!(by_name.get(name).is_none_or(|found| found.len() == 1), "{name} is there twice");
            expected.insert(name.clone());
        }
        members_of_group.extend(history.joined.iter().cloned());
        perhaps.extend(history.perhaps.iter().cloned());
    }
    let strangers: Vec<_> = by_name.keys().filter(|name| !expected.contains(*name)).collect();
    assert!(strangers.is_empty(), "nobody asked for {strangers:?}");
    // Both ends of every membership.
    let read = two.get(&format!("/Groups/{group}")).resource(200);
    let in_group: HashSet<String> = members(&read).into_iter().collect();
    assert_eq!(members(&read).len(), in_group.len(), "nobody is a member twice");
    assert!(members_of_group.is_subset(&in_group), "{:?}", members_of_group.difference(&in_group));
    for member in &in_group {
        assert!(members_of_group.contains(member) || perhaps.contains(member), "{member}");
        let user = one.get(&format!("/Users/{member}")).resource(200);
        let groups = user["groups"].as_array().cloned().unwrap_or_default();
        assert!(groups.iter().any(|of| of["value"] == json!(group)), "{user}");
    }
    // The counter of seats is that of the users that are there.
    let shown = server.command(&["org", "show", &server.demo().organization]);
    assert_eq!(shown["licences"]["scim"], json!(stored.len()), "{shown}");
}

fn everybody(client: &Client) -> Vec<Value> {
    let mut users = Vec::new();
    loop {
        let page = client.get(&format!("/Users?startIndex={}&count=100", users.len() + 1)).list();
        if page.resources.is_empty() {
            return users;
        }
        users.extend(page.resources);
    }
}
