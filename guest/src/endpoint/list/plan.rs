//! Chooses the index that answers a filter, so that a look-up never reads all resources.

use crate::capability::Key;
use crate::protocol::filter::{Conjunct, Filter, Operator};
use crate::protocol::schema::ENTERPRISE_USER;
use crate::store::Candidates;
use crate::store::keys::Kind;

/// How the candidates for a filter are found.
pub(super) struct Plan {
    /// Every match is one of these candidates.
    pub(super) candidates: Candidates,
    /// Whether the filter is a look-up. A look-up also finds resources that people manage, so that an identity provider
    /// can link them (rule P3).
    pub(super) is_lookup: bool,
    /// The id of the team or member whose memberships give the candidates. The term that asks for it is true for all
    /// candidates.
    pub(super) edge: Option<String>,
    /// Estimates the number of candidates: the plan with the lowest rank is the best.
    rank: u8,
}

impl Default for Plan {
    /// The plan that reads everything that lists show.
    fn default() -> Self {
        Self { candidates: Candidates::Listed, is_lookup: false, edge: None, rank: u8::MAX }
    }
}

/// The key that holds the id of the only match, if the filter is a look-up by the unique name and by nothing else.
pub(super) fn unique_name(kind: Kind, filter: &Filter) -> Option<Key> {
    let Filter::Compare { .. } = filter else { return None };
    match plan(kind, filter).candidates {
        Candidates::Key(key) => Some(key),
        _ => None,
    }
}

/// The best index for one of the terms that must hold. If no index fits, the plan reads everything that lists show.
pub(super) fn plan(kind: Kind, filter: &Filter) -> Plan {
    best(kind, filter).unwrap_or_default()
}

/// The parser bounds the depth of a filter, so this may recurse.
fn best(kind: Kind, filter: &Filter) -> Option<Plan> {
    match filter {
        Filter::And(filters) => filters.iter().filter_map(|filter| best(kind, filter)).min_by_key(|plan| plan.rank),
        Filter::Or(filters) => filters.iter().map(|filter| best(kind, filter)).collect::<Option<Vec<_>>>().map(any_of),
        Filter::ValuePath { path, inner } if !path.foreign => best(kind, inner),
        Filter::Compare { .. } => filter.conjuncts().first().and_then(|term| indexed(kind, *term)),
        _ => None,
    }
}

/// A plan that finds everything that at least one of these plans finds.
fn any_of(plans: Vec<Plan>) -> Plan {
    let is_lookup = plans.iter().all(|plan| plan.is_lookup);
    let rank = plans.iter().map(|plan| plan.rank).max().unwrap_or(u8::MAX);
    let candidates = Candidates::AnyOf(plans.into_iter().map(|plan| plan.candidates).collect());
    Plan { candidates, is_lookup, edge: None, rank }
}

/// The index that answers one comparison.
fn indexed(kind: Kind, term: Conjunct<'_>) -> Option<Plan> {
    let value = term.value.as_str()?;
    let found = |rank, is_lookup, candidates| Some(Plan { candidates, is_lookup, edge: None, rank });
    let at_edges = |candidates| Some(Plan { candidates, is_lookup: false, edge: Some(value.to_owned()), rank: 5 });
    match (kind, term.path, term.operator) {
        (_, "id", Operator::Eq) => found(0, true, Candidates::Ids(vec![value.to_owned()])),
        (Kind::User, "userName", Operator::Eq) | (Kind::Team, "displayName", Operator::Eq) => {
            found(1, true, Candidates::by_name(kind, value))
        }
        (Kind::User, "emails.value", Operator::Eq) => found(2, true, Candidates::by_email(value)),
        (_, "externalId", Operator::Eq) => found(3, true, Candidates::by_external_id(kind, value)),
        (Kind::User, "displayName", Operator::Eq) => found(4, false, Candidates::by_display_name(value)),
        (Kind::Team, "members.value", Operator::Eq) => at_edges(Candidates::of_member(value)),
        (Kind::User, "groups.value", Operator::Eq) => at_edges(Candidates::of_team(value)),
        (Kind::User, path, Operator::Eq) if is_manager(path) => found(6, false, Candidates::by_manager(value)),
        (Kind::User, "userName", Operator::Sw) | (Kind::Team, "displayName", Operator::Sw) => {
            Candidates::by_name_prefix(kind, value).and_then(|candidates| found(7, false, candidates))
        }
        (Kind::User, "displayName", Operator::Sw) => {
            Candidates::by_display_name_prefix(value).and_then(|candidates| found(8, false, candidates))
        }
        _ => None,
    }
}

fn is_manager(path: &str) -> bool {
    path.strip_prefix(ENTERPRISE_USER) == Some(":manager.value")
}
