//! Requests that are broken, too large or meant to harm: each gets a SCIM error, and the server goes on.

use insomnia_scim_tests::client::{Request, encode};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{GROUP, PATCH, USER, id, patch};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::json;

/// Expects a refusal in the 400s with a SCIM error, and that the connection's server still answers.
#[track_caller]
fn refused(request: &Request) {
    let client = client();
    let response = client.send(request);
    if !(400..500).contains(&response.status) {
        response.fail("it is not refused");
    }
    response.error(response.status);
    let _ = client.get("/Users?count=0").list();
}

/// Expects a SCIM answer of any kind but a server error.
#[track_caller]
fn survived(request: &Request) {
    let client = client();
    let response = client.send(request);
    match response.status {
        204 => response.no_content(),
        200..=299 => drop(response.document(response.status)),
        400..=499 => drop(response.error(response.status)),
        _ => response.fail("neither served nor refused"),
    }
    let _ = client.get("/Users?count=0").list();
}

fn post(body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", "/Users").body(body.into())
}

#[test]
fn unknown_paths_are_404() {
    for path in
        ["/Nowhere", "/Users/x/y", "/Groups/x/members", "/users%2Fx", "/.search/x", "/Bulk/1", "/Schemas/urn:nobody"]
    {
        client().get(path).error(404);
    }
}

#[test]
fn wrong_methods_are_405_with_allow() {
    let client = client();
    let user = id(&seed::someone(&client, "methods"));
    let cases = [
        ("PUT", "/Users".to_owned()),
        ("PATCH", "/Users".to_owned()),
        ("DELETE", "/Users".to_owned()),
        ("DELETE", "/Groups".to_owned()),
        ("POST", format!("/Users/{user}")),
        ("GET", "/Bulk".to_owned()),
        ("PUT", "/Users/.search".to_owned()),
        ("PURGE", format!("/Users/{user}")),
    ];
    for (method, path) in cases {
        let mut request = Request::new(method, &path);
        if method != "GET" && method != "DELETE" {
            request = request.body("{}");
        }
        let response = client.send(&request);
        response.error(405);
        let allow = response.header("Allow").unwrap_or_default();
        if allow.is_empty() || allow.split(',').any(|allowed| allowed.trim() == method) {
            response.fail("Allow does not name the methods that there are");
        }
    }
}

#[test]
fn other_media_types_are_415() {
    let client = client();
    for media_type in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "nonsense",
    ] {
        let request = post(seed::user_request(&Person::new("x")).to_string()).header("Content-Type", media_type);
        client.send(&request).error(415);
    }
}

#[test]
fn a_user_over_1_mib_is_413() {
    let client = client();
    let mut request = seed::user_request(&Person::new("large"));
    request["displayName"] = json!("x".repeat(1024 * 1024));
    client.post("/Users", &request).error(413);
    let user = id(&seed::someone(&client, "large"));
    client.put(&format!("/Users/{user}"), &request).error(413);
}

