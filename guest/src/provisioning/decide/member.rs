//! Decides what is done to a member, and why (rules P3 and P4). Creating a user and previewing one use the same rules:
//! they read the store, or the store together with the changes that earlier users of a previewed list would make.

use super::{Change, merge, with_id};
use crate::protocol::document::Document;
use crate::provisioning::changed::changed;
use crate::provisioning::guard::{Admission, Removal};
use crate::provisioning::known::Known;
use crate::provisioning::letters::Welcome;
use crate::provisioning::licences::{self, Seat};
use crate::provisioning::matching::{self, Match};
use crate::provisioning::{Action, Refusal, administrators, domains};
use crate::sentence::Sentence;
use crate::store::{MemberRecord, OrganizationRecord, Origin, Role, StoreError, Stored, keys};

/// The decision about a member, and its reasons.
#[derive(Clone, Debug)]
pub struct MemberDecision {
    /// The member before the change; `None` for a new one.
    pub old: Option<Stored<MemberRecord>>,
    /// How the member's record changes.
    pub change: Change<MemberRecord>,
    /// The action that the log names.
    pub action: Action,
    /// The reasons, for the log.
    pub because: Vec<String>,
    /// When the member gets the email with the initial passphrase.
    pub welcome: Welcome,
    /// The record that the mass-deprovisioning guard writes when the change is committed.
    pub admission: Option<Admission>,
}

/// The existing member whom a posted user means.
#[derive(Clone, Debug)]
pub struct Matched {
    /// The member.
    pub member: Stored<MemberRecord>,
    /// The attribute that matches: `userName` or `emails`.
    pub attribute: &'static str,
    /// The value that matches.
    pub value: String,
}

/// The rules for the members of one organization.
#[derive(Clone, Copy)]
pub struct MemberRules<'r> {
    /// Answers the rules' questions about the members.
    pub known: &'r dyn Known,
    /// The organization, with its plan and its options.
    pub organization: &'r OrganizationRecord,
}

