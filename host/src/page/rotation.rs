//! The automatic refresh of credentials: the access to the identity provider's API, and the OAuth 2.0 clients.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::form::{Fields, Posted};
use super::proof::Unproven;
use super::query::Query;
use super::refusal::Refusal;
use super::shell::Shell;
use super::step_up::StepUpQuestion;
use super::visit::Visit;
use super::when::When;
use super::words::{is_bearer_beside_oauth, renewal};
use crate::error::ActionError;
use crate::oauth::{
    EntraApi, IdpApi, IdpApiStatus, OAuthClient, OktaApi, OktaApiToken, OktaCredentials, OktaPrivateKey, RefreshState,
    RefreshStatus,
};

#[derive(Template)]
#[template(path = "rotation.html")]
struct RotationPage<'f> {
    shell: Shell,
    error: Option<String>,
    /// The proof that the form for Entra asks for; `None` if the backend can't be asked now.
    entra_question: Option<StepUpQuestion>,
    /// The same for Okta's form.
    okta_question: Option<StepUpQuestion>,
    /// The same for the form that registers a client.
    client_question: Option<StepUpQuestion>,
    sent: Sent<'f>,
    notice: Option<String>,
    /// When the bearer token was last used, if both it and OAuth are in use.
    bearer: Option<When>,
    /// The state as a word, and its look.
    state: (&'static str, &'static str),
    renewal: String,
    status: RefreshStatus,
    last_attempt: Option<When>,
    last_success: Option<When>,
    oauth_last_used: Option<When>,
    issuer: String,
    clients: Vec<Row>,
}

/// The refused form, to be shown as it was filled in, but without its secrets.
struct Sent<'f>(Option<&'f Fields>);

impl Sent<'_> {
    /// Whether the form with this button was refused.
    fn is(&self, action: &str) -> bool {
        self.0.is_some_and(|fields| fields.raw("action") == action)
    }

    /// The value of a field in the form with this button.
    fn text(&self, action: &str, name: &str) -> &str {
        self.0.filter(|_| self.is(action)).map_or("", |fields| fields.raw(name))
    }

    /// Whether this value is chosen in the form that registers a client. `usual` says whether it is the default.
    fn chose(&self, name: &str, value: &str, usual: bool) -> bool {
        if self.is("create") { self.text("create", name) == value } else { usual }
    }
}

struct Row {
    client: OAuthClient,
    created: When,
    /// Whether the view can give it a new secret.
    has_secret: bool,
    /// The expiry of its secret: words, time, and look.
    secret: Option<(&'static str, When, &'static str)>,
    keys_fetched: Option<When>,
}

/// The query.
#[derive(Deserialize)]
pub(super) struct RotationQuery {
    done: Option<String>,
}

/// `GET …/automatic`.
pub(super) async fn show(Query(wanted): Query<RotationQuery>, visit: Visit) -> Result<Html<String>, Refusal> {
    let notice = wanted.done.as_deref().and_then(done);
    Ok(Html(page(&visit, Sent(None), None, notice).await?))
}

/// The notice about what was done.
fn done(what: &str) -> Option<&'static str> {
    Some(match what {
        "client-deleted" => "The OAuth client is deleted. Its secret and its tokens are refused from now on.",
        "access-removed" => "The access is removed, with its secret. The token works until it expires.",
        "access-set" => "The access is saved and is tried now: reload this page in a few seconds to see the result.",
        "access-untried" => "The access is saved. It will be tried when you enable SCIM.",
        "access-saved" => "The access is saved. It could not be tried now: choose “Refresh now” in a few minutes.",
        "trying" => "The refresh has begun: reload this page in a few seconds to see the result.",
        _ => return None,
    })
}

