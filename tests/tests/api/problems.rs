//! Every refusal is a problem: never an empty body, never HTML.

use insomnia_scim_tests::client::Request;
use serde_json::json;

use crate::api::caller::{Organization, nobody, ok, operator, problem};

#[test]
fn what_is_not_there_is_404() {
    let organization = Organization::new("missing");
    for path in ["", "/", "/nothing", "/organizations/", "/openapi.yaml", "/organizations/a/b/c/d", "//", "/%FF"] {
        problem(&operator().get(path), 404, "not-found");
    }
    for path in ["/nothing", "/members/", "/members/nobody", "/oauth-clients/", "/deliveries"] {
        problem(&organization.get(path), 404, "not-found");
    }
    problem(&operator().get("/organizations/there-is-none"), 404, "not-found");
    problem(&operator().get("/organizations/Not%20A%20Name/members"), 404, "not-found");
    problem(&organization.get("/members/%FF"), 404, "not-found");
}

#[test]
fn another_method_is_405_with_those_that_there_are() {
    let organization = Organization::new("methods");
    for (method, path, allow) in [
        ("PUT", "/members", "GET,HEAD,POST"),
        ("POST", "/licences", "GET,HEAD"),
        ("GET", "/connector/enable", "POST"),
        ("PATCH", "/guard", "GET,HEAD,PUT,DELETE"),
        ("BREW", "/teams", "GET,HEAD,POST"),
    ] {
        let response = organization.client.send(&Request::new(method, &organization.at(path)));
        problem(&response, 405, "method-not-allowed");
        let methods = |text: &str| {
            let mut methods: Vec<String> = text.split(',').map(|method| method.trim().to_owned()).collect();
            methods.sort();
            methods
        };
        assert_eq!(methods(response.header("allow").expect("Allow")), methods(allow), "{response}");
    }
}

#[test]
fn a_body_that_is_not_sent_as_json_is_415() {
    let organization = Organization::new("media");
    let path = organization.at("/teams");
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "application/jsonx"] {
        let request = Request::new("POST", &path).header("Content-Type", media_type).body(json!({"name": "x"}));
        problem(&organization.client.send(&request), 415, "unsupported-media-type");
    }
    let request = Request::new("POST", &path).header("Content-Type", "Application/JSON; charset=utf-8");
    organization.client.send(&request.body(json!({"name": "x"}))).is(201);
    let untyped = nobody().without("Content-Type").header("Authorization", &format!("Bearer {}", organization.key));
    let request = Request::new("POST", &path).header("Content-Type", "").body(json!({"name": "y"}));
    problem(&untyped.send(&request), 415, "unsupported-media-type");
}

#[test]
fn a_body_that_is_no_json_is_400_and_says_where() {
    let organization = Organization::new("syntax");
    for body in ["", "{", "nonsense", "{\"name\": \"x\"} x", "{'name': 1}", "\u{feff}{}"] {
        let refused = problem(&organization.client.post(&organization.at("/teams"), body), 400, "bad-request");
        assert!(refused["detail"].as_str().is_some_and(|text| text.contains("line")), "{refused}");
    }
    problem(&organization.client.post(&organization.at("/teams"), vec![b'"', 0xff, b'"']), 400, "bad-request");
}

#[test]
fn a_body_of_another_shape_is_422_and_says_where() {
    let organization = Organization::new("shape");
    for (body, pointer) in [
        (json!([]), ""),
        (json!({}), ""),
        (json!({"name": 1}), "/name"),
        (json!({"name": "x", "members": ["a", 2]}), "/members/1"),
        (json!({"name": "x", "member": []}), "/member"),
    ] {
        let refused = problem(&organization.post("/teams", body.clone()), 422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], json!(pointer), "{body}: {refused}");
    }
    let deep = "[".repeat(50_000);
    let refused = organization.client.post(&organization.at("/teams"), deep);
    assert!([400, 422].contains(&refused.status), "{refused}");
}

#[test]
fn a_problem_does_not_repeat_all_that_was_sent() {
    let organization = Organization::new("long");
    let long = "ä".repeat(20_000);
    for body in [json!({long.clone(): 1}), json!({"name": "x", "members": [long]})] {
        let refused = organization.post("/teams", body);
        assert!([404, 422].contains(&refused.status), "{}", refused.status);
        assert!(refused.body.len() < 5_000, "{}", refused.body.len());
    }
}

#[test]
fn a_refused_body_needs_a_key_first() {
    problem(&nobody().post("/organizations", "nonsense"), 401, "unauthorized");
    problem(&nobody().post("/organizations/demo/teams", "x".repeat(200_000)), 401, "unauthorized");
}

#[test]
fn the_answer_to_head_has_no_body_and_is_that_of_get() {
    let organization = Organization::new("head");
    let response = organization.client.send(&Request::new("HEAD", &organization.at("/members")));
    response.is(200);
    assert!(response.body.is_empty(), "{response}");
    let _ = ok(&organization.get("/members"));
}
