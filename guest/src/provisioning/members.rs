//! Members: matching and adoption, changes, deactivation, deletion (rules P3 and P4).

use serde_json::Value;

use super::changed::changed;
use super::guard::{self, Removal};
use super::matching::{Match, matched};
use super::welcome::{welcome, welcome_late};
use super::{Action, Precondition, Provisioned, Refusal, exhausted};
use crate::protocol::document::Document;
use crate::protocol::error::ScimError;
use crate::protocol::schema::ENTERPRISE_USER;
use crate::store::{
    Actor, Batch, Candidates, MemberRecord, OrganizationRecord, Origin, Role, Store, StoreError, Stored, keys,
};

/// A member as SCIM sees and changes it.
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
        let existing = std::cell::RefCell::new(None::<String>);
        let result = self.store.transact(|| {
            let Some(Match { id, attribute, value }) = matched(self.store, document)? else {
                return self.add(document);
            };
            existing.replace(Some(id.clone()));
            let member = self.store.member(&id)?.ok_or(StoreError::Conflict)?;
            let taken = || Refusal::Taken { attribute, value, id };
            match member.record.origin {
                Origin::Manual => self.adopt(member, document, attribute),
                Origin::Scim if self.organization.options.reactivate_on_post && !member.record.is_active() => {
                    let merged = merge(&member.record.document, document);
                    self.change(member, merged, format!("matched by {attribute}; reactivated by POST"))
                }
                Origin::Scim => Err(taken()),
            }
        });
        let existing = existing.into_inner();
        self.follow_up(result, existing.as_deref().map(|id| (id, Removal::Deactivate)))
    }

    /// Changes a member: `change` makes the new document of the current one.
    ///
    /// # Errors
    /// [`Refusal`] says why not; those of `change` among them.
    pub fn update(
        &self,
        id: &str,
        precondition: Precondition<'_>,
        change: impl Fn(&Document) -> Result<Document, ScimError>,
    ) -> Result<Provisioned<MemberRecord>, Refusal> {
        let result = self.store.transact(|| {
            let member = self.existing(id, precondition)?;
            let document = change(&member.record.document)?;
            self.change(member, document, "addressed by id".into())
        });
        self.follow_up(result, Some((id, Removal::Deactivate)))
    }

    /// Removes a member from the organization and from every team.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn delete(&self, id: &str, precondition: Precondition<'_>) -> Result<Provisioned<MemberRecord>, Refusal> {
        let result = self.store.transact(|| {
            let member = self.existing(id, precondition)?;
            let mut batch = Batch::new();
            self.pass_guard(&mut batch, &member)?;
            self.store.leave_teams(&mut batch, &member)?;
            self.store.change_member(&mut batch, Some(&member), None, None)?;
            for key in [keys::passphrase(id), keys::reset(id), keys::welcome(id), keys::held(id)] {
                batch.delete(key);
            }
            self.forget_as_manager(&mut batch, id)?;
            let seat = self.seat(member.record.is_active(), false)?.unwrap_or_else(|| "inactive: no seat freed".into());
            self.commit(batch)?;
            Ok(Provisioned { stored: member, action: Action::Deleted, because: vec!["addressed by id".into(), seat] })
        });
        self.follow_up(result, Some((id, Removal::Delete)))
    }

    /// Tells people of a refusal that concerns them; the refusal itself stays as it is.
    fn follow_up<T>(&self, result: Result<T, Refusal>, removal: Option<(&str, Removal)>) -> Result<T, Refusal> {
        match (&result, removal) {
            (Err(Refusal::NoFreeSeat { seats }), _) => exhausted::tell(self.store, *seats),
            (Err(Refusal::Held), Some((id, removal))) => guard::hold(self.store, id, removal),
            _ => {}
        }
        result
    }

    /// The mass-deprovisioning guard: it looks at what the identity provider does, not at what people do.
    fn pass_guard(&self, batch: &mut Batch, member: &Stored<MemberRecord>) -> Result<(), Refusal> {
        match self.store.settings()?.guard {
            Some(guard) if self.store.actor() == Actor::Scim => guard::admit(self.store, batch, guard, member),
            _ => Ok(()),
        }
    }

    fn existing(&self, id: &str, precondition: Precondition<'_>) -> Result<Stored<MemberRecord>, Refusal> {
        let member =
            self.store.member(id)?.ok_or_else(|| Refusal::NotFound { kind: "User".into(), id: id.to_owned() })?;
        if precondition(member.resource_version()) { Ok(member) } else { Err(Refusal::PreconditionFailed) }
    }

    fn add(&self, document: &Document) -> Result<Provisioned<MemberRecord>, Refusal> {
        let id = self.store.new_id();
        let now = self.store.now();
        let document = with_id(document, &id);
        let record = MemberRecord { origin: Origin::Scim, role: Role::Member, created: now, modified: now, document };
        self.require_own_domain(&record)?;
        let mut batch = Batch::new();
        self.store.change_member(&mut batch, None, Some(&record), self.seats())?;
        let is_mailed = self.organization.options.passphrase_emails && welcome(self.store, &mut batch, &record)?;
        let seat = self.seat(false, record.is_active())?.unwrap_or_else(|| "inactive: no seat taken".into());
        let version = self.commit(batch)?;
        let mut because = vec!["matched nobody by userName or emails".into(), seat];
        because.extend(is_mailed.then(|| "the initial passphrase is mailed".to_owned()));
        Ok(Provisioned { stored: Stored { record, version, touch: None }, action: Action::Created, because })
    }

    /// The member keeps id, role and teams, and what the identity provider did not send (rule P3).
    fn adopt(
        &self,
        member: Stored<MemberRecord>,
        document: &Document,
        attribute: &str,
    ) -> Result<Provisioned<MemberRecord>, Refusal> {
        let merged = merge(&member.record.document, document);
        let mut adopted = self.change(member, merged, format!("matched by {attribute}"))?;
        adopted.action = Action::Adopted;
        Ok(adopted)
    }

    /// Writes the changed document; the first write of a manual member makes it SCIM-managed.
    fn change(
        &self,
        old: Stored<MemberRecord>,
        document: Document,
        reason: String,
    ) -> Result<Provisioned<MemberRecord>, Refusal> {
        let adopts = old.record.origin == Origin::Manual;
        if document == old.record.document && !adopts {
            let because = vec![reason, "nothing changed".into()];
            return Ok(Provisioned { stored: old, action: Action::Unchanged, because });
        }
        let record = MemberRecord { origin: Origin::Scim, modified: self.store.now(), document, ..old.record.clone() };
        self.require_free_names(&old.record, &record)?;
        if record.email() != old.record.email() {
            self.require_own_domain(&record)?;
        }
        let mut batch = Batch::new();
        if old.record.is_active() && !record.is_active() {
            self.pass_guard(&mut batch, &old)?;
        }
        self.store.change_member(&mut batch, Some(&old), Some(&record), self.seats())?;
        self.store.rename_in_teams(&mut batch, &old, &record)?;
        let comes = !old.record.is_active() && record.is_active();
        let mails = comes && self.organization.options.passphrase_emails;
        let is_mailed = mails && welcome_late(self.store, &mut batch, &record)?;
        let seat = self.seat(old.record.is_active(), record.is_active())?;
        let version = self.commit(batch)?;
        let mut because = vec![reason];
        because.extend(adopts.then(|| format!("adopted: id, role {} and teams kept", record.role.name())));
        because.extend(changed(&old.record.document, &record.document));
        because.extend(seat.or_else(|| (adopts && record.is_active()).then(|| "seat kept".to_owned())));
        let action = match (old.record.is_active(), record.is_active()) {
            (true, false) => Action::Deactivated,
            (false, true) => Action::Reactivated,
            _ if adopts => Action::Adopted,
            _ => Action::Updated,
        };
        because.extend(is_mailed.then(|| "the initial passphrase is mailed".to_owned()));
        Ok(Provisioned { stored: Stored { record, version, touch: old.touch }, action, because })
    }

    /// Removes the deleted member as `manager` of others, so that no reference is left (RFC 7644 §3.6).
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
            self.store.change_member(batch, Some(&report), Some(&record), None)?;
            Ok(true)
        })
    }

    /// What becomes of the seat, in words for the log; `None` if it stays as it is. Others may take and free seats
    /// meanwhile: the number is that of the moment.
    fn seat(&self, before: bool, after: bool) -> Result<Option<String>, StoreError> {
        if before == after {
            return Ok(None);
        }
        let (taken, seats) = (self.store.seats_counted()?, self.organization.seats);
        Ok(Some(match after {
            true if taken >= u64::from(seats) => format!("seat {} of {seats}: overage", taken + 1),
            true => format!("seat {} of {seats}", taken + 1),
            false => format!("seat freed: {} of {seats} are taken", taken.saturating_sub(1)),
        }))
    }

    fn seats(&self) -> Option<u32> {
        (!self.organization.options.allow_overage).then_some(self.organization.seats)
    }

    fn commit(&self, batch: Batch) -> Result<u64, Refusal> {
        self.store.commit(batch).map_err(|error| Refusal::at_commit(error, self.organization.seats))
    }

    fn require_own_domain(&self, record: &MemberRecord) -> Result<(), Refusal> {
        let address = record.email().unwrap_or_else(|| record.user_name());
        if self.organization.options.verified_domains_only && !self.organization.owns(address) {
            return Err(Refusal::ForeignDomain { address: address.to_owned() });
        }
        Ok(())
    }

    /// That nobody else has the new userName or email address.
    fn require_free_names(&self, old: &MemberRecord, new: &MemberRecord) -> Result<(), Refusal> {
        if keys::fold(new.user_name()) != keys::fold(old.user_name()) {
            require_free("userName", new.user_name(), new.id(), self.store.id_by_user_name(new.user_name())?)?;
        }
        let folded = |email: Option<&str>| email.map(keys::fold);
        if let Some(email) = new.email().filter(|email| folded(Some(email)) != folded(old.email())) {
            require_free("emails", email, new.id(), self.store.id_by_email(email)?)?;
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

/// The document with its id, behind `schemas`, as readers expect it.
pub(super) fn with_id(document: &Document, id: &str) -> Document {
    let mut whole = Document::new();
    whole.insert("schemas".into(), document.get("schemas").cloned().unwrap_or_default());
    whole.insert("id".into(), id.into());
    for (name, value) in document {
        if name != "id" && name != "schemas" {
            whole.insert(name.clone(), value.clone());
        }
    }
    whole
}

/// The current document with what the incoming one has; extensions attribute by attribute.
pub(super) fn merge(current: &Document, incoming: &Document) -> Document {
    let mut merged = current.clone();
    for (name, value) in incoming {
        match (name.as_str(), merged.get_mut(name), value) {
            ("id", ..) => {}
            ("schemas", Some(Value::Array(urns)), Value::Array(more)) => {
                for urn in more {
                    if !urns.contains(urn) {
                        urns.push(urn.clone());
                    }
                }
            }
            (urn, Some(Value::Object(extension)), Value::Object(more)) if urn.contains(':') => {
                extension.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
            (_, Some(old), _) => old.clone_from(value),
            (_, None, _) => {
                merged.insert(name.clone(), value.clone());
            }
        }
    }
    merged
}
