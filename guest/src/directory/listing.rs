//! Pages of members and teams of either origin.

use super::error::DirectoryError;
use super::members::Member;
use super::teams::Team;
use crate::store::keys::{self, Kind};
use crate::store::{Candidates, MemberRecord, Store, Stored, TeamRecord};

/// Which part of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Only those whose name or email address begins with this, in any case.
    pub prefix: Option<String>,
    /// `next` of the page before: the id of its last one.
    pub after: Option<String>,
    /// 1 to 500.
    pub limit: u32,
}

impl Listing {
    fn limit(&self) -> usize {
        self.limit.clamp(1, 500) as usize
    }

    fn wants(&self, names: &[&str]) -> bool {
        self.prefix
            .as_ref()
            .is_none_or(|prefix| names.iter().any(|name| keys::fold(name).starts_with(&keys::fold(prefix))))
    }

    fn candidates(&self, kind: Kind) -> Result<Candidates, DirectoryError> {
        match &self.after {
            Some(after) if keys::is_id(after) => Ok(Candidates::after(kind, after)),
            Some(after) => Err(DirectoryError::Invalid(format!("'{after}' is not the end of a page"))),
            None => Ok(Candidates::All),
        }
    }
}

/// A page of members, in the order of their creation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberPage {
    /// The members.
    pub members: Vec<Member>,
    /// For [`Listing::after`]; `None` on the last page.
    pub next: Option<String>,
}

/// A page of teams, in the order of their creation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TeamPage {
    /// The teams.
    pub teams: Vec<Team>,
    /// For [`Listing::after`]; `None` on the last page.
    pub next: Option<String>,
}

/// Members of either origin.
///
/// # Errors
/// [`DirectoryError::Invalid`] if `after` is not the end of a page.
pub fn list_members(store: &Store, listing: &Listing) -> Result<MemberPage, DirectoryError> {
    let mut page = MemberPage::default();
    store.each_candidate(Kind::User, &listing.candidates(Kind::User)?, |stored: Stored<MemberRecord>| {
        let record = &stored.record;
        if listing.wants(&[&record.display_name(), record.user_name(), record.email().unwrap_or_default()]) {
            if page.members.len() == listing.limit() {
                page.next = page.members.last().map(|member| member.id.clone());
                return Ok::<_, DirectoryError>(false);
            }
            page.members.push(Member::from(&stored));
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
    store.each_candidate(Kind::Team, &listing.candidates(Kind::Team)?, |stored: Stored<TeamRecord>| {
        if listing.wants(&[stored.record.display_name()]) {
            if page.teams.len() == listing.limit() {
                page.next = page.teams.last().map(|team| team.id.clone());
                return Ok::<_, DirectoryError>(false);
            }
            let members = store.team_size(stored.record.id())?;
            page.teams.push(Team::new(&stored, members));
        }
        Ok(true)
    })?;
    Ok(page)
}
