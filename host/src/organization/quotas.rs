//! How much the organization may take over time.

use serde_json::json;

use super::Organization;
use crate::capability::storage::{OrganizationId, StorageError};
use crate::quota::{Quota, Quotas};
use crate::registry::QuotaError;

impl Organization {
    /// Its limits: those of the host, with those that were set for it in their place.
    ///
    /// # Errors
    /// The storage's.
    pub async fn quotas(&self) -> Result<Quotas, StorageError> {
        let bound = self.bound_id().await?;
        self.provisioner.runtime().quotas().limits(&bound).await
    }

    /// Sets one of its limits; `None` for that of the host. It holds in all processes within five seconds.
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

    /// Its id with its generation.
    pub(super) async fn bound_id(&self) -> Result<OrganizationId, StorageError> {
        if let Some(bound) = &self.space {
            return Ok(bound.clone());
        }
        Ok(self.provisioner.registry().find(&self.id).await?.unwrap_or_else(|| self.id.clone()))
    }
}
