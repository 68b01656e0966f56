//! Rules that must hold when many requests come at once over 16 connections.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use insomnia_scim_tests::client::{Client, Response, encode};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{USER, id, members, patch, sorted};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::json;

const CONNECTIONS: usize = 16;

/// Runs so many requests over 16 connections and returns the responses, in no particular order.
fn parallel(count: usize, request: impl Fn(&Client, usize) -> Response + Sync) -> Vec<Response> {
    let next = AtomicUsize::new(0);
    let barrier = Barrier::new(CONNECTIONS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| {
                    let client = client();
                    client.get("/Users?count=0").is(200);
                    barrier.wait();
                    let mut responses = Vec::new();
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= count {
                            return responses;
                        }
                        responses.push(request(&client, index));
                    }
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a connection's requests")).collect()
    })
}

#[test]
fn fifty_parallel_member_adds_all_arrive() {
    let client = client();
    let ids = seed::people(&client, "parallel", 50);
    let group = id(&seed::group(&client, &unique("parallel"), &[]));
    let responses = parallel(50, |client, index| {
        let value = json!([{ "value": ids[index] }]);
        client.patch(&format!("/Groups/{group}"), patch(json!({ "op": "Add", "path": "members", "value": value })))
    });
    for response in &responses {
        response.resource(200);
    }
    let read = client.get(&format!("/Groups/{group}")).resource(200);
    assert_eq!(members(&read), sorted(&ids));
}

#[test]
fn parallel_adds_and_removes_of_different_members_do_not_disturb_each_other() {
    let client = client();
    let ids = seed::people(&client, "mixed", 40);
    let (before, new) = ids.split_at(20);
    let group = id(&seed::group(&client, &unique("mixed"), before));
    let responses = parallel(40, |client, index| {
        let operation = if index < 20 {
            json!({ "op": "remove", "path": format!("members[value eq \"{}\"]", ids[index]) })
        } else {
            json!({ "op": "add", "path": "members", "value": [{ "value": ids[index] }] })
        };
        client.patch(&format!("/Groups/{group}"), patch(operation))
    });
    for response in &responses {
        response.resource(200);
    }
    assert_eq!(members(&client.get(&format!("/Groups/{group}")).resource(200)), sorted(new));
}

#[test]
fn twenty_parallel_creates_of_one_user_name_make_one_user() {
    let person = Person::new("one.of.twenty");
    let responses = parallel(20, |client, _| client.post("/Users", seed::user_request(&person)));
    let created: Vec<_> = responses.iter().filter(|response| response.status == 201).collect();
    assert_eq!(created.len(), 1, "{responses:?}");
    for response in responses.iter().filter(|response| response.status != 201) {
        response.refusal(409, "uniqueness");
    }
    let filter = encode(&format!("userName eq \"{}\"", person.user_name));
    let found = client().get(&format!("/Users?filter={filter}")).only();
    assert_eq!(id(&found), id(&created[0].resource(201)));
}

#[test]
fn parallel_creates_of_one_group_name_make_one_group() {
    let name = unique("one group");
    let body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name });
    let responses = parallel(20, |client, _| client.post("/Groups", &body));
    assert_eq!(responses.iter().filter(|response| response.status == 201).count(), 1);
    for response in responses.iter().filter(|response| response.status != 201) {
        response.refusal(409, "uniqueness");
    }
}

#[test]
fn parallel_patches_of_different_attributes_are_all_kept() {
    let client = client();
    let user = id(&seed::someone(&client, "attributes"));
    let names =
        ["title", "nickName", "userType", "locale", "timezone", "preferredLanguage", "profileUrl", "displayName"];
    let responses = parallel(names.len(), |client, index| {
        let body = patch(json!({ "op": "replace", "path": names[index], "value": format!("https://x/{index}") }));
        client.patch(&format!("/Users/{user}"), body)
    });
    for response in &responses {
        response.resource(200);
    }
    let read = client.get(&format!("/Users/{user}")).resource(200);
    for (index, name) in names.iter().enumerate() {
        assert_eq!(read[*name], json!(format!("https://x/{index}")), "{name}");
    }
}

#[test]
fn a_user_deleted_while_being_added_leaves_no_trace() {
    let client = client();
    for _ in 0..10 {
        let user = id(&seed::someone(&client, "fleeting"));
        let group = id(&seed::group(&client, &unique("fleeting"), &[]));
        let responses = parallel(2, |client, index| {
            if index == 0 {
                client.delete(&format!("/Users/{user}"))
            } else {
                let value = json!([{ "value": user }]);
                client.patch(
                    &format!("/Groups/{group}"),
                    patch(json!({ "op": "add", "path": "members", "value": value })),
                )
            }
        });
        assert!(responses.iter().all(|response| [200, 204, 400].contains(&response.status)), "{responses:?}");
        client.get(&format!("/Users/{user}")).error(404);
        assert!(members(&client.get(&format!("/Groups/{group}")).resource(200)).is_empty(), "an edge with one end");
    }
}

#[test]
fn a_page_read_during_writes_holds_nothing_twice() {
    let prefix = unique("during");
    let filter = encode(&format!("userName sw \"{prefix}-\""));
    let responses = parallel(64, |client, index| {
        if index % 2 == 0 {
            client.post("/Users", json!({ "schemas": [USER], "userName": unique(&prefix) }))
        } else {
            client.get(&format!("/Users?filter={filter}"))
        }
    });
    for response in responses.iter().filter(|response| response.status == 200) {
        let page = response.list();
        let mut ids = page.ids();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), page.resources.len(), "{response}");
    }
    assert_eq!(client().get(&format!("/Users?filter={filter}")).list().total, 32);
}
