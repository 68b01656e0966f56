//! Lists: their pages stay correct while others write, and indexes answer their filters.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::{Connector, ids};
use crate::store::Options;

/// Reads all pages. After each page but the last it calls `between` with the ids that were read so far.
fn by_cursor(connector: &Connector, query: &str, mut between: impl FnMut(&[String])) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..100 {
        let (response, page) = connector.send("GET", &format!("{query}&cursor={cursor}"), None);
        assert_eq!(response.status, 200, "{page}");
        seen.extend(ids(&page));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return seen,
        }
        between(&seen);
    }
    panic!("the pages have no end");
}

#[test]
fn rfc_080_no_resource_is_lost_when_those_of_earlier_pages_go() {
    for query in [
        "/Users?count=40",
        "/Users?count=40&filter=userName sw \"u\"",
        "/Users?count=40&sortBy=userName",
        "/Users?count=40&sortBy=userName&sortOrder=descending",
        "/?count=40",
        "/Users?count=40&excludedAttributes=groups",
    ] {
        let connector = Connector::new(200);
        let all: Vec<String> = (0..98).map(|number| connector.create(&format!("u{number:02}@example.com"))).collect();
        let mut gone = 0;
        let seen = by_cursor(&connector, query, |seen| {
            // The last resource of the page is deleted too, so the cursor names a resource that no longer exists.
            for id in seen.iter().skip(gone.max(seen.len() - 30)) {
                assert_eq!(connector.send("DELETE", &format!("/Users/{id}"), None).0.status, 204);
            }
            gone = seen.len();
        });
        let mut sorted = seen.clone();
        sorted.sort();
        assert_eq!(sorted, all, "{query}");
    }
}

#[test]
fn rfc_080_the_last_page_has_no_cursor_also_when_it_is_full() {
    let connector = Connector::new(10);
    (0..4).for_each(|number| drop(connector.create(&format!("u{number}@example.com"))));
    for query in ["/Users?count=2", "/Users?count=2&sortBy=id", "/?count=2", "/Users?count=2&filter=userName pr"] {
        let mut pages = 1;
        assert_eq!(by_cursor(&connector, query, |_| pages += 1).len(), 4);
        assert_eq!(pages, 2, "{query}");
    }
}

#[test]
fn rfc_080_cursors_lead_through_users_and_groups_together() {
    let connector = Connector::new(10);
    let mut all: Vec<String> = (0..3).map(|number| connector.create(&format!("u{number}@example.com"))).collect();
    for number in 0..3 {
        let (_, group) = connector.send("POST", "/Groups", Some(json!({"displayName": format!("Team {number}")})));
        all.push(group["id"].as_str().unwrap().to_owned());
    }
    for query in ["/?count=2", "/?count=3", "/?count=2&filter=id pr", "/?count=2&sortBy=displayName"] {
        let mut seen = by_cursor(&connector, query, |_| {});
        if !query.contains("sortBy") {
            assert_eq!(seen, all, "{query}");
        }
        seen.sort();
        let mut all = all.clone();
        all.sort();
        assert_eq!(seen, all, "{query}");
    }
}

#[test]
fn rfc_080_values_that_differ_far_behind_are_all_delivered() {
    let connector = Connector::new(20);
    let mut all: Vec<String> = Vec::new();
    for number in 0..7 {
        let title = format!("{}{}", "é".repeat(200), 9 - number);
        let body = json!({"userName": format!("u{number}@example.com"), "title": title});
        let (_, user) = connector.send("POST", "/Users", Some(body));
        all.push(user["id"].as_str().unwrap().to_owned());
    }
    let mut seen = by_cursor(&connector, "/Users?count=2&sortBy=title", |_| {});
    seen.sort();
    assert_eq!(seen, all);
}

#[test]
fn rfc_082_a_cursor_is_valid_from_its_own_page_on() {
    let connector = Connector::new(20);
    let all: Vec<String> = (0..6).map(|number| connector.create(&format!("u{number}@example.com"))).collect();
    let mut now = 1_760_000_000_000;
    let seen = by_cursor(&connector, "/Users?count=1", |_| {
        now += 50 * 60_000;
        connector.host.set_now(now);
    });
    assert_eq!(seen, all);
    let (_, page) = connector.send("GET", "/Users?count=1&cursor=", None);
    connector.host.set_now(now + 61 * 60_000);
    let target = format!("/Users?count=1&cursor={}", page["nextCursor"].as_str().unwrap());
    let (response, error) = connector.send("GET", &target, None);
    assert_eq!((response.status, error["scimType"].as_str()), (400, Some("expiredCursor")));
}

