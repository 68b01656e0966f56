//! From a request to its response: route, authentication, method, endpoint, log.

use std::cell::RefCell;

use super::answer::Answer;
use super::bulk;
use super::context::{Context, Host};
use super::declared::Declared;
use super::groups::Groups;
use super::list;
use super::table::table;
use super::users::Users;
use crate::capability::Key;
use crate::connector::{Authenticated, Credential, Unauthenticated, access_token_hash, authenticate, refresh};
use crate::journal::{Entry, Note, Standing, keep};
use crate::moment::lasts;
use crate::protocol::discovery;
use crate::protocol::error::ScimError;
use crate::protocol::message::{Request, Response};
use crate::protocol::mode::Mode;
use crate::protocol::query::Query;
use crate::protocol::route::Route;
use crate::protocol::schema::SchemaTable;
use crate::protocol::tolerance::{Tolerance, Tolerances};
use crate::store::keys::{self, Kind};
use crate::store::{AccessRecord, Actor, Store, StoreError};

/// How much later than the last time `connector-used` is written again, in milliseconds.
const USED_AGAIN: u64 = 60_000;
/// Every media type that a body may have (RFC 7644 §3.1; T17).
const MEDIA_TYPES: [&str; 2] = ["application/scim+json", "application/json"];

/// What an `Accept` header that can be met has in it; others are answered as well (T17).
const ACCEPTED: [&str; 4] = ["application/scim+json", "application/json", "application/*", "*/*"];

/// Serves a request. Every refusal is a response with a SCIM error body.
#[must_use]
pub fn handle(host: Host<'_>, request: &Request) -> Response {
    let store = host.store();
    store.act_as(Actor::Scim);
    let (began, note, applied) = (store.now(), RefCell::<Note>::default(), Tolerances::default());
    let answer = serve(&store, request, &note, &applied).unwrap_or_else(|error| {
        let answer = Answer::refusal(&error, &request.request_id);
        note.borrow_mut().error = Some(error);
        answer
    });
    let response = answer.into_response(&request.request_id);
    let mut note = note.into_inner();
    note.because.extend(note.caller.take());
    note.because.extend(applied.lines());
    let standing = note.standing;
    keep(&store, Entry::new(request, &response, note, began, host.clock.now()), standing);
    response
}

fn serve(
    store: &Store<'_>,
    request: &Request,
    note: &RefCell<Note>,
    applied: &Tolerances,
) -> Result<Answer, ScimError> {
    store.prefetch(foreseen(request))?;
    let table = table(store)?;
    let is_built_in = table.is_built_in();
    let table = &*table;
    if !is_built_in {
        note.borrow_mut().hidden = table.never_returned();
    }
    let organization = store.organization()?.map(|stored| stored.record).unwrap_or_default();
    let route = Route::parse(&request.path, table, organization.options.discovery_aliases);
    let connector = store.connector()?.map(|stored| stored.record);

    let is_enabled = connector.as_ref().is_some_and(|connector| connector.enabled);
    let authorization = request.header("authorization");
    let access = match access_token_hash(authorization) {
        Some(sha256) => store.oauth_access(&sha256)?,
        None => None,
    };
    let options = &organization.options;
    let mode = if options.strict { Mode::STRICT } else { Mode::COMPAT }.noting(applied);
    let caller = match authenticate(connector.as_ref(), options, authorization, access.as_ref(), store.now()) {
        Ok(caller) => {
            let mut noted = note.borrow_mut();
            noted.standing = Standing::Admitted;
            noted.token_generation = Some(caller.generation);
            noted.caller = Some(admitted(caller, access.as_ref()));
            drop(noted);
            note_use(store, caller)?;
            note_head(request, authorization, &route, mode);
            Some(caller)
        }
        // RFC 7643 §5: how to authenticate can be read by who has not yet.
        Err(Unauthenticated::Missing) if is_enabled && matches!(route, Ok(Route::ServiceProviderConfig)) => None,
        Err(refusal) => {
            let mut noted = note.borrow_mut();
            noted.token_generation = refusal.generation();
            if refusal.generation().is_some() {
                noted.standing = Standing::Refused;
            }
            noted.caller = refused(refusal, access.as_ref());
            drop(noted);
            return Ok(challenge(refusal, request, note, options.basic_authentication));
        }
    };

    let route = route?;
    let context = Context { request, store, organization: &organization, table, is_built_in, caller, mode, note };
    if request.method == "OPTIONS" {
        return Ok(Answer { headers: vec![("allow", route.allow().to_owned())], ..Answer::no_content() });
    }
    if !route.allows(&request.method) {
        let error =
            ScimError::status(405, format!("{} is not allowed here, only {} are", request.method, route.allow()));
        let answer = Answer::refusal(&error, &request.request_id);
        note.borrow_mut().error = Some(error);
        return Ok(Answer { headers: vec![("allow", route.allow().to_owned())], ..answer });
    }
    if !matches!(request.method.as_str(), "GET" | "DELETE") {
        require_json(request)?;
    }
    endpoint(&context, &route)
}

