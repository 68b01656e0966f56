//! Members: this module commits what [`decide`](super::decide) has decided (rules P3 and P4).

use serde_json::Value;

use super::decide::{Change, MemberDecision, MemberRules};
use super::guard;
use super::letters::{Welcome, welcome};
use super::{Precondition, Provisioned, Refusal, licences, without_seat, write};
use crate::protocol::document::Document;
use crate::protocol::error::ScimError;
use crate::protocol::schema::ENTERPRISE_USER;
use crate::sentence::Sentence;
use crate::store::{
    Batch, Candidates, MemberRecord, OrganizationRecord, Store, StoreError, Stored, keys, primary_email,
};

/// The members of an organization, as SCIM sees and changes them.
pub struct Members<'c, 'h> {
    store: &'c Store<'h>,
    organization: &'c OrganizationRecord,
}

impl<'c, 'h> Members<'c, 'h> {
    /// The members of the organization.
    pub fn new(store: &'c Store<'h>, organization: &'c OrganizationRecord) -> Self {
        Self { store, organization }
    }

    /// Provisions a user: adopts the manual member with the same userName or one of its email addresses, else adds a
    /// member.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn provision(&self, document: &Document) -> Result<Provisioned<MemberRecord>, Refusal> {
        let rules = self.rules();
        self.transact(|| {
            // One call to the host reads all that matching asks for in any case.
            let user_name = document.get("userName").and_then(Value::as_str).unwrap_or_default();
            self.store.read_names_ahead(user_name, primary_email(document))?;
            rules.post(document, rules.matched(document)?)
        })
    }

    /// Changes a member. `change` makes the new document from the current one.
    ///
    /// # Errors
    /// [`Refusal`] says why not; it may come from `change`.
    pub fn update(
        &self,
        id: &str,
        precondition: Precondition<'_>,
        change: impl Fn(&Document) -> Result<Document, ScimError>,
    ) -> Result<Provisioned<MemberRecord>, Refusal> {
        self.transact(|| {
            let member = self.existing(id, precondition)?;
            let document = change(&member.record.document)?;
            self.rules().change(member, document, Sentence::AddressedById)
        })
    }

    /// Removes a member from the organization and from every team.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn delete(&self, id: &str, precondition: Precondition<'_>) -> Result<Provisioned<MemberRecord>, Refusal> {
        self.transact(|| self.rules().delete(self.existing(id, precondition)?))
    }

    fn rules(&self) -> MemberRules<'_> {
        MemberRules { known: self.store, organization: self.organization }
    }

    /// Decides and commits, and repeats both if the data that was read has changed meanwhile. If the refusal concerns
    /// people, they are told; that never changes the refusal.
    fn transact(
        &self,
        decide: impl Fn() -> Result<MemberDecision, Refusal>,
    ) -> Result<Provisioned<MemberRecord>, Refusal> {
        let result = self.store.transact(|| self.commit(decide()?));
        match &result {
            Err(Refusal::NoFreeSeat { seats }) => licences::tell_exhausted(self.store, *seats),
            Err(Refusal::Held { member, removal }) => guard::hold(self.store, member, *removal),
            _ => {}
        }
        result
    }

    fn existing(&self, id: &str, precondition: Precondition<'_>) -> Result<Stored<MemberRecord>, Refusal> {
        super::existing(self.store.member(id)?, "User", id, precondition)
    }

    /// Commits a decision in one transaction.
    fn commit(&self, decision: MemberDecision) -> Result<Provisioned<MemberRecord>, Refusal> {
        let MemberDecision { old, change, action, because, welcome, admission } = decision;
        let mut batch = Batch::new();
        if let Some(admission) = admission {
            admission.note(&mut batch)?;
        }
        let stored = match (old, change) {
            (Some(old), Change::Nothing) => {
                without_seat::withdraw(self.store, &old.record)?;
                old
            }
            (Some(old), Change::Remove) => {
                self.remove(&mut batch, &old)?;
                without_seat::settle(&mut batch, Some(&old.record), None);
                write::commit(self.store, batch, self.organization)?;
                old
            }
            (old, Change::Put(record)) => {
                write::member(self.store, &mut batch, self.organization, old.as_ref(), Some(&record))?;
                if let Some(old) = &old {
                    self.store.rename_in_teams(&mut batch, old, &record)?;
                    if welcome == Welcome::Now {
                        batch.delete(keys::welcome(record.id()));
                    }
                }
                self::welcome(self.store, &mut batch, &record, welcome, None)?;
                without_seat::settle(&mut batch, old.as_ref().map(|old| &old.record), Some(&record));
                let version = write::commit(self.store, batch, self.organization)?;
                Stored { record, version, touch: old.and_then(|old| old.touch) }
            }
            (None, Change::Remove | Change::Nothing) => {
                return Err(StoreError::Broken("a decision about nobody".into()).into());
            }
        };
        Ok(Provisioned { stored, action, because, left_out: 0 })
    }

    fn remove(&self, batch: &mut Batch, member: &Stored<MemberRecord>) -> Result<(), Refusal> {
        let id = member.record.id();
        self.store.leave_teams(batch, member)?;
        write::member(self.store, batch, self.organization, Some(member), None)?;
        for key in [keys::passphrase(id), keys::reset(id), keys::welcome(id), keys::held(id)] {
            batch.delete(key);
        }
        self.forget_as_manager(batch, id)
    }

    /// Removes the deleted member from the `manager` attribute of others, so that no reference to it is left (RFC 7644
    /// §3.6).
    fn forget_as_manager(&self, batch: &mut Batch, id: &str) -> Result<(), Refusal> {
        let reports = Candidates::by_manager(id);
        self.store.each_candidate(keys::Kind::User, &reports, |report: Stored<MemberRecord>| {
            if report.record.id() == id {
                return Ok::<_, Refusal>(true);
            }
            let mut record = report.record.clone();
            if let Some(Value::Object(extension)) = record.document.get_mut(ENTERPRISE_USER) {
                extension.shift_remove("manager");
                if extension.is_empty() {
                    record.document.shift_remove(ENTERPRISE_USER);
                    if let Some(Value::Array(schemas)) = record.document.get_mut("schemas") {
                        schemas.retain(|urn| urn != ENTERPRISE_USER);
                    }
                }
            }
            record.modified = self.store.now();
            write::member(self.store, batch, self.organization, Some(&report), Some(&record))?;
            Ok(true)
        })
    }
}
