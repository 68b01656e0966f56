//! The meaning of filters: rule by rule, and compared with an independent evaluator.

mod agreement;
mod grammar;
mod meaning;

use serde_json::{Value, json};

use super::Filter;
use crate::protocol::document::Document;
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::mode::Mode;
use crate::protocol::schema::{ResourceSchema, SchemaTable};

fn users() -> ResourceSchema<'static> {
    SchemaTable::builtin().resource("User").unwrap()
}

fn groups() -> ResourceSchema<'static> {
    SchemaTable::builtin().resource("Group").unwrap()
}

fn parse(text: &str) -> Filter {
    Filter::parse(&users(), &[], text, Mode::COMPAT).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str, mode: Mode<'_>) -> ScimError {
    match Filter::parse(&users(), &[], text, mode) {
        Ok(filter) => panic!("{text} was read as {filter}"),
        Err(error) => error,
    }
}

fn is_refused(text: &str) {
    for mode in [Mode::COMPAT, Mode::STRICT] {
        let error = refusal(text, mode);
        assert_eq!((error.status, error.scim_type), (400, Some(ScimType::InvalidFilter)), "{text}: {error}");
    }
}

fn document(value: Value) -> Document {
    match value {
        Value::Object(document) => document,
        other => panic!("{other} is no document"),
    }
}

fn barbara() -> Document {
    document(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User",
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
        "id": "2819c223-7f76-453a-919d-413861904646",
        "externalId": "0a21F0f2",
        "userName": "bJensen@Example.com",
        "name": {"familyName": "O'Malley", "givenName": "Barbara"},
        "displayName": "Babs",
        "title": "Tour \"Guide\" \\ Boss",
        "userType": "Employee",
        "active": true,
        "emails": [
            {"value": "bjensen@example.com", "type": "work", "primary": true},
            {"value": "babs@jensen.org", "type": "home"}
        ],
        "roles": [{"value": "Admin", "primary": true}],
        "meta": {"resourceType": "User", "created": "2010-01-23T04:56:22Z", "lastModified": "2011-05-13T04:42:34Z"},
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": "1234567", "department": "Tours",
            "manager": {"value": "26118915-6090-4610-87e4-49d8ca9f808d", "$ref": "../Users/26118915"}
        }
    }))
}

fn matches(text: &str) -> bool {
    parse(text).matches(&barbara())
}
