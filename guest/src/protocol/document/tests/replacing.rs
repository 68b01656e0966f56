//! PUT.

use super::*;
use crate::protocol::schema::SchemaTable;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const INSOMNIA: &str = "urn:insomnia:params:scim:schemas:extension:1.0:User";
const BADGE: &str = "urn:example:badge";

/// The resource type User with an optional extension of these attributes.
fn table_with(attributes: Value) -> SchemaTable {
    let declared = json!({"id":BADGE, "name":"Badge","attributes":attributes});
    let user_type = json!({"name":"User","schemaExtensions":[{"schema":BADGE,"required":false}]});
    SchemaTable::builtin().with_declared(&[declared], &[user_type]).expect("a table")
}

fn document(value: Value) -> Document {
    let Value::Object(document) = value else { unreachable!("an object") };
    document
}

fn current() -> Document {
    document(json!({"schemas":[USER,ENTERPRISE,INSOMNIA],"id":"1","userName":"ada","active":false,"title":"Countess",
        "groups":[{"value":"g","display":"Engines"}],"emails":[{"value":"ada@example.com"}],
        ENTERPRISE:{"department":"x","manager":{"value":"26","displayName":"Charles"}},
        INSOMNIA:{"origin":"scim","licensed":true},"meta":{"resourceType":"User","version":"W/\"1\""}}))
}

fn put(body: Value) -> Value {
    let user = schema("User");
    let incoming = from_client(&user, body, Mode::COMPAT).expect("a user");
    Value::Object(replace(&user, &current(), incoming).expect("a replacement"))
}

#[test]
fn r90_what_is_left_out_is_cleared_and_active_is_kept() {
    assert_eq!(
        put(json!({"userName":"ada"})),
        json!({"schemas":[USER,INSOMNIA],"id":"1","userName":"ada","active":false,"groups":[{"value":"g","display":"Engines"}],
            INSOMNIA:{"origin":"scim","licensed":true},"meta":{"resourceType":"User","version":"W/\"1\""}})
    );
    assert_eq!(put(json!({"userName":"ada","active":true})).get("active"), Some(&json!(true)));
}

#[test]
fn r91_what_is_read_only_is_ignored() {
    let after = put(json!({"userName":"ada","id":"2","groups":[],"meta":{"version":"x"},INSOMNIA:{"origin":"manual"}}));
    assert_eq!(after.get("id"), Some(&json!("1")));
    assert_eq!(after.get("groups"), Some(&json!([{"value":"g","display":"Engines"}])));
    assert_eq!(after.get(INSOMNIA), Some(&json!({"origin":"scim","licensed":true})));
}

#[test]
fn t23_put_of_what_get_returned_changes_nothing() {
    assert_eq!(put(Value::Object(current())), Value::Object(current()));
}

#[test]
fn another_manager_does_not_get_the_name_of_the_one_before() {
    let after = put(json!({"userName":"ada","manager":"27"}));
    assert_eq!(after.get(ENTERPRISE), Some(&json!({"manager":{"value":"27"}})));
}

#[test]
fn t23_what_no_response_contains_stays_unless_a_put_says_otherwise() {
    let attributes = json!([
        {"name":"number","type":"string"},{"name":"pin","type":"string","returned":"never"},
        {"name":"lock","type":"complex","subAttributes":[{"name":"room"},{"name":"code","returned":"never"}]}]);
    let table = table_with(attributes);
    let user = table.resource("User").expect("users");
    let badge = |value: Value| {
        let body = json!({"userName":"ada",BADGE:value});
        from_client(&user, body, Mode::COMPAT).expect("a user")
    };
    let put = |incoming: Value| {
        let current = badge(json!({"number":"1","pin":"7","lock":{"room":"A","code":"9"}}));
        let mut after = replace(&user, &current, badge(incoming)).expect("a replacement");
        after.shift_remove(BADGE).unwrap_or_default()
    };
    assert_eq!(
        put(json!({"number":"2","lock":{"room":"B"}})),
        json!({"number":"2","lock":{"room":"B","code":"9"},"pin":"7"})
    );
    assert_eq!(put(json!({"pin":"8"})), json!({"pin":"8"}), "what is shown, and whose holder is left out, is cleared");
}

