//! The differences between the two servers, each with its reason. Everything that is not listed here is compared.
//!
//! Some things are not asked at all, because the servers would go different ways from there:
//! - what the tolerance rules T1 to T35 add to RFC 7644, such as `active: "False"`, a path that names no attribute, or
//!   a value filter that matches nothing: scim2-server refuses it, and so does the strict mode of this server;
//! - a group with the name of another one: this server refuses it, because Entra ID matches groups by name;
//! - members that are groups, or that do not exist: this server refuses them, and scim2-server stores whatever is sent;
//! - filters by `groups`, and by the attributes of a member that the server adds: scim2-server does not compute them;
//! - bulk requests and cursors: their answers consist of ids and tokens that each server makes for itself.

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
