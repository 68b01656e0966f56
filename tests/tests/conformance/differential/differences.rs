//! Where the two servers differ, each with the reason. Whatever is not here is compared.
//!
//! What is not asked at all, because the servers would go different ways from there:
//! - what the tolerance rules T1–T32 add to RFC 7644, such as `active: "False"`, a path that names no attribute, or a value
//!   filter that matches nothing: scim2-server refuses it, and so does our strict mode;
//! - a group with the name of another one: here it is refused, for Entra ID matches groups by name;
//! - members that are groups, or nobody: here they are refused, scim2-server keeps whatever is sent;
//! - filters by `groups`, and by what of a member the server says: scim2-server does not compute them;
//! - bulk requests and cursors: their answers are made of ids and tokens of each server's own.

use serde_json::{Map, Value, json};

/// Takes away of a resource what only one of the servers has. `gone`: who was deleted.
pub(super) fn settle(object: &mut Map<String, Value>, gone: &[String]) {
    only_ids_of_members(object, gone);
    no_groups_of_users(object);
}

/// Of a member scim2-server keeps what was sent, and keeps it when the user is deleted. Here `$ref`, `type` and
/// `display` are the server's to say (RFC 7643 §4.2, §8.7.1), and who is deleted leaves every group.
fn only_ids_of_members(object: &mut Map<String, Value>, gone: &[String]) {
    let Some(Value::Array(members)) = object.get_mut("members") else { return };
    members.retain(|member| !gone.iter().any(|gone| member["value"] == gone.as_str()));
    for member in &mut *members {
        *member = json!({"value": member["value"]});
    }
    if members.is_empty() {
        object.remove("members");
    }
}

/// scim2-server does not compute a user's `groups` (RFC 7643 §4.1.2).
fn no_groups_of_users(object: &mut Map<String, Value>) {
    object.remove("groups");
}
