//! Searches for members and teams, as queries ask for them.

use serde::Deserialize;

use super::input::{cursor, page_limit};
use super::problem::Problem;
use crate::directory::{MemberQuery, Origin, TeamQuery};

/// Which members, and which page of them.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MemberSearch {
    /// Only those in whose name, userName or email addresses this occurs, in any case.
    #[param(nullable = false)]
    text: Option<String>,
    /// Only those whose name, userName or email address begins with this, in any case.
    #[param(nullable = false)]
    prefix: Option<String>,
    /// Only those whom people (`manual`) or the identity provider (`scim`) manage.
    #[param(nullable = false)]
    origin: Option<Origin>,
    /// Only those with access, or only those without.
    #[param(nullable = false)]
    active: Option<bool>,
    /// `next` or `previous` of another page.
    #[param(nullable = false, min_length = 1, max_length = 100)]
    after: Option<String>,
    /// How many items.
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

/// Which teams, and which page of them.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TeamSearch {
    /// Only those in whose name this occurs, in any case.
    #[param(nullable = false)]
    text: Option<String>,
    /// Only those whose name begins with this, in any case.
    #[param(nullable = false)]
    prefix: Option<String>,
    /// Only those that people (`manual`) or the identity provider (`scim`) manage.
    #[param(nullable = false)]
    origin: Option<Origin>,
    /// `next` or `previous` of another page.
    #[param(nullable = false, min_length = 1, max_length = 100)]
    after: Option<String>,
    /// How many items.
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
