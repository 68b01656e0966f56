//! P5: the log of SCIM requests. Also: a job runs even if others fail.

use insomnia_scim::capability::http::HttpError;
use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::journal::LogQuery;
use insomnia_scim::{NewOrganization, OrganizationId};
use serde_json::{Value, json};

use crate::rules::network::Reply;
use crate::rules::organization::{Acme, OWNER, record};
use crate::rules::world::{BEGIN, DAY, HOUR, Host, MINUTE, World};

async fn scene(world: &World) -> (Host, Acme) {
    let host = world.host().await;
    let acme = Acme::enabled(&host, 20, ExpiryWindow::Days30).await;
    (host, acme)
}

async fn last(acme: &Acme) -> Value {
    acme.log(LogQuery { limit: 1, ..LogQuery::default() }).await.remove(0)
}

#[tokio::test]
async fn p5_every_request_is_logged_with_all_there_is_to_know() {
    let world = World::in_memory();
    let (_host, acme) = scene(&world).await;
    world.pass(HOUR);
    let headers = vec![
        ("authorization".to_owned(), format!("Bearer {}", acme.token)),
        ("user-agent".to_owned(), "Okta SCIM Client 1.0".to_owned()),
    ];
    let body = json!({"userName": "ada@acme.example", "displayName": "Ada"}).to_string();
    let answer = acme.send(headers, "POST", "/Users?attributes=id", Some(body.clone())).await.is(201);
    let entry = last(&acme).await;
    assert_eq!(entry["time"], json!(BEGIN + HOUR));
    assert_eq!(entry["requestId"].as_str(), answer.header("x-request-id"));
    assert_eq!((&entry["method"], &entry["path"]), (&json!("POST"), &json!("/Users?attributes=id")));
    assert_eq!((&entry["status"], &entry["action"]), (&json!(201), &json!("created")));
    assert_eq!(entry["subject"], json!({"resourceType": "User", "id": answer.id(), "name": "Ada"}));
    let because = entry["because"].to_string();
    assert!(because.contains("matched nobody") && because.contains("seat"), "{because}");
    assert_eq!((&entry["tokenGeneration"], &entry["userAgent"]), (&json!(1), &json!("Okta SCIM Client 1.0")));
    assert_eq!((&entry["body"], &entry["bytesReceived"]), (&json!(body), &json!(body.len())));
    assert!(entry["bytesSent"].as_u64().unwrap() > 0 && entry["component"].is_string() && entry["duration"].is_u64());
}

#[tokio::test]
async fn p5_a_refusal_names_its_log_entry_and_the_entry_the_refusal() {
    let world = World::in_memory();
    let (_host, acme) = scene(&world).await;
    acme.post_user("ada@acme.example").await.is(201);
    let refused = acme.post_user("ada@acme.example").await.is(409);
    let entry = last(&acme).await;
    let id = entry["requestId"].as_str().unwrap();
    assert!(refused.detail().contains(id), "{}", refused.body);
    assert_eq!(refused.header("x-request-id"), Some(id));
    assert_eq!((&entry["status"], &entry["scimType"]), (&json!(409), &json!("uniqueness")));
    assert!(refused.detail().starts_with(entry["detail"].as_str().unwrap()));
    assert_eq!(entry.get("action"), None);
}

#[tokio::test]
async fn p5_refused_callers_are_logged_with_the_token_that_they_had() {
    let world = World::in_memory();
    let (_host, mut acme) = scene(&world).await;
    let old = acme.token.clone();
    world.pass(DAY);
    acme.token = acme.organization.refresh_as_operator(None, 3_600).await.unwrap().token;
    for (pass, token, generation) in [(0, &old, 1), (0, &acme.token, 2), (HOUR, &old, 1), (31 * DAY, &acme.token, 2)] {
        world.pass(pass + 1);
        let status = acme.ping(token).await;
        let entry = last(&acme).await;
        assert_eq!((&entry["status"], &entry["tokenGeneration"]), (&json!(status), &json!(generation)));
    }
    world.pass(1);
    acme.ping("insm_scim_of-somebody-else").await;
    let entry = last(&acme).await;
    assert_eq!((&entry["status"], entry.get("tokenGeneration")), (&json!(401), None));
}

