//! An organization's events, its webhook, and what is on its way.

use super::Organization;
use crate::delivery::{Delivery, DeliveryQueue};
use crate::directory::Listed;
use crate::error::ActionError;
use crate::event::{Event, Webhook};

#[allow(clippy::missing_errors_doc, reason = "see the type")]
impl Organization {
    /// A page of at most 500 of the events that are kept, oldest first.
    pub async fn events(&self, after: Option<&str>, limit: u32) -> Result<Listed<Event>, ActionError> {
        let after = after.map(str::to_owned);
        act!(self.insomnia_scim_journal.call_list_events(after.as_deref(), limit))
    }

    /// A page of at most 500 of the asynchronous requests that are kept, the oldest first.
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

    /// Posts all events from now on to this URL, signed as Standard Webhooks has it. Returns the key of the signatures
    /// (`whsec_` and base64), which is shown once. Refused with [`ActionError::Invalid`] if the host's policy lets no request
    /// go there. [`Organization::test_webhook`] shows whether it works.
    pub async fn set_webhook(&self, url: &str) -> Result<String, ActionError> {
        self.permits(url).await?;
        let (by, url) = (self.by.clone(), url.to_owned());
        act!(self.insomnia_scim_journal.call_set_webhook(&by, &url))
    }

    /// Posts a signed event of the type `webhook.test` to the webhook, once; returns the webhook with how that went.
    pub async fn test_webhook(&self) -> Result<Webhook, ActionError> {
        let by = self.by.clone();
        act!(self.insomnia_scim_journal.call_test_webhook(&by))
    }

    /// Posts no events any more, and forgets what waits.
    pub async fn remove_webhook(&self) -> Result<(), ActionError> {
        let by = self.by.clone();
        act!(self.insomnia_scim_journal.call_remove_webhook(&by))
    }

    /// The webhook; `None` if there is none.
    pub async fn webhook(&self) -> Result<Option<Webhook>, ActionError> {
        act!(self.insomnia_scim_journal.call_get_webhook())
    }

    /// A page of at most 500 emails or events on their way.
    pub async fn deliveries(
        &self,
        queue: DeliveryQueue,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Listed<Delivery>, ActionError> {
        let after = after.map(str::to_owned);
        act!(self.insomnia_scim_jobs.call_list_deliveries(queue, after.as_deref(), limit))
    }

    /// Sends parked emails or events again: those with these ids, or all, at most 500 in a call. Returns how many.
    pub async fn retry_deliveries(&self, queue: DeliveryQueue, ids: &[String]) -> Result<u32, ActionError> {
        let (by, ids) = (self.by.clone(), ids.to_vec());
        act!(self.insomnia_scim_jobs.call_retry_deliveries(&by, queue, &ids))
    }

    /// Gives parked emails or events up for good: those with these ids, or all, at most 500 in a call. Returns how many.
    pub async fn dismiss_deliveries(&self, queue: DeliveryQueue, ids: &[String]) -> Result<u32, ActionError> {
        let (by, ids) = (self.by.clone(), ids.to_vec());
        act!(self.insomnia_scim_jobs.call_dismiss_deliveries(&by, queue, &ids))
    }

    /// Sends a parked email to another address, now. Nothing but this email is changed: the member's address stays.
    pub async fn readdress_email(&self, id: &str, to: &str) -> Result<(), ActionError> {
        let (by, id, to) = (self.by.clone(), id.to_owned(), to.to_owned());
        act!(self.insomnia_scim_jobs.call_readdress_email(&by, &id, &to))
    }
}
