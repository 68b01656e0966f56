//! `/Bulk`: many operations in one request, which may refer to each other (RFC 7644 §3.7).

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::answer::{Answer, encode};
use super::bulk_request::{BulkRequest, Operation, Turn};
use super::conditions::etag;
use super::context::{Body, Context};
use super::operation::within_bulk;
use super::references::{REFERENCE, is_path, next_quoted};
use super::refusal::is_of_storage;
use crate::journal::Note;
use crate::protocol::discovery::MAX_BULK_PAYLOAD;
use crate::protocol::error::ScimError;
use crate::protocol::message::Request;
use crate::protocol::route::Route;
use crate::provisioning::Action;
use crate::sentence::Sentence;

const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// How many operations of a request get their own line in the log.
const MOST_LOGGED: usize = 50;
/// The longest line of the log for one operation, in characters.
const LONGEST_LOGGED: usize = 300;
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Serves `POST /Bulk`.
pub(super) fn bulk(context: &Context<'_, '_>) -> Result<Answer, ScimError> {
    let request = read(context)?;
    let order = request.order();
    let mut run = Run::of(context, request);
    run.all(order);
    let results: Vec<Value> = run.operations.into_iter().filter_map(|operation| operation.result).collect();
    context.note.borrow_mut().because.push(Sentence::BulkDone { count: results.len() }.into());
    Ok(Answer::json(200, encode(&json!({"schemas": [BULK_RESPONSE], "Operations": results}))))
}

/// Reads the body of a bulk request.
pub(super) fn read(context: &Context<'_, '_>) -> Result<BulkRequest, ScimError> {
    if context.request.body.len() > MAX_BULK_PAYLOAD as usize {
        let detail = format!("The size of the bulk request exceeds the maxPayloadSize of {MAX_BULK_PAYLOAD} bytes");
        return Err(ScimError::status(413, detail));
    }
    BulkRequest::parse(context.body()?, context.mode)
}

/// The result of an operation that has a bulkId.
enum Outcome {
    /// The id of the resource.
    Id(String),
    Failed,
}

/// An operation that is part of a circle of references. It was done without the attributes that refer to later
/// operations of the circle; those attributes are set when all operations of the circle are done.
struct Circle {
    index: usize,
    /// The operations of the PATCH that sets the missing attributes.
    later: Vec<Value>,
    is_new: bool,
}

/// Operations that run one after the other, with their results.
pub(super) struct Run<'c, 'h> {
    context: &'c Context<'c, 'h>,
    operations: Vec<Operation>,
    /// Whether operations refer to each other by their bulkIds.
    are_linked: bool,
    outcomes: HashMap<String, Outcome>,
    circles: Vec<Circle>,
    fail_on_errors: usize,
    errors: usize,
    /// Whether an operation failed because the storage was temporarily unavailable.
    is_busy: bool,
}

impl<'c, 'h> Run<'c, 'h> {
    /// Runs the operations of a bulk request.
    pub(super) fn of(context: &'c Context<'c, 'h>, request: BulkRequest) -> Self {
        let BulkRequest { operations, fail_on_errors } = request;
        Self {
            context,
            operations,
            are_linked: true,
            outcomes: HashMap::new(),
            circles: Vec::new(),
            fail_on_errors: fail_on_errors.unwrap_or(usize::MAX),
            errors: 0,
            is_busy: false,
        }
    }

    /// Runs a request that is a single operation: nothing in it refers to another one.
    pub(super) fn single(context: &'c Context<'c, 'h>, operation: Operation) -> Self {
        let request = BulkRequest { operations: vec![operation], fail_on_errors: None };
        Self { are_linked: false, ..Self::of(context, request) }
    }

    /// Runs all operations in this order.
    fn all(&mut self, order: Vec<Turn>) {
        for Turn { index, unresolved } in order {
            if self.is_over() {
                break;
            }
            self.one(index, &unresolved);
        }
        self.close_circles();
    }

