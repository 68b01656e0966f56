//! Runs requests that were accepted to be run later: in parts, each operation once. It reports their results to event
//! streams (RFC 9967 §2.5.1).

use std::cell::RefCell;

use super::bulk::Run;
use super::bulk_request::{BulkRequest, Operation, Turn};
use super::context::{Body, Context};
use crate::capability::Host;
use crate::connector::{Unauthenticated, authenticate_again};
use crate::journal::{Entry, Note, Standing};
use crate::protocol::error::ScimError;
use crate::protocol::message::{Request, Response};
use crate::protocol::mode::Mode;
use crate::protocol::tolerance::Tolerances;
use crate::sentence::Sentence;
use crate::store::{
    AcceptedRecord, Actor, Batch, Cause, OperationRecord, OutcomeRecord, Store, StoreError, StreamRecord, Versioned,
    encode, keys,
};

/// The most operations whose results one commit reports.
const AT_ONCE: usize = 25;
/// How often an operation is started if the server or the component stops each time before it ends. After that it is
/// given up, so that the operations behind it can run.
const MOST_ATTEMPTS: u32 = 3;
/// How many operations of a request get their own line in the log.
const MOST_LOGGED: usize = 50;

/// Runs a part of an accepted request, at least one operation, until `is_over`. It continues where an earlier run
/// stopped.
///
/// # Errors
/// If the storage can't answer, or if somebody else runs the request.
pub fn run_accepted(host: Host<'_>, transaction: &str, is_over: &dyn Fn() -> bool) -> Result<(), StoreError> {
    let store = host.store();
    store.act_as(Actor::Scim);
    let Some(Versioned { mut record, version }) = store.accepted(transaction)? else { return Ok(()) };
    let attempts = record.attempts;
    record.attempts = attempts.saturating_add(1);
    let version = store.put_accepted(Batch::new(), transaction, &record, version)?;
    let (request_id, credential) = (Some(record.request_id.clone()), Some(record.credential.clone()));
    store.caused_by(Cause { request_id, credential, ..Cause::default() });
    store.traced_by(record.traceparent.as_deref());

    let organization = store.organization()?.map(|stored| stored.record).unwrap_or_default();
    let (table, applied, note) = (store.schema_table()?, Tolerances::default(), RefCell::<Note>::default());
    let mode = if organization.options.strict { Mode::STRICT } else { Mode::COMPAT }.noting(&applied);
    let request = request(&record);
    let context = Context {
        request: &request,
        body: Body::Bytes(&[]),
        store: &store,
        organization: &organization,
        table: &table,
        mode,
        note: &note,
    };
    let operations: Vec<Operation> = store.accepted_operations(transaction)?.into_iter().map(operation).collect();
    let (order, mut run) = begun(&context, &record, operations);
    let mut telling = Telling { store: &store, transaction, record, version, fresh: Vec::new() };
    let (mut known, mut first) = (vec![false; telling.record.operations], true);
    for (index, Versioned { record: outcome, version }) in
        store.accepted_outcomes(transaction, 0, telling.record.operations)?
    {
        match (outcome.result, outcome.resource) {
            (Some(result), _) => run.restore(index, result),
            // The server stopped after it had run the operation and before it had reported the result.
            (None, Some(id)) => {
                run.restore_change(index, &id, version);
                let external_id = match outcome.external_id {
                    Some(external_id) => Some(external_id).filter(|external_id| !external_id.is_empty()),
                    None => external_id(&store, (transaction, index), &run.subject(index))?,
                };
                telling.fresh.push(Fresh { index, external_id, line: None });
            }
            (None, None) => continue,
        }
        if let Some(known) = known.get_mut(index) {
            *known = true;
        }
    }
    // Results that are reported together are lost together if an operation stops the component. After such a stop every
    // result is reported on its own.
    let at_once = if attempts == 0 { AT_ONCE } else { 1 };
    for Turn { index, .. } in order {
        if known.get(index).is_none_or(|known| *known) {
            continue;
        }
        if !first && is_over() {
            break;
        }
        store.begin_anew();
        match admitted(&store, &telling.record)? {
            Err(reason) => run.refuse(index, ScimError::from(reason)),
            Ok(()) if run.is_over() => {
                let detail = "It was not done, because the number of failed operations has reached 'failOnErrors'";
                run.refuse(index, ScimError::status(409, detail));
            }
            Ok(()) if first && attempts >= MOST_ATTEMPTS => {
                let detail = "The server failed several times to do it, and no longer tries";
                run.refuse(index, ScimError::status(500, detail));
            }
            Ok(()) => {
                store.name_transaction(telling.record.transaction(transaction, index));
                store.leave_receipts(Some((transaction, index)));
                run.one(index, &[]);
                store.leave_receipts(None);
                if run.take_back(index) {
                    telling.tell(&run, &request)?;
                    return Err(StoreError::Unavailable("an operation is to be tried again".to_owned()));
                }
            }
        }
        first = false;
        let line = note.borrow_mut().because.drain(..).next_back();
        let external_id = external_id(&store, (transaction, index), &run.subject(index))?;
        telling.fresh.push(Fresh { index, external_id, line });
        if telling.fresh.len() >= at_once {
            telling.tell(&run, &request)?;
        }
    }
    telling.tell(&run, &request)
}

/// The operations in the order in which they run.
fn begun<'c, 'h>(
    context: &'c Context<'c, 'h>,
    record: &AcceptedRecord,
    mut operations: Vec<Operation>,
) -> (Vec<Turn>, Run<'c, 'h>) {
    let single = if record.is_bulk { None } else { operations.pop() };
    match single {
        Some(single) => (vec![Turn { index: 0, unresolved: Vec::new() }], Run::single(context, single)),
        None => {
            let request = BulkRequest { operations, fail_on_errors: record.fail_on_errors };
            (request.order(), Run::of(context, request))
        }
    }
}

