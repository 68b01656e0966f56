//! The export `schemas`.

use insomnia_scim_contract::{Act, ActionError, DeclarationRefusal};

use serde_json::json;

use super::Component;
use super::acts::acting_on;
use super::bindings::exports::insomnia::scim::schemas::Guest;
use super::imports::host;
use crate::directory::{self, SchemasError};
use crate::store::EventSubject;

impl Guest for Component {
    fn put(by: Act, declaration: String) -> Result<(), DeclarationRefusal> {
        let after = json!({"bytes": declaration.len()});
        let store = acting_on(&by, "schemas.put", EventSubject::only("schemas"), None, Some(after));
        directory::put_schemas(&store, &declaration).map_err(|error| match error {
            SchemasError::Invalid(mistake) => DeclarationRefusal::Invalid(mistake),
            SchemasError::Store(error) => DeclarationRefusal::Failed(error.into()),
        })
    }

    fn get() -> Result<String, ActionError> {
        Ok(directory::get_schemas(&host().store())?)
    }
}
