//! RFC 7643 §4, §7: the attributes of users and groups (rules R28 to R37).

use insomnia_scim_tests::client::encode;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{ENTERPRISE, GROUP, INSOMNIA, USER, id, patch, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::{Value, json};

#[track_caller]
fn create(with: Value) -> Value {
    let mut request = seed::user_request(&Person::new("resource"));
    for (name, value) in with.as_object().expect("an object") {
        request[name] = value.clone();
    }
    client().post("/Users", request).resource(201)
}

#[test]
fn rfc_028_user_name_is_required_and_not_empty() {
    let client = client();
    for request in [
        json!({ "schemas": [USER] }),
        json!({ "schemas": [USER], "userName": "" }),
        json!({ "schemas": [USER], "userName": null }),
        json!({ "schemas": [USER], "userName": "  " }),
    ] {
        client.post("/Users", request).refusal(400, "invalidValue");
    }
}

#[test]
fn rfc_028_user_name_keeps_its_case() {
    let name = unique("BJensen");
    let created = client().post("/Users", json!({ "schemas": [USER], "userName": name })).resource(201);
    assert_eq!(text(&created, "userName"), name);
    let filter = encode(&format!("userName eq \"{}\"", name.to_uppercase()));
    assert_eq!(text(&client().get(&format!("/Users?filter={filter}")).only(), "userName"), name);
}

#[test]
fn rfc_029_user_names_are_compared_as_text_and_not_as_bytes() {
    let client = client();
    let name = unique("Zoë");
    let create = |name: &str| client.post("/Users", json!({ "schemas": [USER], "userName": name }));
    create(&name).resource(201);
    create(&name.replace('ë', "e\u{308}")).refusal(409, "uniqueness");
    create(&name.to_uppercase()).refusal(409, "uniqueness");
    create(&name.replace('Z', "\u{ff3a}")).refusal(409, "uniqueness");
}

#[test]
fn rfc_030_passwords_never_leave() {
    let client = client();
    let created = create(json!({ "password": "t1meMa$heen" }));
    assert!(created.get("password").is_none());
    let filter = encode(&format!("id eq \"{}\" and password eq \"t1meMa$heen\"", id(&created)));
    let response = client.get(&format!("/Users?filter={filter}"));
    if response.status == 400 {
        response.refusal(400, "invalidFilter");
    } else {
        response.none();
    }
    let filter = encode(&format!("id eq \"{}\" and password sw \"t\"", id(&created)));
    let response = client.get(&format!("/Users?filter={filter}"));
    assert!(response.status == 400 || response.list().total == 0, "{response}");
}

#[test]
fn rfc_031_groups_of_a_user_are_computed() {
    let client = client();
    let created = create(json!({ "groups": [{ "value": "x" }] }));
    assert!(created.get("groups").is_none());
    let name = unique("computed");
    let group = seed::group(&client, &name, &[id(&created)]);
    let read = client.get(&format!("/Users/{}", id(&created))).resource(200);
    assert_eq!(
        read["groups"],
        json!([{ "value": group["id"], "$ref": group["meta"]["location"], "display": name, "type": "direct" }])
    );
    client.delete(&format!("/Groups/{}", id(&group))).no_content();
    assert!(client.get(&format!("/Users/{}", id(&created))).resource(200).get("groups").is_none());
}

#[test]
fn rfc_032_display_name_of_a_group_is_required() {
    let client = client();
    client.post("/Groups", json!({ "schemas": [GROUP] })).refusal(400, "invalidValue");
    client.post("/Groups", json!({ "schemas": [GROUP], "displayName": "" })).refusal(400, "invalidValue");
}

#[test]
fn group_names_are_unique_without_regard_to_case() {
    let client = client();
    let name = unique("Tour Guides");
    let group = seed::group(&client, &name, &[]);
    let create = |name: &str| client.post("/Groups", json!({ "schemas": [GROUP], "displayName": name }));
    create(&name).refusal(409, "uniqueness");
    create(&name.to_uppercase()).refusal(409, "uniqueness");
    let other = seed::group(&client, &unique("Other"), &[]);
    let rename = patch(json!({ "op": "replace", "path": "displayName", "value": name.to_lowercase() }));
    client.patch(&format!("/Groups/{}", id(&other)), &rename).refusal(409, "uniqueness");
    client
        .put(&format!("/Groups/{}", id(&other)), json!({ "schemas": [GROUP], "displayName": name }))
        .refusal(409, "uniqueness");
    client.patch(&format!("/Groups/{}", id(&group)), &rename).resource(200);
}

#[test]
fn rfc_033_members_have_value_reference_display_and_type() {
    let client = client();
    let user = seed::someone(&client, "member");
    let group = seed::group(&client, &unique("members"), &[id(&user)]);
    assert_eq!(
        group["members"],
        json!([{ "value": user["id"], "$ref": user["meta"]["location"], "display": user["displayName"], "type": "User" }])
    );
}

#[test]
fn rfc_033_a_members_value_is_immutable() {
    let client = client();
    let ids = seed::people(&client, "immutable", 2);
    let group = id(&seed::group(&client, &unique("immutable"), &ids[..1]));
    let body =
        patch(json!({ "op": "replace", "path": format!("members[value eq \"{}\"].value", ids[0]), "value": ids[1] }));
    client.patch(&format!("/Groups/{group}"), body).refusal(400, "mutability");
}

#[test]
fn nested_groups_are_invalid_values() {
    let client = client();
    let inner = id(&seed::group(&client, &unique("inner"), &[]));
    let members = json!([{ "value": inner, "type": "Group" }]);
    let body = json!({ "schemas": [GROUP], "displayName": unique("outer"), "members": members });
    client.post("/Groups", body).refusal(400, "invalidValue");
    let outer = id(&seed::group(&client, &unique("outer"), &[]));
    for value in [members, json!([{ "value": inner }]), json!([{ "value": outer }])] {
        let body = patch(json!({ "op": "add", "path": "members", "value": value }));
        client.patch(&format!("/Groups/{outer}"), body).refusal(400, "invalidValue");
    }
}

#[test]
fn rfc_034_every_core_attribute_is_kept() {
    let sent = json!({
        "name": { "formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara", "middleName": "Jane", "honorificPrefix": "Ms.", "honorificSuffix": "III" },
        "displayName": "Babs Jensen", "nickName": "Babs", "profileUrl": "https://login.example.com/bjensen",
        "addresses": [
            { "type": "work", "streetAddress": "100 Universal City Plaza", "locality": "Hollywood", "region": "CA", "postalCode": "91608", "country": "US", "formatted": "100 Universal City Plaza\nHollywood, CA 91608 USA", "primary": true },
            { "type": "home", "streetAddress": "456 Hollywood Blvd", "locality": "Hollywood" } ],
        "phoneNumbers": [{ "value": "555-555-5555", "type": "work", "display": "work" }, { "value": "555-555-4444", "type": "mobile" }],
        "ims": [{ "value": "someaimhandle", "type": "aim" }],
        "photos": [{ "value": "https://photos.example.com/profilephoto/72930000000Ccne/F", "type": "photo" }],
        "userType": "Employee", "title": "Tour Guide", "preferredLanguage": "en-US", "locale": "en-US", "timezone": "America/Los_Angeles",
        "entitlements": [{ "value": "e1", "display": "Entitlement", "type": "x" }],
        "roles": [{ "value": "r1", "display": "Role", "type": "x", "primary": true }],
        "x509Certificates": [{ "value": "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMC" }],
        "active": true,
    });
    let created = create(sent.clone());
    for (name, value) in sent.as_object().expect("an object") {
        assert_eq!(&created[name], value, "{name}");
    }
}

#[test]
fn rfc_035_a_manager_has_a_reference_and_a_display_name() {
    let client = client();
    let boss = seed::someone(&client, "boss");
    let created = create(json!({ ENTERPRISE: { "manager": { "value": boss["id"], "displayName": "Not this" } } }));
    let manager = &created[ENTERPRISE]["manager"];
    assert_eq!(manager["value"], boss["id"]);
    assert!(manager.get("displayName").is_none() || manager["displayName"] == boss["displayName"], "{manager}");
}

#[test]
fn rfc_036_read_only_attributes_are_ignored_in_bodies_and_refused_in_paths() {
    let client = client();
    let created = create(json!({ INSOMNIA: { "origin": "manual", "role": "owner", "licensed": false } }));
    let asked = client.get(&format!("/Users/{}?attributes={INSOMNIA}", id(&created))).document(200);
    assert_eq!(asked[INSOMNIA], json!({ "origin": "scim", "role": "member", "licensed": true }));
    assert!(asked["schemas"].as_array().expect("schemas").contains(&json!(INSOMNIA)));
    assert!(created.get(INSOMNIA).is_none(), "it is returned on request only");
    let path = format!("/Users/{}", id(&created));
    for attribute in ["id", "meta", "meta.created", "groups", &format!("{INSOMNIA}:role")] {
        let body = patch(json!({ "op": "replace", "path": attribute, "value": "x" }));
        client.patch(&path, body).refusal(400, "mutability");
        client.patch(&path, patch(json!({ "op": "remove", "path": attribute }))).refusal(400, "mutability");
    }
    assert_eq!(client.get(&path).resource(200), created);
}

/// The text with lower and upper case exchanged.
fn other_case(text: &str) -> String {
    let exchange = |c: char| match c {
        'a'..='z' => c.to_ascii_uppercase(),
        _ => c.to_ascii_lowercase(),
    };
    text.chars().map(exchange).collect()
}

#[test]
fn rfc_037_exact_attributes_are_compared_with_case() {
    let client = client();
    let created = create(json!({}));
    for name in ["id", "externalId"] {
        let value = other_case(&text(&created, name));
        assert_ne!(json!(value), created[name], "a letter is needed here");
        let filter = encode(&format!("{name} eq \"{value}\""));
        client.get(&format!("/Users?filter={filter}")).none();
    }
    client.get(&format!("/Users/{}", other_case(&id(&created)))).error(404);
}
