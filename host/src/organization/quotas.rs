//! How much the organization may use over time.

use serde_json::json;

use super::Organization;
use crate::capability::storage::{OrganizationId, StorageError};
use crate::quota::{Quota, Quotas};
use crate::registry::QuotaError;

impl Organization {
    /// Its limits: those that were set for it, and those of the host for all others.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn quotas(&self) -> Result<Quotas, StorageError> {
        let bound = self.bound_id().await?;
        self.provisioner.runtime().quotas().limits(&bound).await
    }

    /// Sets one of its limits; `None` returns it to the host's limit. It applies in all processes within five seconds.
    ///
    /// # Errors
    /// [`QuotaError`] says whether the limit is too low or the storage refused.
    pub async fn set_quota(&self, quota: Quota, limit: Option<u64>) -> Result<(), QuotaError> {
        let bound = self.bound_id().await?;
        if self.provisioner.runtime().quotas().set(&bound, quota, limit).await? {
            self.record_act("quota.set", json!({"after": {"quota": quota.to_string(), "limit": limit}})).await;
        }
        Ok(())
    }

    /// How often the quota was the reason of a refusal, in this process.
    pub(crate) async fn refusals(&self, quota: Quota) -> u64 {
        self.provisioner.runtime().usage(&self.id).await.refusals(quota)
    }

    /// The organization's id and generation.
    pub(super) async fn bound_id(&self) -> Result<OrganizationId, StorageError> {
        if let Some(bound) = &self.space {
            return Ok(bound.clone());
        }
        Ok(self.provisioner.registry().find(&self.id).await?.unwrap_or_else(|| self.id.clone()))
    }
}
