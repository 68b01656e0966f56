//! Events: the changes in an organization, for the backend in the same process, for a webhook, and for receivers of streams.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

pub use insomnia_scim_contract::{
    Event, EventDetail, EventStream, IssuedEventStream, NewEventStream, PollRequest, PollResponse, SigningKey,
    StreamEvent, Webhook,
};

use crate::capability::storage::OrganizationId;

/// Takes events in the host's process.
#[async_trait]
pub trait EventSubscriber: Send + Sync + 'static {
    /// Takes events of an organization, in the order of their commits. Each event comes at least once: an event comes again,
    /// with the same id and position, if it was not taken, or if a crash left that uncertain. Note every position, not only
    /// the last one: positions do not always grow ([`Event::position`]).
    ///
    /// # Errors
    /// Any text: the events come again later.
    async fn take(&self, organization: &OrganizationId, events: &[Event]) -> Result<(), String>;
}

/// The document of an event, in Rust. It does not name the organization, and the ids of members and teams are unique only
/// within one: keep its content under the organization and the id. Later releases may add types of events and members of the
/// JSON; unknown members are ignored.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct EventRecord {
    /// A UUID: the same in every attempt to deliver the event.
    pub id: String,
    /// The kind of event, such as `member.created` or `team.membership-changed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The time of the change, as in RFC 3339, in UTC.
    pub time: String,
    /// The subject of the event.
    pub subject: EventSubject,
    /// Who made the change: `scim`, `admin` or `system`.
    pub actor: String,
    /// The request and the credential that caused it; `None` if it was caused by time alone.
    #[serde(default)]
    pub cause: Option<EventCause>,
    /// The changes. Their form depends on the kind of event:
    ///
    /// | kind | members of `data` |
    /// |---|---|
    /// | `member.created`, `member.adopted`, `member.updated`, `member.deactivated`, `member.reactivated`, `member.deleted` | `before` and `after`: the attributes of the SCIM user that differ, as wholes, with `active`, `origin` and `role` among them |
    /// | `team.created`, `team.updated`, `team.deleted` | `before` and `after`: the attributes of the SCIM group that differ, with `origin` among them |
    /// | `team.membership-changed` | `added` and `removed`: the ids of at most 1,000 members each; `addedCount` and `removedCount`: how many there are |
    /// | `connector.enabled`, `connector.disabled` | `identityProvider` |
    /// | `token.refreshed`, `token.expiring`, `token.expired`, `client-secret.expiring`, `client-secret.expired` | `expires`, as in RFC 3339 or null; also `daysLeft` for the two that are expiring |
    /// | `setup-link.created`, `setup-link.revoked`, `setup-link.used` | `identityProvider`, `createdBy`, `expires` |
    /// | `licences.exhausted` | `seats` |
    ///
    /// A created resource has only `after`, and a deleted one only `before`, both with all attributes. If both together were
    /// larger than 64 KiB, `data` has `changed` instead, the names of the attributes.
    /// [`Organization::member`](crate::Organization::member) returns a whole member, with the one email address that counts. A
    /// deleted member leaves all teams, and a deleted team loses its members; no further events announce this.
    pub data: Value,
}

/// The subject of an event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EventSubject {
    /// `member`, `team`, `connector`, `token`, `oauth-client`, `setup-link` or `licences`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id of the member, the team, the OAuth client or the set-up link, or the generation of the token. It is unique only
    /// within its organization.
    #[serde(default)]
    pub id: Option<String>,
    /// The name that people see.
    #[serde(default)]
    pub name: Option<String>,
}

/// The cause of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventCause {
    /// The id of the request, by which the log can be searched.
    pub request_id: Option<String>,
    /// The credential of the caller, such as `token 3`.
    pub credential: Option<String>,
    /// The `traceparent` (W3C Trace Context) of the request, if the host takes part in traces.
    pub traceparent: Option<String>,
}

impl EventRecord {
    /// Reads the document of an event.
    ///
    /// # Errors
    /// The text is not the document of an event.
    pub fn read(event: &Event) -> Result<Self, serde_json::Error> {
        serde_json::from_str(&event.document)
    }
}
