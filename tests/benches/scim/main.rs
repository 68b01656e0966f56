//! Measures what requests cost: CPU milliseconds of the server, bytes written, requests per second, latencies and memory. Each
//! answer is checked.
//!
//! `make bench` runs it with the release build. `make bench BASE=<revision>` also builds another revision, and both serve the
//! same requests in turns. The ratio of two builds in one run says more than the figures of two runs, especially on a busy
//! machine. The ratio is the median of the ratios of all rounds.
//!
//! Then it compares PostgreSQL with SQLite (module `storages`). `BENCH_PARTS` names the selected parts (requests,storages).
//!
//! `BENCH_USERS` lists the numbers of users that are measured one after another (1000,10000), `BENCH_GROUPS` the numbers of
//! members of the groups (10,1000,10000), `BENCH_ROUNDS` is how often the builds take turns (3, or 7 with a base),
//! `BENCH_ISOLATION` lists how instances are used (organization,fresh), and `BENCH_PICTURE` names the file of the picture.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that can't go on has failed")]

mod curves;
mod process;
mod side;
mod storages;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use insomnia_scim_tests::client::{Client, Response};
use insomnia_scim_tests::server;
use serde_json::{Value, json};

use self::curves::Curves;
use self::side::{Sample, Side};

fn main() {
    // `cargo test --benches` only checks that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let parts = words("BENCH_PARTS", &["requests", "storages"]);
    let is_wanted = |part: &str| parts.iter().any(|wanted| wanted == part);
    if is_wanted("requests") {
        requests();
    }
    if is_wanted("storages") {
        storages::all();
    }
}

/// Measures what requests cost, compared with another build if one is named.
fn requests() {
    let base = path("BENCH_BASE");
    let rounds = numbers("BENCH_ROUNDS", &[if base.is_some() { 7 } else { 3 }])[0];
    let mut curves = Curves::default();
    println!(
        "{:<36} {:>5} {:>9} {:>6} {:>9} {:>9} {:>9} {:>9} {:>8}",
        "", "build", "CPU ms", "ratio", "KiB out", "req/s", "p50 ms", "p99 ms", "RSS MiB"
    );
    for isolation in words("BENCH_ISOLATION", &["organization", "fresh"]) {
        println!("--isolation {isolation}");
        let arguments = ["--isolation", &isolation, "--log", "warn"];
        let base = base.iter().map(|binary| Side::start("base", binary, &arguments));
        let mut bench = Bench { sides: base.collect(), rounds, isolation: isolation.clone(), curves: &mut curves };
        bench.sides.push(Side::start("this", &server::binary(), &arguments));
        bench.all();
    }
    if let Some(file) = path("BENCH_PICTURE") {
        std::fs::write(file, curves.drawn()).unwrap();
    }
}

fn path(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The words in the variable, or the default.
fn words(variable: &str, otherwise: &[&str]) -> Vec<String> {
    let given = std::env::var(variable).ok().filter(|text| !text.is_empty());
    let of = |text: String| text.split(',').map(|word| word.trim().to_owned()).collect();
    given.map_or_else(|| otherwise.iter().map(|word| (*word).to_owned()).collect(), of)
}

/// The numbers in the variable, or the default.
fn numbers(variable: &str, otherwise: &[usize]) -> Vec<usize> {
    let words = words(variable, &[]);
    if words.is_empty() { otherwise.to_vec() } else { words.iter().map(|word| word.parse().unwrap()).collect() }
}

/// The builds that are measured. The last one is this build; the first one is the build with which it is compared.
struct Bench<'c> {
    sides: Vec<Side>,
    rounds: usize,
    isolation: String,
    curves: &'c mut Curves,
}

/// Sends a request to a side. Its number says which request it is.
type Request<'r> = &'r (dyn Fn(&Side, &Client, usize) + Sync);

