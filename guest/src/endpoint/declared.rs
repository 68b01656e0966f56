//! Resources of types that the organization has declared: they follow the general rules, without any special ones.

use super::context::Context;
use super::representation::Shown;
use super::resource::{Change, Received, Resource};
use super::shared::Endpoint;
use crate::protocol::document::Document;
use crate::protocol::error::ScimError;
use crate::provisioning::{Precondition, Provisioned, Refusal, Resources};
use crate::store::keys::Kind;
use crate::store::{ResourceRecord, StoreError, Stored};

/// Resources of one declared type, for one request.
pub(super) struct Declared<'c, 'h> {
    endpoint: Endpoint<'c, 'h>,
}

impl<'c, 'h> Declared<'c, 'h> {
    pub(super) fn new(context: &'c Context<'c, 'h>, resource_type: &str) -> Result<Self, ScimError> {
        Ok(Self { endpoint: Endpoint::new(context, resource_type)? })
    }

    fn resources(&self) -> Resources<'_, 'h> {
        Resources::new(self.endpoint.context.store, &self.endpoint.schema.resource_type.name)
    }
}

impl<'c, 'h> Resource<'c, 'h> for Declared<'c, 'h> {
    type Record = ResourceRecord;

    fn endpoint(&self) -> &Endpoint<'c, 'h> {
        &self.endpoint
    }

    fn kind(&self) -> Option<Kind> {
        None
    }

    fn create(&self, new: Received) -> Result<Provisioned<ResourceRecord>, Refusal> {
        self.resources().add(&new.document)
    }

    fn find(&self, id: &str) -> Result<Option<Stored<ResourceRecord>>, StoreError> {
        self.endpoint.context.store.resource(&self.endpoint.schema.resource_type.name, id)
    }

    fn update(
        &self,
        id: &str,
        if_match: Precondition<'_>,
        change: Change<'_>,
    ) -> Result<Provisioned<ResourceRecord>, Refusal> {
        self.resources().update(id, if_match, |current| Ok(change(current)?.document))
    }

    fn remove(&self, id: &str, if_match: Precondition<'_>) -> Result<Provisioned<ResourceRecord>, Refusal> {
        self.resources().delete(id, if_match)
    }

    fn shown(&self, stored: &Stored<ResourceRecord>) -> Result<Shown, StoreError> {
        let json = self.endpoint.representation().resource(stored);
        Ok(Shown { json, version: stored.resource_version() })
    }

    fn whole(&self, stored: &Stored<ResourceRecord>) -> Result<Document, StoreError> {
        Ok(self.endpoint.representation().whole_resource(stored))
    }
}
