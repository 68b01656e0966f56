//! Finds the resources that a filter matches: it checks each candidate that an index or a listing returns.

use std::cell::RefCell;

use super::plan::{Plan, plan};
use super::{Listing, edges};
use crate::endpoint::representation::Representation;
use crate::protocol::document::Document;
use crate::protocol::error::ScimError;
use crate::protocol::filter::Filter;
use crate::protocol::sort::Sort;
use crate::store::keys::Kind;
use crate::store::{Candidates, MemberRecord, Origin, ResourceRecord, StoreError, Stored, TeamRecord};

/// A candidate that was read, and may be put on the page.
pub(super) enum Found {
    User(Stored<MemberRecord>),
    Group(Stored<TeamRecord>),
    Declared(Stored<ResourceRecord>),
}

/// The place where the resources of a type are stored.
#[derive(Clone, Copy)]
pub(super) enum Source<'c> {
    /// Members or teams, which have indexes and counters.
    Indexed(Kind),
    /// A declared type, by its name. It has no index: all its resources are read.
    Declared(&'c str),
}

impl Source<'_> {
    /// The name of the resource type.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Indexed(Kind::User) => "User",
            Self::Indexed(Kind::Team) => "Group",
            Self::Declared(name) => name,
        }
    }
}

/// The part of a list that holds the resources of one type.
pub(super) struct Part<'c, 'h> {
    pub(super) source: Source<'c>,
    pub(super) filter: Option<Filter>,
    pub(super) sort: Option<Sort>,
    pub(super) representation: Representation<'c, 'h>,
}

impl Part<'_, '_> {
    /// Whether the listing index and the counters are enough to build this part.
    pub(super) fn is_plain(&self) -> bool {
        self.filter.is_none() && self.sort.is_none() && matches!(self.source, Source::Indexed(_))
    }
}

impl<'c, 'h> Listing<'c, 'h> {
    /// Calls `each` for every match of the part's filter, with the document that the filter was checked against.
    pub(super) fn each_match(
        &self,
        part: &Part<'_, '_>,
        mut each: impl FnMut(Found, &Document) -> Result<bool, ScimError>,
    ) -> Result<(), ScimError> {
        let lists_all = self.context.organization.options.list_manual;
        let plan = match (&part.filter, part.source) {
            (Some(filter), Source::Indexed(kind)) => plan(kind, filter),
            _ => Plan::default(),
        };
        let candidates = match plan.candidates {
            Candidates::Listed if lists_all => Candidates::All,
            other => other,
        };
        self.each(part, &candidates, |found| {
            if found.origin() == Origin::Manual && !plan.is_lookup && !lists_all {
                return Ok(true);
            }
            let document = self.whole(part, &found)?;
            if !self.matches(part, &found, &document, plan.edge.as_deref())? {
                return Ok(true);
            }
            each(found, &document)
        })
    }

    /// The document as filters and sorting see it. Memberships are added only if the filter or the sorting looks at
    /// them.
    fn whole(&self, part: &Part<'_, '_>, found: &Found) -> Result<Document, StoreError> {
        let needs = |name: &str| {
            part.filter.as_ref().is_some_and(|filter| edges::must_be_listed(filter, name))
                || part.sort.as_ref().is_some_and(|sort| sort.path.attribute == name)
        };
        match found {
            Found::User(stored) => {
                let mut document = part.representation.whole_user(stored);
                if needs(edges::GROUPS) {
                    part.representation.add_groups(stored, &mut document)?;
                }
                Ok(document)
            }
            Found::Group(stored) => {
                let mut document = part.representation.whole_group(stored);
                if needs(edges::MEMBERS) {
                    part.representation.add_members(stored, &mut document)?;
                }
                Ok(document)
            }
            Found::Declared(stored) => Ok(part.representation.whole_resource(stored)),
        }
    }

    /// Whether the filter matches. `edge` is the id of the team or member whose memberships led to the candidate.
    fn matches(
        &self,
        part: &Part<'_, '_>,
        found: &Found,
        document: &Document,
        edge: Option<&str>,
    ) -> Result<bool, ScimError> {
        let Some(filter) = &part.filter else { return Ok(true) };
        let failure = RefCell::new(None);
        let known = |term: &Filter| {
            let (other, team, member) = match found {
                Found::User(stored) => {
                    let team = edges::other_end(term, edges::GROUPS)?;
                    (team, team, stored.record.id())
                }
                Found::Group(stored) => {
                    let member = edges::other_end(term, edges::MEMBERS)?;
                    (member, stored.record.id(), member)
                }
                Found::Declared(_) => return None,
            };
            if edge == Some(other) {
                return Some(true);
            }
            let answer = self.context.store.is_member(team, member);
            Some(answer.unwrap_or_else(|error| {
                failure.borrow_mut().get_or_insert(error);
                false
            }))
        };
        let matches = filter.matches_knowing(document, &known);
        failure.into_inner().map_or(Ok(matches), |error| Err(error.into()))
    }

    pub(super) fn each(
        &self,
        part: &Part<'_, '_>,
        candidates: &Candidates,
        mut each: impl FnMut(Found) -> Result<bool, ScimError>,
    ) -> Result<(), ScimError> {
        let store = self.context.store;
        match part.source {
            Source::Indexed(Kind::User) => {
                store.each_candidate(Kind::User, candidates, |stored| each(Found::User(stored)))
            }
            Source::Indexed(Kind::Team) => {
                store.each_candidate(Kind::Team, candidates, |stored| each(Found::Group(stored)))
            }
            Source::Declared(name) => match candidates {
                Candidates::Ids(ids) => {
                    for stored in ids.iter().filter_map(|id| store.resource(name, id).transpose()) {
                        if !each(Found::Declared(stored?))? {
                            break;
                        }
                    }
                    Ok(())
                }
                _ => store.each_resource(name, |stored| each(Found::Declared(stored))),
            },
        }
    }
}

impl Found {
    /// The type, the id and the name, for the log.
    pub(super) fn subject(&self) -> Option<[String; 3]> {
        match self {
            Self::User(stored) => Some(["User".into(), stored.record.id().to_owned(), stored.record.display_name()]),
            Self::Group(stored) => {
                Some(["Group".into(), stored.record.id().to_owned(), stored.record.display_name().to_owned()])
            }
            Self::Declared(_) => None,
        }
    }

    /// The id of a member who is or was in teams.
    pub(super) fn member_in_teams(&self) -> Option<&str> {
        match self {
            Self::User(stored) if stored.touch.is_some() => Some(stored.record.id()),
            _ => None,
        }
    }

    pub(super) fn id(&self) -> &str {
        match self {
            Self::User(stored) => stored.record.id(),
            Self::Group(stored) => stored.record.id(),
            Self::Declared(stored) => stored.record.id(),
        }
    }

    fn origin(&self) -> Origin {
        match self {
            Self::User(stored) => stored.record.origin,
            Self::Group(stored) => stored.record.origin,
            Self::Declared(_) => Origin::Scim,
        }
    }
}
