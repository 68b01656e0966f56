//! Links for a person who administers the identity provider, but is no owner: the view makes, lists and revokes them.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::connector::{chosen_rule, only_verified};
use super::form::{Fields, Posted};
use super::identity_provider::{self as names, PROVIDERS, WINDOWS};
use super::proof::{Proof, Unproven, with_passphrase};
use super::query::Query;
use super::refusal::Refusal;
use super::shell::Shell;
use super::step_up::StepUpQuestion;
use super::visit::Visit;
use super::when::When;
use super::words::sentence;
use crate::connector::{DEFAULT_EXPIRY, NewSetupLink, SetupLink};
use crate::error::ActionError;
use crate::organization::DomainRule;

/// How long a link may be valid: seconds, name.
const TIMES: [(&str, &str); 4] = [("3600", "1 hour"), ("86400", "1 day"), ("259200", "3 days"), ("604800", "7 days")];
/// How long a link is valid by default, in seconds.
const DEFAULT_TIME: &str = "86400";

#[derive(Template)]
#[template(path = "setup_links.html")]
struct LinksPage {
    shell: Shell,
    error: Option<String>,
    /// The proof that the form asks for; `None` if there is no form, because a link was just made or the backend can't
    /// be asked now.
    question: Option<StepUpQuestion>,
    notice: Option<&'static str>,
    /// The URL of the new link.
    made: Option<String>,
    enabled: bool,
    links: Vec<Row>,
    provider: String,
    other: String,
    window: String,
    seconds: String,
    domain_rule: DomainRule,
}

/// A link in the list.
struct Row {
    id: String,
    provider: String,
    created_by: String,
    created: When,
    good: bool,
    tone: &'static str,
    state: &'static str,
    end: &'static str,
    end_time: When,
}

impl Row {
    fn new(link: SetupLink, now: u64) -> Self {
        let (state, tone, end, time) = match (link.used, link.revoked) {
            (Some(used), _) => ("Used", "off", "Token shown", used),
            (None, Some(revoked)) => ("Revoked", "off", "Revoked", revoked),
            (None, None) if link.expires <= now => ("Expired", "off", "It expired", link.expires),
            (None, None) => ("Valid", "good", "Valid until", link.expires),
        };
        Self {
            id: link.id,
            provider: names::name(&link.identity_provider),
            created_by: link.created_by,
            created: When::minute(link.created),
            good: state == "Valid",
            tone,
            state,
            end,
            end_time: When::minute(time),
        }
    }
}

/// The query.
#[derive(Deserialize)]
pub(super) struct LinksQuery {
    idp: Option<String>,
    done: Option<String>,
}

/// `GET …/setup-links`.
pub(super) async fn show(Query(wanted): Query<LinksQuery>, visit: Visit) -> Result<Html<String>, Refusal> {
    let mut page = with_form(&visit).await?;
    if let Some((value, ..)) = wanted.idp.and_then(|idp| PROVIDERS.iter().find(|(known, ..)| *known == idp)) {
        (*value).clone_into(&mut page.provider);
    }
    page.notice = (wanted.done.as_deref() == Some("revoked")).then_some("The link is revoked and no longer works.");
    Ok(Html(page.render()?))
}

/// The warning if a link was made and the rule for domains could not be set.
const DOMAINS_UNDECIDED: &str = "The link was made, but the rule for domains could not be changed. Change it before \
    you pass the link on, or users of every domain may be provisioned.";

