//! The organization's schema table: the built-in one, with what the organization declares.

use std::cell::RefCell;
use std::rc::Rc;

use crate::protocol::error::ScimError;
use crate::protocol::schema::SchemaTable;
use crate::store::{DeclaredRecord, Store, StoreError};

thread_local! {
    /// The last table that was built, and the bytes that it was built of: they say whether it is still right, whoever
    /// asks.
    static LAST: RefCell<Option<(Vec<u8>, Rc<SchemaTable>)>> = const { RefCell::new(None) };
}

/// A table to read: the built-in one, or one of the organization's own.
pub(super) enum Table {
    BuiltIn(&'static SchemaTable),
    Declared(Rc<SchemaTable>),
}

impl Table {
    pub(super) fn is_built_in(&self) -> bool {
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

/// The organization's table.
pub(super) fn table(store: &Store<'_>) -> Result<Table, ScimError> {
    let Some(bytes) = store.declared_bytes()? else { return Ok(Table::BuiltIn(SchemaTable::builtin())) };
    let last = LAST.with_borrow(|last| last.as_ref().filter(|(of, _)| *of == bytes).map(|(_, table)| Rc::clone(table)));
    if let Some(table) = last {
        return Ok(Table::Declared(table));
    }
    let declared: DeclaredRecord =
        serde_json::from_slice(&bytes).map_err(|error| StoreError::Broken(format!("declared schemas: {error}")))?;
    let table = Rc::new(SchemaTable::builtin().with_declared(&declared.schemas, &declared.resource_types)?);
    LAST.set(Some((bytes, Rc::clone(&table))));
    Ok(Table::Declared(table))
}
