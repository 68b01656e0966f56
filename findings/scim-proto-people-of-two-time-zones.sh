#!/usr/bin/env bash
# scim_proto 1.10.4 (crates.io) reads a SCIM user only if the time zone is Brisbane's or Los Angeles's and the locale one
# of five, and loses each certificate.
# RFC 7643, section 4.1.1, has any name of the time zone database as "timezone" and any language tag as "locale", and
# leaves "active" and most of "meta" to the provider. The crate is the one that kanidm, a server of identities, is built
# with, and its test reads the RFC's example, from which one would guess that it reads other users. Its type User has an
# enum of two zones and one of five languages, and asks for "active", "meta.version", an id that is a UUID and a "$ref" in
# each group. Certificates are looked for under "x509certificates", with a small c, and the enterprise extension under no
# name: both are gone without an error. Its type ScimEntry keeps all attributes, and still wants the UUID and the version.
# A client in Rust that is to read any provider should take ScimEntry; a provider reaches it with UUIDs for ids and a
# version in each "meta".
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
scim_proto = "=1.10.4"
serde = "1"
serde_json = "1"
END
cat >src/main.rs <<'END'
use serde_json::{json, Value};

fn tell<T: serde::de::DeserializeOwned + serde::Serialize>(name: &str, user: &Value, part: &str) {
    match serde_json::from_value::<T>(user.clone()).map(|read| serde_json::to_value(read).expect("JSON")) {
        Ok(read) if read.get(part) == user.get(part) => println!("  {name} keeps it"),
        Ok(_) => println!("  {name} loses it"),
        Err(error) => println!("  {name}: {error}"),
    }
}

fn main() {
    let meta = json!({ "resourceType": "User", "created": "2026-11-30T12:00:00Z", "lastModified": "2026-11-30T12:00:00Z",
        "location": "https://example.com/Users/1", "version": "W/\"1\"" });
    let without = json!({ "resourceType": "User", "created": "2026-11-30T12:00:00Z", "lastModified": "2026-11-30T12:00:00Z",
        "location": "https://example.com/Users/1" });
    for (part, value) in [
        ("timezone", json!("Australia/Brisbane")),
        ("timezone", json!("Europe/Berlin")),
        ("locale", json!("en-US")),
        ("locale", json!("fr-FR")),
        ("id", json!("1")),
        ("meta", without),
        ("active", Value::Null),
        ("groups", json!([{ "value": "e9e30dba-f08f-4109-8486-d5c6a331660a", "display": "Clerks" }])),
        ("x509Certificates", json!([{ "value": "MIIB" }])),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", json!({ "department": "Sales" })),
    ] {
        let mut user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "jane", "active": true,
            "id": "2819c223-7f76-453a-919d-413861904646", "meta": meta });
        println!("{part} {}", if value.is_null() { "missing".to_owned() } else { value.to_string() });
        let fields = user.as_object_mut().expect("an object");
        if value.is_null() { fields.remove(part); } else { fields.insert(part.to_owned(), value); }
        tell::<scim_proto::user::User>("User", &user, part);
        tell::<scim_proto::ScimEntry>("ScimEntry", &user, part);
    }
}
END
cargo run --quiet >seen
cat >expected <<'END'
timezone "Australia/Brisbane"
  User keeps it
  ScimEntry keeps it
timezone "Europe/Berlin"
  User: unknown variant `Europe/Berlin`, expected `Australia/Brisbane` or `America/Los_Angeles`
  ScimEntry keeps it
locale "en-US"
  User keeps it
  ScimEntry keeps it
locale "fr-FR"
  User: unknown variant `fr-FR`, expected one of `en`, `en-AU`, `en-US`, `de`, `de-DE`
  ScimEntry keeps it
id "1"
  User: UUID parsing failed: invalid length: found 1
  ScimEntry: UUID parsing failed: invalid length: found 1
meta {"created":"2026-11-30T12:00:00Z","lastModified":"2026-11-30T12:00:00Z","location":"https://example.com/Users/1","resourceType":"User"}
  User: missing field `version`
  ScimEntry: missing field `version`
active missing
  User: missing field `active`
  ScimEntry keeps it
groups [{"display":"Clerks","value":"e9e30dba-f08f-4109-8486-d5c6a331660a"}]
  User: missing field `$ref`
  ScimEntry keeps it
x509Certificates [{"value":"MIIB"}]
  User loses it
  ScimEntry keeps it
urn:ietf:params:scim:schemas:extension:enterprise:2.0:User {"department":"Sales"}
  User loses it
  ScimEntry keeps it
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
