//! Which index answers a filter, so that a look-up never scans.

use crate::protocol::filter::{Filter, Operator};
use crate::protocol::schema::ENTERPRISE_USER;
use crate::store::Candidates;
use crate::store::keys::Kind;

/// Where to look for what a filter matches.
pub(super) struct Plan {
    /// Every match is among these.
    pub(super) candidates: Candidates,
    /// The filter is a look-up, which finds what people manage too, so that an identity provider can link it (rule P3).
    pub(super) is_lookup: bool,
}

/// The best index for one of the filter's terms that must hold; everything that lists show if there is none.
pub(super) fn plan(kind: Kind, filter: &Filter) -> Plan {
    let manager = format!("{ENTERPRISE_USER}:manager.value");
    let mut best: Option<(u8, Plan)> = None;
    for term in filter.conjuncts() {
        let Some(value) = term.value.as_str() else { continue };
        let found = match (kind, term.path, term.operator) {
            (_, "id", Operator::Eq) => Some((0, true, Candidates::Ids(vec![value.to_owned()]))),
            (Kind::User, "userName", Operator::Eq) | (Kind::Team, "displayName", Operator::Eq) => {
                Some((1, true, Candidates::by_name(kind, value)))
            }
            (Kind::User, "emails.value", Operator::Eq) => Some((2, true, Candidates::by_email(value))),
            (_, "externalId", Operator::Eq) => Some((3, true, Candidates::by_external_id(kind, value))),
            (Kind::User, "displayName", Operator::Eq) => Some((4, false, Candidates::by_display_name(value))),
            (Kind::Team, "members.value", Operator::Eq) => Some((5, false, Candidates::of_member(value))),
            (Kind::User, "groups.value", Operator::Eq) => Some((5, false, Candidates::of_team(value))),
            (Kind::User, path, Operator::Eq) if path == manager => Some((6, false, Candidates::by_manager(value))),
            (Kind::User, "userName", Operator::Sw) | (Kind::Team, "displayName", Operator::Sw) => {
                Candidates::by_name_prefix(kind, value).map(|candidates| (7, false, candidates))
            }
            (Kind::User, "displayName", Operator::Sw) => {
                Candidates::by_display_name_prefix(value).map(|candidates| (8, false, candidates))
            }
            _ => None,
        };
        if let Some((rank, is_lookup, candidates)) = found
            && best.as_ref().is_none_or(|(other, _)| rank < *other)
        {
            best = Some((rank, Plan { candidates, is_lookup }));
        }
    }
    best.map_or(Plan { candidates: Candidates::Listed, is_lookup: false }, |(_, plan)| plan)
}
