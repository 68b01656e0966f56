//! The automatic refresh of credentials: access to the identity provider's API, and a list of the OAuth 2.0 clients.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::form::{Fields, Posted};
use super::refusal::Refusal;
use super::shell::Shell;
use super::visit::Visit;
use super::when::When;
use super::words::renewal;
use crate::error::ActionError;
use crate::oauth::{
    EntraApi, IdpApi, IdpApiStatus, OAuthClient, OktaApi, OktaApiToken, OktaCredentials, OktaPrivateKey, RefreshState,
    RefreshStatus,
};

#[derive(Template)]
#[template(path = "rotation.html")]
struct RotationPage {
    shell: Shell,
    error: Option<String>,
    /// State in a word, and how it is shown.
    state: (&'static str, &'static str),
    renewal: String,
    status: RefreshStatus,
    last_attempt: Option<When>,
    last_success: Option<When>,
    oauth_last_used: Option<When>,
    issuer: String,
    clients: Vec<Row>,
}

struct Row {
    client: OAuthClient,
    created: When,
    /// Whether it can be given a new secret here.
    has_secret: bool,
    /// What there is to say of its secret's end, when that is, and how it is shown.
    secret: Option<(&'static str, When, &'static str)>,
    keys_fetched: Option<When>,
}

/// `GET …/automatic`.
pub(super) async fn show(visit: Visit) -> Result<Html<String>, Refusal> {
    Ok(Html(page(&visit, None).await?))
}

async fn page(visit: &Visit, error: Option<String>) -> Result<String, Refusal> {
    let status = visit.organization.refresh_status().await?;
    let now = visit.state.now();
    let row = |client: OAuthClient| Row {
        created: When::minute(client.created),
        has_secret: client.secret_created.is_some(),
        secret: client.secret_expires.map(|end| secret_words(end, now)),
        keys_fetched: client.keys_fetched.map(When::minute),
        client,
    };
    let page = RotationPage {
        shell: visit.shell("Automatic refresh", "automatic"),
        error,
        state: match status.state {
            RefreshState::Off => ("Off", "off"),
            RefreshState::Scheduled => ("On", "good"),
            RefreshState::Installing | RefreshState::Verifying => ("Refreshing", "accent"),
            RefreshState::Retrying | RefreshState::Unconfirmed => ("Trying again", "warn"),
            RefreshState::NeedsAttention => ("Needs attention", "bad"),
        },
        renewal: renewal(&status, visit.state.now()),
        last_attempt: status.last_attempt.map(When::minute),
        last_success: status.last_success.map(When::minute),
        oauth_last_used: status.oauth_last_used.map(When::minute),
        issuer: visit.organization.oauth_issuer(),
        clients: visit.organization.oauth_clients().await?.into_iter().map(row).collect(),
        status,
    };
    Ok(page.render()?)
}

/// What there is to say of a secret that ends then.
fn secret_words(end: u64, now: u64) -> (&'static str, When, &'static str) {
    const SOON: u64 = 20 * 24 * 60 * 60 * 1_000;
    let (words, look) = match end.checked_sub(now) {
        None | Some(0) => ("No tokens: the secret expired on", "bad"),
        Some(left) if left <= SOON => ("The secret expires on", "warn"),
        Some(_) => ("The secret is valid until", "good"),
    };
    (words, When::minute(end), look)
}

/// `POST …/automatic`: configures the access to the API, removes it, or tries it.
pub(super) async fn configure(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    let (organization, actor) = (&visit.organization, &visit.member.id);
    let done = match fields.raw("action") {
        "remove" => organization.remove_idp_api(actor).await,
        "try" => organization.refresh_by_idp_api(actor).await,
        "entra" => organization.configure_idp_api(actor, entra(&fields), fields.typed("query")).await,
        "okta" => organization.configure_idp_api(actor, okta(&fields), None).await,
        _ => return Err(Refusal::not_found("action")),
    };
    match done {
        Ok(()) => Ok(Redirect::to(&visit.path("automatic")).into_response()),
        Err(error) => again(&visit, error).await,
    }
}

/// What the form can help is said beside it.
pub(super) async fn again(visit: &Visit, error: ActionError) -> Result<Response, Refusal> {
    let text = match error {
        ActionError::Invalid(_) | ActionError::NotConfigured(_) | ActionError::Conflict(_) => {
            format!("Nothing was changed: {error}.")
        }
        other => return Err(other.into()),
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page(visit, Some(text)).await?)).into_response())
}

fn entra(fields: &Fields) -> IdpApi {
    let text = |name: &str| fields.typed(name).unwrap_or_default().to_owned();
    IdpApi::Entra(EntraApi {
        tenant_id: text("tenant"),
        client_id: text("client-id"),
        client_secret: text("client-secret"),
        service_principal_id: text("service-principal"),
        login_url: fields.typed("login-url").map(str::to_owned),
        graph_url: fields.typed("graph-url").map(str::to_owned),
    })
}

/// With a key it is a service application, otherwise an API token.
fn okta(fields: &Fields) -> IdpApi {
    let text = |name: &str| fields.typed(name).unwrap_or_default().to_owned();
    let credentials = match fields.typed("private-key") {
        Some(key) => {
            OktaCredentials::PrivateKey(OktaPrivateKey { client_id: text("client-id"), private_key: key.to_owned() })
        }
        None => OktaCredentials::ApiToken(OktaApiToken { token: text("api-token") }),
    };
    IdpApi::Okta(OktaApi { org_url: text("org-url"), app_id: text("app-id"), credentials })
}
