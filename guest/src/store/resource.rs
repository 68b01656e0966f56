//! Resources of declared types: documents to which no rules of Insomnia apply.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Batch, Record, Store, StoreError, Stored, Versioned, encode, keys};
use crate::protocol::document::Document;

/// A resource of a declared type. Stored as JSON under `resource/{type}/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResourceRecord {
    /// In milliseconds since the Unix epoch.
    pub created: u64,
    /// In milliseconds since the Unix epoch.
    pub modified: u64,
    /// The resource without `meta`.
    pub document: Document,
}

impl ResourceRecord {
    /// The SCIM `id`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.document.get("id").and_then(Value::as_str).unwrap_or_default()
    }
}

impl Record for ResourceRecord {
    fn id(&self) -> &str {
        self.id()
    }

    fn name(&self) -> String {
        self.id().to_owned()
    }
}

/// The schemas and resource types that the organization declares. Stored as JSON under `declared`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeclaredRecord {
    /// The schemas in the form of RFC 7643 §7.
    pub schemas: Vec<Value>,
    /// The resource types in the form of RFC 7643 §6.
    pub resource_types: Vec<Value>,
}

impl Store<'_> {
    /// The resource of this declared type with this id.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn resource(&self, resource_type: &str, id: &str) -> Result<Option<Stored<ResourceRecord>>, StoreError> {
        if !keys::is_id(id) {
            return Ok(None);
        }
        let found = self.document(&keys::resource(resource_type, id))?;
        Ok(found.map(|Versioned { record, version }| Stored { record, version, touch: None }))
    }

    /// Calls `each` for every resource of the declared type, in the order of creation, until it returns `false`.
    ///
    /// # Errors
    /// If the storage can't answer, and those of `each`.
    pub fn each_resource<E: From<StoreError>>(
        &self,
        resource_type: &str,
        mut each: impl FnMut(Stored<ResourceRecord>) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut failure = None;
        self.scan_all(keys::resources(resource_type), |entry| {
            let record = serde_json::from_slice(&entry.value).map_err(|error| StoreError::Broken(error.to_string()))?;
            let stored = Stored { record, version: entry.version, touch: None };
            Ok(each(stored).unwrap_or_else(|error| {
                failure = Some(error);
                false
            }))
        })?;
        failure.map_or(Ok(()), Err)
    }

    /// Puts, replaces, or deletes a resource of the declared type, if it has not changed since it was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it has changed.
    pub fn change_resource(
        &self,
        resource_type: &str,
        old: Option<&Stored<ResourceRecord>>,
        new: Option<&ResourceRecord>,
    ) -> Result<u64, StoreError> {
        let Some(record) = new.or(old.map(|old| &old.record)) else {
            return Err(StoreError::Broken("neither an old nor a new resource".into()));
        };
        let key = keys::resource(resource_type, record.id());
        let mut batch = Batch::new();
        batch.require_unchanged(key.clone(), old.map(|old| old.version));
        match new {
            Some(new) => batch.put(key, encode(new)?),
            None => batch.delete(key),
        }
        self.leave_receipt(&mut batch, record.id(), &record.document)?;
        self.commit(batch)
    }

    /// The stored bytes of what the organization declares, which a cache can compare.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn declared_bytes(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.item(keys::DECLARED.to_vec())?.map(|item| item.value))
    }

    /// Stores what the organization declares.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn put_declared(&self, declared: &DeclaredRecord) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch.put(keys::DECLARED.to_vec(), encode(declared)?);
        self.table.replace(None);
        self.commit(batch).map(drop)
    }
}
