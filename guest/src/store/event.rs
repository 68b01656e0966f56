//! Events: each is written in the commit of the change that it reports (rule P6).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Batch, Store, StoreError, encode, keys, number};
use crate::capability::{Key, KeyRange, Page, key_after};
use crate::protocol::timestamp;

/// How many waiting events are sorted into the order of their commits at a time.
const IN_ORDER: u32 = 4_096;
/// The most ids that a list in an event has.
pub const MOST_IDS: usize = 1_000;

/// The kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// A member was added.
    #[serde(rename = "member.created")]
    MemberCreated,
    /// A member whom people managed is now managed by SCIM.
    #[serde(rename = "member.adopted")]
    MemberAdopted,
    /// A member's data or role changed.
    #[serde(rename = "member.updated")]
    MemberUpdated,
    /// A member lost access.
    #[serde(rename = "member.deactivated")]
    MemberDeactivated,
    /// A member has access again.
    #[serde(rename = "member.reactivated")]
    MemberReactivated,
    /// A member was removed, from every team as well.
    #[serde(rename = "member.deleted")]
    MemberDeleted,
    /// A team was added.
    #[serde(rename = "team.created")]
    TeamCreated,
    /// A team's data changed, or SCIM manages it now.
    #[serde(rename = "team.updated")]
    TeamUpdated,
    /// Members joined or left a team.
    #[serde(rename = "team.membership-changed")]
    TeamMembershipChanged,
    /// A team was removed.
    #[serde(rename = "team.deleted")]
    TeamDeleted,
    /// SCIM was enabled.
    #[serde(rename = "connector.enabled")]
    ConnectorEnabled,
    /// SCIM was disabled.
    #[serde(rename = "connector.disabled")]
    ConnectorDisabled,
    /// There is a new token.
    #[serde(rename = "token.refreshed")]
    TokenRefreshed,
    /// The token expires within 20 days.
    #[serde(rename = "token.expiring")]
    TokenExpiring,
    /// The token has expired: nothing is provisioned any more.
    #[serde(rename = "token.expired")]
    TokenExpired,
    /// The secret of an OAuth client expires within 20 days.
    #[serde(rename = "client-secret.expiring")]
    ClientSecretExpiring,
    /// The secret of an OAuth client has expired: it gets no access tokens any more.
    #[serde(rename = "client-secret.expired")]
    ClientSecretExpired,
    /// A set-up link was made.
    #[serde(rename = "setup-link.created")]
    SetupLinkCreated,
    /// A set-up link was revoked.
    #[serde(rename = "setup-link.revoked")]
    SetupLinkRevoked,
    /// A set-up link showed a token, and is used up.
    #[serde(rename = "setup-link.used")]
    SetupLinkUsed,
    /// Somebody was not provisioned because no seat was free.
    #[serde(rename = "licences.exhausted")]
    LicencesExhausted,
}

/// The actor that made the change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// The identity provider.
    Scim,
    /// A person, on the SCIM page or in the backend; or the backend itself.
    #[default]
    Admin,
    /// The component itself, for events that are due at a certain time.
    System,
}

/// The subject of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSubject {
    /// `member`, `team`, `connector`, `token`, `oauth-client`, `setup-link` or `licences`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id of the member, the team, the OAuth client or the set-up link, or the generation of the token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// The name that people see.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
}

impl EventSubject {
    /// A subject without an id.
    #[must_use]
    pub fn only(kind: &str) -> Self {
        Self { kind: kind.to_owned(), id: None, name: None }
    }

    /// A member, by its id.
    #[must_use]
    pub fn member(id: &str) -> Self {
        Self { id: Some(id.to_owned()), ..Self::only("member") }
    }

    /// A token, by its generation.
    #[must_use]
    pub fn token(generation: u32) -> Self {
        Self { id: Some(generation.to_string()), ..Self::only("token") }
    }
}

/// An event. It is stored and delivered as this JSON.
///
/// The content of `data` depends on the kind of event:
///
/// - `member.*` and `team.created|updated|deleted`: the attributes that changed, `before` and `after`; for a member
///   also `origin`, `role` and `active`.
/// - `team.membership-changed`: the ids `added` and `removed`, at most 1,000 each, and their numbers `addedCount` and
///   `removedCount`.
/// - `connector.*`: the `identityProvider`.
/// - `token.*` and `client-secret.*`: `expires`, and `daysLeft` if it expires soon.
/// - `setup-link.*`: the `identityProvider`, who made the link (`createdBy`) and when it `expires`.
/// - `licences.exhausted`: the `seats`.
///
/// If `before` and `after` were larger than 64 KiB, the names of what `changed` replace them. `data` never holds a
/// secret, nor an attribute that the organization's own schemas never return.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    /// A UUID: the same in every attempt to deliver the event.
    pub id: String,
    /// The kind of event.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The time as in RFC 3339, in UTC.
    pub time: String,
    /// The subject of the event.
    pub subject: EventSubject,
    /// The actor that made the change.
    pub actor: Actor,
    /// The request and the credential that caused the event; absent if only time did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<Cause>,
    /// The changes.
    pub data: Value,
}

/// The cause of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// The id of the request, by which it is found in the SCIM log or in the host's own log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
    /// The caller's credential: `token 3` (the connector's token of this generation), `oauth-client` and its id, `member`
    /// and its id, or what the host calls it, such as the id of an API key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credential: Option<String>,
    /// The `traceparent` (W3C Trace Context) of the request, if the host takes part in traces.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub traceparent: Option<String>,
}

