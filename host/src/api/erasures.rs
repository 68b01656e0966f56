//! Erasing a person over the API. The person is named in the body, since addresses of requests end in logs.

use axum::Json;
use serde::Deserialize;
use utoipa::ToSchema;

use super::access::Access;
use super::input::JsonBody;
use super::problem::Problem;
use crate::organization::ErasedPerson;

/// Somebody who is to be erased.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonToErase {
    /// The id, the userName or the email address of a member; the id of a deleted member; or a name or an address, of at least
    /// five bytes, of somebody who never was a member.
    #[schema(min_length = 1, max_length = 1_000)]
    person: String,
    /// Other names and addresses of the same person, each of at least five bytes.
    #[serde(default)]
    #[schema(max_items = 20)]
    known_as: Vec<String>,
}

/// Erase a person
///
/// If the person is a member, the member is removed first; the last active owner can't be. Then all that tells of the person goes
/// from the log, the events, the audit trail and the emails. The id remains. The answer comes when that is done, or after
/// 20 seconds; then the rest is done in the background. It is 404 where a name or an address stands nowhere.
#[utoipa::path(post, path = "/organizations/{organization}/erasures", tag = "Members", request_body = PersonToErase,
    responses((status = 200, description = "What was erased.", body = ErasedPerson)))]
pub(super) async fn erase_person(
    access: Access,
    JsonBody(body): JsonBody<PersonToErase>,
) -> Result<Json<ErasedPerson>, Problem> {
    Ok(Json(access.organization.erase_person(&body.person, &body.known_as).await?))
}
