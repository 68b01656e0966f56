use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::protocol::schema::SchemaTable;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const INSOMNIA: &str = "urn:insomnia:params:scim:schemas:extension:1.0:User";

fn ada() -> Value {
    json!({"schemas":[USER,ENTERPRISE,INSOMNIA],"id":"1","userName":"ada","password":"secret","active":true,
        "name":{"givenName":"Ada","familyName":"Lovelace"},
        "emails":[{"value":"ada@example.com","type":"work"},{"value":"a@example.com","type":"home"},{"type":"other"}],
        ENTERPRISE:{"department":"x","manager":{"value":"26","displayName":"Charles"}},
        INSOMNIA:{"origin":"scim","licensed":true},"meta":{"resourceType":"User","location":"http://h/Users/1"}})
}

fn parse(attributes: Option<&str>, excluded: Option<&str>, mode: Mode<'_>) -> Result<Projection, ScimError> {
    Projection::from_names(attributes.unwrap_or_default().split(','), excluded.unwrap_or_default().split(','), mode)
}

fn project(table: &SchemaTable, projection: &Projection, resource: Value) -> Value {
    let Value::Object(resource) = resource else { unreachable!("an object") };
    Value::Object(projection.plan(&table.resource("User").expect("users")).apply(resource))
}

fn only(attributes: &str) -> Value {
    let projection = parse(Some(attributes), None, Mode::COMPAT).expect("a projection");
    project(SchemaTable::builtin(), &projection, ada())
}

fn without(attributes: &str) -> Value {
    let projection = parse(None, Some(attributes), Mode::COMPAT).expect("a projection");
    project(SchemaTable::builtin(), &projection, ada())
}

#[test]
fn by_default_neither_secrets_nor_what_must_be_requested() {
    let projection = parse(Some(" , "), Some(""), Mode::STRICT).expect("a projection");
    assert!(projection.is_default());
    assert_eq!(
        project(SchemaTable::builtin(), &projection, ada()),
        json!({"schemas":[USER,ENTERPRISE],"id":"1","userName":"ada","active":true,
            "name":{"givenName":"Ada","familyName":"Lovelace"},
            "emails":[{"value":"ada@example.com","type":"work"},{"value":"a@example.com","type":"home"},{"type":"other"}],
            ENTERPRISE:{"department":"x","manager":{"value":"26","displayName":"Charles"}},
            "meta":{"resourceType":"User","location":"http://h/Users/1"}})
    );
}

#[test]
fn r83_attributes_select_in_every_form() {
    for (attributes, selected) in [
        ("userName", json!({"userName":"ada"})),
        ("username, ACTIVE,unknown,emails[type eq \"work\"]", json!({"userName":"ada","active":true})),
        ("name.familyName", json!({"name":{"familyName":"Lovelace"}})),
        ("name,name.familyName", json!({"name":{"givenName":"Ada","familyName":"Lovelace"}})),
        ("emails.value", json!({"emails":[{"value":"ada@example.com"},{"value":"a@example.com"}]})),
        ("meta.location", json!({"meta":{"location":"http://h/Users/1"}})),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName", json!({"userName":"ada"})),
        ("password", json!({})),
        ("id", json!({})),
        ("unknown", json!({})),
    ] {
        let mut expected = json!({"schemas":[USER],"id":"1"});
        if let (Some(expected), Value::Object(selected)) = (expected.as_object_mut(), selected) {
            expected.extend(selected);
        }
        assert_eq!(only(attributes), expected, "{attributes}");
    }
}

#[test]
fn r83_attributes_select_from_extensions() {
    let with = |urn: &str, container: Value| json!({"schemas":[USER,urn],"id":"1",urn:container});
    assert_eq!(only("department"), with(ENTERPRISE, json!({"department":"x"})));
    assert_eq!(only(&format!("{ENTERPRISE}:manager.value")), with(ENTERPRISE, json!({"manager":{"value":"26"}})));
    assert_eq!(
        only(ENTERPRISE),
        with(ENTERPRISE, json!({"department":"x","manager":{"value":"26","displayName":"Charles"}}))
    );
    assert_eq!(only(&format!("{INSOMNIA}:origin")), with(INSOMNIA, json!({"origin":"scim"})));
    assert_eq!(only(INSOMNIA), with(INSOMNIA, json!({"origin":"scim","licensed":true})));
}

#[test]
fn r84_excluded_attributes_remove_what_is_not_always_returned() {
    let default = without("unknown");
    let expect = |excluded: &str, change: &dyn Fn(&mut Document)| {
        let mut expected = default.as_object().cloned().unwrap_or_default();
        change(&mut expected);
        assert_eq!(without(excluded), Value::Object(expected), "{excluded}");
    };
    expect("id,schemas,password", &|_| {});
    expect("EMAILS", &|user| drop(user.shift_remove("emails")));
    expect("name.givenName", &|user| drop(user.insert("name".to_owned(), json!({"familyName":"Lovelace"}))));
    expect("name.givenName,name.familyName", &|user| drop(user.shift_remove("name")));
    expect("emails.type", &|user| {
        user.insert("emails".to_owned(), json!([{"value":"ada@example.com"},{"value":"a@example.com"}]));
    });
    expect(ENTERPRISE, &|user| {
        user.shift_remove(ENTERPRISE);
        user.insert("schemas".to_owned(), json!([USER]));
    });
    expect("department", &|user| {
        user.insert(ENTERPRISE.to_owned(), json!({"manager":{"value":"26","displayName":"Charles"}}));
    });
}

