//! RFC 7644 §3.14: versions (rules R123 to R126).

use insomnia_scim_tests::client::Request;
use insomnia_scim_tests::person::unique;
use insomnia_scim_tests::scim::{id, patch, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::{Value, json};

fn title(value: &str) -> Value {
    patch(json!({ "op": "replace", "path": "title", "value": value }))
}

#[test]
fn rfc_123_every_answer_has_the_version() {
    let client = client();
    let created = seed::someone(&client, "version");
    let path = format!("/Users/{}", id(&created));
    let responses = [client.get(&path), client.put(&path, &created), client.patch(&path, title("x"))];
    for response in responses {
        let version = text(&response.resource(200)["meta"], "version");
        assert_eq!(response.header("ETag"), Some(version.as_str()));
        assert!(version.starts_with("W/\"") && version.ends_with('"'), "{version}");
    }
    let group = seed::group(&client, &unique("version"), &[]);
    assert_eq!(client.get(&format!("/Groups/{}", id(&group))).header("ETag"), group["meta"]["version"].as_str());
}

#[test]
fn rfc_124_if_none_match_is_304_without_a_body() {
    let client = client();
    let created = seed::someone(&client, "none.match");
    let version = text(&created["meta"], "version");
    let get = |value: &str| {
        client.send(&Request::new("GET", &format!("/Users/{}", id(&created))).header("If-None-Match", value))
    };
    for hit in
        [version.clone(), "*".to_owned(), format!("W/\"x\", {version}"), version.trim_start_matches("W/").to_owned()]
    {
        let response = get(&hit);
        response.is(304);
        assert!(response.body.is_empty());
        assert_eq!(response.header("ETag"), Some(version.as_str()));
    }
    get("W/\"other\"").resource(200);
    get("garbage").resource(200);
}

#[test]
fn rfc_9110_15_4_5_a_304_has_the_fields_of_the_200() {
    let client = client();
    let created = seed::someone(&client, "not.modified");
    let path = format!("/Users/{}", id(&created));
    let known = client.send(&Request::new("GET", &path).header("If-None-Match", "*"));
    known.is(304);
    let read = client.get(&path);
    for field in ["Vary", "ETag", "Content-Location", "Cache-Control"] {
        assert!(read.header(field).is_some(), "{field}");
        assert_eq!(known.header(field), read.header(field), "{field}");
    }
}

#[test]
fn rfc_125_if_match_guards_writes() {
    let client = client();
    let created = seed::someone(&client, "match");
    let path = format!("/Users/{}", id(&created));
    let old = text(&created["meta"], "version");
    let new = text(&client.patch(&path, title("new")).resource(200)["meta"], "version");
    assert_ne!(old, new);
    for request in [
        Request::new("PATCH", &path).body(title("stale")),
        Request::new("PUT", &path).body(&created),
        Request::new("DELETE", &path),
    ] {
        client.send(&request.header("If-Match", &old)).error(412);
    }
    let read = client.get(&path).resource(200);
    assert_eq!((&read["title"], &read["meta"]["version"]), (&json!("new"), &json!(new)));
    let with = |value: &str| Request::new("PATCH", &path).header("If-Match", value);
    let newer = client.send(&with(&new).body(title("newer"))).resource(200);
    client.send(&with("*").body(title("newest"))).resource(200);
    client.send(&with(&format!("W/\"x\", {}", text(&newer["meta"], "version"))).body(title("stale"))).error(412);
    client.send(&Request::new("DELETE", &path).header("If-Match", "*")).no_content();
    client.send(&Request::new("DELETE", &path).header("If-Match", "*")).error(404);
}

#[test]
fn rfc_126_a_groups_version_changes_with_its_members() {
    let client = client();
    let user = id(&seed::someone(&client, "member"));
    let group = seed::group(&client, &unique("versions"), &[]);
    let path = format!("/Groups/{}", id(&group));
    let add = patch(json!({ "op": "add", "path": "members", "value": [{ "value": user }] }));
    let added = client.patch(&path, &add).resource(200);
    assert_ne!(added["meta"]["version"], group["meta"]["version"]);
    let request = Request::new("PATCH", &path).header("If-Match", &text(&group["meta"], "version")).body(&add);
    client.send(&request).error(412);
    let read = client.get(&path).resource(200);
    assert_eq!(read["meta"], added["meta"], "the refused write changed nothing");
}

#[test]
fn no_change_keeps_version_and_time() {
    let client = client();
    let created = seed::someone(&client, "no.change");
    let path = format!("/Users/{}", id(&created));
    let bodies = [
        patch(json!({ "op": "replace", "path": "displayName", "value": created["displayName"] })),
        patch(json!({ "op": "add", "path": "emails", "value": created["emails"] })),
        patch(json!({ "op": "remove", "path": "title" })),
        patch(json!({ "op": "replace", "value": { "active": true } })),
    ];
    for body in bodies {
        assert_eq!(client.patch(&path, &body).resource(200), created, "{body}");
    }
}