#[test]
fn r92_what_is_immutable_stays() {
    let attributes = json!([
        {"name":"number","type":"string","mutability":"immutable"},
        {"name":"holder","type":"complex","subAttributes":[{"name":"since","mutability":"immutable"},{"name":"colour"}]}]);
    let table = table_with(attributes);
    let user = table.resource("User").expect("users");
    let badge = |value: Value| {
        let body = json!({"userName":"ada",BADGE:value});
        from_client(&user, body, Mode::COMPAT).expect("a user")
    };
    let put = |current: Value, incoming: Value| {
        let after = replace(&user, &badge(current), badge(incoming));
        after.map(|mut after| after.shift_remove(BADGE).unwrap_or_default())
    };
    assert_eq!(put(json!({}), json!({"number":"1"})), Ok(json!({"number":"1"})));
    assert_eq!(put(json!({"number":"1"}), json!({"number":"1"})), Ok(json!({"number":"1"})));
    assert_eq!(put(json!({"number":"1"}), json!({})), Ok(json!({"number":"1"})));
    let error = put(json!({"number":"1"}), json!({"number":"2"})).expect_err("a refusal");
    assert_eq!((error.status, error.scim_type), (400, Some(ScimType::Mutability)));
    let holder = json!({"holder":{"since":"1","colour":"red"}});
    assert_eq!(
        put(holder.clone(), json!({"holder":{"colour":"blue"}})),
        Ok(json!({"holder":{"since":"1","colour":"blue"}}))
    );
    assert!(put(holder, json!({"holder":{"since":"2"}})).is_err());
}

#[test]
fn t23_what_is_hidden_only_stays_in_an_extension_that_is_complete() {
    let pin = json!({"name":"pin","returned":"never"});
    let since = json!({"name":"since","mutability":"immutable"});
    let after = |code: Value, current: Value, incoming: Option<Value>| {
        let table = table_with(json!([code, pin, since]));
        let user = table.resource("User").expect("users");
        let body = |badge: Option<Value>| {
            let mut body = json!({"userName":"ada"});
            if let Some(badge) = badge {
                body[BADGE] = badge;
            }
            from_client(&user, body, Mode::COMPAT).expect("a user")
        };
        let mut after = replace(&user, &body(Some(current)), body(incoming)).expect("a replacement");
        (after.shift_remove("schemas").map_or(0, |urns| urns.as_array().map_or(0, Vec::len)), after.shift_remove(BADGE))
    };
    let required = json!({"name":"code","required":true});
    let current = json!({"code":"c","pin":"p"});
    assert_eq!(after(required.clone(), current.clone(), None), (1, None), "the code is cleared, so all of it goes");
    assert_eq!(
        after(required.clone(), current.clone(), Some(json!({"code":"d"}))),
        (2, Some(json!({"code":"d","pin":"p"})))
    );
    let with_since = json!({"code":"c","pin":"p","since":"s"});
    assert_eq!(after(required, with_since, None), (2, Some(json!({"since":"s"}))), "what is immutable stays (R92)");
    assert_eq!(after(json!({"name":"code"}), current.clone(), None), (2, Some(json!({"pin":"p"}))));
    let hidden = json!({"name":"code","required":true,"returned":"never"});
    assert_eq!(after(hidden, current.clone(), None), (2, Some(current)));
}

