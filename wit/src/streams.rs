//! Streams of SCIM events (RFC 9967).

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::Header;
use crate::enumeration::enumeration;

enumeration! {
    /// A kind of event that a stream can have (RFC 9967 section 2).
    pub enum StreamEvent {
        /// SCIM now lists a user or group that existed before.
        FeedAdd = "feed-add",
        /// A user or group was created.
        Create = "create",
        /// A user or group was changed by PATCH or by people, or a group in any way.
        Patch = "patch",
        /// A user was replaced by PUT.
        Put = "put",
        /// A user or group was deleted.
        Delete = "delete",
        /// A user has access again.
        Activate = "activate",
        /// A user has lost access.
        Deactivate = "deactivate",
        /// A request that was accepted to be run later is done. Requests are accepted for later only if a stream has this
        /// event.
        AsyncResponse = "async-response",
    }
}

enumeration! {
    /// How much events say about a change.
    pub enum EventDetail {
        /// The names of the attributes. The receiver asks for their values over SCIM.
        Notice = "notice",
        /// The values too, if those of a change take no more than 32 KiB for all streams together. Otherwise the event is a
        /// notice.
        Full = "full",
    }
}

impl Default for EventDetail {
    /// The default shows a receiver nothing that it could not read anyway.
    fn default() -> Self {
        Self::Notice
    }
}

/// A stream to add.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct NewEventStream {
    /// The name that administrators give the receiver: 1 to 200 bytes.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub name: String,
    /// The `aud` of the tokens: 1 to 500 bytes. By this the receiver knows that they are meant for it.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    pub audience: String,
    /// The kinds of events that the stream has. If there are none, it has all of them.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 8))]
    pub events: Vec<StreamEvent>,
    /// How much events say about a change. The default is `notice`.
    #[serde(default)]
    pub detail: EventDetail,
    /// Whether each event has a token of its own. Otherwise one token has all events of a resource in one transaction.
    #[serde(default)]
    #[cfg_attr(feature = "host", component(name = "single-events"))]
    pub single_events: bool,
    /// The URL to which tokens are pushed (RFC 8935). Without it the receiver polls (RFC 8936).
    #[cfg_attr(feature = "host", component(name = "push-url"))]
    #[cfg_attr(feature = "openapi", schema(max_length = 2_000))]
    pub push_url: Option<String>,
    /// The `Authorization` header field of a push, such as `Bearer …`. It is encrypted before it is stored, and never shown.
    #[cfg_attr(feature = "openapi", schema(max_length = 4_096))]
    pub authorization: Option<String>,
}

/// Omits the secret, because debugging output ends up in logs.
impl std::fmt::Debug for NewEventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, audience, events, detail, single_events, push_url, .. } = self;
        write!(f, "NewEventStream({name:?}, {audience:?}, {events:?}, {detail:?}, {single_events}, {push_url:?})")
    }
}

/// A stream and its state. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct EventStream {
    /// A UUID.
    pub id: String,
    /// The name that administrators give the receiver.
    pub name: String,
    /// The `aud` of the tokens.
    pub audience: String,
    /// The `iss` of the tokens: the connector URL.
    pub issuer: String,
    /// The kinds of events that the stream has.
    pub events: Vec<StreamEvent>,
    /// The event URIs that the tokens can have.
    #[cfg_attr(feature = "host", component(name = "event-uris"))]
    pub event_uris: Vec<String>,
    /// How much events say about a change.
    pub detail: EventDetail,
    /// Whether each event has a token of its own.
    #[cfg_attr(feature = "host", component(name = "single-events"))]
    pub single_events: bool,
    /// The URL to which tokens are pushed; null if the receiver polls.
    #[cfg_attr(feature = "host", component(name = "push-url"))]
    pub push_url: Option<String>,
    /// The URL at which the receiver polls; null if tokens are pushed.
    #[cfg_attr(feature = "host", component(name = "poll-url"))]
    pub poll_url: Option<String>,
    /// The URL of the keys by which tokens are verified (RFC 7517).
    #[cfg_attr(feature = "host", component(name = "jwks-url"))]
    pub jwks_url: String,
    /// When the stream was added.
    pub created: u64,
    /// Since when every push has succeeded. If this and `failing_since` are null, nothing has been pushed yet.
    #[cfg_attr(feature = "host", component(name = "works-since"))]
    pub works_since: Option<u64>,
    /// Since when pushes have failed.
    #[cfg_attr(feature = "host", component(name = "failing-since"))]
    pub failing_since: Option<u64>,
    /// When the receiver last polled, to the minute.
    #[cfg_attr(feature = "host", component(name = "last-polled"))]
    pub last_polled: Option<u64>,
    /// Why the last push failed, or why the receiver refused the last token that it has refused.
    pub error: Option<String>,
    /// How many tokens wait. 1,000 means as many or more.
    pub waiting: u32,
    /// How many tokens are parked. 1,000 means as many or more.
    pub parked: u32,
}

/// A stream with the token by which its receiver polls. The token is shown only once: only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct IssuedEventStream {
    /// The stream.
    #[cfg_attr(feature = "host", component(name = "event-stream"))]
    pub event_stream: EventStream,
    /// `insm_events_`, 43 characters of base62 (256 bits) and 6 of checksum; `None` if tokens are pushed.
    pub token: Option<String>,
}

/// Omits the token, because debugging output ends up in logs.
impl std::fmt::Debug for IssuedEventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedEventStream").field("event_stream", &self.event_stream).finish_non_exhaustive()
    }
}

/// The new signing key, which is used from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SigningKey {
    /// Its `kid`: the thumbprint of the key (RFC 7638).
    pub id: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created: u64,
}

/// A request of a receiver that polls.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct PollRequest {
    /// The id of the stream in the URL.
    #[cfg_attr(feature = "host", component(name = "stream-id"))]
    pub stream_id: String,
    /// The header field, as sent.
    pub authorization: Option<String>,
    /// At most 64 KiB of JSON.
    pub body: Vec<u8>,
    /// Whether the host asks again for a receiver that waits. The acknowledgements of the request were processed the first
    /// time.
    pub again: bool,
}

/// Omits the credentials, because debugging output ends up in logs.
impl std::fmt::Debug for PollRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PollRequest").field("stream_id", &self.stream_id).finish_non_exhaustive()
    }
}

/// An answer to a receiver that polls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct PollResponse {
    /// The HTTP status.
    pub status: u16,
    /// Names are in lower case.
    pub headers: Vec<Header>,
    /// JSON.
    pub body: Vec<u8>,
    /// Whether there is nothing yet and the receiver wants to wait.
    pub wait: bool,
}