impl Bench<'_> {
    fn all(&mut self) {
        let users = numbers("BENCH_USERS", &[1_000, 10_000]);
        for users in users {
            self.sides.iter_mut().for_each(|side| seed(side, users));
            self.row("create", users, 1, 300, &|_, client, number| created(client, "one", number));
            self.row("create, 16 connections", users, 16, 480, &|_, client, number| created(client, "many", number));
            let at = move |number: usize| number * 7_919 % users;
            let get: Request<'_> = &|side, client, number| {
                client.get(&format!("/Users/{}", side.ids[at(number)])).resource(200);
            };
            self.row("GET by id", users, 1, 600, get);
            self.row("GET by id, 16 connections", users, 16, 1_600, get);
            self.row("filter userName eq", users, 1, 600, &|_, client, number| {
                let target = format!("/Users?filter=userName+eq+%22seed{}%40demo.example%22", at(number));
                assert_eq!(client.get(&target).list().total, 1);
            });
            self.row("list of 100", users, 1, 60, &|_, client, _| {
                assert_eq!(client.get("/Users?count=100").list().resources.len(), 100);
            });
        }
        for size in numbers("BENCH_GROUPS", &[10, 1_000, 10_000]) {
            self.sides.iter_mut().for_each(|side| {
                seed(side, size + 1);
                group(side, size);
            });
            self.row("PATCH one member, group", size, 1, 200, &|side, client, number| {
                // The last user has never been a member of the group.
                let last = &side.ids[side.group_size];
                let operation = match number % 2 {
                    0 => json!({ "op": "add", "path": "members", "value": [{ "value": last }] }),
                    _ => json!({ "op": "remove", "path": format!("members[value eq \"{last}\"]") }),
                };
                succeeded(&client.patch(&format!("/Groups/{}", side.group), json!({ "Operations": [operation] })));
            });
            self.row("GET a group", size, 1, 20, &|side, client, _| {
                let group = client.get(&format!("/Groups/{}", side.group)).resource(200);
                assert_eq!(group["members"].as_array().unwrap().len(), side.group_size);
            });
        }
        self.sides.iter().for_each(|side| side.set("passphrase-emails=true"));
        // The mail is delivered during the round or right after it. A mail that the round has not delivered counts in the next
        // one.
        self.row("create with a passphrase mail", 0, 1, 200, &|_, client, number| created(client, "mail", number));
    }

    /// Lets all builds serve the same requests in turns, and prints their costs.
    fn row(&mut self, name: &str, size: usize, connections: usize, count: usize, request: Request<'_>) {
        let mut samples: Vec<Vec<Sample>> = self.sides.iter().map(|_| Vec::new()).collect();
        for round in 0..self.rounds {
            // The builds also take turns at beginning.
            for turn in 0..self.sides.len() {
                let place = if round % 2 == 0 { turn } else { self.sides.len() - 1 - turn };
                samples[place].push(self.sides[place].run(connections, count, request));
            }
        }
        let row = if size > 0 { format!("{name}, {size}") } else { name.to_owned() };
        for (place, side) in self.sides.iter().enumerate() {
            let of = |value: fn(&Sample) -> f64| median(samples[place].iter().map(value).collect());
            let ratios = samples[place].iter().zip(&samples[0]).map(|(one, base)| one.cpu / base.cpu);
            let ratio = if place == 0 { String::new() } else { format!("{:.2}", median(ratios.collect())) };
            println!(
                "{row:<36} {:>5} {:>9.3} {ratio:>6} {:>9.1} {:>9.0} {:>9.2} {:>9.2} {:>8.0}",
                side.name,
                of(|sample| sample.cpu),
                of(|sample| sample.written),
                of(|sample| sample.per_second),
                of(|sample| sample.p50),
                of(|sample| sample.p99),
                side.resident()
            );
            if size > 0 && place + 1 == self.sides.len() && self.isolation == "organization" {
                self.curves.add(name, size, of(|sample| sample.cpu));
            }
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Makes users until there are this many, over as many connections as share commits well: a million takes some minutes.
fn seed(side: &mut Side, users: usize) {
    const CONNECTIONS: usize = 16;
    let next = AtomicUsize::new(side.ids.len());
    let made = std::thread::scope(|scope| {
        let make = || {
            let client = side.client();
            let mine =
                std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < users));
            let id =
                |number| client.post("/Users", user("seed", number)).resource(201)["id"].as_str().unwrap().to_owned();
            mine.map(|number| (number, id(number))).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(make)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<BTreeMap<_, _>>()
    });
    side.ids.extend(made.into_values());
}

/// Makes a group with this number of members.
fn group(side: &mut Side, size: usize) {
    let members: Vec<Value> = side.ids.iter().take(size).map(|id| json!({ "value": id })).collect();
    let body = json!({ "displayName": format!("Group of {size}"), "members": members });
    let answer = side.client().post("/Groups?attributes=id", body);
    side.group = answer.document(201)["id"].as_str().unwrap().to_owned();
    side.group_size = size;
}

fn created(client: &Client, text: &str, number: usize) {
    client.post("/Users", user(text, number)).resource(201);
}

fn succeeded(answer: &Response) {
    assert!(matches!(answer.status, 200 | 204), "{}", answer.text());
}

/// A user whose name differs from the other names from the beginning on, as people's names do.
fn user(text: &str, number: usize) -> Value {
    let place = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let name = match text {
        // A test finds this user by its number.
        "seed" => format!("seed{number}@demo.example"),
        _ => format!("{place:06x}.{text}{number}@demo.example"),
    };
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name, "externalId": format!("{place:06x}-{text}-{number}"), "active": true,
        "displayName": format!("{place:06x} {text} {number}"),
        "name": { "givenName": "User", "familyName": number.to_string() },
        "emails": [{ "value": name, "type": "work", "primary": true }],
    })
}
