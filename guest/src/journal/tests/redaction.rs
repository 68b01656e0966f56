//! No password, passphrase or token is in the log, whatever form it is sent in.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::super::redaction::{redacted, redacted_query};
use super::{logged, request};
use crate::connector::Window;
use crate::testing::organization::TestOrganization;

/// The text that must not be found.
const SECRET: &str = "hunter2hunter2";

fn kept(body: &str) -> String {
    redacted(body.as_bytes(), false, &[]).unwrap()
}

#[test]
fn p5_secrets_are_redacted_wherever_they_stand() {
    for body in [
        r#"{"userName":"a","password":"hunter2hunter2"}"#,
        r#"{"userName":"a","PassWord":{"x":"hunter2hunter2"}}"#,
        r#"{"userName":"a","p\u0061ssword":"hunter2hunter2"}"#,
        r#"{"clientSecret":"hunter2hunter2"}"#,
        r#"{"Operations":[{"op":"replace","path":"password","value":"hunter2hunter2"}]}"#,
        r#"{"Operations":[{"op":"replace","Path":"urn:ietf:params:scim:schemas:core:2.0:User:password","VALUE":"hunter2hunter2"}]}"#,
        r#"{"Operations":[{"path":"title","Path":"password","value":"hunter2hunter2"}]}"#,
        r#"{"Operations":[{"op":"replace","path":"password[value eq \"hunter2hunter2\"]","value":1}]}"#,
        r#"{"Operations":[{"op":"add","value":{"password":"hunter2hunter2"}}]}"#,
        r#"{"Operations":[{"op":"add","value":{"password[value eq \"hunter2hunter2\"]":1}}]}"#,
        r#"{"Operations":[{"op":"add","value":{"urn:ietf:params:scim:schemas:core:2.0:User:password":"hunter2hunter2"}}]}"#,
        r#"{"urn:x:User":{"apiToken":["hunter2hunter2"]}}"#,
        r#"{"roles":[{"value":"{\"password\":\"hunter2hunter2\"}"}]}"#,
        r#"{"title":"insm_scim_hunter2hunter2"}"#,
        r#"{"password":"hunter2hunter2""#,
        r#"password=hunter2hunter2"#,
        r#"hunter2hunter2"#,
    ] {
        let logged = kept(body);
        assert!(!logged.contains(SECRET), "{logged}");
    }
}

#[test]
fn p5_a_body_without_secrets_is_kept_as_it_was_sent() {
    let body = r#"{ "userName": "ada" }"#;
    assert_eq!(kept(body), body);
    assert_eq!(redacted_query("filter=userName+eq+%22ada%22", &[]), "filter=userName+eq+%22ada%22");
    assert_eq!(redacted(b"", false, &[]), None);
    let beside = r#"{"userName":"ada","password":"hunter2hunter2","title":"Dr"}"#;
    assert_eq!(kept(beside), r#"{"userName":"ada","password":"[redacted]","title":"Dr"}"#);
}

#[test]
fn p5_a_query_with_a_hidden_name_is_left_out_wherever_the_name_stands() {
    let hidden = ["x".to_owned(), "badge".to_owned()];
    for query in ["x", "X", "attributes=title,x", "x=1", "badge=1", "sortBy=BADGE", "attributes=title,Badge"] {
        assert_eq!(redacted_query(query, &hidden), "[redacted]", "{query}");
    }
    for query in ["", "b", "sortBy=title", "attributes=badg", "attributes=adge"] {
        assert_eq!(redacted_query(query, &hidden), query);
    }
}

#[test]
fn p5_a_large_body_is_cut() {
    let body = format!(r#"{{"userName":"{}"}}"#, "é".repeat(20_000));
    assert!(kept(&body).len() <= 16 * 1024);
    assert_eq!(kept(&" ".repeat(70_000)), "[70000 bytes]");
}

#[test]
fn p5_an_error_or_a_header_brings_no_secret_into_the_log() {
    let organization = TestOrganization::new(10, Window::Never).unwrap();
    let patch = |path: &str| {
        let operation = json!({"op": "replace", "path": path, "value": "x"});
        Some(json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}))
    };
    let (_, ada) = organization.scim("POST", "/Users", Some(json!({"userName": "ada@example.com"})));
    let user = format!("/Users/{}", ada["id"].as_str().unwrap());
    let (token, agent) = (organization.token.clone(), "user-agent".to_owned());
    for (method, target, body) in [
        ("PATCH", user.as_str(), patch("password eq \"hunter2hunter2\"")),
        ("PATCH", user.as_str(), patch("password[value eq \"hunter2hunter2\"]")),
        ("PATCH", user.as_str(), patch("password=hunter2hunter2")),
        ("GET", "/Users?filter=password+eq+%22hunter2hunter2%22", None),
        ("GET", "/Users?filter=userName+hunter2hunter2+password", None),
        ("GET", &format!("/Users/{token}"), None),
        ("GET", &format!("/Users?key={token}"), None),
    ] {
        let mut request = request(&organization, method, target, body);
        request.headers.push((agent.clone(), format!("curl {token}")));
        let (_, entry) = logged(&organization, &request);
        let entry = entry.to_string();
        assert!(!entry.contains(SECRET) && !entry.contains(&token), "{entry}");
    }
}

