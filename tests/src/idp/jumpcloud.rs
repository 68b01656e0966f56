//! JumpCloud: tests the connection with a real user and a real group, and sends members in Entra's style.

use serde_json::{Value, json};

use super::{match_in, updated};
use crate::client::{Client, encode};
use crate::person::{Person, unique};
use crate::scim::{id, text};
use crate::seed::user_request;
use crate::server::Connector;

/// One custom SCIM application.
pub struct JumpCloud {
    client: Client,
}

impl JumpCloud {
    /// An application for this connector.
    #[must_use]
    pub fn new(connector: &Connector) -> Self {
        let client = Client::bare(&connector.url)
            .header("Authorization", &format!("Bearer {}", connector.token))
            .header("Accept", "application/scim+json, application/json")
            .content_type("application/scim+json");
        Self { client }
    }

    /// *Test Connection*: creates a user and a group, and deletes both.
    #[track_caller]
    pub fn test_connection(&self, person: &Person) {
        let user = self.provision(person);
        let group = self.provision_group(&unique("jumpcloud test group"));
        self.add_member(&group, &user);
        self.client.delete(&format!("/Groups/{group}")).no_content();
        self.client.delete(&format!("/Users/{user}")).no_content();
        self.client.get(&format!("/Users/{user}")).error(404);
    }

    /// Looks a person up and creates it if it is not there. Returns the id.
    #[track_caller]
    pub fn provision(&self, person: &Person) -> String {
        let filter = encode(&format!("userName eq \"{}\"", person.user_name));
        if let Some(found) = match_in(&self.client.get(&format!("/Users?filter={filter}"))) {
            return id(&found);
        }
        id(&self.client.post("/Users", user_request(person)).resource(201))
    }

    /// Suspends the user.
    #[track_caller]
    pub fn deactivate(&self, user: &str) {
        let mut whole = self.client.get(&format!("/Users/{user}")).resource(200);
        whole["active"] = json!(false);
        assert_eq!(self.client.put(&format!("/Users/{user}"), &whole).resource(200)["active"], json!(false));
    }

    /// Creates a group. Returns the id.
    #[track_caller]
    pub fn provision_group(&self, name: &str) -> String {
        let body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name });
        let created = self.client.post("/Groups", body).resource(201);
        assert_eq!(text(&created, "displayName"), name);
        id(&created)
    }

    /// Adds a member: a list of values under the path `members`.
    #[track_caller]
    pub fn add_member(&self, group: &str, user: &str) {
        self.change_member("add", group, user);
    }

    /// Removes a member in the same form, without a filter: only this one may go.
    #[track_caller]
    pub fn remove_member(&self, group: &str, user: &str) {
        self.change_member("remove", group, user);
    }

    /// The group as it is now.
    #[track_caller]
    #[must_use]
    pub fn read_group(&self, group: &str) -> Value {
        self.client.get(&format!("/Groups/{group}")).resource(200)
    }

    #[track_caller]
    fn change_member(&self, op: &str, group: &str, user: &str) {
        let body = format!(
            r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{{"op":"{op}","path":"members","value":[{{"value":"{user}"}}]}}]}}"#
        );
        updated(&self.client.patch(&format!("/Groups/{group}"), body));
    }
}
