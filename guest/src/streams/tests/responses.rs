//! Asynchronous requests (RFC 9967 §2.5.1) are accepted, run once, and their results are reported.

use std::cell::Cell;

use insomnia_scim_contract::{Act, RunContext, StreamEvent};

use super::*;
use crate::capability::{Host, Item, Key, KeyValue, Page, Scanned, Storage, StorageError, Transaction};
use crate::protocol::message::Response;
use crate::store::{Batch, keys};
use crate::testing::organization::DAY;
use crate::{connector, jobs};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const ASYNC: (&str, &str) = ("prefer", "respond-async");

fn posted(name: &str) -> Value {
    json!({"method": "POST", "path": "/Users", "bulkId": name, "data": {"userName": format!("{name}@example.com")}})
}

fn bulk(operations: impl IntoIterator<Item = Value>) -> Option<Value> {
    Some(json!({"schemas": [BULK], "Operations": operations.into_iter().collect::<Vec<_>>()}))
}

fn send(
    organization: &TestOrganization,
    target: (&str, &str),
    prefer: &[(&str, &str)],
    body: Option<Value>,
) -> Response {
    organization.send(organization.host.host(), target, prefer, body)
}

fn field<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
    response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Sends a request that is accepted to be run later; returns the name of its transaction.
fn accepted(organization: &TestOrganization, target: (&str, &str), body: Option<Value>) -> String {
    let response = send(organization, target, &[ASYNC], body);
    assert_eq!((response.status, response.body.len()), (202, 0), "{}", String::from_utf8_lossy(&response.body));
    assert_eq!(field(&response, "preference-applied"), Some("respond-async"));
    let transaction = field(&response, "set-txn").expect("a transaction").to_owned();
    let location = format!("{CONNECTOR}/AsyncResponses/{transaction}");
    assert_eq!(field(&response, "location"), Some(location.as_str()));
    transaction
}

fn read(organization: &TestOrganization, transaction: &str) -> Response {
    send(organization, ("GET", &format!("/AsyncResponses/{transaction}")), &[], None)
}

/// The results that the stream reports: the transaction and the operation of each.
fn told(organization: &TestOrganization, stream: &IssuedEventStream) -> Vec<(String, Value)> {
    let all = fresh(organization, stream);
    let responses = all.iter().filter(|claims| names(claims).contains(&"misc:asyncresp"));
    let told =
        responses.map(|claims| (claims["txn"].as_str().unwrap().to_owned(), payload(claims, "misc:asyncresp").clone()));
    told.collect()
}

fn statuses(told: &[(String, Value)]) -> Vec<&str> {
    told.iter().map(|(_, operation)| operation["status"].as_str().unwrap()).collect()
}

fn total(organization: &TestOrganization) -> Value {
    organization.scim("GET", "/Users?count=0", None).1["totalResults"].clone()
}

fn count(organization: &TestOrganization, prefix: &str) -> u64 {
    organization.host.count(&keys::prefixed(prefix))
}

