//! RFC 7644 §3.4.2.4 and RFC 9865: paging by index and by cursor (rules R77 to R82).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use insomnia_scim_tests::client::{Response, encode};
use insomnia_scim_tests::person::unique;
use insomnia_scim_tests::scim::{SEARCH, id, sorted, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::json;

/// So many people, and a query for exactly these, which no index answers in another order.
fn some(count: usize) -> (String, Vec<String>) {
    let prefix = unique("page");
    let ids = seed::people(&client(), &prefix, count);
    (format!("/Users?filter={}", encode(&format!("displayName co \"{prefix}-\""))), ids)
}

#[test]
fn rfc_077_start_index_is_1_based() {
    let (query, ids) = some(5);
    let client = client();
    for (start, from) in [("1", 0), ("2", 1), ("5", 4), ("0", 0), ("-3", 0)] {
        let page = client.get(&format!("{query}&startIndex={start}")).list();
        assert_eq!((page.ids(), page.total), (ids[from..].to_vec(), 5), "startIndex={start}");
        assert_eq!(page.start, from as u64 + 1, "startIndex={start}");
    }
}

#[test]
fn rfc_077_beyond_the_end_is_an_empty_page() {
    let (query, _) = some(2);
    for start in ["3", "1000000000"] {
        let page = client().get(&format!("{query}&startIndex={start}")).list();
        assert_eq!((page.total, page.resources.len()), (2, 0));
    }
}

#[test]
fn rfc_078_count_is_the_most() {
    let (query, ids) = some(3);
    for (count, expected) in [("2", 2), ("1", 1), ("0", 0), ("-5", 0), ("3", 3), ("1000000", 3)] {
        let page = client().get(&format!("{query}&count={count}")).list();
        assert_eq!((page.total, page.ids()), (3, ids[..expected].to_vec()), "count={count}");
    }
}

#[test]
fn rfc_078_numbers_are_numbers() {
    for query in ["count=ten", "startIndex=one", "count=1.5", "startIndex=0x1", "count=1%2C2"] {
        client().get(&format!("/Users?{query}")).refusal(400, "invalidValue");
    }
}

#[test]
fn rfc_079_total_counts_every_match() {
    let (query, ids) = some(7);
    let mut read = Vec::new();
    for start in [1, 4, 7] {
        let page = client().get(&format!("{query}&startIndex={start}&count=3")).list();
        assert_eq!(page.total, 7);
        read.extend(page.ids());
    }
    assert_eq!(read, ids);
}

#[track_caller]
fn cursor_of(response: &Response) -> Option<String> {
    response.list_in_cursor_mode()["nextCursor"].as_str().map(str::to_owned)
}

/// What [`insomnia_scim_tests::scim`] expects of a list, without what RFC 9865 lets a server leave out.
trait CursorPage {
    fn list_in_cursor_mode(&self) -> serde_json::Value;
    fn ids_on_page(&self) -> Vec<String>;
}

impl CursorPage for Response {
    #[track_caller]
    fn list_in_cursor_mode(&self) -> serde_json::Value {
        let document = self.document(200);
        assert!(document["Resources"].is_array(), "{self}");
        document
    }

    #[track_caller]
    fn ids_on_page(&self) -> Vec<String> {
        self.list_in_cursor_mode()["Resources"].as_array().into_iter().flatten().map(id).collect()
    }
}

#[test]
fn rfc_080_cursors_lead_through_every_page() {
    let (query, ids) = some(5);
    let client = client();
    let (mut read, mut cursor, mut pages) = (Vec::new(), Some(String::new()), 0);
    while let Some(current) = cursor {
        let response = client.get(&format!("{query}&count=2&cursor={current}"));
        read.extend(response.ids_on_page());
        cursor = cursor_of(&response);
        let unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        assert!(cursor.as_ref().is_none_or(|cursor| cursor.chars().all(unreserved)), "{cursor:?}");
        pages += 1;
        assert!(pages <= 3, "the last page has no nextCursor");
    }
    assert_eq!((read, pages), (ids, 3));
}

#[test]
fn rfc_080_cursors_keep_their_place_while_others_write() {
    let client = client();
    let (query, ids) = some(4);
    let first = client.get(&format!("{query}&count=2&cursor="));
    assert_eq!(first.ids_on_page(), ids[..2]);
    client.delete(&format!("/Users/{}", ids[0])).no_content();
    let next = cursor_of(&first).expect("a next page");
    assert_eq!(client.get(&format!("{query}&count=2&cursor={next}")).ids_on_page(), ids[2..], "nothing is skipped");
}

#[test]
fn rfc_080_cursors_work_with_sorting() {
    let client = client();
    let (query, ids) = some(4);
    let query = format!("{query}&sortBy=id&sortOrder=descending&count=3&cursor=");
    let mut expected = ids;
    expected.sort_by(|a, b| b.cmp(a));
    let first = client.get(&query);
    assert_eq!(first.ids_on_page(), expected[..3]);
    let next = cursor_of(&first).expect("a next page");
    assert_eq!(client.get(&format!("{query}{next}")).ids_on_page(), expected[3..]);
}

#[test]
fn rfc_081_forged_and_foreign_cursors_are_invalid() {
    let (query, _) = some(4);
    let (other, _) = some(1);
    let client = client();
    let next = cursor_of(&client.get(&format!("{query}&count=2&cursor="))).expect("a next page");
    let mut forged = next.clone();
    let last = forged.pop().expect("a character");
    forged.push(if last == 'A' { 'B' } else { 'A' });
    for (query, cursor) in
        [(&query, "garbage"), (&query, "%F0%9F%92%A5"), (&query, forged.as_str()), (&other, next.as_str())]
    {
        client.get(&format!("{query}&count=2&cursor={cursor}")).refusal(400, "invalidCursor");
    }
    client.get(&format!("{query}&count=2&sortBy=userName&cursor={next}")).refusal(400, "invalidCursor");
    client.get(&format!("{}&count=2&cursor={next}", query.replace("/Users", "/Groups"))).refusal(400, "invalidCursor");
}

#[test]
fn rfc_081_a_cursor_is_opaque_and_belongs_to_the_query_however_it_is_spelled() {
    let client = client();
    let prefix = unique("Opaque");
    let ids = seed::people(&client, &prefix, 3);
    let query = |filter: &str, sort: &str| format!("/Users?filter={}&sortBy={sort}&count=2&cursor=", encode(filter));
    let first = client.get(&query(&format!("displayName co \"{prefix}-\""), "userName"));
    let next = cursor_of(&first).expect("a next page");
    let bytes = URL_SAFE_NO_PAD.decode(&next).expect("base64url");
    let user_name = text(&first.json()["Resources"][1], "userName").to_lowercase();
    assert!(!String::from_utf8_lossy(&bytes).to_lowercase().contains(&user_name), "it shows {user_name}");
    let respelled = query(&format!("DISPLAYNAME CO \"{prefix}-\""), "username");
    let last = client.get(&format!("{respelled}{next}"));
    let mut read = first.ids_on_page();
    read.extend(last.ids_on_page());
    assert_eq!(sorted(&read), sorted(&ids));
    for cursor in [json!(5), json!(true), json!([next]), json!({})] {
        let search = json!({ "schemas": [SEARCH], "cursor": cursor, "count": 2 });
        client.post("/Users/.search", search).refusal(400, "invalidCursor");
    }
}

#[test]
fn rfc_081_counts_outside_the_range_are_invalid() {
    let (query, ids) = some(3);
    let client = client();
    let most =
        client.get("/ServiceProviderConfig").document(200)["pagination"]["maxPageSize"].as_u64().expect("a number");
    client.get(&format!("{query}&count={}&cursor=", most + 1)).refusal(400, "invalidCount");
    let next = cursor_of(&client.get(&format!("{query}&count=2&cursor="))).expect("a next page");
    client.get(&format!("{query}&count=1&cursor={next}")).refusal(400, "invalidCount");
    for count in ["0", "-1"] {
        let totals = client.get(&format!("{query}&count={count}&cursor="));
        assert!(totals.ids_on_page().is_empty());
        assert_eq!(totals.json()["totalResults"], json!(ids.len()));
    }
}

#[test]
fn rfc_082_cursors_work_in_search() {
    let client = client();
    let prefix = unique("search");
    let ids = seed::people(&client, &prefix, 3);
    let search = |cursor: &str| json!({ "schemas": [SEARCH], "filter": format!("displayName co \"{prefix}-\""), "count": 2, "cursor": cursor });
    let first = client.post("/Users/.search", search(""));
    assert_eq!(first.ids_on_page(), ids[..2]);
    let next = text(&first.json(), "nextCursor");
    let last = client.post("/Users/.search", search(&next));
    assert_eq!(last.ids_on_page(), ids[2..]);
    assert!(cursor_of(&last).is_none());
}

#[test]
fn rfc_082_without_a_cursor_pages_are_by_index() {
    let (query, _) = some(2);
    let page = client().get(&format!("{query}&count=1")).list();
    assert!(page.document.get("nextCursor").is_none(), "{}", page.document);
}
