//! The content of tokens.

use insomnia_scim_contract::StreamEvent;

use super::*;
use crate::directory;

/// Checks that `version` is the ETag of a following GET, and that the token has no other members than it should.
fn assert_form(organization: &TestOrganization, claims: &Value, path: &str) {
    for absent in ["sub", "exp"] {
        assert!(claims.get(absent).is_none(), "{claims}");
    }
    assert_eq!((claims["iss"].as_str(), &claims["aud"]), (Some(CONNECTOR), &json!(["https://rp.example/7"])));
    assert_eq!((claims["txn"].as_str(), claims["sub_id"]["format"].as_str()), (Some("r1"), Some("scim")));
    assert_eq!(claims["sub_id"]["uri"], path);
    assert_eq!((claims["toe"].as_u64(), &claims["iat"]), (Some(organization.store().now() / 1_000), &claims["toe"]));
    assert!(!claims.to_string().contains("7351"), "{claims}");
    let (status, body) = organization.scim("GET", path, None);
    for (uri, payload) in claims["events"].as_object().unwrap() {
        let (data, attributes) = (payload.get("data"), payload.get("attributes"));
        if uri.ends_with(":full") || uri.ends_with(":notice") {
            assert_eq!((data.is_some(), attributes.is_some()), (uri.ends_with(":full"), uri.ends_with(":notice")));
            assert_eq!((status, &payload["version"]), (200, &body["meta"]["version"]));
        } else {
            assert_eq!(*payload, json!({}), "{uri}");
        }
    }
}

/// The only new token, in the form of the RFC.
fn one(organization: &TestOrganization, stream: &IssuedEventStream, path: &str) -> Value {
    let mut tokens = fresh(organization, stream);
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    let claims = tokens.remove(0);
    assert_form(organization, &claims, path);
    claims
}

#[test]
fn p6_each_change_of_a_user_is_one_token_that_names_what_changed() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Notice);
    let id = create(&organization, "ada");
    let path = format!("/Users/{id}");
    let claims = one(&organization, &stream, &path);
    assert_eq!(claims["sub_id"]["externalId"], "x-ada");
    let created = payload(&claims, "prov:create:notice")["attributes"].as_array().unwrap();
    for name in ["userName", "title", "name", "active", "urn:insomnia:params:scim:schemas:extension:1.0:User:role"] {
        assert!(created.contains(&json!(name)), "{name}: {created:?}");
    }

    let operations = json!([
        {"op": "replace", "path": "name.familyName", "value": "King"},
        {"op": "remove", "path": "title"},
        {"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "R&D"},
    ]);
    change(&organization, &path, operations);
    let claims = one(&organization, &stream, &path);
    let department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
    assert_eq!(payload(&claims, "prov:patch:notice")["attributes"], json!(["title", "name.familyName", department]));

    let put = json!({"userName": "ada@example.com", "externalId": "x-ada", "title": "Countess", "active": true});
    assert_eq!(organization.scim("PUT", &path, Some(put)).0, 200);
    let claims = one(&organization, &stream, &path);
    assert_eq!(names(&claims), ["prov:put:notice"]);

    change(&organization, &path, json!([{"op": "replace", "path": "active", "value": false}]));
    let claims = one(&organization, &stream, &path);
    assert_eq!(names(&claims), ["prov:patch:notice", "prov:deactivate"]);
    change(&organization, &path, json!([{"op": "replace", "path": "active", "value": true}]));
    assert_eq!(names(&one(&organization, &stream, &path)), ["prov:patch:notice", "prov:activate"]);

    change(&organization, &path, json!([{"op": "replace", "path": "title", "value": "Countess"}]));
    assert!(fresh(&organization, &stream).is_empty(), "a request that changes nothing");
    directory::set_role(&organization.store(), &id, crate::store::Role::CoOwner).unwrap();
    let role = "urn:insomnia:params:scim:schemas:extension:1.0:User:role";
    assert_eq!(payload(&fresh(&organization, &stream)[0], "prov:patch:notice")["attributes"], json!([role]));
    assert_eq!(organization.scim("DELETE", &path, None).0, 204);
    assert_eq!(names(&one(&organization, &stream, &path)), ["prov:delete"]);
}

