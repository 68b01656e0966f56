//! A client that writes through the balancer and remembers the answers.
//!
//! If an answer is lost, two states are allowed: the change was made, or it was not. The user to whom this has happened
//! is not changed any more, since the request may still wait in a host that is paused.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use insomnia_scim_tests::client::{Client, Request, Response};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::patch;
use insomnia_scim_tests::seed;
use serde_json::json;

use crate::dice::Dice;

/// Users that a writer keeps; beyond that it deletes some.
const MOST: usize = 12;

/// What the writers of one organization share.
pub(super) struct Shared {
    pub(super) organization: String,
    pub(super) client: Client,
    /// The group that all put their users into.
    pub(super) group: String,
    /// The user whose title all count up.
    pub(super) counter: String,
    pub(super) counter_email: String,
    /// How many users were created for whose names two writers compete.
    pub(super) contested: AtomicU64,
    /// Makes the contested names those of this run.
    pub(super) run: String,
    /// How many writes were acknowledged so far.
    pub(super) acknowledged: AtomicUsize,
}

/// A user as it was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) title: String,
    pub(super) active: bool,
    pub(super) joined: bool,
}

/// What is known of a user.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Its email address, which is its userName too.
    pub(super) email: String,
    /// What it may be, `None` for deleted: one state, or two where an answer was lost.
    pub(super) states: Vec<Option<State>>,
    /// The titles that were acknowledged, in order.
    pub(super) titles: Vec<String>,
    /// How often it came to the group or left it, as acknowledged.
    pub(super) moves: usize,
}

impl Known {
    fn sure(&self) -> Option<&State> {
        match self.states.as_slice() {
            [Some(state)] => Some(state),
            _ => None,
        }
    }
}

/// How requests ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) acknowledged: usize,
    /// 412 or 409 where another one was first.
    pub(super) overtaken: usize,
    /// 503 or 429: the server says that it could not.
    pub(super) refused: usize,
    /// The connection ended without an answer.
    pub(super) lost: usize,
    pub(super) reads: usize,
}

impl Counts {
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            acknowledged: self.acknowledged + other.acknowledged,
            overtaken: self.overtaken + other.overtaken,
            refused: self.refused + other.refused,
            lost: self.lost + other.lost,
            reads: self.reads + other.reads,
        }
    }
}

/// The writer, and all that it was told.
pub(super) struct Writer<'s> {
    pub(super) shared: &'s Shared,
    dice: Dice,
    pub(super) users: BTreeMap<String, Known>,
    /// Whom it wanted to create without hearing of it.
    pub(super) perhaps: Vec<Person>,
    /// The numbers that it was told to have written into the counter.
    pub(super) counted: Vec<u64>,
    /// How often it does not know whether it has.
    pub(super) perhaps_counted: u64,
    pub(super) counts: Counts,
    pub(super) violations: Vec<String>,
}

/// What became of a write.
enum Outcome {
    Done(Response),
    /// Another one was first.
    Overtaken,
    Unknown,
    /// It is no answer that such a request can have; that is noted.
    Wrong,
}

impl<'s> Writer<'s> {
    pub(super) fn new(shared: &'s Shared, dice: Dice) -> Self {
        Self {
            shared,
            dice,
            users: BTreeMap::new(),
            perhaps: Vec::new(),
            counted: Vec::new(),
            perhaps_counted: 0,
            counts: Counts::default(),
            violations: Vec::new(),
        }
    }

    /// Does one thing or another.
    pub(super) fn act(&mut self) {
        let crowded = self.users.values().filter(|user| user.sure().is_some()).count() >= MOST;
        match self.dice.below(16) {
            0..3 => self.create(false),
            3 => self.create(true),
            4..7 => self.change_title(),
            7 | 8 => self.change_access(),
            9..12 => self.join_or_leave(),
            12 | 13 => self.count_up(),
            14 => self.read(),
            _ if crowded => (0..4).for_each(|_| self.delete()),
            _ => self.delete(),
        }
    }

    /// Sends a write over a connection of its own, so that it is sent once; `overtaken` is what it is answered where another
    /// writer was first.
    fn write(&mut self, request: &Request, wanted: u16, overtaken: Option<u16>) -> Outcome {
        match self.shared.client.clone().try_send(request) {
            Err(_) => {
                self.counts.lost += 1;
                Outcome::Unknown
            }
            Ok(answer) if matches!(answer.status, 429 | 503) => {
                self.counts.refused += 1;
                Outcome::Unknown
            }
            Ok(answer) if answer.status == wanted || (wanted == 200 && answer.status == 204) => {
                self.counts.acknowledged += 1;
                self.shared.acknowledged.fetch_add(1, Ordering::Relaxed);
                Outcome::Done(answer)
            }
            Ok(answer) if Some(answer.status) == overtaken => {
                self.counts.overtaken += 1;
                Outcome::Overtaken
            }
            Ok(answer) => {
                self.violation("a write is answered with what it can't be", &answer);
                Outcome::Wrong
            }
        }
    }

    fn violation(&mut self, what: &str, answer: &Response) {
        self.violations.push(format!("{}: {what}:\n{answer}", self.shared.organization));
    }

    /// One of whom everything is known.
    fn pick(&mut self) -> Option<(String, State)> {
        let sure: Vec<_> =
            self.users.iter().filter_map(|(id, user)| Some((id.clone(), user.sure()?.clone()))).collect();
        self.dice.pick(&sure).cloned()
    }

