//! Lists members and teams, whether people or SCIM manage them, page by page.

use insomnia_scim_contract::{Listing, MemberPage, TeamPage};

use super::error::DirectoryError;
use super::members::member;
use super::named::find_team;
use super::teams::team;
use crate::capability::key_after;
use crate::store::keys::{self, Kind};
use crate::store::{Candidates, MemberRecord, Store, Stored, TeamRecord};

fn limit(listing: &Listing) -> usize {
    listing.limit.clamp(1, 500) as usize
}

fn wants(listing: &Listing, names: &[&str]) -> bool {
    let begins = |prefix: &String| names.iter().any(|name| keys::fold(name).starts_with(&keys::fold(prefix)));
    listing.prefix.as_ref().is_none_or(begins)
}

fn candidates(listing: &Listing, kind: Kind) -> Result<Candidates, DirectoryError> {
    Ok(after(listing)?.map_or(Candidates::All, |after| Candidates::after(kind, after)))
}

/// The id with which the previous page ended.
fn after(listing: &Listing) -> Result<Option<&str>, DirectoryError> {
    match listing.after.as_deref() {
        Some(after) if !keys::is_id(after) => {
            Err(DirectoryError::Invalid(format!("'{after}' is not the end of a page")))
        }
        after => Ok(after),
    }
}

/// Members, whether people or SCIM manage them.
///
/// # Errors
/// [`DirectoryError::Invalid`] if `after` is not the end of a page.
pub fn list_members(store: &Store, listing: &Listing) -> Result<MemberPage, DirectoryError> {
    members_among(store, listing, &candidates(listing, Kind::User)?)
}

/// The members of the team with this id or name.
///
/// # Errors
/// [`DirectoryError::Invalid`] if `after` is not the end of a page, and [`DirectoryError::NotFound`] if there is no such
/// team.
pub fn list_team_members(store: &Store, team: &str, listing: &Listing) -> Result<MemberPage, DirectoryError> {
    let team = find_team(store, team)?;
    let mut range = keys::team_members(team.record.id());
    if let Some(after) = after(listing)? {
        range.start = key_after(keys::team_member(team.record.id(), after));
    }
    members_among(store, listing, &Candidates::Index(range))
}

fn members_among(store: &Store, listing: &Listing, candidates: &Candidates) -> Result<MemberPage, DirectoryError> {
    let mut page = MemberPage::default();
    store.each_candidate(Kind::User, candidates, |stored: Stored<MemberRecord>| {
        let record = &stored.record;
        if wants(listing, &[&record.display_name(), record.user_name(), record.email().unwrap_or_default()]) {
            if page.items.len() == limit(listing) {
                page.next = page.items.last().map(|member| member.id.clone());
                return Ok::<_, DirectoryError>(false);
            }
            page.items.push(member(&stored));
        }
        Ok(true)
    })?;
    Ok(page)
}

/// Teams, whether people or SCIM manage them.
///
/// # Errors
/// [`DirectoryError::Invalid`] if `after` is not the end of a page.
pub fn list_teams(store: &Store, listing: &Listing) -> Result<TeamPage, DirectoryError> {
    let mut page = TeamPage::default();
    store.each_candidate(Kind::Team, &candidates(listing, Kind::Team)?, |stored: Stored<TeamRecord>| {
        if wants(listing, &[stored.record.display_name()]) {
            if page.items.len() == limit(listing) {
                page.next = page.items.last().map(|team| team.id.clone());
                return Ok::<_, DirectoryError>(false);
            }
            let members = store.team_size(stored.record.id())?;
            page.items.push(team(&stored, members));
        }
        Ok(true)
    })?;
    Ok(page)
}