#[test]
fn rfc_9967_2_5_1_a_bulk_request_is_accepted_and_each_operation_is_told_when_it_is_done() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Notice);
    let group = json!({"method": "POST", "path": "/Groups", "bulkId": "g",
        "data": {"displayName": "Crew", "members": [{"value": "bulkId:bob"}]}});
    let bad = json!({"method": "POST", "path": "/Users", "bulkId": "bad", "data": {"title": "Nobody"}});
    let transaction = accepted(&organization, ("POST", "/Bulk"), bulk([posted("ada"), group, bad, posted("bob")]));
    assert_eq!(total(&organization), 0, "not yet");
    let pending = read(&organization, &transaction);
    assert_eq!((pending.status, pending.body.len(), field(&pending, "retry-after")), (202, 0, Some("1")));
    assert_eq!(read(&organization, &format!("{transaction}:3")).status, 202);

    organization.live_for(1_000).unwrap();
    let all = claims(&organization, &stream);
    let changes: Vec<&Value> = all.iter().filter(|claims| names(claims) == ["prov:create:notice"]).collect();
    let told = told(&organization, &stream);
    assert_eq!(statuses(&told), ["201", "201", "201", "400"], "bob is created before the group that he is in");
    let transactions: Vec<&str> = told.iter().map(|(transaction, _)| transaction.as_str()).collect();
    let expected = [0, 3, 1, 2].map(|index| format!("{transaction}:{index}"));
    assert_eq!(transactions, expected);
    let of_changes: Vec<&str> = changes.iter().map(|claims| claims["txn"].as_str().unwrap()).collect();
    assert_eq!(of_changes, &expected[..3], "the changes are of the same transactions");
    for ((_, operation), claims) in told.iter().zip(&changes) {
        let location = format!("{CONNECTOR}{}", claims["sub_id"]["uri"].as_str().unwrap());
        assert_eq!((&operation["location"], &operation["method"]), (&json!(location), &json!("POST")));
        assert_eq!(operation["version"], payload(claims, "prov:create:notice")["version"]);
    }
    let failed = &told[3].1;
    assert_eq!((&failed["bulkId"], &failed["response"]["status"]), (&json!("bad"), &json!("400")));
    assert!(failed.get("location").is_none() && failed["response"]["schemas"].is_array(), "{failed}");
    let of_failed = all.iter().find(|claims| claims["txn"] == expected[3].as_str()).unwrap();
    assert_eq!(of_failed["sub_id"]["uri"], "/Users", "of what is not there the endpoint is told");

    let done = read(&organization, &transaction);
    assert_eq!((done.status, field(&done, "content-type")), (200, Some("application/json")));
    let sets: Value = serde_json::from_slice(&done.body).unwrap();
    assert_eq!((sets["sets"].as_object().unwrap().len(), &sets["moreAvailable"]), (4, &json!(false)));
    let one = read(&organization, &format!("{transaction}:2"));
    assert_eq!((one.status, field(&one, "content-type")), (200, Some("application/secevent+jwt")));
    let one = verify(&organization, &stream, std::str::from_utf8(&one.body).unwrap());
    assert_eq!((payload(&one, "misc:asyncresp"), &one["txn"]), (failed, &json!(expected[3])));
    assert!(one.get("exp").is_none() && one.get("sub").is_none(), "{one}");
    let page: Value =
        serde_json::from_slice(&read(&organization, &format!("{transaction}?startIndex=2&count=2")).body).unwrap();
    let ids: Vec<&String> = page["sets"].as_object().unwrap().keys().collect();
    assert_eq!((ids, &page["moreAvailable"]), (vec![&format!("{transaction}:1"), &expected[3]], &json!(true)));
}

#[test]
fn rfc_9967_2_1_a_result_names_the_clients_own_id_of_its_resource() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Notice);
    let ada = json!({"method": "POST", "path": "/Users", "bulkId": "ada",
        "data": {"userName": "ada@example.com", "externalId": "00u1"}});
    let crew = json!({"method": "POST", "path": "/Groups", "bulkId": "crew", "data": {"displayName": "Crew", "externalId": "00g1"}});
    let refused = json!({"method": "PUT", "path": "/Users/bulkId:ada", "data": {"title": "Countess"}});
    accepted(&organization, ("POST", "/Bulk"), bulk([ada, crew, refused, posted("bob")]));
    organization.live_for(1_000).unwrap();
    let all = claims(&organization, &stream);
    let results: Vec<&Value> = all.iter().filter(|claims| names(claims) == ["misc:asyncresp"]).collect();
    let told: Vec<(&Value, Option<&str>)> = results
        .iter()
        .map(|claims| (&payload(claims, "misc:asyncresp")["status"], claims["sub_id"]["externalId"].as_str()))
        .collect();
    let expected = [("201", Some("00u1")), ("201", Some("00g1")), ("400", Some("00u1")), ("201", None)];
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for wanted in expected {
        assert!(
            told.iter().any(|(status, id)| (status.as_str(), *id) == (Some(wanted.0), wanted.1)),
            "{wanted:?} in {told:?}"
        );
    }
}

