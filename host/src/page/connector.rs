//! The views that enable SCIM, refresh the token and disable SCIM. Each asks before it acts.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::form::{Fields, Posted};
use super::identity_provider::{self as names, PROVIDERS, WINDOWS};
use super::proof::{Proof, Unproven, with_passphrase};
use super::refusal::Refusal;
use super::shell::Shell;
use super::step_up::StepUpQuestion;
use super::visit::Visit;
use super::when::When;
use crate::connector::{ConnectorStatus, DEFAULT_EXPIRY, IssuedToken};
use crate::error::ActionError;
use crate::organization::DomainRule;

/// How long the old token may stay valid beside the new one: seconds, name.
const OVERLAPS: [(&str, &str); 4] = [
    ("0", "Stop it at once"),
    ("3600", "Keep it for 1 hour"),
    ("14400", "Keep it for 4 hours"),
    ("86400", "Keep it for 24 hours"),
];

/// The form's value for a token that is refreshed automatically.
const AUTOMATIC: &str = "automatic";

#[derive(Template)]
#[template(path = "enable.html")]
struct EnablePage {
    shell: Shell,
    error: Option<String>,
    question: StepUpQuestion,
    connector_url: String,
    provider: String,
    other: String,
    window: String,
    /// Whether the token will be refreshed automatically. That is set up after the token was shown.
    automatic: bool,
    /// The rule that says which users may be provisioned.
    domain_rule: DomainRule,
}

#[derive(Template)]
#[template(path = "refresh.html")]
struct RefreshPage {
    shell: Shell,
    error: Option<String>,
    question: StepUpQuestion,
    window: &'static str,
    chosen_window: String,
    overlap: String,
    generation: u32,
}

#[derive(Template)]
#[template(path = "disable.html")]
struct DisablePage {
    shell: Shell,
    identity_provider: String,
}

#[derive(Template)]
#[template(path = "token.html")]
struct TokenPage {
    shell: Shell,
    token: String,
    connector_url: String,
    expires: Option<When>,
    /// Until when the old token is valid; `None` if it ended at once, or if there was none.
    overlap_until: Option<When>,
    refreshed: bool,
    /// A part of the action that has failed although the token was issued.
    warning: Option<&'static str>,
    /// The path of the next step.
    next: String,
    provider: &'static str,
}

/// `GET …/enable`.
pub(super) async fn ask_enable(visit: Visit) -> Result<Response, Refusal> {
    if let Some(elsewhere) = unless(&visit, false).await? {
        return Ok(elsewhere);
    }
    let guess = names::guess(visit.record.single_sign_on.as_deref());
    let other = if guess == "other" { visit.record.single_sign_on.clone() } else { None };
    let page = EnablePage {
        question: enable_question(&visit).await?,
        connector_url: visit.organization.connector_url(),
        provider: guess.to_owned(),
        other: other.unwrap_or_default(),
        window: DEFAULT_EXPIRY.name().into(),
        automatic: false,
        domain_rule: DomainRule::from(&visit.record),
        error: None,
        shell: visit.shell("Enable SCIM", "none"),
    };
    Ok(Html(page.render()?).into_response())
}

