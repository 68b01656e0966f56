//! The load of an hour: requests of an identity provider and actions of an owner, which are the same in each hour.

use std::collections::VecDeque;

use insomnia_scim::NewOrganization;
use insomnia_scim::connector::{ExpiryWindow, IdentityProvider};
use insomnia_scim::directory::{Domain, NewMember, Options, OrganizationRecord, Plan, Role};
use insomnia_scim_tests::client::{Client, Request, Response, encode};
use insomnia_scim_tests::scim::{GROUP, USER, patch, text};
use serde_json::{Value, json};

use super::world::World;
use crate::page::visitor::Visitor;
use crate::rules::organization::{OWNER, PASSPHRASE, name};
use crate::rules::world::HOUR;

/// How many members the identity provider has: for each who comes one goes.
const POPULATION: usize = 40;

/// The load, and whom it is about.
pub(super) struct Load {
    /// All requests so far.
    pub(super) requests: u64,
    rounds: u64,
    hours: u64,
    client: Client,
    /// Somebody who has no token.
    stranger: Client,
    owner: Visitor,
    /// The team of all.
    staff: String,
    people: VecDeque<String>,
    /// Whoever comes next.
    number: u64,
}

impl Load {
    pub(super) fn begin(world: &World, rounds: u64) -> Self {
        let record = OrganizationRecord {
            name: "Acme".into(),
            plan: Plan::Enterprise,
            seats: 1_000,
            domains: vec![Domain { name: "acme.example".into(), verified: true }],
            single_sign_on: Some("okta".into()),
            options: Options::default(),
        };
        let owner = NewMember {
            email: OWNER.into(),
            display_name: "Olive".into(),
            role: Role::Owner,
            passphrase: Some(PASSPHRASE.into()),
        };
        let (organization, token) = world.runtime.block_on(async {
            let new = NewOrganization::new(name(), record);
            let organization = world.provisioner.create_organization(new).await.expect("an organization").organization;
            organization.add_member(owner).await.expect("an owner");
            organization.set_retention(1).await.expect("the retention");
            let issued = organization.enable(OWNER, IdentityProvider::Okta, ExpiryWindow::Never).await;
            organization.set_webhook("https://backend.example/events").await.expect("a webhook");
            (organization, issued.expect("a token").token)
        });
        let client = Client::new(&organization.connector_url(), &token);
        let staff =
            text(&client.post("/Groups", json!({"schemas": [GROUP], "displayName": "Staff"})).is(201).json(), "id");
        let mut load = Self {
            stranger: Client::new(&organization.connector_url(), "nobody's"),
            owner: Visitor::at(&organization.page_url()),
            requests: 0,
            rounds,
            hours: 0,
            client,
            staff,
            people: VecDeque::new(),
            number: 0,
        };
        for _ in 0..POPULATION {
            load.come();
        }
        load
    }

    /// An hour; returns how many requests there were in it.
    pub(super) fn hour(&mut self, world: &World) -> u64 {
        let (before, begin) = (self.requests, world.now());
        // To check a passphrase takes long on purpose: where there is little to do, the owner comes once a day.
        if self.rounds > 1 || self.hours.is_multiple_of(24) {
            self.look_at_page();
        }
        self.hours += 1;
        self.make_a_team();
        for round in 1..=self.rounds {
            self.round();
            world.pass_until(begin + round * HOUR / self.rounds);
        }
        self.requests - before
    }

    fn send(&mut self, request: Request, status: u16) -> Response {
        self.requests += 1;
        let response = self.client.send(&request);
        response.is(status);
        response
    }

    fn get(&mut self, path: &str) -> Value {
        self.send(Request::new("GET", path), 200).json()
    }

    fn change(&mut self, path: &str, operation: Value) {
        self.requests += 1;
        let status = self.client.patch(path, patch(operation)).status;
        assert!(matches!(status, 200 | 204), "PATCH {path}: {status}");
    }

    /// Somebody new, who gets an email, and joins the team.
    fn come(&mut self) -> String {
        self.number += 1;
        let address = format!("person-{}@acme.example", self.number);
        let user = json!({
            "schemas": [USER],
            "userName": address,
            "externalId": format!("external-{}", self.number),
            "displayName": format!("Person {}", self.number),
            "emails": [{"value": address, "type": "work", "primary": true}],
        });
        let id = text(&self.send(Request::new("POST", "/Users").body(user), 201).json(), "id");
        let join = json!({"op": "add", "path": "members", "value": [{"value": id}]});
        self.change(&format!("/Groups/{}", self.staff), join);
        self.people.push_back(id);
        address
    }

    /// Somebody comes and is looked for, changed, and turned off and on; and the one who has been there for longest goes.
    fn round(&mut self) {
        let address = self.come();
        let found = self.get(&format!("/Users?filter={}", encode(&format!("userName eq \"{address}\""))));
        let id = text(&found["Resources"][0], "id");
        let user = format!("/Users/{id}");
        self.get(&user);
        self.change(&user, json!({"op": "replace", "path": "title", "value": "Engineer"}));
        for active in [false, true] {
            self.change(&user, json!({"op": "replace", "path": "active", "value": active}));
        }
        let again = Request::new("POST", "/Users").body(json!({"schemas": [USER], "userName": address}));
        self.send(again, 409);
        self.get("/Users?startIndex=1&count=50");
        self.get(&format!("/Groups/{}?excludedAttributes=members", self.staff));
        self.requests += 1;
        self.stranger.get("/Users").is(401);
        if let Some(gone) = self.people.pop_front() {
            self.send(Request::new("DELETE", &format!("/Users/{gone}")), 204);
            self.send(Request::new("GET", &format!("/Users/{gone}")), 404);
        }
    }

    /// A team that is there for a moment.
    fn make_a_team(&mut self) {
        let members: Vec<Value> = self.people.iter().take(5).map(|id| json!({"value": id})).collect();
        let team = json!({"schemas": [GROUP], "displayName": "Project", "members": members});
        let id = text(&self.send(Request::new("POST", "/Groups").body(team), 201).json(), "id");
        let path = format!("/Groups/{id}");
        self.change(&path, json!({"op": "replace", "path": "displayName", "value": "Project 2"}));
        let few = json!({"schemas": [GROUP], "displayName": "Project 2", "members": [members[0]]});
        self.send(Request::new("PUT", &path).body(few), 200);
        self.send(Request::new("DELETE", &path), 204);
    }

    /// The owner signs in, looks at the page and signs out; and has mistyped the passphrase before.
    fn look_at_page(&mut self) {
        self.owner.sign_in(OWNER, "mistyped").is(422);
        self.owner.sign_in(OWNER, PASSPHRASE).is(303);
        for view in ["", "/members", "/logs", "/events", "/deliveries"] {
            self.owner.get(view).is(200);
        }
        assert!(!self.owner.get("/logs/export.csv").is(200).text().is_empty());
        let csrf = self.owner.csrf();
        self.owner.post("/sign-out", &[("csrf", &csrf)]).is(303);
        self.requests += 10;
    }
}
