//! Events: what changed in an organization, for the backend in the same process, for a webhook, and for receivers of streams.

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
    /// Events of an organization, in the order of their commits. Each comes at least once: those that were not taken, or
    /// that a crash made uncertain, come again with the same ids and positions. Note each of them, and not the last position alone:
    /// positions do not always grow ([`Event::position`]).
    ///
    /// # Errors
    /// Any text: the events come again later.
    async fn take(&self, organization: &OrganizationId, events: &[Event]) -> Result<(), String>;
}

/// What an event tells: its document, read. It does not name the organization, within which alone the ids of members and teams are
/// unique: keep what it tells under both. Later releases may add types of events and members, so what is not known is passed
/// over.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct EventRecord {
    /// A UUID: the same in every attempt to deliver the event.
    pub id: String,
    /// What happened, such as `member.created` or `team.membership-changed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When, as in RFC 3339, in UTC.
    pub time: String,
    /// What it is about.
    pub subject: EventSubject,
    /// Who made the change: `scim`, `admin` or `system`.
    pub actor: String,
    /// By which request and whose credential it was made; `None` if time alone brought it.
    #[serde(default)]
    pub cause: Option<EventCause>,
    /// What changed, by the kind of the event:
    ///
    /// | kind | members of `data` |
    /// |---|---|
    /// | `member.created`, `member.adopted`, `member.updated`, `member.deactivated`, `member.reactivated`, `member.deleted` | `before` and `after`: the attributes of the SCIM user that differ, as wholes, with `active`, `origin` and `role` among them |
    /// | `team.created`, `team.updated`, `team.deleted` | `before` and `after`: the attributes of the SCIM group that differ, with `origin` among them |
    /// | `team.membership-changed` | `added` and `removed`: the ids of at most 1,000 members each; `addedCount` and `removedCount`: how many there are |
    /// | `connector.enabled`, `connector.disabled` | `identityProvider` |
    /// | `token.refreshed`, `token.expiring`, `token.expired`, `client-secret.expiring`, `client-secret.expired` | `expires`, as in RFC 3339 or null; of one that is expiring `daysLeft` |
    /// | `setup-link.created`, `setup-link.revoked`, `setup-link.used` | `identityProvider`, `createdBy`, `expires` |
    /// | `licences.exhausted` | `seats` |
    ///
    /// What has come has `after` alone, what has gone `before` alone, with all attributes. Where both were larger than 64 KiB, there is
    /// `changed` instead, the names of the attributes. How a member is as a whole, with the one email address that counts, says
    /// [`Organization::member`](crate::Organization::member). Who is deleted leaves all teams, and a team that is deleted loses its
    /// members, without further events.
    pub data: Value,
}

/// What an event is about.
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

/// What brought a change about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventCause {
    /// The id of the request, by which the log can be searched.
    pub request_id: Option<String>,
    /// What the caller was let in by, such as `token 3`.
    pub credential: Option<String>,
    /// The `traceparent` (W3C Trace Context) of the request, if the host takes part in traces.
    pub traceparent: Option<String>,
}

impl EventRecord {
    /// Reads the document of an event.
    ///
    /// # Errors
    /// It is no document of an event.
    pub fn read(event: &Event) -> Result<Self, serde_json::Error> {
        serde_json::from_str(&event.document)
    }
}
