//! Compares two answers: everything in them but the parts that each server makes for itself.

use serde_json::{Map, Value, json};

use insomnia_scim_tests::client::{Client, Request, Response};

use super::sequence::{Kind, Step};
use super::{SIDES, differences};

/// The resources that both servers have, under a name for both: `{User.0}` is the first user.
#[derive(Default)]
pub(super) struct Names {
    known: Vec<(String, [String; SIDES])>,
    gone: Vec<String>,
}

impl Names {
    /// Gives the next resource of a type its name.
    pub(super) fn add(&mut self, kind: Kind, ids: [String; SIDES]) {
        let number = self.known.iter().filter(|(name, _)| name.starts_with(&format!("{{{kind:?}."))).count();
        self.known.push((kind.name(number), ids));
    }

    /// Remembers that the resource of this name was deleted.
    pub(super) fn bury(&mut self, name: String) {
        self.gone.push(name);
    }

    fn to_ids(&self, side: usize, text: &str) -> String {
        self.known.iter().fold(text.to_owned(), |text, (name, ids)| text.replace(name, &ids[side]))
    }

    fn to_names(&self, text: &str) -> String {
        let replace = |text: String, (name, ids): &(String, [String; SIDES])| {
            ids.iter().fold(text, |text, id| text.replace(id.as_str(), name))
        };
        self.known.iter().fold(text.to_owned(), replace)
    }
}

/// One of the servers.
pub(super) struct Side {
    client: Client,
}

impl Side {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Sends the request with this server's ids in it; `side` is its number. A PATCH may be answered with or without
    /// the resource (RFC 7644 §3.5.2), so it is read after one.
    pub(super) fn send(&self, side: usize, step: &Step, names: &Names) -> Response {
        let path = names.to_ids(side, &step.path);
        let request = Request::new(step.method, &path);
        let request = match step.header {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        let answer = self.client.send(&match &step.body {
            Some(body) => request.body(names.to_ids(side, &body.to_string())),
            None => request,
        });
        if step.method == "PATCH" && matches!(answer.status, 200 | 204) { self.client.get(&path) } else { answer }
    }
}

/// The id of the resource in an answer.
pub(super) fn id(answer: &Response) -> String {
    insomnia_scim_tests::scim::id(&answer.json())
}

/// What both servers have to agree on.
pub(super) fn seen(step: &Step, answer: &Response, names: &Names) -> Value {
    let text = names.to_names(&answer.text());
    let mut body = match text.as_str() {
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|error| panic!("{step}: {error}\n{answer}")),
    };
    if answer.status >= 400 {
        return json!({"status": answer.status, "scimType": body["scimType"]});
    }
    if answer.status == 201 {
        // The name is given after both have answered.
        let id = body["id"].take();
        let text = body.to_string();
        body = serde_json::from_str(&text.replace(id.as_str().unwrap_or("no id"), "{new}")).unwrap_or(Value::Null);
    }
    settle(&mut body, &names.gone);
    if let Some(Value::Array(resources)) = body.get_mut("Resources") {
        if let Some(by) = step.sorted_by {
            // Which of two equal ones comes first is open (RFC 7644 §3.4.2.3): the order of what is sorted by is not.
            let keys: Value = resources.iter().map(|resource| key(resource, by)).collect();
            body["sorted"] = keys;
        }
        if let Some(Value::Array(resources)) = body.get_mut("Resources") {
            resources.sort_by_key(Value::to_string);
        }
    }
    let has = |name: &str| answer.header(name).is_some();
    let is_located = answer.status != 201 || has("Location");
    json!({"status": answer.status, "location": is_located, "etag": has("ETag"), "body": body})
}

fn key(resource: &Value, path: &str) -> Value {
    let found = path.split('.').fold(resource, |value, name| &value[name]);
    found.as_str().map_or(Value::Null, |text| text.to_lowercase().into())
}

/// Takes away what is each server's own, and puts in order what has none.
fn settle(value: &mut Value, gone: &[String]) {
    match value {
        Value::Array(values) => {
            values.iter_mut().for_each(|value| settle(value, gone));
            if values.iter().all(|value| value.is_string() || value.get("value").is_some()) {
                values.sort_by_key(Value::to_string);
            }
        }
        Value::Object(object) => {
            settle_object(object, gone);
            object.values_mut().for_each(|value| settle(value, gone));
            object.sort_keys();
        }
        _ => {}
    }
}

fn settle_object(object: &mut Map<String, Value>, gone: &[String]) {
    if let Some(Value::Object(meta)) = object.get_mut("meta") {
        meta.retain(|name, _| name == "resourceType");
    }
    if let Some(Value::String(reference)) = object.get_mut("$ref") {
        let mut segments: Vec<&str> = reference.rsplit('/').take(2).collect();
        segments.reverse();
        *reference = segments.join("/");
    }
    differences::settle(object, gone);
}
