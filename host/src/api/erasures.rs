//! Erases a person over the API. The body names the person, because URLs of requests are written to logs.

use axum::Json;
use serde::Deserialize;
use utoipa::ToSchema;

use super::access::Access;
use super::input::JsonBody;
use super::problem::Problem;
use crate::organization::ErasedPerson;

/// The person to erase.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonToErase {
    /// The id, the userName or the email address of a member; the id of a deleted member; or a name or an address, of
    /// at least five bytes, of a person who never was a member.
    #[schema(min_length = 1, max_length = 1_000)]
    person: String,
    /// Other names and addresses of the same person, each of at least five bytes.
    #[serde(default)]
    #[schema(max_items = 20)]
    known_as: Vec<String>,
}

/// Erase a person
///
/// If the person is a member, the member is removed first; the last active owner can't be removed. Then everything
/// about the person is removed from the log, the events, the audit trail and the emails. The id remains. The answer
/// comes when this is done, or after 20 seconds; then the rest is done in the background. It is 404 if the name or
/// address occurs nowhere.
#[utoipa::path(post, path = "/organizations/{organization}/erasures", tag = "Members", request_body = PersonToErase,
    responses((status = 200, description = "The result of the erasure.", body = ErasedPerson)))]
pub(super) async fn erase_person(
    access: Access,
    JsonBody(body): JsonBody<PersonToErase>,
) -> Result<Json<ErasedPerson>, Problem> {
    Ok(Json(access.organization.erase_person(&body.person, &body.known_as).await?))
}
