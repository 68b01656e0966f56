//! Members and teams over the API, and the preview.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use insomnia_scim_tests::person::Person;
use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::shared;
use serde_json::{Value, json};

use crate::api::caller::{Organization, PASSPHRASE, created, gone, ok, operator, problem};

fn add(organization: &Organization, email: &str) -> Value {
    created(&organization.post("/members", json!({"email": email, "passphrase": PASSPHRASE})))
}

#[test]
fn a_member_is_added_looked_at_changed_and_removed() {
    let organization = Organization::new("members");
    let response = organization.post("/members", json!({"email": "Ada@Example.com", "display_name": "Ada"}));
    let ada = created(&response);
    assert_eq!((&ada["role"], &ada["origin"], &ada["active"]), (&json!("member"), &json!("manual"), &json!(true)));
    let id = text(&ada, "id");
    assert!(
        response.header("location").is_some_and(|location| location.ends_with(&format!("/members/{id}"))),
        "{response}"
    );
    assert_eq!(ok(&organization.get(&format!("/members/{id}"))), ada);
    assert_eq!(ok(&organization.get("/members/ada%40example.com")), ada);
    let changed = ok(&organization.put(&format!("/members/{id}/role"), json!({"role": "co-owner"})));
    assert_eq!(changed["role"], json!("co-owner"));
    problem(&organization.post("/members", json!({"email": "ada@example.com"})), 409, "conflict");
    gone(&organization.delete(&format!("/members/{id}")));
    problem(&organization.get(&format!("/members/{id}")), 404, "not-found");
}

#[test]
fn members_of_another_system_are_taken_over_with_their_ids_as_often_as_they_are_sent() {
    let organization = Organization::new("imports");
    let id = "3d813cbb-47fb-42ba-91df-831e1593ac29";
    let people = json!({"members": [
        {"id": id, "email": "ada@example.com", "display_name": "Ada", "active": false},
        {"id": id.to_uppercase(), "email": "bob@example.com", "displayName": "Bob"},
    ]});
    let first = ok(&organization.post("/imports", people.clone()));
    assert_eq!(first["members"][0], json!({"id": id, "outcome": "added"}));
    assert_eq!(first["members"][1]["outcome"], "refused");
    assert!(text(&first["members"][1], "reason").contains("UUID"), "{first}");
    assert_eq!(ok(&organization.post("/imports", people))["members"][0]["outcome"], "present");
    let ada = ok(&organization.get(&format!("/members/{id}")));
    assert_eq!((&ada["origin"], &ada["active"]), (&json!("manual"), &json!(false)));
    let twice = json!({"members": [{"id": id, "email": "a@example.com"}, {"id": id, "email": "b@example.com"}]});
    problem(&organization.post("/imports", twice), 422, "invalid");
    let person = |number: u32| json!({"id": format!("{number:036}"), "email": "a@example.com"});
    let many: Vec<Value> = (0..501).map(person).collect();
    problem(&organization.post("/imports", json!({"members": many})), 422, "invalid");
}

#[test]
fn p9_a_person_is_erased_from_lists_log_audit_trail_events_and_mails() {
    let organization = Organization::new("erase");
    let address = format!("erica@{}.example", organization.id);
    let erica =
        text(&created(&organization.post("/members", json!({"email": address, "display_name": "Erica Erasee"}))), "id");
    let begin = Instant::now();
    while !is_mailed_welcome(&address) {
        assert!(begin.elapsed() < Duration::from_secs(20), "no welcome");
        thread::sleep(Duration::from_millis(20));
    }
    let erased = ok(&organization.post("/erasures", json!({"person": address})));
    assert_eq!(
        (&erased["id"], &erased["done"], &erased["emails"]),
        (&json!(erica), &json!(true), &json!(1)),
        "{erased}"
    );
    problem(&organization.get(&format!("/members/{erica}")), 404, "not-found");
    for path in ["/members", "/logs", "/audit", "/events", "/export"] {
        let answer = organization.get(path).is(200).text();
        assert!(!answer.contains(&address) && !answer.contains("Erica Erasee"), "{path}: {answer}");
    }
    let audit = ok(&organization.get("/audit"));
    let acts = audit["items"].as_array().unwrap().iter().filter(|entry| entry["subject"]["id"] == *erica);
    let acts: Vec<&Value> = acts.map(|entry| &entry["act"]).collect();
    assert_eq!(acts, [&json!("member.erase"), &json!("member.add")], "what was done stays, with the id");
    assert!(!is_mailed_welcome(&address));
    // Whoever asks once more, by the id and a name that is known, hears of the same erasure.
    let again = ok(&organization.post("/erasures", json!({"person": erica, "known_as": ["Erica Erasee"]})));
    let told = |answer: &Value| (answer["id"].clone(), answer["erased"].clone(), answer["done"].clone());
    assert_eq!(told(&again), told(&erased), "{again}");
    for body in [json!({"person": "x"}), json!({"person": "somebody", "known_as": ["x"]}), json!({})] {
        problem(&organization.post("/erasures", body), 422, "invalid");
    }
    problem(&organization.post("/erasures", json!({"person": organization.owner})), 403, "forbidden");
}

