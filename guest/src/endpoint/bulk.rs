//! `/Bulk`: many operations in one request, which may refer to each other (RFC 7644 §3.7).

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::answer::{Answer, encode};
use super::context::{Body, Context};
use super::operation::within_bulk;
use super::references::{REFERENCE, is_path, next_quoted, references, take_referring};
use crate::journal::Note;
use crate::protocol::discovery::{MAX_BULK_OPERATIONS, MAX_BULK_PAYLOAD};
use crate::protocol::error::ScimError;
use crate::protocol::message::Request;
use crate::provisioning::Action;
use crate::sentence::Sentence;

const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// Of how many operations the log tells one by one.
const MOST_LOGGED: usize = 50;
/// How much the log tells of one operation, in characters.
const LONGEST_LOGGED: usize = 300;
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Serves `POST /Bulk`.
pub(super) fn bulk(context: &Context<'_, '_>) -> Result<Answer, ScimError> {
    if context.request.body.len() > MAX_BULK_PAYLOAD as usize {
        let detail = format!("The size of the bulk request exceeds the maxPayloadSize of {MAX_BULK_PAYLOAD} bytes");
        return Err(ScimError::status(413, detail));
    }
    let body = context.body()?;
    let mut run = Run::parse(context, body)?;
    run.all();
    let results: Vec<Value> = run.operations.into_iter().filter_map(|operation| operation.result).collect();
    context.note.borrow_mut().because.push(Sentence::BulkDone { count: results.len() }.into());
    Ok(Answer::json(200, encode(&json!({"schemas": [BULK_RESPONSE], "Operations": results}))))
}

struct Operation {
    method: String,
    path: String,
    bulk_id: Option<String>,
    version: Option<String>,
    data: Option<Value>,
    result: Option<Value>,
}

/// What became of the operation with a bulkId.
enum Outcome {
    /// The id of the resource.
    Id(String),
    Failed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    /// What it refers to is being created.
    Begun,
    Done,
}

/// An operation that was done without what refers to operations that refer to it.
struct Circle {
    index: usize,
    /// The operations of the PATCH that sets the rest.
    later: Vec<Value>,
    is_new: bool,
}

struct Run<'c, 'h> {
    context: &'c Context<'c, 'h>,
    operations: Vec<Operation>,
    outcomes: HashMap<String, Outcome>,
    circles: Vec<Circle>,
    fail_on_errors: usize,
    errors: usize,
}

