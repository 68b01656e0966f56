//! The content of the log of SCIM requests, and data that it must never contain (rule P5).

mod because;
mod crash;
mod hidden;
mod redaction;
mod searching;
mod strangers;
mod tolerance;

use serde_json::Value;

use super::{LogQuery, search};
use crate::endpoint::handle;
use crate::protocol::message::Request;
use crate::testing::organization::TestOrganization;

/// A request of an identity provider that follows the RFCs.
fn request(organization: &TestOrganization, method: &str, target: &str, body: Option<Value>) -> Request {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query.to_owned())));
    Request {
        method: method.into(),
        path: path.into(),
        query,
        headers: vec![
            ("authorization".into(), format!("Bearer {}", organization.token)),
            ("accept".into(), "application/scim+json".into()),
            ("content-type".into(), "application/scim+json; charset=utf-8".into()),
        ],
        body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
        base_url: "https://scim.example/scim/v2/org".into(),
        request_id: "r1".into(),
        sender_address: None,
    }
}

/// Sends the request and returns the status and the log entry.
fn logged(organization: &TestOrganization, request: &Request) -> (u16, Value) {
    // No two requests arrive in the same millisecond.
    organization.host.set_now(organization.store().now() + 1);
    let response = handle(organization.host.host(), request);
    (response.status, last(organization))
}

/// The log entry of the last request.
fn last(organization: &TestOrganization) -> Value {
    let page = search(&organization.store(), &LogQuery { limit: 1, ..LogQuery::default() }).unwrap();
    serde_json::from_str(page.entries.first().unwrap()).unwrap()
}

/// The reasons in the entry: sentences as their ids with their values, and other lines unchanged.
fn because(entry: &Value) -> Vec<String> {
    let reasons = entry["because"].as_array().cloned().unwrap_or_default();
    let id = |line: &str| crate::sentence::told(line).unwrap_or_else(|| line.to_owned());
    reasons.iter().map(|reason| id(reason.as_str().unwrap())).collect()
}

/// The numbers of the tolerance rules in the entry.
fn tolerances(entry: &Value) -> Vec<String> {
    let number = |reason: &String| Some(reason.strip_prefix("tolerance ")?.split_once(':')?.0.to_owned());
    because(entry).iter().filter_map(number).collect()
}
