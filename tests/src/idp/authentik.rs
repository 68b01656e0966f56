//! authentik: reads the service provider's configuration first, filters without quotes, drops a link on 404.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{match_in, updated};
use crate::client::Client;
use crate::person::Person;
use crate::scim::{id, text};
use crate::seed::user_request;
use crate::server::Connector;

/// One SCIM provider, with the links it keeps from user names to ids.
pub struct Authentik {
    client: Client,
    patches: bool,
    links: HashMap<String, String>,
}

impl Authentik {
    /// A provider for this connector, which decides between PATCH and PUT by what the service announces.
    #[track_caller]
    #[must_use]
    pub fn new(connector: &Connector) -> Self {
        let client = Client::bare(&connector.url)
            .header("Authorization", &format!("Bearer {}", connector.token))
            .header("Accept", "application/scim+json")
            .header("User-Agent", "goauthentik.io/2025")
            .content_type("application/scim+json");
        let configuration = client.get("/ServiceProviderConfig").document(200);
        let patches = configuration["patch"]["supported"] == json!(true);
        Self { client, patches, links: HashMap::new() }
    }

    /// Whether the service announced PATCH.
    #[must_use]
    pub fn patches(&self) -> bool {
        self.patches
    }

    /// Looks a person up: the value has no quotes.
    #[track_caller]
    #[must_use]
    pub fn find(&self, person: &Person) -> Option<Value> {
        let name = person.user_name.replace('@', "%40");
        match_in(&self.client.get(&format!("/Users?filter=userName+eq+{name}")))
    }

    /// Provisions or updates a person by PUT. Returns the id.
    #[track_caller]
    pub fn sync(&mut self, person: &Person) -> String {
        if let Some(linked) = self.links.get(&person.user_name).cloned() {
            let response = self.client.put(&format!("/Users/{linked}"), user_request(person));
            if response.status != 404 {
                return id(&response.resource(200));
            }
            // The link is dropped and the user made anew.
            response.error(404);
            self.links.remove(&person.user_name);
        }
        let user = match self.find(person) {
            Some(found) => id(&found),
            None => id(&self.client.post("/Users", user_request(person)).resource(201)),
        };
        self.links.insert(person.user_name.clone(), user.clone());
        user
    }

    /// Creates a group. Returns the id.
    #[track_caller]
    pub fn sync_group(&self, name: &str) -> String {
        let body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "externalId": name });
        let created = self.client.post("/Groups", body).resource(201);
        assert_eq!(text(&created, "displayName"), name);
        id(&created)
    }

    /// Adds members; some versions repeat the group's id in a second operation.
    #[track_caller]
    pub fn add_members(&self, group: &str, users: &[String]) {
        let value: Vec<Value> = users.iter().map(|user| json!({ "value": user })).collect();
        self.patch_group(
            group,
            &json!([
                { "op": "replace", "path": null, "value": { "id": group } },
                { "op": "add", "path": "members", "value": value },
            ]),
        );
    }

    /// Removes members: `remove` with a list of values.
    #[track_caller]
    pub fn remove_members(&self, group: &str, users: &[String]) {
        let value: Vec<Value> = users.iter().map(|user| json!({ "value": user })).collect();
        self.patch_group(group, &json!([{ "op": "remove", "path": "members", "value": value }]));
    }

    /// The group as it is now.
    #[track_caller]
    #[must_use]
    pub fn read_group(&self, group: &str) -> Value {
        self.client.get(&format!("/Groups/{group}")).resource(200)
    }

    /// Deletes a user behind the provider's back: the link stays and is stale.
    #[track_caller]
    pub fn lose(&self, user: &str) {
        self.client.delete(&format!("/Users/{user}")).no_content();
    }

    #[track_caller]
    fn patch_group(&self, group: &str, operations: &Value) {
        let body =
            format!(r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":{operations}}}"#);
        updated(&self.client.patch(&format!("/Groups/{group}"), body));
    }
}