fn is_mailed_welcome(address: &str) -> bool {
    letters(shared().data()).iter().any(|letter| letter.contains(address))
}

#[test]
fn the_last_owner_stays() {
    let organization = Organization::new("owner");
    let owner = organization.owner.replace('@', "%40");
    problem(&organization.delete(&format!("/members/{owner}")), 403, "forbidden");
    problem(&organization.put(&format!("/members/{owner}/role"), json!({"role": "member"})), 403, "forbidden");
}

#[test]
fn a_member_without_a_free_seat_is_409() {
    let organization = Organization::with("seats", json!({"seats": 2}));
    add(&organization, "one@example.com");
    problem(&organization.post("/members", json!({"email": "two@example.com"})), 409, "no-free-seat");
    assert_eq!(ok(&organization.get("/licences"))["manual"], json!(2));
}

#[test]
fn what_is_no_member_is_422() {
    let organization = Organization::new("wrong");
    for body in [
        json!({"email": "no address"}),
        json!({"email": "a@example.com", "passphrase": "short"}),
        json!({"email": "a@example.com", "role": "king"}),
        json!({"email": "a@example.com", "display_name": ""}),
        json!({}),
    ] {
        problem(&organization.post("/members", body), 422, "invalid");
    }
}

#[test]
fn members_are_searched_by_the_beginning_of_name_or_address() {
    let organization = Organization::new("search");
    for email in ["ada@example.com", "adam@example.com", "grace@example.com"] {
        add(&organization, email);
    }
    let found = |query: &str| {
        let listed = ok(&organization.get(&format!("/members?prefix={query}")));
        listed["items"].as_array().unwrap().iter().map(|member| text(member, "email")).collect::<Vec<_>>()
    };
    assert_eq!(found("ADA"), ["ada@example.com", "adam@example.com"]);
    assert_eq!(found("grace%40"), ["grace@example.com"]);
    assert!(found("nobody").is_empty());
}

#[test]
fn members_of_the_identity_provider_are_seen_as_such() {
    let organization = Organization::new("scim");
    let token = organization.enable();
    let url = text(&ok(&organization.get("/connector")), "connector_url");
    let user = seed::someone(&insomnia_scim_tests::client::Client::new(&url, &token), "provisioned");
    let member = ok(&organization.get(&format!("/members/{}", text(&user, "id"))));
    assert_eq!((&member["origin"], &member["user_name"]), (&json!("scim"), &user["userName"]));
    assert_eq!(ok(&organization.get("/licences"))["scim"], json!(1));
}

/// Whether an email to this address waits, can't be sent, or lies in the mail folder.
fn is_mailed(organization: &Organization, address: &str) -> bool {
    let queued = ["emails-waiting", "emails-parked"].iter().any(|queue| {
        let listed = ok(&organization.get(&format!("/deliveries/{queue}")));
        let items = listed["items"].as_array().cloned().unwrap_or_default();
        items.iter().any(|delivery| delivery["to"] == *address && delivery["what"] == "passphrase-reset")
    });
    queued || letters(shared().data()).iter().any(|letter| letter.contains(address))
}

/// The letters below this directory.
fn letters(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let (directories, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let found = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "eml"));
    let mut read: Vec<String> = found.filter_map(|path| fs::read_to_string(path).ok()).collect();
    read.extend(directories.iter().flat_map(|directory| letters(directory)));
    read
}

#[test]
fn a_member_is_mailed_a_link_that_sets_another_passphrase() {
    let organization = Organization::new("reset");
    let address = format!("ada@{}.example", organization.id);
    let ada = add(&organization, &address);
    assert!(!is_mailed(&organization, &address));
    let path = format!("/members/{}/passphrase-reset", text(&ada, "id"));
    gone(&organization.client.post(&organization.at(&path), ""));
    assert!((0..100).any(|_| is_mailed(&organization, &address)), "nothing is mailed to {address}");
    problem(&organization.client.post(&organization.at("/members/nobody/passphrase-reset"), ""), 404, "not-found");
}