#[test]
fn t23_an_element_keeps_what_no_response_contains_if_what_is_shown_tells_which_it_is() {
    let attributes = json!([
        {"name":"keys","type":"complex","multiValued":true,"subAttributes":[{"name":"type"},{"name":"name"},
            {"name":"secret","returned":"never"},{"name":"hint","returned":"never"}]},
        {"name":"codes","type":"complex","multiValued":true,"subAttributes":[{"name":"type"},
            {"name":"value","returned":"never"}]},
        {"name":"seals","type":"complex","multiValued":true,"mutability":"immutable","subAttributes":[{"name":"place"},
            {"name":"secret","returned":"never"}]}]);
    let table = table_with(attributes);
    let user = table.resource("User").expect("users");
    for mode in [Mode::COMPAT, Mode::STRICT] {
        let badge = |value: Value| {
            let body = json!({"schemas":[USER,BADGE],"userName":"ada",BADGE:value});
            from_client(&user, body, mode).expect("a user")
        };
        let put = |name: &str, current: Value, incoming: Value| {
            let after = replace(&user, &badge(json!({name:current})), badge(json!({name:incoming})));
            after.map(|mut after| after.get_mut(BADGE).and_then(|badge| badge.get_mut(name)).map(Value::take))
        };
        let (a, b) = (json!({"type":"a","secret":"1","hint":"h"}), json!({"type":"b","name":"n","secret":"2"}));
        let current = json!([a, b]);
        let shown = json!([{"name":"n","type":"b"},{"type":"a"}]);
        assert_eq!(put("keys", current.clone(), shown), Ok(Some(json!([b, a]))), "in any order");
        let sent = json!([{"type":"a","secret":"3"},{"type":"b","name":"m"},{"type":"c"}]);
        let expected = json!([{"type":"a","secret":"3","hint":"h"},{"type":"b","name":"m"},{"type":"c"}]);
        assert_eq!(put("keys", current, sent), Ok(Some(expected)), "an element that has changed is another one");
        let alike = json!([{"type":"a","secret":"1"},{"type":"a","secret":"2"}]);
        assert_eq!(put("keys", alike, json!([{"type":"a"}])), Ok(Some(json!([{"type":"a"}]))), "it may be either");
        let only_hidden = json!([{"secret":"1","hint":"h"}]);
        let sent = json!([{"secret":"2"}]);
        assert_eq!(put("keys", only_hidden, sent.clone()), Ok(Some(sent)), "nothing tells which it is");
        let codes = json!([{"type":"a","value":"1"},{"type":"b","value":"2"}]);
        assert_eq!(put("codes", codes.clone(), json!([{"type":"a"},{"type":"b"}])), Ok(Some(codes)));
        let seals = json!([{"place":"door","secret":"1"}]);
        assert_eq!(put("seals", seals.clone(), json!([{"place":"door"}])), Ok(Some(seals.clone())));
        assert!(put("seals", seals, json!([{"place":"door","secret":"2"}])).is_err(), "it is immutable");
    }
}

#[test]
fn t23_what_the_server_has_set_stays_beside_a_hidden_part_that_a_put_leaves_out() {
    let attributes = json!([{"name":"lock","type":"complex","subAttributes":[{"name":"room"},
        {"name":"code","returned":"never"},{"name":"label","mutability":"readOnly"}]}]);
    let table = table_with(attributes);
    let user = table.resource("User").expect("users");
    let current = document(json!({"schemas":[USER,BADGE],"userName":"ada",
        BADGE:{"lock":{"room":"A","code":"9","label":"l"}}}));
    let put = |lock: Value| {
        let incoming = from_client(&user, json!({"userName":"ada",BADGE:{"lock":lock}}), Mode::COMPAT).expect("a user");
        replace(&user, &current, incoming).expect("a replacement").shift_remove(BADGE)
    };
    assert_eq!(put(json!({"room":"A"})), Some(json!({"lock":{"room":"A","code":"9","label":"l"}})));
    assert_eq!(put(json!({"room":"A","code":"8"})), Some(json!({"lock":{"room":"A","code":"8","label":"l"}})));
    assert_eq!(put(json!({"room":"B"})), Some(json!({"lock":{"room":"B","code":"9"}})));
}
