//! RFC 7644 §3.4.2.2: what filters find (rules R60 to R67, R69, R70).

use std::sync::OnceLock;

use insomnia_scim_tests::client::encode;
use insomnia_scim_tests::person::unique;
use insomnia_scim_tests::scim::{ENTERPRISE, USER, id, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::{Value, json};

/// Four people that differ in what the filters ask for, named by the last letter of their user name.
struct People {
    prefix: String,
    resources: Vec<Value>,
}

fn people() -> &'static People {
    static PEOPLE: OnceLock<People> = OnceLock::new();
    PEOPLE.get_or_init(|| {
        let prefix = unique("filter");
        let with = [
            json!({ "title": "Tour Guide", "nickName": "Babs", "userType": "Employee", "name": { "familyName": "O'Malley", "givenName": "Ann" },
                "phoneNumbers": [{ "type": "work", "value": "100" }, { "type": "home", "value": "200", "primary": true }],
                ENTERPRISE: { "department": "Sales", "employeeNumber": "10" } }),
            json!({ "title": "tour guide", "userType": "Intern", "name": { "familyName": "Malley" },
                "phoneNumbers": [{ "type": "work", "value": "200" }], ENTERPRISE: { "department": "Research" } }),
            json!({ "title": "Engineer", "active": false, "userType": "Employee", "name": { "familyName": "Smith" },
                "addresses": [{ "type": "home", "country": "DE" }] }),
            json!({ "userType": "Contractor" }),
        ];
        let resources = with
            .into_iter()
            .zip("abcd".chars())
            .map(|(mut request, letter)| {
                request["schemas"] = json!([USER, ENTERPRISE]);
                request["userName"] = json!(format!("{prefix}-{letter}"));
                request["emails"] = json!([{ "type": "work", "value": format!("{prefix}-{letter}@Example.com") }]);
                client().post("/Users", request).resource(201)
            })
            .collect();
        People { prefix, resources }
    })
}

/// The letters of those whom the filter finds.
#[track_caller]
fn find(filter: &str) -> String {
    let prefix = &people().prefix;
    let scoped = encode(&format!("userName sw \"{prefix}-\" and ({filter})"));
    let page = client().get(&format!("/Users?filter={scoped}")).list();
    page.each("userName").iter().map(|name| name.trim_start_matches(&format!("{prefix}-")).to_owned()).collect()
}

#[test]
fn rfc_060_eq() {
    assert_eq!(find("title eq \"Tour Guide\""), "ab", "title is not case-exact");
    assert_eq!(find("title eq \"Tour\""), "");
    assert_eq!(find("active eq false"), "c");
    assert_eq!(find("active eq true"), "abd");
}

#[test]
fn rfc_060_ne() {
    assert_eq!(find("userType ne \"Employee\""), "bd");
    assert_eq!(find("active ne true"), "c");
}

#[test]
fn rfc_060_co_sw_ew() {
    assert_eq!(find("name.familyName co \"malley\""), "ab");
    assert_eq!(find("name.familyName sw \"O'M\""), "a");
    assert_eq!(find("name.familyName ew \"th\""), "c");
    assert_eq!(find("title co \"\""), "abc", "every value contains the empty string");
    assert_eq!(find("name.familyName sw \"malley\""), "b");
}

#[test]
fn rfc_060_pr() {
    assert_eq!(find("title pr"), "abc");
    assert_eq!(find("name pr"), "abc");
    assert_eq!(find("phoneNumbers pr"), "ab");
    assert_eq!(find("addresses.country pr"), "c");
    assert_eq!(find("not (title pr)"), "d");
    assert_eq!(find(&format!("{ENTERPRISE}:department pr")), "ab");
}

#[test]
fn rfc_061_gt_ge_lt_le_of_strings() {
    assert_eq!(find("title gt \"Engineer\""), "ab");
    assert_eq!(find("title ge \"Engineer\""), "abc");
    assert_eq!(find("title lt \"Tour Guide\""), "c");
    assert_eq!(find("title le \"Tour Guide\""), "abc");
}

#[test]
fn rfc_061_dates_are_chronological() {
    assert_eq!(find("meta.created gt \"2011-05-13T04:42:34Z\""), "abcd");
    assert_eq!(find("meta.lastModified lt \"2011-05-13T04:42:34+02:00\""), "");
    let created = text(&people().resources[1]["meta"], "created");
    let wall = created.trim_end_matches('Z');
    assert!(find(&format!("meta.created eq \"{created}\"")).contains('b'));
    assert!(find(&format!("meta.created eq \"{wall}+00:00\"")).contains('b'));
    assert_eq!(find(&format!("meta.created lt \"{wall}-12:00\"")), "abcd", "twelve hours later");
    assert_eq!(find(&format!("meta.created gt \"{wall}+14:00\"")), "abcd", "fourteen hours earlier");
    assert!(find(&format!("meta.created ge \"{created}\"")).ends_with("bcd"));
}

