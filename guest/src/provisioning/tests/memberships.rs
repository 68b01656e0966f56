//! Another request changes a team while a change of its members is decided (T22). A replacement of all members depends
//! on all current members, any other change only on the members that it names.

use std::cell::{Cell, RefCell};

use serde_json::json;

use super::{people, post};
use crate::capability::{Host, Item, Key, KeyValue, Page, Scanned, Storage, StorageError, Transaction};
use crate::connector::Window;
use crate::protocol::document::Document;
use crate::protocol::patch::{MemberChange, Patched};
use crate::provisioning::teams::Teams;
use crate::store::OrganizationRecord;
use crate::testing::MemoryHost;
use crate::testing::organization::TestOrganization;

/// A storage in which some code runs before the first commit, after the commit's data was read.
struct Interrupted<'o> {
    memory: &'o MemoryHost,
    meanwhile: RefCell<Option<Box<dyn FnOnce() + 'o>>>,
    /// How many commits were tried.
    attempts: Cell<u32>,
}

impl Storage for Interrupted<'_> {
    fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        self.memory.get(keys)
    }

    fn scan(&self, pages: &[Page]) -> Result<Vec<Scanned>, StorageError> {
        self.memory.scan(pages)
    }

    fn commit(&self, transaction: Transaction) -> Result<u64, StorageError> {
        self.attempts.set(self.attempts.get() + 1);
        let meanwhile = self.meanwhile.take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        self.memory.commit(transaction)
    }

    fn append(&self, entries: &[KeyValue]) -> Result<(), StorageError> {
        self.memory.append(entries)
    }
}

/// An organization of four people, with a team `Crew` that contains Ada and Bob.
struct World {
    organization: TestOrganization,
    people: [(&'static str, String); 4],
    crew: String,
}

impl World {
    fn new() -> Self {
        let organization = TestOrganization::new(100, Window::Never).unwrap();
        let people = people(&organization, ["ada", "bob", "cy", "dan"]);
        let members = json!([{"value": people[0].1}, {"value": people[1].1}]);
        let crew = post(&organization, "/Groups", json!({"displayName": "Crew", "members": members}));
        Self { organization, people, crew }
    }

    fn id(&self, name: &str) -> Vec<String> {
        self.people.iter().filter(|(known, _)| *known == name).map(|(_, id)| id.clone()).collect()
    }

    fn dan_comes(&self) {
        let operation = json!({"op": "add", "path": "members", "value": self.id("dan")});
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]});
        let (status, body) = self.organization.scim("PATCH", &format!("/Groups/{}", self.crew), Some(body));
        assert_eq!(status, 200, "{body}");
    }

    /// The members of the team after these changes, and the number of tries. Dan joins after the changes are decided
    /// and before they are committed.
    fn after(&self, changes: &[MemberChange]) -> (String, u32) {
        let interrupted = Interrupted {
            memory: &self.organization.host,
            meanwhile: RefCell::new(Some(Box::new(|| self.dan_comes()))),
            attempts: Cell::default(),
        };
        let store = Host { storage: &interrupted, ..self.organization.host.host() }.store();
        let record = store.organization().unwrap().map_or_else(OrganizationRecord::default, |stored| stored.record);
        let teams = Teams::new(&store, &record, "https://scim.example");
        let change = |document: &Document| Ok(Patched { document: document.clone(), members: changes.to_vec() });
        teams.update(&self.crew, &|_| Ok(true), change).unwrap();
        let store = self.organization.store();
        let is_member = |id: &String| store.is_member(&self.crew, id).unwrap();
        let names: Vec<&str> = self.people.iter().filter(|(_, id)| is_member(id)).map(|(name, _)| *name).collect();
        (names.join(" "), interrupted.attempts.get())
    }
}

#[test]
fn t22_nobody_stays_who_comes_while_all_members_are_replaced() {
    for (only, added, members) in [("cy", "", "cy"), ("cy", "ada", "ada cy"), ("", "", "")] {
        let world = World::new();
        let changes = [MemberChange::Replace(world.id(only)), MemberChange::Add(world.id(added))];
        assert_eq!(world.after(&changes), (members.to_owned(), 2), "decided again, of {changes:?}");
    }
}

#[test]
fn t22_who_comes_meanwhile_does_not_disturb_a_change_of_others() {
    for (goes, comes, members) in [("", "cy", "ada bob cy dan"), ("ada", "", "bob dan"), ("ada", "cy", "bob cy dan")] {
        let world = World::new();
        let changes = [MemberChange::Remove(world.id(goes)), MemberChange::Add(world.id(comes))];
        assert_eq!(world.after(&changes), (members.to_owned(), 1), "not decided again, of {changes:?}");
    }
}