impl MemberRules<'_> {
    /// The member who is meant by this user.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if an index names a member who has just gone.
    pub fn matched(&self, user: &Document) -> Result<Option<Matched>, StoreError> {
        let Some(Match { id, attribute, value }) = matching::matched(self.known, user)? else { return Ok(None) };
        let member = self.known.member(&id)?.ok_or(StoreError::Conflict)?;
        Ok(Some(Matched { member, attribute, value }))
    }

    /// Decides about a posted user. If nobody matches, a member is added. A matching manual member is adopted, and one
    /// that SCIM manages is reactivated if the organization wants that.
    ///
    /// # Errors
    /// [`Refusal`] says why nothing would be done.
    pub fn post(&self, user: &Document, matched: Option<Matched>) -> Result<MemberDecision, Refusal> {
        let Some(Matched { member, attribute, value }) = matched else { return self.add(user) };
        let merged = || merge(&member.record.document, user);
        match member.record.origin {
            Origin::Manual => {
                let mut decision = self.change(member.clone(), merged(), Sentence::MatchedBy { attribute })?;
                decision.action = Action::Adopted;
                Ok(decision)
            }
            Origin::Scim if self.organization.options.reactivate_on_post && !member.record.is_active() => {
                self.change(member.clone(), merged(), Sentence::ReactivatedByPost { attribute })
            }
            Origin::Scim => Err(Refusal::Taken { attribute, value, id: member.record.id().to_owned() }),
        }
    }

    /// Decides about a member whose document is replaced by this one. The first change of a manual member makes it
    /// SCIM-managed.
    ///
    /// # Errors
    /// [`Refusal`] says why nothing would be done.
    pub(crate) fn change(
        &self,
        old: Stored<MemberRecord>,
        document: Document,
        reason: Sentence,
    ) -> Result<MemberDecision, Refusal> {
        let adopts = old.record.origin == Origin::Manual;
        if document == old.record.document && !adopts {
            let because: Vec<String> = vec![reason.into(), Sentence::NothingChanged.into()];
            let (change, action, welcome) = (Change::Nothing, Action::Unchanged, Welcome::Never);
            return Ok(MemberDecision { old: Some(old), change, action, because, welcome, admission: None });
        }
        let MemberRecord { role, created, .. } = old.record;
        let new = MemberRecord { origin: Origin::Scim, role, created, modified: self.known.now(), document };
        self.require_free_names(&old.record, &new)?;
        if domains::address(&new) != domains::address(&old.record) {
            domains::require(self.organization, &new)?;
        }
        let (was_active, is_active) = (old.record.is_active(), new.is_active());
        let goes = was_active && !is_active;
        let admission = if goes { self.known.pass_guard(&old, Removal::Deactivate)? } else { None };
        let seat = self.seat(was_active, is_active)?;
        administrators::require_owner(&old.record, Some(&new), || self.known.owners())?;
        let mut because: Vec<String> = vec![reason.into()];
        because.extend(adopts.then(|| String::from(Sentence::MemberAdopted { role: new.role.name() })));
        because.extend(changed(&old.record.document, &new.document));
        because
            .extend(seat.sentence().or_else(|| (adopts && is_active).then_some(Sentence::SeatKept)).map(String::from));
        let action = match (was_active, is_active) {
            (true, false) => Action::Deactivated,
            (false, true) => Action::Reactivated,
            _ if adopts => Action::Adopted,
            _ => Action::Updated,
        };
        let is_wanted = self.organization.options.passphrase_emails && new.mail_address().is_some();
        let is_awaited = action == Action::Reactivated && is_wanted && self.known.awaits_welcome(new.id())?;
        let welcome = if is_awaited { Welcome::Now } else { Welcome::Never };
        because.extend(is_awaited.then(|| String::from(Sentence::PassphraseMailed)));
        let mark_of = |record| domains::mark(self.organization, record);
        because.extend(
            mark_of(&new)
                .filter(|mark| adopts || mark_of(&old.record).as_ref() != Some(mark))
                .map(|mark| mark.to_string()),
        );
        Ok(MemberDecision { old: Some(old), change: Change::Put(new), action, because, welcome, admission })
    }

    /// Decides about a member who is to be removed from the organization and from every team.
    ///
    /// # Errors
    /// [`Refusal`] says why nothing would be done.
    pub fn delete(&self, old: Stored<MemberRecord>) -> Result<MemberDecision, Refusal> {
        let admission = self.known.pass_guard(&old, Removal::Delete)?;
        administrators::require_owner(&old.record, None, || self.known.owners())?;
        let seat = self.seat(old.record.is_active(), false)?.sentence().unwrap_or(Sentence::NoSeatFreed);
        let because: Vec<String> = vec![Sentence::AddressedById.into(), seat.into()];
        let (change, action, welcome) = (Change::Remove, Action::Deleted, Welcome::Never);
        Ok(MemberDecision { old: Some(old), change, action, because, welcome, admission })
    }

    fn add(&self, user: &Document) -> Result<MemberDecision, Refusal> {
        let (document, now) = (with_id(user, &self.known.new_id()), self.known.now());
        let new = MemberRecord { origin: Origin::Scim, role: Role::Member, created: now, modified: now, document };
        domains::require(self.organization, &new)?;
        let seat = self.seat(false, new.is_active())?.sentence().unwrap_or(Sentence::NoSeatTaken);
        let mut because: Vec<String> = vec![Sentence::MatchedNobody.into(), seat.into()];
        let welcome = Welcome::of_new(&new, self.organization.options.passphrase_emails);
        because.extend((welcome == Welcome::Now).then(|| String::from(Sentence::PassphraseMailed)));
        because.extend(domains::mark(self.organization, &new).map(|mark| mark.to_string()));
        Ok(MemberDecision {
            old: None,
            change: Change::Put(new),
            action: Action::Created,
            because,
            welcome,
            admission: None,
        })
    }

    fn seat(&self, before: bool, after: bool) -> Result<Seat, Refusal> {
        licences::seat(self.organization, before, after, || self.known.seats_taken())
    }

    /// Requires that nobody else has the new userName or email address.
    fn require_free_names(&self, old: &MemberRecord, new: &MemberRecord) -> Result<(), Refusal> {
        if keys::fold(new.user_name()) != keys::fold(old.user_name()) {
            require_free("userName", new.user_name(), new.id(), self.known.id_by_user_name(new.user_name())?)?;
        }
        let folded = |email: Option<&str>| email.map(keys::fold);
        if let Some(email) = new.email().filter(|email| folded(Some(email)) != folded(old.email())) {
            require_free("emails", email, new.id(), self.known.ids_by_email(&[email])?.pop().flatten())?;
        }
        Ok(())
    }
}

fn require_free(attribute: &'static str, value: &str, own: &str, holder: Option<String>) -> Result<(), Refusal> {
    match holder {
        Some(id) if id != own => Err(Refusal::Taken { attribute, value: value.to_owned(), id }),
        _ => Ok(()),
    }
}
