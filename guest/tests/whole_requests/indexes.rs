//! A filter that an index answers finds what the same filter finds when it looks at every resource.

use insomnia_scim_guest::protocol::document::Document;
use insomnia_scim_guest::protocol::filter::Filter;
use insomnia_scim_guest::protocol::mode::Mode;
use insomnia_scim_guest::protocol::schema::SchemaTable;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::fuzz::connector::Connector;
use super::{Options, encode};

/// Values that an index may hold in another form than they are sent: long, with case beyond ASCII, with separators.
fn values() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[abAB]{1,3}",
        2 => prop::sample::select(&[
            "straße", "STRASSE", "Straße", "İstanbul", "istanbul", "ıI", "ΣΑΣ", "σας", "σασ", "K", "k", "ﬁ", "fi", "Ǆ", "ǆ",
            "é", "e\u{301}", "a/b", "a", "a\"b", "a\\b", "a\u{0}b", "a b", "a%2Fb", "a\u{ff}", "a\u{10ffff}",
        ][..]).prop_map(str::to_owned),
        1 => ("[xX]{195,205}", "[abß]{0,12}").prop_map(|(long, end)| long + &end),
        1 => ("[é]{95,105}", "[abß]{0,12}").prop_map(|(long, end)| long + &end),
    ]
}

/// The value itself, in another case, a prefix of it, or any other.
fn sought() -> impl Strategy<Value = (Index, u8, String)> {
    (any::<Index>(), 0..6_u8, values())
}

fn vary(value: &str, how: u8, other: &str) -> String {
    match how {
        0 => value.to_uppercase(),
        1 => value.to_lowercase(),
        2 => value.chars().take(value.chars().count() / 2).collect(),
        3 => value.chars().take(value.chars().count().saturating_sub(1)).collect(),
        4 => other.to_owned(),
        _ => value.to_owned(),
    }
}

#[derive(Clone, Debug)]
struct Person {
    user_name: String,
    display_name: Option<String>,
    external_id: Option<String>,
    emails: Vec<String>,
}

fn person() -> impl Strategy<Value = Person> {
    let some = || prop::option::weighted(0.7, values());
    (values(), some(), some(), prop::collection::vec(values(), 0..3)).prop_map(
        |(user_name, display_name, external_id, emails)| Person { user_name, display_name, external_id, emails },
    )
}

/// Everything of a type, a page at a time.
fn all(connector: &Connector, endpoint: &str) -> Vec<Document> {
    let list = connector.get(&format!("{endpoint}?count=1000")).body;
    list["Resources"].as_array().unwrap().iter().map(|resource| resource.as_object().unwrap().clone()).collect()
}

