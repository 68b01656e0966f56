//! Tests of the library as an embedder uses it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, header};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::capability::clock::ManualClock;
use crate::directory::{ImportOutcome, ImportedMember, OrganizationRecord, Role};
use crate::storage::MemoryStorage;
use crate::{EnsuredOrganization, Limits, NewOrganization, OrganizationId, Provisioner};

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

#[tokio::test]
async fn metadata_is_where_a_challenge_says_although_the_other_routes_are_nested() {
    let builder = Provisioner::builder().storage(Arc::new(MemoryStorage::new())).scheduler(false);
    let host = builder.base_url("https://backend.example/insomnia").build().await.unwrap();
    let application = axum::Router::new().nest("/insomnia", host.router()).merge(host.well_known_router());
    let (refused, body) = ask(&application, "/insomnia/scim/v2/acme/Users", None).await;
    assert_eq!(refused.status(), 401, "{body}");
    let challenge = refused.headers()[header::WWW_AUTHENTICATE].to_str().unwrap();
    let named =
        challenge.split("resource_metadata=\"https://backend.example").nth(1).and_then(|rest| rest.split('"').next());
    let (found, resource) = ask(&application, named.unwrap(), None).await;
    assert_eq!(found.status(), 200, "{challenge}");
    let resource: serde_json::Value = serde_json::from_str(&resource).unwrap();
    // RFC 8414 §3.1: the well-known part comes between the host and the path of the issuer.
    let issuer = resource["authorization_servers"][0].as_str().unwrap();
    let path = issuer.strip_prefix("https://backend.example").unwrap();
    let (found, server) = ask(&application, &format!("/.well-known/oauth-authorization-server{path}"), None).await;
    assert_eq!(found.status(), 200, "{issuer}");
    let server: serde_json::Value = serde_json::from_str(&server).unwrap();
    assert_eq!(server["issuer"], issuer);
    let token = server["token_endpoint"].as_str().unwrap().strip_prefix("https://backend.example").unwrap();
    assert_eq!(ask(&application, token, None).await.0.status(), 405, "the endpoint is there, and takes only POST");
}

const START: u64 = 1_800_000_000_000;

async fn host(clock: &Arc<ManualClock>) -> Provisioner {
    let builder = Provisioner::builder().storage(Arc::new(MemoryStorage::new())).clock(clock.clone());
    builder.scheduler(false).build().await.unwrap()
}

fn new(id: &str, seats: u32) -> NewOrganization {
    let record = OrganizationRecord { name: "Acme".into(), seats, ..OrganizationRecord::default() };
    NewOrganization::new(OrganizationId::parse(id).unwrap(), record)
}

#[tokio::test]
async fn an_organization_that_is_made_at_each_start_is_made_once_and_stays_as_it_is() {
    let host = host(&Arc::new(ManualClock::new(START))).await;
    let first = host.ensure_organization(new("acme", 50)).await.unwrap();
    assert!(matches!(first, EnsuredOrganization::Created(_)));
    first.organization().set_retention(30).await.unwrap();
    let second = host.ensure_organization(new("acme", 60)).await.unwrap();
    assert!(matches!(second, EnsuredOrganization::Found(_)));
    assert_eq!(second.organization().get().await.unwrap().unwrap().seats, 50);
    assert_eq!(second.organization().retention().await.unwrap(), 30);
}

#[tokio::test]
async fn a_start_that_was_killed_while_it_made_the_organization_is_taken_up_by_a_later_one() {
    let clock = Arc::new(ManualClock::new(START));
    let host = host(&clock).await;
    host.registry().begin(&OrganizationId::parse("acme").unwrap(), START).await.unwrap();
    let waits = tokio::spawn({
        let host = host.clone();
        async move { host.ensure_organization(new("acme", 50)).await.unwrap() }
    });
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert!(!waits.is_finished(), "it waits for what another start may still be making");
    clock.advance(Duration::from_secs(5 * 60));
    let ensured = waits.await.unwrap();
    assert!(matches!(ensured, EnsuredOrganization::Created(_)));
    assert_eq!(ensured.organization().get().await.unwrap().unwrap().seats, 50);
}

