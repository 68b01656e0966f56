//! After an erasure, nothing about the person is left except the id.

use insomnia_scim_contract::{Act, EventDetail, NewEventStream, Role};
use serde_json::{Value, json};

use super::*;
use crate::capability::{EmailError, HttpError, KeyValue, Storage};
use crate::connector::Window;
use crate::directory;
use crate::jobs::{RunContext, run_due};
use crate::journal;
use crate::provisioning::guard::Guard;
use crate::streams;
use crate::testing::organization::{DAY, TestOrganization};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// A text that every value of the person contains, and no other text of these tests.
const MARK: &str = "zzyx";

fn organization() -> TestOrganization {
    TestOrganization::new(50, Window::Never).unwrap()
}

/// A user with a value in every attribute. Each value contains `mark`.
fn user(mark: &str) -> Value {
    let text = |attribute: &str| format!("{mark}-{attribute}");
    let address = |kind: &str| format!("{mark}-{kind}@example.com");
    json!({
        "schemas": [USER, ENTERPRISE],
        "userName": address("user"), "externalId": text("external"), "displayName": format!("{mark} Display Name"),
        "nickName": text("nick"), "profileUrl": format!("https://example.com/{mark}"), "title": text("title"),
        "userType": text("kind"), "preferredLanguage": "en", "locale": "en-US", "timezone": "Europe/Vienna",
        "name": {"formatted": format!("Dr {mark} Formatted"), "givenName": text("given"), "familyName": text("family"),
            "middleName": text("middle"), "honorificPrefix": text("prefix"), "honorificSuffix": text("suffix")},
        "emails": [{"value": address("work"), "type": "work", "primary": true, "display": text("shown")},
            {"value": address("home"), "type": "home"}],
        "phoneNumbers": [{"value": format!("+43 1 {mark}"), "type": "work"}],
        "ims": [{"value": text("chat"), "type": "xmpp"}],
        "photos": [{"value": format!("https://example.com/{mark}.png"), "type": "photo"}],
        "addresses": [{"formatted": text("address"), "streetAddress": text("street"), "locality": text("town"),
            "region": text("region"), "postalCode": text("code"), "country": "AT", "type": "work"}],
        "entitlements": [{"value": text("entitlement")}], "roles": [{"value": text("role")}],
        ENTERPRISE: {"employeeNumber": text("number"), "costCenter": text("cost"), "organization": text("company"),
            "division": text("division"), "department": text("department")},
    })
}

/// The stored keys and values that still contain something about the person.
fn left(organization: &TestOrganization, mark: &str) -> Vec<String> {
    let dump = keys::fold(&organization.host.dump());
    dump.lines().filter(|line| line.contains(mark)).map(|line| line.chars().take(400).collect()).collect()
}

/// Erases a person, as a host does that keeps no copies itself.
fn erase(organization: &TestOrganization, person: &str, known_as: &[&str]) -> Erasure {
    let store = organization.store().for_act(&Act::of_backend(), "member.erase");
    let known_as: Vec<String> = known_as.iter().map(|name| (*name).to_owned()).collect();
    let mut erasure = erase_person(&store, person, &known_as).unwrap();
    while !erasure.done {
        erasure = proceed(&organization.store(), &erasure.id).unwrap();
    }
    end_erasure(&organization.store(), &erasure.id).unwrap();
    erasure
}

fn patch(operations: Value) -> Option<Value> {
    Some(json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}))
}

