//! The export `streams`.

use insomnia_scim_contract::{
    Act, ActionError, EventStream, IssuedEventStream, NewEventStream, PollRequest, PollResponse, SigningKey,
};

use super::Component;
use super::acts::acting;
use super::bindings::exports::insomnia::scim::streams::Guest;
use super::imports::host;
use crate::streams;

impl Guest for Component {
    fn list_streams() -> Result<Vec<EventStream>, ActionError> {
        Ok(streams::list(&host().store())?)
    }

    fn add_stream(by: Act, new: NewEventStream, connector_url: String) -> Result<IssuedEventStream, ActionError> {
        Ok(streams::add(&acting(&by, "stream.add"), host().secrets, new, &connector_url)?)
    }

    fn remove_stream(by: Act, id: String) -> Result<(), ActionError> {
        Ok(streams::remove(&acting(&by, "stream.remove"), &id)?)
    }

    fn rotate_token(by: Act, id: String) -> Result<IssuedEventStream, ActionError> {
        Ok(streams::rotate_token(&acting(&by, "stream.rotate-token"), &id)?)
    }

    fn rotate_signing_key(by: Act) -> Result<SigningKey, ActionError> {
        Ok(streams::rotate_signing_key(&acting(&by, "stream.rotate-signing-key"), host().secrets)?)
    }

    fn poll(request: PollRequest) -> PollResponse {
        streams::poll(host(), &request)
    }

    fn key_set(stream_id: String) -> Result<String, ActionError> {
        Ok(streams::key_set(&host().store(), &stream_id)?)
    }
}
