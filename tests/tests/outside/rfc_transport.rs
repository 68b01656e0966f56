//! RFC 7644 §1.3, §2, §3.8, §3.12: URIs, authentication, media types, errors (rules R1 to R13).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use insomnia_scim_tests::client::{Client, Request, encode};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{ERROR, USER, id, patch, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{client, shared};
use serde_json::{Value, json};

#[test]
fn rfc_001_endpoints_are_relative_to_the_base_uri() {
    let url = client().url();
    assert!(!url.contains('?') && !url.ends_with('/'), "{url}");
    assert!(url.contains("/scim/v2/"), "{url}");
    let created = seed::someone(&client(), "base");
    assert_eq!(text(&created["meta"], "location"), format!("{url}/Users/{}", id(&created)));
}

#[test]
fn rfc_001_another_version_is_refused() {
    let url = client().url().replace("/scim/v2/", "/scim/v9/");
    let response = Client::new(&url, &shared().demo().token).get("/Users");
    assert!([400, 404].contains(&response.status), "{response}");
    response.error(response.status);
}

#[test]
fn rfc_001_the_version_may_stand_before_the_endpoint() {
    let client = client();
    let user = id(&seed::someone(&client, "version"));
    client.get(&format!("/v2/Users/{user}")).resource(200);
    client.get(&format!("/v1/Users/{user}")).refusal(400, "invalidVers");
}

#[test]
fn rfc_002_401_names_the_schemes() {
    let response = client().without("Authorization").get("/Users");
    response.error(401);
    assert!(response.header("WWW-Authenticate").is_some_and(|value| value.starts_with("Bearer")), "{response}");
}

#[test]
fn rfc_002_rfc_9728_a_401_leads_to_the_authorization_server() {
    for authorization in [None, Some("Bearer wrong")] {
        let bare = client().without("Authorization");
        let refused = authorization.map_or(bare.clone(), |value| bare.header("Authorization", value)).get("/Users");
        let challenge = refused.header("WWW-Authenticate").expect("a challenge");
        let (_, url) = challenge.split_once("resource_metadata=\"").expect("where the metadata are");
        let (url, _) = url.split_once('"').expect("the end of the URL");
        let connector = client().url();
        let metadata = Client::bare(url).get("").is(200).json();
        assert_eq!(metadata["resource"], json!(connector), "RFC 9728 §3.3: it is the one that was asked for");
        assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
        let issuer = metadata["authorization_servers"][0].as_str().expect("an issuer");
        let (origin, path) = issuer.split_at(issuer.find("/oauth/").expect("the path of an issuer"));
        let server = Client::bare(origin).get(&format!("/.well-known/oauth-authorization-server{path}")).is(200).json();
        assert_eq!((&server["issuer"], &server["scopes_supported"]), (&json!(issuer), &metadata["scopes_supported"]));
    }
}

#[test]
fn rfc_006_unknown_query_parameters_are_ignored() {
    let user = id(&seed::someone(&client(), "unknown"));
    client().get(&format!("/Users/{user}?foo=bar&pretty=true")).resource(200);
    let _ = client().get("/Users?count=1&foo=bar&foo=baz&=x&%20").list();
}

#[test]
fn rfc_007_urls_are_percent_decoded() {
    let client = client();
    let name = unique("Jörg+Ünal");
    let user = id(&client.post("/Users", json!({ "schemas": [USER], "userName": name })).resource(201));
    for query in [
        format!("filter={}", encode(&format!("userName eq \"{name}\""))),
        format!("filter=userName+eq+%22{}%22", encode(&name)),
        format!("%66ilter={}", encode(&format!("userName eq \"{name}\""))),
    ] {
        assert_eq!(id(&client.get(&format!("/Users?{query}")).only()), user, "{query}");
    }
    let encoded: String = user.bytes().map(|byte| format!("%{byte:02x}")).collect();
    assert_eq!(id(&client.get(&format!("/Users/{encoded}")).resource(200)), user);
}

