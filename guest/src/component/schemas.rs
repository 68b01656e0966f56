//! The export `schemas`.

use insomnia_scim_contract::{Act, ActionError};

use super::Component;
use super::bindings::exports::insomnia::scim::schemas::Guest;
use super::imports::host;
use crate::directory;

impl Guest for Component {
    fn put(_by: Act, declaration: String) -> Result<(), ActionError> {
        Ok(directory::put_schemas(&host().store(), &declaration)?)
    }

    fn get() -> Result<String, ActionError> {
        Ok(directory::get_schemas(&host().store())?)
    }
}
