//! `/Users`: create, read, replace, modify, delete (RFC 7644 §3.3–§3.6).

use super::answer::Answer;
use super::context::Context;
use super::endpoint::Endpoint;
use crate::protocol::document::{self, Document};
use crate::protocol::error::ScimError;
use crate::protocol::patch::{self, PatchRequest};
use crate::protocol::tolerance::Tolerance;
use crate::provisioning::{Action, Members, Provisioned, Refusal};
use crate::store::keys::Kind;
use crate::store::{MemberRecord, Stored};

/// Users, for one request.
pub(super) struct Users<'c, 'h>(Endpoint<'c, 'h>);

impl<'c, 'h> Users<'c, 'h> {
    pub(super) fn new(context: &'c Context<'c, 'h>) -> Result<Self, ScimError> {
        Endpoint::new(context, "User").map(Self)
    }

    /// POST. A manual member with the same userName or email address is adopted (rule P3).
    pub(super) fn create(&self) -> Result<Answer, ScimError> {
        let mut document = self.received()?;
        document.entry("active").or_insert(true.into());
        let provisioned = self.0.told(self.members().provision(&document), None)?;
        if provisioned.action == Action::Reactivated {
            self.0.context.mode.note(Tolerance::ReactivatedByPost);
        }
        self.note(&provisioned);
        self.answer(201, &provisioned.stored)
    }

    /// GET by id.
    pub(super) fn read(&self, id: &str) -> Result<Answer, ScimError> {
        if let Some(answer) = self.0.read_row(Kind::User, id)? {
            return Ok(answer);
        }
        let not_found = || Refusal::NotFound { kind: "User".into(), id: id.to_owned() };
        let stored = self.0.context.store.member(id)?.ok_or_else(not_found)?;
        self.0.note_subject(id, &stored.record.display_name());
        self.0.unchanged(Kind::User, id, &stored)?.map_or_else(|| self.answer(200, &stored), Ok)
    }

    /// PUT.
    pub(super) fn replace(&self, id: &str) -> Result<Answer, ScimError> {
        let incoming = self.received()?;
        if !incoming.contains_key("active") {
            self.0.context.mode.note(Tolerance::LeftOut);
        }
        let replace = |current: &Document| document::replace(&self.0.schema, current, incoming.clone());
        let result = self.members().update(id, &|version| self.allows(id, version), replace);
        let provisioned = self.0.told(result, Some(id))?;
        self.note(&provisioned);
        self.answer(200, &provisioned.stored)
    }

    /// PATCH. An `active` that is removed, or replaced by no value, stays as it is, as with PUT (T20, T23): nobody gets
    /// access because a client says nothing. Strict mode refuses to remove it.
    pub(super) fn modify(&self, id: &str) -> Result<Answer, ScimError> {
        let mode = self.0.context.mode;
        let body = self.0.body()?;
        let operations = PatchRequest::parse(&self.0.schema, &body, mode)?;
        let shown = if mode.is_strict() { self.shown(id)? } else { None };
        let result = self.members().update(id, &|version| self.allows(id, version), |current| {
            let mut changed = current.clone();
            patch::apply_shown(&self.0.schema, &mut changed, shown.as_ref(), &operations, mode)?;
            document::required_present(&self.0.schema, &changed)?;
            self.drop_password(&mut changed);
            Ok(changed)
        });
        let provisioned = self.0.told(result, Some(id))?;
        self.note(&provisioned);
        self.answer(200, &provisioned.stored)
    }

    /// DELETE.
    pub(super) fn delete(&self, id: &str) -> Result<Answer, ScimError> {
        let provisioned = self.0.told(self.members().delete(id, &|version| self.allows(id, version)), Some(id))?;
        self.note(&provisioned);
        Ok(Answer::no_content())
    }

    /// What clients see of the user: by that strict mode tells whether a read-only value is the current one (T5).
    fn shown(&self, id: &str) -> Result<Option<Document>, ScimError> {
        let Some(stored) = self.0.context.store.member(id)? else { return Ok(None) };
        let mut document = self.0.representation().whole_user(&stored);
        self.0.representation().add_groups(&stored, &mut document)?;
        Ok(Some(document))
    }

    /// Whether `If-Match` allows to change this version: it names the user's own, or the one that is shown with `groups`.
    fn allows(&self, id: &str, version: u64) -> bool {
        self.0.allows(version)
            || self.0.context.store.newest_team_of(id).is_ok_and(|newest| self.0.allows(version.max(newest)))
    }

    fn members(&self) -> Members<'c, 'h> {
        Members::new(self.0.context.store, self.0.context.organization)
    }

    fn received(&self) -> Result<Document, ScimError> {
        let mut document = self.0.received()?;
        self.drop_password(&mut document);
        Ok(document)
    }

    /// Passphrases are Insomnia's own: the password that an identity provider sends is dropped (T26).
    fn drop_password(&self, document: &mut Document) {
        if document::take_secret(document).is_some() {
            self.0.context.mode.note(Tolerance::Password);
        }
    }

    fn answer(&self, status: u16, stored: &Stored<MemberRecord>) -> Result<Answer, ScimError> {
        let shown = self.0.representation().user(stored)?;
        Ok(self.0.answer(status, stored.record.id(), shown))
    }

    fn note(&self, provisioned: &Provisioned<MemberRecord>) {
        let record = &provisioned.stored.record;
        self.0.note(provisioned, record.id(), &record.display_name());
    }
}
