//! Decides what an act of an administrator or the backend does to a member or a team. Nothing is written here: a decision
//! is a value, and the caller commits it.

use insomnia_scim_contract::{NewMember, is_address};
use serde_json::{Value, json};

use super::error::DirectoryError;
use super::named::ids;
use crate::protocol::schema::{GROUP, USER};
use crate::provisioning::decide::{Change, TeamDecision};
use crate::provisioning::letters::Welcome;
use crate::provisioning::{Action, Refusal, administrators, licences, passphrase};
use crate::store::{MemberRecord, OrganizationRecord, Origin, Role, Store, StoreError, Stored, TeamRecord, keys};

/// A member who is to be added by hand.
#[derive(Debug)]
pub(super) struct NewMemberDecision<'n> {
    /// The member.
    pub(super) record: MemberRecord,
    /// The passphrase that somebody chose for the member.
    pub(super) chosen: Option<&'n str>,
    /// When the member gets the email with a generated passphrase. A chosen passphrase is never mailed.
    pub(super) welcome: Welcome,
}

/// Decides about a member who is added by hand, and takes a seat.
///
/// # Errors
/// [`DirectoryError`] says why nobody would be added.
pub(super) fn add_member<'n>(
    store: &Store,
    organization: &OrganizationRecord,
    new: &'n NewMember,
) -> Result<NewMemberDecision<'n>, DirectoryError> {
    let (email, name) = (new.email.trim(), new.display_name.trim());
    if let Some(why) = misfit(email, name) {
        return Err(DirectoryError::Invalid(why));
    }
    let taken = |attribute, id| Refusal::Taken { attribute, value: email.to_owned(), id };
    if let Some(id) = store.id_by_user_name(email)? {
        return Err(taken("userName", id).into());
    }
    if let Some(id) = store.id_by_email(email)? {
        return Err(taken("emails", id).into());
    }
    let chosen = new.passphrase.as_deref();
    chosen.map_or(Ok(()), passphrase::require_fit)?;
    licences::seat(organization, false, true, || store.seats_counted())?;
    let record = manual(store, &store.new_id(), (email, name), new.role, true)?;
    let welcome = Welcome::of_new(&record, organization.options.passphrase_emails && chosen.is_none());
    Ok(NewMemberDecision { record, chosen, welcome })
}

/// Decides about a member who gets this role: the changed member; `None` if the member has the role already.
///
/// # Errors
/// [`Refusal::LastOwner`], and those of the storage.
pub(super) fn set_role(store: &Store, old: &MemberRecord, role: Role) -> Result<Option<MemberRecord>, Refusal> {
    if old.role == role {
        return Ok(None);
    }
    let new = MemberRecord { role, modified: store.now(), ..old.clone() };
    administrators::require_owner(old, Some(&new), || store.counter(keys::OWNERS.to_vec()))?;
    Ok(Some(new))
}

/// Decides about a team that is added by hand, with these members (ids, userNames or email addresses).
///
/// # Errors
/// [`DirectoryError`] says why no team would be added.
pub(super) fn add_team(store: &Store, name: &str, members: &[String]) -> Result<TeamDecision, DirectoryError> {
    let name = name.trim();
    if name.is_empty() || name.len() > 1_000 {
        return Err(DirectoryError::Invalid("a team's name has 1 to 1,000 bytes".into()));
    }
    if let Some(id) = store.id_by_team_name(name)? {
        return Err(Refusal::Taken { attribute: "displayName", value: name.to_owned(), id }.into());
    }
    let members = ids(store, members)?;
    let (id, now) = (store.new_id(), store.now());
    let Value::Object(document) = json!({"schemas": [GROUP], "id": id, "displayName": name}) else {
        return Err(StoreError::Broken("not an object".into()).into());
    };
    let record = TeamRecord { origin: Origin::Manual, created: now, modified: now, document };
    let moves = store.coming(&id, members)?;
    let because = Vec::new();
    Ok(TeamDecision { old: None, change: Change::Put(record), moves, action: Action::Created, because })
}

/// Decides which members join and leave a team by hand (ids, userNames or email addresses). A member to add who is in
/// the team already, or one to remove who is not, stays as it is.
///
/// # Errors
/// [`DirectoryError`] says why nobody would join or leave.
pub(super) fn change_team_members(
    store: &Store,
    old: Stored<TeamRecord>,
    add: &[String],
    remove: &[String],
) -> Result<TeamDecision, DirectoryError> {
    let (add, remove) = (ids(store, add)?, ids(store, remove)?);
    if let Some(both) = add.iter().find(|member| remove.binary_search(member).is_ok()) {
        return Err(DirectoryError::Invalid(format!("'{both}' can't be added and removed at the same time")));
    }
    let id = old.record.id();
    let mut moves = store.coming(id, add)?;
    moves.removed = store.leaving(id, remove)?;
    let (change, because) = (Change::Nothing, Vec::new());
    let action = if moves.any() { Action::Updated } else { Action::Unchanged };
    Ok(TeamDecision { old: Some(old), change, moves, action, because })
}

/// A new manual member with this address and name.
pub(super) fn manual(
    store: &Store,
    id: &str,
    (email, name): (&str, &str),
    role: Role,
    active: bool,
) -> Result<MemberRecord, StoreError> {
    let document = json!({
        "schemas": [USER],
        "id": id,
        "userName": email,
        "displayName": name,
        "emails": [{"value": email, "type": "work", "primary": true}],
        "active": active,
    });
    let Value::Object(document) = document else { return Err(StoreError::Broken("not an object".into())) };
    let now = store.now();
    Ok(MemberRecord { origin: Origin::Manual, role, created: now, modified: now, document })
}

/// The reason why a member can't be added with this address and this name; `None` if both are valid.
pub(super) fn misfit(email: &str, name: &str) -> Option<String> {
    if !is_address(email) {
        return Some(format!("'{email}' is not an email address"));
    }
    (name.is_empty() || name.len() > 1_000).then(|| "a display name has 1 to 1,000 bytes".into())
}
