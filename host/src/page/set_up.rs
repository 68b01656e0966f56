//! The view of a set-up link: steps and connector URL for a person who administers the identity provider and is no
//! owner, and a token on request.
//!
//! Looking at it does not use the link up, since programs that check emails open every link in them. A link that is
//! wrong, used, revoked, expired or of an unknown organization gets the same answer after the same time.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use tokio::time::Instant;

use super::credentials::{LONGEST, REFUSAL};
use super::form;
use super::identity_provider as names;
use super::query::Query;
use super::refusal::Refusal;
use super::shell::Shell;
use super::state::PageState;
use super::visit::{organization_id, source};
use super::when::When;
use super::words::wait;
use crate::connector::{IssuedToken, SetupLink};
use crate::error::ActionError;
use crate::organization::Organization;

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage {
    shell: Shell,
    error: Option<String>,
    /// The identity provider's name; `provider` is the value of its steps.
    name: String,
    provider: &'static str,
    /// The maker of the link.
    created_by: String,
    organization: String,
    connector_url: String,
    /// The link's secret.
    link: String,
    good_until: When,
    token: Option<String>,
    expires: Option<When>,
}

/// The query of a link.
#[derive(Deserialize)]
pub(super) struct LinkQuery {
    token: Option<String>,
}

/// `GET …/set-up`.
pub(super) async fn ask(
    State(state): State<PageState>,
    Query(link): Query<LinkQuery>,
    request: Request,
) -> Result<Response, Refusal> {
    let begun = Instant::now();
    let mut parts = request.into_parts().0;
    let token = link.token.unwrap_or_default();
    let (organization, link) = open(&state, &mut parts, &token, begun).await?;
    let page = page(&state, &organization, link, token).await?;
    Ok(Html(page.render()?).into_response())
}

/// `POST …/set-up`: shows a token, which uses the link up.
pub(super) async fn redeem(State(state): State<PageState>, request: Request) -> Result<Response, Refusal> {
    let begun = Instant::now();
    let (mut parts, fields) = form::read(request, &state).await?;
    let token = fields.raw("token").to_owned();
    let (organization, link) = open(&state, &mut parts, &token, begun).await?;
    match organization.redeem_setup_link(&token).await {
        Ok(IssuedToken { token: issued, expires }) => {
            let page = page(&state, &organization, link, String::new()).await?;
            let page = SetUpPage { token: Some(issued), expires: expires.map(When::minute), ..page };
            Ok(Html(page.render()?).into_response())
        }
        Err(error @ ActionError::UnmetRequirements(_)) => {
            let page = page(&state, &organization, link, token).await?;
            let text = format!(
                "SCIM can’t be enabled yet: {error}. Tell the person who sent you the link. The link \
                stays valid."
            );
            let page = SetUpPage { error: Some(text), ..page };
            Ok((StatusCode::CONFLICT, Html(page.render()?)).into_response())
        }
        // The link was used or revoked at the same moment.
        Err(ActionError::Invalid(_)) => Err(refuse(begun).await),
        Err(error) => Err(error.into()),
    }
}

/// The organization and its link with this secret.
async fn open(
    state: &PageState,
    parts: &mut Parts,
    token: &str,
    begun: Instant,
) -> Result<(Organization, SetupLink), Refusal> {
    let id = organization_id(parts, state).await?;
    let from = state.provisioner.trusted_proxies().source(parts);
    state
        .tries
        .open_link(from)
        .map_err(|seconds| Refusal::new(StatusCode::TOO_MANY_REQUESTS, "Too many tries", wait(seconds)))?;
    if token.is_empty() || token.len() > LONGEST {
        return Err(refuse(begun).await);
    }
    let Some(organization) = state.provisioner.find_organization(&id).await? else {
        return Err(refuse(begun).await);
    };
    let organization = organization.coming_from(source(state, parts));
    match organization.open_setup_link(token).await {
        Ok(link) => {
            state.tries.link_was_right(from);
            Ok((organization, link))
        }
        Err(ActionError::Invalid(_)) => Err(refuse(begun).await),
        Err(error) => Err(error.into()),
    }
}

async fn refuse(begun: Instant) -> Refusal {
    tokio::time::sleep_until(begun + REFUSAL).await;
    let text = "The link was used or revoked, has expired, or is not complete. Ask the person who sent it to you for \
        another one.";
    Refusal::new(StatusCode::NOT_FOUND, "This link is not valid", text)
}

async fn page(
    state: &PageState,
    organization: &Organization,
    link: SetupLink,
    secret: String,
) -> Result<SetUpPage, Refusal> {
    let record = organization.get().await?.unwrap_or_default();
    let mut shell = Shell::outside(state, Some(organization.id()), "Set up your identity provider");
    shell.organization.clone_from(&record.name);
    let by_operator = link.created_by == "operator";
    Ok(SetUpPage {
        shell,
        error: None,
        name: match names::value(&link.identity_provider) {
            "azure" => "Microsoft Entra ID".to_owned(),
            _ => names::name(&link.identity_provider),
        },
        provider: names::value(&link.identity_provider),
        created_by: if by_operator { "The operator of the server".to_owned() } else { link.created_by },
        organization: record.name,
        connector_url: organization.connector_url(),
        link: secret,
        good_until: When::minute(link.expires),
        token: None,
        expires: None,
    })
}