#[tokio::test]
async fn p5_why_is_told_for_every_action() {
    let world = World::in_memory();
    let (_host, acme) = scene(&world).await;
    let mut actions = Vec::new();
    let id = acme.post_user("ada@acme.example").await.is(201).id();
    actions.push(last(&acme).await);
    world.pass(1);
    acme.post_user(OWNER).await.is(201);
    actions.push(last(&acme).await);
    for value in [
        json!({"displayName": "Ada"}),
        json!({"displayName": "Ada"}),
        json!({"active": false}),
        json!({"active": true}),
    ] {
        world.pass(1);
        acme.patch(&format!("/Users/{id}"), value).await.is(200);
        actions.push(last(&acme).await);
    }
    world.pass(1);
    acme.scim("DELETE", &format!("/Users/{id}"), None).await.is(204);
    actions.push(last(&acme).await);
    let done: Vec<&str> = actions.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(done, ["created", "adopted", "updated", "unchanged", "deactivated", "reactivated", "deleted"]);
    let because: Vec<String> = actions.iter().map(|entry| entry["because"].to_string()).collect();
    let reasons = [
        "matched nobody",
        "matched by userName",
        "addressed by id",
        "addressed by id",
        "seat freed",
        "seat",
        "seat freed",
    ];
    for (because, reason) in because.iter().zip(reasons) {
        assert!(because.contains(reason), "{because} does not say {reason}");
    }
}

