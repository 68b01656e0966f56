//! The connector: enabling it, its token, disabling it.

use axum::Json as Answer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Access;
use super::input::{Json, OptionalJson};
use super::keys::ApiKeyScope;
use super::problem::Problem;
use crate::connector::{ConnectorStatus, ExpiryWindow, IdentityProvider, IssuedToken};

/// How SCIM is enabled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Enable {
    /// What the connector is for.
    identity_provider: IdentityProvider,
    /// How long the token is valid.
    expires: ExpiryWindow,
    /// The id or the email address of the owner or co-owner who acts; the owner if nobody is named.
    actor: Option<String>,
}

/// Who acts.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActorBody {
    /// The id or the email address of the owner or co-owner who acts; the owner if nobody is named.
    pub(super) actor: Option<String>,
}

/// How the token is refreshed.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    /// The id or the email address of the owner or co-owner who acts. If nobody is named, it is the operator with an
    /// operator's key, and the owner with the key of an organization.
    actor: Option<String>,
    /// The actor's passphrase: needed unless the operator acts.
    #[schema(format = Password)]
    passphrase: Option<String>,
    /// How long the new token is valid; as long as the old one was if it is not named.
    expires: Option<ExpiryWindow>,
    /// For how many seconds the old token is accepted beside the new one.
    #[serde(default)]
    #[schema(maximum = 86_400, default = 0)]
    overlap_seconds: u32,
}

/// A new token, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct Token {
    /// What an identity provider is given beside the token.
    connector_url: String,
    /// `insm_scim_`, 43 characters of base62 and 6 of checksum. It is in no other answer: only its hash is stored.
    token: String,
    /// When it expires, in milliseconds since the Unix epoch; `null` for never.
    expires: Option<u64>,
}

impl Token {
    fn new(access: &Access, issued: IssuedToken) -> Answer<Self> {
        let connector_url = access.organization.connector_url();
        Answer(Self { connector_url, token: issued.token, expires: issued.expires })
    }
}

/// The connector as it stands.
#[derive(Serialize, ToSchema)]
pub(super) struct ConnectorView {
    /// What an identity provider is given. It never changes.
    connector_url: String,
    /// The issuer of its OAuth 2.0 authorization server.
    oauth_issuer: String,
    #[serde(flatten)]
    status: ConnectorStatus,
}

async fn view(access: &Access) -> Result<Answer<ConnectorView>, Problem> {
    let organization = &access.organization;
    let (connector_url, oauth_issuer) = (organization.connector_url(), organization.oauth_issuer());
    Ok(Answer(ConnectorView { connector_url, oauth_issuer, status: organization.status().await? }))
}

/// Look at the connector
#[utoipa::path(get, path = "/organizations/{organization}/connector", tag = "Connector",
    responses((status = 200, description = "The connector.", body = ConnectorView)))]
pub(super) async fn get_connector(access: Access) -> Result<Answer<ConnectorView>, Problem> {
    view(&access).await
}

/// Enable SCIM
///
/// Refused with all requirements that do not hold, and while SCIM is enabled. The token is shown this once.
#[utoipa::path(post, path = "/organizations/{organization}/connector/enable", tag = "Connector", request_body = Enable,
    responses((status = 200, description = "SCIM is enabled: the connector URL and the token.", body = Token)))]
pub(super) async fn enable_connector(access: Access, Json(asked): Json<Enable>) -> Result<Answer<Token>, Problem> {
    let actor = access.actor(asked.actor);
    let issued = access.organization.enable(&actor, asked.identity_provider, asked.expires).await?;
    Ok(Token::new(&access, issued))
}

/// Disable SCIM
///
/// From now on every SCIM request is answered 401. Changes no member and no team.
#[utoipa::path(post, path = "/organizations/{organization}/connector/disable", tag = "Connector",
    request_body = Option<ActorBody>,
    responses((status = 200, description = "SCIM is disabled.", body = ConnectorView)))]
pub(super) async fn disable_connector(
    access: Access,
    OptionalJson(asked): OptionalJson<ActorBody>,
) -> Result<Answer<ConnectorView>, Problem> {
    let actor = access.actor(asked.actor);
    access.organization.disable(&actor).await?;
    view(&access).await
}

/// Issue a new token
///
/// The old one stops at once, or after `overlap_seconds`. The new one is shown this once. As on the SCIM page, the actor
/// proves it with the passphrase; an operator's key needs none unless it names an actor.
#[utoipa::path(post, path = "/organizations/{organization}/connector/refresh", tag = "Connector",
    request_body = Option<Refresh>,
    responses((status = 200, description = "The connector URL and the new token.", body = Token)))]
pub(super) async fn refresh_token(
    access: Access,
    OptionalJson(asked): OptionalJson<Refresh>,
) -> Result<Answer<Token>, Problem> {
    let organization = &access.organization;
    if access.scope == ApiKeyScope::Operator && asked.actor.is_none() {
        if asked.passphrase.is_some() {
            let text = "name the `actor` whose passphrase it is";
            return Err(Problem::invalid(format!("The body is not valid: {text}.")).at("/actor".into(), text.into()));
        }
        let issued = organization.refresh_as_operator(asked.expires, asked.overlap_seconds).await?;
        return Ok(Token::new(&access, issued));
    }
    let passphrase = asked.passphrase.ok_or_else(|| {
        let text = "the actor's passphrase is needed";
        Problem::invalid(format!("The body is not valid: {text}.")).at("/passphrase".into(), text.into())
    })?;
    let actor = access.actor(asked.actor);
    let issued = organization.refresh(&actor, &passphrase, asked.expires, asked.overlap_seconds).await?;
    Ok(Token::new(&access, issued))
}
