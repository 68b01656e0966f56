//! Header fields: media types, conditions and challenges.

use serde_json::{Value, json};

use super::Connector;
use crate::protocol::message::Response;
use crate::store::Options;

#[test]
fn rfc_7644_3_1_the_media_type_of_a_body_that_is_not_read_does_not_matter() {
    let connector = Connector::new(10);
    let id = connector.create("ada@example.com");
    let path = format!("/Users/{id}");
    let text = [("content-type", "text/plain")];
    assert_eq!(connector.send_with("GET", &path, &text, b"hello".to_vec()).0.status, 200);
    assert_eq!(connector.send_with("PUT", &path, &text, b"{}".to_vec()).0.status, 415);
    assert_eq!(connector.send_with("DELETE", &path, &text, b"hello".to_vec()).0.status, 204);
    assert_eq!(connector.send_with("POST", "/Users", &text, b"{}".to_vec()).0.status, 415);
}

#[test]
fn rfc_002_rfc_9728_the_challenge_names_the_metadata_of_the_connector_url() {
    let connector = Connector::new(10);
    let (response, _) = connector.send_with("GET", "/Users", &[("authorization", "Bearer nonsense")], Vec::new());
    let challenge = response.headers.iter().find(|(name, _)| name == "www-authenticate").unwrap().1.as_str();
    let expected = "resource_metadata=\"https://scim.example/.well-known/oauth-protected-resource/scim/v2/org\"";
    assert!(challenge.starts_with("Bearer realm=\"SCIM\"") && challenge.ends_with(expected), "{challenge}");
}

#[test]
fn t16_basic_authentication_is_offered_where_it_is_taken() {
    let offered = |connector: &Connector| {
        let (response, _) = connector.send_with("GET", "/Users", &[("authorization", "Bearer nonsense")], Vec::new());
        assert_eq!(response.status, 401);
        let challenges = response.headers.iter().filter(|(name, _)| name == "www-authenticate");
        let schemes: Vec<String> = challenges.map(|(_, value)| value.split(' ').next().unwrap().to_owned()).collect();
        let (_, config) = connector.send("GET", "/ServiceProviderConfig", None);
        let kinds = config["authenticationSchemes"].as_array().unwrap().iter();
        (schemes, kinds.map(|scheme| scheme["type"].clone()).collect::<Vec<_>>())
    };
    let (schemes, kinds) = offered(&Connector::new(10));
    assert_eq!((schemes, kinds), (vec!["Bearer".to_owned()], vec![json!("oauthbearertoken"), json!("oauth2")]));
    let basic = Connector::with(10, Options { basic_authentication: true, ..Options::default() });
    let (schemes, kinds) = offered(&basic);
    assert_eq!(schemes, ["Bearer", "Basic"]);
    assert_eq!(kinds.last(), Some(&json!("httpbasic")));
}

fn etag(response: &Response) -> String {
    response.headers.iter().find(|(name, _)| name == "etag").map(|(_, value)| value.clone()).unwrap()
}

/// The paths of a user and of a group with this user.
fn crew(connector: &Connector) -> (String, String) {
    let id = connector.create("ada@example.com");
    let body = json!({"displayName": "Crew", "members": [{"value": id}]});
    let (_, group) = connector.send("POST", "/Groups", Some(body));
    (format!("/Users/{id}"), format!("/Groups/{}", group["id"].as_str().unwrap()))
}

fn rename(connector: &Connector, path: &str, name: &str) {
    let (response, _) = connector.patch(path, json!([{"op": "replace", "path": "displayName", "value": name}]));
    assert_eq!(response.status, 200);
}

#[test]
fn r124_a_changed_representation_is_never_304() {
    let connector = Connector::new(10);
    let (user, group) = crew(&connector);
    let get = |target: &str, known: &str| connector.send_with("GET", target, &[("if-none-match", known)], Vec::new());
    for (shown, renamed, of) in [(&user, &group, "groups"), (&group, &user, "members")] {
        for target in [shown.clone(), format!("{shown}?attributes={of},meta")] {
            let (first, before) = connector.send("GET", &target, None);
            assert_eq!(before["meta"]["version"], etag(&first).as_str());
            assert_eq!(get(&target, &etag(&first)).0.status, 304, "{target}");
            rename(&connector, renamed, &format!("New {target}"));
            let (second, after) = get(&target, &etag(&first));
            assert_eq!(second.status, 200, "{target}");
            assert_eq!(after[of][0]["display"], format!("New {target}").as_str());
            assert_ne!(etag(&first), etag(&second));
            assert_eq!(after["meta"]["version"], etag(&second).as_str());
            assert_eq!(get(&target, &etag(&second)).0.status, 304, "{target}");
            let (_, list) = connector.send("GET", if of == "groups" { "/Users" } else { "/Groups" }, None);
            assert_eq!(list["Resources"][0]["meta"]["version"], etag(&second).as_str(), "in a list too");
        }
    }
    let target = format!("{user}?excludedAttributes=groups");
    let (first, _) = connector.send("GET", &target, None);
    rename(&connector, &group, "Other");
    assert_eq!(get(&target, &etag(&first)).0.status, 304, "what is not shown has not changed it");
}

