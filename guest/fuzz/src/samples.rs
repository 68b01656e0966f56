//! Resources to try filters, paths and PATCH on.

use insomnia_scim_guest::protocol::document::Document;
use insomnia_scim_guest::protocol::mode::Mode;
use insomnia_scim_guest::protocol::schema::{ResourceSchema, SchemaTable};
use serde_json::{Value, json};

/// Both modes.
pub const MODES: [Mode<'static>; 2] = [Mode::COMPAT, Mode::STRICT];

/// The built-in type of this name.
pub fn schema(name: &str) -> ResourceSchema<'static> {
    SchemaTable::builtin().resource(name).expect("a built-in type")
}

/// A user with something of every kind.
pub fn user() -> Document {
    document(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User",
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
        "id": "2819c223-7f76-453a-919d-413861904646",
        "externalId": "0a21F0f2",
        "userName": "bJensen@Example.com",
        "name": {"familyName": "Jensen", "givenName": "Barbara"},
        "displayName": "Babs",
        "title": "Tour \"Guide\"",
        "active": true,
        "emails": [
            {"value": "bjensen@example.com", "type": "work", "primary": true},
            {"value": "babs@jensen.org", "type": "home"}
        ],
        "addresses": [{"type": "work", "locality": "Hollywood", "country": "US"}],
        "roles": [{"value": "Admin", "primary": true}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": "1234567", "department": "Tours",
            "manager": {"value": "26118915-6090-4610-87e4-49d8ca9f808d"}
        }
    }))
}

/// The user as it is shown: with what only the server sets.
pub fn shown_user() -> Document {
    let mut user = user();
    user.insert("password".into(), "never shown".into());
    user.insert("groups".into(), json!([{"value": "1", "display": "Crew", "type": "direct"}]));
    let meta = json!({"resourceType": "User", "created": "2010-01-23T04:56:22Z", "lastModified": "2011-05-13T04:42:34Z",
        "version": "W/\"1\""});
    user.insert("meta".into(), meta);
    user
}

/// A group.
pub fn group() -> Document {
    document(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": "e9e30dba-f08f-4109-8486-d5c6a331660a",
        "displayName": "Tour Guides",
    }))
}

fn document(value: Value) -> Document {
    match value {
        Value::Object(document) => document,
        other => panic!("{other} is no document"),
    }
}
