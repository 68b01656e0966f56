//! Links by which somebody who administers the identity provider, but is no owner, sets it up.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::{Access, PathParameter};
use super::input::{JsonBody, Query};
use super::listed::ListOf;
use super::organizations::ActorQuery;
use super::problem::Problem;
use crate::api_keys::ApiKeyHolder;
use crate::connector::{ExpiryWindow, IdentityProvider, NewSetupLink, SetupLink};

/// A set-up link to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLink {
    /// The identity provider whose steps the link shows. SCIM is enabled for it, if it is not enabled when the link is used.
    identity_provider: IdentityProvider,
    /// How long the token will be valid. If nobody says it, as long as the token before, or 180 days.
    expires: Option<ExpiryWindow>,
    /// For how many seconds the link is good.
    #[serde(default = "a_day")]
    #[schema(minimum = 3_600, maximum = 604_800, default = 86_400)]
    valid_seconds: u32,
    /// The id or the email address of the owner or co-owner who acts. If nobody is named, it is the operator with an
    /// operator's key, and the owner with the key of an organization.
    actor: Option<String>,
    /// The actor's passphrase. It is needed unless the operator acts.
    #[schema(format = Password)]
    passphrase: Option<String>,
}

const fn a_day() -> u32 {
    86_400
}

/// A set-up link with its URL, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedLink {
    /// The link.
    link: SetupLink,
    /// What whoever sets up the identity provider opens. No other answer holds it: only a hash of its secret is stored.
    url: String,
}

/// List set-up links
///
/// The list holds the links that are good, and some that no longer are, newest first.
#[utoipa::path(get, path = "/organizations/{organization}/setup-links", tag = "Connector",
    responses((status = 200, description = "The links.", body = ListOf<SetupLink>)))]
pub(super) async fn list_setup_links(access: Access) -> Result<ListOf<SetupLink>, Problem> {
    Ok(ListOf::whole(access.organization.setup_links().await?))
}

/// Make a set-up link
///
/// The link is for somebody who administers the identity provider, but is no owner. It shows the steps and the connector URL
/// and, once, a new token. SCIM is enabled with that; if it is enabled already, the old token works for an hour more. The URL is
/// shown in this answer and never again. As for a new token, the actor proves who he or she is with the passphrase.
#[utoipa::path(post, path = "/organizations/{organization}/setup-links", tag = "Connector", request_body = NewLink,
    responses((status = 201, description = "The link and its URL.", body = IssuedLink)))]
pub(super) async fn create_setup_link(
    access: Access,
    JsonBody(new): JsonBody<NewLink>,
) -> Result<(StatusCode, Json<IssuedLink>), Problem> {
    let organization = &access.organization;
    let link = NewSetupLink {
        identity_provider: new.identity_provider,
        window: new.expires,
        valid_seconds: new.valid_seconds,
    };
    let issued = if access.caller.holder == ApiKeyHolder::Operator && new.actor.is_none() {
        organization.create_setup_link_as_operator(link).await?
    } else {
        let passphrase = new.passphrase.ok_or_else(|| {
            let text = "the actor's passphrase is needed";
            Problem::invalid(format!("The body is not valid: {text}.")).at("/passphrase".into(), text.into())
        })?;
        organization.create_setup_link(access.actor(new.actor), &passphrase, link).await?
    };
    let url = organization.setup_link_url(&issued.token);
    Ok((StatusCode::CREATED, Json(IssuedLink { link: issued.link, url })))
}

/// Revoke a set-up link
///
/// The link is good no more. What it was used for stays.
#[utoipa::path(delete, path = "/organizations/{organization}/setup-links/{link}", tag = "Connector", params(ActorQuery),
    responses((status = 204, description = "The link was revoked.")))]
pub(super) async fn revoke_setup_link(
    access: Access,
    PathParameter(link): PathParameter,
    Query(query): Query<ActorQuery>,
) -> Result<StatusCode, Problem> {
    let actor = access.actor(query.actor);
    access.organization.revoke_setup_link(&actor, &link).await?;
    Ok(StatusCode::NO_CONTENT)
}