#[test]
fn teams_are_added_and_listed() {
    let organization = Organization::new("teams");
    let ada = add(&organization, "ada@example.com");
    let team = created(&organization.post("/teams", json!({"name": "Design", "members": ["ada@example.com"]})));
    assert_eq!((&team["name"], &team["members"], &team["origin"]), (&json!("Design"), &json!(1), &json!("manual")));
    assert_eq!(ok(&organization.get("/teams?prefix=des"))["items"], json!([team]));
    problem(&organization.post("/teams", json!({"name": "Design"})), 409, "conflict");
    problem(&organization.post("/teams", json!({"name": "Other", "members": ["nobody"]})), 404, "not-found");
    problem(&organization.post("/teams", json!({"name": ""})), 422, "invalid");
    gone(&organization.delete(&format!("/members/{}", text(&ada, "id"))));
    assert_eq!(ok(&organization.get("/teams"))["items"][0]["members"], json!(0));
}

#[test]
fn members_of_a_team_are_listed_page_by_page_and_changed_by_hand() {
    let organization = Organization::new("membership");
    let emails = ["ada@example.com", "adam@example.com", "grace@example.com"];
    let people: Vec<Value> = emails.iter().map(|email| add(&organization, email)).collect();
    let team = created(&organization.post("/teams", json!({"name": "Design", "members": emails})));
    let path = format!("/teams/{}", text(&team, "id"));
    let found = ok(&organization.get(&path));
    assert_eq!((&found["id"], &found["members"]), (&team["id"], &json!(3)));
    assert_eq!(ok(&organization.get("/teams/design")), found, "a team is found by its name too");
    let found = |query: &str| {
        let listed = ok(&organization.get(&format!("{path}/members?{query}")));
        let items = listed["items"].as_array().unwrap().iter().map(|member| text(member, "email")).collect::<Vec<_>>();
        (items, listed["next"].as_str().map(str::to_owned))
    };
    let (first, next) = found("limit=2");
    assert_eq!(first, emails[..2]);
    assert_eq!(found(&format!("limit=2&after={}", next.unwrap())), (vec![emails[2].to_owned()], None));
    assert_eq!(found("prefix=ADA").0, emails[..2]);
    let change = json!({"remove": ["ada@example.com", text(&people[1], "id")], "add": ["grace@example.com"]});
    let changed = ok(&organization.post(&format!("{path}/members"), change));
    assert_eq!(changed["members"], json!(1), "{changed}");
    assert_eq!(found("").0, emails[2..]);
    for (change, status, kind) in [
        (json!({"add": ["ada@example.com", "nobody"]}), 404, "not-found"),
        (json!({"add": ["ada@example.com"], "remove": ["ada@example.com"]}), 422, "invalid"),
    ] {
        problem(&organization.post(&format!("{path}/members"), change), status, kind);
    }
    assert_eq!(found("").0, emails[2..], "what was refused has changed nothing");
    gone(&organization.delete(&path));
    problem(&organization.get(&path), 404, "not-found");
    assert_eq!(ok(&organization.get("/members"))["items"].as_array().map(Vec::len), Some(4));
}

#[test]
fn a_preview_tells_what_would_become_of_users_and_changes_nothing() {
    let organization = Organization::new("preview");
    add(&organization, "ada@example.com");
    let person = Person::new("new");
    let users = json!([
        {"userName": "ada@example.com"},
        seed::user_request(&person),
    ]);
    for body in [users.clone(), json!({"Resources": users})] {
        let preview = ok(&organization.post("/preview", body));
        let outcomes: Vec<String> =
            preview["users"].as_array().unwrap().iter().map(|user| text(user, "outcome")).collect();
        assert_eq!(outcomes, ["adopts", "creates"]);
        assert_eq!((&preview["taken"], &preview["taken_after"]), (&json!(2), &json!(3)));
    }
    assert_eq!(ok(&organization.get("/members"))["items"].as_array().map(Vec::len), Some(2));
    problem(&organization.post("/preview", json!("users")), 422, "invalid");
    problem(&organization.client.post(&organization.at("/preview"), "[{"), 422, "invalid");
}

