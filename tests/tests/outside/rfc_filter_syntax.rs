//! RFC 7644 §3.4.2.2: which filters are valid (rules R59, R68, R71 to R73).

use insomnia_scim_tests::client::encode;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::id;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;

#[track_caller]
fn refused(filter: &str) {
    client().get(&format!("/Users?filter={}", encode(filter))).refusal(400, "invalidFilter");
}

#[test]
fn rfc_059_operators_and_keywords_in_any_case() {
    let person = Person::new("keywords");
    let user = id(&seed::user(&client(), &person));
    for filter in [
        format!("USERNAME Eq \"{}\"", person.user_name),
        format!("userName EQ \"{}\" AND active eQ True", person.user_name),
        format!("userName eq \"{}\" Or userName eQ \"{}\"", person.user_name, unique("nobody")),
        format!("NOT (userName NE \"{}\")", person.user_name),
        format!("Emails[TYPE eq \"work\" AND Value EW \"example.com\"] and userName eq \"{}\"", person.user_name),
        format!("( ( userName eq \"{}\" ) )", person.user_name),
        format!("userName   eq   \"{}\"", person.user_name),
    ] {
        assert_eq!(
            client().get(&format!("/Users?filter={}", encode(&filter))).list().ids(),
            [user.as_str()],
            "{filter}"
        );
    }
}

#[test]
fn rfc_068_bad_filters_are_never_a_list() {
    for filter in [
        "userName",
        "userName eq",
        "eq \"x\"",
        "userName is \"x\"",
        "userName eq \"x",
        "userName eq \"x\" and",
        "userName eq \"x\" userName eq \"y\"",
        "userName eq \"x\" xor userName eq \"y\"",
        "(userName eq \"x\"",
        "userName eq \"x\")",
        "userName eq (",
        "userName eq (x)",
        "not userName eq \"x\"",
        "emails[type eq \"work\"",
        "emails[]",
        "emails[type eq \"work\"].",
        "emails[type eq \"work\"] x",
        "userName[value eq \"x\"]",
        "userName.value eq \"x\"",
        "userName pr \"x\"",
        "\"userName\" eq \"x\"",
        "1userName eq \"x\"",
        "()",
        "[",
        "and",
        "userName eq \"x\" and ()",
        "name.familyName.x eq \"y\"",
    ] {
        refused(filter);
    }
}

#[test]
fn rfc_068_values_of_the_wrong_type_are_refused() {
    refused("active co \"t\"");
    refused("active eq 17");
    refused("meta.created gt \"yesterday\"");
    refused("meta.created gt 17");
}

#[test]
fn rfc_071_not_needs_no_space_and_references_begin_with_a_dollar() {
    let client = client();
    let user = seed::someone(&client, "errata");
    let group = id(&seed::group(&client, &unique("errata"), &[id(&user)]));
    let location = user["meta"]["location"].as_str().expect("a location");
    let filter = encode(&format!("members.$ref eq \"{location}\""));
    assert_eq!(client.get(&format!("/Groups?filter={filter}")).list().ids(), [group]);
    let filter = encode(&format!("not(userName ne \"{}\")", user["userName"].as_str().expect("a name")));
    assert_eq!(client.get(&format!("/Users?filter={filter}")).list().ids(), [id(&user)]);
}

#[test]
fn rfc_072_unknown_attributes_are_refused() {
    for filter in [
        "shoeSize eq 46",
        "shoeSize pr",
        "name.shoe eq \"x\"",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:shoe eq \"x\"",
        "urn:example:none:1.0:thing eq \"x\"",
        "members.value eq \"x\"",
        "emails[shoe eq \"x\"]",
        "userName eq \"x\" or shoeSize eq 46",
        "userName eq \"x\" and shoeSize eq 46",
    ] {
        refused(filter);
    }
    client().get(&format!("/Groups?filter={}", encode("userName eq \"x\""))).refusal(400, "invalidFilter");
}

#[test]
fn rfc_073_depth_and_length_are_limited() {
    refused(&format!("{}userName pr{}", "(".repeat(1_000), ")".repeat(1_000)));
    refused(&vec!["userName pr"; 300].join(" and "));
    let fine = format!("{}userName eq \"{}\"{}", "(".repeat(8), unique("nobody"), ")".repeat(8));
    client().get(&format!("/Users?filter={}", encode(&fine))).none();
}
