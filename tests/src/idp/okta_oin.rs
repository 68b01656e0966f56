//! An Okta application from the catalogue: PUT for profiles, PATCH for `active`, passwords and groups.

use serde_json::{Value, json};

use super::okta::Okta;
use super::updated;
use crate::server::Connector;

/// One application. [`OktaOin::okta`] has the behaviour that both kinds share.
pub struct OktaOin {
    okta: Okta,
}

impl OktaOin {
    /// An application for this connector.
    #[must_use]
    pub fn new(connector: &Connector) -> Self {
        Self { okta: Okta::new(connector) }
    }

    /// The common behaviour of all Okta applications.
    #[must_use]
    pub fn okta(&self) -> &Okta {
        &self.okta
    }

    /// Deactivates: a path-less replace.
    #[track_caller]
    pub fn deactivate(&self, user: &str) {
        self.set_active(user, false);
    }

    /// Reactivates.
    #[track_caller]
    pub fn reactivate(&self, user: &str) {
        self.set_active(user, true);
    }

    /// *Sync Password*.
    #[track_caller]
    pub fn push_password(&self, user: &str, password: &str) {
        self.patch(&format!("/Users/{user}"), &json!([{ "op": "replace", "value": { "password": password } }]));
    }

    /// Renames a group, as Okta does before every push of members: the group's own id is in the value.
    #[track_caller]
    pub fn rename_group(&self, group: &str, name: &str) {
        self.patch(
            &format!("/Groups/{group}"),
            &json!([{ "op": "replace", "value": { "id": group, "displayName": name } }]),
        );
    }

    /// Removes one member and adds others, in one request.
    #[track_caller]
    pub fn swap_members(&self, group: &str, gone: &[String], new: &[(String, String)]) {
        let mut operations: Vec<Value> = gone
            .iter()
            .map(|member| json!({ "op": "remove", "path": format!("members[value eq \"{member}\"]") }))
            .collect();
        if !new.is_empty() {
            operations.push(json!({ "op": "add", "path": "members", "value": elements(new) }));
        }
        self.patch(&format!("/Groups/{group}"), &Value::Array(operations));
    }

    /// Makes these the only members.
    #[track_caller]
    pub fn replace_members(&self, group: &str, members: &[(String, String)]) {
        self.patch(
            &format!("/Groups/{group}"),
            &json!([{ "op": "replace", "path": "members", "value": elements(members) }]),
        );
    }

    /// Empties the group by the path-less form, with id and name beside the empty list.
    #[track_caller]
    pub fn clear_members(&self, group: &str, name: &str) {
        self.patch(
            &format!("/Groups/{group}"),
            &json!([{ "op": "replace", "value": { "members": [], "id": group, "displayName": name } }]),
        );
    }

    #[track_caller]
    fn set_active(&self, user: &str, active: bool) {
        let body = format!(
            r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{{"op":"replace","value":{{"active":{active}}}}}]}}"#
        );
        updated(&self.okta.client().patch(&format!("/Users/{user}"), body));
        assert_eq!(self.okta.read(user)["active"], json!(active));
    }

    #[track_caller]
    fn patch(&self, path: &str, operations: &Value) {
        let body =
            format!(r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":{operations}}}"#);
        updated(&self.okta.client().patch(path, body));
    }
}

/// Members as Okta sends them: id and user name, never a type.
fn elements(members: &[(String, String)]) -> Vec<Value> {
    members.iter().map(|(member, display)| json!({ "value": member, "display": display })).collect()
}