#[test]
fn r85_attributes_win_in_compat_mode_and_strict_mode_refuses_both() {
    let both = |mode| parse(Some("userName"), Some("emails"), mode);
    let projection = both(Mode::COMPAT).expect("a projection");
    assert_eq!(
        project(SchemaTable::builtin(), &projection, ada()),
        json!({"schemas":[USER],"id":"1","userName":"ada"})
    );
    assert_eq!(both(Mode::STRICT).expect_err("a refusal").status, 400);
}

#[test]
fn r86_names_are_bounded() {
    let names = vec!["userName"; MAX_NAMES + 1].join(",");
    assert!(parse(Some(&names), None, Mode::COMPAT).is_err());
}

#[test]
fn wanted_is_what_would_be_returned() {
    let group = SchemaTable::builtin().resource("Group").expect("groups");
    let wants = |attributes, excluded| {
        parse(attributes, excluded, Mode::COMPAT).expect("a projection").plan(&group).wants("members")
    };
    assert!(wants(None, None));
    assert!(!wants(None, Some("members")));
    assert!(wants(None, Some("members.display")));
    assert!(!wants(Some("displayName"), None));
    assert!(wants(Some("members.value"), None));
}

/// A schema with every kind of `returned`, at every depth.
fn declared() -> SchemaTable {
    let every = json!([{"name":"a","returned":"always"},{"name":"d"},{"name":"r","returned":"request"},
        {"name":"n","returned":"never"}]);
    let mut attributes = every.as_array().cloned().unwrap_or_default();
    for returned in ["always", "default", "request", "never"] {
        let name = format!("c{returned}");
        attributes
            .push(json!({"name":name,"type":"complex","multiValued":true,"returned":returned,"subAttributes":every}));
    }
    let schema = json!({"id":"urn:example:depth","attributes":attributes});
    let user = json!({"name":"User","schemaExtensions":[{"schema":"urn:example:depth","required":false}]});
    SchemaTable::builtin().with_declared(&[schema], &[user]).expect("a table")
}

fn depth(secret: &str) -> Value {
    let every = json!({"a":"x","d":"x","r":"x","n":secret});
    let mut extension = every.clone();
    for name in ["calways", "cdefault", "crequest"] {
        extension[name] = json!([every]);
    }
    extension["cnever"] = json!([{"a":secret,"d":secret,"r":secret,"n":secret}]);
    json!({"schemas":[USER,"urn:example:depth"],"id":"1","userName":"ada","password":secret,"unknown":secret,
        "urn:example:depth":extension,"urn:example:unknown":{"a":secret}})
}

#[test]
fn always_default_request_and_never_hold_at_every_depth() {
    let table = declared();
    let extension = |attributes, excluded| {
        let projection = parse(attributes, excluded, Mode::COMPAT).expect("a projection");
        project(&table, &projection, depth("secret"))["urn:example:depth"].take()
    };
    let value = json!([{"a":"x","d":"x"}]);
    assert_eq!(extension(None, None), json!({"a":"x","d":"x","calways":value,"cdefault":value}));
    assert_eq!(extension(Some("userName"), None), json!({"a":"x","calways":value}));
    assert_eq!(extension(Some("r,crequest"), None), json!({"a":"x","r":"x","calways":value,"crequest":value}));
    assert_eq!(extension(Some("cdefault.r"), None), json!({"a":"x","calways":value,"cdefault":[{"a":"x","r":"x"}]}));
    assert_eq!(
        extension(None, Some("a,d,calways,cdefault.a,cdefault.d")),
        json!({"a":"x","calways":value,"cdefault":[{"a":"x"}]})
    );
    assert_eq!(extension(None, Some("urn:example:depth")), json!({"a":"x","calways":value}));
}

proptest! {
    #[test]
    fn no_projection_leaks_what_is_never_returned(
        names in prop::collection::vec(prop::sample::select(vec![
            "n", "password", "cnever", "cnever.a", "cnever.n", "calways", "calways.n", "cdefault.n", "crequest.n", "crequest",
            "urn:example:depth", "urn:example:depth:n", "urn:example:depth:cdefault.n", "urn:example:depth.n", "unknown",
            "urn:example:unknown", "urn:example:unknown:a", "schemas", "id",
        ]), 0..6),
        is_excluded: bool,
    ) {
        let table = declared();
        let names = names.join(",");
        let (attributes, excluded) = if is_excluded { (None, Some(names.as_str())) } else { (Some(names.as_str()), None) };
        let projection = parse(attributes, excluded, Mode::COMPAT).expect("a projection");
        let projected = project(&table, &projection, depth("secret"));
        prop_assert!(!projected.to_string().contains("secret"), "{}", projected);
        prop_assert_eq!(&projected["id"], "1");
        prop_assert_eq!(&projected["schemas"][0], USER);
    }
}