fn expect_same(connector: &Connector, name: &str, endpoint: &str, text: &str) -> Result<(), TestCaseError> {
    let answer = connector.get(&format!("{endpoint}?count=1000&filter={}", encode(text)));
    let schema = SchemaTable::builtin().resource(name).unwrap();
    let Ok(filter) = Filter::parse(&schema, &[], text, Mode::COMPAT) else {
        prop_assert_eq!(answer.status(), 400, "{}", text);
        return Ok(());
    };
    prop_assert_eq!(answer.status(), 200, "{}: {}", text, answer.body);
    let mut found: Vec<&str> =
        answer.body["Resources"].as_array().unwrap().iter().map(|resource| resource["id"].as_str().unwrap()).collect();
    let resources = all(connector, endpoint);
    let mut expected: Vec<&str> = resources
        .iter()
        .filter(|resource| filter.matches(resource))
        .map(|resource| resource["id"].as_str().unwrap())
        .collect();
    found.sort_unstable();
    expected.sort_unstable();
    prop_assert_eq!(&answer.body["totalResults"], found.len(), "{}", text);
    prop_assert_eq!(found, expected, "{}", text);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn a_filter_by_index_finds_what_looking_at_everybody_finds(
        people in prop::collection::vec(person(), 1..8),
        sought in prop::collection::vec((sought(), 0..7_usize, any::<bool>(), sought(), 0..7_usize), 1..12),
    ) {
        // Lists show manual members too, so that a look-up finds nobody whom a list does not show.
        let connector = Connector::new(1_000, Options { list_manual: true, ..Options::default() });
        for person in &people {
            let mut body = json!({"userName": person.user_name,
                "emails": person.emails.iter().map(|address| json!({"value": address})).collect::<Vec<_>>()});
            if let Some(name) = &person.display_name {
                body["displayName"] = name.as_str().into();
            }
            if let Some(id) = &person.external_id {
                body["externalId"] = id.as_str().into();
            }
            // 409 where another one has the name or the address.
            let status = connector.json("POST", "/Users", &body).status();
            prop_assert!(status == 201 || status == 409);
        }
        let users = all(&connector, "/Users");
        let term = |(index, how, other): &(Index, u8, String), attribute: usize, prefix: bool| {
            const ATTRIBUTES: [&str; 7] =
                ["userName", "displayName", "externalId", "emails", "emails.value", "id", "emails[type pr or value pr].value"];
            let path = ATTRIBUTES[attribute];
            let user = index.get(&users);
            let value = match path {
                "userName" | "displayName" | "externalId" | "id" => user.get(path).and_then(Value::as_str),
                _ => user.get("emails").and_then(|emails| emails.as_array()?.last()?.get("value")?.as_str()),
            };
            let value = vary(value.unwrap_or("owner@example.com"), *how, other);
            format!("{path} {} {}", if prefix { "sw" } else { "eq" }, Value::from(value))
        };
        for (first, attribute, prefix, second, other_attribute) in &sought {
            let one = term(first, *attribute, *prefix);
            let two = term(second, *other_attribute, !*prefix);
            for text in [one.clone(), format!("{one} and {two}"), format!("({two}) and active eq true and {one}"),
                format!("{one} or {two}"), format!("not ({one}) and {two}")] {
                expect_same(&connector, "User", "/Users", &text)?;
            }
        }
    }

    #[test]
    fn a_filter_by_membership_finds_what_looking_at_every_team_finds(
        names in prop::collection::vec((values(), prop::collection::vec(0..4_usize, 0..4)), 1..6),
        sought in prop::collection::vec((sought(), 0..5_usize), 1..8),
    ) {
        let connector = Connector::new(1_000, Options::default());
        let user = |number: usize| connector.json("POST", "/Users", &json!({"userName": format!("u{number}"), "displayName": format!("U {number}")})).id();
        let users: Vec<String> = (0..4).map(user).collect();
        for (name, members) in &names {
            let members: Vec<Value> = members.iter().map(|number| json!({"value": users[*number]})).collect();
            connector.json("POST", "/Groups", &json!({"displayName": name, "members": members}));
        }
        let groups = all(&connector, "/Groups");
        for ((index, how, other), member) in &sought {
            let group = index.get(&groups);
            let name = Value::from(vary(group["displayName"].as_str().unwrap(), *how, other));
            let member = users.get(*member).map_or("nobody", String::as_str);
            let id = group["id"].as_str().unwrap();
            for text in [
                format!("displayName eq {name}"),
                format!("displayName sw {name}"),
                format!("members.value eq \"{member}\""),
                format!("members eq \"{member}\" and displayName sw {name}"),
                format!("members[value eq \"{member}\" and type eq \"User\"]"),
                format!("members[value eq \"{member}\" and display eq \"u 1\"]"),
                format!("not (members.value eq \"{member}\") and displayName pr"),
                format!("members.value eq \"{member}\" or displayName eq {name}"),
                format!("members.value eq \"{member}\" and members.value eq \"{}\"", users[0]),
            ] {
                expect_same(&connector, "Group", "/Groups", &text)?;
            }
            for text in [
                format!("groups.value eq \"{id}\""),
                format!("groups[value eq \"{id}\" and type eq \"direct\"] and userName sw \"u\""),
                format!("groups.value eq \"{id}\" and userName eq \"u1\""),
                format!("groups.display eq {name}"),
                format!("not (groups pr) and groups.value ne \"{id}\""),
            ] {
                expect_same(&connector, "User", "/Users", &text)?;
            }
        }
    }
}
