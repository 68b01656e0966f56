//! Lists: filter, sort, page (RFC 7644 §3.4.2, §3.4.3, RFC 9865).

mod edges;
mod matches;
mod page;
mod pages;
mod plan;

use self::matches::{Part, Source};
use self::page::{PageOf, unchanging};
use super::answer::Answer;
use super::context::Context;
use super::representation::Representation;
use crate::opaque::OpaqueKey;
use crate::protocol::cursor::Cursor;
use crate::protocol::discovery::MAX_RESULTS;
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::filter::Filter;
use crate::protocol::query::Query;
use crate::protocol::schema::ResourceSchema;
use crate::protocol::sort::Sort;
use crate::sentence::Sentence;
use crate::store::keys::Kind;

/// How many attributes of a filter the log names.
const MOST_NAMED: usize = 5;

/// Serves `POST /.search` and `POST /Users/.search`.
pub(super) fn search(context: &Context<'_, '_>, resource_type: Option<&str>) -> Result<Answer, ScimError> {
    let body = context.body()?;
    list(context, resource_type, &Query::from_search(&body, context.mode)?)
}

/// Lists the resources of one type, or of all types.
pub(super) fn list(context: &Context<'_, '_>, resource_type: Option<&str>, query: &Query) -> Result<Answer, ScimError> {
    let all = || context.table.resource_types().iter().map(|resource_type| resource_type.name.as_str()).collect();
    let names: Vec<&str> = resource_type.map_or_else(all, |name| vec![name]);
    let schemas = names.into_iter().map(|name| context.schema(name)).collect::<Result<Vec<_>, _>>()?;
    let listing = Listing::new(context, &schemas, query)?;
    listing.answer()
}

struct Listing<'c, 'h> {
    context: &'c Context<'c, 'h>,
    query: &'c Query,
    parts: Vec<Part<'c, 'h>>,
    /// Set if the client pages by cursor, `None` if it pages by index.
    by_cursor: Option<ByCursor>,
}

struct ByCursor {
    /// The beginning of the page: the client's cursor, or that of the first page.
    cursor: Cursor,
    /// The key that decrypts this cursor and encrypts the next one.
    key: OpaqueKey,
}

impl<'c, 'h> Listing<'c, 'h> {
    fn new(
        context: &'c Context<'c, 'h>,
        schemas: &'c [ResourceSchema<'c>],
        query: &'c Query,
    ) -> Result<Self, ScimError> {
        let mut parts = Vec::with_capacity(schemas.len());
        let mut unsortable = None;
        for schema in schemas {
            let others: Vec<ResourceSchema<'_>> =
                schemas.iter().filter(|other| other.core.id != schema.core.id).cloned().collect();
            let filter =
                query.filter.as_deref().map(|text| Filter::parse(schema, &others, text, context.mode)).transpose()?;
            let sort = query.sort_by.as_deref().map(|by| Sort::parse(schema, by, query.sort_order.as_deref()));
            // A type without the attribute has no value to sort by (RFC 7644 §3.4.2.1), unless no type has it.
            let sort = match sort.transpose() {
                Ok(sort) => sort,
                Err(error) => {
                    unsortable.get_or_insert(error);
                    None
                }
            };
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
        if let Some(error) = unsortable
            && parts.iter().all(|part| part.sort.is_none())
        {
            return Err(error);
        }
        let by_cursor = Self::by_cursor(context, query, &parts)?;
        Ok(Self { context, query, parts, by_cursor })
    }

    fn by_cursor(
        context: &Context<'_, '_>,
        query: &Query,
        parts: &[Part<'_, '_>],
    ) -> Result<Option<ByCursor>, ScimError> {
        let Some(text) = &query.cursor else { return Ok(None) };
        if query.named_count.is_some_and(|count| count > i64::from(MAX_RESULTS)) {
            let detail = format!("A page has at most {MAX_RESULTS} resources");
            return Err(ScimError::new(ScimType::InvalidCount, detail));
        }
        let (now, key) = (context.store.now(), context.store.opaque_key()?);
        if text.is_empty() {
            return Ok(Some(ByCursor { cursor: Cursor { issued: now, count: query.count, last: None }, key }));
        }
        let cursor = Cursor::open(text, &key, &unchanging(parts), now)?;
        if query.named_count.is_some() && query.count != cursor.count {
            let detail = format!("The pages of this query have a count of {}", cursor.count);
            return Err(ScimError::new(ScimType::InvalidCount, detail));
        }
        Ok(Some(ByCursor { cursor, key }))
    }

    fn cursor(&self) -> Option<&Cursor> {
        self.by_cursor.as_ref().map(|by_cursor| &by_cursor.cursor)
    }

    fn answer(&self) -> Result<Answer, ScimError> {
        let count = self.cursor().map_or(self.query.count, |cursor| cursor.count);
        let skip = if self.by_cursor.is_some() { 0 } else { self.query.start_index - 1 };
        let is_plain = self.parts.iter().all(Part::is_plain);
        let is_sorted = self.parts.iter().any(|part| part.sort.is_some());
        let page = if let Some(page) = self.by_unique_name(skip, count)? {
            page
        } else if is_plain {
            self.plain(skip, count)?
        } else if is_sorted || self.by_cursor.is_some() {
            self.sorted(skip, count)?
        } else {
            self.streamed(skip, count)?
        };
        self.note(&page);
        self.list_response(page)
    }

    /// Notes for the SCIM log what a look-up has found, and by which attributes.
    fn note(&self, page: &PageOf) {
        let Some(filter) = self.parts.first().and_then(|part| part.filter.as_ref()) else { return };
        let mut attributes: Vec<&str> = filter.conjuncts().iter().map(|term| term.path).take(MOST_NAMED).collect();
        attributes.dedup();
        let attributes = if attributes.is_empty() { "the filter".to_owned() } else { attributes.join(", ") };
        let mut note = self.context.note.borrow_mut();
        note.because.push(Sentence::Found { total: page.total, attributes }.into());
        if let Some([resource_type, id, name]) = &page.only {
            note.subject(resource_type, id, name);
        }
    }
}
