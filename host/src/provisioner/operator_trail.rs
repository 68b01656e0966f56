//! The operator's own audit trail (rule P9): actions that concern more than one organization, or that must outlive one. An
//! organization's trail is deleted with the organization, so this trail records the deletion. It also records operator keys
//! and components.

use insomnia_scim_contract::{Actor, Source};
use serde_json::json;

use super::Provisioner;
use crate::capability::storage::OrganizationId;
#[cfg(feature = "cli")]
use crate::capability::storage::{StorageError, Transaction, holds_nothing};
use crate::error::ActionError;
use crate::journal::{AuditPage, AuditQuery};
use crate::organization::Organization;

/// In milliseconds.
#[cfg(feature = "cli")]
const DAY: u64 = 24 * 60 * 60 * 1_000;

impl Provisioner {
    /// Searches the operator's actions beyond single organizations, newest first. The entries have the form of
    /// [`Organization::audit`].
    ///
    /// # Errors
    /// [`ActionError::Invalid`] if `after` is not the end of a page.
    pub async fn audit(&self, query: AuditQuery) -> Result<AuditPage, ActionError> {
        self.operator_trail().audit(query).await
    }

    /// Adds an entry, such as `organization.delete` of the `organization` with this id. A failure does not undo what was done,
    /// so it is only logged.
    pub(crate) async fn record_operator_act(
        &self,
        what: &str,
        source: Source,
        kind: &str,
        id: Option<&str>,
        name: Option<&str>,
    ) {
        let subject = json!({"type": kind, "id": id, "name": name});
        let trail = self.operator_trail().coming_from(source);
        trail.record_act(what, json!({"subject": subject})).await;
    }

    /// Has the trail looked through within a day, also where nothing was added to it for long: what is old enough goes.
    ///
    /// # Errors
    /// If the storage refuses.
    #[cfg(feature = "cli")]
    pub(crate) async fn have_operator_trail_swept(&self) -> Result<(), StorageError> {
        let operator = OrganizationId::operator();
        if holds_nothing(self.storage(), &operator).await? {
            return Ok(());
        }
        let wake_at = Some(self.clock().now().saturating_add(DAY));
        self.storage().commit(&operator, Transaction { wake_at, ..Transaction::default() }).await.map(drop)
    }

    /// The space of the trail: of an organization's acts it has those of audit trails only.
    pub(crate) fn operator_trail(&self) -> Organization {
        // Seldom called: what is kept for the next call is for organizations.
        self.bound_organization(OrganizationId::operator()).in_passing().acting_as(Actor::Operator)
    }
}
