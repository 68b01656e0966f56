//! The context of a request, which every endpoint gets.

use std::cell::{Cell, RefCell};

use serde_json::Value;

use crate::journal::Note;
use crate::protocol::document;
use crate::protocol::error::ScimError;
use crate::protocol::message::Request;
use crate::protocol::mode::Mode;
use crate::protocol::schema::ResourceSchema;
use crate::store::{OrganizationRecord, Store, Table};

/// The body of a request.
pub(super) enum Body<'c> {
    /// The bytes that the client sent.
    Bytes(&'c [u8]),
    /// The data of an operation of a bulk request, which is parsed already. It can be taken once.
    Value(Cell<Value>),
}

/// The context of a request, which every endpoint gets.
pub(super) struct Context<'c, 'h> {
    /// The request without its body, which is in `body`.
    pub(super) request: &'c Request,
    /// The body, to be read once; see [`Context::body`].
    pub(super) body: Body<'c>,
    /// The organization's data.
    pub(super) store: &'c Store<'h>,
    /// The organization.
    pub(super) organization: &'c OrganizationRecord,
    /// The organization's schemas and resource types.
    pub(super) table: &'c Table,
    /// Whether the organization's clients are treated tolerantly or strictly.
    pub(super) mode: Mode<'c>,
    /// The note from which the entry of the SCIM log is written.
    pub(super) note: &'c RefCell<Note>,
}

impl<'c> Context<'c, '_> {
    /// Reads the body as JSON. This can be done once: a body that was parsed before is moved out.
    ///
    /// # Errors
    /// 400 `invalidSyntax` if it is no JSON.
    pub(super) fn body(&self) -> Result<Value, ScimError> {
        match &self.body {
            Body::Bytes(bytes) => {
                let value = document::parse(bytes)?;
                self.note.borrow_mut().is_json = true;
                Ok(value)
            }
            Body::Value(value) => Ok(value.take()),
        }
    }

    /// The schema of the resource type with this name.
    ///
    /// # Errors
    /// 404 if there is no such type.
    pub(super) fn schema(&self, resource_type: &str) -> Result<ResourceSchema<'c>, ScimError> {
        let unknown = || ScimError::not_found(format!("There is no resource type '{resource_type}'"));
        self.table.resource(resource_type).ok_or_else(unknown)
    }

    /// The URL of a resource.
    pub(super) fn location(&self, schema: &ResourceSchema<'_>, id: &str) -> String {
        format!("{}{}/{id}", self.request.base_url, schema.resource_type.endpoint)
    }
}
