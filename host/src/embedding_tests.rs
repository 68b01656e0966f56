//! Tests of the library as an embedder uses it.

use axum::body::Body;
use axum::http::{Request, Response, header};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

#[path = "../examples/embed.rs"]
mod example;

async fn ask(application: &axum::Router, path: &str, token: Option<&str>) -> (Response<()>, String) {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let response = application.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (Response::from_parts(head, ()), String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_example_serves_scim_beside_the_applications_own_routes() {
    let (application, token) = example::application().await.unwrap();
    assert_eq!(ask(&application, "/", None).await.1, "The application's own page\n");
    let (listed, body) = ask(&application, "/scim/v2/acme/Users", Some(&token)).await;
    assert_eq!(listed.status(), 200, "{body}");
    assert_eq!(listed.headers()[header::CONTENT_TYPE], "application/scim+json");
    assert!(body.contains("ListResponse"), "{body}");
}

#[tokio::test]
async fn an_unknown_organization_answers_as_a_wrong_token_does() {
    let (application, _) = example::application().await.unwrap();
    let without_id = |body: String| body.split(" [request").next().unwrap().to_owned();
    for authorization in [None, Some("insm_scim_wrong")] {
        let (known, known_body) = ask(&application, "/scim/v2/acme/Users", authorization).await;
        for organization in ["nobody", "Not%20valid", "_host"] {
            let path = format!("/scim/v2/{organization}/Users");
            let (unknown, unknown_body) = ask(&application, &path, authorization).await;
            assert_eq!(unknown.status(), 401);
            assert_eq!(known.status(), 401);
            assert_eq!(without_id(unknown_body), without_id(known_body.clone()));
            // It names the organization that was asked for, if that can be one at all.
            let without_metadata = |challenge: &str| {
                let metadata = |name: &str| {
                    let root = "http://127.0.0.1:3000/.well-known/oauth-protected-resource/scim/v2";
                    format!(", resource_metadata=\"{root}/{name}\"")
                };
                challenge.replace(&metadata(organization), "").replace(&metadata("acme"), "")
            };
            let names = |response: &Response<()>| {
                let mut fields: Vec<(String, String)> = response
                    .headers()
                    .iter()
                    .map(|(name, value)| (name.to_string(), without_metadata(value.to_str().unwrap())))
                    .filter(|(name, _)| name != "x-request-id")
                    .collect();
                fields.sort();
                fields
            };
            assert_eq!(names(&unknown), names(&known));
        }
    }
}

#[tokio::test]
async fn what_is_no_connector_url_is_refused_in_scim() {
    let (application, _) = example::application().await.unwrap();
    for path in ["/scim", "/scim/", "/scim/v2", "/scim/v2/", "/scim/v1/acme/Users"] {
        let (answer, body) = ask(&application, path, None).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert!(body.contains("urn:ietf:params:scim:api:messages:2.0:Error"), "{path}: {body}");
    }
}
