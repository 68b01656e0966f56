//! The export `schemas`.

use insomnia_scim_contract::{Act, ActionError, DeclarationRefusal};

use super::Component;
use super::bindings::exports::insomnia::scim::schemas::Guest;
use super::imports::host;
use crate::directory::{self, SchemasError};

impl Guest for Component {
    fn put(_by: Act, declaration: String) -> Result<(), DeclarationRefusal> {
        directory::put_schemas(&host().store(), &declaration).map_err(|error| match error {
            SchemasError::Invalid(mistake) => DeclarationRefusal::Invalid(mistake),
            SchemasError::Store(error) => DeclarationRefusal::Failed(error.into()),
        })
    }

    fn get() -> Result<String, ActionError> {
        Ok(directory::get_schemas(&host().store())?)
    }
}
