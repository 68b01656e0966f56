//! The component of the fault tests, and a capability that never answers.

use async_trait::async_trait;

pub(crate) use super::fault_component::{component, component_that_begins_with};
use crate::capability::secrets::{Secrets, SecretsError};
use crate::capability::storage::OrganizationId;

/// A capability that never answers. The component waits for it if the request's path says so.
pub(super) struct Stuck;

#[async_trait]
impl Secrets for Stuck {
    async fn seal(&self, _: &OrganizationId, _: Vec<u8>) -> Result<Vec<u8>, SecretsError> {
        std::future::pending().await
    }

    async fn open(&self, _: &OrganizationId, _: Vec<u8>) -> Result<Vec<u8>, SecretsError> {
        std::future::pending().await
    }
}
