//! `/Users`: create, read, replace, modify, delete (RFC 7644 §3.3–§3.6).

use super::answer::{Answer, encode};
use super::conditions::{allows, etag, names};
use super::context::Context;
use super::representation::Representation;
use crate::protocol::document::{self, Document};
use crate::protocol::error::ScimError;
use crate::protocol::patch::{self, PatchRequest};
use crate::protocol::query::Query;
use crate::protocol::schema::ResourceSchema;
use crate::provisioning::{Members, Provisioned, Refusal};
use crate::store::{MemberRecord, Stored};

/// Users, for one request.
pub(super) struct Users<'c, 'h> {
    context: &'c Context<'c, 'h>,
    schema: ResourceSchema<'c>,
    query: Query,
}

impl<'c, 'h> Users<'c, 'h> {
    pub(super) fn new(context: &'c Context<'c, 'h>) -> Result<Self, ScimError> {
        let query = Query::from_parameters(context.request.query.as_deref(), context.mode())?;
        Ok(Self { context, schema: context.schema("User")?, query })
    }

    /// POST. A manual member with the same userName or email address is adopted (rule P3).
    pub(super) fn create(&self) -> Result<Answer, ScimError> {
        let document = self.from_client()?;
        let provisioned = self.members().provision(&document)?;
        self.note(&provisioned);
        self.answer(201, &provisioned.stored)
    }

    /// GET by id.
    pub(super) fn read(&self, id: &str) -> Result<Answer, ScimError> {
        let not_found = || Refusal::NotFound { kind: "User", id: id.to_owned() };
        let stored = self.context.store.member(id)?.ok_or_else(not_found)?;
        self.context.note.borrow_mut().subject("User", id, &stored.record.display_name());
        let version = stored.resource_version();
        if self.context.request.header("if-none-match").is_some_and(|header| names(header, version)) {
            return Ok(Answer { status: 304, etag: Some(etag(version)), ..Answer::default() });
        }
        self.answer(200, &stored)
    }

    /// PUT.
    pub(super) fn replace(&self, id: &str) -> Result<Answer, ScimError> {
        let incoming = self.from_client()?;
        let provisioned = self.members().update(id, &|version| self.allows(version), |current| {
            document::replace(&self.schema, current, incoming.clone())
        })?;
        self.note(&provisioned);
        self.answer(200, &provisioned.stored)
    }

    /// PATCH.
    pub(super) fn modify(&self, id: &str) -> Result<Answer, ScimError> {
        let mode = self.context.mode();
        let body = document::parse(&self.context.request.body)?;
        let operations = PatchRequest::parse(&self.schema, &body, mode)?;
        let provisioned = self.members().update(id, &|version| self.allows(version), |current| {
            let mut changed = current.clone();
            patch::apply(&self.schema, &mut changed, &operations, mode)?;
            document::required_present(&self.schema, &changed)?;
            changed.entry("active").or_insert(true.into());
            // Passwords are not synchronised: what the identity provider sends is dropped (T26).
            document::take_secret(&mut changed);
            Ok(changed)
        })?;
        self.note(&provisioned);
        self.answer(200, &provisioned.stored)
    }

    /// DELETE.
    pub(super) fn delete(&self, id: &str) -> Result<Answer, ScimError> {
        let provisioned = self.members().delete(id, &|version| self.allows(version))?;
        self.note(&provisioned);
        Ok(Answer::no_content())
    }

    fn members(&self) -> Members<'c, 'h> {
        Members::new(self.context.store, self.context.organization)
    }

    fn allows(&self, version: u64) -> bool {
        allows(self.context.request.header("if-match"), version)
    }

    fn from_client(&self) -> Result<Document, ScimError> {
        let body = document::parse(&self.context.request.body)?;
        let mut document = document::from_client(&self.schema, body, self.context.mode())?;
        document::take_secret(&mut document);
        Ok(document)
    }

    fn answer(&self, status: u16, stored: &Stored<MemberRecord>) -> Result<Answer, ScimError> {
        let representation = Representation::new(self.context, &self.schema, &self.query.projection);
        let document = representation.user(stored)?;
        Ok(Answer {
            etag: Some(etag(stored.resource_version())),
            location: Some(self.context.location(&self.schema, stored.record.id())),
            ..Answer::json(status, encode(&document.into()))
        })
    }

    fn note(&self, provisioned: &Provisioned<MemberRecord>) {
        let record = &provisioned.stored.record;
        let mut note = self.context.note.borrow_mut();
        note.subject("User", record.id(), &record.display_name());
        note.action(provisioned.action, &provisioned.because);
    }
}