#[tokio::test]
async fn a_backend_takes_its_members_along_by_the_thousand_with_their_ids() {
    let host = host(&Arc::new(ManualClock::new(START))).await;
    let ensured = host.ensure_organization(new("acme", 1_200)).await.unwrap();
    let acme = ensured.organization();
    let person = |number: u32| {
        let id = format!("{number:08x}-0000-4000-8000-000000000000");
        let display_name = Some(format!("Person {number}"));
        ImportedMember { display_name, ..ImportedMember::new(id, format!("p{number}@acme.example")) }
    };
    let mut people: Vec<ImportedMember> = (0..1_201).map(person).collect();
    people[0].role = Role::Owner;
    let outcomes = acme.import_members(&people).await.unwrap();
    assert!(outcomes[..1_200].iter().all(|outcome| *outcome == ImportOutcome::Added));
    assert!(matches!(&outcomes[1_200], ImportOutcome::Refused(why) if why.contains("seats")), "{:?}", outcomes[1_200]);
    let again = acme.import_members(&people).await.unwrap();
    assert!(again[..1_200].iter().all(|outcome| *outcome == ImportOutcome::Present));
    let owner = acme.member("P0@acme.example").await.unwrap();
    assert_eq!((owner.id.as_str(), owner.role), ("00000000-0000-4000-8000-000000000000", Role::Owner));
    assert_eq!(acme.census().await.unwrap().active_manual, 1_200);
    people[1_200].id = people[7].id.clone();
    assert!(acme.import_members(&people).await.is_err(), "an id comes twice");
}

#[tokio::test]
async fn what_is_off_for_want_of_a_mailer_a_client_or_a_key_is_said_at_the_start() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let writer = Mutex::new(file.reopen().unwrap());
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish();
    let logging = tracing::subscriber::set_default(log);
    let _host = host(&Arc::new(ManualClock::new(START))).await;
    drop(logging);
    let said = std::fs::read_to_string(file.path()).unwrap();
    for (what, off) in [("no mailer", "parked"), ("no HTTP client", "are off"), ("no key for secrets", "are refused")] {
        let line = said.lines().find(|line| line.contains(what));
        assert!(line.is_some_and(|line| line.contains(off)), "{what}: {said}");
    }
}

/// The value of a metric without labels.
fn metric(host: &Provisioner, name: &str) -> Option<String> {
    let text = host.metrics().unwrap();
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned))
}

#[tokio::test]
async fn metrics_of_the_process_are_left_out_for_a_backend_that_has_them() {
    let with = host(&Arc::new(ManualClock::new(START))).await;
    let builder = Provisioner::builder().storage(Arc::new(MemoryStorage::new())).scheduler(false);
    let without = builder.process_metrics(false).build().await.unwrap();
    if cfg!(target_os = "linux") {
        assert!(metric(&with, "process_open_fds").is_some());
    }
    assert_eq!(metric(&without, "process_open_fds"), None);
    assert!(metric(&without, "insomnia_scim_component_instances_kept").is_some());
}

#[tokio::test]
async fn a_scheduler_of_the_backend_drops_old_instances_and_shows_how_long_jobs_have_waited() {
    let clock = Arc::new(ManualClock::new(START));
    let limits = Limits { instance_age: Duration::from_secs(1), ..Limits::default() };
    let builder = Provisioner::builder().storage(Arc::new(MemoryStorage::new())).clock(clock.clone());
    let host = builder.scheduler(false).limits(limits).build().await.unwrap();
    host.ensure_organization(new("acme", 50)).await.unwrap();
    clock.advance(Duration::from_secs(7 * 60 * 60));
    host.run_all_due().await.unwrap();
    let waited: f64 = metric(&host, "insomnia_scim_jobs_overdue_seconds").unwrap().parse().unwrap();
    assert!(waited >= 3_600.0, "{waited}");
    let kept = || metric(&host, "insomnia_scim_component_instances_kept").unwrap();
    assert_ne!(kept(), "0", "the call of the jobs has left an instance");
    let dropped = async {
        while kept() != "0" {
            tokio::time::sleep(Duration::from_millis(50)).await;
            host.run_all_due().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), dropped).await.unwrap();
}
