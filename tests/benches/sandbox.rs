//! The price of the sandbox: the cost of a request in the WebAssembly component, compared with the same source linked
//! natively.
//!
//! Both serve the same requests in turns, over a storage in memory of their own, without HTTP around them. The benchmark
//! measures the CPU time of this process. The component's side includes everything that the host does around a call: the
//! instance that is kept for the organization, quotas, the pace of long calls, and the clock that ends them. `BENCH_USERS` is
//! the number of users (10,000), and `BENCH_ROUNDS` is how often the two take turns (15).
//!
//! If `BENCH_NATIVE` names a row, only the native side serves `BENCH_COUNT` requests of that row, and nothing is measured:
//! `make instructions` counts the instructions on a simulated processor.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that can't go on has failed")]

#[path = "sandbox/native.rs"]
mod native;

use std::sync::Arc;

use insomnia_scim::connector::{ExpiryWindow, IdentityProvider};
use insomnia_scim::directory::{Domain, OrganizationRecord, Plan};
use insomnia_scim::storage::MemoryStorage;
use insomnia_scim::{
    NewOrganization, Organization, OrganizationId, Owner, Provisioner, Quota, Quotas, ScimRequest, ScimResponse,
};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use self::native::Native;

const BASE_URL: &str = "http://127.0.0.1:8080/scim/v2/acme";
const OWNER: &str = "owner@demo.example";

fn main() {
    // `cargo test --benches` only checks that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let number =
        |variable: &str, otherwise| std::env::var(variable).ok().map_or(otherwise, |text| text.parse().unwrap());
    let users = number("BENCH_USERS", 10_000);
    let rows = rows(users);
    if let Ok(name) = std::env::var("BENCH_NATIVE") {
        let (_, _, request) = rows.iter().find(|(row, _, _)| *row == name).unwrap();
        let mut side = Side::seeded(Box::new(Native::start()), users);
        // This code does not read a clock: on the simulated processor no clock can be read without the system.
        let requests = side.requests(number("BENCH_COUNT", 0), request);
        drop(side.serve(&requests));
        return;
    }
    let parts = std::env::var("BENCH_PARTS").unwrap_or_default();
    if !parts.is_empty() && !parts.split(',').any(|part| part.trim() == "sandbox") {
        return;
    }
    let sides = [Side::seeded(Box::new(Native::start()), users), Side::seeded(Box::new(Sandboxed::start()), users)];
    println!("{:<28} {:>10} {:>12} {:>6} {:>8}", "CPU time, microseconds", "native", "component", "ratio", "more");
    let mut bench = Bench { sides, rounds: number("BENCH_ROUNDS", 15) };
    for (name, count, request) in &rows {
        bench.row(name, *count, request);
    }
}

/// The rows of the benchmark with this number of users: the name, the requests in a round, and how to make them.
fn rows(users: usize) -> Vec<(&'static str, usize, Box<Make>)> {
    let at = move |number: usize| number * 7_919 % users;
    vec![
        // Only the call, its token and the log entry.
        ("no such resource type", 400, Box::new(|_, _| Request::new("GET", "/Nothing", 404))),
        (
            "GET by id",
            400,
            Box::new(move |side, number| Request::new("GET", &format!("/Users/{}", side.ids[at(number)]), 200)),
        ),
        (
            "filter userName eq",
            400,
            Box::new(move |_, number| {
                let filter = format!("filter=userName+eq+%22seed{}%40demo.example%22", at(number));
                Request { query: Some(filter), ..Request::new("GET", "/Users", 200) }
            }),
        ),
        (
            "list of 100",
            40,
            Box::new(|_, _| Request { query: Some("count=100".into()), ..Request::new("GET", "/Users", 200) }),
        ),
        ("create", 200, Box::new(|_, number| create("new", number))),
        (
            "PATCH a user's title",
            200,
            Box::new(move |side, number| {
                let operation = json!({ "op": "replace", "path": "title", "value": format!("title {number}") });
                let path = format!("/Users/{}", side.ids[at(number)]);
                Request { body: Some(json!({ "Operations": [operation] })), ..Request::new("PATCH", &path, 200) }
            }),
        ),
    ]
}

/// Makes a request to a side. Its number says which request it is.
type Make = dyn Fn(&Side, usize) -> Request;

/// The two sides that are compared: native, then the component.
struct Bench {
    sides: [Side; 2],
    rounds: usize,
}

impl Bench {
    /// Lets both sides serve the requests in turns, and prints the medians.
    fn row(&mut self, name: &str, count: usize, request: &Make) {
        let mut costs: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
        for round in 0..self.rounds {
            for turn in 0..2 {
                let place = (round + turn) % 2;
                let requests = self.sides[place].requests(count, request);
                let before = computed();
                let answers = self.sides[place].serve(&requests);
                costs[place].push((computed() - before) / count as f64);
                drop(answers);
            }
        }
        let ratio = median(costs[1].iter().zip(&costs[0]).map(|(component, native)| component / native).collect());
        let [native, component] = costs.map(median);
        println!("{name:<28} {native:>10.1} {component:>12.1} {ratio:>6.2} {:>8.1}", component - native);
    }
}

/// The CPU time of this process so far, in microseconds. The kernel's files show it as of the last tick, and a tick is longer
/// than a round here.
fn computed() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

