//! Operations on a group's members become changes of the membership.

use super::*;

fn members(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

pub(super) fn added(ids: &[&str]) -> MemberChange {
    MemberChange::Add(members(ids))
}

pub(super) fn removed(ids: &[&str]) -> MemberChange {
    MemberChange::Remove(members(ids))
}

pub(super) fn replaced(ids: &[&str]) -> MemberChange {
    MemberChange::Replace(members(ids))
}

fn in_both(operations: Value) -> Vec<MemberChange> {
    let strict = membership(operations.clone(), Mode::STRICT).unwrap();
    assert_eq!(membership(operations, Mode::COMPAT).unwrap(), strict);
    strict
}

fn compat(operations: Value) -> Vec<MemberChange> {
    membership(operations, Mode::COMPAT).unwrap()
}

fn refused(operations: Value, mode: Mode<'_>) -> ScimType {
    membership(operations, mode).unwrap_err().scim_type.unwrap()
}

#[test]
fn t3_remove_members_with_value_removes_only_these() {
    for value in [
        json!([{"value": "a"}, {"value": "b"}]),
        json!([{"$ref": null, "value": "a", "display": null}, "b"]),
        json!(["a", "b", "a"]),
    ] {
        assert_eq!(in_both(json!([{"op": "remove", "path": "members", "value": value}])), [removed(&["a", "b"])]);
    }
    assert_eq!(in_both(json!([{"op": "remove", "path": "members", "value": {"value": "a"}}])), [removed(&["a"])]);
    assert_eq!(in_both(json!([{"op": "remove", "path": "members", "value": "a"}])), [removed(&["a"])]);
}

#[test]
fn t3_remove_members_without_value_removes_all_and_with_an_empty_list_none() {
    assert_eq!(in_both(json!([{"op": "remove", "path": "members"}])), [replaced(&[])]);
    assert_eq!(in_both(json!([{"op": "remove", "path": "members", "value": null}])), [replaced(&[])]);
    assert_eq!(in_both(json!([{"op": "remove", "path": "members", "value": []}])), []);
}

#[test]
fn t3_a_listed_member_without_value_never_means_all() {
    for value in [json!([{}]), json!({}), json!([{"value": null}]), json!([null]), json!("")] {
        let operations = json!([{"op": "remove", "path": "members", "value": value}]);
        assert_eq!(refused(operations, Mode::COMPAT), ScimType::InvalidValue, "{value}");
    }
}

#[test]
fn r106_a_filter_on_value_names_the_members() {
    assert_eq!(in_both(json!([{"op": "remove", "path": "members[value eq \"a\"]"}])), [removed(&["a"])]);
    assert_eq!(
        in_both(json!([{"op": "remove", "path": "Members[Value EQ \"a\" or value eq \"b\"]"}])),
        [removed(&["a", "b"])]
    );
    assert_eq!(
        in_both(
            json!([{"op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members[value eq \"a\"]"}])
        ),
        [removed(&["a"])]
    );
    assert_eq!(compat(json!([{"op": "remove", "path": "members[value eq \"a\"].value"}])), [removed(&["a"])]);
}

#[test]
fn r106_other_filters_are_left_to_the_caller() {
    let changes = in_both(json!([{"op": "remove", "path": "members[display co \"x\" and type eq \"User\"]"}]));
    let [MemberChange::RemoveWhere(filter)] = changes.as_slice() else { panic!("{changes:?}") };
    assert!(filter.matches_element(&json!({"value": "a", "display": "Max", "type": "User"})));
    assert!(!filter.matches_element(&json!({"value": "a", "display": "Bob", "type": "User"})));
}

#[test]
fn t4_element_forms() {
    for value in [
        json!([{"value": "a"}, {"value": "b"}]),
        json!([{"value": "a", "$ref": null}, {"Value": "b", "display": "Babs"}]),
        json!([{"value": "a", "type": null}, "b", {"value": "a", "display": "again"}]),
    ] {
        assert_eq!(in_both(json!([{"op": "add", "path": "members", "value": value}])), [added(&["a", "b"])]);
        assert_eq!(in_both(json!([{"op": "replace", "path": "members", "value": value}])), [replaced(&["a", "b"])]);
        assert_eq!(in_both(json!([{"op": "add", "value": {"members": value}}])), [added(&["a", "b"])]);
    }
    for label in ["User", "Group", "value", ""] {
        let operations = json!([{"op": "add", "path": "members", "value": {"value": "a", "type": label}}]);
        assert_eq!(in_both(operations), [added(&["a"])], "the type is a label: {label}");
    }
    for value in [
        json!([{}]),
        json!([{"display": "x"}]),
        json!([""]),
        json!([17]),
        json!([{"value": 17}]),
        json!([["a"]]),
        json!("x".repeat(257)),
    ] {
        let operations = json!([{"op": "add", "path": "members", "value": value}]);
        assert_eq!(refused(operations, Mode::COMPAT), ScimType::InvalidValue, "{value}");
    }
}

#[test]
fn t22_changes_of_the_same_kind_become_one() {
    let operations = json!([
        {"op": "add", "path": "members", "value": [{"value": "a"}]},
        {"op": "add", "path": "members", "value": [{"value": "b"}, {"value": "a"}]},
        {"op": "remove", "path": "members[value eq \"c\"]"},
        {"op": "remove", "path": "members[value eq \"d\"]"},
        {"op": "remove", "path": "members", "value": []},
        {"op": "add", "path": "members", "value": [{"value": "c"}]}
    ]);
    assert_eq!(in_both(operations), [added(&["a", "b"]), removed(&["c", "d"]), added(&["c"])]);
}

#[test]
fn r98_replacing_all_makes_what_came_before_pointless() {
    let operations = json!([
        {"op": "add", "path": "members", "value": [{"value": "a"}]},
        {"op": "replace", "path": "members", "value": [{"value": "b"}]},
        {"op": "add", "path": "members", "value": [{"value": "c"}]}
    ]);
    assert_eq!(in_both(operations), [replaced(&["b"]), added(&["c"])]);
    assert_eq!(in_both(json!([{"op": "replace", "path": "members", "value": null}])), [replaced(&[])]);
    assert_eq!(in_both(json!([{"op": "add", "path": "members", "value": []}])), []);
}

#[test]
fn t22_ten_thousand_members_in_one_operation_or_in_as_many() {
    let ids: Vec<String> = (0..10_000).map(|id| format!("member-{id}")).collect();
    let listed: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
    let single: Vec<Value> =
        ids.iter().map(|id| json!({"op": "add", "path": "members", "value": [{"value": id}]})).collect();
    let one = in_both(json!([{"op": "add", "path": "members", "value": listed}]));
    assert_eq!(one, in_both(Value::Array(single)));
    let [MemberChange::Add(members)] = one.as_slice() else { panic!("not one change") };
    assert_eq!(members.len(), 10_000);
    let removals: Vec<Value> =
        ids.iter().map(|id| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")})).collect();
    assert_eq!(in_both(Value::Array(removals)), [MemberChange::Remove(ids)]);
}

#[test]
fn r33_a_member_is_never_edited_in_place() {
    for op in ["add", "replace"] {
        let rename = json!([{"op": op, "path": "members[value eq \"a\"].display", "value": "x"}]);
        assert_eq!(compat(rename.clone()), []);
        assert_eq!(refused(rename, Mode::STRICT), ScimType::Mutability);
        let change = json!([{"op": op, "path": "members[value eq \"a\"].value", "value": "b"}]);
        let retype = json!([{"op": op, "path": "members[value eq \"a\"].type", "value": "Group"}]);
        for mode in [Mode::COMPAT, Mode::STRICT] {
            assert_eq!(refused(change.clone(), mode), ScimType::Mutability);
            assert_eq!(refused(retype.clone(), mode), ScimType::Mutability);
        }
        // T9: with the same value, the operation adds the membership itself.
        assert_eq!(compat(json!([{"op": op, "path": "members[value eq \"a\"].value", "value": "a"}])), [added(&["a"])]);
    }
    assert_eq!(refused(json!([{"op": "remove", "path": "members.type"}]), Mode::COMPAT), ScimType::Mutability);
}

#[test]
fn r110_a_chosen_member_is_replaced_as_a_whole() {
    let operations = json!([{"op": "replace", "path": "members[value eq \"a\"]", "value": {"value": "b"}}]);
    let exchange = MemberChange::Exchange { others: members(&["a"]), members: members(&["b"]) };
    assert_eq!(compat(operations.clone()), [exchange]);
    let strict = membership(operations, Mode::STRICT).unwrap();
    assert!(
        matches!(strict.as_slice(), [MemberChange::ReplaceWhere { members, .. }] if members[0] == "b"),
        "{strict:?}"
    );
    let same = json!([{"op": "replace", "path": "members[value eq \"a\"]", "value": {"display": "x"}}]);
    assert_eq!(compat(same), [added(&["a"])]);
    assert_eq!(
        refused(json!([{"op": "add", "path": "members[value eq \"a\"]", "value": {"value": "b"}}]), Mode::COMPAT),
        ScimType::Mutability
    );
}

#[test]
fn users_have_no_members() {
    let body = body(json!([{"op": "add", "path": "members", "value": [{"value": "a"}]}]));
    assert!(patch::parse(&users(), &body, Mode::COMPAT).unwrap().is_empty());
    let error = patch::parse(&users(), &body, Mode::STRICT).unwrap_err();
    assert_eq!(error.scim_type, Some(ScimType::InvalidPath));
}
