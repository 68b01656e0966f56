//! The connector over the API: enabling, tokens, automatic refresh, OAuth clients.

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::scim::text;
use serde_json::{Value, json};

use crate::api::caller::{Organization, PASSPHRASE, answer, created, gone, ok, operator, problem};

fn scim(organization: &Organization, token: &str) -> Client {
    let url = text(&ok(&organization.get("/connector")), "connector_url");
    Client::new(&url, token)
}

#[test]
fn scim_is_enabled_used_refreshed_and_disabled() {
    let organization = Organization::new("connector");
    assert_eq!(ok(&organization.get("/connector"))["status"], json!("disabled"));
    assert_eq!(ok(&organization.get("/requirements")), json!({"unmet": []}));
    let asked = json!({"identity_provider": "okta", "expires": "90d", "verified_domains_only": true});
    let issued = ok(&organization.post("/connector/enable", asked.clone()));
    assert!(issued["verified_domains"].as_array().is_some_and(|domains| !domains.is_empty()), "a13: {issued}");
    assert_eq!(issued["verified_domains_only"], json!(true), "{issued}");
    assert_eq!(ok(&organization.get(""))["organization"]["options"]["verified-domains-only"], json!(true));
    let first = text(&issued, "token");
    assert!(first.starts_with("insm_scim_"));
    assert!(issued["expires"].is_u64(), "{issued}");
    let client = scim(&organization, &first);
    client.get("/Users").is(200);
    problem(&organization.post("/connector/enable", asked), 409, "conflict");
    let status = ok(&organization.get("/connector"));
    assert_eq!((&status["enabled"], &status["identity_provider"]), (&json!(true), &json!("okta")));
    assert!(!status.to_string().contains(&first));

    let second = text(&ok(&operator().post(&organization.at("/connector/refresh"), "")), "token");
    client.get("/Users").is(401);
    scim(&organization, &second).get("/Users").is(200);
    let disabled = ok(&organization.post("/connector/disable", json!({})));
    assert_eq!(disabled["enabled"], json!(false));
    scim(&organization, &second).get("/Users").is(401);
}

#[test]
fn an_organizations_key_refreshes_with_the_actors_passphrase_as_the_page_does() {
    let organization = Organization::new("refresh");
    let token = organization.enable();
    let refused = problem(&organization.client.post(&organization.at("/connector/refresh"), ""), 422, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], json!("/passphrase"));
    let wrong = json!({"passphrase": "not this one, surely"});
    problem(&organization.post("/connector/refresh", wrong), 403, "wrong-passphrase");
    scim(&organization, &token).get("/Users").is(200);
    let right = json!({"passphrase": PASSPHRASE, "expires": "never", "overlap_seconds": 3600});
    let issued = ok(&organization.post("/connector/refresh", right));
    assert_eq!(issued["expires"], Value::Null);
    scim(&organization, &token).get("/Users").is(200);
    scim(&organization, &text(&issued, "token")).get("/Users").is(200);
}

#[test]
fn an_operator_who_names_an_actor_needs_the_passphrase() {
    let organization = Organization::new("named");
    organization.enable();
    let refresh = |body| operator().post(&organization.at("/connector/refresh"), body);
    problem(&refresh(json!({"actor": organization.owner})), 422, "invalid");
    problem(&refresh(json!({"passphrase": PASSPHRASE})), 422, "invalid");
    let _ = ok(&refresh(json!({"actor": organization.owner, "passphrase": PASSPHRASE})));
}

#[test]
fn wrong_passphrases_are_slowed_down() {
    let organization = Organization::new("slow");
    organization.enable();
    let try_once = || organization.post("/connector/refresh", json!({"passphrase": "not this one, surely"}));
    let answers: Vec<_> = (0..8).map(|_| try_once()).collect();
    let last = answers.last().expect("a try");
    problem(last, 429, "throttled");
    assert!(last.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0)));
}

#[test]
fn all_unmet_requirements_are_told_at_once() {
    let organization = Organization::with("unmet", json!({"plan": "team", "domains": [], "single_sign_on": null}));
    let asked = json!({"identity_provider": "okta", "expires": "never"});
    let refused = problem(&organization.post("/connector/enable", asked), 409, "unmet-requirements");
    let expected = json!(["enterprise-plan", "verified-domain", "single-sign-on"]);
    assert_eq!(refused["requirements"], expected);
    assert_eq!(ok(&organization.get("/requirements"))["unmet"], expected);
}

#[test]
fn an_actor_who_may_not_act_is_403() {
    let organization = Organization::new("actor");
    let member = json!({"email": "ada@example.com", "passphrase": PASSPHRASE});
    created(&organization.post("/members", member));
    for actor in ["ada@example.com", "nobody@example.com"] {
        let unmet = ok(&organization.get(&format!("/requirements?actor={actor}")));
        assert_eq!(unmet["unmet"], json!(["owner-or-co-owner"]), "{actor}");
        problem(&organization.post("/connector/disable", json!({"actor": actor})), 403, "forbidden");
    }
    let co_owner = json!({"email": "grace@example.com", "role": "co-owner"});
    created(&organization.post("/members", co_owner));
    organization.enable();
    let _ = ok(&organization.post("/connector/disable", json!({"actor": "grace@example.com"})));
}