    /// Whether the request has reached its number of allowed errors, so that the remaining operations are not run.
    pub(super) fn is_over(&self) -> bool {
        self.errors >= self.fail_on_errors
    }

    /// Whether all operations have a result.
    pub(super) fn is_complete(&self) -> bool {
        self.operations.iter().all(|operation| operation.result.is_some())
    }

    /// The result of an operation.
    pub(super) fn result(&self, index: usize) -> Option<&Value> {
        self.operations.get(index)?.result.as_ref()
    }

    /// The path of what an operation was about, relative to the connector URL: the path of the resource, or that of the
    /// endpoint if there is no resource.
    pub(super) fn subject(&self, index: usize) -> String {
        let Some(operation) = self.operations.get(index) else { return "/".to_owned() };
        let location = operation.result.as_ref().and_then(|result| result.get("location")?.as_str());
        let below = location.and_then(|location| location.strip_prefix(self.context.request.base_url.as_str()));
        below.unwrap_or(&operation.path).to_owned()
    }

    /// Forgets the result of an operation if it failed only because the storage was temporarily unavailable; returns
    /// whether that was the reason.
    pub(super) fn take_back(&mut self, index: usize) -> bool {
        if let Some(operation) = self.operations.get_mut(index).filter(|_| self.is_busy) {
            operation.result = None;
        }
        self.is_busy
    }

    /// Sets the result that an operation had in an earlier run.
    pub(super) fn restore(&mut self, index: usize, result: Value) {
        let Some(operation) = self.operations.get_mut(index) else { return };
        let is_done = result.get("status").and_then(Value::as_str).is_some_and(|status| status.starts_with('2'));
        let id = result.get("location").and_then(|location| location.as_str()?.rsplit('/').next()).map(str::to_owned);
        self.errors += usize::from(!is_done);
        if let Some(bulk_id) = &operation.bulk_id {
            self.outcomes.insert(bulk_id.clone(), id.filter(|_| is_done).map_or(Outcome::Failed, Outcome::Id));
        }
        operation.result = Some(result);
    }

    /// Records that an operation changed the resource with this id in an earlier run, and which version it wrote.
    pub(super) fn restore_change(&mut self, index: usize, id: &str, version: u64) {
        let Some(operation) = self.operations.get(index) else { return };
        let location = self.location(&operation.path, id);
        let status = match operation.method.as_str() {
            "POST" => 201,
            "DELETE" => 204,
            _ => 200,
        };
        let etag = (status != 204).then(|| etag(version));
        self.record(index, Ok(Answer { status, etag, ..Answer::default() }), location);
    }

    /// Refuses an operation without running it.
    pub(super) fn refuse(&mut self, index: usize, error: ScimError) {
        let refused = Err(error);
        if let Some(operation) = self.operations.get(index) {
            self.log(&self.request(operation, operation.path.clone()), &refused, Note::default());
        }
        self.record(index, refused, None);
    }

    /// The URL of the resource with this id, at the endpoint that the path of an operation names.
    fn location(&self, path: &str, id: &str) -> Option<String> {
        let route = Route::parse(path, self.context.table, false, self.context.mode).ok()?;
        let (Route::Resources(name) | Route::Resource(name, _)) = route else { return None };
        Some(self.context.location(&self.context.schema(&name).ok()?, id))
    }

    /// Runs an operation. The operations in `unresolved` wait for this one, so attributes that refer to them are set
    /// later.
    pub(super) fn one(&mut self, index: usize, unresolved: &[usize]) {
        let Some(operation) = self.operations.get(index) else { return };
        let names: Vec<&str> =
            unresolved.iter().filter_map(|index| self.operations.get(*index)?.bulk_id.as_deref()).collect();
        let (data, later) = operation.without(&names);
        let (answer, location, is_new) = match self.resolved(&operation.path, data.as_deref()) {
            Ok((path, body)) => self.run(&self.request(operation, path), body),
            Err(error) => (Err(error), None, false),
        };
        self.is_busy |= answer.as_ref().is_err_and(is_of_storage);
        if answer.is_ok() && !later.is_empty() {
            self.circles.push(Circle { index, later, is_new });
        }
        self.record(index, answer, location);
    }

