//! The quotas that the operator has set for single organizations, in the host's own space.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::record::{ATTEMPTS, OfOrganization};
use crate::capability::host_space::HostSpace;
use crate::capability::storage::{Change, Condition, OrganizationId, Storage, StorageError};
use crate::quota::{InvalidQuota, Quota, Quotas};

/// The reason why a quota was not set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuotaError {
    /// There is no such quota, or its limit is too low.
    #[error(transparent)]
    Invalid(#[from] InvalidQuota),
    /// The storage refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The record of an organization's quotas, as JSON at `quota/<name>`.
#[derive(Default, Serialize, Deserialize)]
struct Record {
    /// The limits that are not the default ones.
    limits: BTreeMap<String, u64>,
}

/// The quotas of all organizations.
pub(crate) struct QuotaBook {
    storage: Arc<dyn Storage>,
    /// The limits of organizations for which the operator has set no others.
    defaults: Quotas,
}

impl QuotaBook {
    pub(crate) fn new(storage: Arc<dyn Storage>, defaults: Quotas) -> Self {
        Self { storage, defaults }
    }

    /// The organization's limits.
    pub(crate) async fn limits(&self, organization: &OrganizationId) -> Result<Quotas, StorageError> {
        let (record, _) = self.read(organization).await?;
        // A later version of the host may have set quotas that this one does not know. They are ignored.
        let known =
            record.value.limits.into_iter().filter_map(|(name, limit)| Some((name.parse::<Quota>().ok()?, limit)));
        Ok(known.fold(self.defaults, |quotas, (quota, limit)| quotas.with(quota, limit).unwrap_or(quotas)))
    }

    /// Sets a limit; `None` sets the default one. Returns whether the limit was another one before.
    pub(crate) async fn set(
        &self,
        organization: &OrganizationId,
        quota: Quota,
        limit: Option<u64>,
    ) -> Result<bool, QuotaError> {
        if let Some(limit) = limit {
            self.defaults.with(quota, limit)?;
        }
        let mut tried = 0;
        loop {
            let (mut record, require) = self.read(organization).await?;
            let before = match limit {
                Some(limit) => record.value.limits.insert(quota.name().to_owned(), limit),
                None => record.value.limits.remove(quota.name()),
            };
            if before == limit {
                return Ok(false);
            }
            let json = serde_json::to_vec(&record).map_err(corrupt)?;
            let changes = vec![Change::put(key(organization), json)];
            match HostSpace(&*self.storage).commit(vec![require], changes).await {
                Err(StorageError::Conflict(_)) if tried < ATTEMPTS => tried += 1,
                committed => return Ok(committed.map(|_| true)?),
            }
        }
    }

    /// Forgets what was set for an organization that is being deleted.
    pub(crate) async fn forget(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        HostSpace(&*self.storage).change(vec![Change::Delete(key(organization))]).await
    }

    async fn read(&self, organization: &OrganizationId) -> Result<(OfOrganization<Record>, Condition), StorageError> {
        let item = HostSpace(&*self.storage).get(key(organization)).await?;
        OfOrganization::read(organization, key(organization), item.as_ref(), corrupt)
    }
}

fn key(organization: &OrganizationId) -> Vec<u8> {
    format!("quota/{organization}").into()
}

fn corrupt(error: serde_json::Error) -> StorageError {
    StorageError::Other(format!("the quotas of an organization are not what this host wrote: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    #[tokio::test]
    async fn what_is_set_for_one_organization_holds_for_it_alone_and_until_it_is_deleted() {
        let defaults = Quotas::default().with(Quota::EmailsPerDay, 100).unwrap();
        let book = QuotaBook::new(Arc::new(MemoryStorage::new()), defaults);
        let [one, other] = ["one", "other"].map(|name| OrganizationId::parse(name).unwrap());
        assert_eq!(book.set(&one, Quota::EmailsPerDay, Some(7)).await, Ok(true));
        assert_eq!(book.set(&one, Quota::EmailsPerDay, Some(7)).await, Ok(false), "it was that before");
        book.set(&one, Quota::StorageKeys, Some(8)).await.unwrap();
        let limits = book.limits(&one).await.unwrap();
        assert_eq!((limits.limit(Quota::EmailsPerDay), limits.limit(Quota::StorageKeys)), (7, 8));
        assert_eq!(book.limits(&other).await, Ok(defaults));
        assert_eq!(book.limits(&one.with_generation(1)).await, Ok(defaults), "the next of its name begins anew");
        book.set(&one, Quota::EmailsPerDay, None).await.unwrap();
        assert_eq!(book.limits(&one).await.unwrap().limit(Quota::EmailsPerDay), 100);
        book.forget(&one).await.unwrap();
        assert_eq!(book.limits(&one).await, Ok(defaults));
    }

    #[tokio::test]
    async fn a_rate_below_what_identity_providers_expect_is_refused() {
        let book = QuotaBook::new(Arc::new(MemoryStorage::new()), Quotas::default());
        let one = OrganizationId::parse("one").unwrap();
        let refused = book.set(&one, Quota::RequestsPerSecond, Some(24)).await.unwrap_err();
        assert_eq!(refused, InvalidQuota::TooLow(Quota::RequestsPerSecond).into());
        book.set(&one, Quota::RequestsPerSecond, Some(25)).await.unwrap();
    }
}
