//! What every endpoint knows of the request it serves.

use std::cell::RefCell;

use crate::capability::{Clock, HttpClient, Mailer, Random, Secrets, Storage};
use crate::connector::Authenticated;
use crate::journal::Note;
use crate::protocol::error::ScimError;
use crate::protocol::message::Request;
use crate::protocol::mode::Mode;
use crate::protocol::schema::{ResourceSchema, SchemaTable};
use crate::store::{OrganizationRecord, Store};

/// What the component needs from its host, for one organization.
#[derive(Clone, Copy)]
pub struct Host<'h> {
    /// The organization's data.
    pub storage: &'h dyn Storage,
    /// The wall clock.
    pub clock: &'h dyn Clock,
    /// Random numbers.
    pub random: &'h dyn Random,
    /// Outgoing email.
    pub mailer: &'h dyn Mailer,
    /// Outgoing HTTP.
    pub http: &'h dyn HttpClient,
    /// Encryption at rest.
    pub secrets: &'h dyn Secrets,
}

impl<'h> Host<'h> {
    /// A view of the organization's data for one call.
    #[must_use]
    pub fn store(self) -> Store<'h> {
        Store::new(self.storage, self.clock, self.random).with_secrets(self.secrets)
    }
}

/// What every endpoint knows of the request it serves.
pub struct Context<'c, 'h> {
    /// The request.
    pub request: &'c Request,
    /// The organization's data.
    pub store: &'c Store<'h>,
    /// The organization.
    pub organization: &'c OrganizationRecord,
    /// Its schemas and resource types.
    pub table: &'c SchemaTable,
    /// Whether the table is the built-in one, so that stored documents hold nothing that is not returned by default.
    pub is_built_in: bool,
    /// Who calls; `None` where anybody may.
    pub caller: Option<Authenticated>,
    /// Tolerant or to the letter.
    pub mode: Mode<'c>,
    /// What the SCIM log will say.
    pub note: &'c RefCell<Note>,
}

impl<'c> Context<'c, '_> {
    /// What resources of the named type look like.
    ///
    /// # Errors
    /// 404 if there is no such type.
    pub fn schema(&self, resource_type: &str) -> Result<ResourceSchema<'c>, ScimError> {
        let unknown = || ScimError::not_found(format!("There is no resource type '{resource_type}'"));
        self.table.resource(resource_type).ok_or_else(unknown)
    }

    /// The URL of a resource.
    #[must_use]
    pub fn location(&self, schema: &ResourceSchema<'_>, id: &str) -> String {
        format!("{}{}/{id}", self.request.base_url, schema.resource_type.endpoint)
    }
}