#[test]
fn p6_a_full_event_has_what_scim_shows_and_a_patch_that_leads_there() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Full);
    let id = create(&organization, "ada");
    let path = format!("/Users/{id}");
    let shown = |path: &str| organization.scim("GET", path, None).1;
    let claims = one(&organization, &stream, &path);
    assert_eq!(payload(&claims, "prov:create:full")["data"], shown(&path));

    let put = json!({"userName": "ada@example.com", "title": "Countess", "active": true});
    assert_eq!(organization.scim("PUT", &path, Some(put)).0, 200);
    let claims = one(&organization, &stream, &path);
    assert_eq!(payload(&claims, "prov:put:full")["data"], shown(&path));

    let operations = json!([
        {"op": "replace", "path": "title", "value": "Programmer"},
        {"op": "add", "path": "nickName", "value": "Ada"},
        {"op": "remove", "path": "externalId"},
    ]);
    change(&organization, &path, operations);
    let claims = one(&organization, &stream, &path);
    let expected = json!([
        {"op": "replace", "path": "title", "value": "Programmer"},
        {"op": "add", "path": "nickName", "value": "Ada"},
    ]);
    let data = payload(&claims, "prov:patch:full")["data"].clone();
    assert_eq!(data["Operations"], expected, "it had no externalId any more");

    let long = "x".repeat(65_500);
    change(&organization, &path, json!([{"op": "replace", "path": "title", "value": long}]));
    let claims = one(&organization, &stream, &path);
    assert_eq!(payload(&claims, "prov:patch:notice")["attributes"], json!(["title"]), "too large for a full event");
}

#[test]
fn p6_each_change_of_a_group_is_one_token_with_its_members() {
    let organization = organization();
    let [notice, full] = [EventDetail::Notice, EventDetail::Full].map(|detail| polled(&organization, detail));
    let [ada, bob] = ["ada", "bob"].map(|name| create(&organization, name));
    let skipped = [fresh(&organization, &notice).len(), fresh(&organization, &full).len()];
    assert_eq!(skipped, [2, 2]);
    let group = json!({"displayName": "Engineers", "members": [{"value": ada}]});
    let (_, body) = organization.scim("POST", "/Groups", Some(group));
    let path = format!("/Groups/{}", body["id"].as_str().unwrap());
    let claims = one(&organization, &notice, &path);
    assert_eq!(payload(&claims, "prov:create:notice")["attributes"], json!(["displayName", "members"]));
    let claims = one(&organization, &full, &path);
    let mut shown = organization.scim("GET", &path, None).1;
    let told = &payload(&claims, "prov:create:full")["data"];
    // Tokens about a team have no names of members: the members' own events report the names.
    shown["members"][0].as_object_mut().unwrap().remove("display");
    assert_eq!(told["members"].as_array().map(Vec::len), Some(1));
    assert_eq!(*told, shown);

    let operations = json!([
        {"op": "add", "path": "members", "value": [{"value": bob}]},
        {"op": "remove", "path": format!("members[value eq \"{ada}\"]")},
    ]);
    change(&organization, &path, operations);
    let claims = one(&organization, &notice, &path);
    assert_eq!(payload(&claims, "prov:patch:notice")["attributes"], json!(["members"]));
    let claims = one(&organization, &full, &path);
    let expected = json!([
        {"op": "add", "path": "members", "value": [{"value": bob, "type": "User"}]},
        {"op": "remove", "path": format!("members[value eq \"{ada}\"]")},
    ]);
    assert_eq!(payload(&claims, "prov:patch:full")["data"]["Operations"], expected);

    let put = json!({"displayName": "Makers", "members": [{"value": bob}]});
    assert_eq!(organization.scim("PUT", &path, Some(put)).0, 200);
    let claims = one(&organization, &notice, &path);
    assert_eq!(payload(&claims, "prov:patch:notice")["attributes"], json!(["displayName"]), "few members of it change");
    assert_eq!(organization.scim("DELETE", &path, None).0, 204);
    assert_eq!(names(&one(&organization, &notice, &path)), ["prov:delete"]);
}

#[test]
fn p6_what_scim_does_not_list_is_not_told_until_it_joins() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Full);
    let by_hand = |name: &str| insomnia_scim_contract::NewMember {
        email: format!("{name}@example.com"),
        display_name: name.to_owned(),
        role: crate::store::Role::Member,
        passphrase: None,
    };
    crate::testing::add_member(&organization.store(), &by_hand("mia")).unwrap();
    directory::add_team(&organization.store(), "Writers", &[]).unwrap();
    assert!(fresh(&organization, &stream).is_empty());
    create(&organization, "mia");
    assert_eq!(names(&fresh(&organization, &stream)[0]), ["feed:add", "prov:patch:notice"], "she is adopted");
    organization.scim("POST", "/Groups", Some(json!({"displayName": "Writers"})));
    assert_eq!(names(&fresh(&organization, &stream)[0]), ["feed:add", "prov:patch:notice"]);
    directory::remove_member(&organization.store(), "mia@example.com").unwrap();
    let gone = fresh(&organization, &stream).remove(0);
    assert_eq!((names(&gone), gone["txn"].as_str().map(str::len)), (vec!["prov:delete"], Some(36)));
    organization.change(|record| record.options.list_manual = true).unwrap();
    crate::testing::add_member(&organization.store(), &by_hand("nat")).unwrap();
    assert_eq!(names(&fresh(&organization, &stream)[0]), ["prov:create:full"]);
}

