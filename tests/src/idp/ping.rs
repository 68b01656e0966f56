//! PingFederate: PUT for users, PATCH for groups, matches by work address, and reads all groups to find one.

use serde_json::{Value, json};

use super::{match_in, updated};
use crate::client::{Client, encode};
use crate::person::Person;
use crate::scim::{id, text};
use crate::seed::user_request;
use crate::server::Connector;

/// One SCIM provisioner.
pub struct Ping {
    client: Client,
}

impl Ping {
    /// A provisioner for this connector. The authorization header's type is the admin's own spelling.
    #[must_use]
    pub fn new(connector: &Connector) -> Self {
        let client = Client::bare(&connector.url)
            .header("Authorization", &format!("bearer {}", connector.token))
            .header("Accept", "application/scim+json")
            .content_type("application/scim+json");
        Self { client }
    }

    /// Whether the service is alive: an id that can't exist has to be 404 with a SCIM error.
    #[track_caller]
    pub fn probe(&self) {
        self.client.get("/Users/0").error(404);
    }

    /// Looks a person up by the work address: a complex attribute without a sub-attribute.
    #[track_caller]
    #[must_use]
    pub fn find(&self, person: &Person) -> Option<Value> {
        let filter = encode(&format!("emails eq \"{}\"", person.email));
        match_in(&self.client.get(&format!("/Users?filter={filter}")))
    }

    /// Provisions a person. Returns the id.
    #[track_caller]
    pub fn provision(&self, person: &Person) -> String {
        self.probe();
        match self.find(person) {
            Some(found) => id(&found),
            None => id(&self.client.post("/Users", user_request(person)).resource(201)),
        }
    }

    /// Deprovisions by disabling: PUT of what Ping knows about the person.
    #[track_caller]
    pub fn disable(&self, user: &str, person: &Person) {
        let mut whole = user_request(person);
        whole["active"] = json!(false);
        assert_eq!(self.client.put(&format!("/Users/{user}"), &whole).resource(200)["active"], json!(false));
    }

    /// Deprovisions by deleting.
    #[track_caller]
    pub fn delete(&self, user: &str) {
        self.client.delete(&format!("/Users/{user}")).no_content();
    }

    /// "Retrieves all groups and finds a match": pages through `GET /Groups` without a filter.
    #[track_caller]
    #[must_use]
    pub fn find_group(&self, name: &str) -> Option<Value> {
        let mut seen = 0;
        loop {
            let page = self.client.get(&format!("/Groups?startIndex={}", seen + 1)).list();
            if let Some(found) = page.resources.iter().find(|group| text(group, "displayName") == name) {
                return Some(found.clone());
            }
            seen += page.resources.len();
            if page.resources.is_empty() || seen as u64 >= page.total {
                return None;
            }
        }
    }

    /// Provisions a group. Returns the id.
    #[track_caller]
    pub fn provision_group(&self, name: &str) -> String {
        if let Some(found) = self.find_group(name) {
            return id(&found);
        }
        let body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name });
        id(&self.client.post("/Groups", body).resource(201))
    }

    /// Membership handling *Merge*: adds these members and keeps the others.
    #[track_caller]
    pub fn merge_members(&self, group: &str, users: &[String]) {
        self.patch_members("add", group, users);
    }

    /// Membership handling *Overwrite*: makes these the only members.
    #[track_caller]
    pub fn overwrite_members(&self, group: &str, users: &[String]) {
        self.patch_members("replace", group, users);
    }

    /// The group as it is now.
    #[track_caller]
    #[must_use]
    pub fn read_group(&self, group: &str) -> Value {
        self.client.get(&format!("/Groups/{group}")).resource(200)
    }

    #[track_caller]
    fn patch_members(&self, op: &str, group: &str, users: &[String]) {
        let value: Vec<Value> = users.iter().map(|user| json!({ "value": user })).collect();
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": op, "path": "members", "value": value }],
        });
        updated(&self.client.patch(&format!("/Groups/{group}"), body));
    }
}