#[test]
fn rfc_008_bodies_are_utf_8() {
    let name = "Zoë Наталья 陳大文 🧑‍🚀 \u{202e}";
    let mut request = seed::user_request(&Person::new("utf8"));
    request["displayName"] = json!(name);
    let created = client().post("/Users", &request).resource(201);
    assert_eq!(created["displayName"], json!(name));
    let escaped = request.to_string().replace('ë', "\\u00eb").replace("🧑", "\\ud83e\\uddd1");
    let escaped = escaped.replace(&text(&request, "userName"), &format!("{}@example.com", unique("escaped")));
    let escaped = escaped.replace(request["emails"][0]["value"].as_str().expect("an address"), &unique("e"));
    assert_eq!(client().post("/Users", escaped).resource(201)["displayName"], json!(name));
}

#[test]
fn rfc_010_media_types_are_compared_without_case_and_parameters() {
    let client = client();
    for (media_type, status) in [
        ("APPLICATION/SCIM+JSON", 201),
        ("application/json ; charset=\"utf-8\"", 201),
        ("application/scim+json;charset=utf-8", 201),
        ("application/jsonx", 415),
        ("text/json", 415),
    ] {
        let request = Request::new("POST", "/Users")
            .header("Content-Type", media_type)
            .body(seed::user_request(&Person::new("m")));
        assert_eq!(client.send(&request).status, status, "{media_type}");
    }
}

#[test]
fn rfc_011_every_refusal_is_a_scim_error() {
    let client = client();
    let user = id(&seed::someone(&client, "errors"));
    client.without("Authorization").get("/Users").error(401);
    let client = self::client();
    client.get("/Users/none").error(404);
    client.get("/none").error(404);
    client.delete("/Users").error(405);
    client.post("/Users", "x".repeat(2 * 1024 * 1024)).error(413);
    client.send(&Request::new("POST", "/Users").header("Content-Type", "text/plain").body("x")).error(415);
    let stale = Request::new("DELETE", &format!("/Users/{user}")).header("If-Match", "W/\"stale\"");
    client.send(&stale).error(412);
    client.get("/Me").error(501);
}

#[test]
fn rfc_013_scim_types() {
    let client = client();
    let user = seed::someone(&client, "types");
    let path = format!("/Users/{}", id(&user));
    let operation = |operation| client.patch(&path, patch(operation));
    client.get("/Users?filter=userName+is+%22x%22").refusal(400, "invalidFilter");
    client.post("/Users", json!({ "schemas": [USER], "userName": user["userName"] })).refusal(409, "uniqueness");
    operation(json!({ "op": "replace", "path": "id", "value": "x" })).refusal(400, "mutability");
    client.post("/Users", "{").refusal(400, "invalidSyntax");
    operation(json!({ "op": "replace", "path": "name..x", "value": "x" })).refusal(400, "invalidPath");
    operation(json!({ "op": "remove" })).refusal(400, "noTarget");
    operation(json!({ "op": "replace", "path": "active", "value": "maybe" })).refusal(400, "invalidValue");
    operation(json!({ "op": "replace", "path": "emails[type is \"x\"].value", "value": "x" }))
        .refusal(400, "invalidFilter");
}

#[test]
fn head_is_get_without_a_body() {
    let client = client();
    let user = id(&seed::someone(&client, "head"));
    let path = format!("/Users/{user}");
    let (head, get) = (client.send(&Request::new("HEAD", &path)), client.get(&path));
    head.is(200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("ETag"), get.header("ETag"));
    assert_eq!(head.header("Content-Type"), get.header("Content-Type"));
    client.send(&Request::new("HEAD", "/Users/none")).is(404);
}

#[test]
fn options_names_the_methods() {
    let client = client();
    for (path, methods) in [
        ("/Users", vec!["GET", "POST"]),
        ("/Users/x", vec!["GET", "PUT", "PATCH", "DELETE"]),
        ("/Schemas", vec!["GET"]),
    ] {
        let response = client.send(&Request::new("OPTIONS", path));
        assert!([200, 204].contains(&response.status), "{response}");
        let allow = response.header("Allow").unwrap_or_default();
        for method in methods {
            assert!(allow.split(',').any(|allowed| allowed.trim() == method), "{method} {response}");
        }
    }
}

