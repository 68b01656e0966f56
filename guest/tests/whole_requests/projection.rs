//! What is never returned is never returned: a password is in no answer and nowhere in the store.

use proptest::prelude::*;
use serde_json::json;

use super::resources::user;
use super::{connector, encode};

const SECRET: &str = "correct horse battery staple";

fn names() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "password",
        "PASSWORD",
        "urn:ietf:params:scim:schemas:core:2.0:User:password",
        "password.value",
        "userName",
        "name",
        "name.givenName",
        "emails.value",
        "emails",
        "meta",
        "schemas",
        "id",
        "groups",
        "*",
        "",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "urn:ietf:params:scim:schemas:core:2.0:User",
    ];
    prop::collection::vec(prop::sample::select(NAMES), 0..5).prop_map(|names| names.join(","))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn rfc_30_no_projection_shows_a_password(user in user(0), attributes in names(), excluded in names()) {
        let connector = connector();
        let mut user = user;
        user["password"] = SECRET.into();
        let projection = format!("attributes={}&excludedAttributes={}", encode(&attributes), encode(&excluded));
        let created = connector.json("POST", &format!("/Users?{projection}"), &user);
        prop_assert_eq!(created.status(), 201);
        let path = format!("/Users/{}", created.id());
        let patch = json!({"Operations": [
            {"op": "replace", "path": "password", "value": SECRET},
            {"op": "replace", "value": {"password": SECRET, "title": "x"}},
        ]});
        let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "attributes": attributes.split(',').collect::<Vec<_>>()});
        let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
            {"method": "PUT", "path": path, "data": user},
            {"method": "PATCH", "path": path, "data": patch},
        ]});
        let answers = [
            created,
            connector.get(&format!("{path}?{projection}")),
            connector.json("PUT", &format!("{path}?{projection}"), &user),
            connector.json("PATCH", &format!("{path}?{projection}"), &patch),
            connector.get(&format!("/Users?{projection}")),
            connector.get(&format!("/?{projection}")),
            connector.json("POST", "/Users/.search", &search),
            connector.json("POST", "/.search", &search),
            connector.json("POST", "/Bulk", &bulk),
        ];
        for answer in &answers {
            let text = String::from_utf8_lossy(&answer.response.body);
            prop_assert!(!text.contains(SECRET), "{}", text);
            prop_assert!(!text.contains("\"password\""), "{}", text);
        }
        for operator in ["eq", "sw", "co"] {
            let filter = encode(&format!("password {operator} \"{SECRET}\""));
            let found = connector.get(&format!("/Users?filter={filter}"));
            prop_assert!(found.status() == 400 || found.body["totalResults"] == 0, "{:?}", found);
        }
        prop_assert!(!connector.host.dump().contains(SECRET));
    }
}