/// A receiver of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// The webhook.
    Webhook,
    /// A subscriber in the host's process.
    Subscriber,
}

impl Sink {
    /// The receiver's name in keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Subscriber => "subscriber",
        }
    }

    /// The name of the job that deletes the events that waited for a receiver that was removed.
    pub(crate) fn dropped(self) -> &'static str {
        match self {
            Self::Webhook => "webhook-dropped",
            Self::Subscriber => "subscriber-dropped",
        }
    }
}

/// A stored event with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// The end of its key: when it was written, and its id.
    pub position: String,
    /// An [`EventRecord`] as JSON.
    pub json: Vec<u8>,
}

impl StoredEvent {
    /// The event's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.position.get(16..).unwrap_or_default()
    }

    /// When it was written, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.position.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0)
    }
}

/// The reason why an event could not be delivered to the webhook. JSON under `event-parked/{position}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedEvent {
    /// The last answer.
    pub error: String,
    /// In milliseconds since the Unix epoch.
    pub parked: u64,
}

impl Store<'_> {
    /// Adds an event to the batch. It will be delivered to every receiver of events.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn add_event(
        &self,
        batch: &mut Batch,
        kind: EventKind,
        subject: EventSubject,
        data: Value,
    ) -> Result<(), StoreError> {
        let settings = self.settings()?;
        let (now, id) = (self.now(), self.new_ordered_id());
        let position = format!("{now:016x}{id}");
        let (time, actor) = (timestamp::format(now), self.actor());
        let cause = self.cause.borrow().clone().map(|cause| Cause { traceparent: self.traceparent(), ..cause });
        let event = EventRecord { id, kind, time, subject, actor, cause, data };
        batch.put(keys::event(&position), encode(&event)?);
        for (is_on, sink) in [(settings.webhook, Sink::Webhook), (settings.subscriber, Sink::Subscriber)] {
            if is_on {
                batch.put(keys::event_due(sink.as_str(), &position), Vec::new());
                batch.wake_at(now);
            }
        }
        Ok(())
    }

    /// Adds to the batch that the events that wait for this receiver are dropped. There may be many, so the jobs delete
    /// them in parts; until then nobody sees them.
    pub(crate) fn drop_events(&self, batch: &mut Batch, sink: Sink) {
        let before = self.now() + 1;
        batch.put(keys::job(sink.dropped()), before.to_string().into_bytes());
        batch.wake_at(self.now());
    }

    /// Events for this receiver from before this time (in milliseconds) are dropped. Returned with the version of the
    /// key.
    pub(crate) fn dropped_before(&self, sink: Sink) -> Result<Option<(u64, u64)>, StoreError> {
        let item = self.item(keys::job(sink.dropped()))?;
        Ok(item.and_then(|item| Some((number(&item.value)?, item.version))))
    }

    /// The events that wait for this receiver, without those that are dropped.
    pub(crate) fn waiting(&self, sink: Sink) -> Result<KeyRange, StoreError> {
        let mut range = keys::events_due(sink.as_str(), None);
        if let Some((before, _)) = self.dropped_before(sink)? {
            range.start = keys::events_due(sink.as_str(), Some(before)).end;
        }
        Ok(range)
    }

    /// The events that were not delivered to this receiver yet, in the order of their commits, at most `limit`; and
    /// whether there are more.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn due_events(&self, sink: Sink, limit: u32) -> Result<(Vec<StoredEvent>, bool), StoreError> {
        let range = self.waiting(sink)?;
        // The due marks are small. An event whose attempt began earlier may be committed later, by up to the time that
        // a call takes. For this reason more events are sorted than are delivered.
        let scanned = self.scan_page(Page::first(range, IN_ORDER))?;
        let mut marks: Vec<(u64, String)> = scanned
            .entries
            .into_iter()
            .filter_map(|entry| Some((entry.version, keys::position_of(&entry.key)?)))
            .collect();
        // Keys have the order in which the attempts began, versions the order of the commits.
        marks.sort_unstable();
        let limit = limit.clamp(1, 500) as usize;
        let more = scanned.more || marks.len() > limit;
        marks.truncate(limit);
        let wanted: Vec<Key> = marks.iter().map(|(_, position)| keys::event(position)).collect();
        let items = if wanted.is_empty() { Vec::new() } else { self.items(&wanted)? };
        let mut events = Vec::with_capacity(items.len());
        for ((_, position), item) in marks.into_iter().zip(items) {
            // An event older than its retention was deleted. An empty one takes its place, and the delivery skips it.
            events.push(StoredEvent { position, json: item.map(|item| item.value).unwrap_or_default() });
        }
        Ok((events, more))
    }

    /// Whether an event has not been delivered to the sink yet.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn is_event_due(&self, sink: Sink) -> Result<bool, StoreError> {
        let range = self.waiting(sink)?;
        Ok(!self.scan_page(Page::first(range, 1))?.entries.is_empty())
    }

    /// A page of all events, oldest first, and whether there are more.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn events(&self, after: Option<&str>, limit: u32) -> Result<(Vec<StoredEvent>, bool), StoreError> {
        let mut range = keys::events(None);
        if let Some(after) = after {
            range.start = key_after(keys::event(after));
        }
        let scanned = self.scan_page(Page::first(range, limit))?;
        let events = scanned
            .entries
            .into_iter()
            .filter_map(|entry| Some(StoredEvent { position: keys::position_of(&entry.key)?, json: entry.value }))
            .collect();
        Ok((events, scanned.more))
    }
}
