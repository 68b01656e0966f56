//! The mass-deprovisioning guard over the API.

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::seed;
use serde_json::{Value, json};

use crate::api::caller::{Organization, created, gone, ok, problem};

#[test]
fn held_removals_are_seen_and_decided_about() {
    let organization = Organization::new("guard");
    let token = organization.enable();
    let scim = Client::new(&text(&ok(&organization.get("/connector")), "connector_url"), &token);
    assert_eq!(ok(&organization.get("/guard"))["guard"], Value::Null);
    let set = ok(&organization.put("/guard", json!({"number": 1, "share": null})));
    assert_eq!(set["guard"], json!({"number": 1, "share": null}));
    let people = seed::people(&scim, "guarded", 4);
    scim.delete(&format!("/Users/{}", people[0])).is(204);
    for id in &people[1..] {
        scim.delete(&format!("/Users/{id}")).is(503);
    }
    let held = ok(&organization.get("/guard?limit=2"));
    assert_eq!(held["held"].as_array().map(Vec::len), Some(2), "{held}");
    let rest = ok(&organization.get(&format!("/guard?after={}", text(&held, "next"))));
    assert_eq!((rest["held"].as_array().map(Vec::len), &rest["next"]), (Some(1), &Value::Null), "{rest}");
    // With addresses, and counts of all that is held.
    let listed = ok(&organization.get("/guard/held?limit=1"));
    assert_eq!(listed["items"][0]["removal"]["member"], json!(people[1]), "{listed}");
    assert!(text(&listed["items"][0], "email").contains('@') && listed["next"].is_string(), "{listed}");
    assert_eq!((&listed["counts"]["deletions"], &listed["counts"]["deactivations"]), (&json!(3), &json!(0)));
    let allow = json!({"decision": "allowed", "members": [people[1]]});
    assert_eq!(ok(&organization.post("/guard/decisions", allow)), json!({"decided": 1}));
    scim.delete(&format!("/Users/{}", people[1])).is(204);
    assert_eq!(ok(&organization.post("/guard/decisions", json!({"decision": "refused"}))), json!({"decided": 2}));
    scim.delete(&format!("/Users/{}", people[2])).is(403);
    gone(&organization.delete("/guard"));
    scim.delete(&format!("/Users/{}", people[2])).is(204);
}

#[test]
fn thresholds_that_hold_everything_or_nothing_are_422() {
    let organization = Organization::new("thresholds");
    for guard in
        [json!({"number": 0, "share": null}), json!({"share": 100}), json!({"share": 300}), json!({"nmber": 3})]
    {
        problem(&organization.put("/guard", guard), 422, "invalid");
    }
    problem(&organization.post("/guard/decisions", json!({"decision": "maybe"})), 422, "invalid");
    created(&organization.post("/members", json!({"email": "ada@example.com"})));
    let member = json!({"decision": "allowed", "actor": "ada@example.com"});
    problem(&organization.post("/guard/decisions", member), 403, "forbidden");
}
