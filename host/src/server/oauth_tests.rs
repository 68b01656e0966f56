//! The OAuth 2.0 endpoints over HTTP, and the use of their tokens at the SCIM endpoint.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::connector::{ExpiryWindow, IdentityProvider};
use crate::directory::{Domain, NewMember, OrganizationRecord, Plan, Role};
use crate::oauth::{AuthorizeRefusal, NewOAuthClient, RefreshMethod, RefreshState};
use crate::storage::MemoryStorage;
use crate::{NewOrganization, Organization, OrganizationId, Provisioner};

const OWNER: &str = "owner@example.com";
const REDIRECT: &str = "https://idp.example/callback";

async fn organization() -> (axum::Router, Organization) {
    let builder = Provisioner::builder().storage(Arc::new(MemoryStorage::new())).base_url("https://scim.example.com");
    let provisioner = builder.build().await.unwrap();
    let id = OrganizationId::parse("acme").unwrap();
    let record = OrganizationRecord {
        name: "Acme".into(),
        plan: Plan::Enterprise,
        seats: 10,
        domains: vec![Domain { name: "example.com".into(), verified: true }],
        single_sign_on: Some("azure".into()),
        options: Default::default(),
    };
    let new = NewOrganization::new(id, record);
    let organization = provisioner.create_organization(new).await.unwrap().organization;
    let owner = NewMember {
        email: OWNER.into(),
        display_name: "Olga Owner".into(),
        role: Role::Owner,
        passphrase: Some("a long passphrase".into()),
    };
    organization.add_member(owner).await.unwrap();
    organization.enable(OWNER, IdentityProvider::Azure, ExpiryWindow::Year1).await.unwrap();
    (provisioner.router(), organization)
}

async fn send(routes: &axum::Router, request: Request<Body>) -> (u16, String, Value) {
    let response = routes.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let cache = head.headers.get(header::CACHE_CONTROL).map_or("", |value| value.to_str().unwrap());
    (head.status.as_u16(), cache.to_owned(), serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn post(path: &str, form: String) -> Request<Body> {
    let form_type = "application/x-www-form-urlencoded";
    Request::post(path).header(header::CONTENT_TYPE, form_type).body(Body::from(form)).unwrap()
}

#[tokio::test]
async fn a_client_gets_a_token_uses_it_and_revokes_it() {
    let (routes, organization) = organization().await;
    let new = NewOAuthClient { name: "Entra".into(), client_credentials: true, ..NewOAuthClient::default() };
    let issued = organization.create_oauth_client(OWNER, new).await.unwrap();
    assert_eq!(organization.oauth_clients().await.unwrap(), std::slice::from_ref(&issued.client));
    let client = format!("client_id={}&client_secret={}", issued.client.id, issued.secret.unwrap());
    let form = format!("grant_type=client_credentials&{client}");
    let (status, cache, granted) = send(&routes, post("/oauth/acme/token", form.clone())).await;
    assert_eq!((status, cache.as_str()), (200, "no-store"), "{granted}");
    let token = granted["access_token"].as_str().unwrap();
    let scim = || {
        let request = Request::get("/scim/v2/acme/Users").header(header::AUTHORIZATION, format!("Bearer {token}"));
        request.body(Body::empty()).unwrap()
    };
    assert_eq!(send(&routes, scim()).await.0, 200);
    assert_eq!(organization.refresh_status().await.unwrap().method, RefreshMethod::OAuth);
    assert_eq!(send(&routes, post("/oauth/acme/revoke", format!("{client}&token={token}"))).await.0, 200);
    assert_eq!(send(&routes, scim()).await.0, 401);
    organization.delete_oauth_client(OWNER, &issued.client.id).await.unwrap();
    let refused = send(&routes, post("/oauth/acme/token", form.clone())).await;
    assert_eq!((refused.0, &refused.2["error"]), (401, &Value::from("invalid_client")));
    assert_eq!(send(&routes, post("/oauth/nobody/token", form)).await, refused);
}

#[tokio::test]
async fn an_owner_consents_and_the_code_is_exchanged() {
    let (routes, organization) = organization().await;
    let new = NewOAuthClient {
        name: "Okta".into(),
        authorization_code: true,
        redirect_uris: vec![REDIRECT.into()],
        ..NewOAuthClient::default()
    };
    let issued = organization.create_oauth_client(OWNER, new).await.unwrap();
    let (id, secret) = (issued.client.id, issued.secret.unwrap());
    let query = format!("client_id={id}&redirect_uri=https%3A%2F%2Fidp.example%2Fcallback&response_type=");
    let consent = organization.authorize(&format!("{query}code&state=s")).await.unwrap().unwrap();
    let location = organization.approve_consent(OWNER, &consent.request).await.unwrap();
    let code = location.strip_prefix(&format!("{REDIRECT}?code=")).unwrap().strip_suffix("&state=s").unwrap();
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={REDIRECT}&client_id={id}&client_secret={secret}"
    );
    let (status, _, granted) = send(&routes, post("/oauth/acme/token", form)).await;
    assert_eq!(status, 200, "{granted}");
    assert!(granted["refresh_token"].is_string());
    assert!(organization.deny_consent(&consent.request).await.unwrap().contains("error=access_denied"));
    let refused = organization.authorize(&format!("{query}token")).await.unwrap();
    assert!(matches!(refused, Err(AuthorizeRefusal::Redirect(url)) if url.contains("unsupported_response_type")));
    assert_eq!(organization.refresh_status().await.unwrap().state, RefreshState::Off);
}

#[tokio::test]
async fn rfc8414_the_metadata_is_where_clients_look_for_it() {
    let (routes, _) = organization().await;
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let (status, _, metadata) = send(&routes, get("/.well-known/oauth-authorization-server/oauth/acme")).await;
    assert_eq!((status, &metadata["issuer"]), (200, &Value::from("https://scim.example.com/oauth/acme")));
    let (status, _, of_nobody) = send(&routes, get("/.well-known/oauth-authorization-server/oauth/nobody")).await;
    assert_eq!(
        (status, of_nobody.to_string().replace("nobody", "acme")),
        (200, metadata.to_string()),
        "it tells which organizations there are"
    );
    assert_eq!(send(&routes, get("/.well-known/oauth-authorization-server/oauth/No_Name")).await.0, 404);
}

#[tokio::test]
async fn b19_another_method_is_refused_with_an_error_that_a_client_can_read() {
    let (routes, _organization) = organization().await;
    for (method, path, allowed) in [
        ("GET", "/oauth/acme/token", "POST"),
        ("DELETE", "/oauth/acme/revoke", "POST"),
        ("POST", "/.well-known/oauth-authorization-server/oauth/acme", "GET, HEAD"),
        ("PUT", "/.well-known/oauth-protected-resource/scim/v2/acme", "GET, HEAD"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = routes.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 405, "{method} {path}");
        assert_eq!(response.headers()[header::ALLOW], allowed);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["error"], "invalid_request", "{method} {path}: {body}");
    }
}
