//! The views to change a passphrase, which an initial one requires, and to reset a lost one by a mailed link.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use insomnia_scim_contract::Source;
use serde::Deserialize;
use tokio::time::Instant;

use super::credentials::{LONGEST, REFUSAL, own, remember, with_cookies};
use super::form::{self, Fields};
use super::query::Query;
use super::refusal::Refusal;
use super::shell::Shell;
use super::sign_in::local;
use super::state::PageState;
use super::visit::{is_token, organization_id, source, token};
use super::words::{NO_MAIL, sentence, wait};
use crate::capability::storage::OrganizationId;
use crate::directory::Member;
use crate::error::ActionError;

#[derive(Template)]
#[template(path = "passphrase.html")]
struct ChangePage {
    shell: Shell,
    csrf: String,
    must_change: bool,
    /// The path that follows.
    next: String,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "reset.html")]
struct ResetPage {
    shell: Shell,
    /// The token of the mailed link. Without it, the view asks for an email address.
    token: Option<String>,
    /// Whether the form was sent. An email was only sent if there is such a member.
    sent: bool,
    /// Whether this server sends emails.
    mailed: bool,
    error: Option<String>,
}

/// The query of the form.
#[derive(Deserialize)]
pub(super) struct ChangeQuery {
    next: Option<String>,
}

/// `GET …/passphrase`.
pub(super) async fn ask_change(
    State(state): State<PageState>,
    Query(wanted): Query<ChangeQuery>,
    request: Request,
) -> Result<Response, Refusal> {
    let mut parts = request.into_parts().0;
    let id = organization_id(&mut parts, &state).await?;
    let Some(found) = own(&state)?.find(&id, &parts.headers).await? else { return Ok(to_sign_in(&state, &id, "")) };
    let next = local(&state, &id, wanted.next.as_deref());
    let page = change_page(&state, &id, token(&id, &found.session), found.must_change, next, None);
    Ok(Html(page.render()?).into_response())
}

/// `POST …/passphrase`.
pub(super) async fn change(State(state): State<PageState>, request: Request) -> Result<Response, Refusal> {
    let (mut parts, fields) = form::read(request, &state).await?;
    let id = organization_id(&mut parts, &state).await?;
    let sessions = own(&state)?;
    let Some(found) = sessions.find(&id, &parts.headers).await? else { return Ok(to_sign_in(&state, &id, "")) };
    let csrf = token(&id, &found.session);
    if !is_token(fields.raw("csrf"), &csrf) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "Page out of date", "Reload the page and try again."));
    }
    let member = &found.session.actor;
    let outcome = match chosen(&fields) {
        Ok(chosen) => {
            let organization = state.provisioner.organization(&id).coming_from(source(&state, &parts));
            organization.change_passphrase(member, fields.raw("current"), chosen).await
        }
        Err(error) => Err(error),
    };
    let (status, error) = match outcome {
        Ok(()) => {
            sessions.end_all(&id, member).await?;
            let session = sessions.start(&id, member, false, &parts.headers).await?;
            let device = match state.provisioner.organization(&id).member(member).await {
                Ok(member) => remember(sessions, &id, &member, &parts.headers).await,
                Err(_) => None,
            };
            let cookies = [Some(session.as_str()), device.as_deref()].into_iter().flatten();
            return Ok(with_cookies(Redirect::to(&local(&state, &id, fields.typed("next"))), cookies));
        }
        Err(error) => refused(error, "Your current passphrase is wrong.")?,
    };
    let next = local(&state, &id, fields.typed("next"));
    let page = change_page(&state, &id, csrf, found.must_change, next, Some(error));
    Ok((status, Html(page.render()?)).into_response())
}

fn change_page(
    state: &PageState,
    id: &OrganizationId,
    csrf: String,
    must_change: bool,
    next: String,
    error: Option<String>,
) -> ChangePage {
    let mut shell = Shell::outside(state, Some(id), "Choose a passphrase");
    shell.csrf.clone_from(&csrf);
    ChangePage { shell, csrf, must_change, next, error }
}

/// The query of a mailed link.
#[derive(Deserialize)]
pub(super) struct Link {
    token: Option<String>,
}

/// `GET …/reset`.
pub(super) async fn ask_reset(
    State(state): State<PageState>,
    Query(link): Query<Link>,
    request: Request,
) -> Result<Response, Refusal> {
    let id = organization_id(&mut request.into_parts().0, &state).await?;
    own(&state)?;
    let token = link.token.filter(|token| !token.is_empty() && token.len() <= LONGEST);
    let page = ResetPage { shell: reset_shell(&state, &id), token, sent: false, mailed: true, error: None };
    Ok(Html(page.render()?).into_response())
}

