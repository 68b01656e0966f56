//! The views to sign in by email address and passphrase, and to sign out.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use insomnia_scim_contract::Source;
use serde::Deserialize;
use tokio::time::Instant;

use super::credentials::{LONGEST, REFUSAL, own, remember, with_cookies};
use super::form;
use super::query::Query;
use super::refusal::Refusal;
use super::shell::Shell;
use super::state::PageState;
use super::tries::Try;
use super::visit::{is_token, organization_id, source, token};
use super::words::wait;
use crate::capability::storage::OrganizationId;
use crate::directory::{Role, SignedIn};
use crate::error::ActionError;
use crate::urls::encode;

/// The same text is shown when the account must wait after wrong tries.
const WRONG: &str =
    "The email address or the passphrase is wrong. After several wrong tries, wait a little before you try again.";
#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    shell: Shell,
    next: String,
    email: String,
    error: Option<String>,
    notice: Option<&'static str>,
}

/// The query of the form.
#[derive(Deserialize)]
pub(super) struct SignInQuery {
    next: Option<String>,
    done: Option<String>,
}

/// `GET …/sign-in`. Unknown organizations have the view too, so that it does not reveal which exist.
pub(super) async fn ask(
    State(state): State<PageState>,
    Query(wanted): Query<SignInQuery>,
    request: Request,
) -> Result<Response, Refusal> {
    let mut parts = request.into_parts().0;
    let id = organization_id(&mut parts, &state).await?;
    let next = local(&state, &id, wanted.next.as_deref());
    match own(&state)?.find(&id, &parts.headers).await? {
        Some(found) if found.must_change => return Ok(Redirect::to(&change(&state, &id, &next)).into_response()),
        Some(_) => return Ok(Redirect::to(&next).into_response()),
        None => {}
    }
    let notice = match wanted.done.as_deref() {
        Some("signed-out") => Some("You are signed out."),
        Some("reset") => Some("Your passphrase is set. Sign in with it."),
        _ => None,
    };
    let shell = Shell::outside(&state, Some(&id), "Sign in");
    Ok(Html(SignInPage { shell, next, email: String::new(), error: None, notice }.render()?).into_response())
}

/// `POST …/sign-in`.
pub(super) async fn sign_in(State(state): State<PageState>, request: Request) -> Result<Response, Refusal> {
    let begun = Instant::now();
    let (mut parts, fields) = form::read(request, &state).await?;
    let id = organization_id(&mut parts, &state).await?;
    let next = local(&state, &id, fields.typed("next"));
    let (email, passphrase) = (fields.typed("email").unwrap_or_default(), fields.raw("passphrase"));
    let sessions = own(&state)?;
    let device = sessions.known_device(&id, email, &parts.headers).await?;
    let one = Try::new(state.provisioner.trusted_proxies().source(&parts), &id, email, device);
    let given = Given { email, passphrase, is_known: one.device.is_some() };
    let verified = match state.tries.begin(&one) {
        Ok(()) => match verify(&state, &id, source(&state, &parts), given).await {
            // Only existing accounts must wait, so another answer would reveal that the account exists.
            Err(ActionError::Throttled(_)) => Err(ActionError::WrongPassphrase),
            other => other,
        },
        Err(seconds) => Err(ActionError::Throttled(seconds)),
    };
    let (status, error) = match verified {
        Ok(SignedIn { member, must_change }) => {
            state.tries.succeeded(&one);
            // Every member may replace an initial passphrase here, whatever the role.
            if member.role == Role::Member && !must_change {
                return Err(Refusal::not_an_owner(String::new()));
            }
            let session = sessions.start(&id, &member.id, must_change, &parts.headers).await?;
            let device = remember(sessions, &id, &member, &parts.headers).await;
            let to = if must_change { change(&state, &id, &next) } else { next };
            return Ok(with_cookies(
                Redirect::to(&to),
                [Some(session.as_str()), device.as_deref()].into_iter().flatten(),
            ));
        }
        Err(ActionError::WrongPassphrase) => (StatusCode::UNPROCESSABLE_ENTITY, WRONG.to_owned()),
        Err(ActionError::Throttled(seconds)) => (StatusCode::TOO_MANY_REQUESTS, wait(seconds)),
        Err(other) => return Err(other.into()),
    };
    tokio::time::sleep_until(begun + REFUSAL).await;
    let shell = Shell::outside(&state, Some(&id), "Sign in");
    let page = SignInPage { shell, next, email: email.to_owned(), error: Some(error), notice: None };
    Ok((status, Html(page.render()?)).into_response())
}

