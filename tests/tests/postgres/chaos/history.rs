//! Compares the stored and the delivered data with the answers that the writers got.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::thread;
use std::time::{Duration, Instant};

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::postgres::Cluster;
use insomnia_scim_tests::scim::{id, members, text};
use insomnia_scim_tests::server::Server;
use serde_json::{Value, json};

use super::receivers::Delivery;
use super::writer::{Known, Shared, State, Writer};

/// Waits until nothing is on its way or put aside any more, and nobody writes; returns whether that is so in time.
pub(super) fn settle(database: &Cluster, patience: Duration) -> bool {
    const QUIET: Duration = Duration::from_millis(1_500);
    let now = "SELECT (SELECT count(*) FROM insomnia_scim.outbox)
            + (SELECT coalesce(sum(waiting + parked), 0) FROM insomnia_scim.webhooks)
        || ' ' || (SELECT max(version) FROM insomnia_scim.item)";
    let begin = Instant::now();
    let (mut last, mut since) = (String::new(), Instant::now());
    while begin.elapsed() < patience {
        let seen = database.sql(now);
        if seen != last {
            (last, since) = (seen, Instant::now());
        } else if last.starts_with("0 ") && since.elapsed() > QUIET {
            return true;
        }
        thread::sleep(Duration::from_millis(200));
    }
    false
}

/// Everything that is known of one organization.
struct History<'h> {
    shared: &'h Shared,
    writers: &'h [Writer<'h>],
    /// Whom the writers know, by id.
    known: BTreeMap<&'h str, &'h Known>,
    /// All users that are there now, by id.
    stored: BTreeMap<String, Value>,
    violations: Vec<String>,
}

/// What is not as it has to be in one organization.
pub(super) fn check(
    office: &Server,
    shared: &Shared,
    writers: &[Writer],
    events: &[Delivery],
    emails: &[Delivery],
) -> Vec<String> {
    let mut history = History {
        shared,
        writers,
        known: BTreeMap::new(),
        stored: everybody(&shared.client).into_iter().map(|user| (id(&user), user)).collect(),
        violations: writers.iter().flat_map(|writer| writer.violations.clone()).collect(),
    };
    for writer in writers {
        for (id, known) in &writer.users {
            let before = history.known.insert(id, known);
            history.expect(before.is_none(), || format!("{id} was given to two users"));
        }
    }
    history.check_users();
    history.check_counter();
    history.check_memberships();
    let own = |all: &[Delivery]| -> Vec<Delivery> {
        all.iter().filter(|delivery| delivery.organization == shared.organization).cloned().collect()
    };
    history.check_seats(office);
    history.check_events(office, &own(events));
    history.check_emails(&own(emails));
    history.violations
}

