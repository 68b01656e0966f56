//! The export `overview`.

use insomnia_scim_contract::{ActionError, Actor, Overview};

use super::Component;
use super::bindings::exports::insomnia::scim::overview::Guest;
use super::imports::host;
use crate::directory;

impl Guest for Component {
    fn get(actor: Actor, log_entries: u32) -> Result<Overview, ActionError> {
        Ok(directory::overview(&host().store(), &actor, log_entries)?)
    }
}