/// `POST …/sign-out`.
pub(super) async fn sign_out(State(state): State<PageState>, request: Request) -> Result<Response, Refusal> {
    let (mut parts, fields) = form::read(request, &state).await?;
    let id = organization_id(&mut parts, &state).await?;
    let sessions = own(&state)?;
    if let Some(found) = sessions.find(&id, &parts.headers).await?
        && !is_token(fields.raw("csrf"), &token(&id, &found.session))
    {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "Page out of date", "Reload the page and sign out again."));
    }
    let cookie = sessions.end(&id, &parts.headers).await?;
    let sign_in = format!("{}/sign-in?done=signed-out", state.home(&id));
    Ok(with_cookies(Redirect::to(&sign_in), [cookie.as_str()]))
}

/// The data of a sign-in.
struct Given<'f> {
    email: &'f str,
    passphrase: &'f str,
    /// Whether the member has signed in with this browser before.
    is_known: bool,
}

async fn verify(
    state: &PageState,
    id: &OrganizationId,
    source: Source,
    Given { email, passphrase, is_known }: Given<'_>,
) -> Result<SignedIn, ActionError> {
    let sane = |text: &str| !text.is_empty() && text.len() <= LONGEST;
    if !sane(email) || !sane(passphrase) {
        return Err(ActionError::WrongPassphrase);
    }
    let found = state.provisioner.find_organization(id).await;
    let found = found.map_err(|error| ActionError::Unavailable(error.to_string()))?;
    let organization = found.ok_or(ActionError::WrongPassphrase)?.coming_from(source);
    let verified = match is_known {
        true => organization.sign_in_where_known(email, passphrase).await,
        false => organization.sign_in(email, passphrase).await,
    };
    if matches!(verified, Err(ActionError::WrongPassphrase | ActionError::Throttled(_))) {
        state.provisioner.wrong_sign_ins().count(id);
    }
    verified
}

/// The path of the view that changes the passphrase and then continues with `next`.
fn change(state: &PageState, id: &OrganizationId, next: &str) -> String {
    let home = state.home(id);
    if next == home { format!("{home}/passphrase") } else { format!("{home}/passphrase?next={}", encode(next)) }
}

/// The path after the sign-in: always a view of this page, whatever the request asks for.
pub(super) fn local(state: &PageState, id: &OrganizationId, next: Option<&str>) -> String {
    let home = state.home(id);
    match next.and_then(|next| next.strip_prefix(&home)) {
        Some(view) if is_view(view) => format!("{home}{view}"),
        _ => home,
    }
}

/// Whether this text after the path of the page gives the path of a view.
fn is_view(rest: &str) -> bool {
    let path = rest.split('?').next().unwrap_or_default();
    rest.starts_with('/')
        && !rest.starts_with("/sign-")
        && rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !path.contains("//")
        && !path.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_sign_in_comes_a_view_of_this_page_and_nothing_else() {
        for rest in ["/logs", "/members?q=a%20b", "/logs/1-abc", "/consent?redirect_uri=https://a.example/b"] {
            assert!(is_view(rest), "{rest}");
        }
        for rest in ["", "x", ".evil.example", "/../other", "//evil.example", "/a\\b", "/a\r\nb", "/sign-in"] {
            assert!(!is_view(rest), "{rest}");
        }
    }
}
