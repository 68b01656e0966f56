//! Users and groups that a test needs before it begins.

use serde_json::{Value, json};

use crate::client::Client;
use crate::person::Person;
use crate::scim::{GROUP, USER, id, text};

/// The request that creates a person with the attributes that every identity provider sends.
#[must_use]
pub fn user_request(person: &Person) -> Value {
    json!({
        "schemas": [USER],
        "userName": person.user_name,
        "externalId": person.external_id,
        "name": { "givenName": person.given, "familyName": person.family },
        "displayName": person.display_name(),
        "emails": [{ "value": person.email, "type": "work", "primary": true }],
        "active": true,
    })
}

/// Creates a person and returns the resource.
#[track_caller]
pub fn user(client: &Client, person: &Person) -> Value {
    client.post("/Users", user_request(person)).resource(201)
}

/// Creates a new person whose names begin with the text, and returns the resource.
#[track_caller]
pub fn someone(client: &Client, text: &str) -> Value {
    user(client, &Person::new(text))
}

/// Creates this number of people and returns their ids, in the order of creation.
#[track_caller]
pub fn people(client: &Client, text: &str, count: usize) -> Vec<String> {
    let people: Vec<Value> = (0..count).map(|_| someone(client, text)).collect();
    by_creation(&people)
}

/// The ids of the resources in the order of creation. Resources of the same millisecond are in the order of their ids.
#[must_use]
pub fn by_creation(resources: &[Value]) -> Vec<String> {
    let mut keys: Vec<(String, String)> =
        resources.iter().map(|resource| (text(&resource["meta"], "created"), id(resource))).collect();
    keys.sort();
    keys.into_iter().map(|(_, id)| id).collect()
}

/// Creates a group of these members and returns the resource.
#[track_caller]
pub fn group(client: &Client, name: &str, members: &[String]) -> Value {
    let members: Vec<Value> = members.iter().map(|member| json!({ "value": member })).collect();
    client.post("/Groups", json!({ "schemas": [GROUP], "displayName": name, "members": members })).resource(201)
}