/// Lets everything happen to a person that can happen: the person is found, adopted, changed, refused, put into teams,
/// mailed, and seen by administrators.
fn a_life(organization: &TestOrganization) -> String {
    let quoted = |attribute: &str, value: &str| format!("/Users?filter={attribute}+eq+%22{value}%22");
    organization.host.email_results.borrow_mut().push_back(EmailError::Rejected(format!("no {MARK}-work@example.com")));
    journal::set_webhook(&organization.store(), &organization.host, "https://events.example/").unwrap();
    for detail in [EventDetail::Full, EventDetail::Notice] {
        let audience = "https://rp.example/7".to_owned();
        let stream = NewEventStream { name: "Backend".into(), audience, detail, ..NewEventStream::default() };
        streams::add(&organization.store(), &organization.host, stream, "https://scim.example/scim/v2/org").unwrap();
    }
    let down = || Err(HttpError::Unreachable("down".into()));
    organization.host.http_results.borrow_mut().extend((0..200).map(|_| down()));
    organization.scim("GET", &quoted("userName", &format!("{MARK}-user%40example.com")), None);
    let (status, created) = organization.scim("POST", "/Users", Some(user(MARK)));
    assert_eq!(status, 201, "{created}");
    let id = created["id"].as_str().unwrap().to_owned();
    assert_eq!(organization.scim("POST", "/Users", Some(user(MARK))).0, 409);
    for (attribute, value) in [
        ("emails.value", "home@example.com"),
        ("externalId", "external"),
        ("title", "title"),
        ("name.familyName", "family"),
    ] {
        organization.scim("GET", &quoted(attribute, &format!("{MARK}-{value}")), None);
    }
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": format!("name.givenName eq \"{MARK}-given\"")});
    organization.scim("POST", "/Users/.search", Some(search));
    organization.scim("GET", &format!("/Users/{MARK}-user@example.com"), None);
    organization.live_for(60_000).unwrap();
    // Another name, which after this change only the history contains.
    let renamed = json!([{"op": "replace", "value": {
        "userName": format!("other-{MARK}@example.com"), "displayName": format!("Other {MARK}"),
        "emails": [{"value": format!("other-{MARK}@example.com"), "type": "work", "primary": true}]}}]);
    assert_eq!(organization.scim("PATCH", &format!("/Users/{id}"), patch(renamed)).0, 200);
    organization.scim(
        "PATCH",
        &format!("/Users/{id}"),
        patch(json!([{"op": "add", "path": "nosuch", "value": format!("{MARK}-un")}])),
    );
    organization.scim(
        "PATCH",
        &format!("/Users/{id}"),
        patch(json!([{"op": "replace", "path": "active", "value": format!("{MARK}-odd")}])),
    );
    let team = json!({"displayName": "Staff", "members": [{"value": id, "display": format!("{MARK} in a team")}]});
    assert_eq!(organization.scim("POST", "/Groups", Some(team)).0, 201);
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"schemas": [USER], "userName": "bystander@example.com"}},
        {"method": "PATCH", "path": format!("/Users/{id}"), "data": {"Operations": [{"op": "replace", "path": "title", "value": format!("{MARK}-bulk")}]}},
    ]});
    assert_eq!(organization.scim("POST", "/Bulk", Some(bulk)).0, 200);
    let store = |act| organization.store().for_act(&Act::of_backend(), act);
    let acting = store("member.set-role");
    let subject = EventSubject { name: Some(format!("Other {MARK}")), ..EventSubject::member(&id) };
    acting.note(subject, Some(json!({"role": "member"})), Some(json!({"role": "co-owner"})));
    directory::set_role(&acting, &id, Role::CoOwner).unwrap();
    let refused = store("member.add");
    refused.note_refusal(&format!("other-{MARK}@example.com is a member already"));
    refused.end_act().unwrap();
    directory::request_passphrase_reset(&organization.store(), &id, "https://scim.example/reset").unwrap();
    // The person as an administrator: the name is in the welcome email of somebody else.
    let by = Act { actor: insomnia_scim_contract::Actor::Member(id.clone()), ..Act::of_backend() };
    let adds = organization.store().for_act(&by, "member.add");
    let new = |email: &str| insomnia_scim_contract::NewMember::new(email.into(), None, Role::Member, None);
    organization.host.email_results.borrow_mut().extend((0..50).map(|_| EmailError::Unavailable("down".into())));
    directory::add_member(&adds, &by, &new("newcomer@example.com")).unwrap();
    let guard = Guard { number: Some(1), share: None };
    directory::set_guard(&organization.store(), Some(guard)).unwrap();
    assert_eq!(organization.scim("DELETE", &format!("/Users/{}", other(organization)), None).0, 204);
    assert_eq!(organization.scim("DELETE", &format!("/Users/{id}"), None).0, 503, "held");
    directory::set_guard(&organization.store(), None).unwrap();
    organization.scim(
        "PATCH",
        &format!("/Users/{id}"),
        patch(json!([{"op": "replace", "path": "active", "value": false}])),
    );
    organization.change(|record| record.seats = 1).unwrap();
    organization.scim(
        "PATCH",
        &format!("/Users/{id}"),
        patch(json!([{"op": "replace", "path": "active", "value": true}])),
    );
    organization.live_for(60_000).unwrap();
    assert!(left(organization, MARK).len() > 30, "{:#?}", left(organization, MARK));
    id
}