#[test]
fn p6_all_tokens_of_a_request_have_its_transaction_and_an_id_of_their_own() {
    let organization = organization();
    let single = NewEventStream { single_events: true, ..new(EventDetail::Notice) };
    let streams = [add(&organization, single), polled(&organization, EventDetail::Notice)];
    let user = |name: &str| json!({"method": "POST", "path": "/Users", "bulkId": name, "data": {"userName": format!("{name}@example.com")}});
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [user("ada"), user("bob")],
    });
    assert_eq!(organization.scim("POST", "/Bulk", Some(bulk)).0, 200);
    let id =
        organization.scim("GET", "/Users?filter=userName%20eq%20%22ada@example.com%22", None).1["Resources"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
    let all: Vec<Vec<Value>> = streams.iter().map(|stream| fresh(&organization, stream)).collect();
    let tokens: Vec<&Value> = all.iter().flatten().collect();
    assert_eq!(tokens.len(), 4);
    assert!(tokens.iter().all(|token| token["txn"] == "r1"));
    let mut ids: Vec<&str> = tokens.iter().filter_map(|token| token["jti"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    change(&organization, &format!("/Users/{id}"), json!([{"op": "replace", "path": "active", "value": false}]));
    let single = fresh(&organization, &streams[0]);
    let told: Vec<Vec<&str>> = single.iter().map(names).collect();
    assert_eq!(told, [["prov:patch:notice"], ["prov:deactivate"]], "in this order");
    assert_eq!(single[0]["txn"], single[1]["txn"]);
    assert_eq!(fresh(&organization, &streams[1]).len(), 1);
}

#[test]
fn p6_a_stream_has_the_events_that_were_chosen_and_no_others() {
    let organization = organization();
    let chosen = vec![StreamEvent::Deactivate, StreamEvent::Delete];
    let stream = add(&organization, NewEventStream { events: chosen, ..new(EventDetail::Full) });
    assert_eq!(stream.event_stream.event_uris, [format!("{EVENT}prov:delete"), format!("{EVENT}prov:deactivate")]);
    let id = create(&organization, "ada");
    change(&organization, &format!("/Users/{id}"), json!([{"op": "replace", "path": "active", "value": false}]));
    assert_eq!(names(&fresh(&organization, &stream)[0]), ["prov:deactivate"]);
    assert!(fresh(&organization, &stream).is_empty());
}

/// Attributes that the organization's own schema never returns are in no token, nor in the stored tokens.
#[test]
fn p6_what_scim_never_returns_is_in_no_token() {
    let urn = "urn:example:scim:schemas:2.0:Badge";
    let organization = organization();
    let attribute = |name: &str, returned: &str| json!({"name": name, "type": "string", "multiValued": false, "returned": returned});
    let schema = json!({"id": urn, "name": "Badge", "attributes": [attribute("number", "default"), attribute("entry", "never")]});
    let user = json!({
        "name": "User", "endpoint": "/Users", "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
        "schemaExtensions": [{"schema": urn, "required": false}],
    });
    let declaration = json!({"schemas": [schema], "resourceTypes": [user]}).to_string();
    directory::put_schemas(&organization.store(), &declaration).unwrap();
    let stream = polled(&organization, EventDetail::Full);
    let posted = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", urn], "userName": "ada@example.com",
        urn: {"number": "n1", "entry": "door7351"},
    });
    let (_, body) = organization.scim("POST", "/Users", Some(posted));
    let path = format!("/Users/{}", body["id"].as_str().unwrap());
    change(&organization, &path, json!([{"op": "replace", "path": format!("{urn}:entry"), "value": "gate7351"}]));
    change(&organization, &path, json!([{"op": "replace", "path": format!("{urn}:number"), "value": "n2"}]));
    let tokens = fresh(&organization, &stream);
    let told: Vec<Vec<&str>> = tokens.iter().map(names).collect();
    assert_eq!(told, [["prov:create:full"], ["prov:patch:full"]], "the second change is none that SCIM shows");
    let text = serde_json::to_string(&tokens).unwrap();
    assert!(text.contains("n1") && text.contains("n2") && !text.contains("7351"), "{text}");
}
