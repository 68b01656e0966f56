//! An organization's streams of SCIM events (RFC 9967).

use super::Organization;
use crate::component::CallError;
use crate::error::ActionError;
use crate::event::{EventStream, IssuedEventStream, NewEventStream, PollRequest, PollResponse, SigningKey};

#[allow(clippy::missing_errors_doc, reason = "see the type")]
impl Organization {
    /// All streams, in the order in which they were added.
    pub async fn streams(&self) -> Result<Vec<EventStream>, ActionError> {
        act!(self.insomnia_scim_streams.call_list_streams())
    }

    /// Adds a stream. An organization has at most 8. Its receiver gets events from now on. [`ActionError::Invalid`] if the
    /// host's policy allows no request to the receiver.
    pub async fn add_stream(&self, new: NewEventStream) -> Result<IssuedEventStream, ActionError> {
        if let Some(url) = &new.push_url {
            self.permits(url).await?;
        }
        let (by, connector_url) = (self.by.clone(), self.connector_url());
        act!(self.insomnia_scim_streams.call_add_stream(&by, &new, &connector_url))
    }

    /// Removes a stream, and forgets the tokens that wait.
    pub async fn remove_stream(&self, stream: &str) -> Result<(), ActionError> {
        let (by, stream) = (self.by.clone(), stream.to_owned());
        act!(self.insomnia_scim_streams.call_remove_stream(&by, &stream))
    }

    /// Gives a stream whose receiver polls a new token. The old one stops at once.
    pub async fn rotate_stream_token(&self, stream: &str) -> Result<IssuedEventStream, ActionError> {
        let (by, stream) = (self.by.clone(), stream.to_owned());
        act!(self.insomnia_scim_streams.call_rotate_token(&by, &stream))
    }

    /// Makes a new signing key for all streams, which is used from now on. The public part of the old key stays in the key set
    /// for 30 days.
    pub async fn rotate_signing_key(&self) -> Result<SigningKey, ActionError> {
        let by = self.by.clone();
        act!(self.insomnia_scim_streams.call_rotate_signing_key(&by))
    }

    /// Serves a request of a receiver that polls (RFC 8936). If [`PollResponse::wait`] is set, the same request may be served
    /// again for some time.
    pub async fn poll_stream(&self, request: PollRequest) -> Result<PollResponse, CallError> {
        let response = self.call("insomnia_scim_streams.call_poll", move |store, exports| {
            Box::pin(async move { exports.insomnia_scim_streams().call_poll(store, &request).await })
        });
        response.await
    }

    /// The key set (RFC 7517) for the receiver of a stream, in JSON.
    pub async fn stream_key_set(&self, stream: &str) -> Result<String, ActionError> {
        let stream = stream.to_owned();
        act!(self.insomnia_scim_streams.call_key_set(&stream))
    }
}
