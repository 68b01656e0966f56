//! Expectations on SCIM responses (RFC 7644 §3.12, §3.4.2).

use std::fmt::Display;

use serde_json::Value;

use crate::client::{Response, SCIM_JSON};

/// The schema of a list (RFC 7644 §3.4.2).
pub const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The schema of an error (RFC 7644 §3.12).
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// The schema of a PATCH request (RFC 7644 §3.5.2).
pub const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// The schema of a query by POST (RFC 7644 §3.4.3).
pub const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// The schema of a bulk request (RFC 7644 §3.7).
pub const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The schema of a user (RFC 7643 §4.1).
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of a group (RFC 7643 §4.2).
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The enterprise extension of a user (RFC 7643 §4.3).
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The extension of a user with what Insomnia says about a member.
pub const INSOMNIA: &str = "urn:insomnia:params:scim:schemas:extension:1.0:User";

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page {
    /// How many resources match in all.
    pub total: u64,
    /// The 1-based index of the first resource on the page.
    pub start: u64,
    /// The resources on the page.
    pub resources: Vec<Value>,
    /// The whole document.
    pub document: Value,
}

impl Page {
    /// The ids on the page, in its order.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.resources.iter().map(id).collect()
    }

    /// A top-level string attribute of every resource on the page, in its order.
    #[must_use]
    pub fn each(&self, attribute: &str) -> Vec<String> {
        self.resources.iter().map(|resource| text(resource, attribute)).collect()
    }
}

impl Response {
    /// Expects a status.
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "the status is not {status}\n{self}");
        self
    }

    /// Expects a JSON body and reads it.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("the body is not JSON: {error}\n{self}"),
        }
    }

    /// Expects the properties of every SCIM response with a body: the SCIM media type, a request id, no nulls.
    #[track_caller]
    pub fn document(&self, status: u16) -> Value {
        self.is(status);
        self.media_type();
        self.request_id();
        let value = self.json();
        if let Some(path) = null_in(&value, String::new()) {
            self.fail(format_args!("{path} is null"));
        }
        value
    }

    /// Expects a whole resource: `id`, `schemas`, and a `meta` that agrees with the headers.
    #[track_caller]
    pub fn resource(&self, status: u16) -> Value {
        let value = self.document(status);
        if value["id"].as_str().is_none_or(str::is_empty) {
            self.fail("it has no id");
        }
        if value["schemas"].as_array().is_none_or(Vec::is_empty) {
            self.fail("it has no schemas");
        }
        let meta = &value["meta"];
        for name in ["resourceType", "created", "lastModified", "location"] {
            if !meta[name].is_string() {
                self.fail(format_args!("it has no meta.{name}"));
            }
        }
        if !meta["location"].as_str().is_some_and(|location| location.ends_with(&format!("/{}", id(&value)))) {
            self.fail("meta.location does not end with its id");
        }
        if status == 201 && self.header("Location") != meta["location"].as_str() {
            self.fail("Location is not meta.location");
        }
        if let Some(etag) = self.header("ETag")
            && meta["version"].as_str() != Some(etag)
        {
            self.fail("ETag is not meta.version");
        }
        value
    }

    /// Expects a list: exact member types, and `itemsPerPage` the number of resources on the page.
    #[track_caller]
    #[must_use]
    pub fn list(&self) -> Page {
        let document = self.document(200);
        if document["schemas"] != serde_json::json!([LIST]) {
            self.fail("schemas is not that of a ListResponse");
        }
        let number = |name: &str| match document[name].as_u64() {
            Some(number) => number,
            None => panic!("{name} is not an integer\n{self}"),
        };
        let (total, start, on_page) = (number("totalResults"), number("startIndex"), number("itemsPerPage"));
        let Some(resources) = document["Resources"].as_array().cloned() else {
            panic!("Resources is not an array\n{self}");
        };
        if on_page != resources.len() as u64 {
            self.fail("itemsPerPage is not the number of resources on the page");
        }
        if total < on_page {
            self.fail("totalResults is less than what is on the page");
        }
        Page { total, start, resources, document }
    }

    /// Expects a list of exactly one resource.
    #[track_caller]
    #[must_use]
    pub fn only(&self) -> Value {
        let page = self.list();
        if page.total != 1 || page.resources.len() != 1 {
            self.fail("it is not exactly one resource");
        }
        page.resources[0].clone()
    }

    /// Expects an empty list.
    #[track_caller]
    pub fn none(&self) {
        if self.list().total != 0 {
            self.fail("it is not empty");
        }
    }

    /// Expects a SCIM error with this status and any `scimType`, or none.
    #[track_caller]
    pub fn error(&self, status: u16) -> Value {
        self.is(status);
        self.media_type();
        self.request_id();
        let error = self.json();
        if error["schemas"] != serde_json::json!([ERROR]) {
            self.fail("schemas is not that of an Error");
        }
        if error["status"].as_str() != Some(status.to_string().as_str()) {
            self.fail("status in the body is not the status as a string");
        }
        if error["detail"].as_str().is_none_or(str::is_empty) {
            self.fail("it has no detail");
        }
        error
    }

    /// Expects a SCIM error with this `scimType`.
    #[track_caller]
    pub fn refusal(&self, status: u16, scim_type: &str) -> Value {
        let error = self.error(status);
        if error["scimType"].as_str() != Some(scim_type) {
            self.fail(format_args!("scimType is not {scim_type}"));
        }
        error
    }

    /// Expects 204 without a body.
    #[track_caller]
    pub fn no_content(&self) {
        self.is(204);
        self.request_id();
        if !self.body.is_empty() {
            self.fail("there is a body");
        }
    }

    /// Fails the test with the whole exchange.
    #[track_caller]
    pub fn fail(&self, why: impl Display) -> ! {
        panic!("{why}\n{self}")
    }

    #[track_caller]
    fn media_type(&self) {
        let sent = self.header("Content-Type").unwrap_or_default();
        let bare = sent.split(';').next().unwrap_or_default().trim();
        if !bare.eq_ignore_ascii_case(SCIM_JSON) {
            self.fail(format_args!("the media type is not {SCIM_JSON}"));
        }
    }

    #[track_caller]
    fn request_id(&self) {
        if self.header("X-Request-Id").is_none_or(str::is_empty) {
            self.fail("there is no X-Request-Id");
        }
    }
}

