//! `/Groups`: create, read, replace, modify, delete (RFC 7644 §3.3–§3.6).

use serde_json::Value;

use super::answer::{Answer, encode};
use super::conditions::{allows, etag, names};
use super::context::Context;
use super::representation::Representation;
use crate::protocol::document::{self, Document};
use crate::protocol::error::ScimError;
use crate::protocol::patch::{self, Member, MemberChange, PatchRequest};
use crate::protocol::query::Query;
use crate::protocol::schema::ResourceSchema;
use crate::provisioning::{Provisioned, Refusal, TeamPatch, Teams};
use crate::store::{Stored, TeamRecord};

/// A PATCH of a group with more members than this is answered 204 unless the client asks for attributes, so that a
/// membership change never costs the size of the group.
const ANSWERED_WHOLE: u64 = 500;

/// Groups, for one request.
pub(super) struct Groups<'c, 'h> {
    context: &'c Context<'c, 'h>,
    schema: ResourceSchema<'c>,
    query: Query,
}

impl<'c, 'h> Groups<'c, 'h> {
    pub(super) fn new(context: &'c Context<'c, 'h>) -> Result<Self, ScimError> {
        let query = Query::from_parameters(context.request.query.as_deref(), context.mode())?;
        Ok(Self { context, schema: context.schema("Group")?, query })
    }

    /// POST. A manual team of the same name is adopted (rule P3).
    pub(super) fn create(&self) -> Result<Answer, ScimError> {
        let (document, members) = self.from_client()?;
        let provisioned = self.teams().provision(&document, &members)?;
        self.note(&provisioned);
        self.answer(201, &provisioned.stored)
    }

    /// GET by id.
    pub(super) fn read(&self, id: &str) -> Result<Answer, ScimError> {
        let not_found = || Refusal::NotFound { kind: "Group", id: id.to_owned() };
        let stored = self.context.store.team(id)?.ok_or_else(not_found)?;
        self.context.note.borrow_mut().subject("Group", id, stored.record.display_name());
        let version = stored.resource_version();
        if self.context.request.header("if-none-match").is_some_and(|header| names(header, version)) {
            return Ok(Answer { status: 304, etag: Some(etag(version)), ..Answer::default() });
        }
        self.answer(200, &stored)
    }

    /// PUT. Without `members` it clears them (T23).
    pub(super) fn replace(&self, id: &str) -> Result<Answer, ScimError> {
        let (incoming, members) = self.from_client()?;
        let provisioned = self.teams().update(id, &|version| self.allows(version), |current| {
            let document = document::replace(&self.schema, current, incoming.clone())?;
            Ok(TeamPatch { document, members: vec![MemberChange::Replace(members.clone())] })
        })?;
        self.note(&provisioned);
        self.answer(200, &provisioned.stored)
    }

    /// PATCH.
    pub(super) fn modify(&self, id: &str) -> Result<Answer, ScimError> {
        let mode = self.context.mode();
        let body = document::parse(&self.context.request.body)?;
        let operations = PatchRequest::parse(&self.schema, &body, mode)?;
        let provisioned = self.teams().update(id, &|version| self.allows(version), |current| {
            let mut document = current.clone();
            let outcome = patch::apply(&self.schema, &mut document, &operations, mode)?;
            document::required_present(&self.schema, &document)?;
            Ok(TeamPatch { document, members: outcome.members })
        })?;
        self.note(&provisioned);
        if self.is_answered_whole(&provisioned.stored)? {
            return self.answer(200, &provisioned.stored);
        }
        let etag = Some(etag(provisioned.stored.resource_version()));
        Ok(Answer { etag, ..Answer::no_content() })
    }

    /// DELETE.
    pub(super) fn delete(&self, id: &str) -> Result<Answer, ScimError> {
        let provisioned = self.teams().delete(id, &|version| self.allows(version))?;
        self.note(&provisioned);
        Ok(Answer::no_content())
    }

    fn teams(&self) -> Teams<'c, 'h> {
        Teams::new(self.context.store, self.context.organization)
    }

    fn allows(&self, version: u64) -> bool {
        allows(self.context.request.header("if-match"), version)
    }

    /// RFC 7644 §3.5.2: 200 with the representation wherever the client asks for attributes.
    fn is_answered_whole(&self, stored: &Stored<TeamRecord>) -> Result<bool, ScimError> {
        if !self.query.projection.is_default() {
            return Ok(true);
        }
        if self.context.organization.options.group_patch_no_content {
            return Ok(false);
        }
        Ok(stored.touch.is_none() || self.context.store.team_size(stored.record.id())? <= ANSWERED_WHOLE)
    }

    /// The group and its members, which are kept apart from it.
    fn from_client(&self) -> Result<(Document, Vec<Member>), ScimError> {
        let body = document::parse(&self.context.request.body)?;
        let mut document = document::from_client(&self.schema, body, self.context.mode())?;
        let members = match document.shift_remove("members") {
            Some(Value::Array(members)) => members.iter().map(member).collect::<Result<_, _>>()?,
            _ => Vec::new(),
        };
        Ok((document, members))
    }

    fn answer(&self, status: u16, stored: &Stored<TeamRecord>) -> Result<Answer, ScimError> {
        let representation = Representation::new(self.context, &self.schema, &self.query.projection);
        let document = representation.group(stored)?;
        Ok(Answer {
            etag: Some(etag(stored.resource_version())),
            location: Some(self.context.location(&self.schema, stored.record.id())),
            ..Answer::json(status, encode(&document.into()))
        })
    }

    fn note(&self, provisioned: &Provisioned<TeamRecord>) {
        let record = &provisioned.stored.record;
        let mut note = self.context.note.borrow_mut();
        note.subject("Group", record.id(), record.display_name());
        note.action(provisioned.action, &provisioned.because);
    }
}

fn member(element: &Value) -> Result<Member, ScimError> {
    let text = |name: &str| element.get(name).and_then(Value::as_str).map(str::to_owned);
    let value = text("value").ok_or_else(|| ScimError::invalid_value("A member has no 'value'"))?;
    Ok(Member { value, kind: text("type") })
}
