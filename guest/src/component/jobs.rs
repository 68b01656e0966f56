//! The export `jobs`.

use insomnia_scim_contract::{Act, ActionError, DeliveryPage, DeliveryQueue, RunContext};

use super::Component;
use super::bindings::exports::insomnia::scim::jobs::Guest;
use super::imports::host;
use crate::jobs;

impl Guest for Component {
    fn run_due(context: RunContext) -> Result<Option<u64>, ActionError> {
        Ok(jobs::run_due(host(), &context)?)
    }

    fn list_deliveries(queue: DeliveryQueue, after: Option<String>, limit: u32) -> Result<DeliveryPage, ActionError> {
        Ok(jobs::list_deliveries(&host().store(), queue, after.as_deref(), limit)?)
    }

    fn retry_deliveries(_by: Act, queue: DeliveryQueue, ids: Vec<String>) -> Result<u32, ActionError> {
        Ok(jobs::retry_deliveries(&host().store(), queue, &ids)?)
    }

    fn dismiss_deliveries(_by: Act, queue: DeliveryQueue, ids: Vec<String>) -> Result<u32, ActionError> {
        Ok(jobs::dismiss_deliveries(&host().store(), queue, &ids)?)
    }

    fn readdress_email(_by: Act, id: String, to: String) -> Result<(), ActionError> {
        Ok(jobs::readdress_email(&host().store(), &id, &to)?)
    }
}
