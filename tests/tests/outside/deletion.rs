//! An organization is deleted while a server runs, by the command line and over the API (F3, F15).

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use insomnia_scim_tests::client::{Client, Request};
use insomnia_scim_tests::person::unique;
use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Server, shared};
use serde_json::{Value, json};

/// How long the scheduler may take to do what is due.
const SOON: Duration = Duration::from_secs(20);

fn bulk(request: usize) -> Value {
    let operation = |number: usize| {
        let user = format!("user-{request}-{number}@deleted.example");
        json!({"method": "POST", "path": "/Users", "bulkId": format!("b{number}"), "data": {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": user, "emails": [{"value": user, "primary": true}],
        }})
    };
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": (0..1_000).map(operation).collect::<Vec<_>>(),
    })
}

#[test]
fn f3_a_deletion_by_command_ends_bulk_requests_and_leaves_nothing_to_the_next_of_that_name() {
    let server = Server::start();
    let connector = server.another_organization(&unique("bulk"));
    let requests: Vec<_> = (0..6)
        .map(|request| {
            let client = connector.client();
            thread::spawn(move || client.post("/Bulk", bulk(request)).status)
        })
        .collect();
    let client = connector.client();
    let begin = Instant::now();
    while client.get("/Users?count=0").is(200).json()["totalResults"].as_u64() < Some(20) {
        assert!(begin.elapsed() < SOON, "nobody is created");
        thread::sleep(Duration::from_millis(5));
    }
    let id = connector.organization.as_str();
    server.command(&["org", "delete", id, "--yes-delete", id]);
    // The organization's own audit trail has gone with it.
    let acts = server.command(&["audit", "list", "--operator"]);
    assert!(
        acts.as_array().unwrap().iter().any(|act| act["act"] == "organization.delete" && act["subject"]["id"] == id),
        "{acts}"
    );
    for request in requests {
        assert_eq!(request.join().expect("an answer"), 401, "a bulk request went on after the deletion");
    }
    let mails = server.data().join("mail").join(id);
    assert!(!mails.exists(), "emails of the deleted organization are left");

    let again = server.another_organization(id);
    assert_eq!(again.organization, id);
    assert_eq!(connector.client().get("/Users").status, 401, "the old token opens the new organization");
    assert_eq!(again.client().get("/Users").is(200).json()["totalResults"], 0);
    thread::sleep(Duration::from_secs(2));
    assert!(!mails.exists(), "an email to a member of the deleted organization was sent");
    let licences = server.command(&["org", "show", id])["licences"].clone();
    assert_eq!((&licences["manual"], &licences["scim"]), (&json!(1), &json!(0)), "only the owner has a licence");
}

#[test]
fn f15_the_emails_of_an_organization_go_with_it_on_every_face() {
    let key = text(&shared().command(&["api-key", "create", "f15", "--operator"]), "secret");
    let api = Client::bare(&format!("{}/api/v1", shared().client().at_root().url()));
    let over_the_api = |id: &str| {
        let request = Request::new("DELETE", &format!("/organizations/{id}"));
        assert_eq!(api.send(&request.header("Authorization", &format!("Bearer {key}"))).status, 204);
    };
    let by_command = |id: &str| {
        shared().command(&["org", "delete", id, "--yes-delete", id]);
    };
    for delete in [&over_the_api as &dyn Fn(&str), &by_command] {
        let connector = shared().another_organization(&unique("mails"));
        let mails = shared().data().join("mail").join(&connector.organization);
        seed::someone(&connector.client(), "mails");
        let begin = Instant::now();
        while fs::read_dir(&mails).map_or(0, Iterator::count) == 0 {
            assert!(begin.elapsed() < SOON, "no email was written");
            thread::sleep(Duration::from_millis(20));
        }
        delete(&connector.organization);
        assert!(!mails.exists(), "{}", mails.display());
    }
}