/// `POST …/enable`.
pub(super) async fn enable(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    let before = visit.organization.status().await?;
    if before.enabled {
        return Ok(Redirect::to(&visit.home()).into_response());
    }
    let wrong = StatusCode::UNPROCESSABLE_ENTITY;
    let provider = names::chosen(fields.raw("provider"), fields.typed("other"));
    let window = names::window(fields.raw("window"));
    let (provider, window) = match (provider, window) {
        (Ok(provider), Some(window)) => (provider, window),
        (Err(error), _) => return enable_again(&visit, &fields, wrong, error.into()).await,
        (_, None) => return enable_again(&visit, &fields, wrong, "Choose when the token expires.".into()).await,
    };
    let enabling = visit.organization.enable(&visit.member.id, provider, window);
    let enabled = if asks(&before) {
        match visit.proven("enable", "enable", &fields).await? {
            Ok(proven) => proven.act(enabling).await,
            Err(Unproven { status, why }) => {
                return enable_again(&visit, &fields, status, format!("{why} SCIM was not enabled.")).await;
            }
        }
    } else {
        enabling.await
    };
    match enabled {
        Ok(issued) => {
            // The token must be shown even if the rule can't be changed now.
            let ruled = visit.organization.decide_domains(only_verified(&fields)).await;
            let warning = ruled.err().map(|error| {
                tracing::warn!("who may be provisioned could not be changed: {error}");
                "Who may be provisioned could not be changed. Disable SCIM and enable it again, or ask the operator of this \
                 server."
            });
            show_token(&visit, issued, false, fields.raw("refresh") == AUTOMATIC, warning).await
        }
        Err(ActionError::Conflict(_)) => Ok(Redirect::to(&visit.home()).into_response()),
        Err(error @ ActionError::UnmetRequirements(_)) => {
            enable_again(&visit, &fields, wrong, format!("{error}.")).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the form that enables SCIM asks for a proof of who acts. Without it, somebody could disable and enable SCIM
/// to get the new token for which a refresh asks that proof.
fn asks(status: &ConnectorStatus) -> bool {
    status.generation > 0
}

async fn enable_question(visit: &Visit) -> Result<StepUpQuestion, Refusal> {
    if asks(&visit.organization.status().await?) {
        visit.question("enable", "enable").await
    } else {
        Ok(StepUpQuestion::Nothing)
    }
}

/// The rule as the form has chosen it.
pub(super) fn chosen_rule(visit: &Visit, fields: &Fields) -> DomainRule {
    let rule = DomainRule::from(&visit.record);
    DomainRule { only: only_verified(fields).unwrap_or(rule.only), ..rule }
}

/// The form's choice of who may be provisioned; `None` leaves the rule as it is.
pub(super) fn only_verified(fields: &Fields) -> Option<bool> {
    match fields.raw("domains") {
        "verified" => Some(true),
        "all" => Some(false),
        _ => None,
    }
}

async fn enable_again(visit: &Visit, fields: &Fields, status: StatusCode, error: String) -> Result<Response, Refusal> {
    let page = EnablePage {
        shell: visit.shell("Enable SCIM", "none"),
        error: Some(error),
        question: enable_question(visit).await?,
        connector_url: visit.organization.connector_url(),
        provider: fields.raw("provider").to_owned(),
        other: fields.raw("other").to_owned(),
        window: fields.raw("window").to_owned(),
        automatic: fields.raw("refresh") == AUTOMATIC,
        domain_rule: chosen_rule(visit, fields),
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// `GET …/refresh`.
pub(super) async fn ask_refresh(visit: Visit) -> Result<Response, Refusal> {
    if let Some(elsewhere) = unless(&visit, true).await? {
        return Ok(elsewhere);
    }
    let status = visit.organization.status().await?;
    let page = refresh_page(&visit, &status, None, "", "0").await?;
    Ok(Html(page.render()?).into_response())
}

/// `POST …/refresh`.
pub(super) async fn refresh(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    let status = visit.organization.status().await?;
    // If the page with the token is reloaded, the form is sent again. That must not replace the token.
    if !status.enabled || fields.raw("generation") != status.generation.to_string() {
        return Ok(Redirect::to(&visit.home()).into_response());
    }
    let window = names::window(fields.raw("window"));
    let (chosen, overlap) = (fields.raw("window"), fields.raw("overlap"));
    let Some(seconds) = OVERLAPS.iter().find(|(known, _)| *known == overlap).and_then(|(known, _)| known.parse().ok())
    else {
        let error = Some("Choose what happens to the old token.".into());
        let page = refresh_page(&visit, &status, error, chosen, "0").await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render()?)).into_response());
    };
    let (organization, actor) = (&visit.organization, &visit.member.id);
    let refreshed = match visit.proof("refresh", "refresh", &fields).await? {
        Ok(Proof::Passphrase(given)) => with_passphrase(organization.refresh(actor, given, window, seconds).await)?,
        Ok(Proof::Verified(proven)) => Ok(proven.act(organization.refresh_verified(actor, window, seconds)).await?),
        Err(unproven) => Err(unproven),
    };
    let unproven = match refreshed {
        Ok(issued) => return show_token(&visit, issued, true, false, None).await,
        Err(unproven) => unproven,
    };
    let error = format!("{} The token was not changed.", unproven.why);
    let page = refresh_page(&visit, &status, Some(error), chosen, overlap).await?;
    Ok((unproven.status, Html(page.render()?)).into_response())
}

async fn refresh_page(
    visit: &Visit,
    status: &ConnectorStatus,
    error: Option<String>,
    chosen_window: &str,
    overlap: &str,
) -> Result<RefreshPage, Refusal> {
    Ok(RefreshPage {
        shell: visit.shell("Refresh token", "none"),
        error,
        question: visit.question("refresh", "refresh").await?,
        window: status.window.map_or("", names::window_name),
        chosen_window: chosen_window.to_owned(),
        overlap: overlap.to_owned(),
        generation: status.generation,
    })
}

/// `GET …/disable`.
pub(super) async fn ask_disable(visit: Visit) -> Result<Response, Refusal> {
    if let Some(elsewhere) = unless(&visit, true).await? {
        return Ok(elsewhere);
    }
    let status = visit.organization.status().await?;
    let identity_provider = status.identity_provider.as_ref().map_or("your identity provider".into(), names::name);
    let page = DisablePage { shell: visit.shell("Disable SCIM", "none"), identity_provider };
    Ok(Html(page.render()?).into_response())
}

/// `POST …/disable`.
pub(super) async fn disable(Posted { visit, .. }: Posted) -> Result<Response, Refusal> {
    visit.organization.disable(&visit.member.id).await?;
    Ok(Redirect::to(&format!("{}?done=disabled", visit.home())).into_response())
}

/// Redirects to the first view unless the connector is in the state that the question needs.
async fn unless(visit: &Visit, enabled: bool) -> Result<Option<Response>, Refusal> {
    let holds = visit.organization.status().await?.enabled == enabled;
    Ok((!holds).then(|| Redirect::to(&visit.home()).into_response()))
}

/// The only view that shows a token. It is the answer to the form itself, so that the token need not be stored for it.
async fn show_token(
    visit: &Visit,
    issued: IssuedToken,
    refreshed: bool,
    automatic: bool,
    warning: Option<&'static str>,
) -> Result<Response, Refusal> {
    let status = visit.organization.status().await?;
    let overlap = status.overlap_until.filter(|until| *until > visit.state.now());
    let page = TokenPage {
        shell: visit.shell(if refreshed { "Your new token" } else { "SCIM is enabled" }, "none"),
        token: issued.token,
        connector_url: visit.organization.connector_url(),
        expires: issued.expires.map(When::minute),
        overlap_until: overlap.map(When::minute),
        refreshed,
        warning,
        next: if automatic { visit.path("automatic") } else { visit.home() },
        provider: status.identity_provider.as_ref().map_or("other", names::value),
    };
    Ok(Html(page.render()?).into_response())
}
