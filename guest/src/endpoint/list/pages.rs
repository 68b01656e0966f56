//! Chooses the resources of a page: by position, by cursor, or in sorted order.

use std::cmp::Ordering;

use super::Listing;
use super::matches::{Found, Part, Source};
use super::page::PageOf;
use super::plan::unique_name;
use crate::protocol::cursor::Position;
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::sort::SortKey;
use crate::store::keys::Kind;
use crate::store::{Candidates, Row, Stored};

/// How many stored documents are read in one call.
const ROWS: usize = 256;
/// How many matches are rendered together: each is a whole document of up to a mebibyte.
const MATCHES: usize = 64;
/// The most matches that can be sorted.
const MOST_SORTED: usize = 200_000;

impl<'c, 'h> Listing<'c, 'h> {
    /// Lists all resources in the order of their ids, by the listing index and the counters.
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
                // Reading one more than the page holds tells whether others follow.
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

    /// Answers a look-up by the unique name alone, which identity providers send before most changes; `None` if the
    /// query is another one. The index has names in the form in which filters compare them, so whom it finds is the
    /// match: the filter need not be checked, and the stored document is sent unchanged.
    pub(super) fn by_unique_name(&self, skip: u32, count: u32) -> Result<Option<PageOf>, ScimError> {
        let [part] = self.parts.as_slice() else { return Ok(None) };
        let (Source::Indexed(kind), Some(filter)) = (part.source, &part.filter) else { return Ok(None) };
        let is_of_rows = part.representation.takes_rows() && part.sort.is_none() && self.by_cursor.is_none();
        let Some(key) = is_of_rows.then(|| unique_name(kind, filter)).flatten() else { return Ok(None) };
        let store = self.context.store;
        let ids: Vec<String> = store.id_at(key)?.into_iter().collect();
        let mut page = PageOf::default();
        for (id, row) in ids.iter().zip(store.rows(kind, &ids)?) {
            let Some(row) = row else { continue };
            page.total += 1;
            page.only = Some([part.source.name().to_owned(), id.clone(), row.record.display_name()]);
            if skip == 0 && count > 0 {
                page.push(part.representation.row(kind, id, &row)?.json);
            }
        }
        Ok(Some(page))
    }

    /// Lists matches in the order of the index or the listing, in bounded memory.
    pub(super) fn streamed(&self, skip: u32, count: u32) -> Result<PageOf, ScimError> {
        let mut page = PageOf::default();
        for part in &self.parts {
            let mut waiting = Vec::new();
            self.each_match(part, |found, _| {
                page.total += 1;
                page.only = if page.total == 1 { found.subject() } else { None };
                let is_full = page.resources.len() + waiting.len() >= count as usize || page.is_too_large();
                if page.total > u64::from(skip) && !is_full {
                    waiting.push(found);
                }
                if waiting.len() == MATCHES {
                    self.render(part, &std::mem::take(&mut waiting), &mut page)?;
                }
                Ok(true)
            })?;
            self.render(part, &waiting, &mut page)?;
        }
        Ok(page)
    }

