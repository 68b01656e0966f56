//! The special rules of `/Users`: passphrases, `active`, and versions that depend on `groups`.

use super::context::Context;
use super::representation::Shown;
use super::resource::{Change, Received, Resource};
use super::shared::Endpoint;
use crate::protocol::document::Document;
use crate::protocol::error::ScimError;
use crate::protocol::tolerance::Tolerance;
use crate::provisioning::{Action, Members, Precondition, Provisioned, Refusal, intake, without_seat};
use crate::store::keys::Kind;
use crate::store::{MemberRecord, StoreError, Stored, own_name};

/// Users, for one request.
pub(super) struct Users<'c, 'h> {
    endpoint: Endpoint<'c, 'h>,
}

impl<'c, 'h> Users<'c, 'h> {
    pub(super) fn new(context: &'c Context<'c, 'h>) -> Result<Self, ScimError> {
        Ok(Self { endpoint: Endpoint::new(context, "User")? })
    }

    fn members(&self) -> Members<'c, 'h> {
        Members::new(self.endpoint.context.store, self.endpoint.context.organization)
    }
}

impl<'c, 'h> Resource<'c, 'h> for Users<'c, 'h> {
    type Record = MemberRecord;

    fn endpoint(&self) -> &Endpoint<'c, 'h> {
        &self.endpoint
    }

    fn kind(&self) -> Option<Kind> {
        Some(Kind::User)
    }

    /// A manual member with the same userName or email address is adopted (rule P3).
    fn create(&self, new: Received) -> Result<Provisioned<MemberRecord>, Refusal> {
        let user = intake::posted(new.document);
        let provisioned = self.members().provision(&user);
        if matches!(provisioned, Err(Refusal::NoFreeSeat { .. })) {
            let context = self.endpoint.context;
            without_seat::note(context.store, &user, None, &context.request.request_id);
        }
        let provisioned = provisioned?;
        if provisioned.action == Action::Reactivated {
            self.endpoint.context.mode.note(Tolerance::ReactivatedByPost);
        }
        Ok(provisioned)
    }

    fn find(&self, id: &str) -> Result<Option<Stored<MemberRecord>>, StoreError> {
        self.endpoint.context.store.member(id)
    }

    fn update(
        &self,
        id: &str,
        if_match: Precondition<'_>,
        change: Change<'_>,
    ) -> Result<Provisioned<MemberRecord>, Refusal> {
        let updated = self.members().update(id, if_match, |current| Ok(change(current)?.document));
        let context = self.endpoint.context;
        if matches!(updated, Err(Refusal::NoFreeSeat { .. }))
            && let Ok(Some(member)) = context.store.member(id)
        {
            without_seat::note(context.store, &member.record.document, Some(id), &context.request.request_id);
        }
        updated
    }

    fn remove(&self, id: &str, if_match: Precondition<'_>) -> Result<Provisioned<MemberRecord>, Refusal> {
        self.members().delete(id, if_match)
    }

    fn shown(&self, stored: &Stored<MemberRecord>) -> Result<Shown, StoreError> {
        self.endpoint.representation().user(stored)
    }

    fn name_of(&self, document: &Document) -> Option<String> {
        own_name(document).or_else(|| Some(document.get("userName")?.as_str()?.to_owned()))
    }

    fn whole(&self, stored: &Stored<MemberRecord>) -> Result<Document, StoreError> {
        let representation = self.endpoint.representation();
        let mut document = representation.whole_user(stored);
        representation.add_groups(stored, &mut document)?;
        Ok(document)
    }

    fn received(&self) -> Result<Received, ScimError> {
        let context = self.endpoint.context;
        let document = intake::user(&self.endpoint.schema, context.body()?, context.mode)?;
        Ok(Received { document, members: Vec::new() })
    }

    /// If a replacement has no `active`, or a PATCH removes it, the current value stays (T20, T23): a client that omits
    /// the attribute must not give anybody access. Strict mode refuses to remove it.
    fn replaces_with(&self, incoming: &Document) {
        if !incoming.contains_key("active") {
            self.endpoint.context.mode.note(Tolerance::LeftOut);
        }
    }

    fn settle(&self, document: &mut Document) {
        intake::drop_password(document, self.endpoint.context.mode);
    }

    /// A condition may name the user's own version, or the version that is shown together with `groups`.
    fn allows(&self, id: &str, version: u64) -> bool {
        if !self.endpoint.is_conditional() {
            return true;
        }
        // If the shown version can't be read, the condition does not count as met.
        let Ok(newest) = self.endpoint.context.store.newest_team_of(id) else { return false };
        self.endpoint.allows(&[version, version.max(newest)])
    }
}
