//! How long an organization keeps its log and its events.

use super::Organization;
use crate::error::ActionError;

#[allow(clippy::missing_errors_doc, reason = "see the type")]
impl Organization {
    /// Sets for how many days log entries, events and parked emails are kept: 1 to 3,650. Older ones are soon deleted.
    pub async fn set_retention(&self, days: u32) -> Result<(), ActionError> {
        let by = self.by.clone();
        act!(self.insomnia_scim_directory.call_set_retention(&by, days))
    }

    /// For how many days log entries, events and parked emails are kept. It is 90 until it is set.
    pub async fn retention(&self) -> Result<u32, ActionError> {
        act!(self.insomnia_scim_directory.call_get_retention())
    }
}