impl History<'_> {
    fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(format!("{}: {}", self.shared.organization, what()));
        }
    }

    /// Each user is in a state that was acknowledged, each userName is there once, and nobody is there whom nobody asked for.
    fn check_users(&mut self) {
        let known: Vec<(String, Known)> =
            self.known.iter().map(|(id, known)| ((*id).to_owned(), (*known).clone())).collect();
        for (id, user) in known {
            let now = self.stored.get(&id).map(|stored| State {
                title: stored["title"].as_str().unwrap_or_default().to_owned(),
                active: stored["active"] == json!(true),
                joined: stored["groups"].as_array().is_some_and(|groups| !groups.is_empty()),
            });
            self.expect(user.states.contains(&now), || format!("{id} is {now:?}, and may be {:?}", user.states));
        }
        let mut names: HashMap<String, usize> = HashMap::new();
        for user in self.stored.values() {
            *names.entry(text(user, "userName").to_lowercase()).or_default() += 1;
        }
        for (name, count) in names {
            self.expect(count == 1, || format!("{name} is there {count} times"));
        }
        let perhaps: BTreeSet<String> =
            self.writers.iter().flat_map(|writer| &writer.perhaps).map(|person| person.user_name.clone()).collect();
        let strangers: Vec<String> = self
            .stored
            .iter()
            .filter(|(id, user)| {
                !self.known.contains_key(id.as_str())
                    && **id != self.shared.counter
                    && !perhaps.contains(&text(user, "userName"))
            })
            .map(|(_, user)| user.to_string())
            .collect();
        self.expect(strangers.is_empty(), || format!("nobody asked for {strangers:?}"));
    }

    /// No number was written twice into the counter, and it is as large as the number of writes.
    fn check_counter(&mut self) {
        let mut counted: Vec<u64> = self.writers.iter().flat_map(|writer| writer.counted.iter().copied()).collect();
        let acknowledged = counted.len() as u64;
        counted.sort_unstable();
        counted.dedup();
        self.expect(counted.len() as u64 == acknowledged, || "an update of the counter is lost".to_owned());
        let perhaps: u64 = self.writers.iter().map(|writer| writer.perhaps_counted).sum();
        let now = self.counter();
        self.expect((acknowledged..=acknowledged + perhaps).contains(&now), || {
            format!("the counter is {now} after {acknowledged} acknowledged updates and {perhaps} without an answer")
        });
        let last = counted.last().copied().unwrap_or(0);
        self.expect(now >= last, || format!("the counter is {now} after it was {last}"));
    }

    fn counter(&self) -> u64 {
        let title = self.stored.get(&self.shared.counter).and_then(|user| user["title"].as_str()?.parse().ok());
        title.unwrap_or(0)
    }

    /// Every membership is seen from both ends.
    fn check_memberships(&mut self) {
        let group = self.shared.group.clone();
        let listed = members(&self.shared.client.get(&format!("/Groups/{group}")).resource(200));
        let here: BTreeSet<String> = listed.iter().cloned().collect();
        self.expect(here.len() == listed.len(), || "somebody is in the group twice".to_owned());
        let is_in = |user: &Value| {
            user["groups"].as_array().is_some_and(|groups| groups.iter().any(|of| of["value"] == json!(group)))
        };
        let there: BTreeSet<String> =
            self.stored.iter().filter(|(_, user)| is_in(user)).map(|(id, _)| id.clone()).collect();
        self.expect(here == there, || format!("`members` has {here:?}, `groups` {there:?}"));
    }

    /// As many seats are taken as members are active.
    fn check_seats(&mut self, office: &Server) {
        let active = self.stored.values().filter(|user| user["active"] == json!(true)).count();
        let shown = office.command(&["org", "show", &self.shared.organization]);
        let taken = &shown["licences"]["scim"];
        self.expect(*taken == json!(active), || format!("{taken} seats are taken by {active} active members"));
    }

    /// The webhook got every event at least once, with one content, in the order of the changes; and the events are those of
    /// what was acknowledged, each once.
    fn check_events(&mut self, office: &Server, delivered: &[Delivery]) {
        let listed = list_events(office, &self.shared.organization);
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        let mut in_order: Vec<Value> = Vec::new();
        for delivery in delivered {
            match first.insert(&delivery.id, &delivery.body) {
                Some(before) => self.expect(before == delivery.body, || {
                    format!("one event came with two contents:\n{before}\n{}", delivery.body)
                }),
                None => in_order.push(serde_json::from_str(&delivery.body).unwrap_or_default()),
            }
        }
        let is_told = |event: &&Value| event["actor"] == json!("scim");
        let ids = |events: &[Value]| -> Vec<String> { events.iter().filter(is_told).map(id).collect() };
        let (listed_ids, delivered_ids) = (ids(&listed), ids(&in_order));
        let listed_set: BTreeSet<&String> = listed_ids.iter().collect();
        let delivered_set: BTreeSet<&String> = delivered_ids.iter().collect();
        self.expect(listed_set.len() == listed_ids.len(), || "an event is listed twice".to_owned());
        let missing: Vec<_> = listed_set.difference(&delivered_set).collect();
        self.expect(missing.is_empty(), || format!("these events were not delivered: {missing:?}"));
        let strange: Vec<_> = delivered_set.difference(&listed_set).collect();
        self.expect(strange.is_empty(), || format!("these events were delivered and are not listed: {strange:?}"));
        self.check_what_events_say(&in_order);
    }

    fn check_what_events_say(&mut self, events: &[Value]) {
        let mut told: HashMap<String, Told> = HashMap::new();
        let mut counter = Vec::new();
        for event in events {
            let kind = event["type"].as_str().unwrap_or_default();
            let subject = event["subject"]["id"].as_str().unwrap_or_default();
            let data = &event["data"];
            if kind == "team.membership-changed" {
                for moved in ["added", "removed"] {
                    for member in data[moved].as_array().into_iter().flatten().filter_map(Value::as_str) {
                        told.entry(member.to_owned()).or_default().moves += 1;
                    }
                }
                continue;
            }
            let user = told.entry(subject.to_owned()).or_default();
            let early = kind != "member.created" && user.created == 0;
            match kind {
                "member.created" => user.created += 1,
                "member.deleted" => user.deleted += 1,
                "member.updated" => {
                    let title = data["after"]["title"].as_str().unwrap_or_default().to_owned();
                    if subject == self.shared.counter {
                        counter.push(title);
                    } else {
                        user.titles.push(title);
                    }
                }
                _ => {}
            }
            if kind.starts_with("member.") && event["actor"] == json!("scim") {
                self.expect(!early, || format!("before its member was created came {event}"));
            }
        }
        let expected: Vec<String> = (1..=self.counter()).map(|number| number.to_string()).collect();
        self.expect(counter == expected, || format!("events say that the counter became {counter:?}"));
        let ids: BTreeSet<String> =
            self.stored.keys().cloned().chain(self.known.keys().map(|id| (*id).to_owned())).collect();
        for id in ids {
            let told = told.remove(&id).unwrap_or_default();
            let deleted = usize::from(!self.stored.contains_key(&id));
            self.expect(told.created == 1 && told.deleted == deleted, || {
                format!("events say that {id} was created {} times and deleted {} times", told.created, told.deleted)
            });
            let Some(known) = self.known.get(id.as_str()).map(|known| (*known).clone()) else { continue };
            if known.states.len() == 1 {
                self.expect(told.titles == known.titles, || {
                    format!("{id} was given the titles {:?}, and events say {:?}", known.titles, told.titles)
                });
                self.expect(told.moves == known.moves, || {
                    format!("{id} came and left {} times, and events say {}", known.moves, told.moves)
                });
            }
        }
    }

    /// Each member was sent one email, perhaps more than once; and nobody else was.
    fn check_emails(&mut self, delivered: &[Delivery]) {
        let mut by_address: BTreeMap<String, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
        for email in delivered {
            let to = email.body.lines().find_map(|line| line.strip_prefix("To: ")).unwrap_or_default();
            // The rest has the address of the host that sent it.
            let passphrase = email.body.lines().find(|line| line.starts_with("    ")).unwrap_or_default();
            by_address.entry(to.to_owned()).or_default().entry(&email.id).or_default().insert(passphrase);
        }
        let mut certain: BTreeSet<String> = self.stored.values().map(|user| text(user, "userName")).collect();
        let mut allowed = certain.clone();
        allowed.extend(self.known.values().map(|known| known.email.clone()));
        allowed.insert(self.shared.counter_email.clone());
        certain.insert(self.shared.counter_email.clone());
        for address in certain {
            self.expect(by_address.contains_key(&address), || format!("{address} was sent no email"));
        }
        for (address, emails) in by_address {
            self.expect(allowed.contains(&address), || format!("nobody asked for an email to {address}"));
            self.expect(emails.len() == 1, || format!("{address} was sent {} emails", emails.len()));
            for (id, passphrases) in emails {
                self.expect(passphrases.len() == 1, || format!("the email {id} came with several contents"));
            }
        }
    }
}

/// What events say of a member.
#[derive(Default)]
struct Told {
    created: usize,
    deleted: usize,
    titles: Vec<String>,
    moves: usize,
}

/// All events that are kept, in the order of their times.
fn list_events(office: &Server, organization: &str) -> Vec<Value> {
    let (mut events, mut after) = (Vec::new(), String::new());
    loop {
        let mut arguments = vec!["event", "list", "--limit", "10000", "--organization", organization];
        if !after.is_empty() {
            arguments.extend(["--after", &after]);
        }
        let output = office.run(&arguments);
        let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let page: Value = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}{said}"));
        events.extend(page.as_array().cloned().unwrap_or_default());
        // Where there are more, the last word is how to go on.
        match said.split_once("--after ") {
            Some((_, next)) => after = next.trim().to_owned(),
            None => return events,
        }
    }
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
