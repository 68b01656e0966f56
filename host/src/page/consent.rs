//! The consent screen of OAuth 2.0 (RFC 6749 §4.1.1): an owner lets an identity provider's client provision.

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
    /// Where the answer goes, as far as people look at it.
    destination: String,
}

/// What leads back to the identity provider.
///
/// It is a page of its own and no redirection: a browser that follows redirections after a form lets them lead only to where
/// the policy of the form's page allows it (`form-action`), and that would have to name every place to which the identity
/// provider sends people on. The form may have been the sign-in, whose page knows of no identity provider.
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

/// `GET /oauth/{organization}/authorize`: the authorization endpoint. The session's cookie is for the page only, so the
/// screen is there.
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
    // Browsers ask the policy of the form's page whether its answer may send them elsewhere.
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

/// Scheme and authority, or the scheme alone where there is no authority.
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