fn secret_names() -> impl Strategy<Value = String> {
    let names =
        select(&["password", "passphrase", "clientSecret", "token", "credentials", "apiKey", "PRIVATE_KEY"][..]);
    let before =
        select(&["", "user", "urn:ietf:params:scim:schemas:core:2.0:User:", "urn:x:ext:2.0:User:a.", "new_"][..]);
    let after = select(&["", "s", "Hash", ".value", "[type eq \"x\"].value"][..]);
    (before, names, after, any::<u64>()).prop_map(|(before, name, after, cases)| {
        let flip = |(at, letter): (usize, char)| {
            if cases >> (at % 64) & 1 == 1 { letter.to_ascii_uppercase() } else { letter }
        };
        let name: String = name.chars().enumerate().map(flip).collect();
        format!("{before}{name}{after}")
    })
}

/// Values with the secret somewhere in them.
fn values() -> impl Strategy<Value = Value> {
    Just(Value::from(SECRET)).prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|value| json!([1, value])),
            ("[a-z]{1,5}", inner.clone()).prop_map(|(name, value)| json!({name: value})),
            inner.prop_map(|value| json!({"value": value, "type": "x"})),
        ]
    })
}

/// Objects that hold the secret in a member whose name shows that it is secret.
fn carriers() -> impl Strategy<Value = Value> {
    let path = select(&["path", "Path", "name", "type", "attribute", "key"][..]);
    prop_oneof![
        (secret_names(), values()).prop_map(|(name, value)| json!({"userName": "ada", name: value})),
        (path, secret_names(), values(), any::<bool>()).prop_map(|(path, name, value, upper)| {
            json!({"op": "add", path: name, if upper { "Value" } else { "value" }: value})
        }),
        secret_names().prop_map(|name| json!({"path": format!("{name}[value eq \"{SECRET}\"]")})),
        secret_names().prop_map(|name| json!({format!("{name}[value eq \"{SECRET}\"]"): 1})),
        (secret_names(), values()).prop_map(|(name, value)| json!({"value": json!({name: value}).to_string()})),
    ]
}

fn bodies() -> impl Strategy<Value = Value> {
    carriers().prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|value| json!(["x", value, null])),
            ("[a-zA-Z:.]{1,9}", inner.clone()).prop_map(|(name, value)| json!({"id": 1, name: value})),
            inner.prop_map(|value| json!({"Operations": [{"op": "add", "value": value}]})),
        ]
    })
}

/// The same JSON text, in which letters of the names are escaped.
fn escaped(text: &str) -> String {
    ["password", "token", "assphrase"].iter().fold(text.to_owned(), |text, name| {
        let escape = |letter: char| format!("\\u{:04x}", u32::from(letter));
        let escaped: String = name.chars().map(escape).collect();
        text.replace(name, &escaped)
    })
}

proptest! {
    #[test]
    fn p5_no_form_of_a_body_brings_a_secret_into_the_log(
        body in bodies(), escapes in any::<bool>(), cut in prop::option::weighted(0.3, 0.0..1.0), mark in any::<bool>(),
    ) {
        let mut text = body.to_string();
        if escapes && !text.contains("\\\"") {
            text = escaped(&text);
        }
        if let Some(cut) = cut {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a place in the text")]
            let end = (text.len() as f64 * cut) as usize;
            text.truncate((0..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0));
        }
        if mark {
            text.insert(0, '\u{feff}');
        }
        let logged = redacted(text.as_bytes(), false, &[]).unwrap_or_default();
        prop_assert!(!logged.contains(SECRET), "{} -> {}", text, logged);
    }

    #[test]
    fn p5_no_form_of_a_query_brings_a_secret_into_the_log(name in secret_names(), encoded in any::<u64>()) {
        let encode = |(at, letter): (usize, char)| {
            if encoded >> (at % 64) & 1 == 1 || !letter.is_ascii_alphanumeric() {
                letter.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect()
            } else {
                letter.to_string()
            }
        };
        let name: String = name.chars().enumerate().map(encode).collect();
        for query in [format!("filter={name}+eq+{SECRET}"), format!("{name}={SECRET}"), format!("a=1&{name}={SECRET}&b")] {
            prop_assert!(!redacted_query(&query, &[]).contains(SECRET), "{}", query);
        }
    }

    #[test]
    fn p5_what_is_no_secret_stays_in_the_log(
        fields in prop::collection::btree_map("[b-m]{3,8}", "[B-Mb-m 0-9\"=:#]{0,20}", 1..5), password in any::<bool>(),
    ) {
        let mut body: Map<String, Value> = fields.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        if password {
            body.insert("password".into(), SECRET.into());
        }
        let logged: Value = serde_json::from_str(&kept(&Value::Object(body).to_string())).unwrap();
        for (name, value) in &fields {
            prop_assert_eq!(logged[name].as_str(), Some(value.as_str()));
        }
    }
}
