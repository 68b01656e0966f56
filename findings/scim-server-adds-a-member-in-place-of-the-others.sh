#!/usr/bin/env bash
# scim-server 0.5.3 (crates.io) adds a member to a group by taking out all others, and can't remove one.
# RFC 7644, section 3.5.2.1, has "add" append to an attribute with several values, and section 3.5.2.2 has a "remove" with
# members[value eq "…"], which is how Okta takes somebody out. The crate's documentation promises the RFC's "add" and
# names emails[type eq "work"].value among its paths, so one would guess that these are what it was tried with. An "add"
# with a path sets the value, and is answered with success. Each path with a bracket is refused as invalid, as an internal
# error. A path is divided at its points, those of a URN included, so that the department goes to an attribute that is
# called "urn:…:enterprise:2", and the person keeps the old one. MEMBERS, in other letters, removes nothing. A "replace"
# of the name with a given name only takes the family name out. Who builds on the crate should apply PATCH himself to
# what get_resource gives, and write it with update_resource.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'END'
[package]
name = "seen"
version = "0.0.0"
edition = "2021"
[profile.dev]
debug = false
[dependencies]
scim-server = "=0.5.3"
serde_json = "1"
tokio = { version = "1", features = ["rt", "macros"] }
END
cat >src/main.rs <<'END'
use scim_server::{providers::StandardResourceProvider, storage::InMemoryStorage, RequestContext, ResourceProvider};
use serde_json::{json, Value};

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), without_nulls(value))).collect(),
        Value::Array(elements) => elements.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let provider = StandardResourceProvider::new(InMemoryStorage::new());
    let context = RequestContext::new("request".to_owned());
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let members = json!({ "members": [{ "value": "1" }, { "value": "2" }] });
    let name = json!({ "name": { "givenName": "Jane", "familyName": "Doe" } });
    let emails = json!({ "emails": [{ "type": "work", "value": "jane@example.com" }] });
    let department = json!({ enterprise: { "department": "Sales" } });
    for (number, (kind, before, operation)) in [
        ("Group", &members, json!({ "op": "add", "path": "members", "value": [{ "value": "3" }] })),
        ("Group", &members, json!({ "op": "remove", "path": "members[value eq \"2\"]" })),
        ("Group", &members, json!({ "op": "remove", "path": "MEMBERS" })),
        ("User", &emails, json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "ann@example.com" })),
        ("User", &department, json!({ "op": "replace", "path": format!("{enterprise}:department"), "value": "Legal" })),
        ("User", &name, json!({ "op": "replace", "path": "name", "value": { "givenName": "Ann" } })),
    ]
    .into_iter()
    .enumerate()
    {
        let mut data = before.clone();
        data["schemas"] = json!([format!("urn:ietf:params:scim:schemas:core:2.0:{kind}")]);
        data[if kind == "User" { "userName" } else { "displayName" }] = json!(format!("number {number}"));
        let made = provider.create_resource(kind, data, &context).await.expect("created");
        let id = made.resource().get_id().expect("an id").to_owned();
        let patch = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [&operation] });
        println!("{before} and {operation}");
        match provider.patch_resource(kind, &id, &patch, None, &context).await {
            Ok(changed) => {
                let mut after = changed.resource().to_json().expect("JSON");
                let known = ["id", "meta", "schemas", "userName", "displayName"];
                after.as_object_mut().expect("an object").retain(|name, _| !known.contains(&name.as_str()));
                println!("  give {}", without_nulls(&after));
            }
            Err(error) => println!("  are refused: {error}"),
        }
    }
}
END
cargo run --quiet >seen
cat >expected <<'END'
{"members":[{"value":"1"},{"value":"2"}]} and {"op":"add","path":"members","value":[{"value":"3"}]}
  give {"members":[{"value":"3"}]}
{"members":[{"value":"1"},{"value":"2"}]} and {"op":"remove","path":"members[value eq \"2\"]"}
  are refused: Internal error: Invalid SCIM path: members[value eq "2"]
{"members":[{"value":"1"},{"value":"2"}]} and {"op":"remove","path":"MEMBERS"}
  give {"members":[{"value":"1"},{"value":"2"}]}
{"emails":[{"type":"work","value":"jane@example.com"}]} and {"op":"replace","path":"emails[type eq \"work\"].value","value":"ann@example.com"}
  are refused: Internal error: Invalid SCIM path: emails[type eq "work"].value
{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"}} and {"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Legal"}
  give {"urn:ietf:params:scim:schemas:extension:enterprise:2":{"0:User:department":"Legal"},"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"}}
{"name":{"familyName":"Doe","givenName":"Jane"}} and {"op":"replace","path":"name","value":{"givenName":"Ann"}}
  give {"name":{"givenName":"Ann"}}
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
