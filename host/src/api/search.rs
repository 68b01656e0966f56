//! The query parameters of searches for members and teams.

use serde::Deserialize;

use super::input::{cursor, page_limit};
use super::problem::Problem;
use crate::directory::{MemberQuery, Origin, TeamQuery};

/// The filter of members, and the page.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MemberSearch {
    /// Only members whose name, userName or email addresses contain this text, in any case.
    #[param(nullable = false)]
    text: Option<String>,
    /// Only members whose name, userName or email address begins with this text, in any case.
    #[param(nullable = false)]
    prefix: Option<String>,
    /// Only members that people (`manual`) or the identity provider (`scim`) manage.
    #[param(nullable = false)]
    origin: Option<Origin>,
    /// Only members with access, or only members without access.
    #[param(nullable = false)]
    active: Option<bool>,
    /// The value of `next` or `previous` on another page.
    #[param(nullable = false, min_length = 1, max_length = 100)]
    after: Option<String>,
    /// The number of items on a page.
    #[param(nullable = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
}

impl MemberSearch {
    /// The query, of all members or of those of a team.
    pub(super) fn query(self, team: Option<String>) -> Result<MemberQuery, Problem> {
        let Self { text, prefix, origin, active, after, limit } = self;
        Ok(MemberQuery { text, prefix, origin, active, team, cursor: cursor(after)?, limit: page_limit(limit)? })
    }
}

/// The filter of teams, and the page.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TeamSearch {
    /// Only teams whose name contains this text, in any case.
    #[param(nullable = false)]
    text: Option<String>,
    /// Only teams whose name begins with this text, in any case.
    #[param(nullable = false)]
    prefix: Option<String>,
    /// Only teams that people (`manual`) or the identity provider (`scim`) manage.
    #[param(nullable = false)]
    origin: Option<Origin>,
    /// The value of `next` or `previous` on another page.
    #[param(nullable = false, min_length = 1, max_length = 100)]
    after: Option<String>,
    /// The number of items on a page.
    #[param(nullable = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
}

impl TeamSearch {
    /// The query, of all teams or of those of a member.
    pub(super) fn query(self, member: Option<String>) -> Result<TeamQuery, Problem> {
        let Self { text, prefix, origin, after, limit } = self;
        Ok(TeamQuery { text, prefix, origin, member, cursor: cursor(after)?, limit: page_limit(limit)? })
    }
}
