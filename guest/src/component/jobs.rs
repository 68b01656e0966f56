//! The export `jobs`.

use super::Component;
use super::bindings::exports::insomnia::scim::jobs::{Error, Guest, Time};
use super::imports::host;
use crate::jobs;

impl Guest for Component {
    fn run_due() -> Result<Option<Time>, Error> {
        Ok(jobs::run_due(&host().store())?)
    }
}