/// The status of each result, with the client's own id of its resource, in the order of the operations.
fn named(organization: &TestOrganization, stream: &IssuedEventStream) -> Vec<(String, Value)> {
    let mut all: Vec<Value> =
        fresh(organization, stream).into_iter().filter(|claims| names(claims) == ["misc:asyncresp"]).collect();
    all.sort_by_key(|claims| claims["txn"].as_str().unwrap().to_owned());
    let status = |claims: &Value| payload(claims, "misc:asyncresp")["status"].as_str().unwrap().to_owned();
    all.iter().map(|claims| (status(claims), claims["sub_id"]["externalId"].clone())).collect()
}

/// The server is killed after each possible commit: each result names the id that the resource had after its operation,
/// whatever the later operations did to it.
#[test]
fn rfc_9967_2_1_a_result_names_the_clients_own_id_at_the_time_of_its_operation() {
    for commits in 0.. {
        let organization = organization();
        let stream = polled(&organization, EventDetail::Notice);
        let path = |endpoint: &str, body: Value| {
            let created = organization.scim("POST", endpoint, Some(body)).1;
            format!("{endpoint}/{}", created["id"].as_str().unwrap())
        };
        let user = path("/Users", json!({"userName": "ada@example.com"}));
        let group = path("/Groups", json!({"displayName": "Crew", "externalId": "00g1"}));
        fresh(&organization, &stream);
        organization.live_for(1_000).unwrap();
        let patch = |path: &str, value: &str| {
            json!({"method": "PATCH", "path": user,
            "data": {"Operations": [{"op": "add", "path": path, "value": value}]}})
        };
        let delete = |path: &str| json!({"method": "DELETE", "path": path});
        accepted(
            &organization,
            ("POST", "/Bulk"),
            bulk([
                patch("title", "Dr"),
                patch("externalId", "00u1"),
                patch("externalId", "00u2"),
                delete(&user),
                delete(&user),
                delete(&group),
            ]),
        );
        let killed = Killed { organization: &organization, left: Cell::new(commits) };
        let host = Host { storage: &killed, ..organization.host.host() };
        drop(jobs::run_due(host, &RunContext::default()));
        let was_killed = killed.left.get() == 0;
        organization.host.set_now(organization.store().now() + 60_000);
        jobs::run_due(organization.host.host(), &RunContext::default()).unwrap();
        let expected = [
            ("200", Value::Null),
            ("200", json!("00u1")),
            ("200", json!("00u2")),
            ("204", json!("00u2")),
            ("404", Value::Null),
            ("204", json!("00g1")),
        ];
        let expected = expected.map(|(status, id)| (status.to_owned(), id));
        assert_eq!(named(&organization, &stream), expected, "killed after {commits} commits");
        if !was_killed {
            return;
        }
    }
}

/// A receipt that an earlier release has written does not name the client's own id.
#[test]
fn rfc_9967_2_1_a_receipt_of_an_earlier_release_is_told() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Notice);
    let id = create(&organization, "ada");
    let path = format!("/Users/{id}");
    let patch = json!([{"op": "add", "path": "externalId", "value": "00u1"}]);
    organization.scim("PATCH", &path, Some(json!({"Operations": patch})));
    fresh(&organization, &stream);
    let done = json!({"method": "PATCH", "path": path, "data": {"Operations": [{"op": "add", "path": "title", "value": "Dr"}]}});
    let transaction = accepted(&organization, ("POST", "/Bulk"), bulk([done, posted("bob")]));
    let receipt = json!({"resource": id}).to_string().into_bytes();
    organization.host.append(&[KeyValue::new(keys::accepted_outcome(&transaction, 0), receipt)]).unwrap();
    organization.live_for(1_000).unwrap();
    let expected = [("200".to_owned(), json!("00u1")), ("201".to_owned(), Value::Null)];
    assert_eq!(named(&organization, &stream), expected);
}

