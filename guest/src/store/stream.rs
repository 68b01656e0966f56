//! Event streams (RFC 9967): the streams, the tokens that wait for their receivers, and the keys that sign the tokens.

use insomnia_scim_contract::{EventDetail, StreamEvent};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Batch, ParkedEvent, Store, StoreError, Versioned, decode, encode, keys};
use crate::capability::{Key, KeyRange, Page};
use crate::protocol::discovery::ASYNC_RESPONSE;

/// How many waiting tokens are sorted into the order of their commits at a time.
const IN_ORDER: u32 = 4_096;
/// The most tokens that are counted.
const MOST_COUNTED: u32 = 1_000;

/// A stream. Stored as JSON in `settings`, which every change of data reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamRecord {
    /// A UUID.
    pub id: String,
    /// The name that administrators gave the receiver.
    pub name: String,
    /// The `aud` of its tokens.
    pub audience: String,
    /// The `iss` of its tokens: the connector URL.
    pub issuer: String,
    /// The kinds of events that the stream carries.
    pub events: Vec<StreamEvent>,
    /// How much detail the events have.
    pub detail: EventDetail,
    /// Whether each event has a token of its own.
    pub single_events: bool,
    /// How the receiver gets its tokens.
    pub delivery: StreamDelivery,
    /// In milliseconds since the Unix epoch.
    pub created: u64,
}

/// How a receiver gets its tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum StreamDelivery {
    /// The server posts them to the receiver (RFC 8935).
    Push {
        /// The URL to which they are posted.
        url: String,
        /// The `Authorization` header field, encrypted by the host, in base64.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        authorization: Option<String>,
    },
    /// The receiver polls for them (RFC 8936).
    Poll {
        /// The SHA-256 of the receiver's token, in lower-case hexadecimal digits.
        sha256: String,
    },
}

/// The beginning of the URI of every event.
pub const EVENT_URI: &str = "urn:ietf:params:scim:event:";

/// The URI of a kind of event, without the common beginning.
#[must_use]
pub fn event_name(event: StreamEvent, detail: EventDetail) -> String {
    match event {
        StreamEvent::FeedAdd => "feed:add".to_owned(),
        StreamEvent::Create | StreamEvent::Patch | StreamEvent::Put => format!("prov:{event}:{detail}"),
        StreamEvent::Delete | StreamEvent::Activate | StreamEvent::Deactivate => format!("prov:{event}"),
        StreamEvent::AsyncResponse => ASYNC_RESPONSE.to_owned(),
    }
}

impl StreamRecord {
    /// Whether tokens are pushed.
    #[must_use]
    pub fn is_pushed(&self) -> bool {
        matches!(self.delivery, StreamDelivery::Push { .. })
    }

    /// Whether the stream reports the results of asynchronous requests.
    #[must_use]
    pub fn tells_responses(&self) -> bool {
        self.events.contains(&StreamEvent::AsyncResponse)
    }

    /// The event URIs that its tokens can have. A change that is too large for a full event is reported by a notice.
    #[must_use]
    pub fn event_uris(&self) -> Vec<String> {
        let details = match self.detail {
            EventDetail::Notice => &[EventDetail::Notice][..],
            EventDetail::Full => &[EventDetail::Full, EventDetail::Notice][..],
        };
        let mut uris: Vec<String> = Vec::new();
        for event in StreamEvent::ALL.iter().filter(|event| self.events.contains(event)) {
            for detail in details {
                let uri = format!("{EVENT_URI}{}", event_name(*event, *detail));
                if !uris.contains(&uri) {
                    uris.push(uri);
                }
            }
        }
        uris
    }

    /// The name of the lease that a host takes while it pushes.
    #[must_use]
    pub fn lease(&self) -> String {
        format!("stream-{}", self.id)
    }
}

/// The state of a stream's deliveries. Stored as JSON under `stream/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StreamStateRecord {
    /// Since when all pushes have succeeded, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub works_since: Option<u64>,
    /// Since when pushes have failed, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<u64>,
    /// How long no host has tried since then, in milliseconds. This time does not count towards the three days.
    pub downtime: u64,
    /// When the receiver last polled, to the minute, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_polled: Option<u64>,
    /// The reason why the last push failed, or the token that the receiver refused last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A Security Event Token before it is signed. Stored as JSON under `set/{stream}/{id}`, in the commit of the change
/// that it reports. For this reason the version of the key is the version of the resource.
///
/// It holds no secret, and no attribute that SCIM never returns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetRecord {
    /// The transaction that caused it.
    pub txn: String,
    /// When the change was made, in milliseconds since the Unix epoch.
    pub time: u64,
    /// The resource's path below the connector URL.
    pub uri: String,
    /// The resource's `externalId`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub external_id: Option<String>,
    /// The `traceparent` of the request that caused it, if the host takes part in traces. It is no part of the token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub traceparent: Option<String>,
    /// The payloads by event URI, without the URIs' common beginning and without `version`.
    pub events: Map<String, Value>,
}

/// A token that waits for its receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueSet {
    /// Its `jti`: a UUID, the same in every attempt.
    pub id: String,
    /// The version of the resource after the change.
    pub version: u64,
    /// The content of the token; `None` if it is older than its retention.
    pub record: Option<SetRecord>,
}

/// The keys that sign tokens, the newest last. Stored as JSON under `signing-keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeysRecord {
    /// The newest key signs; of the others only the public part is left.
    pub keys: Vec<SigningKeyRecord>,
}

