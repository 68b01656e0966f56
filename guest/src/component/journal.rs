//! The export `journal`.

use super::Component;
use super::bindings::exports::insomnia::scim::journal::{Error, Event, EventPage, Guest, LogPage, Query, Webhook};
use super::imports::host;
use crate::capability::SecretsError;
use crate::journal::{self, WebhookError};
use crate::store::{StoredEvent, WebhookRecord};

impl Guest for Component {
    fn search(query: Query) -> Result<LogPage, Error> {
        let query = journal::LogQuery {
            since: query.since,
            until: query.until,
            status_class: query.status_class,
            method: query.method,
            resource_type: query.resource_type,
            text: query.text,
            after: query.after,
            limit: query.limit,
        };
        let page = journal::search(&host().store(), &query)?;
        Ok(LogPage { entries: page.entries, next: page.next })
    }

    fn list_events(after: Option<String>, limit: u32) -> Result<EventPage, Error> {
        let page = journal::list_events(&host().store(), after.as_deref(), limit)?;
        Ok(EventPage { events: page.events.into_iter().map(Into::into).collect(), next: page.next })
    }

    fn set_subscriber(subscriber: bool) -> Result<(), Error> {
        Ok(journal::set_subscriber(&host().store(), subscriber)?)
    }

    fn take_events(limit: u32) -> Result<Vec<Event>, Error> {
        let events = journal::take_events(&host().store(), limit)?;
        Ok(events.into_iter().map(Into::into).collect())
    }

    fn acknowledge_events(positions: Vec<String>) -> Result<(), Error> {
        Ok(journal::acknowledge_events(&host().store(), &positions)?)
    }

    fn set_webhook(url: String) -> Result<String, Error> {
        let host = host();
        Ok(journal::set_webhook(&host.store(), host.secrets, &url)?)
    }

    fn remove_webhook() -> Result<(), Error> {
        Ok(journal::remove_webhook(&host().store())?)
    }

    fn get_webhook() -> Result<Option<Webhook>, Error> {
        let webhook = host().store().webhook()?.map(|stored| stored.record);
        Ok(webhook.map(|webhook| {
            let WebhookRecord { url, created, failing_since, error, .. } = webhook;
            Webhook { url, created, failing_since, error }
        }))
    }
}

impl From<StoredEvent> for Event {
    fn from(event: StoredEvent) -> Self {
        Self { position: event.position, document: event.json }
    }
}

impl From<WebhookError> for Error {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Url => Self::Invalid(error.to_string()),
            WebhookError::Secrets(SecretsError::NotConfigured) => Self::NotConfigured(error.to_string()),
            WebhookError::Secrets(error) => Self::Other(error.to_string()),
            WebhookError::Store(error) => error.into(),
        }
    }
}