    /// What is now known of a user after a write that makes it `next`.
    fn note(&mut self, id: &str, next: Option<State>, outcome: &Outcome) -> Option<&mut Known> {
        let user = self.users.get_mut(id)?;
        match outcome {
            Outcome::Done(_) => {
                user.states = vec![next];
                Some(user)
            }
            Outcome::Overtaken | Outcome::Wrong | Outcome::Unknown => {
                user.states.push(next);
                None
            }
        }
    }

    fn create(&mut self, contested: bool) {
        let name = if contested {
            let number = self.shared.contested.fetch_add(1, Ordering::SeqCst) / 2;
            format!("contested-{}-{number}", self.shared.run)
        } else {
            unique("chaos")
        };
        let address = format!("{name}@{}.example", self.shared.organization);
        let person = Person { user_name: address.clone(), email: address, ..Person::new("chaos") };
        let request = Request::new("POST", "/Users").body(seed::user_request(&person));
        match self.write(&request, 201, contested.then_some(409)) {
            Outcome::Done(answer) => {
                let id = answer.json()["id"].as_str().unwrap_or_default().to_owned();
                let state = State { title: String::new(), active: true, joined: false };
                let email = person.email;
                let known = Known { email, states: vec![Some(state)], titles: Vec::new(), moves: 0 };
                if self.users.insert(id, known).is_some() {
                    self.violation("two creations are answered with one id", &answer);
                }
            }
            Outcome::Unknown | Outcome::Wrong => self.perhaps.push(person),
            Outcome::Overtaken => {}
        }
    }

    /// Reads it and returns its version, unless it can't be read now.
    fn look(&mut self, id: &str, state: &State) -> Option<String> {
        let answer = self.shared.client.clone().try_send(&Request::new("GET", &format!("/Users/{id}"))).ok()?;
        if matches!(answer.status, 429 | 503) {
            return None;
        }
        self.counts.reads += 1;
        let read = if answer.status == 200 { answer.json() } else { json!(null) };
        let seen = State {
            title: read["title"].as_str().unwrap_or_default().to_owned(),
            active: read["active"] == json!(true),
            joined: read["groups"].as_array().is_some_and(|groups| !groups.is_empty()),
        };
        if answer.status != 200 || seen != *state {
            self.violation(&format!("a user is not as it was acknowledged, {state:?}"), &answer);
        }
        answer.header("ETag").map(str::to_owned)
    }

    fn read(&mut self) {
        if let Some((id, state)) = self.pick() {
            self.look(&id, &state);
        }
    }

    fn change_title(&mut self) {
        let Some((id, state)) = self.pick() else { return self.create(false) };
        let Some(version) = self.look(&id, &state) else { return };
        let title = unique("title");
        let change = patch(json!({ "op": "replace", "path": "title", "value": title }));
        let request = Request::new("PATCH", &format!("/Users/{id}")).header("If-Match", &version).body(change);
        // Nobody else changes it, so that the version which was just read is still its own.
        let outcome = self.write(&request, 200, None);
        if let Some(user) = self.note(&id, Some(State { title: title.clone(), ..state }), &outcome) {
            user.titles.push(title);
        }
    }

    fn change_access(&mut self) {
        let Some((id, state)) = self.pick() else { return self.create(false) };
        let change = patch(json!({ "op": "replace", "path": "active", "value": !state.active }));
        let outcome = self.write(&Request::new("PATCH", &format!("/Users/{id}")).body(change), 200, None);
        self.note(&id, Some(State { active: !state.active, ..state }), &outcome);
    }

    fn join_or_leave(&mut self) {
        let Some((id, state)) = self.pick() else { return self.create(false) };
        let change = if state.joined {
            json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") })
        } else {
            json!({ "op": "add", "path": "members", "value": [{ "value": id }] })
        };
        let request = Request::new("PATCH", &format!("/Groups/{}", self.shared.group)).body(patch(change));
        let outcome = self.write(&request, 200, None);
        if let Some(user) = self.note(&id, Some(State { joined: !state.joined, ..state }), &outcome) {
            user.moves += 1;
        }
    }

    fn delete(&mut self) {
        let Some((id, _)) = self.pick() else { return };
        let outcome = self.write(&Request::new("DELETE", &format!("/Users/{id}")), 204, None);
        self.note(&id, None, &outcome);
    }

    /// Adds one to the number that stands in the title of a user whom all writers change.
    fn count_up(&mut self) {
        let path = format!("/Users/{}", self.shared.counter);
        let Ok(answer) = self.shared.client.clone().try_send(&Request::new("GET", &path)) else { return };
        if answer.status != 200 {
            if !matches!(answer.status, 429 | 503) {
                self.violation("the counter can't be read", &answer);
            }
            return;
        }
        self.counts.reads += 1;
        let next = answer.json()["title"].as_str().and_then(|title| title.parse::<u64>().ok()).unwrap_or(0) + 1;
        let Some(version) = answer.header("ETag") else { return self.violation("there is no version", &answer) };
        let change = patch(json!({ "op": "replace", "path": "title", "value": next.to_string() }));
        let request = Request::new("PATCH", &path).header("If-Match", version).body(change);
        match self.write(&request, 200, Some(412)) {
            Outcome::Done(_) => self.counted.push(next),
            Outcome::Unknown | Outcome::Wrong => self.perhaps_counted += 1,
            Outcome::Overtaken => {}
        }
    }
}
