//! The options that an organization can choose, each tested on an organization of its own: strict mode beside compat
//! mode, and all others.

use insomnia_scim_tests::client::{Client, encode};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{GROUP, PATCH, USER, id, members, patch, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Connector, shared};
use serde_json::{Value, json};

fn with(option: &str) -> (Connector, Client) {
    let connector = shared().organization_with(option);
    let client = connector.client();
    (connector, client)
}

#[test]
fn strict_refuses_what_compat_tolerates() {
    let (_, client) = with("strict");
    let user = id(&seed::someone(&client, "strict"));
    let path = format!("/Users/{user}");
    // T9 and R111.
    let no_match = json!({ "op": "replace", "path": "phoneNumbers[type eq \"fax\"].value", "value": "9" });
    client.patch(&path, patch(no_match)).refusal(400, "noTarget");
    // T28 and R95.
    client.patch(&path, json!({ "schemas": [PATCH], "Operations": [] })).refusal(400, "invalidSyntax");
    // T2.
    let boolean = json!({ "op": "replace", "path": "active", "value": "False" });
    client.patch(&path, patch(boolean)).refusal(400, "invalidValue");
    // T5.
    let read_only = json!({ "op": "replace", "value": { "id": "another" } });
    client.patch(&path, patch(read_only)).refusal(400, "mutability");
    // T6.
    let mut request = seed::user_request(&Person::new("strict"));
    request["shoeSize"] = json!(46);
    client.post("/Users", request).error(400);
    // R23: compat mode takes a number for a string.
    for (name, value) in [("userName", json!(17)), ("displayName", json!(true)), ("active", json!("true"))] {
        let mut request = seed::user_request(&Person::new("strict"));
        request[name] = value;
        client.post("/Users", request).refusal(400, "invalidValue");
    }
    // T14.
    client.get("/Users?filter=userName+eq+akadmin").refusal(400, "invalidFilter");
}

#[test]
fn strict_serves_what_the_rfc_has() {
    let (_, client) = with("strict");
    let user = seed::someone(&client, "strict");
    let path = format!("/Users/{}", id(&user));
    assert_eq!(client.put(&path, &user).resource(200), user);
    let body = patch(json!([
        { "op": "replace", "path": "name.familyName", "value": "Family" },
        { "op": "add", "path": "phoneNumbers", "value": [{ "type": "work", "value": "1" }] },
        { "op": "remove", "path": "phoneNumbers[type eq \"work\"]" },
    ]));
    assert_eq!(client.patch(&path, body).resource(200)["name"]["familyName"], json!("Family"));
    let group = seed::group(&client, &unique("strict"), &[id(&user)]);
    assert_eq!(members(&group), [id(&user)]);
    client.delete(&path).no_content();
}

#[test]
fn t16_a_bare_token_is_an_option_that_is_off() {
    let (connector, _) = with("bare-token");
    let bare =
        |connector: &Connector| Client::bare(&connector.url).header("Authorization", &connector.token).get("/Users");
    let _ = bare(&connector).list();
    bare(&shared().connector()).error(401);
}

#[test]
fn t16_basic_is_an_option_that_is_off() {
    let (connector, _) = with("basic-authentication");
    let basic = |connector: &Connector, password: &str| {
        let credentials = base64(format!("scim:{password}").as_bytes());
        Client::bare(&connector.url).header("Authorization", &format!("Basic {credentials}")).get("/Users")
    };
    let _ = basic(&connector, &connector.token).list();
    basic(&connector, "wrong").error(401);
    let other = shared().connector();
    basic(&other, &other.token).error(401);
}

#[test]
fn t29_the_old_names_of_the_configuration() {
    let (_, client) = with("discovery-aliases");
    let configuration = client.get("/ServiceProviderConfig").document(200);
    assert_eq!(client.get("/ServiceProviderConfigs").document(200), configuration);
    assert_eq!(client.get("/serviceConfiguration").document(200), configuration);
}

#[test]
fn t21_post_reactivates_by_option() {
    let (_, client) = with("reactivate-on-post");
    let person = Person::new("again");
    let user = id(&seed::user(&client, &person));
    client.post("/Users", seed::user_request(&person)).refusal(409, "uniqueness");
    let off = patch(json!({ "op": "replace", "path": "active", "value": false }));
    client.patch(&format!("/Users/{user}"), off).resource(200);
    let response = client.post("/Users", seed::user_request(&person));
    let again = response.resource(response.status);
    assert!([200, 201].contains(&response.status), "{response}");
    assert_eq!((id(&again), &again["active"]), (user, &json!(true)));
}

#[test]
fn patch_of_a_group_is_204_by_option() {
    let (_, client) = with("group-patch-no-content");
    let user = id(&seed::someone(&client, "member"));
    let path = format!("/Groups/{}", id(&seed::group(&client, &unique("group"), &[])));
    let add = patch(json!({ "op": "add", "path": "members", "value": [{ "value": user }] }));
    client.patch(&path, &add).no_content();
    client.patch(&format!("{path}?attributes=displayName"), &add).document(200);
    assert_eq!(members(&client.get(&path).resource(200)), [user]);
}

