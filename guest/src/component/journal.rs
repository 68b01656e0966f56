//! The export `journal`.

use insomnia_scim_contract::{Act, ActionError, Event, EventPage, LogPage, LogQuery, Webhook};

use super::Component;
use super::bindings::exports::insomnia::scim::journal::Guest;
use super::imports::host;
use crate::{jobs, journal};

impl Guest for Component {
    fn search(query: LogQuery) -> Result<LogPage, ActionError> {
        Ok(journal::search(&host().store(), &query)?)
    }

    fn list_events(after: Option<String>, limit: u32) -> Result<EventPage, ActionError> {
        Ok(journal::list_events(&host().store(), after.as_deref(), limit)?)
    }

    fn take_events(limit: u32) -> Result<Vec<Event>, ActionError> {
        Ok(journal::take_events(&host().store(), limit)?)
    }

    fn acknowledge_events(positions: Vec<String>) -> Result<(), ActionError> {
        Ok(journal::acknowledge_events(&host().store(), &positions)?)
    }

    fn set_webhook(_by: Act, url: String) -> Result<String, ActionError> {
        let host = host();
        Ok(journal::set_webhook(&host.store(), host.secrets, &url)?)
    }

    fn test_webhook(_by: Act) -> Result<Webhook, ActionError> {
        let host = host();
        jobs::test_webhook(host, &host.store())?;
        let none = || ActionError::NotFound("a webhook: none is set".into());
        journal::get_webhook(&host.store())?.ok_or_else(none)
    }

    fn remove_webhook(_by: Act) -> Result<(), ActionError> {
        Ok(journal::remove_webhook(&host().store())?)
    }

    fn get_webhook() -> Result<Option<Webhook>, ActionError> {
        Ok(journal::get_webhook(&host().store())?)
    }
}
