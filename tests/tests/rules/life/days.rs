//! The days of a life: what happens to the organization, and which emails and events must follow from it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use insomnia_scim::capability::clock::Clock as _;
use insomnia_scim::capability::email::MailError;
use insomnia_scim::capability::http::HttpError;
use insomnia_scim::connector::ExpiryWindow;
use serde_json::{Value, json};

use super::expected::Expected;
use crate::dice::Dice;
use crate::rules::mailbox::Fate;
use crate::rules::network::Reply;
use crate::rules::organization::{Acme, Answer};
use crate::rules::subscriber::Subscriber;
use crate::rules::world::{BEGIN, DAY, HOUR, Host, MINUTE, World};

/// Seats: few enough that they run out.
const SEATS: u32 = 10;
/// The longest that mail or webhook are out of order, and the longest that no host runs, in hours: together less than the
/// three days after which something is parked.
const OUTAGE: u64 = 20;
const DOWNTIME: u64 = 36;

struct Person {
    address: String,
    id: String,
    active: bool,
}

/// A life under way.
pub(super) struct Life {
    world: World,
    dice: Dice,
    subscriber: Arc<Subscriber>,
    host: Host,
    acme: Acme,
    expected: Expected,
    people: Vec<Person>,
    /// The ids of the team's members, and its own.
    team: (String, BTreeSet<String>),
    /// Of the token: which it is, since when, and when the administrators will replace it.
    token: (u32, u64, u64),
    awake_since: u64,
    /// When the last outage or downtime began.
    trouble: u64,
    outage_until: [Arc<AtomicU64>; 2],
    /// The ids of the events that were listed before webhook and backend were told of any.
    early: BTreeSet<String>,
    listed: Vec<String>,
    listed_at: u64,
    created: usize,
    crashes: usize,
    downtimes: usize,
}

/// What is left of a life.
pub(super) struct End {
    pub(super) world: World,
    pub(super) subscriber: Arc<Subscriber>,
    pub(super) acme: Acme,
    pub(super) expected: Expected,
    /// The ids of all events that were ever listed.
    pub(super) listed: Vec<String>,
    /// Active members that SCIM manages.
    pub(super) active: u64,
    pub(super) created: usize,
    pub(super) crashes: usize,
    pub(super) downtimes: usize,
    pub(super) tokens: u32,
    _host: Host,
}

impl Life {
    pub(super) async fn begin(seed: u64, mut world: World) -> Self {
        let mut dice = Dice::new(seed);
        let subscriber = Arc::new(Subscriber::unreliable(dice.split()));
        world.subscriber = Some(subscriber.clone());
        let host = world.host().await;
        let acme = Acme::enabled(&host, SEATS, ExpiryWindow::Days90).await;
        acme.organization.set_webhook("https://backend.example/events").await.unwrap();
        let enabled = world.now();
        // The backend takes events from the first jobs on.
        world.live(&host, HOUR).await;
        world.pass(1);
        let early = acme.events().await.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
        let outage_until = [unreliable_mail(&world, dice.split()), unreliable_webhook(&world, dice.split())];
        let team = acme.scim("POST", "/Groups", Some(json!({"displayName": "Staff"}))).await.is(201).id();
        let mut expected = Expected::default();
        expected.event("team.created", &team);
        let replaced = enabled + (60 + dice.below(45)) * DAY + 13 * MINUTE;
        Self {
            awake_since: enabled,
            trouble: enabled,
            token: (1, enabled, replaced),
            team: (team, BTreeSet::new()),
            people: Vec::new(),
            listed: Vec::new(),
            listed_at: enabled,
            created: 0,
            crashes: 0,
            downtimes: 0,
            world,
            dice,
            subscriber,
            host,
            acme,
            expected,
            outage_until,
            early,
        }
    }

    pub(super) fn day(&self) -> u64 {
        (self.world.now() - BEGIN) / DAY
    }

    /// Six hours.
    pub(super) async fn quarter(&mut self) {
        let rested = self.world.now() > self.trouble + 3 * DAY;
        if rested && self.dice.one_in(40) {
            self.sleep().await;
        } else if rested && self.dice.one_in(12) {
            self.trouble = self.world.now();
            let which = usize::from(self.dice.one_in(2));
            let hours = 1 + self.dice.below(OUTAGE);
            self.outage_until[which].store(self.world.now() + hours * HOUR, Ordering::SeqCst);
        }
        if self.world.now() >= self.token.2 {
            self.refresh().await;
        }
        for _ in 0..self.dice.below(3) {
            self.act().await;
            let pause = 1 + self.dice.below(30);
            self.live(pause * MINUTE).await;
        }
        self.live(5 * HOUR).await;
        // Events are listed for 90 days.
        if self.world.now() > self.listed_at + 30 * DAY {
            self.list().await;
        }
    }

