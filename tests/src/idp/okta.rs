//! The common behaviour of all kinds of Okta applications: transport, match, create, profile push by PUT, import.

use serde_json::{Value, json};

use super::match_in;
use crate::client::{Client, encode};
use crate::person::{Person, guid};
use crate::scim::{id, text};
use crate::server::Connector;

/// Okta's page size.
const PAGE: usize = 100;

/// One application.
pub struct Okta {
    client: Client,
}

impl Okta {
    /// An application for this connector, with the headers of Okta's SCIM client.
    #[must_use]
    pub fn new(connector: &Connector) -> Self {
        let client = Client::bare(&connector.url)
            .header("Authorization", &format!("Bearer {}", connector.token))
            .header("Accept", "application/scim+json")
            .header("Accept-Charset", "utf-8")
            .header("Content-Type", "application/scim+json; charset=utf-8")
            .header("User-Agent", "Okta SCIM Client 1.0.0")
            .header("Accept-Encoding", "gzip,deflate")
            .header("Connection", "Keep-Alive");
        Self { client }
    }

    /// The client, for requests that only one kind of application sends.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// *Test API Credentials*.
    #[track_caller]
    pub fn test_credentials(&self) {
        let users = self.client.get("/Users?startIndex=1&count=2").list();
        assert!(users.resources.len() <= 2, "count=2 was asked for");
        let groups = self.client.get("/Groups?startIndex=1&count=100").list();
        assert!(groups.resources.len() <= PAGE, "count=100 was asked for");
    }

    /// Looks a person up by userName.
    #[track_caller]
    #[must_use]
    pub fn find(&self, person: &Person) -> Option<Value> {
        let filter = encode(&format!("userName eq \"{}\"", person.user_name));
        match_in(&self.client.get(&format!("/Users?filter={filter}&startIndex=1&count=100")))
    }

    /// Assigns a person: a match is linked and brought up to date by PUT, else the user is created. Returns the id.
    #[track_caller]
    pub fn assign(&self, person: &Person) -> String {
        if let Some(found) = self.find(person) {
            return self.link(&found, person);
        }
        let response = self.client.post("/Users", create_request(person));
        if response.status == 409 {
            response.refusal(409, "uniqueness");
            let found = self.find(person);
            return found
                .map_or_else(|| response.fail("409, but there is no match"), |found| self.link(&found, person));
        }
        let created = response.resource(201);
        assert_eq!(text(&created, "userName"), person.user_name);
        assert_eq!(created["active"], json!(true));
        assert!(created.get("password").is_none(), "the password came back: {created}");
        id(&created)
    }

    /// Pushes a changed profile: reads the user, merges, and PUTs the whole representation.
    #[track_caller]
    pub fn push_profile(&self, user: &str, change: impl FnOnce(&mut Value)) -> Value {
        let mut merged = self.read(user);
        // Okta's own merge leaves these members in the body, whether or not the service provider uses them.
        merged["name"]["middleName"] = json!("");
        if let Some(emails) = merged["emails"].as_array_mut() {
            for email in emails {
                email["display"] = email["value"].clone();
            }
        }
        change(&mut merged);
        let updated = self.client.put(&format!("/Users/{user}"), &merged).resource(200);
        assert_eq!(id(&updated), user);
        updated
    }

    /// The user as it is now; `active` has to be there.
    #[track_caller]
    #[must_use]
    pub fn read(&self, user: &str) -> Value {
        let response = self.client.get(&format!("/Users/{user}"));
        let read = response.resource(200);
        if !read["active"].is_boolean() {
            response.fail("active is missing: Okta would try to reactivate for ever");
        }
        read
    }

    /// Imports all users: pages of 100 until `totalResults` is reached. Returns their ids.
    #[track_caller]
    #[must_use]
    pub fn import_users(&self) -> Vec<String> {
        self.import("/Users")
    }

    /// Imports all groups.
    #[track_caller]
    #[must_use]
    pub fn import_groups(&self) -> Vec<String> {
        self.import("/Groups")
    }

    /// Looks a group up by name.
    #[track_caller]
    #[must_use]
    pub fn find_group(&self, name: &str) -> Option<Value> {
        let filter = encode(&format!("displayName eq \"{name}\""));
        match_in(&self.client.get(&format!("/Groups?filter={filter}&startIndex=1&count=100")))
    }

    /// Pushes a group that is still empty: matches it or creates it. Returns the id.
    #[track_caller]
    pub fn push_group(&self, name: &str) -> String {
        if let Some(found) = self.find_group(name) {
            return id(&found);
        }
        let body = format!(
            r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"{name}","members":[]}}"#
        );
        let created = self.client.post("/Groups", body).resource(201);
        assert_eq!(text(&created, "displayName"), name);
        id(&created)
    }

    /// The group as it is now, with its members.
    #[track_caller]
    #[must_use]
    pub fn read_group(&self, group: &str) -> Value {
        self.client.get(&format!("/Groups/{group}")).resource(200)
    }

    /// *Unlink and delete*.
    #[track_caller]
    pub fn delete_group(&self, group: &str) {
        self.client.delete(&format!("/Groups/{group}")).no_content();
    }

    #[track_caller]
    fn link(&self, found: &Value, person: &Person) -> String {
        let user = id(found);
        let linked = self.push_profile(&user, |merged| {
            merged["externalId"] = json!(person.external_id);
            merged["active"] = json!(true);
        });
        assert_eq!(linked["active"], json!(true), "a linked user must be active again");
        user
    }

    #[track_caller]
    fn import(&self, endpoint: &str) -> Vec<String> {
        let mut ids = Vec::new();
        loop {
            let page = self.client.get(&format!("{endpoint}?startIndex={}&count={PAGE}", ids.len() + 1)).list();
            ids.extend(page.ids());
            if page.resources.is_empty() || ids.len() as u64 >= page.total {
                return ids;
            }
        }
    }
}

fn create_request(person: &Person) -> String {
    let Person { given, family, user_name, email, .. } = person;
    let display = person.display_name();
    let external = guid().replace('-', "");
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"{user_name}",
 "name":{{"givenName":"{given}","familyName":"{family}"}},
 "emails":[{{"primary":true,"value":"{email}","type":"work"}}],
 "displayName":"{display}","locale":"en-US","externalId":"{external}","groups":[],"password":"1mz050nq","active":true}}"#
    )
}
