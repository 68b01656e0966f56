//! Streams of SCIM events (RFC 9967).

use axum::Json;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::access::{Access, PathParameter};
use super::input::JsonBody;
use super::listed::ListOf;
use super::problem::Problem;
use crate::event::{EventStream, IssuedEventStream, NewEventStream, SigningKey};

/// A stream with the token for a receiver that polls, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedStream {
    /// The stream.
    stream: EventStream,
    /// The token: `insm_events_`, 43 characters of base62 and 6 of checksum; `null` if tokens are pushed. No other
    /// answer contains it.
    token: Option<String>,
}

impl From<IssuedEventStream> for IssuedStream {
    fn from(issued: IssuedEventStream) -> Self {
        Self { stream: issued.event_stream, token: issued.token }
    }
}

/// List streams
///
/// The streams are in the order in which they were added. An organization has at most 8.
#[utoipa::path(get, path = "/organizations/{organization}/streams", tag = "Streams",
    responses((status = 200, description = "All streams.", body = ListOf<EventStream>)))]
pub(super) async fn list_streams(access: Access) -> Result<ListOf<EventStream>, Problem> {
    Ok(ListOf::whole(access.organization.streams().await?))
}

/// Look at a stream
#[utoipa::path(get, path = "/organizations/{organization}/streams/{stream}", tag = "Streams",
    responses((status = 200, description = "The stream.", body = EventStream)))]
pub(super) async fn get_stream(access: Access, PathParameter(id): PathParameter) -> Result<Json<EventStream>, Problem> {
    let found = access.organization.streams().await?.into_iter().find(|stream| stream.id == id);
    found.map(Json).ok_or_else(|| Problem::not_found("There is no such stream."))
}

/// Add a stream
///
/// From now on, the receiver gets changes of users and groups as Security Event Tokens (RFC 8417, RFC 9967). With a
/// `push_url` the tokens are pushed to it (RFC 8935). Without one the receiver polls (RFC 8936) at `poll_url`, with the
/// token that only this answer shows.
#[utoipa::path(post, path = "/organizations/{organization}/streams", tag = "Streams", request_body = NewEventStream,
    responses((status = 201, description = "The stream, and the token of its receiver.", body = IssuedStream)))]
pub(super) async fn add_stream(
    access: Access,
    JsonBody(new): JsonBody<NewEventStream>,
) -> Result<(StatusCode, Json<IssuedStream>), Problem> {
    let issued = access.organization.add_stream(new).await?;
    Ok((StatusCode::CREATED, Json(issued.into())))
}

/// Remove a stream
///
/// Tokens that wait for its receiver are not delivered.
#[utoipa::path(delete, path = "/organizations/{organization}/streams/{stream}", tag = "Streams",
    responses((status = 204, description = "The stream is removed.")))]
pub(super) async fn remove_stream(access: Access, PathParameter(id): PathParameter) -> Result<StatusCode, Problem> {
    access.organization.remove_stream(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give the receiver of a stream a new token
///
/// The old token stops working at once. Only this answer shows the new one. Only a receiver that polls has a token.
#[utoipa::path(post, path = "/organizations/{organization}/streams/{stream}/token", tag = "Streams",
    responses((status = 200, description = "The stream, and the new token.", body = IssuedStream)))]
pub(super) async fn rotate_stream_token(
    access: Access,
    PathParameter(id): PathParameter,
) -> Result<Json<IssuedStream>, Problem> {
    Ok(Json(access.organization.rotate_stream_token(&id).await?.into()))
}

/// Make a new signing key
///
/// The new key signs the tokens of all streams from now on. The public part of the old key stays in the key set for 30 days.
/// There is no key before the first stream is added.
#[utoipa::path(post, path = "/organizations/{organization}/signing-key/rotate", tag = "Streams",
    responses((status = 200, description = "The key that signs from now on.", body = SigningKey)))]
pub(super) async fn rotate_signing_key(access: Access) -> Result<Json<SigningKey>, Problem> {
    Ok(Json(access.organization.rotate_signing_key().await?))
}
