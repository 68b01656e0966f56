//! Turns a request into its response: reads ahead the keys that it needs, authenticates the caller, calls the endpoint,
//! and writes the log entry.

use std::cell::{OnceCell, RefCell};

use super::acceptance;
use super::admission::admit;
use super::answer::Answer;
use super::context::{Body, Context};
use super::head::{note_head, require_json};
use super::quota::OverQuota;
use super::routing;
use crate::capability::{Host, Key};
use crate::connector::Presented;
use crate::journal::{Entry, Note, keep, keep_with_change};
use crate::protocol::error::ScimError;
use crate::protocol::message::{Request, Response};
use crate::protocol::mode::Mode;
use crate::protocol::route::{Path, Route};
use crate::protocol::schema::SchemaTable;
use crate::protocol::tolerance::Tolerances;
use crate::store::keys::{self, Kind};
use crate::store::{Actor, OrganizationRecord, Store};

/// Serves a request. Every error is a response with a SCIM error body.
#[must_use]
pub fn handle(host: Host<'_>, request: &Request) -> Response {
    let store = host.store();
    store.act_as(Actor::Scim);
    store.traced_by(request.header("traceparent"));
    let (began, note, applied) = (store.now(), RefCell::<Note>::default(), Tolerances::default());
    let log = Log { key: keys::log(began, &request.request_id, store.random()), began, begun: OnceCell::new() };
    let answer = serve(&store, request, &note, &applied, &log).unwrap_or_else(|error| {
        let answer = Answer::refusal(&error, &request.request_id);
        note.borrow_mut().error = Some(error);
        answer
    });
    let response = answer.into_response(&request.request_id);
    let mut note = note.into_inner();
    note.because.extend(note.caller.take());
    note.because.extend(applied.lines());
    let standing = note.standing;
    let entry = log.begun.into_inner().unwrap_or_else(|| Entry::begun(request, &note, began));
    keep(&store, log.key, entry.answered(request, &response, note, host.clock.now()), standing);
    response
}

/// The log entry of the request that is being served.
struct Log {
    key: Key,
    /// When the request came.
    began: u64,
    /// The entry that was to be written together with the first change.
    begun: OnceCell<Entry>,
}

fn serve(
    store: &Store<'_>,
    request: &Request,
    note: &RefCell<Note>,
    applied: &Tolerances,
    log: &Log,
) -> Result<Answer, ScimError> {
    let (path, presented) = (Path::of(&request.path), Presented::in_header(request.header("authorization")));
    store.prefetch(foreseen(request, &path, &presented))?;
    let table = store.schema_table()?;
    if !table.is_built_in() {
        note.borrow_mut().hidden = table.never_returned();
    }
    let mut organization = store.organization()?.map(|stored| stored.record).unwrap_or_default();
    let mut mode = if organization.options.strict { Mode::STRICT } else { Mode::COMPAT }.noting(applied);
    let route = Route::of(&path, &table, organization.options.discovery_aliases, mode);

    match admit(store, &organization.options, &presented, &request.request_id, note)? {
        Ok(()) => {
            if let Some(refused) = OverQuota::of(request) {
                note.borrow_mut().because.extend(refused.line());
                return Err(refused.error());
            }
            note_head(request, &route, mode);
            if request.method != "GET" {
                let entry = log.begun.get_or_init(|| Entry::begun(request, &note.borrow(), log.began));
                keep_with_change(store, log.key.clone(), entry)?;
            }
        }
        // RFC 7643 §5: everybody may read how to authenticate. The answer is the same for every organization, whatever
        // its settings and even if it does not exist, so that strangers can't find out which organizations exist.
        Err(refusal) if refusal.is_silent && is_public(&path) => {
            organization = OrganizationRecord::default();
            mode = Mode::COMPAT.noting(applied);
        }
        Err(refusal) => return Ok(refusal.answer(request, note, organization.options.basic_authentication)),
    }

    let route = route?;
    if request.method == "OPTIONS" {
        return Ok(Answer { headers: vec![("allow", route.allow().to_owned())], ..Answer::no_content() });
    }
    if !route.allows(&request.method) {
        let error = ScimError::status(
            405,
            format!("{} is not allowed here; the allowed methods are {}", request.method, route.allow()),
        );
        let answer = Answer::refusal(&error, &request.request_id);
        note.borrow_mut().error = Some(error);
        return Ok(Answer { headers: vec![("allow", route.allow().to_owned())], ..answer });
    }
    if !matches!(request.method.as_str(), "GET" | "DELETE") {
        require_json(request)?;
    }
    let (body, organization, table) = (Body::Bytes(&request.body), &organization, &table);
    let context = Context { request, body, store, organization, table, mode, note };
    match acceptance::accept(&context, &route, &presented)? {
        Some(accepted) => Ok(accepted),
        None => routing::serve(&context, &route),
    }
}

/// Whether the path may be read without a token.
fn is_public(path: &Path<'_>) -> bool {
    matches!(Route::of(path, SchemaTable::builtin(), false, Mode::COMPAT), Ok(Route::ServiceProviderConfig))
}

/// The keys that the request will certainly read, so that one call to the host reads them all.
fn foreseen(request: &Request, path: &Path<'_>, presented: &Presented<'_>) -> Vec<Key> {
    let always = [keys::ORGANIZATION, keys::CONNECTOR, keys::DECLARED];
    let mut keys: Vec<Key> = always.map(<[u8]>::to_vec).into();
    match presented.access_token() {
        Some(sha256) => keys.extend([keys::oauth_access(sha256), keys::OAUTH_USED.to_vec()]),
        None => keys.push(keys::CONNECTOR_USED.to_vec()),
    }
    if request.method != "GET" {
        keys.extend([keys::SETTINGS.to_vec(), keys::SEATS.to_vec()]);
    }
    let kind = match path.resource() {
        Some(("Users", id)) => Some((Kind::User, id)),
        Some(("Groups", id)) => Some((Kind::Team, id)),
        _ => None,
    };
    if let Some((kind, id)) = kind.filter(|(_, id)| keys::is_id(id)) {
        keys.extend([kind.document(id), kind.touch(id)]);
    }
    keys
}
