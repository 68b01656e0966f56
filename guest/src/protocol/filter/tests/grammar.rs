//! Texts that are filters, and texts that are not.

use super::*;
use crate::protocol::filter::{Literal, Operator};
use crate::protocol::path::AttributePath;

#[test]
fn rfc7644_figure_2_examples_are_read() {
    for text in [
        r#"userName eq "bjensen""#,
        r#"name.familyName co "O'Malley""#,
        r#"userName sw "J""#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
        "title pr",
        r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
        r#"meta.lastModified ge "2011-05-13T04:42:34Z""#,
        r#"meta.lastModified lt "2011-05-13T04:42:34Z""#,
        r#"meta.lastModified le "2011-05-13T04:42:34Z""#,
        r#"title pr and userType eq "Employee""#,
        r#"title pr or userType eq "Intern""#,
        r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
        r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
        r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
        r#"userType eq "Employee" and (emails.type eq "work")"#,
        r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
        r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
    ] {
        for mode in [Mode::COMPAT, Mode::STRICT] {
            let filter = Filter::parse(&users(), &[], text, mode).unwrap_or_else(|error| panic!("{text}: {error}"));
            let printed = filter.to_string();
            assert_eq!(Filter::parse(&users(), &[], &printed, mode).as_ref(), Ok(&filter), "{printed}");
        }
    }
}