#[test]
fn a_preview_may_be_large_and_nothing_else() {
    let organization = Organization::new("large");
    let users: Vec<Value> =
        (0..5_000).map(|number| json!({"userName": format!("user-{number}@example.com")})).collect();
    let body = Value::from(users);
    assert!(body.to_string().len() > 100_000);
    assert_eq!(ok(&organization.post("/preview", body))["users"].as_array().map(Vec::len), Some(5_000));
    let huge = format!("[{{\"userName\": \"{}\"}}]", "x".repeat(5 << 20));
    problem(&organization.client.post(&organization.at("/preview"), huge), 413, "too-large");
    let large = json!({"name": "x".repeat(64 << 10)});
    problem(&organization.post("/teams", large), 413, "too-large");
    let record = json!({"name": "x".repeat(64 << 10)});
    problem(&operator().put(&organization.path, record), 413, "too-large");
}

#[test]
fn c24_members_and_teams_are_searched_filtered_counted_described_and_exported() {
    let organization = Organization::new("found");
    for number in 0..5 {
        add(&organization, &format!("member-{number}@example.com"));
    }
    created(&organization.post("/teams", json!({"name": "Design", "members": ["member-1@example.com"]})));
    let page = |query: &str| ok(&organization.get(&format!("/members?{query}")));
    let emails = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|member| text(member, "email")).collect()
    };
    assert_eq!(emails(&page("text=BER-3%40EX&active=true&origin=manual")), ["member-3@example.com"]);
    assert_eq!((emails(&page("active=false")).len(), emails(&page("origin=scim")).len()), (0, 0));
    let first = page("limit=4");
    assert_eq!((first["previous"].clone(), first["next"].is_string()), (Value::Null, true));
    let second = page(&format!("limit=4&after={}", text(&first, "next")));
    assert_eq!((emails(&second).len(), &second["next"]), (2, &Value::Null));
    assert_eq!(page(&format!("limit=4&after={}", text(&second, "previous")))["items"], first["items"]);
    problem(&organization.get("/members?origin=elsewhere"), 400, "bad-request");

    let census = ok(&organization.get("/census"));
    assert_eq!((&census["active_manual"], &census["teams_manual"]), (&json!(6), &json!(1)), "{census}");
    let details = ok(&organization.get("/members/member-1%40example.com/details"));
    assert_eq!(details["attributes"]["emails"][0]["value"], json!("member-1@example.com"));
    assert_eq!(details["mark"], json!("outside your verified domains: example.com"), "{details}");
    let teams = ok(&organization.get("/members/member-1%40example.com/teams"));
    assert_eq!((teams["items"].as_array().map(Vec::len), &teams["items"][0]["name"]), (Some(1), &json!("Design")));
    assert_eq!(ok(&organization.get("/teams/design/details"))["attributes"]["displayName"], json!("Design"));
    assert_eq!(emails(&ok(&organization.get("/teams/design/members?text=MEMBER"))), ["member-1@example.com"]);

    let export = |query: &str| {
        let response = organization.get(&format!("/exports/{query}"));
        assert_eq!(response.is(200).header("content-type"), Some("text/csv; charset=utf-8"), "{response}");
        response.text()
    };
    let members = export("members?text=member-");
    assert!(members.starts_with("id,user_name,display_name,email,role,origin,active,mark,created,last_modified\r\n"));
    assert_eq!(members.lines().count(), 6, "{members}");
    assert_eq!(export("members?team=Design").lines().count(), 2);
    assert!(export("teams?origin=manual").contains(",Design,manual,1,"));
}

#[test]
fn c23_who_got_no_seat_is_listed_until_there_is_one() {
    let organization = Organization::with("seatless", json!({"seats": 1}));
    let token = organization.enable();
    let url = text(&ok(&organization.get("/connector")), "connector_url");
    let client = insomnia_scim_tests::client::Client::new(&url, &token);
    let person = Person::new("seatless");
    let refused = client.post("/Users", seed::user_request(&person));
    refused.error(403);
    let found = ok(&organization.get("/licences/without-seat"));
    assert_eq!((found["people"].as_array().map(Vec::len), &found["is_full"]), (Some(1), &json!(false)), "{found}");
    let seatless = &found["people"][0];
    assert_eq!((&seatless["email"], &seatless["refusals"]), (&json!(person.email), &json!(1)));
    assert_eq!(seatless["request_id"].as_str(), refused.header("x-request-id"));
    let record = json!({"seats": 2});
    ok(&operator().patch(&organization.path, record));
    client.post("/Users", seed::user_request(&person)).is(201);
    assert_eq!(ok(&organization.get("/licences/without-seat"))["people"], json!([]));
}