#[test]
fn rfc_9967_2_5_1_a_document_that_can_not_be_decoded_does_not_keep_a_request_from_ending() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Notice);
    let id = create(&organization, "ada");
    fresh(&organization, &stream);
    let patch = json!({"method": "PATCH", "path": format!("/Users/{id}"), "data": {"Operations": [{"op": "add", "path": "title", "value": "Dr"}]}});
    accepted(&organization, ("POST", "/Bulk"), bulk([patch, posted("bob")]));
    organization.host.append(&[KeyValue::new(format!("user/{id}").into_bytes(), b"{".to_vec())]).unwrap();
    organization.live_for(1_000).unwrap();
    let expected = [("500".to_owned(), Value::Null), ("201".to_owned(), Value::Null)];
    assert_eq!(named(&organization, &stream), expected);
    assert_eq!(count(&organization, "accepted-due/"), 0);
}

#[test]
fn p5_the_log_has_the_acceptance_and_the_end_of_an_asynchronous_request() {
    let organization = organization();
    polled(&organization, EventDetail::Notice);
    let transaction = accepted(&organization, ("POST", "/Bulk"), bulk([posted("ada")]));
    organization.live_for(1_000).unwrap();
    let query = insomnia_scim_contract::LogQuery::default();
    let page = crate::journal::search(&organization.store(), &query).unwrap();
    let entries: Vec<Value> = page.entries.iter().map(|entry| serde_json::from_str(entry).unwrap()).collect();
    let [end, acceptance, ..] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((&acceptance["status"], &end["status"], &end["path"]), (&json!(202), &json!(200), &json!("/Bulk")));
    assert_eq!(acceptance["requestId"], end["requestId"]);
    assert!(acceptance["body"].as_str().unwrap().contains("ada@example.com"));
    for entry in [acceptance, end] {
        assert!(entry["because"].to_string().contains(&transaction), "{entry}");
    }
    assert!(end["because"].to_string().contains("POST /Users: created"), "{end}");
}

/// Without the preference, or if no stream would report the result, the answers are the same, byte by byte, as without
/// asynchronous requests.
#[test]
fn rfc_7240_2_a_preference_that_can_not_be_met_is_passed_over() {
    let answers = |events: Option<Vec<StreamEvent>>, prefer: &[(&str, &str)], body: Option<Value>, path: &str| {
        let organization = organization();
        if let Some(events) = events {
            add(&organization, NewEventStream { events, ..new(EventDetail::Notice) });
        }
        let before = send(&organization, ("POST", path), prefer, body);
        assert_eq!(count(&organization, "accepted"), 0);
        before
    };
    let two =
        || bulk([json!({"method": "DELETE", "path": "/Users/nobody"}), json!({"method": "GET", "path": "/Users"})]);
    let chosen = || Some(vec![StreamEvent::Create]);
    let every = || Some(Vec::new());
    let expected = answers(None, &[], two(), "/Bulk");
    assert_eq!(expected.status, 200);
    assert_eq!(answers(None, &[ASYNC], two(), "/Bulk"), expected, "no stream");
    assert_eq!(answers(chosen(), &[ASYNC], two(), "/Bulk"), expected, "no stream that tells it");
    assert_eq!(answers(every(), &[], two(), "/Bulk"), expected, "no preference");
    assert_eq!(answers(every(), &[("prefer", "wait=0, return=minimal")], two(), "/Bulk"), expected);
    assert_eq!(
        answers(every(), &[("prefer", "respond-async, wait=5")], two(), "/Bulk"),
        expected,
        "it is done by then"
    );
    for (body, path) in [
        (Some(json!({"displayName": "Crew"})), "/Groups"),
        (Some(json!({"userName": "ada@example.com", "title": "x".repeat(50_000)})), "/Users"),
        (bulk([]), "/Bulk"),
        (Some(json!({"schemas": [BULK], "Operations": [1]})), "/Bulk"),
        (Some(json!({"filter": "userName pr"})), "/Users/.search"),
    ] {
        let (with, without) = (answers(every(), &[ASYNC], body.clone(), path), answers(every(), &[], body, path));
        assert_eq!(with.status, without.status, "{path}");
        assert!(field(&with, "set-txn").is_none() && field(&with, "preference-applied").is_none(), "{path}");
    }
    // An operation of a circle is undone if another one fails, so such a request is not run later.
    let manager = |name: &str, manager: &str| {
        let mut operation = posted(name);
        operation["data"]["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"] =
            json!({"manager": {"value": manager}});
        operation
    };
    let circle = bulk([manager("ada", "bulkId:bob"), manager("bob", "bulkId:ada")]);
    assert_eq!(answers(every(), &[ASYNC], circle, "/Bulk").status, 200);
}

