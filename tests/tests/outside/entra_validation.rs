//! The tests that Microsoft's validation of an Entra gallery application sends to the SCIM endpoint (version 5 of
//! August 2026). Each has the words of its description, and uses the attributes that Entra maps by default.

use std::collections::BTreeSet;

use insomnia_scim_tests::client::{Client, encode};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{ENTERPRISE, GROUP, PATCH, USER, id};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::shared;
use serde_json::{Map, Value, json};

/// What Entra maps of a user by default, but for `active` and the references.
const OF_USER: [&str; 21] = [
    "userName",
    "externalId",
    "displayName",
    "title",
    "preferredLanguage",
    "name.givenName",
    "name.familyName",
    "name.formatted",
    "emails[type eq \"work\"].value",
    "addresses[type eq \"work\"].formatted",
    "addresses[type eq \"work\"].streetAddress",
    "addresses[type eq \"work\"].locality",
    "addresses[type eq \"work\"].region",
    "addresses[type eq \"work\"].postalCode",
    "addresses[type eq \"work\"].country",
    "phoneNumbers[type eq \"work\"].value",
    "phoneNumbers[type eq \"mobile\"].value",
    "phoneNumbers[type eq \"fax\"].value",
    "roles[primary eq \"True\"].value",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
];

/// What of these may be empty, and is not a role.
fn optional() -> impl Iterator<Item = &'static str> {
    OF_USER.into_iter().filter(|name| !["userName", "externalId"].contains(name) && !name.starts_with("roles"))
}

/// The clients of an organization in either mode.
fn clients() -> [Client; 2] {
    [shared().client(), shared().organization_with("strict").client()]
}

/// The names of an administrator's attribute list, from those of a schema: references are left out.
fn flattened(client: &Client, urn: &str) -> BTreeSet<String> {
    let schema = client.get(&format!("/Schemas/{urn}")).document(200);
    let prefix = if urn == ENTERPRISE { format!("{urn}:") } else { String::new() };
    let mut names = BTreeSet::new();
    for attribute in schema["attributes"].as_array().expect("attributes") {
        let name = attribute["name"].as_str().expect("a name");
        let subs: Vec<&Value> = attribute["subAttributes"].as_array().into_iter().flatten().collect();
        let is_reference = |attribute: &Value| attribute["type"] == json!("reference");
        if ["manager", "members"].contains(&name) || (subs.is_empty() && !is_reference(attribute)) {
            names.insert(format!("{prefix}{name}"));
            continue;
        }
        let types = subs.iter().find(|sub| sub["name"] == json!("type")).map(|sub| &sub["canonicalValues"]);
        let types: Vec<&str> =
            types.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        for sub in subs.iter().filter(|sub| !is_reference(sub)) {
            let sub = sub["name"].as_str().expect("a name");
            if attribute["multiValued"] != json!(true) {
                names.insert(format!("{prefix}{name}.{sub}"));
            } else if types.is_empty() {
                names.insert(format!("{prefix}{name}[primary eq \"True\"].{sub}"));
            }
            names.extend(types.iter().map(|kind| format!("{prefix}{name}[type eq \"{kind}\"].{sub}")));
        }
    }
    names
}

