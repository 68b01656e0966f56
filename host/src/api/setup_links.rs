//! Links for a person who administers the identity provider, but is no owner.

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
    /// The identity provider whose steps the link shows. If SCIM is not enabled when the link is used, it is enabled
    /// for this provider.
    identity_provider: IdentityProvider,
    /// How long the token will be valid. By default as long as the token before, or 180 days.
    expires: Option<ExpiryWindow>,
    /// For how many seconds the link is valid.
    #[serde(default = "a_day")]
    #[schema(minimum = 3_600, maximum = 604_800, default = 86_400)]
    valid_seconds: u32,
    /// The id or the email address of the owner or co-owner who acts. By default it is the operator for an operator's
    /// key, and the owner for an organization's key.
    actor: Option<String>,
    /// The actor's passphrase. It is required unless the operator acts.
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
    /// The URL for the person who sets up the identity provider. No other answer contains it: only a hash of its secret
    /// is stored.
    url: String,
}

/// List set-up links
///
/// The list holds all valid links, and some that are no longer valid, newest first.
#[utoipa::path(get, path = "/organizations/{organization}/setup-links", tag = "Connector",
    responses((status = 200, description = "The links.", body = ListOf<SetupLink>)))]
pub(super) async fn list_setup_links(access: Access) -> Result<ListOf<SetupLink>, Problem> {
    Ok(ListOf::whole(access.organization.setup_links().await?))
}

/// Make a set-up link
///
/// The link is for a person who administers the identity provider, but is no owner. It shows the steps, the connector
/// URL and, once, a new token. Showing the token enables SCIM; if SCIM is enabled already, the old token works for
/// another hour. Only this answer shows the URL. As for a new token, the actor gives the passphrase.
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
/// The link is no longer valid. Its effects stay.
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