    /// No host runs for hours.
    async fn sleep(&mut self) {
        self.expected.awake(self.awake_since, self.world.now());
        self.trouble = self.world.now();
        self.downtimes += 1;
        let hours = 1 + self.dice.below(DOWNTIME);
        self.world.pass(hours * HOUR);
        self.restart().await;
        self.awake_since = self.world.now();
        self.live(30 * MINUTE).await;
    }

    async fn restart(&mut self) {
        self.world.faults.end();
        self.host = self.world.host().await;
        self.acme = self.acme.on(&self.host);
    }

    /// Time passes, with crashes.
    async fn live(&mut self, milliseconds: u64) {
        let end = self.world.now() + milliseconds;
        loop {
            if self.dice.one_in(14) {
                let commits = 1 + self.dice.below(7);
                self.world.faults.crash_after(i64::try_from(commits).unwrap());
            }
            self.world.live_until(&self.host, end).await;
            if !self.world.faults.is_crashed() {
                self.world.faults.end();
                return;
            }
            self.crashes += 1;
            let seconds = self.dice.below(200);
            self.world.pass(seconds * 1_000);
            self.restart().await;
        }
    }

    /// The identity provider's request, which it repeats until there is an answer; says whether it was repeated.
    async fn request(&mut self, method: &str, target: &str, body: Option<Value>) -> (Answer, bool) {
        let mut repeated = false;
        // The order of a list is that of time, to the millisecond: no two changes are made in the same one.
        self.world.pass(1);
        loop {
            if self.dice.one_in(8) {
                let commits = self.dice.below(4);
                self.world.faults.crash_after(i64::try_from(commits).unwrap());
            }
            let answer = self.acme.scim(method, target, body.clone()).await;
            if !self.world.faults.is_crashed() {
                self.world.faults.end();
                assert!(answer.status < 500, "{} {}", answer.status, answer.body);
                return (answer, repeated);
            }
            self.crashes += 1;
            repeated = true;
            self.restart().await;
        }
    }

    async fn act(&mut self) {
        let expired = self.world.now() >= self.token.1 + 90 * DAY;
        match self.dice.below(8) {
            0..3 => self.create(expired).await,
            3 => self.delete(expired).await,
            4 => self.change(expired).await,
            5 => self.join_or_leave(expired).await,
            6 => self.rename(expired).await,
            _ => self.reset().await,
        }
    }

    async fn create(&mut self, expired: bool) {
        let address = format!("u{}@acme.example", self.created);
        let body = json!({"userName": address, "emails": [{"value": address, "primary": true}]});
        let (answer, repeated) = self.request("POST", "/Users", Some(body)).await;
        let id = match answer.status {
            401 if expired => return,
            403 => {
                assert_eq!(self.active() + 2, u64::from(SEATS), "{}", answer.body);
                return self.expected.no_free_seat(self.world.now());
            }
            409 if repeated => {
                let found = self.acme.scim("GET", &format!("/Users?filter=userName+eq+%22{address}%22"), None).await;
                found.body["Resources"][0]["id"].as_str().unwrap().to_owned()
            }
            _ => answer.is(201).id(),
        };
        self.created += 1;
        self.expected.mail(&address, "Your Insomnia account at Acme");
        self.expected.event("member.created", &id);
        self.people.push(Person { address, id, active: true });
    }

    fn active(&self) -> u64 {
        self.people.iter().filter(|person| person.active).count() as u64
    }

    fn somebody(&mut self) -> Option<usize> {
        let indexes: Vec<usize> = (0..self.people.len()).collect();
        self.dice.pick(&indexes).copied()
    }

    async fn delete(&mut self, expired: bool) {
        let Some(index) = self.somebody() else { return };
        let (id, address) = (self.people[index].id.clone(), self.people[index].address.clone());
        // An initial passphrase that waits for somebody who is gone would not be sent any more.
        if self.world.mailbox.subjects_to(&address).is_empty() {
            return;
        }
        let (answer, repeated) = self.request("DELETE", &format!("/Users/{id}"), None).await;
        match answer.status {
            401 if expired => return,
            404 if repeated => {}
            _ => drop(answer.is(204)),
        }
        self.people.remove(index);
        self.team.1.remove(&id);
        self.expected.event("member.deleted", &id);
    }

    /// Deactivates who is active, and reactivates who is not.
    async fn change(&mut self, expired: bool) {
        let Some(index) = self.somebody() else { return };
        let (id, active) = (self.people[index].id.clone(), !self.people[index].active);
        let (answer, _) = self.request("PATCH", &format!("/Users/{id}"), Some(patch(json!({"active": active})))).await;
        match answer.status {
            401 if expired => {}
            403 if active => self.expected.no_free_seat(self.world.now()),
            _ => {
                answer.is(200);
                self.people[index].active = active;
                self.expected.event(if active { "member.reactivated" } else { "member.deactivated" }, &id);
            }
        }
    }

