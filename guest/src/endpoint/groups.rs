//! The special rules of `/Groups`: members are stored apart from the group, and changes of large groups are answered
//! 204.

use serde_json::Value;

use super::context::Context;
use super::representation::Shown;
use super::resource::{Change, Received, Resource};
use super::shared::Endpoint;
use crate::protocol::document::Document;
use crate::protocol::error::ScimError;
use crate::protocol::patch::member_id;
use crate::protocol::tolerance::Tolerance;
use crate::provisioning::{Precondition, Provisioned, Refusal, Teams};
use crate::store::keys::Kind;
use crate::store::{StoreError, Stored, TeamRecord};

/// A PATCH of a group with more members than this is answered 204 unless the client asks for attributes, so that a
/// membership change never costs the size of the group.
const ANSWERED_WHOLE: u64 = 500;

/// Groups, for one request.
pub(super) struct Groups<'c, 'h> {
    endpoint: Endpoint<'c, 'h>,
}

impl<'c, 'h> Groups<'c, 'h> {
    pub(super) fn new(context: &'c Context<'c, 'h>) -> Result<Self, ScimError> {
        Ok(Self { endpoint: Endpoint::new(context, "Group")? })
    }

    fn teams(&self) -> Teams<'c, 'h> {
        let context = self.endpoint.context;
        Teams::new(context.store, context.organization, &context.request.base_url)
    }
}

impl<'c, 'h> Resource<'c, 'h> for Groups<'c, 'h> {
    type Record = TeamRecord;

    fn endpoint(&self) -> &Endpoint<'c, 'h> {
        &self.endpoint
    }

    fn kind(&self) -> Option<Kind> {
        Some(Kind::Team)
    }

    /// A manual team of the same name is adopted (rule P3).
    fn create(&self, new: Received) -> Result<Provisioned<TeamRecord>, Refusal> {
        self.teams().provision(&new.document, new.members)
    }

    fn find(&self, id: &str) -> Result<Option<Stored<TeamRecord>>, StoreError> {
        self.endpoint.context.store.team(id)
    }

    /// A replacement without `members` clears them (T23).
    fn update(
        &self,
        id: &str,
        if_match: Precondition<'_>,
        change: Change<'_>,
    ) -> Result<Provisioned<TeamRecord>, Refusal> {
        self.teams().update(id, if_match, change)
    }

    fn remove(&self, id: &str, if_match: Precondition<'_>) -> Result<Provisioned<TeamRecord>, Refusal> {
        self.teams().delete(id, if_match)
    }

    fn shown(&self, stored: &Stored<TeamRecord>) -> Result<Shown, StoreError> {
        self.endpoint.representation().group(stored)
    }

    fn whole(&self, stored: &Stored<TeamRecord>) -> Result<Document, StoreError> {
        Ok(self.endpoint.representation().whole_group(stored))
    }

    fn received(&self) -> Result<Received, ScimError> {
        let mut document = self.endpoint.received()?;
        let members = match document.shift_remove("members") {
            Some(Value::Array(members)) => members.iter().map(member_id).collect::<Result<_, _>>()?,
            _ => Vec::new(),
        };
        Ok(Received { document, members })
    }

    /// RFC 7644 §3.5.2: the answer is 200 with the representation if the client asks for attributes. It is also 200 if
    /// unknown members were left out (T33), so that the client sees it, unless the group is large.
    fn is_answered_whole(&self, done: &Provisioned<TeamRecord>) -> Result<bool, ScimError> {
        if !self.endpoint.query.projection.is_default() {
            return Ok(true);
        }
        let context = self.endpoint.context;
        if context.organization.options.group_patch_no_content && done.left_out == 0 {
            return Ok(false);
        }
        Ok(done.stored.touch.is_none() || context.store.team_size(done.stored.record.id())? <= ANSWERED_WHOLE)
    }

    fn note_tolerance(&self, done: &Provisioned<TeamRecord>) {
        if done.left_out > 0 {
            self.endpoint.context.mode.note(Tolerance::UnknownMembers);
        }
    }
}