impl<'c, 'h> Run<'c, 'h> {
    fn parse(context: &'c Context<'c, 'h>, body: Value) -> Result<Self, ScimError> {
        let Value::Object(body) = body else {
            return Err(ScimError::invalid_syntax("The body of a bulk request is a JSON object"));
        };
        let mut body = Fields(body);
        let is_request = |urn: &Value| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(BULK_REQUEST));
        let schemas = body.take("schemas");
        let declared = schemas.as_ref().and_then(Value::as_array).is_some_and(|urns| urns.iter().any(is_request));
        if !declared && (schemas.is_some() || context.mode.is_strict()) {
            return Err(ScimError::invalid_syntax(format!("The schemas of a bulk request are [\"{BULK_REQUEST}\"]")));
        }
        let fail_on_errors = match body.take("failOnErrors") {
            None => usize::MAX,
            Some(number) => {
                let number = number.as_u64().filter(|number| *number > 0);
                let number =
                    number.ok_or_else(|| ScimError::invalid_value("'failOnErrors' is an integer of 1 or more"))?;
                usize::try_from(number).unwrap_or(usize::MAX)
            }
        };
        let Some(Value::Array(operations)) = body.take("Operations") else {
            return Err(ScimError::invalid_syntax("A bulk request has an array 'Operations'"));
        };
        if operations.len() > MAX_BULK_OPERATIONS as usize {
            let detail = format!("The number of operations exceeds the maxOperations of {MAX_BULK_OPERATIONS}");
            return Err(ScimError::status(413, detail));
        }
        let operations = operations.into_iter().map(Operation::parse).collect::<Result<Vec<_>, _>>()?;
        let mut outcomes = HashMap::new();
        for bulk_id in operations.iter().filter_map(|operation| operation.bulk_id.as_deref()) {
            if outcomes.insert(bulk_id.to_owned(), ()).is_some() {
                return Err(ScimError::invalid_value(format!("The bulkId '{bulk_id}' is not unique in the request")));
            }
        }
        Ok(Self { context, operations, outcomes: HashMap::new(), circles: Vec::new(), fail_on_errors, errors: 0 })
    }

    /// In the order of the request (RFC 7644 §3.7), but for resources that an earlier operation refers to: those are
    /// created right before it.
    fn all(&mut self) {
        let needs = self.needs();
        let mut states = vec![State::Waiting; needs.len()];
        for first in 0..needs.len() {
            let mut begun = vec![first];
            while let Some(index) = begun.last().copied() {
                let needed = needs.get(index).map_or(&[][..], Vec::as_slice);
                let state = |index: &usize| states.get(*index).copied().unwrap_or(State::Done);
                let next = needed.iter().copied().find(|needed| state(needed) == State::Waiting);
                let own = state(&index);
                let (next_state, pushed) = match (own, next) {
                    (State::Done, _) => (State::Done, None),
                    (_, Some(needed)) => (State::Begun, Some(needed)),
                    (_, None) => {
                        if self.errors >= self.fail_on_errors {
                            return self.close_circles();
                        }
                        let unresolved =
                            needed.iter().filter(|needed| **needed == index || state(needed) == State::Begun);
                        let unresolved: Vec<usize> = unresolved.copied().collect();
                        self.one(index, &unresolved);
                        (State::Done, None)
                    }
                };
                if let Some(state) = states.get_mut(index) {
                    *state = next_state;
                }
                match pushed {
                    Some(needed) => begun.push(needed),
                    None => drop(begun.pop()),
                }
            }
        }
        self.close_circles();
    }

    /// For every operation those that create what it refers to.
    fn needs(&self) -> Vec<Vec<usize>> {
        let creates = |operation: &Operation| operation.method == "POST";
        let named = self.operations.iter().enumerate().filter(|(_, operation)| creates(operation));
        let places: HashMap<&str, usize> =
            named.filter_map(|(index, operation)| Some((operation.bulk_id.as_deref()?, index))).collect();
        let needs = self.operations.iter().map(|operation| {
            let mut references = Vec::new();
            operation.references(&mut references);
            let mut needs: Vec<usize> = references.iter().filter_map(|name| places.get(name).copied()).collect();
            needs.sort_unstable();
            needs.dedup();
            needs
        });
        needs.collect()
    }

    /// Runs an operation. What refers to `unresolved`, which themselves wait for this one, is set when they are done.
    fn one(&mut self, index: usize, unresolved: &[usize]) {
        let Some(operation) = self.operations.get(index) else { return };
        let names: Vec<&str> =
            unresolved.iter().filter_map(|index| self.operations.get(*index)?.bulk_id.as_deref()).collect();
        let (data, later) = operation.without(&names);
        let (answer, location, is_new) = match self.resolved(&operation.path, data.as_deref()) {
            Ok((path, body)) => self.run(&self.request(operation, path), body),
            Err(error) => (Err(error), None, false),
        };
        if answer.is_ok() && !later.is_empty() {
            self.circles.push(Circle { index, later, is_new });
        }
        self.record(index, answer, location);
    }

    /// Sets what refers to resources that were created afterwards. Where that fails, an operation that created its
    /// resource is undone.
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
                // The log tells whether it could be.
                drop(self.run(&request("DELETE"), Body::Bytes(&[])));
            }
            let answer = answer.map(|answer| Answer { status: 201, ..answer });
            let answer =
                answer.map_err(|error| ScimError::status(409, format!("A circle of references: {}", error.detail)));
            self.record(index, answer, location);
        }
    }

    /// One line of the log for an operation: what was done to whom, or why not, and why.
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

    /// Returns also the location, and whether a resource was created.
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

    /// The path and the body of a request, with the ids in place of the references.
    fn resolved(&self, path: &str, data: Option<&Value>) -> Result<(String, Body<'static>), ScimError> {
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

    /// JSON nesting is bounded by its parser, so this may recurse.
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

    /// `members[value eq "bulkId:…"]`
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
                ScimError::invalid_value(format!("No operation that was done has the bulkId '{reference}'"))
            }),
        }
    }

    /// Of an operation on a resource that is there already the id is known before it is done.
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

impl Operation {
    fn parse(operation: Value) -> Result<Self, ScimError> {
        let Value::Object(operation) = operation else {
            return Err(ScimError::invalid_syntax("A bulk operation is a JSON object"));
        };
        let mut fields = Fields(operation);
        let mut text = |name: &str| match fields.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ScimError::invalid_syntax(format!("'{name}' of a bulk operation is a string"))),
        };
        let method = text("method")?
            .ok_or_else(|| ScimError::invalid_syntax("A bulk operation has a 'method'"))?
            .to_ascii_uppercase();
        let path = text("path")?.ok_or_else(|| ScimError::invalid_syntax("A bulk operation has a 'path'"))?;
        let (bulk_id, version) = (text("bulkId")?, text("version")?);
        if method == "POST" && bulk_id.is_none() {
            return Err(ScimError::invalid_syntax("A bulk operation with the method POST has a 'bulkId'"));
        }
        Ok(Self { method, path, bulk_id, version, data: fields.take("data"), result: None })
    }

    /// The data without the attributes that refer to these operations, and what sets them later.
    fn without(&self, names: &[&str]) -> (Option<Cow<'_, Value>>, Vec<Value>) {
        let mut data = self.data.as_ref().map(Cow::Borrowed);
        let mut later = Vec::new();
        if let (Some(data), false) = (&mut data, names.is_empty())
            && let Value::Object(attributes) = data.to_mut()
        {
            take_referring(attributes, "", names, &mut later);
        }
        (data, later)
    }

    fn references<'o>(&'o self, found: &mut Vec<&'o str>) {
        found.extend(self.path.split('/').filter_map(|segment| segment.strip_prefix(REFERENCE)));
        if let Some(data) = &self.data {
            references(data, found);
        }
    }
}

/// The members of a JSON object by their names in any case; null is as good as absent.
struct Fields(Map<String, Value>);

impl Fields {
    fn take(&mut self, name: &str) -> Option<Value> {
        let found = self.0.keys().find(|candidate| candidate.eq_ignore_ascii_case(name))?.clone();
        self.0.shift_remove(&found).filter(|value| !value.is_null())
    }
}
