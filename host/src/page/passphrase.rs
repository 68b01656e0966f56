//! Changing the passphrase, which an initial one must be; and setting another one by a mailed link if it was lost.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use tokio::time::Instant;

use super::form::{self, Fields};
use super::query::Query;
use super::refusal::Refusal;
use super::shell::Shell;
use super::sign_in::{LONGEST, REFUSAL, own, wait, with_cookie};
use super::state::PageState;
use super::throttle::address;
use super::visit::{is_token, organization_id, token, visited};
use crate::capability::storage::OrganizationId;
use crate::error::ActionError;
use crate::organization::Organization;

#[derive(Template)]
#[template(path = "passphrase.html")]
struct ChangePage {
    shell: Shell,
    csrf: String,
    must_change: bool,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "reset.html")]
struct ResetPage {
    shell: Shell,
    /// Of the mailed link; without one an email is asked for.
    token: Option<String>,
    /// The email is on its way, if there is such a member.
    sent: bool,
    error: Option<String>,
}

/// `GET …/passphrase`.
pub(super) async fn ask_change(State(state): State<PageState>, request: Request) -> Result<Response, Refusal> {
    let mut parts = request.into_parts().0;
    let id = organization_id(&mut parts, &state).await?;
    let Some(found) = own(&state)?.find(&id, &parts.headers).await? else { return Ok(to_sign_in(&state, &id, "")) };
    let page = change_page(&state, &id, token(&id, &found.session), found.must_change, None);
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
        return Err(Refusal::new(StatusCode::FORBIDDEN, "Out of date", "Reload the page and try again."));
    }
    let member = &found.session.actor;
    let outcome = match chosen(&fields) {
        Ok(chosen) => {
            let organization = visited(&state, &id, &parts);
            organization.change_passphrase(member, fields.raw("current"), chosen).await
        }
        Err(error) => Err(error),
    };
    let (status, error) = match outcome {
        Ok(()) => {
            sessions.end_all(&id, member).await?;
            let cookie = sessions.start(&id, member, false, &parts.headers).await?;
            return Ok(with_cookie(Redirect::to(&state.home(&id)), &cookie));
        }
        Err(error) => refused(error, "Your current passphrase is wrong.")?,
    };
    let page = change_page(&state, &id, csrf, found.must_change, Some(error));
    Ok((status, Html(page.render()?)).into_response())
}

fn change_page(
    state: &PageState,
    id: &OrganizationId,
    csrf: String,
    must_change: bool,
    error: Option<String>,
) -> ChangePage {
    let mut shell = Shell::outside(state, Some(id), "Choose a passphrase");
    shell.csrf.clone_from(&csrf);
    ChangePage { shell, csrf, must_change, error }
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
    let page = ResetPage { shell: reset_shell(&state, &id), token, sent: false, error: None };
    Ok(Html(page.render()?).into_response())
}

/// `POST …/reset`: asks for the email, or sets the passphrase with its token.
pub(super) async fn reset(State(state): State<PageState>, request: Request) -> Result<Response, Refusal> {
    let begun = Instant::now();
    let (mut parts, fields) = form::read(request, &state).await?;
    let id = organization_id(&mut parts, &state).await?;
    own(&state)?;
    // Each one counts: neither emails nor guesses come in floods.
    let allowed = address(&parts).map_or(Ok(()), |address| state.addresses.begin(&address, state.now()));
    let allowed = allowed.map_err(ActionError::Throttled);
    let token = fields.typed("token").filter(|token| token.len() <= LONGEST);
    let outcome = match (allowed, token) {
        (Err(error), _) => Err(error),
        (Ok(()), None) => send_link(&state, &visited(&state, &id, &parts), fields.typed("email")).await.map(|()| None),
        (Ok(()), Some(token)) => set(&state, &visited(&state, &id, &parts), token, &fields).await.map(Some),
    };
    let (status, sent, error) = match outcome {
        Ok(Some(member)) => {
            own(&state)?.end_all(&id, &member).await?;
            return Ok(to_sign_in(&state, &id, "?done=reset"));
        }
        Ok(None) => (StatusCode::OK, true, None),
        Err(error) => {
            let (status, error) = refused(error, "The link is not valid any more.")?;
            (status, false, Some(error))
        }
    };
    // As long for who is there as for who is not.
    tokio::time::sleep_until(begun + REFUSAL).await;
    let page = ResetPage { shell: reset_shell(&state, &id), token: token.map(str::to_owned), sent, error };
    Ok((status, Html(page.render()?)).into_response())
}

/// Succeeds for whoever is not there as well.
async fn send_link(state: &PageState, organization: &Organization, email: Option<&str>) -> Result<(), ActionError> {
    let Some(email) = email.filter(|email| email.len() <= LONGEST) else {
        return Err(ActionError::Invalid("type your email address".into()));
    };
    let known = state.provisioner.has_organization(organization.id()).await;
    if !known.map_err(|error| ActionError::Unavailable(error.to_string()))? {
        return Ok(());
    }
    let page = format!("{}/reset", organization.page_url());
    organization.request_passphrase_reset(email, &page).await
}

async fn set(
    state: &PageState,
    organization: &Organization,
    token: &str,
    fields: &Fields,
) -> Result<String, ActionError> {
    let chosen = chosen(fields)?;
    let invalid = || ActionError::Invalid("the link is not valid any more; ask for another one".into());
    let known = state.provisioner.has_organization(organization.id()).await;
    if !known.map_err(|error| ActionError::Unavailable(error.to_string()))? {
        return Err(invalid());
    }
    let member = organization.reset_passphrase(token, chosen).await?;
    Ok(member.id)
}

/// The passphrase that was chosen, typed twice.
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

/// What to say beside the form; what the form can't help is a refusal.
fn refused(error: ActionError, wrong: &str) -> Result<(StatusCode, String), Refusal> {
    match error {
        ActionError::WrongPassphrase => Ok((StatusCode::UNPROCESSABLE_ENTITY, wrong.to_owned())),
        ActionError::Throttled(seconds) => Ok((StatusCode::TOO_MANY_REQUESTS, wait(seconds))),
        ActionError::Invalid(text) => Ok((StatusCode::UNPROCESSABLE_ENTITY, sentence(&text))),
        other => Err(other.into()),
    }
}

/// The text as a sentence.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str().trim_end_matches('.'))
}

fn reset_shell(state: &PageState, id: &OrganizationId) -> Shell {
    Shell::outside(state, Some(id), "Set a passphrase")
}

fn to_sign_in(state: &PageState, id: &OrganizationId, query: &str) -> Response {
    Redirect::to(&format!("{}/sign-in{query}", state.home(id))).into_response()
}
