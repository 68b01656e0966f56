//! The organization's schema table: the built-in schemas and those that the organization declares.

use std::cell::RefCell;
use std::rc::Rc;

use super::{DeclaredRecord, Store, StoreError};
use crate::protocol::schema::SchemaTable;

thread_local! {
    /// A cache of the last table that was built, and the bytes from which it was built. It is used if the stored bytes
    /// are equal, even if another organization's store asks.
    static LAST: RefCell<Option<(Vec<u8>, Rc<SchemaTable>)>> = const { RefCell::new(None) };
}

/// A schema table: the built-in one, or one that an organization has extended.
#[derive(Clone)]
pub enum Table {
    /// The organization declares nothing.
    BuiltIn(&'static SchemaTable),
    /// The organization declares further schemas.
    Declared(Rc<SchemaTable>),
}

impl Table {
    /// Whether it is the built-in table. With it, every attribute of a stored document is returned by default.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        matches!(self, Self::BuiltIn(_))
    }
}

impl std::ops::Deref for Table {
    type Target = SchemaTable;

    fn deref(&self) -> &SchemaTable {
        match self {
            Self::BuiltIn(table) => table,
            Self::Declared(table) => table,
        }
    }
}

impl Store<'_> {
    /// The organization's schema table; each call reads it once.
    ///
    /// # Errors
    /// [`StoreError::Broken`] if the stored schemas are not valid.
    pub fn schema_table(&self) -> Result<Table, StoreError> {
        if let Some(table) = self.table.borrow().as_ref() {
            return Ok(table.clone());
        }
        let table = self.read_schema_table()?;
        self.table.replace(Some(table.clone()));
        Ok(table)
    }

    fn read_schema_table(&self) -> Result<Table, StoreError> {
        let Some(bytes) = self.declared_bytes()? else { return Ok(Table::BuiltIn(SchemaTable::builtin())) };
        let last =
            LAST.with_borrow(|last| last.as_ref().filter(|(of, _)| *of == bytes).map(|(_, table)| Rc::clone(table)));
        if let Some(table) = last {
            return Ok(Table::Declared(table));
        }
        let broken = |error: String| StoreError::Broken(format!("declared schemas: {error}"));
        let declared: DeclaredRecord = serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
        let table = SchemaTable::builtin().with_declared(&declared.schemas, &declared.resource_types);
        let table = Rc::new(table.map_err(|error| broken(error.detail))?);
        LAST.set(Some((bytes, Rc::clone(&table))));
        Ok(Table::Declared(table))
    }
}
