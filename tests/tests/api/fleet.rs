//! The fleet over the API: the state of all organizations (rule P9).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::api::caller::{Organization, created, ok, operator, problem};

/// All pages of the list, looking at so many organizations at a time.
fn fleet(query: &str) -> Vec<Value> {
    let (mut found, mut path) = (Vec::new(), format!("/fleet?limit=100{query}"));
    loop {
        let page = ok(&operator().get(&path));
        found.extend(page["items"].as_array().expect("items").clone());
        match page["next"].as_str() {
            Some(next) => path = format!("/fleet?limit=100{query}&after={next}"),
            None => return found,
        }
    }
}

fn of<'f>(fleet: &'f [Value], organization: &Organization) -> Option<&'f Value> {
    fleet.iter().find(|standing| standing["id"] == json!(organization.id))
}

#[test]
fn p9_the_operator_sees_how_each_organization_stands_and_what_needs_a_person() {
    let quiet = Organization::new("fleet-quiet");
    let full = Organization::with("fleet-full", json!({"seats": 2}));
    full.enable();
    let _ = created(&full.post("/members", json!({"email": "ada@example.com"})));

    let all = fleet("");
    assert!(all.iter().map(|standing| standing["id"].as_str()).is_sorted(), "in the order of the ids");
    let standing = of(&all, &full).expect("the organization");
    assert_eq!((&standing["name"], &standing["plan"]), (&json!("fleet-full"), &json!("enterprise")));
    assert_eq!((&standing["seats"], &standing["taken"], &standing["token"]), (&json!(2), &json!(2), &json!("valid")));
    assert_eq!(standing["identity_provider"], json!("okta"));
    assert!(standing["token_expires"].is_u64() && standing["last_request"].is_null(), "{standing}");
    assert_eq!(standing["troubles"], json!(["seats-full"]));
    let standing = of(&all, &quiet).expect("the organization");
    assert_eq!((&standing["token"], &standing["troubles"]), (&json!("disabled"), &json!([])), "{standing}");

    let in_trouble = fleet("&trouble=true");
    assert!(of(&in_trouble, &full).is_some() && of(&in_trouble, &quiet).is_none());
    let disabled = fleet("&token=disabled");
    assert!(of(&disabled, &quiet).is_some() && of(&disabled, &full).is_none());
    let ids = |list: &[Value]| list.iter().map(|one| one["id"].to_string()).collect::<BTreeSet<_>>();
    assert!(ids(&in_trouble).is_disjoint(&ids(&fleet("&trouble=false"))));

    problem(&full.client.get("/fleet"), 403, "forbidden");
    problem(&operator().get("/fleet?limit=101"), 400, "bad-request");
    problem(&operator().get("/fleet?token=gone"), 400, "bad-request");
    problem(&full.client.get("/alerts"), 403, "forbidden");
    problem(&operator().get("/alerts?limit=501"), 400, "bad-request");
    problem(&operator().get("/alerts?after="), 400, "bad-request");
    assert!(ok(&operator().get("/alerts?after=fleet/acme%20seats-full"))["items"].is_array());
}