#[test]
fn rfc_061_booleans_have_no_order() {
    for operator in ["gt", "ge", "lt", "le"] {
        client().get(&format!("/Users?filter=active+{operator}+true")).refusal(400, "invalidFilter");
    }
    client().get("/Users?filter=x509Certificates.value+gt+%22a%22").refusal(400, "invalidFilter");
}

#[test]
fn rfc_062_not_binds_more_than_and_and_more_than_or() {
    assert_eq!(find("title eq \"Engineer\" or title eq \"Tour Guide\" and userType eq \"Intern\""), "bc");
    assert_eq!(find("(title eq \"Engineer\" or title eq \"Tour Guide\") and userType eq \"Intern\""), "b");
    assert_eq!(find("not (title eq \"Engineer\") and userType eq \"Employee\""), "a");
    assert_eq!(find("not (title eq \"Engineer\" or userType eq \"Intern\")"), "ad");
    assert_eq!(find("userType eq \"Intern\" and title pr or userType eq \"Contractor\""), "bd");
}

#[test]
fn rfc_063_any_value_matches_and_a_value_path_is_one_element() {
    assert_eq!(find("phoneNumbers.value eq \"200\""), "ab");
    assert_eq!(find("phoneNumbers.type eq \"work\" and phoneNumbers.value eq \"200\""), "ab");
    assert_eq!(find("phoneNumbers[type eq \"work\" and value eq \"200\"]"), "b", "one and the same element");
    assert_eq!(find("phoneNumbers[type eq \"home\" or value eq \"100\"]"), "a");
    assert_eq!(find("phoneNumbers[not (type eq \"work\")]"), "a");
    assert_eq!(find("phoneNumbers[primary eq true].value eq \"200\""), "a");
}

#[test]
fn rfc_064_a_bare_complex_attribute_is_its_value() {
    assert_eq!(find("emails co \"-B@example\""), "b");
    assert_eq!(find("phoneNumbers eq \"200\""), "ab");
}

#[test]
fn rfc_065_null_is_absence() {
    assert_eq!(find("title eq null"), "d");
    assert_eq!(find("title ne null"), "abc");
    assert_eq!(find("nickName ne \"Babs\""), "bcd", "who has no nickname is not called Babs");
}

#[test]
fn rfc_066_urn_prefixed_paths() {
    assert_eq!(find("urn:ietf:params:scim:schemas:core:2.0:User:title eq \"Engineer\""), "c");
    assert_eq!(find("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName eq \"Smith\""), "c");
    assert_eq!(find(&format!("{ENTERPRISE}:department eq \"sales\"")), "a");
    assert_eq!(find(&format!("{}:department eq \"Research\"", ENTERPRISE.to_uppercase())), "b");
    assert_eq!(find(&format!("{ENTERPRISE}:employeeNumber eq \"10\"")), "a");
}

#[test]
fn rfc_067_case_is_the_attributes() {
    assert_eq!(find("nickName eq \"bABS\""), "a");
    let user = &people().resources[0];
    let location = text(&user["meta"], "location");
    assert_eq!(find(&format!("meta.location eq \"{location}\"")), "a");
    assert_eq!(find(&format!("meta.location eq \"{}\"", location.to_uppercase())), "");
    assert_eq!(find(&format!("id eq \"{}\"", id(user))), "a");
}

#[test]
fn rfc_069_schemas_and_resource_types_are_attributes() {
    assert_eq!(find(&format!("schemas eq \"{ENTERPRISE}\"")), "ab");
    assert_eq!(find(&format!("schemas eq \"{USER}\"")), "abcd");
    assert_eq!(find("meta.resourceType eq \"User\""), "abcd");
}

#[test]
fn rfc_070_defaults_are_compared() {
    assert_eq!(find("active eq true and userType eq \"Contractor\""), "d", "active was never sent");
}

#[test]
fn groups_are_found_by_members_and_users_by_groups() {
    let client = client();
    let ids = seed::people(&client, "edges", 2);
    let name = unique("edges");
    let group = id(&seed::group(&client, &name, &ids[..1]));
    for filter in [
        format!("members.value eq \"{}\"", ids[0]),
        format!("members[value eq \"{}\"]", ids[0]),
        format!("members eq \"{}\"", ids[0]),
        format!("displayName eq \"{name}\" and members pr"),
        format!("displayName sw \"{name}\""),
    ] {
        assert_eq!(
            client.get(&format!("/Groups?filter={}", encode(&filter))).list().ids(),
            [group.as_str()],
            "{filter}"
        );
    }
    client.get(&format!("/Groups?filter={}", encode(&format!("members.value eq \"{}\"", ids[1])))).none();
    let filter = encode(&format!("groups.value eq \"{group}\""));
    assert_eq!(client.get(&format!("/Users?filter={filter}")).list().ids(), ids[..1]);
}
