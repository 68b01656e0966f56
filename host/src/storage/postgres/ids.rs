//! The integer ids that stand for organizations in the tables.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use tokio_postgres::types::Type;

use super::pool::Pool;
use super::{PostgresConfig, QUICK, failed, migration, random, to_integer};
use crate::capability::storage::{OrganizationId, StorageError};

/// A cache of the ids.
///
/// An entry never becomes wrong, whichever host has assigned the id: the id of an organization never changes and is
/// never reused, even after the organization was deleted. Whether it is deleted is not cached, since another host may
/// delete it.
pub(super) struct Ids {
    known: RwLock<HashMap<OrganizationId, i64>>,
    find: String,
    make: String,
}

impl Ids {
    pub(super) fn new(config: &PostgresConfig) -> Self {
        let find = "SELECT id FROM SCHEMA.organization WHERE name = $1 AND generation = $2";
        let make = "SELECT SCHEMA.number_organization($1, $2, $3)";
        Self {
            known: RwLock::default(),
            find: migration::in_schema(config, find),
            make: migration::in_schema(config, make),
        }
    }

    /// The organization's id; `None` if nothing was ever written for it.
    pub(super) async fn find(&self, pool: &Pool, of: &OrganizationId) -> Result<Option<i64>, StorageError> {
        if let Some(id) = self.known(of) {
            return Ok(Some(id));
        }
        let (name, generation) = (of.as_str(), to_integer(of.generation()));
        let rows = pool.call(of, &self.find, &[(&name, Type::TEXT), (&generation, Type::INT8)], QUICK).await?;
        let id = rows.first().map(|row| row.try_get(0)).transpose().map_err(failed)?;
        self.remember(of, id);
        Ok(id)
    }

    /// The organization's id; it is assigned if there is none.
    pub(super) async fn find_or_make(&self, pool: &Pool, of: &OrganizationId) -> Result<i64, StorageError> {
        if let Some(id) = self.known(of) {
            return Ok(id);
        }
        let (name, generation) = (of.as_str(), to_integer(of.generation()));
        // In extremely rare cases the random number already belongs to another organization.
        for _ in 0..3 {
            let candidate = random().map_err(|error| StorageError::Other(error.to_string()))?;
            let parameters = [(&name as _, Type::TEXT), (&generation as _, Type::INT8), (&candidate as _, Type::INT8)];
            let rows = pool.call(of, &self.make, &parameters, QUICK).await?;
            let id = rows.first().map(|row| row.try_get::<_, Option<i64>>(0)).transpose().map_err(failed)?.flatten();
            self.remember(of, id);
            if let Some(id) = id {
                return Ok(id);
            }
        }
        Err(StorageError::Other("the organization gets no number".into()))
    }

    /// Removes an id that the database does not know: it must be another database than before.
    pub(super) fn forget(&self, of: &OrganizationId) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(of);
    }

    fn known(&self, of: &OrganizationId) -> Option<i64> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(of).copied()
    }

    fn remember(&self, of: &OrganizationId, id: Option<i64>) {
        if let Some(id) = id {
            self.known.write().unwrap_or_else(PoisonError::into_inner).insert(of.clone(), id);
        }
    }
}
