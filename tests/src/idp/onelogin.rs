//! OneLogin: an admin's own JSON template, legacy schemas, strings for booleans, and URLs with loose ends.

use serde_json::{Value, json};

use super::{match_in, updated};
use crate::client::Client;
use crate::person::{Person, unique};
use crate::scim::{id, text};
use crate::server::Connector;

/// One connector.
pub struct OneLogin {
    client: Client,
}

impl OneLogin {
    /// A connector with OneLogin's empty `User-Agent`.
    #[must_use]
    pub fn new(connector: &Connector) -> Self {
        let client = Client::bare(&connector.url)
            .header("Authorization", &format!("Bearer {}", connector.token))
            .header("User-Agent", "")
            .header("Accept", "application/scim+json")
            .content_type("application/scim+json");
        Self { client }
    }

    /// The connection test: a userName that does not exist.
    #[track_caller]
    pub fn test_connection(&self) {
        self.client.get(&format!("/Users?filter=userName+eq+%22{}%22&", unique("onelogin-test-user"))).none();
    }

    /// Provisions a person: filter with a trailing `&`, then POST or PUT with a trailing `?`. Returns the id.
    #[track_caller]
    pub fn provision(&self, person: &Person) -> String {
        let name = person.user_name.replace('@', "%40");
        let found = match_in(&self.client.get(&format!("/Users?filter=userName+eq+%22{name}%22&")));
        if let Some(found) = found {
            let user = id(&found);
            self.update(&user, person, true);
            return user;
        }
        let created = self.client.post("/Users", template(person, true)).resource(201);
        assert_eq!(text(&created, "userName"), person.user_name);
        assert_eq!(created["active"], json!(true), "the string \"true\" is a boolean in the answer");
        id(&created)
    }

    /// Updates the whole user; OneLogin has no other way to deactivate.
    #[track_caller]
    pub fn update(&self, user: &str, person: &Person, active: bool) {
        let updated = self.client.put(&format!("/Users/{user}?"), template(person, active)).resource(200);
        assert_eq!(updated["active"], json!(active));
        assert_eq!(self.read(user)["active"], json!(active));
    }

    /// The user as it is now.
    #[track_caller]
    #[must_use]
    pub fn read(&self, user: &str) -> Value {
        self.client.get(&format!("/Users/{user}?")).resource(200)
    }

    /// Finds a group by reading all of them, or creates it. Returns the id.
    #[track_caller]
    pub fn provision_group(&self, name: &str) -> String {
        let mut start = 1;
        loop {
            let page = self.client.get(&format!("/Groups?startIndex={start}&")).list();
            if let Some(found) = page.resources.iter().find(|group| text(group, "displayName") == name) {
                return id(found);
            }
            start += page.resources.len();
            if page.resources.is_empty() || start as u64 > page.total {
                break;
            }
        }
        let body = format!(
            r#"{{"schemas":["urn:scim:schemas:core:2.0"],"id":null,"displayName":"{name}","meta":{{"resourceType":"Group"}}}}"#
        );
        id(&self.client.post("/Groups", body).resource(201))
    }

    /// Adds one member.
    #[track_caller]
    pub fn add_member(&self, group: &str, user: &str) {
        let body = format!(
            r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{{"op":"add","path":"members","value":[{{"value":"{user}"}}]}}]}}"#
        );
        updated(&self.client.patch(&format!("/Groups/{group}"), body));
    }

    /// The group as it is now.
    #[track_caller]
    #[must_use]
    pub fn read_group(&self, group: &str) -> Value {
        self.client.get(&format!("/Groups/{group}?")).resource(200)
    }

    /// Deletes the user.
    #[track_caller]
    pub fn delete(&self, user: &str) {
        self.client.delete(&format!("/Users/{user}?")).no_content();
    }
}

fn template(person: &Person, active: bool) -> String {
    let Person { given, family, user_name, email, external_id } = person;
    let display = person.display_name();
    format!(
        r#"{{"schemas":["urn:scim:schemas:core:2.0","urn:scim:schemas:extension:enterprise:2.0"],"id":null,
 "userName":"{user_name}","externalId":"{external_id}","displayName":"{display}","active":"{active}",
 "name":{{"familyName":"{family}","givenName":"{given}"}},"emails":[{{"value":"{email}","type":"work","primary":true}}],
 "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{{"department":"Research","manager":{{"managerId":"","displayName":""}}}},
 "meta":{{"resourceType":"User"}}}}"#
    )
}