fn endpoint(context: &Context<'_, '_>, route: &Route) -> Result<Answer, ScimError> {
    match (route, context.request.method.as_str()) {
        (Route::Resources(name), "POST") => match name.as_str() {
            "User" => Users::new(context)?.create(),
            "Group" => Groups::new(context)?.create(),
            name => Declared::new(context, name)?.create(),
        },
        (Route::Resources(name), _) => list::list(context, Some(name), &parameters(context)?),
        (Route::Resource(name, id), method) => match name.as_str() {
            "User" => user(&Users::new(context)?, method, id),
            "Group" => group(&Groups::new(context)?, method, id),
            name => declared(&Declared::new(context, name)?, method, id),
        },
        (Route::Root, _) => list::list(context, None, &parameters(context)?),
        (Route::Search(kind), _) => list::search(context, kind.as_deref()),
        (Route::Bulk, _) => bulk::bulk(context),
        (Route::Me, _) => Err(ScimError::status(
            501,
            "/Me is not supported: the caller is an identity provider, which is no user here",
        )),
        (Route::ServiceProviderConfig | Route::ResourceTypes(_) | Route::Schemas(_), _) => {
            forbid_filter(context)?;
            discover(context, route)
        }
    }
}

fn user(users: &Users<'_, '_>, method: &str, id: &str) -> Result<Answer, ScimError> {
    match method {
        "PUT" => users.replace(id),
        "PATCH" => users.modify(id),
        "DELETE" => users.delete(id),
        _ => users.read(id),
    }
}

fn group(groups: &Groups<'_, '_>, method: &str, id: &str) -> Result<Answer, ScimError> {
    match method {
        "PUT" => groups.replace(id),
        "PATCH" => groups.modify(id),
        "DELETE" => groups.delete(id),
        _ => groups.read(id),
    }
}

fn declared(resources: &Declared<'_, '_>, method: &str, id: &str) -> Result<Answer, ScimError> {
    match method {
        "PUT" => resources.replace(id),
        "PATCH" => resources.modify(id),
        "DELETE" => resources.delete(id),
        _ => resources.read(id),
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
        _ => Ok(Answer::document(&discovery::service_provider_config(
            base_url,
            context.organization.options.basic_authentication,
        ))),
    }
}

/// Runs a request that stands in a bulk request, for the same caller.
pub(super) fn within_bulk(context: &Context<'_, '_>) -> Result<Answer, ScimError> {
    let route = Route::parse(&context.request.path, context.table, false)?;
    match route {
        Route::Resources(_) | Route::Resource(..) if route.allows(&context.request.method) => endpoint(context, &route),
        _ => Err(ScimError::status(405, "A bulk operation creates, replaces, modifies or deletes a resource")),
    }
}

fn parameters(context: &Context<'_, '_>) -> Result<Query, ScimError> {
    Query::from_parameters(context.request.query.as_deref(), context.mode)
}

fn found(document: Option<serde_json::Value>, kind: &str, name: &str) -> Result<Answer, ScimError> {
    document
        .map(|document| Answer::document(&document))
        .ok_or_else(|| ScimError::not_found(format!("There is no {kind} '{name}'")))
}

/// RFC 7644 §4: a filter on a discovery endpoint is refused, so that nobody takes the answer for a filtered one.
fn forbid_filter(context: &Context<'_, '_>) -> Result<(), ScimError> {
    match parameters(context)?.filter {
        Some(_) => Err(ScimError::status(403, "Discovery endpoints can't be filtered")),
        None => Ok(()),
    }
}

/// The keys that the request will surely read, for one crossing.
fn foreseen(request: &Request) -> Vec<Key> {
    let always = [keys::ORGANIZATION, keys::CONNECTOR, keys::DECLARED];
    let mut keys: Vec<Key> = always.map(<[u8]>::to_vec).into();
    match access_token_hash(request.header("authorization")) {
        Some(sha256) => keys.extend([keys::oauth_access(&sha256), keys::OAUTH_USED.to_vec()]),
        None => keys.push(keys::CONNECTOR_USED.to_vec()),
    }
    if request.method != "GET" {
        keys.extend([keys::SETTINGS.to_vec(), keys::SEATS.to_vec()]);
    }
    if let Ok(Route::Resource(name, id)) = Route::parse(&request.path, SchemaTable::builtin(), false) {
        let kind = if name == "User" { Kind::User } else { Kind::Team };
        if keys::is_id(&id) {
            keys.extend([kind.document(&id), kind.touch(&id)]);
        }
    }
    keys
}

