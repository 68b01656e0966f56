//! Imports members that a backend already has, with its own ids.

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Access;
use super::input::JsonBody;
use super::problem::Problem;
use crate::directory::{ImportOutcome, ImportedMember, Role};
use crate::organization::import::AT_ONCE;

/// Members to import.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MembersToImport {
    /// The members. No id may occur twice.
    #[schema(max_items = 500)]
    members: Vec<MemberToImport>,
}

/// A member to import.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MemberToImport {
    /// A UUID in small letters. It becomes the SCIM `id`.
    #[schema(min_length = 36, max_length = 36)]
    id: String,
    /// The email address, which becomes the userName as well.
    #[schema(format = Email)]
    email: String,
    /// The name. Default: the email address. An empty name is refused. `displayName` is accepted as well.
    #[serde(alias = "displayName")]
    display_name: Option<String>,
    /// The role. Default: `member`.
    role: Option<Role>,
    /// Whether the member has access, and so takes a seat. Default: true.
    active: Option<bool>,
}

/// The results of an import.
#[derive(Serialize, ToSchema)]
pub(super) struct Imported {
    /// The result for each member, in the order of the request.
    members: Vec<MemberImported>,
}

/// The result for a member of an import.
#[derive(Serialize, ToSchema)]
struct MemberImported {
    /// The id, as it was sent.
    id: String,
    /// The result.
    outcome: Outcome,
    /// The reason why the member was refused.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// `added`: the member was added. `present`: a member with this id exists already and is not changed, even if its data
/// differs, such as its email address; get the member to compare. `refused`: the member was not added.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ImportOutcome)]
enum Outcome {
    Added,
    Present,
    Refused,
}

/// Take over members
///
/// This is for members who exist in another system already: they keep the ids of that system. Nobody is mailed, and no
/// passphrase is made. The members are manual until the identity provider adopts them. A member is refused if its id is
/// no UUID or is that of a team, its email address is not valid or is taken, its name is empty, or no seat is free. The
/// other members are added in one commit.
/// The same request may be sent again: existing members are not changed. But members who were removed meanwhile, also
/// by the identity provider, or were erased are added again. Send only members that your system still has.
///
/// The key needs `all:write`: it chooses ids, so it could give another person the id of a member that it has removed.
#[utoipa::path(post, path = "/organizations/{organization}/imports", tag = "Members", request_body = MembersToImport,
    responses((status = 200, description = "The result for each member.", body = Imported)))]
pub(super) async fn import_members(
    access: Access,
    JsonBody(body): JsonBody<MembersToImport>,
) -> Result<Json<Imported>, Problem> {
    // Each request is one commit.
    if body.members.len() > AT_ONCE {
        return Err(Problem::invalid(format!("An import has {AT_ONCE} members at the most.")));
    }
    let mut members = Vec::with_capacity(body.members.len());
    for MemberToImport { id, email, display_name, role, active } in body.members {
        let role = role.unwrap_or(Role::Member);
        members.push(ImportedMember { id, email, display_name, role, active: active.unwrap_or(true) });
    }
    let outcomes = access.organization.import_members(&members).await?;
    let told = |(member, outcome): (ImportedMember, ImportOutcome)| {
        let (outcome, reason) = match outcome {
            ImportOutcome::Added => (Outcome::Added, None),
            ImportOutcome::Present => (Outcome::Present, None),
            ImportOutcome::Refused(why) => (Outcome::Refused, Some(why)),
        };
        MemberImported { id: member.id, outcome, reason }
    };
    Ok(Json(Imported { members: members.into_iter().zip(outcomes).map(told).collect() }))
}