/// The `id` of a resource.
#[track_caller]
#[must_use]
pub fn id(resource: &Value) -> String {
    text(resource, "id")
}

/// A string attribute of a resource.
#[track_caller]
#[must_use]
pub fn text(resource: &Value, attribute: &str) -> String {
    match resource[attribute].as_str() {
        Some(value) => value.to_owned(),
        None => panic!("{attribute} is not a string in {resource}"),
    }
}

/// The ids of a group's members, sorted.
#[must_use]
pub fn members(group: &Value) -> Vec<String> {
    let mut ids: Vec<String> =
        group["members"].as_array().into_iter().flatten().map(|member| text(member, "value")).collect();
    ids.sort();
    ids
}

/// The ids, sorted, to be compared with [`members`].
#[must_use]
pub fn sorted<'a>(ids: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut sorted: Vec<String> = ids.into_iter().cloned().collect();
    sorted.sort();
    sorted
}

/// A PATCH request (RFC 7644 §3.5.2) of these operations.
#[must_use]
pub fn patch(operations: Value) -> Value {
    let operations = if operations.is_array() { operations } else { Value::Array(vec![operations]) };
    serde_json::json!({ "schemas": [PATCH], "Operations": operations })
}

fn null_in(value: &Value, path: String) -> Option<String> {
    match value {
        Value::Null => Some(path),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| null_in(item, format!("{path}[{index}]")))
        }
        Value::Object(object) => object.iter().find_map(|(name, item)| null_in(item, format!("{path}.{name}"))),
        _ => None,
    }
}
