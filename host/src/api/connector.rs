//! The connector: enabling it, its token, disabling it.

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Access;
use super::input::{JsonBody, OptionalJsonBody};
use super::problem::Problem;
use crate::api_keys::ApiKeyHolder;
use crate::connector::{ConnectorStatus, DEFAULT_EXPIRY, ExpiryWindow, IdentityProvider, IssuedToken};

/// The data to enable SCIM.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Enable {
    /// The identity provider for which SCIM is enabled.
    identity_provider: IdentityProvider,
    /// How long the token is valid.
    #[serde(default = "default_expiry")]
    #[schema(default = "180d")]
    expires: ExpiryWindow,
    /// Whether only users of the organization's verified domains may be provisioned. By default this stays as it is.
    verified_domains_only: Option<bool>,
    /// The id or the email address of the owner or co-owner who acts. By default the owner acts.
    actor: Option<String>,
}

const fn default_expiry() -> ExpiryWindow {
    DEFAULT_EXPIRY
}

/// The actor.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActorBody {
    /// The id or the email address of the owner or co-owner who acts. By default the owner acts.
    pub(super) actor: Option<String>,
}

/// The data to refresh the token.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    /// The id or the email address of the owner or co-owner who acts. By default it is the operator for an operator's
    /// key, and the owner for an organization's key.
    actor: Option<String>,
    /// The actor's passphrase. It is required unless the operator acts.
    #[schema(format = Password)]
    passphrase: Option<String>,
    /// How long the new token is valid. By default it is as long as for the old one.
    expires: Option<ExpiryWindow>,
    /// For how many seconds the old token is accepted beside the new one.
    #[serde(default)]
    #[schema(maximum = 86_400, default = 0)]
    overlap_seconds: u32,
}

/// A new token, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct Token {
    /// The URL to enter in the identity provider together with the token.
    connector_url: String,
    /// The token: `insm_scim_`, 43 characters of base62 and 6 of checksum. No other answer contains it: only its hash
    /// is stored.
    token: String,
    /// When the token expires, in milliseconds since the Unix epoch; `null` if it never does.
    expires: Option<u64>,
}

impl Token {
    fn new(access: &Access, issued: IssuedToken) -> Json<Self> {
        let connector_url = access.organization.connector_url();
        Json(Self { connector_url, token: issued.token, expires: issued.expires })
    }
}

/// The result of enabling SCIM.
#[derive(Serialize, ToSchema)]
pub(super) struct Enabled {
    #[serde(flatten)]
    token: Token,
    /// The verified domains; `null` if they could not be read.
    verified_domains: Option<Vec<String>>,
    /// Whether only users of these domains may be provisioned; `null` if the rule could not be read or changed. In that
    /// case check the organization's option, and change it there.
    verified_domains_only: Option<bool>,
}

/// The state of the connector.
#[derive(Serialize, ToSchema)]
pub(super) struct ConnectorView {
    /// The URL to enter in the identity provider. It never changes.
    connector_url: String,
    /// The issuer of its OAuth 2.0 authorization server.
    oauth_issuer: String,
    #[serde(flatten)]
    status: ConnectorStatus,
}

async fn view(access: &Access) -> Result<Json<ConnectorView>, Problem> {
    let organization = &access.organization;
    let (connector_url, oauth_issuer) = (organization.connector_url(), organization.oauth_issuer());
    Ok(Json(ConnectorView { connector_url, oauth_issuer, status: organization.status().await? }))
}

/// Look at the connector
#[utoipa::path(get, path = "/organizations/{organization}/connector", tag = "Connector",
    responses((status = 200, description = "The connector.", body = ConnectorView)))]
pub(super) async fn get_connector(access: Access) -> Result<Json<ConnectorView>, Problem> {
    view(&access).await
}

/// Enable SCIM
///
/// The request is refused, with all unmet requirements, if SCIM can't be enabled, and also if it is enabled already.
/// Only this answer shows the token.
#[utoipa::path(post, path = "/organizations/{organization}/connector/enable", tag = "Connector", request_body = Enable,
    responses((status = 200, description = "SCIM is enabled: the connector URL and the token.", body = Enabled)))]
pub(super) async fn enable_connector(
    access: Access,
    JsonBody(body): JsonBody<Enable>,
) -> Result<Json<Enabled>, Problem> {
    let actor = access.actor(body.actor);
    let organization = &access.organization;
    let issued = organization.enable(&actor, body.identity_provider, body.expires).await?;
    // The token must be shown even if the rule can't be read or changed now.
    let rule = organization.decide_domains(body.verified_domains_only).await.ok();
    let (verified_domains, verified_domains_only) = rule.map(|rule| (rule.domains, rule.only)).unzip();
    Ok(Json(Enabled { token: Token::new(&access, issued).0, verified_domains, verified_domains_only }))
}

/// Disable SCIM
///
/// From now on every SCIM request is answered 401. No member and no team is changed.
#[utoipa::path(post, path = "/organizations/{organization}/connector/disable", tag = "Connector",
    request_body = Option<ActorBody>,
    responses((status = 200, description = "SCIM is disabled.", body = ConnectorView)))]
pub(super) async fn disable_connector(
    access: Access,
    OptionalJsonBody(body): OptionalJsonBody<ActorBody>,
) -> Result<Json<ConnectorView>, Problem> {
    let actor = access.actor(body.actor);
    access.organization.disable(&actor).await?;
    view(&access).await
}

/// Issue a new token
///
/// The old token stops working at once, or after `overlap_seconds`. Only this answer shows the new token. As on the
/// SCIM page, the actor gives the passphrase. A request with an operator's key needs no passphrase unless it names an
/// actor.
#[utoipa::path(post, path = "/organizations/{organization}/connector/refresh", tag = "Connector",
    request_body = Option<Refresh>,
    responses((status = 200, description = "The connector URL and the new token.", body = Token)))]
pub(super) async fn refresh_token(
    access: Access,
    OptionalJsonBody(body): OptionalJsonBody<Refresh>,
) -> Result<Json<Token>, Problem> {
    let organization = &access.organization;
    if access.caller.holder == ApiKeyHolder::Operator && body.actor.is_none() {
        if body.passphrase.is_some() {
            let text = "name the `actor` whose passphrase it is";
            return Err(Problem::invalid(format!("The body is not valid: {text}.")).at("/actor".into(), text.into()));
        }
        let issued = organization.refresh_as_operator(body.expires, body.overlap_seconds).await?;
        return Ok(Token::new(&access, issued));
    }
    let passphrase = body.passphrase.ok_or_else(|| {
        let text = "the actor's passphrase is needed";
        Problem::invalid(format!("The body is not valid: {text}.")).at("/passphrase".into(), text.into())
    })?;
    let actor = access.actor(body.actor);
    let issued = organization.refresh(&actor, &passphrase, body.expires, body.overlap_seconds).await?;
    Ok(Token::new(&access, issued))
}
