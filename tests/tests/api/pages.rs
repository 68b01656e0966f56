//! Lists of the API, which are read page by page.

use insomnia_scim_tests::scim::text;
use serde_json::{Value, json};

use crate::api::caller::{Organization, created, ok, operator, problem, with};

#[test]
fn a_list_is_walked_by_cursor_and_by_link() {
    let organization = Organization::new("paged");
    for number in 0..6 {
        created(&organization.post("/members", json!({"email": format!("member-{number}@example.com")})));
    }
    let all = ok(&organization.get("/members"));
    assert_eq!((all["items"].as_array().map(Vec::len), &all["next"]), (Some(7), &Value::Null));
    let (mut seen, mut url) = (Vec::new(), organization.at("/members?limit=3&prefix="));
    loop {
        let response = organization.client.get(&url);
        let page = ok(&response);
        let items = page["items"].as_array().cloned().unwrap();
        assert!(items.len() <= 3);
        seen.extend(items);
        let link = response.header("link");
        assert_eq!(link.is_some(), page["next"].is_string(), "{response}");
        let Some(link) = link else { break };
        let next = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).expect("a link");
        assert!(next.contains(&format!("after={}", text(&page, "next"))) && next.contains("limit=3"), "{link}");
        url = next.split_once("/api/v1").expect("a link into the API").1.to_owned();
    }
    assert_eq!(Value::from(seen), all["items"]);
}

#[test]
fn a_page_has_1_to_500_items() {
    let organization = Organization::new("limits");
    for path in
        ["/members", "/teams", "/logs", "/audit", "/events", "/guard", "/guard/held", "/deliveries/events-parked"]
    {
        for limit in ["0", "501", "-1", "x", "4294967297", ""] {
            let refused = problem(&organization.get(&format!("{path}?limit={limit}")), 400, "bad-request");
            assert!(text(&refused, "detail").contains("limit") || !refused["detail"].is_null(), "{refused}");
        }
        let _ = ok(&organization.get(&format!("{path}?limit=500")));
    }
    problem(&operator().get("/organizations?limit=0"), 400, "bad-request");
}

#[test]
fn what_is_no_cursor_is_refused_or_ends_the_list() {
    let organization = Organization::new("cursors");
    for path in ["/members", "/teams"] {
        problem(&organization.get(&format!("{path}?after=nonsense")), 422, "invalid");
    }
    problem(&operator().get("/organizations?after=_host"), 400, "bad-request");
    for path in ["/members", "/teams", "/logs", "/audit", "/events", "/guard", "/deliveries/emails-parked"] {
        for after in ["", &"x".repeat(101)] {
            problem(&organization.get(&format!("{path}?after={after}")), 400, "bad-request");
        }
    }
}

#[test]
fn organizations_are_listed_in_order_page_by_page() {
    let made: Vec<Organization> = (0..3).map(|_| Organization::new("listed")).collect();
    let (mut seen, mut path) = (Vec::new(), "/organizations?limit=2".to_owned());
    loop {
        let page = ok(&operator().get(&path));
        let items = page["items"].as_array().cloned().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|one| text(one, "id")));
        match page["next"].as_str() {
            Some(next) => path = format!("/organizations?limit=2&after={next}"),
            None => break,
        }
    }
    assert!(seen.is_sorted(), "{seen:?}");
    assert!(made.iter().all(|organization| seen.contains(&organization.id)), "{seen:?}");
}

#[test]
fn a_parameter_that_is_not_known_or_comes_twice_is_refused() {
    let organization = Organization::new("parameters");
    for query in ["?prefx=a", "?limit=1&limit=2", "?actor=x"] {
        problem(&organization.get(&format!("/members{query}")), 400, "bad-request");
    }
    let _ = ok(&with(&organization.key).get(&organization.at("/members?")));
}
