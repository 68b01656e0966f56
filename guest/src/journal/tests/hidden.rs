//! Attributes that the organization's own schemas never return: no event and no log contains them (rules P5 and P6).

use serde_json::{Value, json};

use super::{last, logged, request};
use crate::connector::Window;
use crate::directory;
use crate::testing::organization::TestOrganization;

const URN: &str = "urn:example:scim:schemas:2.0:Badge";
/// The text that must not be found.
const HIDDEN: &str = "door7351";

fn organization() -> TestOrganization {
    let organization = TestOrganization::new(10, Window::Never).unwrap();
    let attribute = |name: &str, returned: &str, mutability: &str| json!({"name": name, "type": "string", "multiValued": false, "returned": returned, "mutability": mutability});
    let lock = json!({
        "name": "locks", "type": "complex", "multiValued": true,
        "subAttributes": [attribute("place", "default", "readWrite"), attribute("code", "never", "readWrite")],
    });
    let schema = json!({
        "id": URN, "name": "Badge", "attributes": [
            attribute("number", "default", "readWrite"),
            attribute("entry", "never", "readWrite"),
            attribute("answer", "never", "writeOnly"),
            lock,
        ],
    });
    let user = json!({
        "name": "User", "endpoint": "/Users", "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
        "schemaExtensions": [{"schema": URN, "required": false}],
    });
    let declaration = json!({"schemas": [schema], "resourceTypes": [user]}).to_string();
    directory::put_schemas(&organization.store(), &declaration).unwrap();
    organization
}

fn badge() -> Value {
    json!({
        "number": "n1", "entry": HIDDEN, "answer": HIDDEN,
        "locks": [{"place": "cellar", "code": HIDDEN}],
    })
}

fn user() -> Value {
    let schemas = ["urn:ietf:params:scim:schemas:core:2.0:User", URN];
    json!({"schemas": schemas, "userName": "ada@example.com", URN: badge()})
}

#[test]
fn p6_what_is_never_returned_is_in_no_event() {
    let organization = organization();
    let (status, created) = organization.scim("POST", "/Users", Some(user()));
    assert_eq!(status, 201, "{created}");
    assert!(!created.to_string().contains(HIDDEN));
    let path = format!("/Users/{}", created["id"].as_str().unwrap());
    let value = json!({URN: {"entry": format!("{HIDDEN}-2"), "number": "n2"}});
    let patch = json!({"Operations": [{"op": "replace", "value": value}]});
    assert_eq!(organization.scim("PATCH", &path, Some(patch)).0, 200);
    assert_eq!(organization.scim("DELETE", &path, None).0, 204);
    let events = organization.events();
    let told = events.iter().filter(|event| event["type"].as_str().unwrap().starts_with("member.")).count();
    assert!(told >= 3);
    assert!(!json!(events).to_string().contains(HIDDEN));
    let changed = events.iter().find(|event| event["type"] == "member.updated").unwrap();
    assert_eq!(changed["data"]["after"][URN]["number"], "n2", "the rest is told");
}

#[test]
fn p5_the_log_is_redacted_by_the_organizations_own_schemas() {
    let organization = organization();
    let (status, entry) = logged(&organization, &request(&organization, "POST", "/Users", Some(user())));
    assert_eq!(status, 201);
    let body: Value = serde_json::from_str(entry["body"].as_str().unwrap()).unwrap();
    assert_eq!(body[URN]["number"], "n1", "{body}");
    assert_eq!(body[URN]["locks"][0]["place"], "cellar");
    let path = format!("/Users/{}", entry["subject"]["id"].as_str().unwrap());
    let operation = |path: &str| json!({"op": "replace", "path": path, "value": HIDDEN});
    for target in ["entry", "ENTRY", "locks[place eq \"cellar\"].code"] {
        let patch = json!({"Operations": [operation(&format!("{URN}:{target}"))]});
        logged(&organization, &request(&organization, "PATCH", &path, Some(patch)));
        assert!(!last(&organization).to_string().contains(HIDDEN), "{target}");
    }
    let query = format!("/Users?filter={URN}:entry%20eq%20%22{HIDDEN}%22");
    logged(&organization, &request(&organization, "GET", &query, None));
    for line in organization.host.dump().lines().filter(|line| line.starts_with("log/")) {
        assert!(!line.contains(HIDDEN), "{line}");
    }
}
