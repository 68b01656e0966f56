//! Resources of declared types: they are stored as they are sent, and Insomnia has no rules of its own for them.

use super::changed::changed;
use super::decide::with_id;
use super::{Action, Precondition, Provisioned, Refusal};
use crate::protocol::document::Document;
use crate::protocol::error::ScimError;
use crate::sentence::Sentence;
use crate::store::{ResourceRecord, Store, Stored};

/// The resources of one declared type.
pub struct Resources<'c, 'h> {
    store: &'c Store<'h>,
    resource_type: &'c str,
}

impl<'c, 'h> Resources<'c, 'h> {
    /// The resources of the declared type with this name.
    pub fn new(store: &'c Store<'h>, resource_type: &'c str) -> Self {
        Self { store, resource_type }
    }

    /// Adds a resource.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn add(&self, document: &Document) -> Result<Provisioned<ResourceRecord>, Refusal> {
        self.store.transact(|| {
            let (id, now) = (self.store.new_id(), self.store.now());
            let record = ResourceRecord { created: now, modified: now, document: with_id(document, &id) };
            let version = self.store.change_resource(self.resource_type, None, Some(&record))?;
            Ok(Self::provisioned(Stored { record, version, touch: None }, Action::Created, None))
        })
    }

    /// Changes a resource. `change` makes the new document from the current one.
    ///
    /// # Errors
    /// [`Refusal`] says why not; it may come from `change`.
    pub fn update(
        &self,
        id: &str,
        precondition: Precondition<'_>,
        change: impl Fn(&Document) -> Result<Document, ScimError>,
    ) -> Result<Provisioned<ResourceRecord>, Refusal> {
        self.store.transact(|| {
            let old = self.existing(id, precondition)?;
            let document = change(&old.record.document)?;
            if document == old.record.document {
                return Ok(Self::provisioned(old, Action::Unchanged, Some(Sentence::NothingChanged.into())));
            }
            let names = changed(&old.record.document, &document);
            let record = ResourceRecord { created: old.record.created, modified: self.store.now(), document };
            let version = self.store.change_resource(self.resource_type, Some(&old), Some(&record))?;
            Ok(Self::provisioned(Stored { record, version, touch: None }, Action::Updated, names))
        })
    }

    /// Deletes a resource.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn delete(&self, id: &str, precondition: Precondition<'_>) -> Result<Provisioned<ResourceRecord>, Refusal> {
        self.store.transact(|| {
            let old = self.existing(id, precondition)?;
            self.store.change_resource(self.resource_type, Some(&old), None)?;
            Ok(Self::provisioned(old, Action::Deleted, None))
        })
    }

    fn existing(&self, id: &str, precondition: Precondition<'_>) -> Result<Stored<ResourceRecord>, Refusal> {
        super::existing(self.store.resource(self.resource_type, id)?, self.resource_type, id, precondition)
    }

    fn provisioned(
        stored: Stored<ResourceRecord>,
        action: Action,
        because: Option<String>,
    ) -> Provisioned<ResourceRecord> {
        Provisioned { stored, action, because: because.into_iter().collect(), left_out: 0 }
    }
}