#[test]
fn rfc_081_a_count_that_is_no_number_is_an_invalid_count_with_a_cursor() {
    let connector = Connector::new(10);
    for (target, scim_type) in [
        ("/Users?cursor=&count=abc", "invalidCount"),
        ("/Users?count=abc&cursor=", "invalidCount"),
        ("/Users?count=abc", "invalidValue"),
        ("/Users?cursor=&startIndex=abc", "invalidValue"),
    ] {
        let (response, error) = connector.send("GET", target, None);
        assert_eq!((response.status, error["scimType"].as_str()), (400, Some(scim_type)), "{target}");
    }
    let search = json!({"cursor": "", "count": true});
    let (_, error) = connector.send("POST", "/Users/.search", Some(search));
    assert_eq!(error["scimType"].as_str(), Some("invalidCount"));
}

#[test]
fn p3_look_ups_joined_by_or_find_manual_members_too() {
    let connector = Connector::new(10);
    let (first, second) = (connector.add_manual("m1@example.com"), connector.add_manual("m2@example.com"));
    let scim = connector.create("u@example.com");
    let find = |filter: &str| {
        let (response, page) = connector.send("GET", &format!("/Users?filter={filter}"), None);
        assert_eq!(response.status, 200, "{filter}: {page}");
        ids(&page)
    };
    let both = [first.clone(), second.clone()];
    assert_eq!(find("userName eq \"m2@example.com\" or userName eq \"m1@example.com\""), both);
    assert_eq!(find(&format!("id eq \"{second}\" or id eq \"{first}\" or id eq \"{second}\"")), both);
    assert_eq!(find("emails.value eq \"m1@example.com\" or (userName eq \"M2@example.com\" and active eq true)"), both);
    assert_eq!(find("emails[value eq \"m1@example.com\" or value eq \"m2@example.com\"]"), both);
    let all = find(&format!("id eq \"{scim}\" or userName eq \"m1@example.com\" or externalId eq \"x\""));
    assert_eq!(all, [first.clone(), scim.clone()]);
    assert_eq!(find(&format!("id eq \"{first}\" or title eq \"x\"")), [] as [String; 0], "no look-up, so as a list");
    assert_eq!(find("displayName eq \"x\" or userName sw \"u\""), [scim]);
}

/// A look-up by the unique name alone is answered from the index, without checking the filter.
#[test]
fn r76_a_look_up_by_name_alone_is_answered_like_one_with_a_further_condition() {
    let connector = Connector::new(10);
    let long = format!("{}@example.com", "é".repeat(150));
    let ids = [connector.create("Ada@example.com"), connector.create(&long), connector.add_manual("m1@example.com")];
    connector.send("POST", "/Groups", Some(json!({"displayName": "Team A", "members": [{"value": ids[0]}]})));
    for (path, name, total) in [
        ("/Users?filter=userName", "ada@EXAMPLE.com", 1),
        ("/Users?filter=userName", long.as_str(), 1),
        ("/Users?filter=userName", &long.to_uppercase(), 1),
        ("/Users?filter=userName", "m1@example.com", 1),
        ("/Users?filter=userName", "nobody@example.com", 0),
        ("/Users?filter=userName", "", 0),
        ("/Groups?filter=displayName", "team a", 1),
        ("/Groups?filter=displayName", "team b", 0),
    ] {
        for page in ["", "&startIndex=2", "&count=0", "&startIndex=1&count=5", "&attributes=id"] {
            let [alone, further] = ["", " and id pr"].map(|further| {
                let (response, body) = connector.send("GET", &format!("{path} eq \"{name}\"{further}{page}"), None);
                assert_eq!(response.status, 200, "{name}: {body}");
                body
            });
            assert_eq!(alone, further, "{name} {page}");
            assert_eq!(alone["totalResults"], total, "{name} {page}");
        }
    }
}

