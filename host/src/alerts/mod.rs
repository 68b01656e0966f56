//! Alerts: the operator is told by email and webhook of problems that need a person, when they begin and when they are
//! over (rule P9).
//!
//! | file | what it does |
//! |---|---|
//! | `cause` | the causes of alerts, with their texts |
//! | `state` | the life of an alert, as a pure function |
//! | `look` | looks at all organizations ([`crate::Standing`]), and takes over the observations of hosts |
//! | `book` | stores alerts and the hosts' turns in the host's own space of the storage |
//! | `tell` | sends what is new to each receiver, at least once |
//! | `message` | one email for everything new, and the body of the webhook |
//! | `watch` | the task in each host that does all this when the host has its turn |
//!
//! An alert is stored before anybody is told, and its record says what was sent, so a restart loses nothing. A message
//! is only sent twice, with the same id, if a host is killed before it has recorded the first one. A lasting alert is
//! sent again once a day. An alert about a problem that often passes without help is only sent if two looks in a row
//! find it. Every alert is over if two looks in a row do not find it, so a problem that comes and goes is sent once.

mod book;
mod cause;
pub(crate) mod disk;
mod look;
mod message;
mod settings;
mod state;
mod tell;
mod watch;

use serde::Serialize;
use utoipa::ToSchema;

pub use cause::{AlertCause, UnknownCause};
pub use settings::{AlertWebhook, Alerts, InvalidAlerts};

use book::{Book, Stored};
use message::Origin;
use tell::{Failing, Teller};

use crate::capability::email::Mailer;
use crate::capability::storage::StorageError;
use crate::provisioner::Provisioner;

/// A current alert. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Alert {
    /// The cause.
    pub cause: AlertCause,
    /// The organization; `null` if the alert is about a host.
    pub organization: Option<String>,
    /// The host; `null` if the alert is about an organization.
    pub host: Option<String>,
    /// When it was found first.
    pub since: u64,
    /// Details, such as how much space is free.
    pub detail: Option<String>,
    /// When somebody was told last; `null` if nobody was.
    pub told: Option<u64>,
}

impl Alert {
    fn of(stored: Stored) -> Option<Self> {
        let state = stored.state.lasts().then_some(stored.state)?;
        let cause = stored.about.cause;
        let is_of_host = cause.is_of_host();
        let subject = Some(stored.about.subject);
        let (organization, host) = if is_of_host { (None, subject) } else { (subject, None) };
        let told = state.told.values().map(|told| told.at).max();
        Some(Self { cause, organization, host, since: state.since, detail: state.detail, told })
    }
}

impl Provisioner {
    /// The current alerts that [`Alerts::watch`] has found last, at some host on this storage: a page of those stored
    /// after `after`, and the value of `after` for the next page, if there is one. A page may be short although there
    /// is a next one.
    ///
    /// Problems of the storage itself are not stored. They are in the log, the metrics and the messages.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn alerts(&self, after: Option<&str>, limit: u32) -> Result<(Vec<Alert>, Option<String>), StorageError> {
        let (stored, next) = Book(self.storage()).page(after, limit).await?;
        Ok((stored.into_iter().filter_map(Alert::of).collect(), next))
    }
}

impl Alerts {
    /// Sends a test to all receivers. Returns the name of each, as in [`Alerts::receivers`], and the error if it has
    /// accepted nothing. `server` is the base URL that the messages name, and `now` is in milliseconds since the Unix
    /// epoch.
    pub async fn test(&self, mailer: &dyn Mailer, server: &str, now: u64) -> Vec<(String, Result<(), String>)> {
        let (failing, origin) = (Failing::default(), Origin { server, now });
        Teller { settings: self, mailer, origin, failing: &failing }.test().await
    }
}
