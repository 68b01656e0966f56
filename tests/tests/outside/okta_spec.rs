//! Okta's SPEC suite: its 12 requests with its own headers and assertions, in compat mode and in strict mode.

use insomnia_scim_tests::client::{Client, Request, encode};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{USER, id};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Connector, shared};
use serde_json::{Value, json};

/// The suite's client, and one that prepares what it looks for, in compat mode and in strict mode.
fn both() -> [(Client, Client); 2] {
    let of = |connector: &Connector| {
        let spec = Client::bare(&connector.url)
            .header("Accept", "application/scim+json")
            .header("Accept-Charset", "utf-8")
            .header("Content-Type", "application/scim+json; charset=utf-8")
            .header("User-Agent", "OKTA SCIM Integration")
            .header("Authorization", &format!("Bearer {}", connector.token));
        (spec, connector.client())
    };
    [of(&shared().connector()), of(&shared().organization_with("strict"))]
}

#[track_caller]
fn complete(user: &Value) {
    for pointer in ["/id", "/name/familyName", "/name/givenName", "/userName", "/emails/0/value"] {
        assert!(
            user.pointer(pointer).and_then(Value::as_str).is_some_and(|value| !value.is_empty()),
            "{pointer} is empty in {user}"
        );
    }
    assert!(user["active"].is_boolean(), "active is missing in {user}");
}

#[track_caller]
fn create(user_name: &str) -> Request {
    let body = json!({
        "schemas": [USER], "userName": user_name, "name": { "givenName": "GivenName", "familyName": "FamilyName" },
        "emails": [{ "primary": true, "value": user_name, "type": "work" }],
        "displayName": "GivenName FamilyName", "active": true,
    });
    Request::new("POST", "/Users")
        .header("Content-Type", "application/json")
        .header("Accept", "application/scim+json; charset=utf-8")
        .body(body)
}

#[test]
fn spec_01_the_first_user_of_a_page_of_one_is_complete() {
    for (spec, seed) in both() {
        let own = seed::someone(&seed, "spec01");
        let page = spec.get("/Users?count=1&startIndex=1").list();
        assert_eq!((page.start, page.resources.len()), (1, 1));
        assert!(page.total >= 1);
        assert!(page.resources[0]["active"].is_boolean());
        // Other tests' users may come first and lack what this suite sends; its assertions are made on its own user.
        let filter = encode(&format!("id eq \"{}\"", id(&own)));
        complete(&spec.get(&format!("/Users?filter={filter}&count=1&startIndex=1")).only());
    }
}

#[test]
fn spec_02_a_user_by_id() {
    for (spec, seed) in both() {
        let user = id(&seed::someone(&seed, "spec02"));
        let read = spec.get(&format!("/Users/{user}")).resource(200);
        complete(&read);
        assert_eq!(id(&read), user);
    }
}

#[test]
fn spec_03_a_filter_for_an_invalid_user_is_empty() {
    for (spec, _) in both() {
        spec.get("/Users?filter=userName%20eq%20%22abcdefgh%40atko.com%22").none();
    }
}

#[test]
fn spec_04_an_id_that_does_not_exist_is_404() {
    for (spec, _) in both() {
        spec.get("/Users/010101001010101011001010101011").error(404);
    }
}

#[test]
fn spec_05_a_random_user_is_not_there() {
    for (spec, _) in both() {
        let name = encode(&format!("{}@example.com", unique("Runscope")));
        spec.get(&format!("/Users?filter=userName%20eq%20%22{name}%22")).none();
    }
}

#[test]
fn spec_06_to_09_create_read_duplicate_and_upper_case() {
    for (spec, _) in both() {
        let name = Person::new("Runscope300User").user_name;
        let created = spec.send(&create(&name)).resource(201);
        assert_eq!(created["active"], json!(true));
        assert_eq!(created["userName"], json!(name), "the case is kept");
        assert_eq!(created["name"]["givenName"], json!("GivenName"));
        assert_eq!(created["name"]["familyName"], json!("FamilyName"));
        assert!(created["schemas"].as_array().expect("schemas").contains(&json!(USER)));

        let read = spec.get(&format!("/Users/{}", id(&created))).resource(200);
        assert_eq!(read["userName"], json!(name));
        assert_eq!(read["name"], created["name"]);

        spec.send(&create(&name)).refusal(409, "uniqueness");

        let upper = encode(&format!("userName eq \"{}\"", name.to_uppercase()));
        let found = spec.get(&format!("/Users?filter={upper}")).only();
        assert_eq!(id(&found), id(&created));
    }
}

#[test]
fn spec_10_groups() {
    for (spec, _) in both() {
        let _ = spec.get("/Groups").list();
    }
}

#[test]
fn spec_11_a_wrong_token_is_401() {
    for (spec, _) in both() {
        let error = spec.without("Authorization").header("Authorization", "non-token").get("/Users").error(401);
        assert_eq!(error["status"], json!("401"));
    }
}

#[test]
fn spec_12_an_id_of_digits_is_404() {
    for (spec, _) in both() {
        let error = spec.get("/Users/00919288221112222").error(404);
        assert_eq!(error["status"], json!("404"));
    }
}
