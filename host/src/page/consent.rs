//! The consent screen of OAuth 2.0 (RFC 6749 §4.1.1): an owner allows an identity provider's client to provision.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::form::Posted;
use super::refusal::Refusal;
use super::security_headers::FormAction;
use super::shell::Shell;
use super::state::PageState;
use super::visit::Visit;
use crate::capability::storage::OrganizationId;
use crate::error::ActionError;
use crate::oauth::{AuthorizeRefusal, Consent, PageError};

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage {
    shell: Shell,
    consent: Consent,
    /// The part of the redirection URI that people see.
    destination: String,
}

/// The page that leads back to the identity provider.
///
/// It is no redirection, because browsers apply `form-action` of the form's page to redirections after a form. That
/// policy would have to name every place to which the identity provider sends people on. The form may also have been
/// the sign-in, whose page knows no identity provider.
#[derive(Template)]
#[template(path = "leave.html")]
struct LeavePage {
    shell: Shell,
    url: String,
    destination: String,
}

fn leave(visit: &Visit, url: String) -> Result<Response, Refusal> {
    let refresh = HeaderValue::try_from(format!("0; url={url}"));
    let page = LeavePage { shell: visit.shell("Back", "none"), destination: origin(&url), url };
    let mut response = Html(page.render()?).into_response();
    if let Ok(refresh) = refresh {
        response.headers_mut().insert(header::REFRESH, refresh);
    }
    Ok(response)
}

/// `GET /oauth/{organization}/authorize`: the authorization endpoint. It redirects to the page, because the session's
/// cookie is sent to the page only.
pub(super) async fn authorize(
    State(state): State<PageState>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Redirect, Refusal> {
    let id = OrganizationId::parse(&name).map_err(|_| Refusal::not_found("organization"))?;
    Ok(Redirect::to(&format!("{}/consent?{}", state.home(&id), query.unwrap_or_default())))
}

/// `GET …/consent`.
pub(super) async fn ask(RawQuery(query): RawQuery, visit: Visit) -> Result<Response, Refusal> {
    let checked = visit.organization.authorize(&query.unwrap_or_default()).await.map_err(ActionError::from)?;
    let consent = match checked {
        Ok(consent) => consent,
        Err(AuthorizeRefusal::Redirect(url)) => return leave(&visit, url),
        Err(AuthorizeRefusal::Page(PageError { code, description })) => {
            let text = format!("Your identity provider’s request can’t be answered: {description} ({code}).");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "Not a valid request", text));
        }
        Err(AuthorizeRefusal::Unavailable(text)) => return Err(ActionError::Unavailable(text).into()),
    };
    let destination = origin(&consent.redirect_uri);
    // Browsers ask the policy of the form's page whether its answer may redirect them elsewhere.
    let action = FormAction(destination.clone());
    let page = ConsentPage { shell: visit.shell("Allow access", "none"), consent, destination };
    let mut response = Html(page.render()?).into_response();
    response.extensions_mut().insert(action);
    Ok(response)
}

/// `POST …/consent`.
pub(super) async fn decide(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    let request = fields.raw("request");
    let url = if fields.raw("decision") == "allow" {
        visit.organization.approve_consent(&visit.member.id, request).await?
    } else {
        visit.organization.deny_consent(request).await?
    };
    leave(&visit, url)
}

/// The URI's scheme and authority, or only its scheme if it has no authority.
fn origin(uri: &str) -> String {
    match uri.split_once("://") {
        Some((scheme, rest)) => {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            format!("{scheme}://{authority}")
        }
        None => uri.split_inclusive(':').next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_destination_is_what_a_policy_can_name() {
        for (uri, expected) in [
            ("https://system-admin.okta.com/admin/app/callback?x=1", "https://system-admin.okta.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("com.example.app:/callback", "com.example.app:"),
        ] {
            assert_eq!(origin(uri), expected);
        }
    }
}
