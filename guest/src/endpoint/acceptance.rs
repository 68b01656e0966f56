//! Accepts requests that the server will run later, because the client prefers that (RFC 9967 §2.5.1, RFC 7240).
//!
//! The server does so for bulk requests, and for changes of groups with so many members that they take a while. It
//! never does so if the organization has no event stream that would report the result: then it ignores the preference,
//! as it may, and answers in the usual way.

use serde_json::Value;

use super::answer::Answer;
use super::bulk;
use super::bulk_request::Operation;
use super::context::Context;
use crate::connector::Presented;
use crate::protocol::error::ScimError;
use crate::protocol::preference::Preference;
use crate::protocol::route::Route;
use crate::sentence::Sentence;
use crate::store::{AcceptedRecord, OperationRecord, StoreError, StreamRecord, keys};
use crate::text::cut;

/// The endpoint where clients read the results of accepted requests.
const RESPONSES: &str = "/AsyncResponses";
/// A change of a group with more than this many members is run later.
const LARGE_GROUP: u64 = 500;
/// About how many bytes one member takes in a request body.
const MEMBER: u64 = 64;
/// How many operations are certainly done within a second. This number tells whether the client's wait time is enough.
const IN_A_SECOND: u64 = 20;
/// How many added or removed members take as long as one operation.
const MEMBERS_IN_ONE: u64 = 25;
/// The longest user agent that is kept, in bytes.
const LONGEST_AGENT: usize = 256;
/// Replaces a password, which is never stored: members sign in with Insomnia's own passphrases (T26).
const NOT_KEPT: &str = "[not kept]";

/// The work that a request asks the server to do.
struct Work {
    operations: Vec<OperationRecord>,
    fail_on_errors: Option<usize>,
    is_bulk: bool,
    /// How long the work takes, in operations of a usual size.
    size: u64,
}