#[test]
fn rfc_9967_2_5_1_a_large_group_is_changed_later_and_a_wait_that_is_too_short_does_not_help() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Notice);
    let ada = create(&organization, "ada");
    let group = organization.scim("POST", "/Groups", Some(json!({"displayName": "Crew"}))).1;
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    fresh(&organization, &stream);
    let nobody = (0..700).map(|number| json!({"value": format!("0190a6f0-0000-7000-8000-{number:012}")}));
    let members: Vec<Value> = nobody.chain([json!({"value": ada})]).collect();
    let body = Some(json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": "members", "value": members}]}));
    let response = send(&organization, ("PATCH", &path), &[("prefer", "respond-async, wait=1")], body.clone());
    assert_eq!(response.status, 202);
    organization.live_for(1_000).unwrap();
    let transaction = field(&response, "set-txn").unwrap().to_owned();
    let told = told(&organization, &stream);
    let location = format!("{CONNECTOR}{path}");
    let shown = organization.scim("GET", &path, None).1;
    assert_eq!((told.len(), &told[0].0, &told[0].1["status"]), (1, &transaction, &json!("200")));
    assert_eq!((&told[0].1["method"], &told[0].1["location"]), (&json!("PATCH"), &json!(location)));
    assert_eq!((&told[0].1["version"], shown["members"].as_array().unwrap().len()), (&shown["meta"]["version"], 1));
    let one = read(&organization, &transaction);
    assert_eq!(field(&one, "content-type"), Some("application/secevent+jwt"));
    assert_eq!(read(&organization, &format!("{transaction}:0")).status, 404, "it is no bulk request");
    // The resource has another version than this one.
    let old = [ASYNC, ("if-match", "W/\"1\"")];
    assert_eq!(send(&organization, ("PATCH", &path), &old, body.clone()).status, 202);
    organization.live_for(1_000).unwrap();
    let refused = responses::told(&organization, &stream);
    assert_eq!((statuses(&refused), &refused[0].1["response"]["status"]), (vec!["412"], &json!("412")));
    assert_eq!(send(&organization, ("PATCH", &path), &[("prefer", "respond-async, wait=9")], body).status, 200);
}

/// A storage that can't be reached after this number of commits, as if the server was killed.
struct Killed<'o> {
    organization: &'o TestOrganization,
    left: Cell<u32>,
}

impl Storage for Killed<'_> {
    fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        self.organization.host.get(keys)
    }

    fn scan(&self, pages: &[Page]) -> Result<Vec<Scanned>, StorageError> {
        self.organization.host.scan(pages)
    }

    fn commit(&self, transaction: Transaction) -> Result<u64, StorageError> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| StorageError::Unavailable("killed".into()))?;
        self.left.set(left);
        self.organization.host.commit(transaction)
    }

    fn append(&self, entries: &[KeyValue]) -> Result<(), StorageError> {
        if self.left.get() == 0 {
            Err(StorageError::Unavailable("killed".into()))
        } else {
            self.organization.host.append(entries)
        }
    }
}

