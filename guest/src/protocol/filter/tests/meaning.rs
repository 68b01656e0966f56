//! Filters and the documents that match them.

use super::*;

#[test]
fn entra_and_okta_match_queries_find_the_user() {
    for text in [
        r#"userName eq "BJENSEN@example.com""#,
        "externalId eq 0a21F0f2",
        r#"emails[type eq "work"].value eq "bjensen@example.com""#,
        r#"emails[type eq "work"] eq "bjensen@example.com""#,
        r#"emails eq "babs@jensen.org""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "1234567""#,
        r#"id eq "2819c223-7f76-453a-919d-413861904646" and manager eq "26118915-6090-4610-87e4-49d8ca9f808d""#,
        r#"roles[primary eq "True"].value eq "Admin""#,
        r#"department eq "tours""#,
    ] {
        assert!(matches(text), "{text}");
    }
    for text in [
        r#"userName eq "Test_User_00aa00aa-bb11-cc22-dd33-44ee44ee44ee""#,
        "externalId eq jyoung",
        r#"emails[type eq "work"].value eq "babs@jensen.org""#,
        r#"emails[type eq "work"] eq "babs@jensen.org""#,
        r#"roles[primary eq "False"].value eq "Admin""#,
    ] {
        assert!(!matches(text), "{text}");
    }
}

