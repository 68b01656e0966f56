//! RFC 7644 §3.4.2.3: sorting (rules R74 to R76).

use std::sync::OnceLock;

use insomnia_scim_tests::client::encode;
use insomnia_scim_tests::person::unique;
use insomnia_scim_tests::scim::{USER, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::{Value, json};

/// People whose names end with a to d, made in the order c, a, d, b.
struct People {
    prefix: String,
    /// The letters in the order of creation, as the server tells it.
    created: String,
}

fn people() -> &'static People {
    static PEOPLE: OnceLock<People> = OnceLock::new();
    PEOPLE.get_or_init(|| {
        let prefix = unique("sort");
        let with = [
            ('c', json!({ "title": "beta", "name": { "familyName": "Zorn" }, "phoneNumbers": [{ "value": "9" }, { "value": "1", "primary": true }] })),
            ('a', json!({ "title": "Gamma", "name": { "familyName": "Young" }, "phoneNumbers": [{ "value": "3" }, { "value": "0" }] })),
            ('d', json!({ "title": "Alpha" })),
            ('b', json!({ "name": { "familyName": "adams" }, "phoneNumbers": [{ "value": "2" }] })),
        ];
        let resources: Vec<Value> = with
            .into_iter()
            .map(|(letter, mut request)| {
                request["schemas"] = json!([USER]);
                request["userName"] = json!(format!("{prefix}-{letter}"));
                request["userType"] = json!(prefix);
                client().post("/Users", request).resource(201)
            })
            .collect();
        let letter = |id: &String| {
            let resource = resources.iter().find(|resource| resource["id"] == json!(id));
            resource.and_then(|resource| text(resource, "userName").chars().last())
        };
        let created = seed::by_creation(&resources).iter().filter_map(letter).collect();
        People { prefix, created }
    })
}

/// The letters in the order of the answer to the query.
#[track_caller]
fn sorted(query: &str) -> String {
    let filter = encode(&format!("userType eq \"{}\"", people().prefix));
    let page = client().get(&format!("/Users?filter={filter}&{query}")).list();
    page.each("userName").iter().filter_map(|name| name.chars().last()).collect()
}

#[test]
fn rfc_074_sort_by_in_both_orders() {
    assert_eq!(sorted("sortBy=userName"), "abcd");
    assert_eq!(sorted("sortBy=userName&sortOrder=ascending"), "abcd");
    assert_eq!(sorted("sortBy=userName&sortOrder=descending"), "dcba");
    assert_eq!(sorted("sortBy=USERNAME&sortOrder=DESCENDING"), "dcba");
    assert_eq!(sorted(&format!("sortBy={}", encode("urn:ietf:params:scim:schemas:core:2.0:User:userName"))), "abcd");
}

#[test]
fn rfc_074_case_does_not_matter_where_it_is_not_exact() {
    assert!(sorted("sortBy=title").starts_with("dca"), "Alpha, beta, Gamma");
    assert!(sorted("sortBy=name.familyName").starts_with("bac"), "adams, Young, Zorn");
}

#[test]
fn rfc_075_missing_values_are_last_and_first_when_descending() {
    assert_eq!(sorted("sortBy=title"), "dcab");
    assert_eq!(sorted("sortBy=title&sortOrder=descending"), "bacd");
}

#[test]
fn rfc_075_of_several_values_the_primary_or_the_first_counts() {
    assert_eq!(sorted("sortBy=phoneNumbers.value"), "cbad", "1, 2, 3, none");
}

#[test]
fn rfc_076_without_sort_the_order_is_that_of_creation() {
    let created = &people().created;
    assert_eq!(sorted(""), *created);
    assert_eq!(sorted("sortBy=meta.created"), *created);
    assert_eq!(sorted("sortOrder=descending"), *created, "an order without sortBy says nothing");
}

#[test]
fn rfc_076_sorting_pages() {
    assert_eq!(sorted("sortBy=userName&startIndex=2&count=2"), "bc");
    assert_eq!(sorted("sortBy=userName&sortOrder=descending&count=1"), "d");
}

#[test]
fn rfc_074_unknown_paths_and_orders_are_refused() {
    client().get("/Users?sortBy=name..x").error(400);
    client().get("/Users?sortBy=userName&sortOrder=sideways").refusal(400, "invalidValue");
}