#[test]
fn r59_keywords_operators_and_names_are_read_in_any_case() {
    let canonical = parse(r#"userName eq "x" and not (title pr or emails[type eq "work"])"#);
    assert_eq!(parse(r#"USERNAME EQ "x" AND NOT (Title PR OR EMAILS[Type Eq "work"])"#), canonical);
    assert_eq!(parse("  userName   eq \t\"x\" and not(title pr or emails[ type eq \"work\" ])  "), canonical);
}

#[test]
fn r62_precedence_is_grouping_not_and_or() {
    let term = |name: &str| parse(&format!("{name} pr"));
    let (a, b, c, d) = (term("title"), term("active"), term("locale"), term("nickName"));
    assert_eq!(
        parse("title pr or active pr and locale pr or nickName pr"),
        Filter::Or(vec![a.clone(), Filter::And(vec![b.clone(), c.clone()]), d])
    );
    assert_eq!(
        parse("(title pr or active pr) and not (locale pr)"),
        Filter::And(vec![Filter::Or(vec![a, b]), Filter::Not(Box::new(c))])
    );
}

#[test]
fn r66_t8_urns_are_split_behind_the_schema_not_at_the_dot_of_2_0() {
    let canonical = parse(r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "x""#);
    for text in [
        r#"URN:ietf:params:scim:schemas:extension:enterprise:2.0:user:Manager.Value eq "x""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager eq "x""#,
        r#"manager.value eq "x""#,
        r#"manager eq "x""#,
    ] {
        assert_eq!(parse(text), canonical, "{text}");
    }
    assert_eq!(parse(r#"urn:ietf:params:scim:schemas:core:2.0:User:userName eq "x""#), parse(r#"userName eq "x""#));
}

#[test]
fn t14_entra_value_paths_with_a_comparison_behind_them() {
    let canonical = parse(r#"emails[type eq "work" and value eq "user@contoso.com"]"#);
    assert_eq!(parse(r#"emails[type eq "work"].value eq "user@contoso.com""#), canonical);
    assert_eq!(parse(r#"emails[type eq "work"] eq "user@contoso.com""#), canonical);
    let error = refusal(r#"emails[type eq "work"].value eq "user@contoso.com""#, Mode::STRICT);
    assert_eq!(error.scim_type, Some(ScimType::InvalidFilter));
    // Another term may follow the bracket.
    parse(r#"emails[type eq "work"] and userName eq "x" or emails[type eq "home"].value pr"#);
}

#[test]
fn t14_unquoted_values_are_strings_in_compat_mode_only() {
    for (text, canonical) in [
        ("userName eq akadmin", r#"userName eq "akadmin""#),
        ("externalId eq jyoung", r#"externalId eq "jyoung""#),
        ("externalId eq 007", r#"externalId eq "007""#),
        ("(userName eq user@contoso.com)", r#"userName eq "user@contoso.com""#),
        ("emails[type eq work].value eq x@y.z", r#"emails[type eq "work" and value eq "x@y.z"]"#),
    ] {
        assert_eq!(parse(text), parse(canonical), "{text}");
        assert_eq!(refusal(text, Mode::STRICT).scim_type, Some(ScimType::InvalidFilter));
    }
}

#[test]
fn r68_a_string_in_single_quotes_is_refused_and_not_looked_for_with_its_quotes() {
    for text in ["userName eq 'x@y.z'", "userName eq 'x y'", "emails[value eq 'x@y.z']", "active eq 'true'"] {
        is_refused(text);
    }
    assert_eq!(parse("name.familyName eq O'Malley"), parse(r#"name.familyName eq "O'Malley""#));
}

#[test]
fn r68_an_unbalanced_parenthesis_is_refused_in_either_mode() {
    for text in [
        "userName eq (",
        "userName eq )",
        "userName eq x(",
        "userName eq (x",
        "userName eq (x)",
        "(userName eq x",
        "userName eq x)",
        "((userName eq \"x\")",
        "(userName eq \"x\"))",
        "not (userName eq \"x\"",
        "userName eq x[",
        "emails[type eq (]",
        "emails[type eq \"work\"",
        "emails[type eq \"work\"]]",
        "emails[(type eq \"work\"]",
    ] {
        is_refused(text);
    }
    let quoted = parse("userName eq \"(\"");
    assert_eq!(quoted.to_string(), "userName eq \"(\"", "a quoted one is text");
}

#[test]
fn t2_booleans_may_be_strings_in_compat_mode_only() {
    for text in [r#"active eq "True""#, "active eq True", r#"active eq "TRUE""#] {
        assert_eq!(parse(text), parse("active eq true"), "{text}");
        refusal(text, Mode::STRICT);
    }
    assert_eq!(parse(r#"roles[primary EQ "False"]"#), parse("roles[primary eq false]"));
    is_refused(r#"active eq "yes""#);
    is_refused("active eq 1");
}

#[test]
fn r65_strings_have_json_escapes() {
    let value = |text: &str| match parse(text) {
        Filter::Compare { value: Literal::Text { text, .. }, .. } => text,
        other => panic!("{other}"),
    };
    assert_eq!(value(r#"title eq "a\"b\\c\/d\u00e9\ud83d\ude00""#), "a\"b\\c/dé😀");
    assert_eq!(value(r#"title eq "DOMAIN\person \"x\"""#), r#"DOMAIN\person "x""#);
    assert_eq!(value(r#"title eq "a)] and (b""#), "a)] and (b");
    refusal(r#"title eq "DOMAIN\person""#, Mode::STRICT);
    for text in [r#"title eq "open"#, r#"title eq "open\""#, r#"title eq "#] {
        is_refused(text);
    }
}

#[test]
fn r68_what_is_no_filter_is_refused() {
    for text in [
        "",
        " ",
        "userName",
        "userName eq",
        r#"userName is "x""#,
        r#"eq "x""#,
        r#"userName eq "x" and"#,
        r#"userName eq "x" userName eq "y""#,
        r#"(userName eq "x""#,
        r#"userName eq "x")"#,
        "not title pr",
        "()",
        r#"emails[type eq "work""#,
        "emails[]",
        r#"emails[type eq "work"]]"#,
        r#"emails[emails[type eq "x"]]"#,
        r#"userName[value eq "x"]"#,
        r#"emails.value[type eq "x"]"#,
        "and and and",
        "\"userName\" eq \"x\"",
        "userName eq \"x\" \u{0}",
    ] {
        is_refused(text);
    }
}

#[test]
fn r72_an_unknown_attribute_is_refused_by_name() {
    for (text, name) in [
        (r#"nosuch eq "x""#, "nosuch"),
        (r#"name.nosuch eq "x""#, "name.nosuch"),
        (r#"emails[nosuch eq "x"]"#, "nosuch"),
        (r#"members.value eq "x""#, "members.value"),
        (r#"urn:example:User:x eq "x""#, "urn:example:User:x"),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr", "enterprise"),
    ] {
        is_refused(text);
        let detail = refusal(text, Mode::COMPAT).detail;
        assert!(detail.contains(name), "{detail}");
    }
}

#[test]
fn r30_passwords_can_not_be_guessed_by_filters() {
    for text in [r#"password eq "x""#, "password pr", r#"PASSWORD sw "x""#] {
        is_refused(text);
    }
}

#[test]
fn r61_comparisons_that_a_type_does_not_have_are_refused() {
    for text in [
        "active gt true",
        "active le false",
        r#"active co "t""#,
        "x509Certificates.value gt \"TUk=\"",
        r#"name eq "x""#,
        r#"name gt "x""#,
        r#"meta gt "x""#,
        "userName gt null",
        "userName co null",
        r#"meta.lastModified gt "yesterday""#,
        r#"meta.created eq "2011-13-01T00:00:00Z""#,
    ] {
        is_refused(text);
    }
}

#[test]
fn r73_length_depth_and_number_of_terms_are_limited() {
    let nested = |depth: usize| format!("{}title pr{}", "(".repeat(depth), ")".repeat(depth));
    parse(&nested(32));
    is_refused(&nested(33));
    is_refused(&nested(3_000));
    is_refused(&"not (".repeat(1_600));
    is_refused(&"emails[".repeat(1_000));
    let joined = |terms: usize| vec!["title pr"; terms].join(" and ");
    parse(&joined(200));
    is_refused(&joined(201));
    is_refused(&format!(r#"title eq "{}""#, "x".repeat(8_192)));
}

#[test]
fn r56_in_a_query_on_all_types_a_foreign_attribute_has_no_value() {
    let (users, groups) = (users(), groups());
    let text = r#"members.value eq "x" or userName eq "bjensen@example.com""#;
    let for_users = Filter::parse(&users, std::slice::from_ref(&groups), text, Mode::COMPAT).unwrap();
    assert!(for_users.matches(&barbara()));
    assert!(!for_users.mentions("members") && for_users.mentions("userName"));
    let for_groups = Filter::parse(&groups, std::slice::from_ref(&users), text, Mode::COMPAT).unwrap();
    let group = document(json!({"displayName": "x", "userName": "bjensen@example.com", "members": [{"value": "x"}]}));
    assert!(for_groups.matches(&group) && for_groups.mentions("members") && !for_groups.mentions("userName"));
    // The URN means the user's attribute, although groups have an attribute of the same name.
    let text = r#"urn:ietf:params:scim:schemas:core:2.0:User:displayName eq "x""#;
    let filter = Filter::parse(&groups, std::slice::from_ref(&users), text, Mode::COMPAT).unwrap();
    assert!(!filter.matches(&group) && filter.conjuncts().is_empty());
    let printed = filter.to_string();
    assert_eq!(Filter::parse(&groups, &[users], &printed, Mode::COMPAT), Ok(filter));
    assert!(Filter::parse(&groups, &[], text, Mode::COMPAT).is_err());
}

#[test]
fn conjuncts_are_what_every_match_satisfies() {
    let names = |text: &str| {
        let filter = parse(text);
        let found = filter.conjuncts();
        found.iter().map(|term| format!("{} {} {}", term.path, term.operator, term.value)).collect::<Vec<_>>()
    };
    assert_eq!(names(r#"USERNAME eq "x""#), [r#"userName eq "x""#]);
    assert_eq!(
        names(r#"id eq "1" and manager eq "2" and (externalId sw "3" and not (title pr))"#),
        [
            r#"id eq "1""#,
            r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "2""#,
            r#"externalId sw "3""#
        ]
    );
    assert_eq!(names(r#"emails[type eq "work"].value eq "x""#), [r#"emails.type eq "work""#, r#"emails.value eq "x""#]);
    for text in [
        r#"userName eq "x" or id eq "y""#,
        r#"not (userName eq "x")"#,
        r#"userName ne "x""#,
        "userName eq null",
        r#"emails[type eq "work"].value ne "x""#,
        r#"emails[value eq "x" or value eq "y"]"#,
        "roles[primary eq false]",
    ] {
        assert_eq!(names(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn listed_values_are_those_of_nothing_but_value_eq() {
    let groups = groups();
    let members = AttributePath::resolve(&groups, "members").unwrap();
    let filter = |text: &str| Filter::parse_element(&members, text, Mode::COMPAT).unwrap();
    assert_eq!(filter(r#"value eq "x""#).listed_values(), Some(vec!["x"]));
    assert_eq!(filter(r#"value eq "x" or (Value eq "y")"#).listed_values(), Some(vec!["x", "y"]));
    for text in
        [r#"value sw "x""#, r#"type eq "x""#, r#"value eq "x" and type eq "User""#, r#"value eq "x" or display pr"#]
    {
        assert_eq!(filter(text).listed_values(), None, "{text}");
    }
}

#[test]
fn operators_have_their_keywords() {
    for operator in Operator::ALL {
        assert_eq!(Operator::from_keyword(&operator.as_str().to_uppercase()), Some(operator));
    }
    assert_eq!(Operator::from_keyword("pr"), None);
}
