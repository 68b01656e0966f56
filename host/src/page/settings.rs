//! Settings of the organization: the retention of its log, and its declared schemas.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value;

use super::form::Posted;
use super::query::Query;
use super::refusal::Refusal;
use super::shell::Shell;
use super::visit::Visit;
use super::words::sentence;
use crate::error::{ActionError, SchemasError};

/// The largest form with a declaration, in bytes: a form encodes many characters as three.
pub(super) const MAX_DECLARATION: usize = 2 << 20;

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    shell: Shell,
    error: Option<String>,
    notice: Option<&'static str>,
    days: String,
    declaration: String,
}

/// The query.
#[derive(Deserialize)]
pub(super) struct SettingsQuery {
    done: Option<String>,
}

/// `GET …/settings`.
pub(super) async fn show(Query(wanted): Query<SettingsQuery>, visit: Visit) -> Result<Html<String>, Refusal> {
    let notice = match wanted.done.as_deref() {
        Some("retention") => Some("The retention is changed."),
        Some("schemas") => Some("The declaration is changed."),
        _ => None,
    };
    Ok(Html(page(&visit, notice, None, None, None).await?))
}

/// The view, with the typed text if it was refused.
async fn page(
    visit: &Visit,
    notice: Option<&'static str>,
    error: Option<String>,
    days: Option<&str>,
    declaration: Option<&str>,
) -> Result<String, Refusal> {
    let days = match days {
        Some(days) => days.to_owned(),
        None => visit.organization.retention().await?.to_string(),
    };
    let declaration = match declaration {
        Some(declaration) => declaration.to_owned(),
        None => readable(&visit.organization.schemas().await?),
    };
    Ok(SettingsPage { shell: visit.shell("Settings", "settings"), error, notice, days, declaration }.render()?)
}

/// The JSON text with one member in each line.
fn readable(json: &str) -> String {
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    format!("{value:#}")
}

/// `POST …/settings/retention`.
pub(super) async fn retention(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    let typed = fields.raw("days").trim();
    // A text that is no number is refused like a number that is too large.
    let days = typed.parse().unwrap_or(u32::MAX);
    let error = match visit.organization.set_retention(days).await {
        Ok(()) => return Ok(Redirect::to(&visit.path("settings?done=retention")).into_response()),
        Err(ActionError::Invalid(text)) => sentence(&text),
        Err(error) => return Err(error.into()),
    };
    let page = page(&visit, None, Some(error), Some(typed), None).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response())
}

/// `POST …/settings/schemas`: declares the typed schemas, or nothing.
pub(super) async fn schemas(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    let typed = fields.raw("declaration");
    let done = match fields.raw("action") {
        "remove" => visit.organization.remove_schemas().await,
        _ => visit.organization.put_schemas(typed.to_owned()).await,
    };
    let error = match done {
        Ok(()) => return Ok(Redirect::to(&visit.path("settings?done=schemas")).into_response()),
        Err(SchemasError::Invalid { pointer, detail }) if pointer.is_empty() => sentence(&detail),
        Err(SchemasError::Invalid { pointer, detail }) => format!("{} This is at {pointer}.", sentence(&detail)),
        Err(SchemasError::Refused(error)) => return Err(error.into()),
    };
    let page = page(&visit, None, Some(error), None, Some(typed)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response())
}