/// The value at such a name; null if there is none.
fn at(resource: &Value, name: &str) -> Value {
    let (container, name) = match name.strip_prefix(&format!("{ENTERPRISE}:")) {
        Some(name) => (&resource[ENTERPRISE], name),
        None => (resource, name),
    };
    let Some((attribute, rest)) = name.split_once('[') else {
        return name.split('.').fold(container, |value, part| &value[part]).clone();
    };
    let (filter, sub) = rest.split_once("].").expect("a sub-attribute");
    let kind = filter.split('"').nth(1).expect("a label");
    let is_meant = |value: &&Value| match filter.starts_with("type") {
        true => value["type"] == json!(kind),
        false => value["primary"] == json!(true),
    };
    let values = container[attribute].as_array().into_iter().flatten();
    values.into_iter().find(is_meant).map_or(Value::Null, |value| value[sub].clone())
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// One PATCH with an operation for each, or without paths.
fn replace(values: &[(&str, Value)], with_paths: bool) -> Value {
    let operation = |(name, value): &(&str, Value)| json!({ "op": "replace", "path": name, "value": value });
    let operations: Vec<Value> = if with_paths {
        values.iter().map(operation).collect()
    } else {
        let (typed, plain): (Vec<_>, Vec<_>) = values.iter().cloned().partition(|(name, _)| name.contains('['));
        let plain: Map<String, Value> = plain.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        typed.iter().map(operation).chain([json!({ "op": "replace", "value": plain })]).collect()
    };
    json!({ "schemas": [PATCH], "Operations": operations })
}

fn full_user(person: &Person) -> Value {
    let mut user = seed::user_request(person);
    user["title"] = json!("Engineer");
    user["preferredLanguage"] = json!("en");
    user["name"]["formatted"] = json!(person.display_name());
    user["addresses"] = json!([{ "type": "work", "formatted": "1 Main St", "streetAddress": "1 Main St",
        "locality": "Springfield", "region": "IL", "postalCode": "62701", "country": "US" }]);
    user["phoneNumbers"] =
        json!([{ "type": "work", "value": "1" }, { "type": "mobile", "value": "2" }, { "type": "fax", "value": "3" }]);
    user["schemas"] = json!([USER, ENTERPRISE]);
    user[ENTERPRISE] = json!({ "employeeNumber": "7", "department": "R&D" });
    user
}

#[test]
fn entra_schema_discoverability_every_mapped_attribute_is_in_the_schemas() {
    for client in clients() {
        let mut known = flattened(&client, USER);
        known.extend(flattened(&client, ENTERPRISE));
        for name in OF_USER.into_iter().chain(["active"]) {
            assert!(known.contains(name), "{name} is not in {known:#?}");
        }
        assert!(known.contains(&format!("{ENTERPRISE}:manager")));
        let known = flattened(&client, GROUP);
        for name in ["displayName", "externalId", "members"] {
            assert!(known.contains(name), "{name} is not in {known:#?}");
        }
    }
}

#[test]
fn entra_scim_null_update_empty_strings_and_nulls_clear_every_attribute() {
    // Strict mode takes a path as the name of an attribute in no value, and creates nothing where a filter matches nothing.
    let client = shared().client();
    for with_paths in [true, false] {
        let user = client.post("/Users", full_user(&Person::new("null.update"))).resource(201);
        assert!(optional().all(|name| !is_empty(&at(&user, name))), "{user}");
        let path = format!("/Users/{}", id(&user));
        for empty in [json!(""), Value::Null] {
            let values: Vec<(&str, Value)> = optional().map(|name| (name, empty.clone())).collect();
            client.patch(&path, replace(&values, with_paths)).is(200);
            let read = client.get(&path).resource(200);
            let left: Vec<&str> = optional().filter(|name| !is_empty(&at(&read, name))).collect();
            assert!(left.is_empty(), "{left:?} of {read}");
        }
    }
}

#[test]
fn entra_scim_user_create_and_group_create_return_what_was_sent() {
    for client in clients() {
        let person = Person::new("Create.User");
        let user = client.post("/Users", full_user(&person)).resource(201);
        assert_eq!(user["userName"], json!(person.user_name));
        let name = unique("Create Group");
        let body = json!({ "schemas": [GROUP], "displayName": name, "externalId": unique("id"), "members": [] });
        assert_eq!(client.post("/Groups", body).resource(201)["displayName"], json!(name));
    }
}

#[test]
fn entra_scim_user_update_sets_every_single_valued_attribute_in_one_patch() {
    for with_paths in [true, false] {
        let client = shared().client();
        let user = client.post("/Users", full_user(&Person::new("update"))).resource(201);
        let path = format!("/Users/{}", id(&user));
        let names = OF_USER.into_iter().filter(|name| !name.starts_with("roles"));
        let values: Vec<(&str, Value)> = names.map(|name| (name, json!(unique("upd")))).collect();
        client.patch(&path, replace(&values, with_paths)).is(200);
        let read = client.get(&path).resource(200);
        for (name, value) in &values {
            assert_eq!(&at(&read, name), value, "{name} of {read}");
        }
    }
}

#[test]
fn entra_scim_group_update_sets_every_single_valued_attribute_in_one_patch() {
    for client in clients() {
        let path = format!("/Groups/{}", id(&seed::group(&client, &unique("update"), &[])));
        let values = [("displayName", json!(unique("upd"))), ("externalId", json!(unique("upd")))];
        for with_paths in [true, false] {
            client.patch(&path, replace(&values, with_paths)).is(200);
            let read = client.get(&path).resource(200);
            assert!(values.iter().all(|(name, value)| &read[name] == value), "{read}");
        }
    }
}

#[test]
fn entra_scim_user_and_group_pagination_echo_the_start_index() {
    for client in clients() {
        seed::people(&client, "page", 11);
        (0..11).for_each(|_| drop(seed::group(&client, &unique("page"), &[])));
        for endpoint in ["Users", "Groups"] {
            for page in 0..3 {
                let start = page * 5 + 1;
                let list = client.get(&format!("/{endpoint}?startIndex={start}&count=5")).list();
                assert_eq!(list.start, start, "{endpoint}");
                assert_eq!(list.resources.len(), if page < 2 { 5 } else { list.resources.len().min(5) });
            }
        }
    }
}

#[test]
fn entra_scim_update_manager_sets_changes_and_removes_it() {
    let client = shared().client();
    let ids = seed::people(&client, "manager", 3);
    let path = format!("/Users/{}", ids[0]);
    let manager = format!("{ENTERPRISE}:manager");
    for (op, value, expected) in
        [("add", ids[1].as_str(), json!(ids[1])), ("replace", &ids[2], json!(ids[2])), ("replace", "", Value::Null)]
    {
        let body = json!({ "schemas": [PATCH], "Operations": [{ "op": op, "path": manager, "value": value }] });
        client.patch(&path, body).is(200);
        assert_eq!(client.get(&path).resource(200)[ENTERPRISE]["manager"]["value"], expected);
    }
}

#[test]
fn entra_validate_credentials_a_token_lives_from_60_to_360_minutes_and_is_accepted() {
    let server = shared();
    let connector = server.another_organization(&unique("credentials"));
    let organization = connector.organization.as_str();
    let issued =
        server.command(&["oauth-client", "create", "Entra", "--organization", organization, "--client-credentials"]);
    let text = |name: &str| issued[name].as_str().unwrap_or_else(|| panic!("{name} of {issued}")).to_owned();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=scim",
        encode(&text("client_id")),
        encode(&text("client_secret"))
    );
    let server_url = format!("http://{}/oauth/{organization}", server.authority());
    let authorization_server = Client::bare(&server_url).content_type("application/x-www-form-urlencoded");
    let granted = authorization_server.post("/token", form).is(200).json();
    let minutes = granted["expires_in"].as_u64().expect("seconds") / 60;
    assert!((60..=360).contains(&minutes), "{granted}");
    let token = granted["access_token"].as_str().expect("a token");
    let list = Client::new(&connector.url, token).get("/Users?startIndex=1&count=1").list();
    assert_eq!(list.start, 1);
}
