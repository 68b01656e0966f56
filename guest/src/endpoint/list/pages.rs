//! Which resources are on the page: by position, by cursor, or in order.

use std::cmp::Ordering;

use super::Listing;
use super::matches::{Found, Part, Source};
use super::page::PageOf;
use crate::protocol::cursor::Position;
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::sort::SortKey;
use crate::store::Candidates;
use crate::store::keys::Kind;

/// How many stored documents are read at once.
const ROWS: usize = 256;
/// How many matches can be put in order at the most.
const MOST_SORTED: usize = 200_000;

impl<'c, 'h> Listing<'c, 'h> {
    /// Everything that lists show, in the order of creation: the listing index answers, and the counters.
    pub(super) fn plain(&self, skip: u32, count: u32) -> Result<PageOf, ScimError> {
        let (store, all) = (self.context.store, self.context.organization.options.list_manual);
        let after = self.after();
        let first = after.map_or(0, |after| after.part);
        let mut page = PageOf::default();
        let mut skip = skip;
        for (number, part) in (0..).zip(&self.parts) {
            let Source::Indexed(kind) = part.source else { continue };
            let total = store.listed_total(kind, all)?;
            page.total += total;
            let wanted = count.saturating_sub(u32::try_from(page.resources.len()).unwrap_or(u32::MAX));
            if number < first || page.more {
                continue;
            }
            if wanted == 0 || page.is_too_large() {
                page.more = total > 0;
                continue;
            }
            let after = after.filter(|after| after.part == number).map(|after| after.id.as_str());
            if after.is_some() || u64::from(skip) < total {
                // One more than the page holds tells whether others follow.
                let ahead = wanted.saturating_add(u32::from(self.by_cursor.is_some()));
                let mut ids = store.listed_ids(kind, all, after, skip, ahead)?;
                page.more = ids.len() > wanted as usize;
                ids.truncate(wanted as usize);
                self.render_listed(part, (number, kind), &ids, &mut page)?;
            }
            skip = u32::try_from(u64::from(skip).saturating_sub(total)).unwrap_or(u32::MAX);
        }
        Ok(page)
    }

    /// Matches as the index or the listing has them, in bounded memory.
    pub(super) fn streamed(&self, skip: u32, count: u32) -> Result<PageOf, ScimError> {
        let mut page = PageOf::default();
        for part in &self.parts {
            self.each_match(part, |found, _| {
                page.total += 1;
                page.only = if page.total == 1 { found.subject() } else { None };
                let is_full = page.resources.len() >= count as usize || page.is_too_large();
                if page.total > u64::from(skip) && !is_full {
                    self.render(part, &found, &mut page)?;
                }
                Ok(true)
            })?;
        }
        Ok(page)
    }

    /// Matches in order: by the attribute that the client named, then by id.
    pub(super) fn sorted(&self, skip: u32, count: u32) -> Result<PageOf, ScimError> {
        let by_cursor = self.by_cursor.is_some();
        let mut matches: Vec<Position> = Vec::new();
        for (number, part) in (0..).zip(&self.parts) {
            self.each_match(part, |found, document| {
                let key = part.sort.as_ref().map_or(SortKey::Missing, |sort| sort.key(document));
                let key = if by_cursor { key.shortened() } else { key };
                matches.push(Position { part: number, key, id: found.id().to_owned() });
                if matches.len() > MOST_SORTED {
                    let detail = format!("More than {MOST_SORTED} matches can't be put in order; narrow the filter");
                    return Err(ScimError::new(ScimType::TooMany, detail));
                }
                Ok(true)
            })?;
        }
        let sort = self.parts.iter().find_map(|part| part.sort.as_ref());
        let compare = |left: &Position, right: &Position| {
            let by_key = sort.map_or(Ordering::Equal, |sort| sort.compare(&left.key, &right.key));
            by_key.then(left.part.cmp(&right.part)).then_with(|| left.id.cmp(&right.id))
        };
        matches.sort_by(compare);
        let from = match self.after() {
            Some(after) => matches.partition_point(|position| compare(position, after).is_le()),
            None => skip as usize,
        };

        let mut page = PageOf { total: matches.len() as u64, ..PageOf::default() };
        let mut rest = matches.into_iter().skip(from);
        for position in rest.by_ref().take(count as usize) {
            if let Some(part) = self.parts.get(position.part as usize) {
                let candidate = Candidates::Ids(vec![position.id.clone()]);
                self.each(part, &candidate, |found| self.render(part, &found, &mut page))?;
            }
            page.last = Some(position);
            if page.is_too_large() {
                break;
            }
        }
        page.more = rest.next().is_some();
        Ok(page)
    }

    /// The last resource of the page before.
    fn after(&self) -> Option<&Position> {
        self.cursor()?.last.as_ref()
    }

    /// Adds the resources with these ids to the page, as they are stored where that is what the client asked to see.
    fn render_listed(
        &self,
        part: &Part<'_, '_>,
        (number, kind): (u32, Kind),
        ids: &[String],
        page: &mut PageOf,
    ) -> Result<(), ScimError> {
        let mut shown = 0;
        for chunk in ids.chunks(ROWS) {
            if part.representation.takes_rows() {
                for (id, row) in chunk.iter().zip(self.context.store.rows(kind, chunk)?) {
                    shown += 1;
                    if let Some(row) = row {
                        page.push(part.representation.row(kind, id, &row)?.json);
                    }
                    if page.is_too_large() {
                        break;
                    }
                }
            } else {
                let mut until = chunk.len();
                self.each(part, &Candidates::Ids(chunk.to_vec()), |found| {
                    let has_room = self.render(part, &found, page)?;
                    if !has_room {
                        until = chunk.iter().position(|id| id == found.id()).map_or(until, |at| at + 1);
                    }
                    Ok(has_room)
                })?;
                shown += until;
            }
            if page.is_too_large() {
                break;
            }
        }
        page.more |= shown < ids.len();
        if let Some(id) = shown.checked_sub(1).and_then(|at| ids.get(at)) {
            page.last = Some(Position { part: number, key: SortKey::Missing, id: id.clone() });
        }
        Ok(())
    }

    /// Adds the resource to the page; returns whether there is room for another.
    fn render(&self, part: &Part<'_, '_>, found: &Found, page: &mut PageOf) -> Result<bool, ScimError> {
        page.push(match found {
            Found::User(stored) => part.representation.user(stored)?.json,
            Found::Group(stored) => part.representation.group(stored)?.json,
            Found::Declared(stored) => part.representation.resource(stored),
        });
        Ok(!page.is_too_large())
    }
}