/// `POST …/setup-links`: makes a link, or revokes one.
pub(super) async fn change(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    if fields.raw("action") == "revoke" {
        return match visit.organization.revoke_setup_link(&visit.member.id, fields.raw("link")).await {
            Ok(()) => Ok(Redirect::to(&format!("{}?done=revoked", visit.path("setup-links"))).into_response()),
            // The link was used or revoked, or has expired, as the list now shows.
            Err(ActionError::NotFound(_)) => Ok(Redirect::to(&visit.path("setup-links")).into_response()),
            Err(error) => Err(error.into()),
        };
    }
    let provider = match names::chosen(fields.raw("provider"), fields.typed("other")) {
        Ok(provider) => provider,
        Err(error) => return again(&visit, &fields, StatusCode::UNPROCESSABLE_ENTITY, error.into()).await,
    };
    let seconds =
        TIMES.iter().find(|(known, _)| *known == fields.raw("seconds")).and_then(|(known, _)| known.parse().ok());
    let (Some(window), Some(valid_seconds)) = (names::window(fields.raw("window")), seconds) else {
        let text = "Choose when the token expires, and how long the link is valid.";
        return again(&visit, &fields, StatusCode::UNPROCESSABLE_ENTITY, text.into()).await;
    };
    // Everything that may fail is read first, because the URL of the new link is shown only once.
    let (was_enabled, before) = (visit.organization.status().await?.enabled, page(&visit).await?);
    let new = NewSetupLink { identity_provider: provider, window: Some(window), valid_seconds };
    let (organization, actor) = (&visit.organization, &visit.member.id);
    let made = match visit.proof("setup-links", "create", &fields).await? {
        Ok(Proof::Passphrase(given)) => with_passphrase(organization.create_setup_link(actor, given, new).await),
        Ok(Proof::Verified(proven)) => proven.act(organization.create_setup_link_verified(actor, new)).await.map(Ok),
        Err(unproven) => Ok(Err(unproven)),
    };
    let (status, error) = match made {
        Ok(Ok(issued)) => {
            let mut error = None;
            // The rule for domains is chosen here, because the link enables SCIM.
            if !was_enabled && let Err(failed) = visit.organization.decide_domains(only_verified(&fields)).await {
                tracing::warn!("who may be provisioned could not be changed: {failed}");
                error = Some(DOMAINS_UNDECIDED.to_owned());
            }
            let url = visit.organization.setup_link_url(&issued.token);
            let shown = page(&visit).await.unwrap_or(before);
            let page = LinksPage { made: Some(url), error, ..shown };
            return Ok(Html(page.render()?).into_response());
        }
        Ok(Err(Unproven { status, why })) => (status, format!("{why} No link was made.")),
        Err(ActionError::Invalid(text)) => (StatusCode::UNPROCESSABLE_ENTITY, sentence(&text)),
        Err(error) => return Err(error.into()),
    };
    again(&visit, &fields, status, error).await
}

/// The links and the form.
async fn with_form(visit: &Visit) -> Result<LinksPage, Refusal> {
    let question = visit.question_if_any("setup-links", "create").await;
    Ok(LinksPage { question, ..page(visit).await? })
}

/// The links without the form.
async fn page(visit: &Visit) -> Result<LinksPage, Refusal> {
    let status = visit.organization.status().await?;
    let now = visit.state.now();
    let links = visit.organization.setup_links().await?.into_iter().map(|link| Row::new(link, now)).collect();
    let confirmed = status.identity_provider.as_ref().map(names::value);
    let provider = confirmed.unwrap_or_else(|| names::guess(visit.record.single_sign_on.as_deref()));
    Ok(LinksPage {
        shell: visit.shell("Set-up links", "setup"),
        error: None,
        question: None,
        notice: None,
        made: None,
        enabled: status.enabled,
        links,
        provider: provider.to_owned(),
        other: visit.record.single_sign_on.clone().filter(|_| provider == "other").unwrap_or_default(),
        window: status.window.unwrap_or(DEFAULT_EXPIRY).name().to_owned(),
        seconds: DEFAULT_TIME.to_owned(),
        domain_rule: DomainRule::from(&visit.record),
    })
}

/// The form again as it was filled in, with the error.
async fn again(visit: &Visit, fields: &Fields, status: StatusCode, error: String) -> Result<Response, Refusal> {
    let page = LinksPage {
        error: Some(error),
        provider: fields.raw("provider").to_owned(),
        other: fields.raw("other").to_owned(),
        window: fields.raw("window").to_owned(),
        seconds: fields.raw("seconds").to_owned(),
        domain_rule: chosen_rule(visit, fields),
        ..with_form(visit).await?
    };
    Ok((status, Html(page.render()?)).into_response())
}
