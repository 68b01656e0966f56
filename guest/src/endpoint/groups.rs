//! `/Groups`: create, read, replace, modify, delete (RFC 7644 §3.3–§3.6).

use serde_json::Value;

use super::answer::Answer;
use super::conditions::etag;
use super::context::Context;
use super::endpoint::Endpoint;
use crate::protocol::document::{self, Document};
use crate::protocol::error::ScimError;
use crate::protocol::patch::{self, Member, MemberChange, PatchRequest};
use crate::provisioning::{Provisioned, Refusal, TeamPatch, Teams};
use crate::store::keys::Kind;
use crate::store::{Stored, TeamRecord};

/// A PATCH of a group with more members than this is answered 204 unless the client asks for attributes, so that a
/// membership change never costs the size of the group.
const ANSWERED_WHOLE: u64 = 500;

/// Groups, for one request.
pub(super) struct Groups<'c, 'h>(Endpoint<'c, 'h>);

impl<'c, 'h> Groups<'c, 'h> {
    pub(super) fn new(context: &'c Context<'c, 'h>) -> Result<Self, ScimError> {
        Endpoint::new(context, "Group").map(Self)
    }

    /// POST. A manual team of the same name is adopted (rule P3).
    pub(super) fn create(&self) -> Result<Answer, ScimError> {
        let (document, members) = self.received()?;
        let provisioned = self.0.told(self.teams().provision(&document, &members), None)?;
        self.note(&provisioned);
        self.answer(201, &provisioned.stored)
    }

    /// GET by id.
    pub(super) fn read(&self, id: &str) -> Result<Answer, ScimError> {
        if let Some(answer) = self.0.read_row(Kind::Team, id)? {
            return Ok(answer);
        }
        let not_found = || Refusal::NotFound { kind: "Group".into(), id: id.to_owned() };
        let stored = self.0.context.store.team(id)?.ok_or_else(not_found)?;
        self.0.note_subject(id, stored.record.display_name());
        self.0.unchanged(Kind::Team, id, &stored)?.map_or_else(|| self.answer(200, &stored), Ok)
    }

    /// PUT. Without `members` it clears them (T23).
    pub(super) fn replace(&self, id: &str) -> Result<Answer, ScimError> {
        let (incoming, members) = self.received()?;
        let result = self.teams().update(id, &|version| self.0.allows(version), |current| {
            let document = document::replace(&self.0.schema, current, incoming.clone())?;
            Ok(TeamPatch { document, members: vec![MemberChange::Replace(members.clone())] })
        });
        let provisioned = self.0.told(result, Some(id))?;
        self.note(&provisioned);
        self.answer(200, &provisioned.stored)
    }

    /// PATCH.
    pub(super) fn modify(&self, id: &str) -> Result<Answer, ScimError> {
        let mode = self.0.context.mode;
        let body = self.0.body()?;
        let operations = PatchRequest::parse(&self.0.schema, &body, mode)?;
        let shown = if mode.is_strict() { self.0.context.store.team(id)? } else { None };
        let shown = shown.map(|stored| self.0.representation().whole_group(&stored));
        let result = self.teams().update(id, &|version| self.0.allows(version), |current| {
            let mut document = current.clone();
            let outcome = patch::apply_shown(&self.0.schema, &mut document, shown.as_ref(), &operations, mode)?;
            document::required_present(&self.0.schema, &document)?;
            Ok(TeamPatch { document, members: outcome.members })
        });
        let provisioned = self.0.told(result, Some(id))?;
        self.note(&provisioned);
        if self.is_answered_whole(&provisioned.stored)? {
            return self.answer(200, &provisioned.stored);
        }
        let etag = Some(etag(provisioned.stored.resource_version()));
        Ok(Answer { etag, ..Answer::no_content() })
    }

    /// DELETE.
    pub(super) fn delete(&self, id: &str) -> Result<Answer, ScimError> {
        let provisioned = self.0.told(self.teams().delete(id, &|version| self.0.allows(version)), Some(id))?;
        self.note(&provisioned);
        Ok(Answer::no_content())
    }

    fn teams(&self) -> Teams<'c, 'h> {
        Teams::new(self.0.context.store, self.0.context.organization, &self.0.context.request.base_url)
    }

    /// RFC 7644 §3.5.2: 200 with the representation wherever the client asks for attributes.
    fn is_answered_whole(&self, stored: &Stored<TeamRecord>) -> Result<bool, ScimError> {
        if !self.0.query.projection.is_default() {
            return Ok(true);
        }
        if self.0.context.organization.options.group_patch_no_content {
            return Ok(false);
        }
        Ok(stored.touch.is_none() || self.0.context.store.team_size(stored.record.id())? <= ANSWERED_WHOLE)
    }

    /// The group and its members, which are kept apart from it.
    fn received(&self) -> Result<(Document, Vec<Member>), ScimError> {
        let mut document = self.0.received()?;
        let members = match document.shift_remove("members") {
            Some(Value::Array(members)) => members.iter().map(member).collect::<Result<_, _>>()?,
            _ => Vec::new(),
        };
        Ok((document, members))
    }

    fn answer(&self, status: u16, stored: &Stored<TeamRecord>) -> Result<Answer, ScimError> {
        let shown = self.0.representation().group(stored)?;
        Ok(self.0.answer(status, stored.record.id(), shown))
    }

    fn note(&self, provisioned: &Provisioned<TeamRecord>) {
        let record = &provisioned.stored.record;
        self.0.note(provisioned, record.id(), record.display_name());
    }
}

fn member(element: &Value) -> Result<Member, ScimError> {
    let text = |name: &str| element.get(name).and_then(Value::as_str).map(str::to_owned);
    let value = text("value").ok_or_else(|| ScimError::invalid_value("A member has no 'value'"))?;
    Ok(Member { value, kind: text("type") })
}
