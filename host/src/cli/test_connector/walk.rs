//! The steps of the test: what identity providers do with a user, in the order in which they do it.

use serde_json::{Value, json};

use super::exchange::{Connection, Exchange};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A step of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    WrongToken,
    Discovery,
    Unknown,
    Create,
    Find,
    Read,
    Change,
    Deactivate,
    Delete,
}

impl Step {
    /// The step in words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::WrongToken => "a wrong token is refused",
            Self::Discovery => "the token opens the connector",
            Self::Unknown => "a user who is not there is not found",
            Self::Create => "a user is created",
            Self::Find => "the user is found by userName",
            Self::Read => "the user is read by id",
            Self::Change => "an attribute is changed (PATCH as Entra ID sends it)",
            Self::Deactivate => "the user is deactivated (PATCH as Okta sends it)",
            Self::Delete => "the user is deleted",
        }
    }
}

/// The failure of a step.
pub(super) struct Failure {
    pub(super) step: Step,
    /// The answer that the step expects, in words.
    pub(super) expected: String,
    /// The answer that it got, in words.
    pub(super) got: String,
    /// The request and the whole answer.
    pub(super) exchange: Box<Exchange>,
}

/// Takes the steps one after another, and adds those that succeed to `passed`. If a later step fails, the user that was
/// created is deleted nevertheless.
pub(super) async fn walk(connection: &Connection, name: &str, passed: &mut Vec<Step>) -> Result<(), Failure> {
    let find = format!("/Users?startIndex=1&count=1&filter={}", encoded(&format!("userName eq {}", json!(name))));

    let exchange = connection.send_with("a-token-that-nobody-gave", "GET", "/Users?count=1", None).await;
    expect(Step::WrongToken, exchange, &[401], "status 401", |_| true, passed)?;

    let exchange = connection.send("GET", "/ServiceProviderConfig", None).await;
    let patch = |body: &Value| body["patch"].is_object();
    expect(Step::Discovery, exchange, &[200], "status 200 and a ServiceProviderConfig", patch, passed)?;

    let exchange = connection.send("GET", &find, None).await;
    let none = |body: &Value| body["totalResults"] == 0;
    expect(Step::Unknown, exchange, &[200], "status 200 and totalResults 0", none, passed)?;

    let user = json!({
        "schemas": [USER],
        "userName": name,
        "name": { "givenName": "Scim", "familyName": "Test" },
        "displayName": "Scim Test",
        "emails": [{ "value": name, "type": "work", "primary": true }],
        "active": true,
    });
    let exchange = connection.send("POST", "/Users", Some(user)).await;
    let has_id = |body: &Value| body["id"].as_str().is_some_and(|id| !id.is_empty());
    let created = expect(Step::Create, exchange, &[201], "status 201 and a user with an id", has_id, passed)?;
    let id = created["id"].as_str().unwrap_or_default().to_owned();

    let outcome = with_user(connection, &id, &find, passed).await;
    let path = format!("/Users/{}", encoded(&id));
    let deleted = connection.send("DELETE", &path, None).await;
    outcome?;
    expect(Step::Delete, deleted, &[204], "status 204", |_| true, &mut Vec::new())?;
    let exchange = connection.send("GET", &path, None).await;
    expect(Step::Delete, exchange, &[404], "status 404 when it is read again", |_| true, passed)?;
    Ok(())
}

/// The steps that need the user.
async fn with_user(connection: &Connection, id: &str, find: &str, passed: &mut Vec<Step>) -> Result<(), Failure> {
    let path = format!("/Users/{}", encoded(id));
    let read = |step: Step, expected: &'static str, holds: fn(&Value) -> bool| {
        let path = path.clone();
        async move {
            let exchange = connection.send("GET", &path, None).await;
            expect(step, exchange, &[200], expected, holds, &mut Vec::new())
        }
    };

    let exchange = connection.send("GET", find, None).await;
    let this = |body: &Value| body["totalResults"] == 1 && body["Resources"][0]["id"] == id;
    expect(Step::Find, exchange, &[200], "status 200 and this user only", this, passed)?;

    read(Step::Read, "status 200 and an active user", |body| body["active"] == true).await?;
    passed.push(Step::Read);

    let change = patch(json!({ "op": "Replace", "path": "displayName", "value": "Scim Test Changed" }));
    let exchange = connection.send("PATCH", &path, Some(change)).await;
    expect(Step::Change, exchange, &[200, 204], "status 200 or 204", |_| true, &mut Vec::new())?;
    read(Step::Change, "the new displayName when it is read", |body| body["displayName"] == "Scim Test Changed")
        .await?;
    passed.push(Step::Change);

    let deactivate = patch(json!({ "op": "replace", "value": { "active": false } }));
    let exchange = connection.send("PATCH", &path, Some(deactivate)).await;
    expect(Step::Deactivate, exchange, &[200, 204], "status 200 or 204", |_| true, &mut Vec::new())?;
    read(Step::Deactivate, "active false when it is read", |body| body["active"] == false).await?;
    passed.push(Step::Deactivate);
    Ok(())
}

/// Returns the answer's body if its status and its body are as expected, and adds the step to `passed`.
fn expect(
    step: Step,
    exchange: Exchange,
    statuses: &[u16],
    expected: &str,
    holds: impl Fn(&Value) -> bool,
    passed: &mut Vec<Step>,
) -> Result<Value, Failure> {
    let body = exchange.json().unwrap_or(Value::Null);
    if statuses.contains(&exchange.status()) && holds(&body) {
        passed.push(step);
        Ok(body)
    } else {
        let got = exchange.got(statuses);
        Err(Failure { step, expected: expected.to_owned(), got, exchange: Box::new(exchange) })
    }
}

fn patch(operation: Value) -> Value {
    json!({ "schemas": [PATCH], "Operations": [operation] })
}

/// The text as a part of a URL.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