async fn page(
    visit: &Visit,
    sent: Sent<'_>,
    error: Option<String>,
    notice: Option<&'static str>,
) -> Result<String, Refusal> {
    let status = visit.organization.refresh_status().await?;
    let now = visit.state.now();
    let beside = is_bearer_beside_oauth(&status, now);
    let bearer = if beside { visit.organization.status().await?.last_used.map(When::minute) } else { None };
    let row = |client: OAuthClient| Row {
        created: When::minute(client.created),
        has_secret: client.secret_created.is_some(),
        secret: client.secret_expires.map(|end| secret_words(end, now)),
        keys_fetched: client.keys_fetched.map(When::minute),
        client,
    };
    let [entra_question, okta_question, client_question] =
        visit.questions_if_any("automatic", ["entra", "okta", "create"]).await;
    let page = RotationPage {
        shell: visit.shell("Automatic refresh", "automatic"),
        error,
        entra_question,
        okta_question,
        client_question,
        sent,
        notice: notice.map(str::to_owned),
        bearer,
        state: match status.state {
            RefreshState::Off if beside => ("Bearer token in use", "warn"),
            RefreshState::Off => ("Off", "off"),
            RefreshState::Scheduled if status.idp_api.is_some() && status.last_success.is_none() => {
                ("Not tried yet", "off")
            }
            RefreshState::Scheduled => ("On", "good"),
            _ if is_refused_by_policy(&status) => ("Refused by policy", "bad"),
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

/// The words, the time and the look of a secret's expiry.
fn secret_words(end: u64, now: u64) -> (&'static str, When, &'static str) {
    const SOON: u64 = 20 * 24 * 60 * 60 * 1_000;
    let (words, look) = match end.checked_sub(now) {
        None | Some(0) => ("No tokens: the secret expired on", "bad"),
        Some(left) if left <= SOON => ("The secret expires on", "warn"),
        Some(_) => ("The secret is valid until", "good"),
    };
    (words, When::minute(end), look)
}

/// `POST …/automatic`: configures, removes or tries the access to the API.
pub(super) async fn configure(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    let (organization, actor) = (&visit.organization, &visit.member.id);
    let done = match fields.raw("action") {
        "remove" => organization.remove_idp_api(actor).await.map(|()| "access-removed"),
        "try" => organization.refresh_by_idp_api(actor).await.map(|()| "trying"),
        provider @ ("entra" | "okta") => {
            let (api, query) = match provider {
                "entra" => (entra(&fields), fields.typed("query")),
                _ => (okta(&fields), None),
            };
            // The form decides where new tokens are sent, so it needs a proof.
            match visit.proven("automatic", provider, &fields).await? {
                Ok(proven) => match proven.act(organization.configure_idp_api(actor, api, query)).await {
                    Ok(()) => Ok(try_saved(&visit).await),
                    Err(error) => Err(error),
                },
                Err(unproven) => return unproven_again(&visit, &fields, unproven).await,
            }
        }
        _ => return Err(Refusal::not_found("action")),
    };
    match done {
        Ok(done) => Ok(Redirect::to(&visit.path(&format!("automatic?done={done}"))).into_response()),
        Err(error) => again(&visit, &fields, error).await,
    }
}

/// Tries a saved access at once, and returns the name of the notice about it. The access stays saved if the trial fails, so
/// the form is not refused.
async fn try_saved(visit: &Visit) -> &'static str {
    match try_if_enabled(visit).await {
        Ok(true) => "access-set",
        Ok(false) => "access-untried",
        Err(error) => {
            let organization = visit.organization.id();
            tracing::warn!(%organization, "the access to the identity provider's API is saved, but could not be tried: {error}");
            "access-saved"
        }
    }
}

/// Tries the access if SCIM is enabled, and returns whether it is.
async fn try_if_enabled(visit: &Visit) -> Result<bool, ActionError> {
    let enabled = visit.organization.status().await?.enabled;
    if enabled {
        visit.organization.refresh_by_idp_api(&visit.member.id).await?;
    }
    Ok(enabled)
}

/// Whether the last attempt failed because of the server's egress policy.
fn is_refused_by_policy(status: &RefreshStatus) -> bool {
    status.problem.as_deref().is_some_and(|problem| problem.starts_with("The host does not allow connections"))
}

/// The form again if its sender can correct the error, else a refusal.
pub(super) async fn again(visit: &Visit, fields: &Fields, error: ActionError) -> Result<Response, Refusal> {
    let text = match error {
        ActionError::Invalid(_) | ActionError::NotConfigured(_) | ActionError::Conflict(_) => {
            format!("Nothing was changed: {error}.")
        }
        other => return Err(other.into()),
    };
    sent_again(visit, fields, StatusCode::UNPROCESSABLE_ENTITY, text).await
}

/// Shows the form again, because it came without a valid proof.
pub(super) async fn unproven_again(visit: &Visit, fields: &Fields, unproven: Unproven) -> Result<Response, Refusal> {
    sent_again(visit, fields, unproven.status, format!("{} Nothing was changed.", unproven.why)).await
}

async fn sent_again(visit: &Visit, fields: &Fields, status: StatusCode, error: String) -> Result<Response, Refusal> {
    Ok((status, Html(page(visit, Sent(Some(fields)), Some(error), None).await?)).into_response())
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

/// Credentials for Okta: a service application if a key was given, otherwise an API token.
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
