//! Lists: filter, sort, page (RFC 7644 §3.4.2, §3.4.3, RFC 9865).

use std::cell::RefCell;
use std::cmp::Ordering;

use serde_json::{Value, json};

use super::answer::{Answer, encode};
use super::context::Context;
use super::edges;
use super::plan::{Plan, plan};
use super::representation::Representation;
use crate::protocol::cursor::{Cursor, Position};
use crate::protocol::discovery::{LIST_RESPONSE, MAX_RESULTS};
use crate::protocol::document::{self, Document};
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::filter::Filter;
use crate::protocol::query::Query;
use crate::protocol::schema::ResourceSchema;
use crate::protocol::sort::{Sort, SortKey};
use crate::store::keys::Kind;
use crate::store::{Candidates, MemberRecord, Origin, ResourceRecord, StoreError, Stored, TeamRecord};

/// How large a page may become, in bytes; it ends early rather than exceed this by more than one resource.
const LARGEST_PAGE: usize = 32 * 1024 * 1024;
/// How many stored documents are read at once.
const ROWS: usize = 256;
/// How many matches can be put in order at the most.
const MOST_SORTED: usize = 200_000;

/// How many attributes of a filter the log names.
const MOST_NAMED: usize = 5;

/// Serves `POST /.search` and `POST /Users/.search`.
pub(super) fn search(context: &Context<'_, '_>, resource_type: Option<&str>) -> Result<Answer, ScimError> {
    let body = document::parse(&context.request.body)?;
    list(context, resource_type, &Query::from_search(&body, context.mode)?)
}

/// Lists the resources of one type, or of all.
pub(super) fn list(context: &Context<'_, '_>, resource_type: Option<&str>, query: &Query) -> Result<Answer, ScimError> {
    let all = || context.table.resource_types().iter().map(|resource_type| resource_type.name.as_str()).collect();
    let names: Vec<&str> = resource_type.map_or_else(all, |name| vec![name]);
    let schemas = names.into_iter().map(|name| context.schema(name)).collect::<Result<Vec<_>, _>>()?;
    let listing = Listing::new(context, &schemas, query)?;
    listing.answer()
}

/// A resource on its way into a page.
enum Found {
    User(Stored<MemberRecord>),
    Group(Stored<TeamRecord>),
    Declared(Stored<ResourceRecord>),
}

/// Where a type's resources are kept.
#[derive(Clone, Copy)]
enum Source<'c> {
    /// Members or teams, with indexes and counters.
    Indexed(Kind),
    /// A declared type, by its name: its resources are looked through.
    Declared(&'c str),
}

/// One type's part of a listing.
struct Part<'c, 'h> {
    source: Source<'c>,
    filter: Option<Filter>,
    sort: Option<Sort>,
    representation: Representation<'c, 'h>,
}

impl Part<'_, '_> {
    /// Whether the listing index and the counters answer.
    fn is_plain(&self) -> bool {
        self.filter.is_none() && self.sort.is_none() && matches!(self.source, Source::Indexed(_))
    }
}

struct Listing<'c, 'h> {
    context: &'c Context<'c, 'h>,
    query: &'c Query,
    parts: Vec<Part<'c, 'h>>,
    /// Where the page begins: the client's cursor, or the first page's.
    cursor: Option<Cursor>,
    cursor_key: Vec<u8>,
}

/// A page in the making.
#[derive(Default)]
struct PageOf {
    total: u64,
    resources: Vec<Vec<u8>>,
    bytes: usize,
    /// The type, the id and the name of the only match so far.
    only: Option<[String; 3]>,
    /// The last resource that was looked at, also if it has gone meanwhile.
    last: Option<Position>,
    /// Whether others follow.
    more: bool,
}

impl PageOf {
    fn push(&mut self, resource: Vec<u8>) {
        self.bytes += resource.len();
        self.resources.push(resource);
    }

    fn is_too_large(&self) -> bool {
        self.bytes >= LARGEST_PAGE
    }
}

