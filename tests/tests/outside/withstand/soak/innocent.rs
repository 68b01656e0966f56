//! An innocent organization: it sends what identity providers send, and remembers every answer.

use std::collections::BTreeMap;
use std::time::Instant;

use insomnia_scim_tests::client::{Client, Request, Response};
use insomnia_scim_tests::person::Person;
use insomnia_scim_tests::scim::GROUP;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::Connector;
use serde_json::{Value, json};

use super::Seen;

/// Users that it keeps; beyond that it deletes the oldest.
const MOST: usize = 40;

/// The organization, and what must be true of it.
pub(super) struct Innocent {
    client: Client,
    organization: String,
    /// What was acknowledged of each user, by id: its userName, its title, and whether it is in the group.
    users: BTreeMap<String, (String, String, bool)>,
    group: Option<String>,
    step: usize,
}

impl Innocent {
    pub(super) fn new(connector: &Connector) -> Self {
        Self {
            client: connector.client(),
            organization: connector.organization.clone(),
            users: BTreeMap::new(),
            group: None,
            step: 0,
        }
    }

    /// Does the next thing and compares what it is told with what it knows.
    pub(super) fn act(&mut self, seen: &mut Seen) {
        self.step += 1;
        if self.group.is_none() {
            self.make_group(seen);
            return;
        }
        match self.step % 6 {
            0 => self.create(seen),
            1 => self.change(seen),
            2 => self.join_or_leave(seen),
            3 => self.count(seen),
            4 if self.users.len() > MOST => self.delete(seen),
            _ => self.read(seen),
        }
    }

    /// Reads all users and the group.
    pub(super) fn look_at_everything(&mut self, violations: &mut Vec<String>) {
        let mut seen = Seen::default();
        self.client = self.client.clone();
        self.count(&mut seen);
        for _ in 0..self.users.len() {
            self.step += 1;
            self.read(&mut seen);
        }
        self.look_at_group(&mut seen);
        if seen.refused > 0 {
            seen.violations.push(format!("{}: {} refusals without an attack", self.organization, seen.refused));
        }
        violations.append(&mut seen.violations);
    }

    /// Sends the request, and returns the answer if it is no refusal.
    fn ask(&self, request: &Request, seen: &mut Seen) -> Option<Response> {
        let sent = Instant::now();
        let answer = match self.client.try_send(request) {
            Ok(answer) => answer,
            Err(error) => {
                seen.violations.push(format!("{}: no answer: {error}", self.organization));
                return None;
            }
        };
        seen.latencies.push(sent.elapsed());
        // Every name of another organization begins with its id.
        let text = answer.text();
        let foreign = text.match_indices("soak-").any(|(place, _)| !text[place..].starts_with(&self.organization));
        if foreign {
            seen.violations.push(format!("{}: it sees another organization: {answer}", self.organization));
        }
        if matches!(answer.status, 429 | 503) {
            seen.refused += 1;
            return None;
        }
        Some(answer)
    }

    fn expect(&self, holds: bool, what: &str, answer: &Response, seen: &mut Seen) {
        if !holds {
            seen.violations.push(format!("{}: {what}: {answer}", self.organization));
        }
    }

    fn make_group(&mut self, seen: &mut Seen) {
        let name = format!("{}-team", self.organization);
        let request = Request::new("POST", "/Groups").body(json!({ "schemas": [GROUP], "displayName": name }));
        let Some(answer) = self.ask(&request, seen) else { return };
        self.expect(answer.status == 201, "the group is not created", &answer, seen);
        self.group = answer.json()["id"].as_str().map(str::to_owned);
    }

    fn create(&mut self, seen: &mut Seen) {
        let person = Person::new(&format!("{}-{}", self.organization, self.step));
        let request = Request::new("POST", "/Users").body(seed::user_request(&person));
        let Some(answer) = self.ask(&request, seen) else { return };
        self.expect(answer.status == 201, "a user is not created", &answer, seen);
        if let Some(id) = answer.json()["id"].as_str() {
            self.users.insert(id.to_owned(), (person.user_name, String::new(), false));
        }
    }

    /// One of its users; another one each time.
    fn one(&self) -> Option<String> {
        let count = self.users.len();
        if count == 0 { None } else { self.users.keys().nth(self.step / 6 % count).cloned() }
    }

    fn change(&mut self, seen: &mut Seen) {
        let Some(id) = self.one() else { return self.create(seen) };
        let title = format!("{}-title-{}", self.organization, self.step);
        let change = json!({ "Operations": [{ "op": "replace", "path": "title", "value": title }] });
        let Some(answer) = self.ask(&Request::new("PATCH", &format!("/Users/{id}")).body(change), seen) else { return };
        self.expect(matches!(answer.status, 200 | 204), "a user is not changed", &answer, seen);
        if let Some(user) = self.users.get_mut(&id) {
            user.1 = title;
        }
    }

    fn join_or_leave(&mut self, seen: &mut Seen) {
        let (Some(id), Some(group)) = (self.one(), self.group.clone()) else { return self.create(seen) };
        let is_in = self.users.get(&id).is_some_and(|user| user.2);
        let operation = if is_in {
            json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") })
        } else {
            json!({ "op": "add", "path": "members", "value": [{ "value": id }] })
        };
        let request = Request::new("PATCH", &format!("/Groups/{group}")).body(json!({ "Operations": [operation] }));
        let Some(answer) = self.ask(&request, seen) else { return };
        self.expect(matches!(answer.status, 200 | 204), "the group is not changed", &answer, seen);
        if let Some(user) = self.users.get_mut(&id) {
            user.2 = !is_in;
        }
    }

    fn read(&mut self, seen: &mut Seen) {
        let Some(id) = self.one() else { return self.create(seen) };
        let Some(answer) = self.ask(&Request::new("GET", &format!("/Users/{id}")), seen) else { return };
        let read = answer.json();
        let Some((name, title, is_in)) = self.users.get(&id) else { return };
        let holds = answer.status == 200
            && read["userName"] == json!(name)
            && read["title"].as_str().unwrap_or_default() == title
            && read["groups"].as_array().is_some_and(|groups| !groups.is_empty()) == *is_in;
        self.expect(holds, &format!("a user is not {name:?}, {title:?}, in the group: {is_in}"), &answer, seen);
    }

    fn count(&mut self, seen: &mut Seen) {
        let Some(answer) = self.ask(&Request::new("GET", "/Users?count=0"), seen) else { return };
        let total = answer.json()["totalResults"].as_u64();
        let holds = total == Some(self.users.len() as u64);
        self.expect(holds, &format!("there are not {} users", self.users.len()), &answer, seen);
    }

    fn delete(&mut self, seen: &mut Seen) {
        let Some(id) = self.one() else { return };
        let Some(answer) = self.ask(&Request::new("DELETE", &format!("/Users/{id}")), seen) else { return };
        self.expect(answer.status == 204, "a user is not deleted", &answer, seen);
        self.users.remove(&id);
    }

    fn look_at_group(&mut self, seen: &mut Seen) {
        let Some(group) = self.group.clone() else { return };
        let Some(answer) = self.ask(&Request::new("GET", &format!("/Groups/{group}")), seen) else { return };
        let read = answer.json();
        let members = read["members"].as_array().into_iter().flatten();
        let mut members: Vec<&str> = members.filter_map(|member: &Value| member["value"].as_str()).collect();
        members.sort_unstable();
        let known: Vec<&str> = self.users.iter().filter(|(_, user)| user.2).map(|(id, _)| id.as_str()).collect();
        self.expect(members == known, &format!("its members are not {known:?}"), &answer, seen);
    }
}
