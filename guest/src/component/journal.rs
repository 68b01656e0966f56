//! The export `journal`.

use insomnia_scim_contract::{Act, ActionError, AuditPage, AuditQuery, Event, EventPage, LogPage, LogQuery, Webhook};

use serde_json::Value;

use super::Component;
use super::acts::{self, acting_on};
use super::bindings::exports::insomnia::scim::journal::Guest;
use super::imports::host;
use crate::store::{EventSubject, StoreError};
use crate::{jobs, journal};

impl Guest for Component {
    fn search(query: LogQuery) -> Result<LogPage, ActionError> {
        Ok(journal::search(&host().store(), &query)?)
    }

    fn search_audit(query: AuditQuery) -> Result<AuditPage, ActionError> {
        Ok(journal::search_audit(&host().store(), &query)?)
    }

    fn record_act(by: Act, what: String, details: String) -> Result<(), ActionError> {
        Ok(journal::record_act(host().store(), &by, what, &details)?)
    }

    fn list_events(after: Option<String>, limit: u32) -> Result<EventPage, ActionError> {
        Ok(journal::list_events(&host().store(), after.as_deref(), limit)?)
    }

    fn list_requests(after: Option<String>, limit: u32) -> Result<EventPage, ActionError> {
        Ok(journal::list_requests(&host().store(), after.as_deref(), limit)?)
    }

    fn take_events(limit: u32) -> Result<Vec<Event>, ActionError> {
        Ok(journal::take_events(&host().store(), limit)?)
    }

    fn acknowledge_events(positions: Vec<String>) -> Result<(), ActionError> {
        Ok(journal::acknowledge_events(&host().store(), &positions)?)
    }

    fn set_webhook(by: Act, url: String) -> Result<String, ActionError> {
        let before = webhook()?;
        let store = acting_on(&by, "webhook.set", EventSubject::only("webhook"), before, Some(acts::address(&url)));
        Ok(journal::set_webhook(&store, host().secrets, &url)?)
    }

    fn test_webhook(_by: Act) -> Result<Webhook, ActionError> {
        let host = host();
        jobs::test_webhook(host, &host.store())?;
        let none = || ActionError::NotFound("a webhook: none is set".into());
        journal::get_webhook(&host.store())?.ok_or_else(none)
    }

    fn remove_webhook(by: Act) -> Result<(), ActionError> {
        let store = acting_on(&by, "webhook.remove", EventSubject::only("webhook"), webhook()?, None);
        Ok(journal::remove_webhook(&store)?)
    }

    fn get_webhook() -> Result<Option<Webhook>, ActionError> {
        Ok(journal::get_webhook(&host().store())?)
    }
}

/// The receiver of events, for the audit trail.
fn webhook() -> Result<Option<Value>, StoreError> {
    Ok(journal::get_webhook(&host().store())?.map(|webhook| acts::address(&webhook.url)))
}
