//! The automatic refresh: access to the identity provider's API, and the clients of OAuth 2.0.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::form::{Fields, Posted};
use super::refusal::Refusal;
use super::shell::Shell;
use super::visit::Visit;
use super::when::{When, distance};
use crate::error::ActionError;
use crate::oauth::{
    EntraApi, IdpApi, IdpApiStatus, IssuedOAuthClient, NewOAuthClient, OAuthClient, OktaApi, OktaApiToken,
    OktaCredentials, OktaPrivateKey, RefreshMethod, RefreshState, RefreshStatus,
};

#[derive(Template)]
#[template(path = "automatic.html")]
struct AutomaticPage {
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
}

#[derive(Template)]
#[template(path = "oauth_client.html")]
struct ClientPage {
    shell: Shell,
    client: OAuthClient,
    secret: String,
    issuer: String,
    overlap_until: Option<When>,
}

/// By what the token is renewed, and when next.
pub(super) fn renewal(status: &RefreshStatus, now: u64) -> String {
    let next = status.next_attempt.map_or_else(String::new, |next| match next > now {
        true => format!(", next in {}", distance(now, next)),
        false => ", due now".to_owned(),
    });
    match status.method {
        RefreshMethod::Manual => "By hand".into(),
        RefreshMethod::OAuth => "By your identity provider, over OAuth 2.0".into(),
        RefreshMethod::IdpApi => format!("Automatically, over the API of your identity provider{next}"),
    }
}

/// `GET …/automatic`.
pub(super) async fn show(visit: Visit) -> Result<Html<String>, Refusal> {
    Ok(Html(page(&visit, None).await?))
}

async fn page(visit: &Visit, error: Option<String>) -> Result<String, Refusal> {
    let status = visit.organization.refresh_status().await?;
    let row = |client: OAuthClient| Row { created: When::minute(client.created), client };
    let page = AutomaticPage {
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

/// `POST …/clients`: registers a client, gives it another secret, or deletes it.
pub(super) async fn client(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    let (organization, actor, id) = (&visit.organization, &visit.member.id, fields.raw("client"));
    let issued = match fields.raw("action") {
        "create" => organization.create_oauth_client(actor, new_client(&fields)).await,
        "rotate" => {
            let overlap = fields.raw("overlap").parse::<u32>().unwrap_or(0);
            organization.rotate_oauth_client_secret(actor, id, overlap).await
        }
        "delete" => match organization.delete_oauth_client(actor, id).await {
            Ok(()) => return Ok(Redirect::to(&visit.path("automatic")).into_response()),
            Err(error) => Err(error),
        },
        _ => return Err(Refusal::not_found("action")),
    };
    match issued {
        Ok(issued) => show_client(&visit, issued),
        Err(error) => again(&visit, error).await,
    }
}

/// The one view that holds a client's secret, as the answer to the form.
fn show_client(visit: &Visit, issued: IssuedOAuthClient) -> Result<Response, Refusal> {
    let page = ClientPage {
        shell: visit.shell("OAuth client", "automatic"),
        overlap_until: issued.client.overlap_until().filter(|until| *until > visit.state.now()).map(When::minute),
        client: issued.client,
        secret: issued.secret.unwrap_or_default(),
        issuer: visit.organization.oauth_issuer(),
    };
    Ok(Html(page.render()?).into_response())
}

/// What the form can help is said beside it.
async fn again(visit: &Visit, error: ActionError) -> Result<Response, Refusal> {
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

fn new_client(fields: &Fields) -> NewOAuthClient {
    let code = fields.raw("grant") == "code";
    let addresses = if code { fields.raw("redirects") } else { "" };
    NewOAuthClient {
        name: fields.typed("name").unwrap_or_default().to_owned(),
        client_credentials: !code,
        authorization_code: code,
        redirect_uris: addresses.split_whitespace().map(str::to_owned).collect(),
        public: false,
    }
}
