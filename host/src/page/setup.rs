//! Instructions for the identity provider, in its own words, with this connector's values.

use askama::Template;
use axum::response::Html;
use serde::Deserialize;

use super::identity_provider::{self as names, PROVIDERS};
use super::query::Query;
use super::refusal::Refusal;
use super::shell::Shell;
use super::visit::Visit;

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    shell: Shell,
    enabled: bool,
    connector_url: String,
    provider: &'static str,
    /// The providers to choose from: value, name, and whether its steps are shown.
    providers: Vec<(&'static str, &'static str, bool)>,
    /// The connector's provider, if another one's steps are shown.
    confirmed: Option<String>,
}

/// The query.
#[derive(Deserialize)]
pub(super) struct SetupQuery {
    idp: Option<String>,
}

/// `GET …/setup`.
pub(super) async fn show(Query(wanted): Query<SetupQuery>, visit: Visit) -> Result<Html<String>, Refusal> {
    let status = visit.organization.status().await?;
    let confirmed = status.identity_provider.as_ref();
    let asked = wanted.idp.and_then(|value| PROVIDERS.iter().find(|(known, ..)| *known == value));
    let provider = match (asked, confirmed, names::guess(visit.record.single_sign_on.as_deref())) {
        (Some((value, ..)), ..) => value,
        (None, Some(provider), _) => names::value(provider),
        (None, None, "") => "okta",
        (None, None, guess) => guess,
    };
    let page = SetupPage {
        shell: visit.shell("Set up", "setup"),
        enabled: status.enabled,
        connector_url: visit.organization.connector_url(),
        provider,
        providers: PROVIDERS.iter().map(|(value, name, _)| (*value, *name, *value == provider)).collect(),
        confirmed: confirmed.filter(|known| names::value(known) != provider).map(names::name),
    };
    Ok(Html(page.render()?))
}