#[test]
fn memberships_are_filtered_from_either_end() {
    let connector = Connector::with(20, Options { list_manual: true, ..Options::default() });
    let users: Vec<String> = (0..3).map(|number| connector.create(&format!("u{number}@example.com"))).collect();
    let mut groups = Vec::new();
    for (name, members) in [("A", &users[..2]), ("B", &users[1..])] {
        let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
        let (_, group) = connector.send("POST", "/Groups", Some(json!({"displayName": name, "members": members})));
        groups.push(group["id"].as_str().unwrap().to_owned());
    }
    let (a, b) = (&groups[0], &groups[1]);
    for (filter, expected) in [
        (format!("groups.value eq \"{a}\""), &users[..2]),
        (format!("groups eq \"{a}\""), &users[..2]),
        (format!("groups[value eq \"{a}\"]"), &users[..2]),
        (format!("groups.value eq \"{a}\" and groups.value eq \"{b}\""), &users[1..2]),
        (format!("groups.value eq \"{a}\" and not (groups.value eq \"{b}\")"), &users[..1]),
        (format!("groups.value eq \"{a}\" and groups.display eq \"B\""), &users[1..2]),
        (format!("groups[value eq \"{a}\" and display eq \"B\"]"), &users[..0]),
        (format!("groups.value eq \"{a}\" or groups.value eq \"{b}\""), &users[..]),
        (format!("groups.value eq \"{}\"", a.to_uppercase()), &users[..0]),
        ("groups.value eq \"nobody\"".to_owned(), &users[..0]),
    ] {
        let (response, page) = connector.send("GET", &format!("/Users?filter={filter}"), None);
        assert_eq!((response.status, ids(&page)), (200, expected.to_vec()), "{filter}");
    }
    let (_, page) = connector.send("GET", &format!("/Groups?filter=members.value eq \"{}\"", users[1]), None);
    assert_eq!(ids(&page), groups);
}

#[test]
fn rfc_9865_5_2_a_cursor_shows_nothing_of_whom_it_points_at() {
    let connector = Connector::new(100);
    (0..3).for_each(|number| drop(connector.create(&format!("secret-name{number}@example.com"))));
    let (_, page) = connector.send("GET", "/Users?sortBy=userName&count=2&cursor=", None);
    let next = page["nextCursor"].as_str().unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(next).unwrap();
    for shown in [&b"secret-name"[..], b"example.com", ids(&page)[1].as_bytes()] {
        assert!(!bytes.windows(shown.len()).any(|window| window == shown), "{}", String::from_utf8_lossy(shown));
    }
    let (_, again) = connector.send("GET", "/Users?sortBy=userName&count=2&cursor=", None);
    assert_ne!(again["nextCursor"].as_str(), Some(next), "nor do two of them tell whether they are the same");
}

#[test]
fn rfc_9865_2_a_cursor_belongs_to_the_query_and_not_to_its_spelling() {
    let connector = Connector::new(100);
    (0..3).for_each(|number| drop(connector.create(&format!("jane{number}@example.com"))));
    let first = "/Users?count=2&filter=userName sw \"jane\"&sortBy=userName";
    let (_, page) = connector.send("GET", &format!("{first}&cursor="), None);
    let cursor = page["nextCursor"].as_str().unwrap();
    for query in [
        "/Users?filter=username sw \"jane\"&sortBy=username",
        "/v2/users?filter=userName SW \"JANE\"&sortBy=userName&sortOrder=ASCENDING",
        "/Users?filter=(urn:ietf:params:scim:schemas:core:2.0:User:userName  sw \"jane\")&sortBy=USERNAME",
    ] {
        let (response, page) = connector.send("GET", &format!("{query}&cursor={cursor}"), None);
        assert_eq!((response.status, ids(&page).len()), (200, 1), "{query}: {page}");
    }
    for query in [
        "/Users?filter=userName sw \"jan\"&sortBy=userName",
        "/Users?filter=displayName sw \"jane\"&sortBy=userName",
        "/Users?filter=userName sw \"jane\"&sortBy=userName&sortOrder=descending",
        "/Users?filter=userName sw \"jane\"",
        "/Users?sortBy=userName",
        "/?filter=userName sw \"jane\"&sortBy=userName",
    ] {
        let (response, refusal) = connector.send("GET", &format!("{query}&cursor={cursor}"), None);
        assert_eq!((response.status, &refusal["scimType"]), (400, &json!("invalidCursor")), "{query}");
    }
}

