//! The export `jobs`.

use insomnia_scim_contract::{Act, ActionError, DeliveryPage, DeliveryQueue, RunContext};

use serde_json::json;

use super::Component;
use super::acts::{acting, acting_on};
use super::bindings::exports::insomnia::scim::jobs::Guest;
use super::imports::host;
use crate::jobs;
use crate::store::EventSubject;

impl Guest for Component {
    fn run_due(context: RunContext) -> Result<Option<u64>, ActionError> {
        Ok(jobs::run_due(host(), &context)?)
    }

    fn list_deliveries(queue: DeliveryQueue, after: Option<String>, limit: u32) -> Result<DeliveryPage, ActionError> {
        Ok(jobs::list_deliveries(&host().store(), queue, after.as_deref(), limit)?)
    }

    fn retry_deliveries(by: Act, queue: DeliveryQueue, ids: Vec<String>) -> Result<u32, ActionError> {
        let after = json!({"queue": queue.to_string(), "deliveries": ids.len()});
        let store = acting_on(&by, "deliveries.retry", EventSubject::only("deliveries"), None, Some(after));
        Ok(jobs::retry_deliveries(&store, queue, &ids)?)
    }

    fn dismiss_deliveries(by: Act, queue: DeliveryQueue, ids: Vec<String>) -> Result<u32, ActionError> {
        let after = json!({"queue": queue.to_string(), "deliveries": ids.len()});
        let store = acting_on(&by, "deliveries.dismiss", EventSubject::only("deliveries"), None, Some(after));
        Ok(jobs::dismiss_deliveries(&store, queue, &ids)?)
    }

    fn readdress_email(by: Act, id: String, to: String) -> Result<(), ActionError> {
        let store = acting(&by, "email.readdress");
        Ok(jobs::readdress_email(&store, &id, &to)?)
    }
}
