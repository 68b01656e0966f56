//! Rules that other tests here or a conformance suite once found broken, one by one.

use serde_json::json;

use super::connector;

#[test]
fn rfc_33_a_member_without_a_name_has_no_display() {
    let connector = connector();
    let named = json!({"userName": "ada@example.com", "name": {"givenName": "Ada", "familyName": "Lovelace"}});
    let named = connector.json("POST", "/Users", &named).id();
    let nameless = connector.json("POST", "/Users", &json!({"userName": "bob@example.com"})).id();
    let body = json!({"displayName": "Crew", "members": [{"value": named}, {"value": nameless}]});
    let path = format!("/Groups/{}", connector.json("POST", "/Groups", &body).id());
    for target in [path.clone(), format!("{path}?attributes=members"), "/Groups?filter=members pr".to_owned()] {
        let body = connector.get(&target).body;
        let group = body["Resources"].get(0).unwrap_or(&body);
        let display = |id: &str| {
            let mut members = group["members"].as_array().unwrap().iter();
            members.find(|member| member["value"] == id).unwrap().get("display").cloned()
        };
        assert_eq!(display(&named), Some("Ada Lovelace".into()), "{target}");
        assert_eq!(display(&nameless), None, "{target}");
    }
    let rename = json!({"Operations": [{"op": "add", "path": "displayName", "value": "Bob"}]});
    connector.json("PATCH", &format!("/Users/{nameless}"), &rename);
    assert_eq!(
        connector.get(&path).body["members"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|member| member["display"] == "Bob")
            .count(),
        1
    );
    let rename = json!({"Operations": [{"op": "remove", "path": "displayName"}]});
    connector.json("PATCH", &format!("/Users/{nameless}"), &rename);
    assert!(!connector.get(&path).body.to_string().contains("Bob"));
}

#[test]
fn rfc_7644_3_5_2_1_add_of_an_address_that_is_there_changes_nothing() {
    let connector = connector();
    let address = json!({"type": "work", "locality": "London", "primary": true});
    let user = json!({"userName": "ada@example.com", "addresses": [address, {"type": "home"}]});
    let created = connector.json("POST", "/Users", &user);
    let add = json!({"Operations": [{"op": "add", "path": "addresses", "value": [address]}]});
    let patched = connector.json("PATCH", &format!("/Users/{}", created.id()), &add);
    assert_eq!((patched.status(), patched.body), (200, created.body));
}