#[test]
fn rfc_9865_a_search_with_a_cursor_that_is_no_string_is_refused() {
    for connector in [Connector::new(100), Connector::strict()] {
        for cursor in [json!(5), json!(true), json!(["x"]), json!({})] {
            let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "cursor": cursor});
            let (response, refusal) = connector.send("POST", "/Users/.search", Some(body));
            assert_eq!((response.status, &refusal["scimType"]), (400, &json!("invalidCursor")), "{cursor}");
        }
    }
}

#[test]
fn a_list_of_members_in_teams_takes_as_many_crossings_as_a_list_of_two() {
    let connector = Connector::new(200);
    let all: Vec<String> = (0..60).map(|number| connector.create(&format!("u{number:02}@example.com"))).collect();
    let of = |members: &[String]| members.iter().map(|id| json!({ "value": id })).collect::<Vec<_>>();
    let team = |number: usize, members: &[String]| {
        let team = json!({"displayName": format!("Team {number:02}"), "members": of(members)});
        assert_eq!(connector.send("POST", "/Groups", Some(team)).0.status, 201);
    };
    team(0, &all);
    team(1, &all);
    let read = |query: &str, count: usize| {
        let before = connector.host.reads.get();
        let (response, page) = connector.send("GET", &format!("/Users?count={count}{query}"), None);
        assert_eq!(response.status, 200, "{page}");
        (connector.host.reads.get() - before, page["Resources"].as_array().unwrap().clone())
    };
    let queries = [
        "",
        "&cursor=",
        "&filter=active eq true",
        "&sortBy=userName",
        "&attributes=groups",
        "&filter=userName sw \"u\"&sortBy=userName&sortOrder=descending&cursor=",
    ];
    for query in queries {
        assert_eq!(read(query, 2).0, read(query, 60).0, "{query}");
    }
    // The answer shows all teams of a member who is in more teams than one shared look-up reads.
    (2..15).for_each(|number| team(number, &all[..1]));
    for query in queries {
        let users = read(query, 60).1;
        assert_eq!(users.len(), 60);
        for user in users {
            let attributes = if query.contains("attributes") { "?attributes=groups" } else { "" };
            let target = format!("/Users/{}{attributes}", user["id"].as_str().unwrap());
            assert_eq!(user, connector.send("GET", &target, None).1, "{query}");
        }
    }
}

#[test]
fn r76_to_sort_all_types_by_what_none_of_them_has_is_refused() {
    let connector = Connector::new(10);
    connector.create("ada@example.com");
    for (query, scim_type) in [
        ("/?sortBy=nope", "invalidPath"),
        ("/?sortBy=name", "invalidPath"),
        ("/?sortBy=displayName&sortOrder=upwards", "invalidValue"),
    ] {
        let (response, error) = connector.send("GET", query, None);
        assert_eq!((response.status, &error["scimType"]), (400, &json!(scim_type)), "{query}: {error}");
    }
    for attribute in ["userName", "members", "displayName", "meta.created"] {
        let (response, page) = connector.send("GET", &format!("/?sortBy={attribute}"), None);
        assert_eq!((response.status, &page["totalResults"]), (200, &json!(1)), "{attribute}: {page}");
    }
}

#[test]
fn rfc_086_names_may_come_in_several_parameters() {
    let connector = Connector::new(10);
    let id = connector.create("ada@example.com");
    let (_, user) = connector.send("GET", &format!("/Users/{id}?attributes=userName&attributes=active,meta"), None);
    let mut names: Vec<&str> = user.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["active", "id", "meta", "schemas", "userName"]);
    let query = format!("/Users/{id}?excludedAttributes=userName&excludedAttributes=&ExcludedAttributes=meta");
    let (_, user) = connector.send("GET", &query, None);
    assert_eq!((user.get("userName"), user.get("meta"), &user["active"]), (None, None, &json!(true)));
}