#[test]
fn an_organization_without_an_owner_says_so() {
    let organization = Organization::new("orphan");
    let id = insomnia_scim_tests::person::unique("ownerless");
    let record = json!({"name": "x", "plan": "enterprise", "seats": 5});
    created(&operator().post("/organizations", json!({"id": id, "organization": record})));
    let refused = problem(&operator().get(&format!("/organizations/{id}/requirements")), 409, "conflict");
    assert!(text(&refused, "detail").contains("owner"), "{refused}");
    let _ = ok(&organization.get("/requirements"));
}

#[test]
fn access_to_the_idp_is_configured_and_its_secret_never_shown() {
    let organization = Organization::new("idp");
    organization.enable();
    assert_eq!(ok(&organization.get("/connector/automatic-refresh"))["method"], json!("manual"));
    let okta = json!({"api": {"okta": {
        "org_url": "https://example.okta.com", "app_id": "0oa1", "credentials": {"api-token": "very-secret-token"},
    }}});
    let response = organization.put("/connector/idp-api", okta);
    let status = ok(&response);
    assert_eq!(status["method"], json!("idp-api"));
    assert_eq!(status["idp_api"]["kind"], json!("okta"));
    assert!(!response.text().contains("very-secret-token"));
    answer(&organization.post("/connector/idp-api/try", json!({})), 202);
    gone(&organization.delete("/connector/idp-api"));
    assert_eq!(ok(&organization.get("/connector/automatic-refresh"))["idp_api"], Value::Null);
    let entra = json!({"connector_query": "aadOptscim062020", "api": {"entra": {
        "tenant_id": "t", "client_id": "c", "client_secret": "s", "service_principal_id": "p",
    }}});
    assert_eq!(ok(&organization.put("/connector/idp-api", entra))["idp_api"]["kind"], json!("entra"));
    let wrong = json!({"api": {"entra": {"tenant_id": "t"}}});
    problem(&organization.put("/connector/idp-api", wrong), 422, "invalid");
}

#[test]
fn c26_set_up_links_are_made_listed_and_revoked() {
    let organization = Organization::new("links");
    let new = json!({"identity_provider": "jumpcloud", "valid_seconds": 3600});
    let refused = problem(&organization.post("/setup-links", new.clone()), 422, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], json!("/passphrase"));
    let with_passphrase = json!({"identity_provider": "jumpcloud", "passphrase": PASSPHRASE});
    let issued = created(&organization.post("/setup-links", with_passphrase));
    let url = text(&issued, "url");
    assert!(url.contains("/scim/set-up?token=insm_setup_"), "{issued}");
    let listed = organization.get("/setup-links");
    assert_eq!(ok(&listed)["items"], json!([issued["link"]]));
    assert!(!listed.text().contains("insm_setup_"));
    let by_operator = created(&operator().post(&organization.at("/setup-links"), new));
    assert_eq!(by_operator["link"]["created_by"], json!("operator"));
    gone(&organization.delete(&format!("/setup-links/{}", text(&issued["link"], "id"))));
    problem(&organization.delete(&format!("/setup-links/{}", text(&issued["link"], "id"))), 404, "not-found");
    let long = json!({"identity_provider": "okta", "valid_seconds": 604_801, "passphrase": PASSPHRASE});
    problem(&organization.post("/setup-links", long), 422, "invalid");
}

#[test]
fn oauth_clients_are_registered_rotated_and_deleted() {
    let organization = Organization::new("oauth");
    let new = json!({"name": "Entra", "client_credentials": true});
    let issued = created(&organization.post("/oauth-clients", new));
    let (id, secret) = (text(&issued["client"], "id"), text(&issued, "secret"));
    assert!(secret.starts_with("insm_cs_") && text(&issued, "issuer").ends_with(&organization.id), "{issued}");
    let listed = organization.get("/oauth-clients");
    assert_eq!(ok(&listed)["items"], json!([issued["client"]]));
    assert!(!listed.text().contains(&secret));
    let rotated = ok(&organization.post(&format!("/oauth-clients/{id}/rotate"), json!({"overlap_seconds": 60})));
    assert_ne!(text(&rotated, "secret"), secret);
    assert!(rotated["client"]["overlap_until"].is_u64(), "{rotated}");
    let long = json!({"overlap_seconds": 90 * 86_400 + 1});
    problem(&organization.post(&format!("/oauth-clients/{id}/rotate"), long), 422, "invalid");
    gone(&organization.delete(&format!("/oauth-clients/{id}?actor={}", organization.owner)));
    problem(&organization.delete(&format!("/oauth-clients/{id}")), 404, "not-found");
    problem(&organization.post("/oauth-clients", json!({"name": "neither"})), 422, "invalid");
}
