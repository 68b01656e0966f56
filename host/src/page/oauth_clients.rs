//! OAuth 2.0 clients: the view registers them, gives them new secrets, and deletes them.

use askama::Template;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::confirm::{new_secret_again, new_secret_view};
use super::form::{Fields, Posted};
use super::refusal::Refusal;
use super::rotation::{again, unproven_again};
use super::shell::Shell;
use super::visit::Visit;
use super::when::When;
use crate::oauth::{ClientAssertion, IssuedOAuthClient, NewOAuthClient, OAuthClient, SecretWindow};

#[derive(Template)]
#[template(path = "oauth_client.html")]
struct ClientPage {
    shell: Shell,
    client: OAuthClient,
    secret: String,
    issuer: String,
    secret_expires: Option<When>,
    overlap_until: Option<When>,
}

/// `POST …/clients`: registers a client, gives it another secret, or deletes it.
pub(super) async fn change(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    let (organization, actor, id) = (&visit.organization, &visit.member.id, fields.raw("client"));
    let issued = match fields.raw("action") {
        "create" => match visit.proven("automatic", "create", &fields).await? {
            Ok(proven) => proven.act(organization.create_oauth_client(actor, new_client(&fields))).await,
            Err(unproven) => return unproven_again(&visit, &fields, unproven).await,
        },
        "rotate" => match visit.proven(&new_secret_view(id), "rotate", &fields).await? {
            Ok(proven) => {
                let overlap = fields.raw("overlap").parse::<u32>().unwrap_or(0);
                proven.act(organization.rotate_oauth_client_secret(actor, id, None, overlap)).await
            }
            Err(unproven) => return new_secret_again(&visit, &fields, unproven).await,
        },
        "delete" => match organization.delete_oauth_client(actor, id).await {
            Ok(()) => return Ok(Redirect::to(&visit.path("automatic?done=client-deleted")).into_response()),
            Err(error) => Err(error),
        },
        _ => return Err(Refusal::not_found("action")),
    };
    match issued {
        Ok(issued) => show_client(&visit, issued),
        Err(error) => again(&visit, &fields, error).await,
    }
}

/// The only view that shows a client's secret. It is the answer to the form itself.
fn show_client(visit: &Visit, issued: IssuedOAuthClient) -> Result<Response, Refusal> {
    let page = ClientPage {
        shell: visit.shell("OAuth client", "automatic"),
        overlap_until: issued.client.overlap_until.filter(|until| *until > visit.state.now()).map(When::minute),
        secret_expires: issued.client.secret_expires.map(When::minute),
        client: issued.client,
        secret: issued.secret.unwrap_or_default(),
        issuer: visit.organization.oauth_issuer(),
    };
    Ok(Html(page.render()?).into_response())
}

fn new_client(fields: &Fields) -> NewOAuthClient {
    let text = |name: &str| fields.typed(name).map(str::to_owned);
    let code = fields.raw("grant") == "code";
    let addresses = if code { fields.raw("redirects") } else { "" };
    let assertion = (fields.raw("grant") == "assertion").then(|| ClientAssertion {
        issuer: text("issuer"),
        subject: text("subject"),
        audience: text("audience"),
        jwks_url: text("jwks-url").unwrap_or_default(),
    });
    NewOAuthClient {
        name: text("name").unwrap_or_default(),
        client_credentials: !code,
        authorization_code: code,
        redirect_uris: addresses.split_whitespace().map(str::to_owned).collect(),
        public: false,
        assertion,
        secret_window: fields.raw("expires").parse::<SecretWindow>().unwrap_or_default(),
        access_token_minutes: fields.raw("minutes").parse::<u32>().ok(),
    }
}
