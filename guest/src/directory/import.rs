//! Members whom the backend takes over, with the ids that it knows them by: many in one commit, and nobody is mailed.

use std::collections::HashSet;

use insomnia_scim_contract::{ImportOutcome, ImportedMember, OrganizationRecord, Role};
use serde_json::{Value, json};

use super::error::DirectoryError;
use super::members::{manual, misfit, organization};
use crate::provisioning::{Refusal, licences, write};
use crate::store::keys::{self, Kind};
use crate::store::{Batch, EventSubject, MemberRecord, Store, StoreError};

/// The most members of one import.
const MOST: usize = 500;
/// The most administrators whom the entry of the audit trail names: of more, it would keep nothing but its length.
const NAMED: usize = 100;

/// Adds these members, a JSON array as `directory.import-members` documents it, unless they are there; what became of each.
///
/// # Errors
/// [`DirectoryError::Invalid`] if it is not that; what the store has. Nothing was added then.
pub fn import_members(store: &Store, members: &str) -> Result<Vec<ImportOutcome>, DirectoryError> {
    let members = read(members)?;
    let outcomes = store.transact(|| import(store, &members))?;
    // An import that adds nobody has no commit for the entry of the audit trail.
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
        Some(member) => Err(DirectoryError::Invalid(format!("the id '{}' comes twice", member.id))),
        None => Ok(members),
    }
}

fn import(store: &Store, members: &[ImportedMember]) -> Result<Vec<ImportOutcome>, DirectoryError> {
    let organization = organization(store)?;
    // In one crossing what is asked below.
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
            // Somebody else took a seat meanwhile: then there is one less for these.
            Refusal::NoFreeSeat { .. } => StoreError::Conflict.into(),
            other => other,
        })?;
    }
    Ok(outcomes)
}

/// Who was added with a role above that of a member, for the audit trail, which keeps an entry of so many.
fn administrators(members: &[ImportedMember], outcomes: &[ImportOutcome]) -> Vec<Value> {
    let added = members.iter().zip(outcomes).filter(|(_, outcome)| **outcome == ImportOutcome::Added);
    let above = added.filter(|(member, _)| member.role != Role::Member);
    above.take(NAMED).map(|(member, _)| json!({"id": member.id, "role": member.role})).collect()
}

/// Whether the member can be added as far as the member alone tells: the address and the name; or why not.
fn fits(member: &ImportedMember) -> Result<(&str, &str), String> {
    if !is_uuid(&member.id) {
        return Err(format!("'{}' is no UUID in small letters", member.id));
    }
    let email = member.email.trim();
    let name = member.display_name.as_deref().map_or(email, str::trim);
    misfit(email, name).map_or(Ok((email, name)), Err)
}

/// Whether the text is a UUID as RFC 9562 writes it: what differs from it in the case of letters would be another key.
fn is_uuid(text: &str) -> bool {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let is_right = |(place, byte): (usize, u8)| match HYPHENS.contains(&place) {
        true => byte == b'-',
        false => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    keys::is_id(text) && text.bytes().enumerate().all(is_right)
}

/// An import on its way.
struct Run<'r, 'h> {
    store: &'r Store<'h>,
    organization: &'r OrganizationRecord,
    batch: Batch,
    /// How many seats are taken, by those before in the list as well.
    taken: u64,
    /// The addresses of those before in the list.
    met: HashSet<String>,
}

impl Run<'_, '_> {
    /// Adds the member to the batch, or not.
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

    /// Who has the id or the address already, among those who are there and those before in the list.
    fn hindrance(&self, member: &ImportedMember, email: &str) -> Result<Option<String>, StoreError> {
        let taken = |id: &str| format!("the address '{email}' is taken by the member {id}");
        if self.store.item(Kind::Team.document(&member.id))?.is_some() {
            return Ok(Some("the id is that of a team".into()));
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
