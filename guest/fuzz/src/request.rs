//! Whole requests, one after the other, to one connector: what a client can send makes no server error.
//!
//! A script is text. Its first line may be `#` and words: `strict`, `manual` (lists show manual members),
//! `overage`, `unknown` (unknown members are left out), `reactivate`, `quiet` (PATCH of a group is answered 204),
//! `declared` (there are `/Devices`). Requests follow, with a line `===` between them: `METHOD target`, header lines, an
//! empty line, the body. `{0}` is the id of the first resource that was created, `{1}` that of the second; `{v0}` is the
//! version that the first one had.

use insomnia_scim_guest::store::Options;

use super::connector::Connector;

const MOST_REQUESTS: usize = 24;

/// A resource type with an attribute of every type.
const DEVICE: &str = r#"{
    "schemas": [{"id": "urn:example:Device", "name": "Device", "attributes": [
        {"name": "serial", "type": "string", "multiValued": false, "required": true, "caseExact": true},
        {"name": "weight", "type": "decimal", "multiValued": false},
        {"name": "ports", "type": "integer", "multiValued": true},
        {"name": "bought", "type": "dateTime", "multiValued": false},
        {"name": "key", "type": "binary", "multiValued": false},
        {"name": "owner", "type": "reference", "multiValued": false, "referenceTypes": ["User"]},
        {"name": "wiped", "type": "boolean", "multiValued": false, "mutability": "immutable"},
        {"name": "pin", "type": "string", "multiValued": false, "returned": "never", "mutability": "writeOnly"},
        {"name": "parts", "type": "complex", "multiValued": true, "subAttributes": [
            {"name": "value", "type": "string", "multiValued": false},
            {"name": "primary", "type": "boolean", "multiValued": false}]}]}],
    "resourceTypes": [{"name": "Device", "endpoint": "/Devices", "schema": "urn:example:Device"}]
}"#;

/// Checks one script.
pub fn check(data: &[u8]) {
    let Ok(script) = std::str::from_utf8(data) else { return };
    let (first, rest) = script.split_once('\n').unwrap_or((script, ""));
    let (words, requests) = first.strip_prefix('#').map_or(("", script), |words| (words, rest));
    let has = |word: &str| words.split_whitespace().any(|candidate| candidate == word);
    let options = Options {
        strict: has("strict"),
        list_manual: has("manual"),
        allow_overage: has("overage"),
        refuse_unknown_members: has("unknown"),
        reactivate_on_post: has("reactivate"),
        group_patch_no_content: has("quiet"),
        ..Options::default()
    };
    let connector = Connector::new(4, options);
    if has("declared") {
        connector.declare(DEVICE);
    }
    let mut created: Vec<(String, String)> = Vec::new();
    for request in requests.split("\n===\n").take(MOST_REQUESTS) {
        let mut request = request.to_owned();
        for (number, (id, version)) in created.iter().enumerate() {
            request = request.replace(&format!("{{{number}}}"), id).replace(&format!("{{v{number}}}"), version);
        }
        send(&connector, &request, &mut created);
    }
    connector.expect_consistent();
}

fn send(connector: &Connector, request: &str, created: &mut Vec<(String, String)>) {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap_or_default().split_once(' ').unwrap_or(("GET", "/Users"));
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let answer = connector.send(method, target, &headers, body.as_bytes());
    if answer.status() == 201 && created.len() < 10 {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        created.push((text(&answer.body["id"]), text(&answer.body["meta"]["version"])));
    }
}
