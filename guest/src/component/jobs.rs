//! The export `jobs`.

use super::Component;
use super::bindings::exports::insomnia::scim::jobs::{Delivery, DeliveryPage, DeliveryQueue, Error, Guest, Time};
use super::imports::host;
use crate::jobs;

impl Guest for Component {
    fn run_due() -> Result<Option<Time>, Error> {
        Ok(jobs::run_due(host())?)
    }

    fn list_deliveries(queue: DeliveryQueue, after: Option<String>, limit: u32) -> Result<DeliveryPage, Error> {
        let page = jobs::list_deliveries(&host().store(), queue.into(), after.as_deref(), limit)?;
        Ok(DeliveryPage { deliveries: page.deliveries.into_iter().map(Into::into).collect(), next: page.next })
    }

    fn retry_deliveries(queue: DeliveryQueue, ids: Vec<String>) -> Result<u32, Error> {
        Ok(jobs::retry_deliveries(&host().store(), queue.into(), &ids)?)
    }
}

impl From<DeliveryQueue> for jobs::DeliveryQueue {
    fn from(queue: DeliveryQueue) -> Self {
        match queue {
            DeliveryQueue::EmailsWaiting => Self::EmailsWaiting,
            DeliveryQueue::EmailsParked => Self::EmailsParked,
            DeliveryQueue::EventsWaiting => Self::EventsWaiting,
            DeliveryQueue::EventsParked => Self::EventsParked,
        }
    }
}

impl From<jobs::Delivery> for Delivery {
    fn from(delivery: jobs::Delivery) -> Self {
        let jobs::Delivery { id, what, to, created, due, attempts, error } = delivery;
        Self { id, what, to, created, due, attempts, error }
    }
}