#[test]
fn t33_unknown_members_are_refused_by_option_and_in_strict_mode() {
    for option in ["refuse-unknown-members", "strict"] {
        let (_, client) = with(option);
        let ids = seed::people(&client, "known", 2);
        let group = seed::group(&client, &unique("known"), &ids);
        let path = format!("/Groups/{}", id(&group));
        let unknown = json!([{ "value": ids[0] }, { "value": "00000000-0000-4000-8000-000000000000" }]);
        for op in ["add", "replace"] {
            let body = patch(json!({ "op": op, "path": "members", "value": unknown }));
            client.patch(&path, body).refusal(400, "invalidValue");
        }
        let body = json!({ "schemas": [GROUP], "displayName": unique("unknown"), "members": unknown });
        client.put(&path, &body).refusal(400, "invalidValue");
        client.post("/Groups", &body).refusal(400, "invalidValue");
        assert_eq!(client.get(&path).resource(200), group, "nothing has changed");
    }
}

#[test]
fn manual_members_are_listed_by_option() {
    let (connector, client) = with("list-manual");
    let owner = client.get("/Users").only();
    assert_eq!(owner["userName"], json!(format!("owner@{}.example", connector.organization)));
}

#[test]
fn only_verified_domains_by_option() {
    let (connector, client) = with("verified-domains-only");
    let create = |domain: &str| {
        let mail = format!("{}@{domain}", unique("someone"));
        client.post("/Users", json!({ "schemas": [USER], "userName": mail, "emails": [{ "value": mail }] }))
    };
    create(&format!("{}.example", connector.organization)).resource(201);
    let refusal = create("elsewhere.example");
    assert!([400, 403].contains(&refusal.status), "{refusal}");
    refusal.error(refusal.status);
}

#[test]
fn p4_only_users_with_an_email_address_by_option() {
    let without = |client: &Client| client.post("/Users", json!({ "schemas": [USER], "userName": unique("nameless") }));
    without(&shared().client()).resource(201);
    let (_, client) = with("email-required");
    without(&client).error(403);
    seed::someone(&client, "with");
}

#[test]
fn no_free_seat_is_403_and_overage_is_an_option() {
    let server = shared();
    let connector = server.another_organization(&unique("seats"));
    let client = connector.client();
    // The owner has one of the three.
    server.command(&["org", "set", &connector.organization, "--seats", "3"]);
    let users = seed::people(&client, "seat", 2);
    let person = Person::new("standing");
    client.post("/Users", seed::user_request(&person)).error(403);
    let active = |user: &str, value: bool| {
        client.patch(&format!("/Users/{user}"), patch(json!({ "op": "replace", "path": "active", "value": value })))
    };
    active(&users[0], false).resource(200);
    let user = id(&seed::user(&client, &person));
    active(&users[0], true).error(403);
    client.delete(&format!("/Users/{user}")).no_content();
    active(&users[0], true).resource(200);
    server.command(&["org", "set", &connector.organization, "--option", "allow-overage=true"]);
    seed::user(&client, &person);
}

#[test]
fn a_manual_member_is_adopted_by_post() {
    let (connector, client) = with("list-manual");
    let mail = format!("{}@example.com", unique("Adopted"));
    shared().command(&["member", "add", "--organization", &connector.organization, &mail]);
    let filter = encode(&format!("userName eq \"{}\"", mail.to_lowercase()));
    let manual = id(&client.get(&format!("/Users?filter={filter}")).only());
    let request = json!({ "schemas": [USER], "userName": unique("other.name"), "emails": [{ "value": mail }] });
    let adopted = client.post("/Users", &request).resource(201);
    assert_eq!(id(&adopted), manual, "the same member, matched by the address");
    client.post("/Users", &request).refusal(409, "uniqueness");
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * position) & 63) as usize];
            text.push(if position <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[test]
fn p9_settings_of_many_organizations_are_shown_first_and_changed_when_that_is_asked_for() {
    let name = unique("many");
    let both = ["a", "b"].map(|end| shared().another_organization(&format!("{name}-{end}")).organization);
    let pattern = format!("id={name}-*");
    let set = |more: &[&str]| {
        let wanted =
            ["org", "set", "--where", &pattern, "--where", "token=valid", "--seats", "7", "--option", "strict=true"];
        shared().command(&[&wanted[..], more].concat())
    };
    let shown = set(&[]);
    let lines: Vec<(String, &str, &Value)> = shown
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| (text(line, "organization"), line["setting"].as_str().expect("a setting"), &line["to"]))
        .collect();
    let [a, b] = &both;
    let (seven, on) = (json!(7), json!(true));
    let expected = [a, b].map(|id| [(id.clone(), "seats", &seven), (id.clone(), "options strict", &on)]).concat();
    assert_eq!(lines, expected);
    let seats = || {
        let listed = shared().command(&["org", "list", "--where", &pattern]);
        listed.as_array().expect("organizations").iter().map(|one| one["seats"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(seats(), [json!(1000), json!(1000)], "nothing was changed yet");
    assert_eq!(set(&["--apply"]), shown);
    assert_eq!(seats(), [json!(7), json!(7)]);
    assert_eq!(set(&["--apply"]), json!([]), "there is nothing left to change");
}
