//! Members and teams for searches, with all details, and counted.

use serde::Serialize;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::member::{Member, Origin, Team};

/// Selects members, and a page of them. All given conditions must be met.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct MemberQuery {
    /// A text that occurs in the name, the userName or an email address, in any case.
    pub text: Option<String>,
    /// The beginning of the name, the userName or the email address, in any case.
    pub prefix: Option<String>,
    /// Who manages them.
    pub origin: Option<Origin>,
    /// Whether they have access.
    pub active: Option<bool>,
    /// The id or the name of a team: only its members are returned.
    pub team: Option<String>,
    /// `next` or `previous` of another page of the same query.
    pub cursor: Option<String>,
    /// 1 to 500.
    pub limit: u32,
}

impl Default for MemberQuery {
    /// Selects the first 100 of all.
    fn default() -> Self {
        Self { text: None, prefix: None, origin: None, active: None, team: None, cursor: None, limit: 100 }
    }
}

/// Selects teams, and a page of them. All given conditions must be met.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct TeamQuery {
    /// A text that occurs in the name, in any case.
    pub text: Option<String>,
    /// The beginning of the name, in any case.
    pub prefix: Option<String>,
    /// Who manages them.
    pub origin: Option<Origin>,
    /// The id, the userName or the email address of a member: only this member's teams are returned.
    pub member: Option<String>,
    /// `next` or `previous` of another page of the same query.
    pub cursor: Option<String>,
    /// 1 to 500.
    pub limit: u32,
}

impl Default for TeamQuery {
    /// Selects the first 100 of all.
    fn default() -> Self {
        Self { text: None, prefix: None, origin: None, member: None, cursor: None, limit: 100 }
    }
}

/// A page of the result of a search, in the order of ids. One call looks at 10,000 items at most, so the page may have fewer
/// items than asked for, or none, although there are more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Found<Item> {
    /// The items that were found.
    pub items: Vec<Item>,
    /// The cursor of the previous page; `None` on the first page.
    pub previous: Option<String>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
}

/// A member, and everything that is known about the person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct DescribedMember {
    /// The member.
    pub member: Member,
    /// The stored SCIM User: a JSON object without computed attributes, and without attributes that are never returned.
    pub attributes: String,
}

/// A team, and everything that is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct DescribedTeam {
    /// The team.
    pub team: Team,
    /// The stored SCIM Group without its members: a JSON object.
    pub attributes: String,
}

/// How many members and teams there are of each sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Census {
    /// Members with access whom people manage.
    #[cfg_attr(feature = "host", component(name = "active-manual"))]
    pub active_manual: u64,
    /// Members with access whom the identity provider manages.
    #[cfg_attr(feature = "host", component(name = "active-scim"))]
    pub active_scim: u64,
    /// Members without access whom people manage.
    #[cfg_attr(feature = "host", component(name = "deactivated-manual"))]
    pub deactivated_manual: u64,
    /// Members without access whom the identity provider manages.
    #[cfg_attr(feature = "host", component(name = "deactivated-scim"))]
    pub deactivated_scim: u64,
    /// Teams that people manage.
    #[cfg_attr(feature = "host", component(name = "teams-manual"))]
    pub teams_manual: u64,
    /// Teams that the identity provider manages.
    #[cfg_attr(feature = "host", component(name = "teams-scim"))]
    pub teams_scim: u64,
}

impl Census {
    /// How many members have this state and this origin.
    #[must_use]
    pub fn members(&self, active: Option<bool>, origin: Option<Origin>) -> u64 {
        let sorts = [
            (true, Origin::Manual, self.active_manual),
            (true, Origin::Scim, self.active_scim),
            (false, Origin::Manual, self.deactivated_manual),
            (false, Origin::Scim, self.deactivated_scim),
        ];
        let wanted = |sort: &&(bool, Origin, u64)| {
            active.is_none_or(|active| active == sort.0) && origin.is_none_or(|origin| origin == sort.1)
        };
        sorts.iter().filter(wanted).map(|sort| sort.2).sum()
    }

    /// How many teams have this origin.
    #[must_use]
    pub fn teams(&self, origin: Option<Origin>) -> u64 {
        match origin {
            None => self.teams_manual + self.teams_scim,
            Some(Origin::Manual) => self.teams_manual,
            Some(Origin::Scim) => self.teams_scim,
        }
    }
}