    async fn rename(&mut self, expired: bool) {
        let Some(index) = self.somebody() else { return };
        let id = self.people[index].id.clone();
        let name = json!({"displayName": format!("Name {}", self.dice.below(1 << 40))});
        let (answer, _) = self.request("PATCH", &format!("/Users/{id}"), Some(patch(name))).await;
        if !(expired && answer.status == 401) {
            answer.is(200);
            self.expected.event("member.updated", &id);
        }
    }

    async fn join_or_leave(&mut self, expired: bool) {
        let Some(index) = self.somebody() else { return };
        let (id, team) = (self.people[index].id.clone(), self.team.0.clone());
        let operation = if self.team.1.contains(&id) { "remove" } else { "add" };
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": operation, "path": "members", "value": [{"value": id}]}],
        });
        let (answer, _) = self.request("PATCH", &format!("/Groups/{team}"), Some(body)).await;
        if expired && answer.status == 401 {
            return;
        }
        assert!(matches!(answer.status, 200 | 204), "{}", answer.body);
        if !self.team.1.remove(&id) {
            self.team.1.insert(id);
        }
        self.expected.event("team.membership-changed", &team);
    }

    /// Somebody asks for a link, which has to be delivered while it works.
    async fn reset(&mut self) {
        let Some(index) = self.somebody().filter(|index| self.people[*index].active) else { return };
        if self.world.now() < self.outage_until[0].load(Ordering::SeqCst) {
            return;
        }
        let address = self.people[index].address.clone();
        self.acme.organization.request_passphrase_reset(&address, "https://scim.example/reset").await.unwrap();
        self.expected.mail(&address, "Reset your Insomnia passphrase");
        self.live(2 * HOUR).await;
    }

    /// An administrator replaces the token.
    async fn refresh(&mut self) {
        self.world.pass(1);
        let (generation, created, _) = self.token;
        let now = self.world.now();
        self.expected.awake(self.awake_since, now);
        self.awake_since = now;
        self.expected.token(generation, created, now);
        self.acme.refresh().await;
        self.expected.event("token.refreshed", &(generation + 1).to_string());
        let days = 60 + self.dice.below(45);
        self.token = (generation + 1, now, now + days * DAY + 13 * MINUTE);
    }

    /// Notes the events that are listed, before they are too old for it.
    async fn list(&mut self) {
        self.listed_at = self.world.now();
        let mut known: BTreeSet<String> = self.listed.iter().cloned().collect();
        known.extend(self.early.iter().cloned());
        let ids = self.acme.events().await.into_iter().map(|event| event["id"].as_str().unwrap().to_owned());
        self.listed.extend(ids.filter(|id| !known.contains(id)));
    }

    /// Calm days, in which what waits arrives.
    pub(super) async fn end(mut self) -> End {
        self.world.mailbox.recover();
        self.world.network.recover();
        self.subscriber.recover();
        self.world.live(&self.host, 3 * DAY).await;
        self.list().await;
        self.expected.awake(self.awake_since, self.world.now());
        self.expected.token(self.token.0, self.token.1, self.world.now());
        End {
            active: self.active(),
            world: self.world,
            subscriber: self.subscriber,
            acme: self.acme,
            expected: self.expected,
            listed: self.listed,
            created: self.created,
            crashes: self.crashes,
            downtimes: self.downtimes,
            tokens: self.token.0,
            _host: self.host,
        }
    }
}

fn patch(value: Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "value": value}],
    })
}

/// A mail system that refuses, loses its answer, and is out of order until the returned time.
fn unreliable_mail(world: &World, mut dice: Dice) -> Arc<AtomicU64> {
    let (until, clock) = (Arc::new(AtomicU64::new(0)), Arc::clone(&world.clock));
    let out_until = Arc::clone(&until);
    world.mailbox.decide(move |_| {
        if clock.now() < out_until.load(Ordering::SeqCst) || dice.one_in(10) {
            Fate::Refuse(MailError::Unavailable("4.3.2 later".into()))
        } else if dice.one_in(20) {
            Fate::TakeAndBreak
        } else {
            Fate::Take
        }
    });
    until
}

/// A webhook that refuses, loses its answer, and is out of order until the returned time.
fn unreliable_webhook(world: &World, mut dice: Dice) -> Arc<AtomicU64> {
    let (until, clock) = (Arc::new(AtomicU64::new(0)), Arc::clone(&world.clock));
    let out_until = Arc::clone(&until);
    world.network.decide(move |_| {
        if clock.now() < out_until.load(Ordering::SeqCst) {
            Reply::Fail(HttpError::Unreachable("down".into()))
        } else if dice.one_in(10) {
            Reply::Status(503, vec![("retry-after".into(), "120".into())])
        } else if dice.one_in(20) {
            Reply::TakeAndBreak
        } else {
            Reply::Take
        }
    });
    until
}