/// The server is killed after each possible commit: no operation is done twice or left out, and each result is reported
/// once and is right.
#[test]
fn rfc_9967_2_5_1_an_asynchronous_request_that_is_interrupted_anywhere_is_done_once() {
    for commits in 0.. {
        let organization = organization();
        let stream = polled(&organization, EventDetail::Notice);
        let old = create(&organization, "old");
        let path = format!("/Users/{old}");
        fresh(&organization, &stream);
        organization.live_for(1_000).unwrap();
        let patch = json!({"method": "PATCH", "path": path, "data": {"Operations": [{"op": "replace", "path": "title", "value": "Dr"}]}});
        let group = json!({"method": "POST", "path": "/Groups", "bulkId": "g",
            "data": {"displayName": "Crew", "members": [{"value": "bulkId:ada"}]}});
        let twice =
            json!({"method": "POST", "path": "/Users", "bulkId": "again", "data": {"userName": "ada@example.com"}});
        let delete = json!({"method": "DELETE", "path": "/Users/bulkId:gone"});
        let operations = [posted("ada"), patch, group, twice, posted("gone"), delete];
        let transaction = accepted(&organization, ("POST", "/Bulk"), bulk(operations));
        let killed = Killed { organization: &organization, left: Cell::new(commits) };
        let host = Host { storage: &killed, ..organization.host.host() };
        drop(jobs::run_due(host, &RunContext::default()));
        let was_killed = killed.left.get() == 0;
        organization.host.set_now(organization.store().now() + 60_000);
        jobs::run_due(organization.host.host(), &RunContext::default()).unwrap();

        let all = claims(&organization, &stream);
        let mut told = told(&organization, &stream);
        told.sort_by(|one, next| one.0.cmp(&next.0));
        assert_eq!(statuses(&told), ["201", "200", "201", "409", "201", "204"], "killed after {commits} commits");
        let transactions: Vec<&str> = told.iter().map(|(transaction, _)| transaction.as_str()).collect();
        assert_eq!(transactions, [0, 1, 2, 3, 4, 5].map(|index| format!("{transaction}:{index}")));
        let created = all.iter().filter(|claims| names(claims) == ["prov:create:notice"]).count();
        assert_eq!((created, total(&organization)), (3, json!(2)), "killed after {commits} commits");
        for (index, path) in
            [(1, path.as_str()), (2, told[2].1["location"].as_str().unwrap().strip_prefix(CONNECTOR).unwrap())]
        {
            let shown = organization.scim("GET", path, None).1;
            assert_eq!(told[index].1["version"], shown["meta"]["version"], "killed after {commits} commits: {shown}");
        }
        assert_eq!((count(&organization, "accepted-due/"), count(&organization, "accepted-operation/")), (0, 0));
        for counter in ["count/accepted", "count/accepted-bytes"] {
            assert!(organization.host.dump().contains(&format!("{counter} = 0\n")), "{counter}");
        }
        if !was_killed {
            assert!(commits >= 7, "the work has more commits");
            return;
        }
    }
}

