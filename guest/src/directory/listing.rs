//! Pages of members and teams of either origin.

use insomnia_scim_contract::{Listing, MemberPage, TeamPage};

use super::error::DirectoryError;
use super::members::member;
use super::teams::team;
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
    match &listing.after {
        Some(after) if keys::is_id(after) => Ok(Candidates::after(kind, after)),
        Some(after) => Err(DirectoryError::Invalid(format!("'{after}' is not the end of a page"))),
        None => Ok(Candidates::All),
    }
}

/// Members of either origin.
///
/// # Errors
/// [`DirectoryError::Invalid`] if `after` is not the end of a page.
pub fn list_members(store: &Store, listing: &Listing) -> Result<MemberPage, DirectoryError> {
    let mut page = MemberPage::default();
    store.each_candidate(Kind::User, &candidates(listing, Kind::User)?, |stored: Stored<MemberRecord>| {
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

/// Teams of either origin.
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