/// `POST …/reset`: asks for the email, or sets the passphrase with its token.
pub(super) async fn reset(State(state): State<PageState>, request: Request) -> Result<Response, Refusal> {
    let begun = Instant::now();
    let (mut parts, fields) = form::read(request, &state).await?;
    let id = organization_id(&mut parts, &state).await?;
    let sessions = own(&state)?;
    let token = fields.typed("token").filter(|token| token.len() <= LONGEST);
    let outcome = match token {
        // The holder of the link has the mailbox, so the wrong tries of strangers do not count.
        Some(token) => set(&state, &id, source(&state, &parts), token, &fields).await.map(Some),
        None => {
            // Each request counts, so that nobody gets too many emails.
            match state.tries.ask_for_link(state.provisioner.trusted_proxies().source(&parts)) {
                Ok(()) => send_link(&state, &id, source(&state, &parts), fields.typed("email")).await.map(|()| None),
                Err(seconds) => Err(ActionError::Throttled(seconds)),
            }
        }
    };
    let (status, sent, error) = match outcome {
        Ok(Some(member)) => {
            sessions.end_all(&id, &member.id).await?;
            // The browser becomes known, so that strangers do not slow down the following sign-in.
            let device = remember(sessions, &id, &member, &parts.headers).await;
            let to = format!("{}/sign-in?done=reset", state.home(&id));
            return Ok(with_cookies(Redirect::to(&to), device.as_deref()));
        }
        Ok(None) => (StatusCode::OK, true, None),
        Err(error) => {
            let (status, error) = refused(error, "The link is not valid any more.")?;
            (status, false, Some(error))
        }
    };
    // The answer takes equally long for known and unknown members.
    tokio::time::sleep_until(begun + REFUSAL).await;
    let mailed = state.provisioner.delivers_mail();
    let page = ResetPage { shell: reset_shell(&state, &id), token: token.map(str::to_owned), sent, mailed, error };
    Ok((status, Html(page.render()?)).into_response())
}

/// Mails a link. It also succeeds for unknown addresses, to reveal nothing.
async fn send_link(
    state: &PageState,
    id: &OrganizationId,
    source: Source,
    email: Option<&str>,
) -> Result<(), ActionError> {
    let Some(email) = email.filter(|email| email.len() <= LONGEST) else {
        return Err(ActionError::Invalid("type your email address".into()));
    };
    let found = state.provisioner.find_organization(id).await;
    let Some(organization) = found.map_err(|error| ActionError::Unavailable(error.to_string()))? else {
        return Ok(());
    };
    let organization = organization.coming_from(source);
    let page = format!("{}/reset", organization.page_url());
    organization.request_passphrase_reset(email, &page).await
}

async fn set(
    state: &PageState,
    id: &OrganizationId,
    source: Source,
    token: &str,
    fields: &Fields,
) -> Result<Member, ActionError> {
    let chosen = chosen(fields)?;
    let invalid = || ActionError::Invalid("the link is not valid any more; ask for another one".into());
    let found = state.provisioner.find_organization(id).await;
    let organization = found.map_err(|error| ActionError::Unavailable(error.to_string()))?.ok_or_else(invalid)?;
    organization.coming_from(source).reset_passphrase(token, chosen).await
}

/// The chosen passphrase, if both fields have the same.
fn chosen(fields: &Fields) -> Result<&str, ActionError> {
    let chosen = fields.raw("chosen");
    if chosen != fields.raw("again") {
        return Err(ActionError::Invalid("the two new passphrases are not the same".into()));
    }
    if chosen.len() > LONGEST {
        return Err(ActionError::Invalid("the new passphrase is longer than 1,024 bytes".into()));
    }
    Ok(chosen)
}

/// The error to show beside the form, or a refusal if another try can't help.
fn refused(error: ActionError, wrong: &str) -> Result<(StatusCode, String), Refusal> {
    match error {
        ActionError::WrongPassphrase => Ok((StatusCode::UNPROCESSABLE_ENTITY, wrong.to_owned())),
        ActionError::Throttled(seconds) => Ok((StatusCode::TOO_MANY_REQUESTS, wait(seconds))),
        ActionError::Invalid(text) => Ok((StatusCode::UNPROCESSABLE_ENTITY, sentence(&text))),
        other => Err(other.into()),
    }
}

fn reset_shell(state: &PageState, id: &OrganizationId) -> Shell {
    Shell::outside(state, Some(id), "Set a passphrase")
}

fn to_sign_in(state: &PageState, id: &OrganizationId, query: &str) -> Response {
    Redirect::to(&format!("{}/sign-in{query}", state.home(id))).into_response()
}