#[test]
fn rfc_9967_2_5_1_who_is_not_let_in_any_more_has_nothing_done() {
    type Turn = fn(&TestOrganization);
    let turns: [Turn; 2] = [
        |organization| {
            connector::disable(&organization.store(), TestOrganization::OWNER).unwrap();
        },
        |organization| {
            let expire = |token: Option<crate::store::TokenRecord>| {
                token.map(|token| crate::store::TokenRecord { expires: Some(1), ..token })
            };
            let stored = organization.store().connector().unwrap().unwrap();
            let mut record = stored.record;
            record.token = expire(record.token);
            let json = serde_json::to_vec(&record).unwrap();
            organization.host.append(&[KeyValue::new(keys::CONNECTOR.to_vec(), json)]).unwrap();
        },
    ];
    for turn in turns {
        let organization = organization();
        let stream = polled(&organization, EventDetail::Notice);
        accepted(&organization, ("POST", "/Bulk"), bulk([posted("ada"), posted("bob")]));
        turn(&organization);
        organization.live_for(1_000).unwrap();
        assert_eq!(count(&organization, "user/"), 2, "the owner and the co-owner");
        assert_eq!(count(&organization, "accepted-due/"), 0);
        if !organization.store().is_enabled().unwrap() {
            connector::enable(&organization.store(), TestOrganization::OWNER, "okta", Window::Never).unwrap();
        }
        let told = told(&organization, &stream);
        assert_eq!(statuses(&told), ["401", "401"], "{told:?}");
        assert_eq!(told[0].1["response"]["status"], "401");
    }
}

#[test]
fn rfc_9967_2_5_1_the_rest_is_told_not_to_be_done_after_as_many_errors_as_the_request_allows() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Notice);
    let gone = |id: u32| json!({"method": "DELETE", "path": format!("/Users/{id}")});
    let mut body = bulk([posted("ada"), gone(1), gone(2), posted("bob")]).unwrap();
    body["failOnErrors"] = json!(2);
    accepted(&organization, ("POST", "/Bulk"), Some(body));
    organization.live_for(1_000).unwrap();
    let told = told(&organization, &stream);
    assert_eq!(statuses(&told), ["201", "404", "404", "409"]);
    assert_eq!(total(&organization), 1);
}

#[test]
fn rfc_9967_2_5_1_an_operation_at_which_the_server_fails_again_and_again_is_given_up() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Notice);
    let transaction = accepted(&organization, ("POST", "/Bulk"), bulk([posted("ada"), posted("bob")]));
    let store = organization.store();
    let stored = store.accepted(&transaction).unwrap().unwrap();
    let record = crate::store::AcceptedRecord { attempts: 3, ..stored.record };
    store.put_accepted(Batch::new(), &transaction, &record, stored.version).unwrap();
    organization.live_for(1_000).unwrap();
    assert_eq!(statuses(&told(&organization, &stream)), ["500", "201"]);
}

#[test]
fn rfc_9967_2_5_1_no_more_wait_than_may_and_the_others_are_served_at_once() {
    let organization = organization();
    polled(&organization, EventDetail::Notice);
    for number in 0..64 {
        accepted(&organization, ("POST", "/Bulk"), bulk([posted(&format!("u{number}"))]));
    }
    let at_once = send(&organization, ("POST", "/Bulk"), &[ASYNC], bulk([posted("at-once")]));
    assert_eq!((at_once.status, total(&organization)), (200, json!(1)));
    organization.live_for(1_000).unwrap();
    assert_eq!(total(&organization), 65);
    accepted(&organization, ("POST", "/Bulk"), bulk([posted("room-again")]));
}