/// Somebody else whom SCIM manages.
fn other(organization: &TestOrganization) -> String {
    let (_, found) = organization.scim("GET", "/Users?filter=userName+eq+%22bystander@example.com%22", None);
    found["Resources"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn p9_nothing_is_left_of_somebody_who_was_erased_but_the_id() {
    let organization = organization();
    let id = a_life(&organization);
    let events = organization.events().len();
    let erasure = erase(&organization, &id, &[]);
    assert_eq!(erasure.id, id);
    assert!(erasure.erased > 10 && erasure.ready, "{erasure:?}");
    assert_eq!(organization.scim("GET", &format!("/Users/{id}"), None).0, 404, "the member is removed");
    assert!(organization.events().len() > events, "events stay, and the deletion is one");
    organization.live_for(10 * 60_000).unwrap();
    let left = left(&organization, MARK);
    assert!(left.is_empty(), "{left:#?}");
    let histories = organization.host.dump().lines().filter(|line| line.contains(&id)).count();
    assert!(histories > 10, "what happened can still be counted");
    assert_eq!(organization.store().erasures().unwrap().len(), 0, "the names are forgotten");
    // Nothing about anybody else has changed.
    let (_, found) = organization.scim("GET", "/Users?filter=userName+eq+%22newcomer@example.com%22", None);
    assert_eq!(found["totalResults"], 1);
    let (welcomes, _) = organization.store().outbox(None, None, 100).unwrap();
    assert!(welcomes.iter().any(|email| email.record.to == "newcomer@example.com"), "others get their emails");
}

#[test]
fn p9_somebody_who_is_deleted_already_is_erased_by_the_id_and_somebody_refused_by_the_address() {
    let organization = organization();
    let id = a_life(&organization);
    directory::remove_member(&organization.store(), &id).unwrap();
    assert!(!left(&organization, MARK).is_empty());
    erase(&organization, &id, &[]);
    organization.live_for(10 * 60_000).unwrap();
    assert_eq!(left(&organization, MARK), Vec::<String>::new());

    organization.change(|record| record.seats = 1).unwrap();
    let refused = json!({"userName": "nobody-qqx@example.com", "displayName": "Nobody Qqx"});
    assert_eq!(organization.scim("POST", "/Users", Some(refused)).0, 403);
    assert!(!left(&organization, "qqx").is_empty());
    let erasure = erase(&organization, "Nobody-QQX@example.com", &["nobody qqx"]);
    assert!(keys::is_id(&erasure.id) && erasure.id != id);
    organization.live_for(10 * 60_000).unwrap();
    assert_eq!(left(&organization, "qqx"), Vec::<String>::new());
}

#[test]
fn p9_the_texts_of_others_stay_where_the_person_is_not_named() {
    let organization = organization();
    let add = |name: &str, display: &str| {
        let user = json!({"userName": name, "displayName": display, "title": "Engineer"});
        organization.scim("POST", "/Users", Some(user)).1["id"].as_str().unwrap().to_owned()
    };
    let (ann, _) = (add("ann@example.com", "Ann Lee"), add("joann@example.com", "Ann Leeson"));
    erase(&organization, &ann, &[]);
    organization.live_for(10 * 60_000).unwrap();
    let dump = organization.host.dump();
    let lines = |text: &str| dump.lines().filter(|line| line.starts_with(text)).map(str::to_owned).collect::<Vec<_>>();
    let of_joann = |line: &String| line.contains("joann@example.com") && line.contains("Ann Leeson");
    assert_eq!(lines("log/").iter().filter(|line| of_joann(line) && line.contains("Engineer")).count(), 1, "{dump}");
    assert_eq!(lines("event/").iter().filter(|line| of_joann(line) && line.contains("Engineer")).count(), 1);
    assert!(!dump.contains("\"ann@example.com\"") && !dump.contains("\"Ann Lee\""), "{dump}");
}

#[test]
fn p9_a_long_history_is_erased_part_by_part_and_after_a_crash_it_goes_on() {
    let organization = organization();
    let (_, created) = organization.scim("POST", "/Users", Some(user(MARK)));
    let id = created["id"].as_str().unwrap().to_owned();
    let now = organization.store().now();
    let entry = |time: u64| {
        let body = json!({"userName": format!("{MARK}-user@example.com")}).to_string();
        let entry = json!({"time": time, "path": "/Users", "status": 409, "body": body});
        KeyValue::new(keys::log(time, "r", [0; 4]), entry.to_string().into_bytes())
    };
    let rows: Vec<_> = (1..=6_000).map(|number| entry(now - number)).collect();
    organization.host.append(&rows).unwrap();
    let count = || left(&organization, MARK).iter().filter(|line| line.starts_with("log/")).count();
    let before = count();
    let erasure = erase_person(&organization.store(), &id, &[]).unwrap();
    assert!(!erasure.done);
    let mut last = count();
    assert!(before - last <= 250 * STEPS as usize);
    let again = erase_person(&organization.store(), &id, &[]).unwrap();
    assert!(again.erased > erasure.erased, "it goes on where it was: {again:?} after {erasure:?}");
    last = count();
    // The caller crashes, and the jobs continue the erasure.
    while organization.store().erasure(&id).unwrap().is_some_and(|erasure| erasure.record.stage < ErasureStage::Late) {
        run_due(organization.host.host(), &RunContext::default()).unwrap();
        let now_left = count();
        assert!(last - now_left <= 250 * STEPS as usize, "{last} to {now_left}");
        last = now_left;
    }
    assert_eq!(last, 0);
    // A request that was running when the erasure began writes after the sweep.
    organization.host.append(&[entry(now + 5)]).unwrap();
    assert_eq!(count(), 1);
    organization.live_for(LATE + 60_000).unwrap();
    assert_eq!(count(), 0);
    assert!(organization.store().erasure(&id).unwrap().is_some(), "the host may still have copies");
    organization.live_for(KEPT + DAY).unwrap();
    assert_eq!(left(&organization, MARK), Vec::<String>::new());
}

#[test]
fn p9_the_last_owner_and_short_words_are_not_erased() {
    let organization = organization();
    let owner = erase_person(&organization.store(), TestOrganization::OWNER, &[]);
    assert!(matches!(owner, Err(ErasureError::Refused(Refusal::LastOwner))), "{owner:?}");
    assert_eq!(organization.store().erasures().unwrap().len(), 0);
    for (person, known_as) in [("ann", vec![]), ("", vec![]), ("somebody", vec!["ann".to_owned()])] {
        let refused = erase_person(&organization.store(), person, &known_as);
        assert!(matches!(refused, Err(ErasureError::Invalid(_))), "{person}: {refused:?}");
    }
    assert!(matches!(proceed(&organization.store(), "nobody"), Err(ErasureError::NotFound(_))));
    let nobody = erase(&organization, "0190a6f0-0000-7000-8000-000000000001", &[]);
    assert_eq!(nobody.erased, 0, "there was nothing of this id");
}

#[test]
fn p9_an_address_of_any_kind_finds_the_member_and_the_names_of_others_are_refused() {
    let organization = organization();
    let id = organization.scim("POST", "/Users", Some(user(MARK))).1["id"].as_str().unwrap().to_owned();
    let colleague = json!({"userName": "joe@example.com", "displayName": "Joe Leeson", "externalId": "joe-4711",
        "emails": [{"value": "joe@example.com", "primary": true}, {"value": "joe@home.example", "type": "home"}]});
    let joe = organization.scim("POST", "/Users", Some(colleague)).1["id"].as_str().unwrap().to_owned();
    assert_eq!(organization.scim("POST", "/Groups", Some(json!({"displayName": "Engineering"}))).0, 201);
    let store = organization.store();
    let of_others = ["joe@example.com", "JOE@home.example", "joe leeson", "joe-4711", &joe, "Engineering"];
    for name in of_others {
        let refused = erase_person(&store, &id, &[name.to_owned()]);
        assert_eq!(refused, Err(ErasureError::SomebodyElse(name.to_owned())));
    }
    for name in ["joe leeson", "joe-4711", "engineering"] {
        assert_eq!(erase_person(&store, name, &[]), Err(ErasureError::SomebodyElse(name.to_owned())));
    }
    for word in ["userName", "Users", "schemas", "owner", "co-owner", "manual"] {
        assert_eq!(erase_person(&store, word, &[]), Err(ErasureError::Nobody(word.to_owned())));
        assert_eq!(erase_person(&store, &id, &[word.to_owned()]), Err(ErasureError::Nobody(word.to_owned())));
    }
    assert!(organization.store().erasures().unwrap().is_empty(), "nothing has changed");
    let erasure = erase(&organization, &format!("{MARK}-HOME@example.com"), &[]);
    assert_eq!(erasure.id, id);
    assert_eq!(organization.scim("GET", &format!("/Users/{id}"), None).0, 404);
    assert_eq!(organization.scim("GET", &format!("/Users/{joe}"), None).0, 200);
}

#[test]
fn p9_colleagues_keep_what_they_share_with_the_person() {
    let organization = organization();
    let add = |name: &str, display: &str, number: &str| {
        let user = json!({"userName": name, "displayName": display, "externalId": number, "title": "Engineer",
            "profileUrl": "https://example.com/team", "phoneNumbers": [{"value": "+43 1 234567", "type": "work"}],
            "photos": [{"value": "https://example.com/default.png", "type": "photo"}]});
        organization.scim("POST", "/Users", Some(user)).1["id"].as_str().unwrap().to_owned()
    };
    let (bob, _) = (add("bob", "Bob", "4711"), add("joe@example.com", "Joe Bob 4711", "4712"));
    erase(&organization, &bob, &[]);
    organization.live_for(10 * 60_000).unwrap();
    let dump = organization.host.dump();
    let of = |key: &str, text: &str| dump.lines().filter(|line| line.starts_with(key) && line.contains(text)).count();
    for key in ["log/", "event/"] {
        assert_eq!(of(key, "+43 1 234567"), 1, "{key}: {dump}");
        assert_eq!(of(key, "Joe Bob 4711"), 1, "{key}: {dump}");
        assert_eq!(of(key, "\"bob\"") + of(key, "\"Bob\"") + of(key, "\\\"bob\\\""), 0, "{key}: {dump}");
    }
}

#[test]
fn p9_after_a_crash_between_the_commits_the_jobs_go_on_and_whoever_asks_again_finds_it() {
    let organization = organization();
    let id = organization.scim("POST", "/Users", Some(user(MARK))).1["id"].as_str().unwrap().to_owned();
    let address = format!("{MARK}-user@example.com");
    organization.live_for(60_000).unwrap();
    organization.host.take_wake();
    assert_eq!(begin(&organization.store(), &address, &[]).unwrap(), id);
    assert!(organization.host.take_wake().is_some_and(|due| due <= organization.store().now()), "the jobs are to run");
    assert_eq!(begin(&organization.store(), &address, &[]).unwrap(), id, "the member is gone, the erasure is not");
    assert_eq!(organization.store().erasures().unwrap().len(), 1);
    organization.live_for(LATE + 60_000).unwrap();
    let texts = left(&organization, MARK);
    assert!(texts.iter().all(|line| line.starts_with("erasure/")), "{texts:#?}");
}

#[test]
fn p9_what_waits_to_be_delivered_goes_before_the_history_is_gone_through() {
    let organization = organization();
    organization.host.email_results.borrow_mut().extend((0..50).map(|_| EmailError::Unavailable("down".into())));
    let store = organization.store();
    let address = format!("{MARK}@example.com");
    let new = insomnia_scim_contract::NewMember::new(address.clone(), None, Role::Member, None);
    directory::add_member(&store, &Act::of_backend(), &new).unwrap();
    let waits = || organization.store().outbox(None, None, 100).unwrap().0;
    assert!(waits().iter().any(|email| email.record.to == address));
    let now = organization.store().now();
    let entry = |number: u64| {
        let key = keys::audits(now - number, u64::MAX).start;
        KeyValue::new(key, json!({"act": "member.add", "subject": {"type": "member"}}).to_string().into_bytes())
    };
    organization.host.append(&(1..=3_000).map(entry).collect::<Vec<_>>()).unwrap();
    let id = begin(&organization.store(), &address, &[]).unwrap();
    let record = step(&organization.store(), &id).unwrap().unwrap();
    let record =
        if record.stage == ErasureStage::Waiting { step(&organization.store(), &id).unwrap().unwrap() } else { record };
    assert_eq!(record.stage, ErasureStage::Collect);
    assert!(waits().iter().all(|email| email.record.to != address));
}