impl<'c, 'h> Listing<'c, 'h> {
    fn new(
        context: &'c Context<'c, 'h>,
        schemas: &'c [ResourceSchema<'c>],
        query: &'c Query,
    ) -> Result<Self, ScimError> {
        let mut parts = Vec::with_capacity(schemas.len());
        for schema in schemas {
            let others: Vec<ResourceSchema<'_>> =
                schemas.iter().filter(|other| other.core.id != schema.core.id).cloned().collect();
            let filter = query
                .filter
                .as_deref()
                .map(|text| Filter::parse_among(schema, &others, text, context.mode))
                .transpose()?;
            let sort = query.sort_by.as_deref().map(|by| Sort::parse(schema, by, query.sort_order.as_deref()));
            // A type without the attribute has no value to sort by (RFC 7644 §3.4.2.1), unless it is the only one.
            let sort = if schemas.len() > 1 { sort.and_then(Result::ok) } else { sort.transpose()? };
            let source = match schema.resource_type.name.as_str() {
                "User" => Source::Indexed(Kind::User),
                "Group" => Source::Indexed(Kind::Team),
                name => Source::Declared(name),
            };
            parts.push(Part {
                source,
                filter,
                sort,
                representation: Representation::new(context, schema, &query.projection),
            });
        }
        let (cursor, cursor_key) = Self::cursor(context, query)?;
        Ok(Self { context, query, parts, cursor, cursor_key })
    }

    fn cursor(context: &Context<'_, '_>, query: &Query) -> Result<(Option<Cursor>, Vec<u8>), ScimError> {
        let Some(text) = &query.cursor else { return Ok((None, Vec::new())) };
        if query.named_count.is_some_and(|count| count > i64::from(MAX_RESULTS)) {
            let detail = format!("A page has at most {MAX_RESULTS} resources");
            return Err(ScimError::new(ScimType::InvalidCount, detail));
        }
        let (now, key) = (context.store.now(), context.store.cursor_key()?);
        if text.is_empty() {
            return Ok((Some(Cursor { issued: now, count: query.count, last: None }), key));
        }
        let cursor = Cursor::verify(text, &key, &unchanging(context, query), now)?;
        if query.named_count.is_some() && query.count != cursor.count {
            let detail = format!("The pages of this query have a count of {}", cursor.count);
            return Err(ScimError::new(ScimType::InvalidCount, detail));
        }
        Ok((Some(cursor), key))
    }

    fn answer(&self) -> Result<Answer, ScimError> {
        let count = self.cursor.as_ref().map_or(self.query.count, |cursor| cursor.count);
        let skip = if self.cursor.is_some() { 0 } else { self.query.start_index - 1 };
        let is_plain = self.parts.iter().all(Part::is_plain);
        let is_sorted = self.parts.iter().any(|part| part.sort.is_some());
        let page = if is_plain {
            self.plain(skip, count)?
        } else if is_sorted || self.cursor.is_some() {
            self.sorted(skip, count)?
        } else {
            self.streamed(skip, count)?
        };
        self.note(&page);
        Ok(self.list_response(page))
    }

    /// Tells the SCIM log what a look-up has found, and by which attributes.
    fn note(&self, page: &PageOf) {
        let Some(filter) = self.parts.first().and_then(|part| part.filter.as_ref()) else { return };
        let mut attributes: Vec<&str> = filter.conjuncts().iter().map(|term| term.path).take(MOST_NAMED).collect();
        attributes.dedup();
        let by = if attributes.is_empty() { "the filter".to_owned() } else { attributes.join(", ") };
        let mut note = self.context.note.borrow_mut();
        note.because.push(format!("found {} by {by}", page.total));
        if let Some([resource_type, id, name]) = &page.only {
            note.subject(resource_type, id, name);
        }
    }

    /// Everything that lists show, in the order of creation: the listing index answers, and the counters.
    fn plain(&self, skip: u32, count: u32) -> Result<PageOf, ScimError> {
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
                let ahead = wanted.saturating_add(u32::from(self.cursor.is_some()));
                let mut ids = store.listed_ids(kind, all, after, skip, ahead)?;
                page.more = ids.len() > wanted as usize;
                ids.truncate(wanted as usize);
                self.render_listed(part, (number, kind), &ids, &mut page)?;
            }
            skip = u32::try_from(u64::from(skip).saturating_sub(total)).unwrap_or(u32::MAX);
        }
        Ok(page)
    }

    /// The last resource of the page before.
    fn after(&self) -> Option<&Position> {
        self.cursor.as_ref()?.last.as_ref()
    }

    /// Matches as the index or the listing has them, in bounded memory.
    fn streamed(&self, skip: u32, count: u32) -> Result<PageOf, ScimError> {
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
    fn sorted(&self, skip: u32, count: u32) -> Result<PageOf, ScimError> {
        let by_cursor = self.cursor.is_some();
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

    /// Hands every match of the part's filter to `each`, with the document that the filter saw.
    fn each_match(
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

    /// The document as filters and sorting see it, with its edges only where one looks at them.
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

    /// Whether the filter matches. `edge` is the other end of the edges that led to the candidate.
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

    fn each(
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

    fn list_response(&self, page: PageOf) -> Answer {
        let mut head = json!({
            "schemas": [LIST_RESPONSE],
            "totalResults": page.total,
            "itemsPerPage": page.resources.len(),
        });
        match &self.cursor {
            None => insert(&mut head, "startIndex", self.query.start_index.into()),
            // The validity is that of each page (RFC 9865 §2.3), so that a long list can be read to its end.
            Some(cursor) if page.more && page.last.is_some() => {
                let next = Cursor { issued: self.context.store.now(), last: page.last, ..cursor.clone() };
                let text = next.sign(&self.cursor_key, &unchanging(self.context, self.query));
                insert(&mut head, "nextCursor", text.into());
            }
            Some(_) => {}
        }
        let mut body = encode(&head);
        body.pop();
        body.extend_from_slice(b",\"Resources\":[");
        for (index, resource) in page.resources.into_iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            body.extend(resource);
        }
        body.extend_from_slice(b"]}");
        Answer::json(200, body)
    }
}

impl Found {
    /// The type, the id and the name, for the log.
    fn subject(&self) -> Option<[String; 3]> {
        match self {
            Self::User(stored) => Some(["User".into(), stored.record.id().to_owned(), stored.record.display_name()]),
            Self::Group(stored) => {
                Some(["Group".into(), stored.record.id().to_owned(), stored.record.display_name().to_owned()])
            }
            Self::Declared(_) => None,
        }
    }

    fn id(&self) -> &str {
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

/// All of a query that must not change from page to page.
fn unchanging(context: &Context<'_, '_>, query: &Query) -> String {
    let order = query.sort_order.as_deref().unwrap_or("ascending").to_ascii_lowercase();
    json!([context.request.path.trim_end_matches('/').trim_end_matches("/.search"), query.filter, query.sort_by, order])
        .to_string()
}

fn insert(head: &mut Value, name: &str, value: Value) {
    if let Value::Object(head) = head {
        head.insert(name.to_owned(), value);
    }
}
