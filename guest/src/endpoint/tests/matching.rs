//! The members that a POST adopts (rule P3).

use serde_json::{Value, json};

use super::Connector;

fn post(connector: &Connector, emails: Value) -> (u16, Value) {
    let body = json!({"userName": "new.person", "emails": emails});
    let (response, user) = connector.send("POST", "/Users", Some(body));
    (response.status, user)
}

#[test]
fn p3_a_primary_email_without_an_address_hides_no_other() {
    let connector = Connector::new(10);
    let manual = connector.add_manual("manual5@example.com");
    let emails =
        json!([{"value": "", "type": "work", "primary": true}, {"value": "manual5@example.com", "type": "home"}]);
    let (status, user) = post(&connector, emails);
    assert_eq!((status, user["id"].as_str()), (201, Some(manual.as_str())), "{user}");
    assert_eq!(user["emails"], json!([{"value": "manual5@example.com", "type": "home"}]));
}

#[test]
fn p3_any_of_the_addresses_adopts_the_primary_one_first() {
    let connector = Connector::new(10);
    let manual = connector.add_manual("manual5@example.com");
    let emails = json!([{"value": "other@example.com", "primary": true}, {"value": "MANUAL5@example.com"}]);
    let (status, user) = post(&connector, emails.clone());
    assert_eq!((status, user["id"].as_str()), (201, Some(manual.as_str())), "{user}");
    assert_eq!(user["emails"], emails);
    let (_, error) = post(&connector, json!([]));
    assert_eq!(error["status"], "409", "the userName is taken now");

    let connector = Connector::new(10);
    let (first, second) = (connector.add_manual("a@example.com"), connector.add_manual("b@example.com"));
    let (_, user) = post(&connector, json!([{"value": "a@example.com"}, {"value": "b@example.com", "primary": true}]));
    assert_eq!(user["id"].as_str(), Some(second.as_str()));
    assert_ne!(first, second);
}

#[test]
fn p3_an_address_that_is_not_the_primary_one_may_be_another_users() {
    let connector = Connector::new(10);
    let taken = connector.create("shared@example.com");
    let emails = json!([{"value": "own@example.com", "primary": true}, {"value": "shared@example.com"}]);
    let (status, user) = post(&connector, emails);
    assert_eq!(status, 201, "{user}");
    assert_ne!(user["id"], taken.as_str());
}

#[test]
fn t6_an_element_with_labels_alone_is_no_value() {
    let connector = Connector::new(10);
    let body = json!({
        "userName": "ada",
        "emails": [{"value": null, "type": "work", "display": "x"}, {"type": "home", "primary": true}],
        "roles": [{"display": "Admin"}],
        "addresses": [{"type": "work"}],
    });
    let (_, user) = connector.send("POST", "/Users", Some(body));
    assert_eq!(user.get("emails"), None, "{user}");
    assert_eq!((&user["roles"], &user["addresses"]), (&json!([{"display": "Admin"}]), &json!([{"type": "work"}])));
    let path = format!("/Users/{}", user["id"].as_str().unwrap());
    for operation in [
        json!({"op": "add", "path": "emails", "value": [{"type": "work", "value": ""}]}),
        json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": {"value": ""}}),
        json!({"op": "replace", "path": "emails", "value": [{"type": "work"}]}),
    ] {
        let (response, user) = connector.patch(&path, json!([operation]));
        assert_eq!((response.status, user.get("emails")), (200, None), "{operation}: {user}");
    }
}