#[test]
fn p9_what_came_of_asynchronous_requests_is_kept_for_a_day_and_for_the_client_that_sent_them() {
    let mut organization = organization();
    polled(&organization, EventDetail::Notice);
    let mut secret = posted("ada");
    secret["data"]["password"] = json!("never kept 7351");
    let transaction = accepted(&organization, ("POST", "/Bulk"), bulk([secret]));
    assert!(!organization.host.dump().contains("7351"), "no password is kept");
    let listed = || {
        let page = crate::journal::list_requests(&organization.store(), None, 10).unwrap();
        assert!(page.next.is_none());
        serde_json::from_str::<Value>(&page.items[0].document).unwrap()
    };
    let waits = listed();
    assert_eq!((&waits["transaction"], &waits["finished"]), (&json!(transaction), &Value::Null));
    assert_eq!(waits["operations"][0]["data"]["userName"], "ada@example.com");
    organization.live_for(1_000).unwrap();
    assert_eq!(total(&organization), 1);
    let done = listed();
    assert_eq!((done["operations"].as_array().map(Vec::len), &done["results"][0]["status"]), (Some(0), &json!("201")));
    for unknown in [
        "",
        "x",
        "x:0",
        "0190a6f0-0000-7000-8000-000000000001",
        &format!("{transaction}:1"),
        &format!("{transaction}:x"),
    ] {
        assert_eq!(read(&organization, unknown).status, 404, "{unknown}");
    }
    assert_eq!(send(&organization, ("POST", &format!("/AsyncResponses/{transaction}")), &[], None).status, 405);
    assert_eq!(read(&organization, &transaction).status, 200);
    let store = organization.store();
    let stored = store.accepted(&transaction).unwrap().unwrap();
    let of_other = crate::store::AcceptedRecord { credential: "oauth-client 7".into(), ..stored.record.clone() };
    let version = store.put_accepted(Batch::new(), &transaction, &of_other, stored.version).unwrap();
    assert_eq!(read(&organization, &transaction).status, 404, "of another client");
    store.put_accepted(Batch::new(), &transaction, &stored.record, version).unwrap();
    let given = Some(TestOrganization::PASSPHRASE);
    let renewed = connector::refresh(&organization.store(), TestOrganization::OWNER, given, None, 0).unwrap();
    organization.token = renewed.token;
    assert_eq!(read(&organization, &transaction).status, 200, "the same client has another token");
    organization.live_for(DAY - 60_000).unwrap();
    assert_eq!(count(&organization, "accepted"), 2);
    organization.live_for(2 * 60_000).unwrap();
    assert_eq!(count(&organization, "accepted"), 0);
}

#[test]
fn p9_an_erased_person_does_not_come_back_with_a_request_that_waits() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Full);
    let id = create(&organization, "zzyx");
    let again = json!({"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "ZZYX@example.com", "title": "zzyx-title"}});
    let change = json!({"method": "PATCH", "path": format!("/Users/{id}"), "data": {"Operations": [{"op": "add", "path": "title", "value": "zzyx-other"}]}});
    let mut joe = posted("joe");
    joe["data"]["nickName"] = json!("zzyx@example.com");
    let taken = json!({"method": "POST", "path": "/Users", "bulkId": "b", "data": {"userName": "zzyx@example.com"}});
    let known = json!({"method": "PATCH", "path": format!("/Users/{id}"), "data": {"Operations": [{"op": "add", "path": "externalId", "value": "00u1-zz"}]}});
    let done = accepted(&organization, ("POST", "/Bulk"), bulk([taken, known]));
    organization.live_for(1_000).unwrap();
    let waits = accepted(&organization, ("POST", "/Bulk"), bulk([again, change, joe]));
    let store = organization.store().for_act(&Act::of_backend(), "member.erase");
    let mut erasure = jobs::erase_person(&store, &id, &[]).unwrap();
    while !erasure.done {
        erasure = jobs::continue_erasure(&organization.store(), &erasure.id).unwrap();
    }
    jobs::end_erasure(&organization.store(), &erasure.id).unwrap();
    organization.live_for(10 * 60_000).unwrap();
    let told = told(&organization, &stream);
    let of = |transaction: &str| {
        told.iter().filter(|(known, _)| known.starts_with(transaction)).cloned().collect::<Vec<_>>()
    };
    assert_eq!((statuses(&of(&waits)), statuses(&of(&done))), (vec!["404", "404", "201"], vec!["409", "200"]));
    assert_eq!(read(&organization, &done).status, 200);
    let dump = keys::fold(&organization.host.dump());
    let left: Vec<&str> = dump.lines().filter(|line| line.contains("zzyx") || line.contains("00u1-zz")).collect();
    assert!(left.is_empty(), "{left:#?}");
}