    /// Sets the attributes that refer to resources that were created later. If that fails, the operation is undone if
    /// it had created its resource.
    fn close_circles(&mut self) {
        for Circle { index, later, is_new } in std::mem::take(&mut self.circles) {
            let Some(operation) = self.operations.get(index) else { continue };
            let Some(Outcome::Id(id)) = operation.bulk_id.as_ref().and_then(|bulk_id| self.outcomes.get(bulk_id))
            else {
                continue;
            };
            let place = format!("{}/{id}", operation.path.trim_end_matches('/'));
            let patch = json!({"schemas": [PATCH_OP], "Operations": later});
            let request =
                |method: &str| Request { method: method.to_owned(), ..self.request(operation, place.clone()) };
            let (answer, location) = match self.resolved(&operation.path, Some(&patch)) {
                Ok((_, body)) => {
                    let (answer, location, _) = self.run(&request("PATCH"), body);
                    (answer, location)
                }
                Err(error) => (Err(error), None),
            };
            if answer.is_err() && is_new {
                // The result may be dropped: the log says whether the resource could be deleted.
                drop(self.run(&request("DELETE"), Body::Bytes(&[])));
            }
            let answer = answer.map(|answer| Answer { status: 201, ..answer });
            let answer = answer.map_err(|error| {
                ScimError::status(
                    409,
                    format!(
                        "The operations refer to each other in a \
                    circle: {}",
                        error.detail
                    ),
                )
            });
            self.record(index, answer, location);
        }
    }

    /// Writes one line of the log for an operation: the resource, what was done to it or why nothing was done, and the
    /// reason.
    fn log(&self, request: &Request, answer: &Result<Answer, ScimError>, note: Note) {
        let because = &mut self.context.note.borrow_mut().because;
        if because.len() >= MOST_LOGGED {
            return;
        }
        let what = match answer {
            Ok(_) => note.action.unwrap_or("done").to_owned(),
            Err(error) => format!("refused with {}: {}", error.status, error.detail),
        };
        let whom = note.subject.map(|subject| format!(" {}", subject.name)).unwrap_or_default();
        let why: String = note.because.iter().map(|reason| format!("; {reason}")).collect();
        let line = format!("{} {}: {what}{whom}{why}", request.method, request.path);
        because.push(line.chars().take(LONGEST_LOGGED).collect());
    }

    /// Runs one request. Returns also the location, and whether a resource was created.
    fn run(&self, request: &Request, body: Body<'_>) -> (Result<Answer, ScimError>, Option<String>, bool) {
        let note: RefCell<Note> = RefCell::default();
        let context = Context { request, body, note: &note, ..*self.context };
        let answer = match request.method.as_str() {
            "POST" | "PUT" | "PATCH" | "DELETE" => within_bulk(&context),
            method => Err(ScimError::status(405, format!("A bulk operation can't have the method {method}"))),
        };
        let named = (request.method != "POST").then(|| format!("{}{}", request.base_url, request.path));
        let location = answer.as_ref().ok().and_then(|answer| answer.location.clone()).or(named);
        let note = note.into_inner();
        let is_new = note.action == Some(Action::Created.as_str());
        self.log(request, &answer, note);
        (answer, location, is_new)
    }

    fn request(&self, operation: &Operation, path: String) -> Request {
        let if_match = operation.version.iter().map(|version| ("if-match".to_owned(), version.clone()));
        Request {
            method: operation.method.clone(),
            path,
            query: None,
            headers: if_match.collect(),
            ..self.context.request.clone_head()
        }
    }

