//! How long an organization keeps its log and its events.

use super::Organization;
use crate::error::ActionError;

#[allow(clippy::missing_errors_doc, reason = "see the type")]
impl Organization {
    /// For how many days entries of the log, events and parked emails are kept: 1 to 3,650. What is older is deleted soon.
    pub async fn set_retention(&self, days: u32) -> Result<(), ActionError> {
        let by = self.by.clone();
        act!(self.insomnia_scim_directory.call_set_retention(&by, days))
    }

    /// For how many days entries of the log, events and parked emails are kept; 90 until it is set.
    pub async fn retention(&self) -> Result<u32, ActionError> {
        act!(self.insomnia_scim_directory.call_get_retention())
    }
}
