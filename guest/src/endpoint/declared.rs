//! Resources of declared types: create, read, replace, modify, delete (RFC 7644 §3.3–§3.6).

use super::answer::Answer;
use super::context::Context;
use super::endpoint::Endpoint;
use super::representation::Shown;
use crate::protocol::document::{self, Document};
use crate::protocol::error::ScimError;
use crate::protocol::patch::{self, PatchRequest};
use crate::provisioning::{Provisioned, Resources};
use crate::store::{ResourceRecord, Stored};

/// Resources of one declared type, for one request.
pub(super) struct Declared<'c, 'h>(Endpoint<'c, 'h>);

impl<'c, 'h> Declared<'c, 'h> {
    pub(super) fn new(context: &'c Context<'c, 'h>, resource_type: &str) -> Result<Self, ScimError> {
        Endpoint::new(context, resource_type).map(Self)
    }

    /// POST.
    pub(super) fn create(&self) -> Result<Answer, ScimError> {
        let provisioned = self.resources().add(&self.0.received()?)?;
        Ok(self.noted(201, &provisioned))
    }

    /// GET by id.
    pub(super) fn read(&self, id: &str) -> Result<Answer, ScimError> {
        let stored = self.resources().get(id)?;
        self.0.note_subject(id, id);
        Ok(self.0.not_modified(stored.resource_version()).unwrap_or_else(|| self.answer(200, &stored)))
    }

    /// PUT.
    pub(super) fn replace(&self, id: &str) -> Result<Answer, ScimError> {
        let incoming = self.0.received()?;
        let replace = |current: &Document| document::replace(&self.0.schema, current, incoming.clone());
        let provisioned = self.resources().update(id, &|version| self.0.allows(version), replace)?;
        Ok(self.noted(200, &provisioned))
    }

    /// PATCH.
    pub(super) fn modify(&self, id: &str) -> Result<Answer, ScimError> {
        let mode = self.0.context.mode;
        let body = self.0.body()?;
        let operations = PatchRequest::parse(&self.0.schema, &body, mode)?;
        let shown = if mode.is_strict() { self.resources().get(id).ok() } else { None };
        let shown = shown.map(|stored| self.0.representation().whole_resource(&stored));
        let provisioned = self.resources().update(id, &|version| self.0.allows(version), |current| {
            let mut changed = current.clone();
            patch::apply_shown(&self.0.schema, &mut changed, shown.as_ref(), &operations, mode)?;
            document::required_present(&self.0.schema, &changed)?;
            Ok(changed)
        })?;
        Ok(self.noted(200, &provisioned))
    }

    /// DELETE.
    pub(super) fn delete(&self, id: &str) -> Result<Answer, ScimError> {
        let provisioned = self.resources().delete(id, &|version| self.0.allows(version))?;
        self.0.note(&provisioned, id, id);
        Ok(Answer::no_content())
    }

    fn resources(&self) -> Resources<'_, 'h> {
        Resources::new(self.0.context.store, &self.0.schema.resource_type.name)
    }

    fn noted(&self, status: u16, provisioned: &Provisioned<ResourceRecord>) -> Answer {
        let id = provisioned.stored.record.id();
        self.0.note(provisioned, id, id);
        self.answer(status, &provisioned.stored)
    }

    fn answer(&self, status: u16, stored: &Stored<ResourceRecord>) -> Answer {
        let json = self.0.representation().resource(stored);
        self.0.answer(status, stored.record.id(), Shown { json, version: stored.resource_version() })
    }
}