#[tokio::test]
async fn p5_the_log_is_searched_by_time_status_method_resource_and_text_newest_first() {
    let world = World::in_memory();
    let (_host, acme) = scene(&world).await;
    let ada = acme.post_user("ada@acme.example").await.is(201).id();
    world.pass(HOUR);
    acme.scim("GET", &format!("/Users/{ada}"), None).await.is(200);
    world.pass(HOUR);
    acme.scim("POST", "/Groups", Some(json!({"displayName": "Staff"}))).await.is(201);
    world.pass(HOUR);
    acme.scim("GET", "/Users/nobody", None).await.is(404);
    let statuses = async |query: LogQuery| {
        let entries = acme.log(query).await;
        entries.iter().map(|entry| entry["status"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let all = LogQuery::default;
    assert_eq!(statuses(all()).await, [404, 201, 200, 201]);
    assert_eq!(statuses(LogQuery { status_class: Some(4), ..all() }).await, [404]);
    assert_eq!(statuses(LogQuery { method: Some("post".into()), ..all() }).await, [201, 201]);
    assert_eq!(statuses(LogQuery { resource_type: Some("Group".into()), ..all() }).await, [201]);
    assert_eq!(statuses(LogQuery { text: Some("ADA@ACME".into()), ..all() }).await, [200, 201]);
    assert_eq!(
        statuses(LogQuery { since: Some(BEGIN + HOUR), until: Some(BEGIN + 3 * HOUR), ..all() }).await,
        [201, 200]
    );
    assert!(statuses(LogQuery { text: Some("not there".into()), ..all() }).await.is_empty());
    let (mut after, mut pages) = (None, Vec::new());
    loop {
        let page = acme.organization.search_log(LogQuery { limit: 1, after: after.clone(), ..all() }).await.unwrap();
        pages.extend(page.entries.iter().map(|entry| serde_json::from_str::<Value>(entry).unwrap()["status"].clone()));
        after = page.next;
        if after.is_none() || pages.len() > 9 {
            break;
        }
    }
    assert_eq!(pages, [404, 201, 200, 201]);
}

#[tokio::test]
async fn p5_what_is_secret_is_redacted_and_the_rest_is_kept() {
    let world = World::in_memory();
    let (_host, acme) = scene(&world).await;
    let body = json!({"userName": "ada@acme.example", "password": "hunter2-hunter2", "displayName": "Ada"});
    acme.scim("POST", "/Users", Some(body)).await.is(201);
    let logged = last(&acme).await["body"].as_str().unwrap().to_owned();
    assert!(!logged.contains("hunter2") && logged.contains("ada@acme.example") && logged.contains("Ada"), "{logged}");
    acme.scim("GET", "/Users?filter=password+eq+%22hunter2-hunter2%22", None).await;
    assert!(!last(&acme).await.to_string().contains("hunter2"));
}

#[tokio::test]
async fn p5_log_and_events_are_kept_for_90_days() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    acme.post_user("ada@acme.example").await.is(201);
    let events = acme.events().await.len();
    world.live(&host, 89 * DAY).await;
    assert_eq!(acme.log(LogQuery::default()).await.len(), 1);
    assert!(acme.events().await.len() >= events);
    world.live(&host, 3 * DAY).await;
    assert!(acme.log(LogQuery::default()).await.is_empty());
    assert!(!acme.event_types().await.contains(&"member.created".to_owned()));
}

#[tokio::test]
async fn p5_a_log_that_can_not_be_written_makes_no_request_fail() {
    let world = World::in_memory();
    let (_host, acme) = scene(&world).await;
    acme.post_user("ada@acme.example").await.is(201);
    world.faults.refuse_appends(true);
    acme.scim("GET", "/Users", None).await.is(200);
    acme.post_user("bob@acme.example").await.is(201);
    world.faults.refuse_appends(false);
    acme.scim("GET", "/Users", None).await.is(200);
    let statuses: Vec<Value> =
        acme.log(LogQuery::default()).await.iter().map(|entry| entry["status"].clone()).collect();
    // A read is lost; of a change it is known that it was asked for, and not what was answered.
    assert_eq!(statuses, [200, 0, 201]);
}

#[tokio::test]
async fn p6_a_job_that_fails_never_blocks_the_others() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    acme.organization.set_webhook("https://backend.example/events").await.unwrap();
    world.network.decide(|_| Reply::Fail(HttpError::Other("broken".into())));
    world.live(&host, 10 * DAY + MINUTE).await;
    assert_eq!(world.mailbox.subjects_to(OWNER).len(), 1, "a webhook that fails holds up no mail");
    world.mailbox.break_down();
    world.network.recover();
    acme.post_user("ada@acme.example").await.is(201);
    world.live(&host, 2 * HOUR).await;
    assert!(world.network.event_types().contains(&"member.created".to_owned()), "and the other way round");
}

#[tokio::test]
async fn p6_an_organization_whose_jobs_fail_never_blocks_the_others() {
    let world = World::in_memory();
    let (host, acme) = scene(&world).await;
    let other = NewOrganization::new(OrganizationId::parse("other").unwrap(), record(5));
    let other = host.provisioner.create_organization(other).await.unwrap().organization;
    let owner = crate::rules::organization::person("boss@other.example", insomnia_scim::directory::Role::Owner, None);
    other.add_member(owner).await.unwrap();
    world.faults.refuse_commits_of(Some("acme"));
    acme.post_user("ada@acme.example").await.is(503);
    world.live(&host, HOUR).await;
    assert_eq!(world.mailbox.subjects_to("boss@other.example").len(), 1);
    world.faults.refuse_commits_of(None);
    acme.post_user("ada@acme.example").await.is(201);
    world.live(&host, HOUR).await;
    assert_eq!(world.mailbox.subjects_to("ada@acme.example").len(), 1, "and it catches up");
}

#[tokio::test]
async fn p6_after_a_downtime_everything_is_caught_up_with() {
    let world = World::on_disk();
    let (host, acme) = scene(&world).await;
    acme.organization.set_webhook("https://backend.example/events").await.unwrap();
    acme.post_user("ada@acme.example").await.is(201);
    drop((host, acme));
    world.pass(40 * DAY);
    let host = world.host().await;
    world.live(&host, HOUR).await;
    assert_eq!(world.network.event_types(), ["member.created", "token.expired"]);
    assert_eq!(world.mailbox.subjects_to("ada@acme.example").len(), 1);
    assert_eq!(world.mailbox.subjects_to(OWNER).len(), 1);
}
