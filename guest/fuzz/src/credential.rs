//! What a stranger presents as a credential, and cursors that the server has not given.
//!
//! The first line is an `Authorization` header, the second one a cursor. `{token}` stands for the connector's token.

use insomnia_scim_guest::store::Options;
use serde_json::json;

use super::connector::Connector;

/// Checks one text.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (authorization, cursor) = text.split_once('\n').unwrap_or((text, ""));
    let connector = Connector::new(9, Options::default());
    let presented = authorization.replace("{token}", connector.token());
    let answer = connector.send("GET", "/Users?count=1", &[("authorization", &presented)], b"");
    let is_right = presented.split_whitespace().last() == Some(connector.token());
    assert!(answer.status() == 401 || is_right, "{authorization:?} is let in: {}", answer.status());

    for name in ["a", "b", "c"] {
        let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
        assert_eq!(connector.json("POST", "/Users", &user).status(), 201);
    }
    let first = connector.get("/Users?cursor&count=1");
    let next = first.body["nextCursor"].as_str().expect("a cursor").to_owned();
    let encoded: String = cursor.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let answer = connector.get(&format!("/Users?count=1&cursor={encoded}"));
    if cursor != next && !cursor.is_empty() {
        assert_eq!(answer.status(), 400, "{cursor:?} is taken for a cursor");
    }
    // One that differs in a single character is none either.
    let place = data.first().map_or(0, |byte| usize::from(*byte)) % next.len();
    let changed: String = next
        .char_indices()
        .map(|(at, character)| {
            if at != place {
                character
            } else if character == 'A' {
                'B'
            } else {
                'A'
            }
        })
        .collect();
    if changed != next {
        assert_eq!(connector.get(&format!("/Users?count=1&cursor={changed}")).status(), 400, "{changed}");
    }
}
