//! Chooses the endpoint that serves a request.

use super::answer::Answer;
use super::completion::completion;
use super::context::Context;
use super::operation::on_resource;
use super::{bulk, list};
use crate::journal::Standing;
use crate::protocol::discovery;
use crate::protocol::error::ScimError;
use crate::protocol::query::Query;
use crate::protocol::route::Route;
use crate::store::StreamRecord;

/// Serves a request whose method is allowed for the route.
pub(super) fn serve(context: &Context<'_, '_>, route: &Route) -> Result<Answer, ScimError> {
    match route {
        Route::Resources(name) if context.request.method == "POST" => on_resource(context, name, None),
        Route::Resources(name) => list::list(context, Some(name), &parameters(context)?),
        Route::Resource(name, id) => on_resource(context, name, Some(id)),
        Route::Root => list::list(context, None, &parameters(context)?),
        Route::Search(kind) => list::search(context, kind.as_deref()),
        Route::Bulk => bulk::bulk(context),
        Route::AsyncResponse(transaction) => completion(context, transaction),
        Route::Me => {
            Err(ScimError::status(501, "/Me is not supported, because the caller is an identity provider and no user"))
        }
        Route::ServiceProviderConfig | Route::ResourceTypes(_) | Route::Schemas(_) => {
            forbid_filter(context)?;
            discover(context, route)
        }
    }
}

fn discover(context: &Context<'_, '_>, route: &Route) -> Result<Answer, ScimError> {
    let (table, base_url) = (context.table, &context.request.base_url);
    match route {
        Route::ResourceTypes(None) => Ok(Answer::document(&discovery::resource_types(table, base_url))),
        Route::ResourceTypes(Some(name)) => {
            found(discovery::resource_type(table, name, base_url), "resource type", name)
        }
        Route::Schemas(None) => Ok(Answer::document(&discovery::schemas(table, base_url))),
        Route::Schemas(Some(urn)) => found(discovery::schema(table, urn, base_url), "schema", urn),
        _ => {
            let takes_basic = context.organization.options.basic_authentication;
            let document = discovery::service_provider_config(base_url, takes_basic, &event_uris(context)?);
            Ok(Answer::document(&document))
        }
    }
}

/// The URIs of the events that the organization's streams carry. Unauthenticated callers get none, so that they can't
/// find out which organizations exist.
fn event_uris(context: &Context<'_, '_>) -> Result<Vec<String>, ScimError> {
    if context.note.borrow().standing != Standing::Admitted {
        return Ok(Vec::new());
    }
    let mut uris: Vec<String> = context.store.streams()?.iter().flat_map(StreamRecord::event_uris).collect();
    uris.sort_unstable();
    uris.dedup();
    Ok(uris)
}

fn parameters(context: &Context<'_, '_>) -> Result<Query, ScimError> {
    Query::from_parameters(context.request.query.as_deref(), context.mode)
}

fn found(document: Option<serde_json::Value>, kind: &str, name: &str) -> Result<Answer, ScimError> {
    document
        .map(|document| Answer::document(&document))
        .ok_or_else(|| ScimError::not_found(format!("There is no {kind} '{name}'")))
}

/// RFC 7644 §4: a filter on a discovery endpoint is refused, so that no client takes the answer for a filtered one.
fn forbid_filter(context: &Context<'_, '_>) -> Result<(), ScimError> {
    match parameters(context)?.filter {
        Some(_) => Err(ScimError::status(403, "Discovery endpoints can't be filtered")),
        None => Ok(()),
    }
}