struct Request {
    method: &'static str,
    path: String,
    query: Option<String>,
    body: Option<Value>,
    status: u16,
}

impl Request {
    fn new(method: &'static str, path: &str, status: u16) -> Self {
        Self { method, path: path.to_owned(), query: None, body: None, status }
    }
}

/// A user whose name differs from the other names from the beginning on, except for the users that were made beforehand.
fn create(text: &str, number: usize) -> Request {
    let place = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let name = match text {
        "seed" => format!("seed{number}@demo.example"),
        _ => format!("{place:06x}.{text}{number}@demo.example"),
    };
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name, "externalId": format!("{place:06x}-{text}-{number}"), "active": true,
        "displayName": format!("{place:06x} {text} {number}"),
        "name": { "givenName": "User", "familyName": number.to_string() },
        "emails": [{ "value": name, "type": "work", "primary": true }],
    });
    Request { body: Some(body), ..Request::new("POST", "/Users", 201) }
}

struct Answer(Vec<u8>);

impl Answer {
    fn id(&self) -> String {
        let resource: Value = serde_json::from_slice(&self.0).unwrap();
        resource["id"].as_str().unwrap().to_owned()
    }
}

/// A server of requests.
trait Serves {
    fn token(&self) -> &str;
    fn serve(&self, request: ScimRequest) -> ScimResponse;
}

/// One of the two sides that are compared.
struct Side {
    serves: Box<dyn Serves>,
    /// The users that were made beforehand.
    ids: Vec<String>,
    /// The number of the next request.
    next: usize,
    sent: std::cell::Cell<u64>,
}

impl Side {
    fn new(serves: Box<dyn Serves>) -> Self {
        Self { serves, ids: Vec::new(), next: 0, sent: std::cell::Cell::new(0) }
    }

    /// Makes a side with this number of users.
    fn seeded(serves: Box<dyn Serves>, users: usize) -> Self {
        let mut side = Self::new(serves);
        side.ids = (0..users).map(|number| side.send(&create("seed", number)).id()).collect();
        side
    }

    /// The next `count` requests.
    fn requests(&mut self, count: usize, request: &Make) -> Vec<Request> {
        let first = self.next;
        self.next += count;
        (first..self.next).map(|number| request(self, number)).collect()
    }

    /// Lets the side serve the requests.
    fn serve(&self, requests: &[Request]) -> Vec<Answer> {
        requests.iter().map(|request| self.send(request)).collect()
    }

    fn send(&self, request: &Request) -> Answer {
        self.sent.set(self.sent.get() + 1);
        let mut headers = vec![
            ("authorization".to_owned(), format!("Bearer {}", self.serves.token())),
            ("accept".to_owned(), "application/scim+json".to_owned()),
            ("user-agent".to_owned(), "benchmark".to_owned()),
        ];
        let body = request.body.as_ref().map(|body| serde_json::to_vec(body).unwrap());
        if let Some(body) = &body {
            headers.push(("content-type".to_owned(), "application/scim+json".to_owned()));
            headers.push(("content-length".to_owned(), body.len().to_string()));
        }
        let answer = self.serves.serve(ScimRequest {
            method: request.method.to_owned(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers,
            body: body.unwrap_or_default(),
            base_url: BASE_URL.to_owned(),
            request_id: format!("request-{}", self.sent.get()),
            sender_address: Some("192.0.2.1".to_owned()),
        });
        assert_eq!(answer.status, request.status, "{}", String::from_utf8_lossy(&answer.body));
        Answer(answer.body)
    }
}

/// The organization of the benchmark, which sends no mails.
fn record() -> OrganizationRecord {
    OrganizationRecord {
        name: "Acme".into(),
        plan: Plan::Enterprise,
        seats: 10_000_000,
        domains: vec![Domain { name: "demo.example".into(), verified: true }],
        single_sign_on: Some("okta".into()),
        options: insomnia_scim::directory::Options { passphrase_emails: false, ..Default::default() },
    }
}

/// The component, as the host runs it.
struct Sandboxed {
    runtime: Runtime,
    organization: Organization,
    token: String,
}

impl Sandboxed {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (organization, token) = runtime.block_on(async {
            let unlimited = [Quota::RequestsPerSecond, Quota::ComputingSecondsPerMinute]
                .into_iter()
                .try_fold(Quotas::default(), |quotas, quota| quotas.with(quota, 1_000_000));
            let provisioner = Provisioner::builder()
                .storage(Arc::new(MemoryStorage::new()))
                .quotas(unlimited.unwrap())
                .scheduler(false)
                .base_url("http://127.0.0.1:8080")
                .build()
                .await
                .unwrap();
            let owner = Owner { email: OWNER.into(), display_name: None, passphrase: None };
            let new = NewOrganization::new(OrganizationId::parse("acme").unwrap(), record());
            let new = NewOrganization { owner: Some(owner), ..new };
            let organization = provisioner.create_organization(new).await.unwrap().organization;
            let issued = organization.enable(OWNER, IdentityProvider::Okta, ExpiryWindow::Days90).await.unwrap();
            (organization, issued.token)
        });
        Self { runtime, organization, token }
    }
}

impl Serves for Sandboxed {
    fn token(&self) -> &str {
        &self.token
    }

    fn serve(&self, request: ScimRequest) -> ScimResponse {
        self.runtime.block_on(self.organization.scim(request))
    }
}