#[test]
fn r125_every_version_that_was_shown_and_is_current_allows_a_change() {
    let connector = Connector::new(10);
    let (user, group) = crew(&connector);
    rename(&connector, &group, "Other");
    let (whole, _) = connector.send("GET", &user, None);
    let (part, _) = connector.send("GET", &format!("{user}?attributes=title"), None);
    let change = |known: &str, title: &str| {
        let body = json!({"Operations": [{"op": "replace", "path": "title", "value": title}]});
        let (response, user) =
            connector.send_with("PATCH", &user, &[("if-match", known)], body.to_string().into_bytes());
        (response.status, user)
    };
    assert_eq!(change(&etag(&part), "Dr").0, 200);
    assert_eq!(change(&etag(&whole), "Prof").0, 412, "it has changed");
    let (whole, _) = connector.send("GET", &user, None);
    let (status, changed): (u16, Value) = change(&etag(&whole), "Prof");
    assert_eq!(status, 200);
    let (again, _) = connector.send("GET", &user, None);
    assert_eq!(changed["meta"]["version"], etag(&again).as_str());
    rename(&connector, &group, "Another");
    assert_eq!(change(&etag(&again), "Sir").0, 200, "the user itself is as it was shown");
}

#[test]
fn rfc_124_a_304_says_where_the_resource_is_as_its_200_does() {
    let connector = Connector::new(10);
    let (user, _) = crew(&connector);
    let (whole, _) = connector.send("GET", &user, None);
    let (known, _) = connector.send_with("GET", &user, &[("if-none-match", &etag(&whole))], Vec::new());
    assert_eq!((known.status, etag(&known)), (304, etag(&whole)));
    let field = |response: &Response, wanted: &str| {
        response.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
    };
    assert!(field(&whole, "content-location").is_some());
    assert_eq!(field(&known, "content-location"), field(&whole, "content-location"));
    assert_eq!(field(&known, "location"), None, "there is nowhere to go");
}

#[test]
fn rfc_125_if_match_holds_for_reading_too() {
    let connector = Connector::new(10);
    let (user, group) = crew(&connector);
    for target in [user, group] {
        let (whole, _) = connector.send("GET", &target, None);
        for (known, expected) in [(etag(&whole).as_str(), 200), ("*", 200), ("\"none\"", 412)] {
            for method in ["GET", "HEAD"] {
                let (response, _) = connector.send_with(method, &target, &[("if-match", known)], Vec::new());
                assert_eq!(response.status, expected, "{method} {target} {known}");
            }
        }
    }
}

#[test]
fn rfc_125_if_none_match_refuses_to_change_what_it_names() {
    let connector = Connector::new(10);
    let (user, group) = crew(&connector);
    rename(&connector, &group, "Other");
    let name = json!({"Operations": [{"op": "replace", "path": "displayName", "value": "New"}]});
    let change = |method: &str, target: &str, known: &str, body: &Value| {
        connector.send_with(method, target, &[("if-none-match", known)], body.to_string().into_bytes()).0.status
    };
    for target in [&user, &group] {
        let (whole, document) = connector.send("GET", target, None);
        let (part, _) = connector.send("GET", &format!("{target}?attributes=id"), None);
        for known in ["*", &etag(&whole), &etag(&part)] {
            assert_eq!(change("PATCH", target, known, &name), 412, "{target} {known}");
            assert_eq!(change("PUT", target, known, &document), 412, "{target} {known}");
            assert_eq!(change("DELETE", target, known, &Value::Null), 412, "{target} {known}");
        }
        assert_eq!(connector.send("GET", target, None).1, document, "nothing has changed");
        assert_eq!(change("PATCH", target, "\"none\"", &name), 200, "{target}");
    }
    assert_eq!(change("PATCH", "/Users/none", "*", &name), 404);
    let known = etag(&connector.send("GET", &user, None).0);
    let fields = [("if-none-match", "\"none\""), ("if-none-match", known.as_str())];
    let (refused, _) = connector.send_with("DELETE", &user, &fields, Vec::new());
    assert_eq!(refused.status, 412, "a list may come in several fields of one name");
}

#[test]
fn t34_endpoints_are_found_in_any_letter_case_unless_strict() {
    let (connector, strict) = (Connector::new(100), Connector::strict());
    for path in [
        "/users",
        "/GROUPS",
        "/v2/users",
        "/serviceproviderconfig",
        "/schemas",
        "/resourcetypes/User",
        "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
    ] {
        assert_eq!(connector.send("GET", path, None).0.status, 200, "{path}");
        let is_to_the_letter = path.starts_with("/Schemas");
        assert_eq!(strict.send("GET", path, None).0.status, if is_to_the_letter { 200 } else { 404 }, "{path}");
    }
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]});
    assert_eq!(connector.send("POST", "/users/.search", Some(search.clone())).0.status, 200);
    assert_eq!(strict.send("POST", "/users/.search", Some(search.clone())).0.status, 404);
    for (path, to_the_letter) in [("/.Search", 404), ("/Users/.SEARCH", 405)] {
        assert_eq!(connector.send("POST", path, Some(search.clone())).0.status, 200, "{path}");
        assert_eq!(strict.send("POST", path, Some(search.clone())).0.status, to_the_letter, "{path}");
    }
    let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@example.com"});
    let bulk = |path: &str| {
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "POST", "path": path, "bulkId": "a", "data": user}]})
    };
    let (_, done) = connector.send("POST", "/bulk", Some(bulk("/users")));
    assert_eq!(done["Operations"][0]["status"], json!("201"), "{done}");
    let (_, refused) = strict.send("POST", "/Bulk", Some(bulk("/users")));
    assert_eq!(refused["Operations"][0]["status"], json!("404"), "{refused}");
    for path in ["/userz", "/user", "/serviceproviderconfigs"] {
        assert_eq!(connector.send("GET", path, None).0.status, 404, "{path}");
    }
}