#[test]
fn r60_operators_on_strings() {
    for (text, expected) in [
        (r#"displayName eq "bABS""#, true),
        (r#"displayName eq "Bab""#, false),
        (r#"displayName ne "babs""#, false),
        (r#"displayName ne "Bob""#, true),
        (r#"displayName co "aB""#, true),
        (r#"displayName co "ba bs""#, false),
        (r#"displayName co """#, true),
        (r#"displayName sw "bA""#, true),
        (r#"displayName sw "abs""#, false),
        (r#"displayName ew "BS""#, true),
        (r#"displayName ew "Ba""#, false),
        (r#"displayName gt "BABR""#, true),
        (r#"displayName gt "babs""#, false),
        (r#"displayName ge "babs""#, true),
        (r#"displayName lt "babt""#, true),
        (r#"displayName lt "BABS""#, false),
        (r#"displayName le "BABS""#, true),
        (r#"title eq "tour \"guide\" \\ boss""#, true),
    ] {
        assert_eq!(matches(text), expected, "{text}");
    }
}

#[test]
fn r60_presence() {
    for (text, expected) in [
        ("title pr", true),
        ("nickName pr", false),
        ("name pr", true),
        ("name.familyName pr", true),
        ("name.middleName pr", false),
        ("emails pr", true),
        ("phoneNumbers pr", false),
        ("manager pr", true),
        ("emails.primary pr", true),
        ("emails[type eq \"home\"].primary pr", false),
        ("active pr", true),
    ] {
        assert_eq!(matches(text), expected, "{text}");
    }
}

#[test]
fn r63_a_value_path_needs_one_element_for_all() {
    assert!(matches(r#"emails[type eq "work" and value co "example.com"]"#));
    assert!(!matches(r#"emails[type eq "home" and value co "example.com"]"#));
    assert!(matches(r#"emails.type eq "home" and emails.value co "example.com""#));
    assert!(matches(r#"emails[not (type eq "work") and value ew ".org"]"#));
    assert!(matches(r#"emails[type eq "other" or value sw "babs"]"#));
    assert!(matches(r#"name[familyName eq "o'malley"]"#));
}

#[test]
fn r65_null_is_not_present_and_ne_is_true_of_what_is_absent() {
    for (text, expected) in [
        ("nickName eq null", true),
        ("nickName ne null", false),
        ("title eq null", false),
        ("title ne null", true),
        (r#"nickName ne "x""#, true),
        (r#"nickName eq "x""#, false),
        ("emails eq null", false),
        ("ims eq null", true),
        (r#"emails[type eq "other"].value eq null"#, true),
        (r#"emails[type eq "work"].value eq null"#, false),
        (r#"emails[type eq "work"].value ne null"#, true),
        (r#"emails[type eq "other"].value ne "x""#, true),
        (r#"emails[type eq "work"].value ne "BJENSEN@example.com""#, false),
        (r#"emails[type eq "work"].value ne "x""#, true),
        ("name eq null", false),
        ("manager ne null", true),
    ] {
        assert_eq!(matches(text), expected, "{text}");
    }
}

#[test]
fn r24_an_element_without_primary_is_not_primary() {
    assert!(matches(r#"emails[primary eq false and type eq "home"]"#));
    assert!(!matches(r#"emails[primary eq false and type eq "work"]"#));
    assert!(matches(r#"emails[primary eq true].value sw "bjensen""#));
    // Without brackets, one element that is not primary is enough.
    assert!(matches("emails.primary eq false"));
    assert!(matches("emails.primary ne true"));
    assert!(matches("emails.primary eq true"));
    assert!(!matches("roles.primary eq false"));
    assert!(!matches("roles[primary ne true]"));
    assert!(!matches("photos.primary eq false"), "there is no photo");
    assert!(matches("photos.primary ne false"));
}

#[test]
fn r67_case_counts_where_the_schema_says_so() {
    assert!(matches(r#"userName eq "bjensen@EXAMPLE.com""#));
    assert!(matches(r#"emails.value eq "BABS@jensen.org""#));
    assert!(!matches(r#"externalId eq "0A21f0F2""#));
    assert!(!matches(r#"id eq "2819C223-7f76-453a-919d-413861904646""#));
    assert!(!matches(r#"manager.$ref eq "../users/26118915""#));
    assert!(matches(r#"manager.$ref eq "../Users/26118915""#));
    assert!(!matches(r#"meta.resourceType eq "user""#));
}

#[test]
fn r69_schemas_and_dates() {
    for (text, expected) in [
        (r#"schemas eq "URN:ietf:params:scim:schemas:extension:enterprise:2.0:User""#, true),
        (r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:Group""#, false),
        (r#"meta.lastModified eq "2011-05-13T06:42:34+02:00""#, true),
        (r#"meta.lastModified ne "2011-05-13T06:42:34+02:00""#, false),
        (r#"meta.lastModified gt "2011-05-13T05:42:34+02:00""#, true),
        (r#"meta.lastModified gt "2011-05-13T00:42:33.999-04:00""#, true),
        (r#"meta.lastModified le "2011-05-13T04:42:33.999Z""#, false),
        (r#"meta.lastModified lt "2011-05-14""#, true),
        (r#"meta.lastModified sw "2011-05""#, true),
    ] {
        assert_eq!(matches(text), expected, "{text}");
    }
}

#[test]
fn known_terms_are_not_looked_up_in_the_document() {
    let filter =
        Filter::parse(&groups(), &[], r#"members[value eq "x"] and displayName sw "T""#, Mode::COMPAT).unwrap();
    let group = document(json!({"displayName": "Tour Guides"}));
    let knowing = |answer: bool| {
        filter.matches_knowing(&group, &|term| match term {
            Filter::ValuePath { path, .. } if path.attribute == "members" => Some(answer),
            _ => None,
        })
    };
    assert!(knowing(true));
    assert!(!knowing(false));
    assert!(!filter.matches(&group));
}

#[test]
fn numbers_compare_by_value() {
    use crate::protocol::filter::compare_numbers;
    let number = |text: &str| serde_json::from_str::<serde_json::Number>(text).unwrap();
    for (left, right) in [
        ("1", "2"),
        ("-1", "0.5"),
        ("9007199254740992", "9007199254740993"),
        ("9007199254740992.0", "9007199254740993"),
        ("-1.5", "-1"),
        ("18446744073709551614", "18446744073709551615"),
    ] {
        assert_eq!(compare_numbers(&number(left), &number(right)), Some(std::cmp::Ordering::Less), "{left} {right}");
    }
    assert_eq!(compare_numbers(&number("1.0"), &number("1")), Some(std::cmp::Ordering::Equal));
}
