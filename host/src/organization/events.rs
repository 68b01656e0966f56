//! An organization's events, its webhook, and its deliveries.

use super::Organization;
use crate::delivery::{Delivery, DeliveryQueue};
use crate::directory::Listed;
use crate::error::ActionError;
use crate::event::{Event, Webhook};

#[allow(clippy::missing_errors_doc, reason = "see the type")]
impl Organization {
    /// A page of at most 500 events of those that are kept, oldest first.
    pub async fn events(&self, after: Option<&str>, limit: u32) -> Result<Listed<Event>, ActionError> {
        let after = after.map(str::to_owned);
        act!(self.insomnia_scim_journal.call_list_events(after.as_deref(), limit))
    }

    /// A page of at most 500 asynchronous requests of those that are kept, oldest first.
    pub async fn requests(&self, after: Option<&str>, limit: u32) -> Result<Listed<Event>, ActionError> {
        let after = after.map(str::to_owned);
        act!(self.insomnia_scim_journal.call_list_requests(after.as_deref(), limit))
    }

    pub(crate) async fn take_events(&self, limit: u32) -> Result<Vec<Event>, ActionError> {
        act!(self.insomnia_scim_journal.call_take_events(limit))
    }

    pub(crate) async fn acknowledge_events(&self, events: &[Event]) -> Result<(), ActionError> {
        let positions: Vec<String> = events.iter().map(|event| event.position.clone()).collect();
        act!(self.insomnia_scim_journal.call_acknowledge_events(&positions))
    }

    /// Posts all events from now on to this URL, signed as Standard Webhooks requires. Returns the signing key (`whsec_` and
    /// base64), which is shown only once. [`ActionError::Invalid`] if the host's policy allows no request to this URL.
    /// [`Organization::test_webhook`] shows whether the webhook works.
    pub async fn set_webhook(&self, url: &str) -> Result<String, ActionError> {
        self.permits(url).await?;
        let (by, url) = (self.by.clone(), url.to_owned());
        act!(self.insomnia_scim_journal.call_set_webhook(&by, &url))
    }

    /// Posts a signed event of the type `webhook.test` to the webhook, once, and returns the webhook with the result.
    pub async fn test_webhook(&self) -> Result<Webhook, ActionError> {
        let by = self.by.clone();
        act!(self.insomnia_scim_journal.call_test_webhook(&by))
    }

    /// Stops posting events, and forgets those that wait.
    pub async fn remove_webhook(&self) -> Result<(), ActionError> {
        let by = self.by.clone();
        act!(self.insomnia_scim_journal.call_remove_webhook(&by))
    }

    /// The webhook; `None` if there is none.
    pub async fn webhook(&self) -> Result<Option<Webhook>, ActionError> {
        act!(self.insomnia_scim_journal.call_get_webhook())
    }

    /// A page of at most 500 deliveries of this queue.
    pub async fn deliveries(
        &self,
        queue: DeliveryQueue,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Listed<Delivery>, ActionError> {
        let after = after.map(str::to_owned);
        act!(self.insomnia_scim_jobs.call_list_deliveries(queue, after.as_deref(), limit))
    }

    /// Sends parked deliveries again: those with these ids, or all if there are none. One call sends at most 500, and returns
    /// how many.
    pub async fn retry_deliveries(&self, queue: DeliveryQueue, ids: &[String]) -> Result<u32, ActionError> {
        let (by, ids) = (self.by.clone(), ids.to_vec());
        act!(self.insomnia_scim_jobs.call_retry_deliveries(&by, queue, &ids))
    }

    /// Gives parked deliveries up for good: those with these ids, or all if there are none. One call gives up at most 500, and
    /// returns how many.
    pub async fn dismiss_deliveries(&self, queue: DeliveryQueue, ids: &[String]) -> Result<u32, ActionError> {
        let (by, ids) = (self.by.clone(), ids.to_vec());
        act!(self.insomnia_scim_jobs.call_dismiss_deliveries(&by, queue, &ids))
    }

    /// Sends a parked email to another address, now. Only this email changes; the member keeps the old address.
    pub async fn readdress_email(&self, id: &str, to: &str) -> Result<(), ActionError> {
        let (by, id, to) = (self.by.clone(), id.to_owned(), to.to_owned());
        act!(self.insomnia_scim_jobs.call_readdress_email(&by, &id, &to))
    }
}