    /// The path and the body of an operation, in which ids have replaced the bulkId references.
    fn resolved(&self, path: &str, data: Option<&Value>) -> Result<(String, Body<'static>), ScimError> {
        if !self.are_linked {
            let body = data.map_or(Body::Bytes(&[]), |data| Body::Value(Cell::new(data.clone())));
            return Ok((path.to_owned(), body));
        }
        let mut resolved = String::new();
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            resolved.push('/');
            match segment.strip_prefix(REFERENCE) {
                Some(reference) => resolved.push_str(self.id_of(reference)?),
                None => resolved.push_str(segment),
            }
        }
        let body = match data {
            Some(data) => {
                let mut data = data.clone();
                self.substitute(&mut data)?;
                Body::Value(Cell::new(data))
            }
            None => Body::Bytes(&[]),
        };
        Ok((resolved, body))
    }

    /// Replaces references by ids. The JSON parser bounds the nesting, so this may recurse.
    fn substitute(&self, value: &mut Value) -> Result<(), ScimError> {
        match value {
            Value::String(text) => {
                if let Some(reference) = text.strip_prefix(REFERENCE) {
                    *text = self.id_of(reference)?.to_owned();
                }
                Ok(())
            }
            Value::Array(values) => values.iter_mut().try_for_each(|value| self.substitute(value)),
            Value::Object(fields) => fields.iter_mut().try_for_each(|(name, value)| match value {
                Value::String(path) if is_path(name) => self.substitute_in_path(path),
                value => self.substitute(value),
            }),
            _ => Ok(()),
        }
    }

    /// Replaces the references of a path such as `members[value eq "bulkId:…"]`.
    fn substitute_in_path(&self, path: &mut String) -> Result<(), ScimError> {
        let mut resolved = String::new();
        let mut rest = path.as_str();
        while let Some((before, reference, behind)) = next_quoted(rest) {
            resolved.push_str(before);
            resolved.push_str(self.id_of(reference)?);
            rest = behind;
        }
        resolved.push_str(rest);
        *path = resolved;
        Ok(())
    }

    fn id_of(&self, reference: &str) -> Result<&str, ScimError> {
        match self.outcomes.get(reference) {
            Some(Outcome::Id(id)) => Ok(id),
            Some(Outcome::Failed) => {
                Err(ScimError::status(409, format!("The operation with the bulkId '{reference}' failed")))
            }
            None => self.id_in_path(reference).ok_or_else(|| {
                ScimError::invalid_value(format!("No successful operation has the bulkId '{reference}'"))
            }),
        }
    }

    /// The id of the resource that an operation changes. The path names it, so it is known before the operation runs.
    fn id_in_path(&self, reference: &str) -> Option<&str> {
        let named = |operation: &&Operation| operation.bulk_id.as_deref() == Some(reference);
        let operation = self.operations.iter().find(named).filter(|operation| operation.method != "POST")?;
        let id = operation.path.trim_end_matches('/').rsplit('/').next()?;
        (!id.starts_with(REFERENCE)).then_some(id)
    }

    fn record(&mut self, index: usize, answer: Result<Answer, ScimError>, location: Option<String>) {
        let Some(operation) = self.operations.get_mut(index) else { return };
        let mut result = Map::new();
        let location = location.filter(|_| answer.is_ok() || operation.method != "POST");
        result.extend(location.as_ref().map(|location| ("location".to_owned(), Value::from(location.as_str()))));
        result.insert("method".into(), operation.method.as_str().into());
        result.extend(operation.bulk_id.as_ref().map(|bulk_id| ("bulkId".to_owned(), Value::from(bulk_id.as_str()))));
        let outcome = match answer {
            Ok(answer) => {
                result.extend(answer.etag.map(|etag| ("version".to_owned(), Value::from(etag))));
                result.insert("status".into(), answer.status.to_string().into());
                location
                    .and_then(|location| location.rsplit('/').next().map(str::to_owned))
                    .map_or(Outcome::Failed, Outcome::Id)
            }
            Err(error) => {
                self.errors += 1;
                result.insert("status".into(), error.status.to_string().into());
                result.insert("response".into(), error.body());
                Outcome::Failed
            }
        };
        if let Some(bulk_id) = &operation.bulk_id {
            self.outcomes.insert(bulk_id.clone(), outcome);
        }
        operation.result = Some(Value::Object(result));
    }
}
