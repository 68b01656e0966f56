//! Decides which members join and leave a team when a group is posted or changed, and which are left out because no
//! member has that id (T22, T23 and T33).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Value, json};

use crate::protocol::patch::MemberChange;
use crate::provisioning::Refusal;
use crate::store::{Moves, Store};

/// The memberships of one team, with what decides how they change. They are read, and nothing is written.
pub(super) struct Memberships<'m, 'h> {
    /// The organization's store.
    pub(super) store: &'m Store<'h>,
    /// The team's id.
    pub(super) team: &'m str,
    /// The base URL of resources, with which the `$ref` of a member begins.
    pub(super) base_url: &'m str,
    /// Whether a change that names unknown members is refused as a whole.
    pub(super) refuses_unknown: bool,
}

impl Memberships<'_, '_> {
    /// Computes which members join and leave the team when the changes are applied in their order.
    pub(super) fn moves(&self, changes: &[MemberChange]) -> Result<Moves, Refusal> {
        let mut wanted = Wanted::default();
        for change in changes {
            match change {
                MemberChange::Add(members) => wanted.set(members, true),
                MemberChange::Remove(members) => wanted.set(members, false),
                MemberChange::Replace(members) => wanted.only(members.iter().cloned().collect()),
                MemberChange::Exchange { others, members } => {
                    wanted.set(others, false);
                    wanted.set(members, true);
                }
                MemberChange::RemoveWhere(filter) => {
                    let matching = self.members_where(&wanted, &|element| filter.matches_element(element))?;
                    wanted.set(&matching, false);
                }
                MemberChange::ReplaceWhere { filter, members } => {
                    let matching = self.members_where(&wanted, &|element| filter.matches_element(element))?;
                    if matching.is_empty() {
                        return Err(Refusal::NobodyMatches);
                    }
                    wanted.set(&matching, false);
                    wanted.set(members, true);
                }
            }
        }
        let rests_on_all = wanted.whole.is_some();
        if let Some(only) = wanted.whole {
            let mut gone: Vec<String> = Vec::new();
            self.store.edges(self.team, |edge| {
                if !only.contains(&edge.member) && !wanted.each.contains_key(&edge.member) {
                    gone.push(edge.member);
                }
                Ok(true)
            })?;
            for (members, stays) in [(only.into_iter().collect(), true), (gone, false)] {
                for member in members {
                    wanted.each.entry(member).or_insert(stays);
                }
            }
        }
        let (come, go): (Vec<_>, Vec<_>) = wanted.each.into_iter().partition(|(_, stays)| *stays);
        let ids = |members: Vec<(String, bool)>| members.into_iter().map(|(member, _)| member).collect();
        let mut moves = self.store.coming(self.team, ids(come))?;
        self.may_be_left_out(&moves.unknown, changes)?;
        moves.removed = self.store.leaving(self.team, ids(go))?;
        moves.rests_on_all = rests_on_all;
        Ok(moves)
    }

    /// Whether the change can be made without these ids, which no member has (T33). A replacement in which every id is
    /// unknown is refused: it would remove all current members and add none.
    fn may_be_left_out(&self, unknown: &[String], changes: &[MemberChange]) -> Result<(), Refusal> {
        if unknown.is_empty() {
            return Ok(());
        }
        if let Some(team) = self.store.first_team_of(unknown)? {
            return Err(Refusal::NestedTeam(team));
        }
        if self.refuses_unknown {
            return Err(Refusal::UnknownMembers(unknown.to_vec()));
        }
        let unknown: HashSet<&String> = unknown.iter().collect();
        let is_of_nobody = |members: &&[String]| !members.is_empty() && members.iter().all(|id| unknown.contains(id));
        match changes.iter().filter_map(MemberChange::replacement).find(is_of_nobody) {
            Some(members) => Err(Refusal::NobodyKnown(members.to_vec())),
            None => Ok(()),
        }
    }

    /// The ids that match a filter, among those that the changes so far leave in the team.
    fn members_where(&self, wanted: &Wanted, matches: &dyn Fn(&Value) -> bool) -> Result<Vec<String>, Refusal> {
        let element = |member: &str, name: Option<String>| {
            let location = format!("{}/Users/{member}", self.base_url);
            json!({"value": member, "$ref": location, "display": name, "type": "User"})
        };
        let mut matching = Vec::new();
        self.store.edges(self.team, |edge| {
            if wanted.keeps(&edge.member) && matches(&element(&edge.member, edge.own_name())) {
                matching.push(edge.member);
            }
            Ok(true)
        })?;
        for (member, stays) in &wanted.each {
            if *stays && matches(&element(member, None)) {
                matching.push(member.clone());
            }
        }
        Ok(matching)
    }
}

/// The members that the team should have in the end.
#[derive(Default)]
struct Wanted {
    /// If set, only these are members, apart from the exceptions in `each`. `None` leaves the current members.
    whole: Option<BTreeSet<String>>,
    /// For single ids, whether they are members.
    each: BTreeMap<String, bool>,
}

impl Wanted {
    fn set(&mut self, members: &[String], stays: bool) {
        self.each.extend(members.iter().map(|member| (member.clone(), stays)));
    }

    fn only(&mut self, members: BTreeSet<String>) {
        self.each.clear();
        self.whole = Some(members);
    }

    fn keeps(&self, member: &str) -> bool {
        self.each.get(member).copied().unwrap_or_else(|| self.whole.as_ref().is_none_or(|whole| whole.contains(member)))
    }
}
