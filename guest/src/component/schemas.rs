//! The export `schemas`.

use super::Component;
use super::bindings::exports::insomnia::scim::schemas::{Error, Guest};
use super::imports::host;
use crate::directory;

impl Guest for Component {
    fn put(declaration: Vec<u8>) -> Result<(), Error> {
        Ok(directory::put_schemas(&host().store(), &declaration)?)
    }

    fn get() -> Result<Vec<u8>, Error> {
        Ok(directory::get_schemas(&host().store())?)
    }
}