/// A key of the curve P-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeyRecord {
    /// Its thumbprint (RFC 7638), which is its `kid`.
    pub id: String,
    /// A coordinate of the public part, in base64url.
    pub x: String,
    /// The other coordinate.
    pub y: String,
    /// The private part, encrypted by the host, in base64; absent if the key no longer signs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sealed: Option<String>,
    /// In milliseconds since the Unix epoch.
    pub created: u64,
    /// Since when another key signs, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaced: Option<u64>,
}

impl Store<'_> {
    /// All streams, in the order in which they were added.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn streams(&self) -> Result<Vec<StreamRecord>, StoreError> {
        Ok(self.settings()?.streams)
    }

    /// Like [`Store::streams`], but reads them again from the storage.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn read_streams(&self) -> Result<Vec<StreamRecord>, StoreError> {
        self.settings.replace(None);
        self.streams()
    }

    /// The stream with this id.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn stream(&self, id: &str) -> Result<Option<StreamRecord>, StoreError> {
        Ok(self.streams()?.into_iter().find(|stream| stream.id == id))
    }

    /// Adds a token to the batch, to be delivered to the stream's receiver.
    ///
    /// # Errors
    /// If it can't be encoded.
    pub fn add_set(&self, batch: &mut Batch, stream: &StreamRecord, set: &SetRecord) -> Result<(), StoreError> {
        let id = self.new_ordered_id();
        batch.put(keys::set(&stream.id, &id), encode(set)?);
        batch.put(keys::set_due(&stream.id, &id), Vec::new());
        if stream.is_pushed() {
            batch.wake_at(self.now());
        }
        Ok(())
    }

    /// Tokens that wait for the stream's receiver, in the order of their commits, at most `limit`, and whether there are more.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn due_sets(&self, stream: &str, limit: u32) -> Result<(Vec<DueSet>, bool), StoreError> {
        let range = keys::sets_due(stream, None);
        let scanned = self.scan_page(Page::first(range, IN_ORDER))?;
        // As with events, keys have the order in which the attempts began, versions the order of the commits.
        let mut marks: Vec<(u64, String)> =
            scanned.entries.iter().filter_map(|entry| Some((entry.version, keys::id_of(&entry.key)?))).collect();
        marks.sort_unstable();
        let more = scanned.more || marks.len() > limit as usize;
        marks.truncate(limit as usize);
        let wanted: Vec<Key> = marks.iter().map(|(_, id)| keys::set(stream, id)).collect();
        let items = if wanted.is_empty() { Vec::new() } else { self.items(&wanted)? };
        let mut sets = Vec::with_capacity(items.len());
        for ((_, id), (key, item)) in marks.into_iter().zip(wanted.iter().zip(items)) {
            let version = item.as_ref().map_or(0, |item| item.version);
            let record = item.map(|item| decode::<SetRecord>(key, &item)).transpose()?.map(|set| set.record);
            sets.push(DueSet { id, version, record });
        }
        Ok((sets, more))
    }

    /// Whether a token waits for the stream's receiver.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn is_set_due(&self, stream: &str) -> Result<bool, StoreError> {
        Ok(self.nth_key(&keys::sets_due(stream, None), 0)?.is_some())
    }

    /// How many keys the range has, up to 1,000.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn counted_sets(&self, range: KeyRange) -> Result<u32, StoreError> {
        let scanned = self.scan_page(Page::first(range, MOST_COUNTED))?;
        Ok(u32::try_from(scanned.entries.len()).unwrap_or(MOST_COUNTED))
    }

    /// Adds to the batch that the token was delivered.
    pub fn forget_set(batch: &mut Batch, stream: &str, id: &str) {
        batch.delete(keys::set_due(stream, id));
        batch.delete(keys::set(stream, id));
    }

    /// Adds to the batch that the token is parked: it could not be delivered.
    ///
    /// # Errors
    /// If it can't be encoded.
    pub fn park_set(&self, batch: &mut Batch, stream: &str, id: &str, error: String) -> Result<(), StoreError> {
        batch.delete(keys::set_due(stream, id));
        batch.put(keys::set_parked(stream, id), encode(&ParkedEvent { error, parked: self.now() })?);
        Ok(())
    }

    /// The state of the stream's deliveries, and its version.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn stream_state(&self, stream: &str) -> Result<(StreamStateRecord, Option<u64>), StoreError> {
        let (version, state) = Versioned::or_default(self.document::<StreamStateRecord>(&keys::stream(stream))?);
        Ok((state, version))
    }

    /// Stores the state of the deliveries. Nothing is written if another host has changed it meanwhile.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn note_stream(
        &self,
        stream: &str,
        seen: Option<u64>,
        state: &StreamStateRecord,
        mut batch: Batch,
    ) -> Result<(), StoreError> {
        batch.replace(keys::stream(stream), seen, state)?;
        self.commit_unless_changed(batch)
    }

    /// The keys that sign tokens.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn signing_keys(&self) -> Result<Option<Versioned<SigningKeysRecord>>, StoreError> {
        self.document(keys::SIGNING_KEYS)
    }

    /// Adds to the batch that the stream's waiting tokens are dropped. There may be many, so the jobs delete them in
    /// parts.
    pub(crate) fn drop_stream(&self, batch: &mut Batch, stream: &str) {
        batch.delete(keys::stream(stream));
        batch.delete(keys::lease(&format!("stream-{stream}")));
        batch.put(keys::stream_dropped(stream), self.now().to_string().into_bytes());
        batch.wake_at(self.now());
    }
}
