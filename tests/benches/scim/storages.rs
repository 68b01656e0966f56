//! Compares storages in one run. It measures what a request costs in PostgreSQL and in SQLite, whether three servers on one
//! PostgreSQL achieve as much as one, and how long other organizations wait while a large team of one organization is
//! replaced.
//!
//! The PostgreSQL consists of the machine's programs with data of its own. It is reached over a Unix socket, its commits wait
//! for the disk, and its CPU time counts. `BENCH_TEAM` is the number of members of the team (100000), and `BENCH_ROUNDS` is
//! how often the storages take turns (7).

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::server;
use serde_json::{Value, json};

use super::side::{Sample, Side};
use super::{Request, created, median, numbers, seed, user};

/// The number of users when requests are measured.
const USERS: usize = 1_000;
/// The number of organizations, and of connections.
const ORGANIZATIONS: usize = 16;
/// How long other organizations are served before the team is replaced.
const BEFORE: Duration = Duration::from_secs(10);
/// How often the team is replaced.
const REPLACED: usize = 4;

/// Measures and prints everything.
pub(crate) fn all() {
    let (binary, arguments) = (server::binary(), ["--log", "warn"]);
    let mut sides = [
        Side::start("SQLite", &binary, &arguments),
        Side::start_on_postgres("PostgreSQL", &binary, &arguments, 1),
        Side::start_on_postgres("3 hosts", &binary, &arguments, 3),
    ];
    println!(
        "\nSQLite beside PostgreSQL over a Unix socket; `ratio` is that of host and PostgreSQL together to SQLite's"
    );
    println!(
        "{:<28} {:>10} {:>9} {:>9} {:>9} {:>6} {:>9} {:>9} {:>9}",
        "", "", "host ms", "PG ms", "both ms", "ratio", "req/s", "p50 ms", "p99 ms"
    );
    sides.iter_mut().for_each(|side| seed(side, USERS));
    let at = |number: usize| number * 7_919 % USERS;
    row("POST", &sides, 1, 300, &|_, client, number| created(client, "one", number));
    row("POST, 16 connections", &sides, 16, 960, &|_, client, number| created(client, "many", number));
    let get: Request<'_> = &|side, client, number| {
        client.get(&format!("/Users/{}", side.ids[at(number)])).resource(200);
    };
    row("GET by id", &sides, 1, 600, get);
    row("GET by id, 16 connections", &sides, 16, 1_600, get);
    row("filter userName eq", &sides, 1, 300, &|_, client, number| {
        let target = format!("/Users?filter=userName+eq+%22seed{}%40demo.example%22", at(number));
        assert_eq!(client.get(&target).list().total, 1);
    });
    row("list of 100", &sides, 1, 60, &|_, client, _| {
        assert_eq!(client.get("/Users?count=100").list().resources.len(), 100);
    });
    // Writes of one organization wait for each other, on whichever host they are. Writes of several organizations do not.
    sides.iter_mut().for_each(|side| side.spread(ORGANIZATIONS));
    row("POST, 16 organizations", &sides, ORGANIZATIONS, 960, &|_, client, number| created(client, "each", number));
    sides.iter_mut().for_each(Side::gather);
    println!("goals: POST, 16 connections: ratio 2; GET: ratio 3; req/s of 3 hosts not below those of one");
    let [sqlite, postgres, three] = sides;
    drop(three);
    for side in [sqlite, postgres] {
        large_team(side);
    }
}

/// Lets all storages serve the same requests in turns, and prints their costs.
fn row(name: &str, sides: &[Side], connections: usize, count: usize, request: Request<'_>) {
    let mut samples: Vec<Vec<Sample>> = sides.iter().map(|_| Vec::new()).collect();
    for round in 0..numbers("BENCH_ROUNDS", &[7])[0] {
        // The storages also take turns at beginning.
        for turn in 0..sides.len() {
            let place = if round % 2 == 0 { turn } else { sides.len() - 1 - turn };
            samples[place].push(sides[place].run(connections, count, request));
        }
    }
    let both = |sample: &Sample| sample.cpu + sample.database;
    for (side, own) in sides.iter().zip(&samples) {
        let of = |value: fn(&Sample) -> f64| median(own.iter().map(value).collect());
        let ratios = own.iter().zip(&samples[0]).map(|(one, sqlite)| both(one) / both(sqlite));
        println!(
            "{name:<28} {:>10} {:>9.3} {:>9.3} {:>9.3} {:>6.2} {:>9.0} {:>9.2} {:>9.2}",
            side.name,
            of(|sample| sample.cpu),
            of(|sample| sample.database),
            of(|sample| sample.cpu + sample.database),
            median(ratios.collect()),
            of(|sample| sample.per_second),
            of(|sample| sample.p50),
            of(|sample| sample.p99),
        );
    }
}

