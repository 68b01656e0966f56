//! Google Workspace: users only, with a SCIM 1.0 schema beside the right one.

use serde_json::{Value, json};

use super::match_in;
use crate::client::{Client, encode};
use crate::person::Person;
use crate::scim::{id, text};
use crate::server::Connector;

/// One autoprovisioning application.
pub struct Google {
    client: Client,
}

impl Google {
    /// An application for this connector.
    #[must_use]
    pub fn new(connector: &Connector) -> Self {
        let client = Client::bare(&connector.url)
            .header("Authorization", &format!("Bearer {}", connector.token))
            .header("Accept", "*/*")
            .content_type("application/json; charset=UTF-8");
        Self { client }
    }

    /// The probe that runs every few hours.
    #[track_caller]
    pub fn probe(&self) {
        let page = self.client.get("/Users?count=1").list();
        assert!(page.resources.len() <= 1, "count=1 was asked for");
        let _ = self.client.get("/Users").list();
    }

    /// Provisions a person: filter, then POST. Returns the id.
    #[track_caller]
    pub fn provision(&self, person: &Person) -> String {
        if let Some(found) = self.find(person) {
            return id(&found);
        }
        let Person { given, family, user_name, email, .. } = person;
        let body = format!(
            r#"{{"schemas":["urn:scim:schemas:core:1.0","urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"{user_name}","emails":[{{"primary":true,"value":"{email}","type":"work"}}],"displayName":"{given} {family}","name":{{"givenName":"{given}","familyName":"{family}","formatted":"{given} {family}"}},"active":true}}"#
        );
        let created = self.client.post("/Users", body).resource(201);
        assert_eq!(text(&created, "userName"), person.user_name);
        assert_eq!(created["emails"][0]["value"], json!(person.email));
        id(&created)
    }

    /// Suspends the user.
    #[track_caller]
    pub fn suspend(&self, user: &str) {
        let mut whole = self.read(user);
        whole["active"] = json!(false);
        let updated = self.client.put(&format!("/Users/{user}"), &whole).resource(200);
        assert_eq!(updated["active"], json!(false));
    }

    /// The user as it is now.
    #[track_caller]
    #[must_use]
    pub fn read(&self, user: &str) -> Value {
        self.client.get(&format!("/Users/{user}")).resource(200)
    }

    /// Looks a person up.
    #[track_caller]
    #[must_use]
    pub fn find(&self, person: &Person) -> Option<Value> {
        let filter = encode(&format!("userName eq \"{}\"", person.user_name));
        match_in(&self.client.get(&format!("/Users?filter={filter}&startIndex=1")))
    }

    /// Deletes the user after the delay that the admin has set.
    #[track_caller]
    pub fn delete(&self, user: &str) {
        self.client.delete(&format!("/Users/{user}")).no_content();
    }
}