#[test]
fn a_group_over_16_mib_is_413_and_one_below_is_not() {
    let client = client();
    let name = unique("large");
    let padded = |length: usize| {
        format!(r#"{{"schemas":["{GROUP}"],"displayName":"{name}","members":[]{}}}"#, " ".repeat(length))
    };
    client.post("/Groups", padded(16 * 1024 * 1024)).error(413);
    client.post("/Groups", padded(15 * 1024 * 1024)).resource(201);
    // As the ServiceProviderConfig says.
    client.post("/Bulk", padded(8 * 1024 * 1024)).error(413);
}

#[test]
fn malformed_json_is_invalid_syntax() {
    let client = client();
    let user = id(&seed::someone(&client, "malformed"));
    for body in [
        "",
        "{",
        "{\"schemas\":",
        "[",
        "nul",
        "{'a':1}",
        "{\"a\":1,}",
        "{\"a\":1} x",
        "\u{feff}",
        "<user/>",
        "{\"a\":\"\u{1}\"}",
    ] {
        client.post("/Users", body).refusal(400, "invalidSyntax");
        client.put(&format!("/Users/{user}"), body).refusal(400, "invalidSyntax");
        client.patch(&format!("/Users/{user}"), body).refusal(400, "invalidSyntax");
    }
}

#[test]
fn json_that_is_no_object_is_invalid_syntax() {
    let client = client();
    let user = id(&seed::someone(&client, "object"));
    for body in ["[]", "\"text\"", "17", "null", "true"] {
        client.post("/Users", body).refusal(400, "invalidSyntax");
        client.post("/Groups", body).refusal(400, "invalidSyntax");
        client.post("/Bulk", body).refusal(400, "invalidSyntax");
        client.patch(&format!("/Users/{user}"), body).refusal(400, "invalidSyntax");
    }
}

#[test]
fn deep_nesting_is_refused() {
    for depth in [200, 10_000, 400_000] {
        refused(&post(format!("{}{}", "[".repeat(depth), "]".repeat(depth))));
        refused(&post("[".repeat(depth)));
    }
    for depth in [1_000, 10_000, 100_000] {
        let nested = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        refused(&post(format!(r#"{{"schemas":["{USER}"],"userName":"{}","x":{nested}}}"#, unique("deep"))));
    }
    let user = id(&seed::someone(&client(), "deep"));
    let value = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let body = format!(r#"{{"schemas":["{PATCH}"],"Operations":[{{"op":"add","value":{{"x":{value}}}}}]}}"#);
    refused(&Request::new("PATCH", &format!("/Users/{user}")).body(body));
}

#[test]
fn deep_filters_are_invalid_filters() {
    let client = client();
    let comparison = "userName eq \"a\"";
    let filters = [
        format!("{}{comparison}{}", "(".repeat(2_000), ")".repeat(2_000)),
        "(".repeat(3_000),
        format!("{}{comparison}{}", "not (".repeat(1_000), ")".repeat(1_000)),
        "emails[".repeat(500),
    ];
    for filter in filters {
        client.get(&format!("/Users?filter={}", encode(&filter))).refusal(400, "invalidFilter");
        let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter });
        client.post("/Users/.search", search).refusal(400, "invalidFilter");
    }
    let long: Vec<&str> = vec![comparison; 20_000];
    let search =
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": long.join(" or ") });
    client.post("/Users/.search", search).refusal(400, "invalidFilter");
}

#[test]
fn deep_patch_paths_are_refused() {
    let user = id(&seed::someone(&client(), "deep"));
    for path in [
        format!("emails[{}value eq \"a\"{}]", "(".repeat(5_000), ")".repeat(5_000)),
        "a.".repeat(10_000),
        "[".repeat(10_000),
        ":".repeat(10_000),
    ] {
        let body = patch(json!({ "op": "replace", "path": path, "value": "x" }));
        refused(&Request::new("PATCH", &format!("/Users/{user}")).body(body));
    }
}

#[test]
fn huge_numbers_are_refused_or_ignored() {
    for number in ["1e400", "-1e400", "123456789012345678901234567890", "1.7976931348623157e309", "0.1e-999999"] {
        survived(&post(format!(r#"{{"schemas":["{USER}"],"userName":"{}","x":{number}}}"#, unique("number"))));
        refused(&post(format!(r#"{{"schemas":["{USER}"],"userName":{number}}}"#)));
        refused(&post(format!(r#"{{"schemas":["{USER}"],"userName":"{}","active":{number}}}"#, unique("number"))));
    }
    for query in [
        "startIndex=99999999999999999999",
        "count=99999999999999999999",
        "startIndex=-99999999999999999999",
        "count=1e3",
    ] {
        survived(&Request::new("GET", &format!("/Users?{query}")));
    }
}

#[test]
fn nul_bytes_are_kept_or_refused() {
    survived(&post(format!(r#"{{"schemas":["{USER}"],"userName":"{}\u0000x"}}"#, unique("nul"))));
    refused(&post(b"\0\0\0".to_vec()));
    survived(&Request::new("GET", "/Users?filter=userName+eq+%22a%00b%22"));
    survived(&Request::new("GET", "/Users?filter=%00"));
    survived(&Request::new("GET", "/Users/%00"));
}

#[test]
fn invalid_utf_8_is_refused() {
    let mut body = format!(r#"{{"schemas":["{USER}"],"userName":"{}"#, unique("utf8")).into_bytes();
    body.extend_from_slice(b"\xff\xfe\"}");
    client().send(&post(body)).refusal(400, "invalidSyntax");
    survived(&Request::new("GET", "/Users?filter=userName+eq+%22%ff%fe%22"));
    refused(&Request::new("GET", "/Users/%ff%fe"));
    survived(&Request::new("GET", "/Users?%ff=%fe"));
    survived(&Request::new("GET", "/Users?filter=userName+eq+%22%e2%82"));
    survived(&Request::new("GET", "/Users?filter=userName%"));
    survived(&Request::new("GET", "/Users?attributes=%zz"));
}

#[test]
fn lone_surrogates_are_refused() {
    for escape in ["\\ud800", "\\udc00", "\\ud800\\ud800", "\\ud83d x"] {
        let body = format!(r#"{{"schemas":["{USER}"],"userName":"{}{escape}"}}"#, unique("surrogate"));
        client().post("/Users", body).refusal(400, "invalidSyntax");
    }
}

#[test]
fn repeated_keys_do_not_confuse() {
    let name = unique("repeated");
    let body = format!(r#"{{"schemas":["{USER}"],"userName":"{name}","userName":"{name}-2","USERNAME":"{name}-3"}}"#);
    survived(&post(body));
}

#[test]
fn many_operations_are_refused_or_done() {
    let user = id(&seed::someone(&client(), "many"));
    let operations: Vec<_> =
        (0..10_000).map(|index| json!({ "op": "replace", "path": "title", "value": index.to_string() })).collect();
    survived(&Request::new("PATCH", &format!("/Users/{user}")).body(patch(json!(operations))));
}

#[test]
fn many_values_are_refused_or_kept() {
    let mut request = seed::user_request(&Person::new("many"));
    request["roles"] = (0..20_000).map(|index| json!({ "value": index.to_string() })).collect();
    survived(&post(request.to_string()));
}

#[test]
fn wrong_types_of_values_are_invalid_values() {
    let client = client();
    for (name, value) in [
        ("userName", json!({})),
        ("userName", json!(["a", "b"])),
        ("name", json!("text")),
        ("emails", json!([{ "value": { "a": 1 } }])),
        ("active", json!(3)),
        ("active", json!({})),
    ] {
        let mut request = seed::user_request(&Person::new("types"));
        request[name] = value.clone();
        client.post("/Users", request).refusal(400, "invalidValue");
    }
}

#[test]
fn empty_member_objects_are_invalid_values() {
    let client = client();
    for member in [json!({}), json!({ "value": "" }), json!({ "value": null }), json!([[]])] {
        let body = json!({ "schemas": [GROUP], "displayName": unique("empty"), "members": [member] });
        client.post("/Groups", body).refusal(400, "invalidValue");
    }
}

#[test]
fn long_urls_and_headers_are_refused_or_served() {
    let client = client();
    for length in [8_000, 60_000, 200_000] {
        let path = format!("/Users?filter=userName+eq+%22{}%22", "x".repeat(length));
        let response = client.send(&Request::new("GET", &path));
        assert!(response.status < 500, "{}", response.status);
    }
    let response =
        client.send(&Request::new("GET", "/Users?count=0").header("If-None-Match", &"\"x\", ".repeat(2_000)));
    assert!(response.status < 500, "{response}");
}