/// How many milliseconds the requests of another organization took.
#[derive(Default)]
struct Waits {
    get: Vec<f64>,
    post: Vec<f64>,
}

/// Measures the requests of another organization before and while the team's members are replaced by as many others.
fn large_team(side: Side) {
    let size = numbers("BENCH_TEAM", &[100_000])[0];
    let members = make_users(&side, 2 * size);
    let body = |members: &[Value]| json!({ "displayName": "Everybody", "members": members });
    let (one, two) = members.split_at(size);
    let client = side.client();
    let made = client.post("/Groups?attributes=id", body(one)).document(201);
    let group = made["id"].as_str().unwrap().to_owned();
    let other = side.another_organization();
    let user = other.post("/Users", user("seed", 0)).resource(201)["id"].as_str().unwrap().to_owned();
    let over = AtomicBool::new(false);
    let (mut before, mut during, mut took) = (Waits::default(), Waits::default(), Vec::new());
    let end = Instant::now() + BEFORE;
    wait(&other, &user, "before", &mut before, || Instant::now() >= end);
    thread::scope(|scope| {
        scope.spawn(|| {
            for turn in 0..REPLACED {
                let sent = Instant::now();
                let target = format!("/Groups/{group}?attributes=id");
                client.put(&target, body(if turn % 2 == 0 { two } else { one })).is(200);
                took.push(sent.elapsed().as_secs_f64());
            }
            over.store(true, Ordering::Relaxed);
        });
        wait(&other, &user, "during", &mut during, || over.load(Ordering::Relaxed));
    });
    println!(
        "\n{}: another organization while a team of {size} is replaced, which took {:.1} s",
        side.name,
        median(took)
    );
    for (name, mut before, mut during) in [("GET", before.get, during.get), ("POST", before.post, during.post)] {
        before.sort_by(f64::total_cmp);
        during.sort_by(f64::total_cmp);
        let at = |sorted: &[f64], percent: usize| sorted[(sorted.len() - 1) * percent / 100];
        for percent in [50, 90, 99] {
            let (before, during) = (at(&before, percent), at(&during, percent));
            println!(
                "{name:<5} p{percent}: {before:>8.2} ms before, {during:>8.2} ms meanwhile: {:>5.2} times",
                during / before
            );
        }
    }
    println!("goal: 2 times");
}

/// Sends requests of both kinds in turn, with a pause between them, until it is over.
fn wait(client: &Client, id: &str, names: &str, waits: &mut Waits, is_over: impl Fn() -> bool) {
    for number in 0.. {
        let sent = Instant::now();
        client.get(&format!("/Users/{id}")).resource(200);
        waits.get.push(sent.elapsed().as_secs_f64() * 1_000.0);
        let sent = Instant::now();
        created(client, names, number);
        waits.post.push(sent.elapsed().as_secs_f64() * 1_000.0);
        if is_over() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Makes this number of users, as members for a group.
fn make_users(side: &Side, count: usize) -> Vec<Value> {
    const CONNECTIONS: usize = 16;
    let members = Mutex::new(Vec::with_capacity(count));
    side.run(CONNECTIONS, count.div_ceil(CONNECTIONS) * CONNECTIONS, &|_, client, number| {
        let answer = client.post("/Users?attributes=id", user("member", number)).document(201);
        members.lock().unwrap().push(json!({ "value": answer["id"] }));
    });
    let mut members = members.into_inner().unwrap();
    members.truncate(count);
    members
}