/// Accepts the request and answers 202 if the client prefers that and the request can be run later. `None` if the
/// request must be served at once.
pub(super) fn accept(
    context: &Context<'_, '_>,
    route: &Route,
    presented: &Presented<'_>,
) -> Result<Option<Answer>, ScimError> {
    let (request, store) = (context.request, context.store);
    let preference = Preference::of(request);
    if !preference.respond_async || !store.streams()?.iter().any(StreamRecord::tells_responses) {
        return Ok(None);
    }
    let (Some((token, is_access_token)), Some(work)) = (presented.token(), work(context, route)?) else {
        return Ok(None);
    };
    if preference.wait.is_some_and(|seconds| work.size <= u64::from(seconds).saturating_mul(IN_A_SECOND)) {
        return Ok(None);
    }
    let record = AcceptedRecord {
        accepted: store.now(),
        request_id: request.request_id.clone(),
        traceparent: store.traceparent(),
        method: request.method.clone(),
        path: request.path.clone(),
        base_url: request.base_url.clone(),
        sender_address: request.sender_address.clone(),
        user_agent: request.header("user-agent").map(|agent| cut(agent, LONGEST_AGENT).to_owned()),
        token: token.to_owned(),
        is_access_token,
        credential: store.credential().unwrap_or_default(),
        is_bulk: work.is_bulk,
        fail_on_errors: work.fail_on_errors,
        ..AcceptedRecord::default()
    };
    match store.accept(&record, &work.operations) {
        Ok(transaction) => {
            let said = Sentence::Accepted { transaction: transaction.clone() };
            context.note.borrow_mut().because.push(said.into());
            let location = format!("{}{RESPONSES}/{transaction}", request.base_url);
            let headers = vec![
                ("set-txn", transaction),
                ("preference-applied", "respond-async".to_owned()),
                ("location", location),
            ];
            Ok(Some(Answer { status: 202, headers, ..Answer::default() }))
        }
        // The server can do this work now, so it must not ask the client to try again later.
        Err(StoreError::Limit(_) | StoreError::TooLarge) => {
            context.note.borrow_mut().because.push(Sentence::NotAccepted.into());
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The work of a request that may be run later; `None` for any other request. Errors that show without running the
/// request are reported now.
fn work(context: &Context<'_, '_>, route: &Route) -> Result<Option<Work>, ScimError> {
    match (route, context.request.method.as_str()) {
        (Route::Bulk, _) => bulk_work(context),
        (Route::Resources(name), "POST") if name == "Group" => group_work(context, None),
        (Route::Resource(name, id), "PUT" | "PATCH" | "DELETE") if name == "Group" => group_work(context, Some(id)),
        _ => Ok(None),
    }
}

/// A bulk request, unless its operations refer to each other in a circle. An operation of a circle is undone if another
/// one fails, and that is only known when all of them are done.
fn bulk_work(context: &Context<'_, '_>) -> Result<Option<Work>, ScimError> {
    let request = bulk::read(context)?;
    if request.operations.is_empty() || request.order().iter().any(|turn| !turn.unresolved.is_empty()) {
        return Ok(None);
    }
    let size = request.operations.len() as u64;
    let operations = request.operations.into_iter().map(kept).collect();
    Ok(Some(Work { operations, fail_on_errors: request.fail_on_errors, is_bulk: true, size }))
}

/// The change of a group, if it is a large one.
fn group_work(context: &Context<'_, '_>, id: Option<&str>) -> Result<Option<Work>, ScimError> {
    let request = context.request;
    // The stored form of a request can't hold this condition.
    if request.header("if-none-match").is_some() {
        return Ok(None);
    }
    let there = match id.filter(|id| keys::is_id(id)) {
        Some(id) => context.store.team_size(id)?,
        None => 0,
    };
    let members = there + request.body.len() as u64 / MEMBER;
    if members <= LARGE_GROUP {
        return Ok(None);
    }
    let data = if request.method == "DELETE" { None } else { Some(context.body()?) };
    let operation = Operation {
        method: request.method.clone(),
        path: request.path.clone(),
        bulk_id: None,
        version: request.header("if-match").map(str::to_owned),
        data,
        result: None,
    };
    let (operations, size) = (vec![kept(operation)], 1 + members / MEMBERS_IN_ONE);
    Ok(Some(Work { operations, fail_on_errors: None, is_bulk: false, size }))
}

/// An operation in the form in which it is stored.
fn kept(operation: Operation) -> OperationRecord {
    let Operation { method, path, bulk_id, version, mut data, .. } = operation;
    if let Some(data) = &mut data {
        drop_passwords(data);
    }
    OperationRecord { method, path, bulk_id, version, data }
}

/// Removes the passwords from a resource or a PATCH. The JSON parser bounds the nesting, so this may recurse.
fn drop_passwords(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(drop_passwords),
        Value::Object(fields) => {
            let is_path = |(name, value): (&String, &Value)| {
                name.eq_ignore_ascii_case("path") && value.as_str().is_some_and(is_password)
            };
            let is_of_password = fields.iter().any(is_path);
            for (name, value) in fields.iter_mut() {
                if is_password(name) || (is_of_password && name.eq_ignore_ascii_case("value")) {
                    *value = NOT_KEPT.into();
                } else {
                    drop_passwords(value);
                }
            }
        }
        _ => {}
    }
}

/// Whether a name or a path is that of the password, with or without a prefix.
fn is_password(name: &str) -> bool {
    let last = name.rsplit([':', '.']).next().unwrap_or_default();
    last.trim().eq_ignore_ascii_case("password")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn t26_a_password_is_not_kept_wherever_it_stands() {
        let urn = "urn:ietf:params:scim:schemas:core:2.0:User";
        let mut body = json!([
            {"userName": "ada", "Password": "p1", (urn): {"password": "p2"}, (format!("{urn}:password")): "p3"},
            {"Operations": [{"op": "replace", "path": format!("{urn}:PASSWORD"), "value": "p4"},
                {"op": "add", "value": {"password": ["p5"], "title": "Engineer"}},
                {"op": "replace", "Path": "title", "Value": "p-title"}]},
        ]);
        drop_passwords(&mut body);
        let text = body.to_string();
        for number in 1..=5 {
            assert!(!text.contains(&format!("\"p{number}\"")), "{text}");
        }
        assert!(text.contains("Engineer") && text.contains("p-title") && text.contains("ada"), "{text}");
        assert_eq!(body[0]["Password"], NOT_KEPT);
    }
}
