//! An Okta application made in the App Integration Wizard: PUT for everything, groups and `active` included.

use serde_json::{Value, json};

use super::okta::Okta;
use crate::scim::text;
use crate::server::Connector;

/// One application. [`OktaAiw::okta`] has the behaviour that both kinds share.
pub struct OktaAiw {
    okta: Okta,
}

impl OktaAiw {
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

    /// Deactivates by PUT of the whole user.
    #[track_caller]
    pub fn deactivate(&self, user: &str) {
        let updated = self.okta.push_profile(user, |merged| merged["active"] = json!(false));
        assert_eq!(updated["active"], json!(false));
        assert_eq!(self.okta.read(user)["active"], json!(false));
    }

    /// Reactivates by PUT of the whole user.
    #[track_caller]
    pub fn reactivate(&self, user: &str) {
        let updated = self.okta.push_profile(user, |merged| merged["active"] = json!(true));
        assert_eq!(updated["active"], json!(true));
    }

    /// Pushes a group: the list of members is authoritative. Some requests carry the group's id in the body.
    #[track_caller]
    pub fn put_group(&self, group: &str, name: &str, members: &[(String, String)], with_id: bool) {
        let members: Vec<Value> =
            members.iter().map(|(member, display)| json!({ "value": member, "display": display })).collect();
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": name,
            "members": members,
        });
        if with_id {
            body["id"] = json!(group);
        }
        let answer = self.okta.client().put(&format!("/Groups/{group}"), body).resource(200);
        assert_eq!(text(&answer, "displayName"), name);
    }
}