    /// Lists matches in sorted order: by the attribute that the client named, then by id.
    pub(super) fn sorted(&self, skip: u32, count: u32) -> Result<PageOf, ScimError> {
        let by_cursor = self.by_cursor.is_some();
        let mut matches: Vec<Position> = Vec::new();
        for (number, part) in (0..).zip(&self.parts) {
            self.each_match(part, |found, document| {
                let key = part.sort.as_ref().map_or(SortKey::Missing, |sort| sort.key(document));
                let key = if by_cursor { key.shortened() } else { key };
                matches.push(Position { part: number, key, id: found.id().to_owned() });
                if matches.len() > MOST_SORTED {
                    let detail = format!("More than {MOST_SORTED} matches can't be sorted; use a narrower filter");
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
        let rest = matches.get(from..).unwrap_or_default();
        let wanted = rest.get(..count as usize).unwrap_or(rest);
        let mut looked_at = 0;
        let of_one_part = wanted.chunk_by(|one, next| one.part == next.part).flat_map(|run| run.chunks(MATCHES));
        for positions in of_one_part {
            let Some(part) = positions.first().and_then(|first| self.parts.get(first.part as usize)) else { break };
            let ids: Vec<String> = positions.iter().map(|position| position.id.clone()).collect();
            looked_at += self.render_those(part, &ids, &mut page)?;
            if page.is_too_large() {
                break;
            }
        }
        page.last = looked_at.checked_sub(1).and_then(|at| wanted.get(at)).cloned();
        page.more = looked_at < rest.len();
        Ok(page)
    }

    /// The last resource of the previous page.
    fn after(&self) -> Option<&Position> {
        self.cursor()?.last.as_ref()
    }

    /// Adds the resources with these ids to the page. Stored documents are copied unchanged if that is what the client
    /// asked for.
    fn render_listed(
        &self,
        part: &Part<'_, '_>,
        (number, kind): (u32, Kind),
        ids: &[String],
        page: &mut PageOf,
    ) -> Result<(), ScimError> {
        let mut shown = 0;
        let takes_rows = part.representation.takes_rows();
        for chunk in ids.chunks(if takes_rows { ROWS } else { MATCHES }) {
            shown += match takes_rows {
                true => self.render_rows(part, kind, chunk, page)?,
                false => self.render_those(part, chunk, page)?,
            };
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

    /// Adds the stored documents with these ids, until the page is too large. Returns how many of the ids were
    /// examined; resources that were deleted meanwhile are left out.
    fn render_rows(
        &self,
        part: &Part<'_, '_>,
        kind: Kind,
        ids: &[String],
        page: &mut PageOf,
    ) -> Result<usize, ScimError> {
        let rows = self.context.store.rows(kind, ids)?;
        if kind == Kind::User {
            let in_teams = |row: &Option<Stored<Row>>| row.as_ref().is_some_and(|row| row.touch.is_some());
            let those = ids.iter().zip(&rows).filter(|(_, row)| in_teams(row)).map(|(id, _)| id.as_str());
            part.representation.look_ahead(&those.collect::<Vec<_>>())?;
        }
        for (index, (id, row)) in ids.iter().zip(rows).enumerate() {
            if let Some(row) = row {
                page.push(part.representation.row(kind, id, &row)?.json);
            }
            if page.is_too_large() {
                return Ok(index + 1);
            }
        }
        Ok(ids.len())
    }

    /// Adds the resources with these ids, until the page is too large. Returns how many of the ids were examined;
    /// resources that were deleted meanwhile are left out.
    fn render_those(&self, part: &Part<'_, '_>, ids: &[String], page: &mut PageOf) -> Result<usize, ScimError> {
        let mut found = Vec::with_capacity(ids.len());
        self.each(part, &Candidates::Ids(ids.to_vec()), |resource| {
            found.push(resource);
            Ok(true)
        })?;
        let shown = self.render(part, &found, page)?;
        let last = found.get(shown).and_then(|next| ids.iter().position(|id| id == next.id()));
        Ok(last.unwrap_or(ids.len()))
    }

    /// Adds the resources to the page, until it is too large. Returns how many of them fitted.
    fn render(&self, part: &Part<'_, '_>, found: &[Found], page: &mut PageOf) -> Result<usize, ScimError> {
        part.representation.look_ahead(&found.iter().filter_map(Found::member_in_teams).collect::<Vec<_>>())?;
        for (index, found) in found.iter().enumerate() {
            if page.is_too_large() {
                return Ok(index);
            }
            page.push(match found {
                Found::User(stored) => part.representation.user(stored)?.json,
                Found::Group(stored) => part.representation.group(stored)?.json,
                Found::Declared(stored) => part.representation.resource(stored),
            });
        }
        Ok(found.len())
    }
}