/// Whether the client's credential is still valid.
fn admitted(store: &Store<'_>, record: &AcceptedRecord) -> Result<Result<(), Unauthenticated>, StoreError> {
    let connector = store.connector()?.map(|stored| stored.record);
    let access = if record.is_access_token { store.oauth_access(&record.token)? } else { None };
    let token = (record.token.as_str(), record.is_access_token);
    Ok(authenticate_again(connector.as_ref(), token, access.as_ref(), store.now()).map(drop))
}

/// The accepted request without its body.
fn request(record: &AcceptedRecord) -> Request {
    Request {
        method: record.method.clone(),
        path: record.path.clone(),
        base_url: record.base_url.clone(),
        request_id: record.request_id.clone(),
        sender_address: record.sender_address.clone(),
        headers: record.user_agent.iter().map(|agent| ("user-agent".to_owned(), agent.clone())).collect(),
        ..Request::default()
    }
}

/// The client's own id of the user or group with this path, if there is one: a token names it beside the path (RFC 9967
/// §2.1). It is read right after the operation, since a later operation may change it. If the operation has deleted the
/// resource, its receipt still names the id.
///
/// A document that can't be decoded names none: it must not keep the request from ending.
fn external_id(store: &Store<'_>, operation: (&str, usize), uri: &str) -> Result<Option<String>, StoreError> {
    let document = match uri.strip_prefix('/').and_then(|path| path.split_once('/')) {
        Some(("Users", id)) => store.member(id).map(|member| member.map(|member| member.record.document)),
        Some(("Groups", id)) => store.team(id).map(|team| team.map(|team| team.record.document)),
        _ => return Ok(None),
    };
    match document {
        Ok(Some(document)) => Ok(document.get("externalId").and_then(|id| id.as_str()).map(str::to_owned)),
        Ok(None) => store.external_id_of(operation.0, operation.1),
        Err(StoreError::Broken(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn operation(record: OperationRecord) -> Operation {
    let OperationRecord { method, path, bulk_id, version, data } = record;
    Operation { method, path, bulk_id, version, data, result: None }
}

/// Reports the results of operations.
struct Telling<'t, 'h> {
    store: &'t Store<'h>,
    transaction: &'t str,
    record: AcceptedRecord,
    /// The version of the stored record.
    version: u64,
    /// The operations whose results are not reported yet.
    fresh: Vec<Fresh>,
}

/// What is known about an operation beside its result.
struct Fresh {
    index: usize,
    /// The client's own id of the resource, as it was after the operation.
    external_id: Option<String>,
    /// The operation's line for the log.
    line: Option<String>,
}

impl Telling<'_, '_> {
    /// Stores the results and reports them to event streams, in one commit. With the last result the request is done.
    fn tell(&mut self, run: &Run<'_, '_>, request: &Request) -> Result<(), StoreError> {
        let is_complete = run.is_complete() && self.record.finished.is_none();
        if self.fresh.is_empty() && !is_complete {
            return Ok(());
        }
        let (store, mut batch) = (self.store, Batch::new());
        let streams: Vec<StreamRecord> =
            store.read_streams()?.into_iter().filter(StreamRecord::tells_responses).collect();
        let fresh = std::mem::take(&mut self.fresh);
        self.record.attempts = 0;
        let mut lines = Vec::new();
        for Fresh { index, external_id, line } in fresh {
            let (result, uri) = (run.result(index).cloned(), run.subject(index));
            let outcome = OutcomeRecord { resource: None, result, uri, external_id, line, time: store.time() };
            for stream in &streams {
                if let Some(set) = self.record.completion(self.transaction, index, &outcome) {
                    store.add_set(&mut batch, stream, &set)?;
                }
            }
            batch.put(keys::accepted_outcome(self.transaction, index), encode(&outcome)?);
            lines.extend(outcome.line);
        }
        if is_complete {
            self.record.finished = Some(store.time());
            Store::end_accepted(&mut batch, self.transaction, &self.record);
            self.log(&mut batch, run, request, lines)?;
        }
        self.version = store.put_accepted(batch, self.transaction, &self.record, self.version)?;
        Ok(())
    }

    /// Adds an entry of the SCIM log to the batch. It has the id of the request, as has the entry about its acceptance.
    fn log(
        &self,
        batch: &mut Batch,
        run: &Run<'_, '_>,
        request: &Request,
        last: Vec<String>,
    ) -> Result<(), StoreError> {
        let (store, record) = (self.store, &self.record);
        let done = Sentence::RunLater { transaction: self.transaction.to_owned(), count: record.operations };
        let earlier = store.accepted_outcomes(self.transaction, 0, MOST_LOGGED)?;
        let lines = earlier.into_iter().filter_map(|(_, outcome)| outcome.record.line).chain(last);
        let because = [String::from(done)].into_iter().chain(lines).take(1 + MOST_LOGGED).collect();
        let mut note = Note { standing: Standing::Admitted, because, ..Note::default() };
        let mut status = 200;
        if let Some(result) = run.result(0).filter(|_| !record.is_bulk) {
            status = result.get("status").and_then(|status| status.as_str()?.parse().ok()).unwrap_or(status);
            let detail = result.get("response").and_then(|response| response.get("detail")?.as_str());
            note.error = detail.map(|detail| ScimError::status(status, detail));
        }
        let now = store.time();
        let key = keys::log(now, &record.request_id, store.random());
        let entry = Entry::begun(request, &note, now);
        let response = Response { status, headers: Vec::new(), body: Vec::new() };
        batch.put(key, encode(&entry.answered(request, &response, note, now))?);
        Ok(())
    }
}
