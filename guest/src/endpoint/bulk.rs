//! `/Bulk`: many operations in one request, which may refer to each other (RFC 7644 §3.7).

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::answer::{Answer, encode};
use super::context::Context;
use super::dispatch::within_bulk;
use crate::journal::Note;
use crate::protocol::discovery::{MAX_BULK_OPERATIONS, MAX_BULK_PAYLOAD};
use crate::protocol::document;
use crate::protocol::error::ScimError;
use crate::protocol::message::Request;

const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// Of how many operations the log tells one by one.
const MOST_LOGGED: usize = 50;
/// How much the log tells of one operation, in characters.
const LONGEST_LOGGED: usize = 300;
/// What a reference to another operation begins with.
const REFERENCE: &str = "bulkId:";

/// Serves `POST /Bulk`.
pub(super) fn bulk(context: &Context<'_, '_>) -> Result<Answer, ScimError> {
    if context.request.body.len() > MAX_BULK_PAYLOAD as usize {
        let detail = format!("The size of the bulk request exceeds the maxPayloadSize of {MAX_BULK_PAYLOAD} bytes");
        return Err(ScimError::status(413, detail));
    }
    let body = document::parse(&context.request.body)?;
    let mut run = Run::parse(context, body)?;
    run.all();
    let results: Vec<Value> = run.operations.into_iter().filter_map(|operation| operation.result).collect();
    context.note.borrow_mut().because.push(format!("bulk request with {} operations done", results.len()));
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

struct Run<'c, 'h> {
    context: &'c Context<'c, 'h>,
    operations: Vec<Operation>,
    outcomes: HashMap<String, Outcome>,
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
        Ok(Self { context, operations, outcomes: HashMap::new(), fail_on_errors, errors: 0 })
    }

    /// In the order of the request, but for operations that refer to later ones: those wait until what they refer to is
    /// there.
    fn all(&mut self) {
        let mut waiting: Vec<usize> = (0..self.operations.len()).collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut still = Vec::new();
            for index in std::mem::take(&mut waiting) {
                if self.errors >= self.fail_on_errors {
                    return;
                }
                if self.is_ready(index) { self.one(index) } else { still.push(index) }
            }
            if still.len() == before {
                self.refuse_circle(&still);
                return;
            }
            waiting = still;
        }
    }

    /// Whether all that the operation refers to has been tried, or is not in the request at all.
    fn is_ready(&self, index: usize) -> bool {
        let Some(operation) = self.operations.get(index) else { return true };
        let mut references = Vec::new();
        operation.references(&mut references);
        references.iter().all(|reference| {
            let in_request = self.operations.iter().any(|other| other.bulk_id.as_deref() == Some(reference));
            self.outcomes.contains_key(*reference) || !in_request
        })
    }

    fn one(&mut self, index: usize) {
        let Some(operation) = self.operations.get(index) else { return };
        let (answer, location) = match self.resolved(operation) {
            Ok(request) => self.run(&request),
            Err(error) => (Err(error), None),
        };
        self.record(index, answer, location);
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

    fn run(&self, request: &Request) -> (Result<Answer, ScimError>, Option<String>) {
        let note: RefCell<Note> = RefCell::default();
        let context = Context { request, note: &note, ..*self.context };
        let answer = match request.method.as_str() {
            "POST" | "PUT" | "PATCH" | "DELETE" => within_bulk(&context),
            method => Err(ScimError::status(405, format!("A bulk operation can't have the method {method}"))),
        };
        let named = (request.method != "POST").then(|| format!("{}{}", request.base_url, request.path));
        let location = answer.as_ref().ok().and_then(|answer| answer.location.clone()).or(named);
        self.log(request, &answer, note.into_inner());
        (answer, location)
    }

    /// The request of an operation, with the ids in place of the references.
    fn resolved(&self, operation: &Operation) -> Result<Request, ScimError> {
        let mut path = String::new();
        for segment in operation.path.split('/').filter(|segment| !segment.is_empty()) {
            path.push('/');
            match segment.strip_prefix(REFERENCE) {
                Some(reference) => path.push_str(self.id_of(reference)?),
                None => path.push_str(segment),
            }
        }
        let body = match &operation.data {
            Some(data) => {
                let mut data = data.clone();
                self.substitute(&mut data)?;
                encode(&data)
            }
            None => Vec::new(),
        };
        let if_match = operation.version.iter().map(|version| ("if-match".to_owned(), version.clone()));
        Ok(Request {
            method: operation.method.clone(),
            path,
            query: None,
            headers: if_match.collect(),
            body,
            ..self.context.request.clone_head()
        })
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
            Value::Object(fields) => fields.values_mut().try_for_each(|value| self.substitute(value)),
            _ => Ok(()),
        }
    }

    fn id_of(&self, reference: &str) -> Result<&str, ScimError> {
        match self.outcomes.get(reference) {
            Some(Outcome::Id(id)) => Ok(id),
            Some(Outcome::Failed) => {
                Err(ScimError::status(409, format!("The operation with the bulkId '{reference}' failed")))
            }
            None => Err(ScimError::invalid_value(format!("No operation has the bulkId '{reference}'"))),
        }
    }

    fn refuse_circle(&mut self, waiting: &[usize]) {
        for index in waiting {
            if self.errors >= self.fail_on_errors {
                return;
            }
            let error = ScimError::status(409, "The operation refers to others in a circle, which can't be resolved");
            self.record(*index, Err(error), None);
        }
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

    fn references<'o>(&'o self, found: &mut Vec<&'o str>) {
        found.extend(self.path.split('/').filter_map(|segment| segment.strip_prefix(REFERENCE)));
        if let Some(data) = &self.data {
            references(data, found);
        }
    }
}

/// JSON nesting is bounded by its parser, so this may recurse.
fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.extend(text.strip_prefix(REFERENCE)),
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| references(value, found)),
        _ => {}
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