#[test]
fn answers_are_compressed_only_where_asked_for() {
    let client = client();
    seed::people(&client, "gzip", 10);
    let plain = client.get("/Users?count=10");
    assert!(plain.header("Content-Encoding").is_none());
    let packed = client.send(&Request::new("GET", "/Users?count=10").header("Accept-Encoding", "gzip,deflate"));
    assert_eq!(packed.header("Content-Encoding"), Some("gzip"));
    assert_eq!(packed.list().resources.len(), 10);
}

#[test]
fn rfc_9110_15_5_16_bodies_may_be_gzip_and_in_no_other_coding() {
    let client = client();
    let gzip = |body: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    };
    let body = seed::user_request(&Person::new("packed")).to_string().into_bytes();
    let post = |coding: &str, body: Vec<u8>| {
        client.send(&Request::new("POST", "/Users").header("Content-Encoding", coding).body(body))
    };
    post("gzip", gzip(&body)).resource(201);
    let refused = post("br", body);
    refused.error(415);
    assert_eq!(refused.header("Accept-Encoding"), Some("gzip, identity"));
    post("gzip", b"{}".to_vec()).error(400);
    post("gzip", gzip(&vec![b' '; 2 << 20])).error(413);
}

#[test]
fn rfc_011_a_request_that_can_not_be_read_is_refused_with_a_scim_error() {
    let authority = shared().authority();
    let fields = format!("Host: {authority}\r\nConnection: close\r\n");
    let path = client().url().split_once(authority).expect("a path").1.to_owned();
    let large = "x".repeat(100_000);
    for (status, request) in [
        (400, format!("GET {path}/Users?filter=userName eq \"x\" HTTP/1.1\r\n{fields}\r\n")),
        (400, format!("POST {path}/Users HTTP/1.1\r\n{fields}Content-Length: many\r\n\r\n")),
        (400, format!("GET {path}/Users HTTP/1.1\r\n{fields}no field\r\n\r\n")),
        (431, format!("GET {path}/Users HTTP/1.1\r\n{fields}X-Large: {large}\r\n\r\n")),
    ] {
        let answer = answer_to_bytes(authority, &request);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{status}: {answer:?}"));
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(head.contains("\r\ncontent-type: application/scim+json"), "{answer}");
        let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
        assert_eq!(body["schemas"], json!([ERROR]));
        assert_eq!(body["status"], json!(status.to_string()));
    }
}

#[test]
fn rfc_9112_3_2_a_request_names_its_host_once() {
    let authority = shared().authority();
    let path = client().url().split_once(authority).expect("a path").1.to_owned();
    let get = |version: &str, target: &str, fields: &str| {
        let request = format!("GET {target} HTTP/{version}\r\n{fields}Connection: close\r\n\r\n");
        answer_to_bytes(authority, &request)
    };
    let config = format!("{path}/ServiceProviderConfig");
    for fields in ["", "Host: a.example\r\nHost: a.example\r\n", "Host: a@b.example\r\n", "Host: a b\r\n"] {
        let answer = get("1.1", &config, fields);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{fields}: {answer}");
        assert!(answer.contains(ERROR), "{answer}");
        // A load balancer's probe that was written by hand goes on.
        let alive = get("1.1", "/healthz", fields);
        assert!(alive.starts_with("HTTP/1.1 200 "), "{fields}: {alive}");
    }
    for (version, fields) in
        [("1.0", ""), ("1.1", "Host:\r\n"), ("1.1", "Host: scim_1.example:8443\r\n"), ("1.1", "Host: [::1]:80\r\n")]
    {
        let answer = get(version, &config, fields);
        assert!(answer.starts_with(&format!("HTTP/{version} 200 ")), "{fields}: {answer}");
    }
}

/// All that the server answers to these bytes until it closes the connection.
fn answer_to_bytes(authority: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(authority).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a patience");
    // A server that refuses what it has not read to its end may reset the connection behind its answer.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let mut chunk = [0; 4_096];
    while let Ok(length @ 1..) = stream.read(&mut chunk) {
        answer.extend_from_slice(&chunk[..length]);
    }
    String::from_utf8(answer).expect("text")
}