fn note_use(store: &Store<'_>, caller: Authenticated) -> Result<(), StoreError> {
    let by_access_token = caller.credential == Credential::AccessToken;
    let used = if by_access_token { store.oauth_used()? } else { store.connector_used()? };
    if !used.is_some_and(|used| lasts(used.saturating_add(USED_AGAIN), store.now(), USED_AGAIN)) {
        if by_access_token { store.note_oauth_used()? } else { store.note_connector_used()? }
    }
    if caller.credential == Credential::NextToken {
        // The request is as good without: a later one will tell as well.
        if let Err(error) = refresh::arrived(store, caller.generation) {
            eprintln!("the arrival of the new token could not be noted: {error}");
        }
    }
    Ok(())
}

/// By what a caller is let in, for the log.
fn admitted(caller: Authenticated, access: Option<&AccessRecord>) -> String {
    let generation = caller.generation;
    match caller.credential {
        Credential::Token => format!("caller: bearer token {generation}"),
        Credential::NextToken => format!("caller: new bearer token {generation}, which is being installed"),
        Credential::PreviousToken => format!("caller: previous bearer token {generation}, during the overlap"),
        Credential::AccessToken => format!("caller: access token of the OAuth client {}", client(access)),
    }
}

/// What a caller came with who is not let in, for the log; `None` if it is nothing of this organization.
fn refused(refusal: Unauthenticated, access: Option<&AccessRecord>) -> Option<String> {
    match refusal {
        Unauthenticated::Missing | Unauthenticated::Scheme | Unauthenticated::Wrong => None,
        Unauthenticated::Expired { generation } => Some(format!("caller: bearer token {generation}, expired")),
        Unauthenticated::Replaced { generation } => {
            Some(format!("caller: bearer token {generation}, replaced by a newer one"))
        }
        Unauthenticated::AccessTokenExpired { .. } => {
            Some(format!("caller: access token of the OAuth client {}, expired", client(access)))
        }
        Unauthenticated::Disabled { .. } if access.is_some() => {
            Some(format!("caller: access token of the OAuth client {}, while SCIM is disabled", client(access)))
        }
        Unauthenticated::Disabled { generation } => {
            Some(format!("caller: bearer token {generation}, while SCIM is disabled"))
        }
    }
}

fn client(access: Option<&AccessRecord>) -> &str {
    access.map_or("", |access| access.client.as_str())
}

/// 401 with the schemes that are offered (RFC 7644 §2, RFC 6750 §3, RFC 7617 §2).
fn challenge(refusal: Unauthenticated, request: &Request, note: &RefCell<Note>, takes_basic: bool) -> Answer {
    let challenge = match refusal {
        Unauthenticated::Missing => "Bearer realm=\"SCIM\"".to_owned(),
        _ => format!("Bearer realm=\"SCIM\", error=\"invalid_token\", error_description=\"{refusal}\""),
    };
    let error = ScimError::from(refusal);
    let answer = Answer::refusal(&error, &request.request_id);
    note.borrow_mut().error = Some(error);
    let basic = takes_basic.then(|| "Basic realm=\"SCIM\", charset=\"UTF-8\"".to_owned());
    let challenges = [Some(challenge), basic].into_iter().flatten();
    Answer { headers: challenges.map(|challenge| ("www-authenticate", challenge)).collect(), ..answer }
}

/// Notes what it took to read the request's line and its header fields.
fn note_head(request: &Request, authorization: Option<&str>, route: &Result<Route, ScimError>, mode: Mode<'_>) {
    let token = authorization.and_then(|header| header.strip_prefix("Bearer "));
    if token.is_none_or(|token| token.trim() != token) {
        mode.note(Tolerance::Authorization);
    }
    if request.path.contains("//") || (request.path.len() > 1 && request.path.ends_with('/')) {
        mode.note(Tolerance::Url);
    }
    if matches!(route, Ok(Route::ServiceProviderConfig)) && !request.path.trim_end_matches('/').ends_with("Config") {
        mode.note(Tolerance::Alias);
    }
    let accept = request.header("accept").map(str::to_ascii_lowercase);
    let is_taken = accept.is_none_or(|accept| ACCEPTED.iter().any(|known| accept.contains(known)));
    let has_type = request.header("content-type").is_some_and(|content_type| !content_type.trim().is_empty());
    if !is_taken || !(has_type || request.body.is_empty()) {
        mode.note(Tolerance::MediaType);
    }
}

/// 415 for a body of another media type; a body without one is taken for JSON (T17). Only of requests whose body is read.
fn require_json(request: &Request) -> Result<(), ScimError> {
    let Some(content_type) = request.header("content-type").filter(|_| !request.body.is_empty()) else { return Ok(()) };
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.is_empty() || MEDIA_TYPES.iter().any(|known| known.eq_ignore_ascii_case(media_type)) {
        return Ok(());
    }
    Err(ScimError::status(415, format!("A body is {}, not {media_type}", MEDIA_TYPES.join(" or "))))
}
