//! The audit trail: the actions of people, API keys and the operator on the organization (rule P9).

use serde_json::{Value, json};

use super::Organization;
use crate::api_keys::ApiKey;
use crate::error::ActionError;
use crate::journal::{AuditPage, AuditQuery};
use crate::timestamp::iso;

impl Organization {
    /// Searches the audit trail, newest first. Each entry is a JSON object. It says when (`time`) something was done (`act`,
    /// such as `connector.enable`), by whom (`by`), from where (`face`, `address`, `credential`, `requestId`), to what
    /// (`subject`), and what changed (`before`, `after`). If the action was refused, `refused` says why.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] if `after` is not the end of a page.
    pub async fn audit(&self, query: AuditQuery) -> Result<AuditPage, ActionError> {
        act!(self.insomnia_scim_journal.call_search_audit(&query))
    }

    /// Adds an entry of what was done to an API key of the organization, such as `api-key.create`, with what the key may do and
    /// when it expires.
    pub(crate) async fn record_api_key(&self, what: &str, key: &ApiKey) {
        let subject = json!({"type": "api-key", "id": key.id, "name": key.name});
        let limits = json!({"scopes": key.scopes, "expires": key.expires.map(iso)});
        let place = if key.revoked.is_some() { "before" } else { "after" };
        self.record_act(what, json!({"subject": subject, place: limits})).await;
    }

    /// Adds an entry of what the host itself did for the organization, such as making an API key. A failure does not undo
    /// what was done, so it is only logged.
    pub(crate) async fn record_act(&self, what: &str, details: Value) {
        if let Err(error) = self.try_record_act(what, details).await {
            tracing::error!(organization = %self.id, what, "the audit trail has no entry of an act: {error}");
        }
    }

    async fn try_record_act(&self, what: &str, details: Value) -> Result<(), ActionError> {
        let (by, what, details) = (self.by.clone(), what.to_owned(), details.to_string());
        act!(self.insomnia_scim_journal.call_record_act(&by, &what, &details))
    }
}
