//! Imports members from the backend with the ids that it already uses: many in one commit, and without any email.

use std::collections::HashSet;

use insomnia_scim_contract::{ImportOutcome, ImportedMember, OrganizationRecord, Role};
use serde_json::{Value, json};

use super::decide::{manual, misfit};
use super::error::DirectoryError;
use super::named::organization;
use crate::provisioning::{Refusal, licences, write};
use crate::store::keys::{self, Kind};
use crate::store::{Batch, EventSubject, MemberRecord, Store, StoreError};

/// The most members of one import.
const MOST: usize = 500;
/// The most administrators that the entry of the audit trail names. With more, the entry would be too long and only its
/// length would be stored.
const NAMED: usize = 100;

/// Adds these members (a JSON array as `directory.import-members` documents it), unless they exist already. Returns the
/// result for each.
///
/// # Errors
/// [`DirectoryError::Invalid`] if it is no such array; the errors of the store. Then nothing was added.
pub fn import_members(store: &Store, members: &str) -> Result<Vec<ImportOutcome>, DirectoryError> {
    let members = read(members)?;
    let outcomes = store.transact(|| import(store, &members))?;
    // An import that adds nobody makes no commit, so the entry of the audit trail is written here.
    store.end_act()?;
    Ok(outcomes)
}

fn read(members: &str) -> Result<Vec<ImportedMember>, DirectoryError> {
    let members: Vec<ImportedMember> = serde_json::from_str(members)
        .map_err(|error| DirectoryError::Invalid(format!("the members can't be read: {error}")))?;
    if members.len() > MOST {
        return Err(DirectoryError::Invalid(format!("an import has {MOST} members at the most")));
    }
    let mut met = HashSet::new();
    match members.iter().find(|member| !met.insert(member.id.as_str())) {
        Some(member) => Err(DirectoryError::Invalid(format!("the id '{}' occurs twice", member.id))),
        None => Ok(members),
    }
}

fn import(store: &Store, members: &[ImportedMember]) -> Result<Vec<ImportOutcome>, DirectoryError> {
    let organization = organization(store)?;
    // One call to the host reads ahead all that is asked below.
    let asked = |member: &ImportedMember| {
        let address = member.email.trim();
        let of_id = [Kind::User.document(&member.id), Kind::Team.document(&member.id)];
        of_id.into_iter().chain([Kind::User.name(address), keys::member_by_email(address)])
    };
    store.prefetch(members.iter().filter(|member| fits(member).is_ok()).flat_map(asked).collect())?;
    let (taken, _) = store.seats_taken()?;
    let mut run = Run { store, organization: &organization, batch: Batch::new(), taken, met: HashSet::new() };
    let outcomes = members.iter().map(|member| run.one(member)).collect::<Result<Vec<_>, _>>()?;
    let count = |of: fn(&ImportOutcome) -> bool| outcomes.iter().filter(|outcome| of(outcome)).count();
    let added = count(|outcome| *outcome == ImportOutcome::Added);
    let present = count(|outcome| *outcome == ImportOutcome::Present);
    let (refused, administrators) = (outcomes.len() - added - present, administrators(members, &outcomes));
    let after = json!({"added": added, "present": present, "refused": refused, "administrators": administrators});
    store.note(EventSubject::only("member"), None, Some(after));
    if added > 0 {
        write::commit(store, run.batch, &organization).map_err(|refusal| match refusal {
            // Another request has taken a seat meanwhile: run again with one seat less.
            Refusal::NoFreeSeat { .. } => StoreError::Conflict.into(),
            other => other,
        })?;
    }
    Ok(outcomes)
}

/// The members who were added with a role above that of a member, up to the number that the audit trail can store.
fn administrators(members: &[ImportedMember], outcomes: &[ImportOutcome]) -> Vec<Value> {
    let added = members.iter().zip(outcomes).filter(|(_, outcome)| **outcome == ImportOutcome::Added);
    let above = added.filter(|(member, _)| member.role != Role::Member);
    above.take(NAMED).map(|(member, _)| json!({"id": member.id, "role": member.role})).collect()
}

/// Whether the address and the name are valid; the error says why not. Other members are not considered here.
fn fits(member: &ImportedMember) -> Result<(&str, &str), String> {
    if !is_uuid(&member.id) {
        return Err(format!("'{}' is no UUID in lower case", member.id));
    }
    let email = member.email.trim();
    let name = member.display_name.as_deref().map_or(email, str::trim);
    misfit(email, name).map_or(Ok((email, name)), Err)
}

/// Whether the text is a UUID in the form of RFC 9562. An id that differs from it in upper or lower case would be
/// another key.
fn is_uuid(text: &str) -> bool {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let is_right = |(place, byte): (usize, u8)| match HYPHENS.contains(&place) {
        true => byte == b'-',
        false => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    keys::is_id(text) && text.bytes().enumerate().all(is_right)
}

/// An import that is running.
struct Run<'r, 'h> {
    store: &'r Store<'h>,
    organization: &'r OrganizationRecord,
    batch: Batch,
    /// How many seats are taken, including those for earlier members of the list.
    taken: u64,
    /// The addresses of earlier members of the list.
    met: HashSet<String>,
}

impl Run<'_, '_> {
    /// Adds the member to the batch, unless something prevents it.
    fn one(&mut self, member: &ImportedMember) -> Result<ImportOutcome, StoreError> {
        let (email, name) = match fits(member) {
            Ok(fitting) => fitting,
            Err(why) => return Ok(ImportOutcome::Refused(why)),
        };
        if self.store.item(Kind::User.document(&member.id))?.is_some() {
            return Ok(ImportOutcome::Present);
        }
        if let Some(why) = self.hindrance(member, email)? {
            return Ok(ImportOutcome::Refused(why));
        }
        let seat = licences::seat(self.organization, false, member.active, || Ok(self.taken));
        match seat {
            Ok(_) => self.taken += u64::from(member.active),
            Err(refusal) => return Ok(ImportOutcome::Refused(refusal.to_string())),
        }
        self.met.insert(keys::fold(email));
        let record = manual(self.store, &member.id, (email, name), member.role, member.active)?;
        self.add(&record)?;
        Ok(ImportOutcome::Added)
    }

    /// Whether an existing member or an earlier member of the list already has the id or the address.
    fn hindrance(&self, member: &ImportedMember, email: &str) -> Result<Option<String>, StoreError> {
        let taken = |id: &str| format!("the address '{email}' is taken by the member {id}");
        if self.store.item(Kind::Team.document(&member.id))?.is_some() {
            return Ok(Some("the id belongs to a team".into()));
        }
        if self.met.contains(&keys::fold(email)) {
            return Ok(Some(format!("the address '{email}' is taken by another member of the import")));
        }
        let holder = match self.store.id_by_user_name(email)? {
            Some(id) => Some(id),
            None => self.store.id_by_email(email)?,
        };
        Ok(holder.as_deref().map(taken))
    }

    fn add(&mut self, record: &MemberRecord) -> Result<(), StoreError> {
        self.batch.require_absent(Kind::Team.document(record.id()));
        write::member(self.store, &mut self.batch, self.organization, None, Some(record))
    }
}
