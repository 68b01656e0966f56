//! The content of a bulk request, and the order in which its operations run (RFC 7644 §3.7).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::references::{REFERENCE, references, take_referring};
use crate::protocol::discovery::MAX_BULK_OPERATIONS;
use crate::protocol::error::ScimError;
use crate::protocol::mode::Mode;

const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// The content of a bulk request.
pub(super) struct BulkRequest {
    pub(super) operations: Vec<Operation>,
    /// The server stops after this many errors.
    pub(super) fail_on_errors: Option<usize>,
}

/// An operation of a bulk request.
pub(super) struct Operation {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) bulk_id: Option<String>,
    pub(super) version: Option<String>,
    pub(super) data: Option<Value>,
    /// The result of the operation, once it is done.
    pub(super) result: Option<Value>,
}

/// The place of an operation in the order of execution.
pub(super) struct Turn {
    /// The place of the operation in the request.
    pub(super) index: usize,
    /// The operations to which this one refers, although they wait for this one.
    pub(super) unresolved: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    /// The operations that it needs are being put before it.
    Begun,
    Done,
}

impl BulkRequest {
    pub(super) fn parse(body: Value, mode: Mode<'_>) -> Result<Self, ScimError> {
        let Value::Object(body) = body else {
            return Err(ScimError::invalid_syntax("The body of a bulk request is a JSON object"));
        };
        let mut body = Fields(body);
        let is_request = |urn: &Value| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(BULK_REQUEST));
        let schemas = body.take("schemas");
        let declared = schemas.as_ref().and_then(Value::as_array).is_some_and(|urns| urns.iter().any(is_request));
        if !declared && (schemas.is_some() || mode.is_strict()) {
            return Err(ScimError::invalid_syntax(format!("The schemas of a bulk request are [\"{BULK_REQUEST}\"]")));
        }
        let fail_on_errors = match body.take("failOnErrors") {
            None => None,
            Some(number) => {
                let number = number.as_u64().filter(|number| *number > 0);
                let number =
                    number.ok_or_else(|| ScimError::invalid_value("'failOnErrors' is an integer of 1 or more"))?;
                Some(usize::try_from(number).unwrap_or(usize::MAX))
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
        let mut bulk_ids = HashSet::new();
        for bulk_id in operations.iter().filter_map(|operation| operation.bulk_id.as_deref()) {
            if !bulk_ids.insert(bulk_id) {
                return Err(ScimError::invalid_value(format!("The bulkId '{bulk_id}' is not unique in the request")));
            }
        }
        Ok(Self { operations, fail_on_errors })
    }

    /// The order in which operations are done: that of the request (RFC 7644 §3.7), except that a resource to which an
    /// earlier operation refers is created right before that operation.
    pub(super) fn order(&self) -> Vec<Turn> {
        let needs = self.needs();
        let mut states = vec![State::Waiting; needs.len()];
        let mut turns = Vec::with_capacity(needs.len());
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
                        let unresolved =
                            needed.iter().filter(|needed| **needed == index || state(needed) == State::Begun);
                        turns.push(Turn { index, unresolved: unresolved.copied().collect() });
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
        turns
    }

    /// Finds, for every operation, the operations that create the resources to which it refers.
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

    /// The data without the attributes that refer to these operations, and the PATCH operations that set those
    /// attributes later.
    pub(super) fn without(&self, names: &[&str]) -> (Option<Cow<'_, Value>>, Vec<Value>) {
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

/// The members of a JSON object, found by name in any case. A null value counts as absent.
struct Fields(Map<String, Value>);

impl Fields {
    fn take(&mut self, name: &str) -> Option<Value> {
        let found = self.0.keys().find(|candidate| candidate.eq_ignore_ascii_case(name))?.clone();
        self.0.shift_remove(&found).filter(|value| !value.is_null())
    }
}
