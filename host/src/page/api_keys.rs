//! Keys of the admin API: the view makes, lists and revokes them. Only an owner can make one, because a key acts for
//! the owner; the owner proves it, because a key stays valid after the session.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::form::{Fields, Posted};
use super::identity_provider::{self as names, WINDOWS};
use super::proof::Unproven;
use super::query::Query;
use super::refusal::Refusal;
use super::shell::Shell;
use super::step_up::StepUpQuestion;
use super::visit::Visit;
use super::when::When;
use super::words::sentence;
use crate::api_keys::{
    ApiAccess, ApiKey, ApiKeyError, ApiKeyHolder, ApiKeyStatus, ApiResource, ApiScope, IssuedApiKey, NewApiKey,
};
use crate::directory::Role;
use crate::error::ActionError;

/// The amounts that a key may be allowed: the value in forms, and the name.
const AMOUNTS: [(&str, &str); 3] =
    [("everything", "Everything"), ("read", "Read everything"), ("chosen", "Only the permissions chosen below")];
/// A day, in milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1_000;
/// How long a key is valid by default.
const DEFAULT_WINDOW: &str = "1y";

#[derive(Template)]
#[template(path = "api_keys.html")]
struct KeysPage {
    shell: Shell,
    error: Option<String>,
    /// The proof that the form asks for; `None` if there is no form, because the visitor may not make a key or the
    /// backend can't be asked now.
    question: Option<StepUpQuestion>,
    notice: Option<&'static str>,
    /// Whether the visitor may make a key.
    may_make: bool,
    /// A key that was just made.
    made: Option<String>,
    keys: Vec<Row>,
    name: String,
    amount: String,
    choices: Vec<Choice>,
    window: String,
}

/// A resource, and the access to it that is chosen for a key.
struct Choice {
    resource: ApiResource,
    chosen: Option<ApiAccess>,
}

impl Choice {
    /// All resources of an organization, with the chosen access.
    fn all(chosen: impl Fn(ApiResource) -> Option<ApiAccess>) -> Vec<Self> {
        let of_organizations =
            |resource: &&ApiResource| !matches!(resource, ApiResource::All | ApiResource::Components);
        let resources = ApiResource::ALL.iter().filter(of_organizations);
        resources.map(|resource| Self { resource: *resource, chosen: chosen(*resource) }).collect()
    }

    fn is(&self, access: ApiAccess) -> bool {
        self.chosen == Some(access)
    }
}

/// A key in the list.
struct Row {
    id: String,
    name: String,
    scopes: String,
    created: When,
    last_used: Option<When>,
    valid: bool,
    tone: &'static str,
    state: &'static str,
    /// The way in which the key ended or will end, and the time.
    end: Option<(&'static str, When)>,
}

impl Row {
    fn new(key: ApiKey) -> Self {
        let (state, tone, end) = match key.status {
            ApiKeyStatus::Valid => ("Valid", "good", key.expires.map(|time| ("Expires", time))),
            ApiKeyStatus::Expired => ("Expired", "off", key.expires.map(|time| ("Expired", time))),
            ApiKeyStatus::Revoked => ("Revoked", "off", key.revoked.map(|time| ("Revoked", time))),
        };
        Self {
            id: key.id,
            name: key.name,
            scopes: words(&key.scopes),
            created: When::minute(key.created),
            last_used: key.last_used.map(When::minute),
            valid: key.status == ApiKeyStatus::Valid,
            tone,
            state,
            end: end.map(|(name, time)| (name, When::minute(time))),
        }
    }
}

/// A description of the key's rights.
fn words(scopes: &[ApiScope]) -> String {
    let word = |scope: &ApiScope| match (scope.resource, scope.access) {
        (ApiResource::All, ApiAccess::Write) => "everything".to_owned(),
        (ApiResource::All, ApiAccess::Read) => "read everything".to_owned(),
        (resource, ApiAccess::Write) => format!("change {}", resource.title()),
        (resource, ApiAccess::Read) => format!("read {}", resource.title()),
    };
    if scopes.is_empty() {
        return "Nothing.".to_owned();
    }
    sentence(&scopes.iter().map(word).collect::<Vec<_>>().join(", "))
}

/// The query.
#[derive(Deserialize)]
pub(super) struct KeysQuery {
    done: Option<String>,
}

/// `GET …/api-keys`.
pub(super) async fn show(Query(wanted): Query<KeysQuery>, visit: Visit) -> Result<Html<String>, Refusal> {
    let notice = (wanted.done.as_deref() == Some("revoked")).then_some("The key is revoked and no longer works.");
    Ok(Html(KeysPage { notice, ..with_form(&visit).await? }.render()?))
}

/// `POST …/api-keys`: makes a key, or revokes one.
pub(super) async fn change(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    let (keys, holder) = (visit.state.provisioner.api_keys(), holder(&visit));
    if fields.raw("action") == "revoke" {
        return match keys.revoke(&holder, fields.raw("key")).await {
            Ok(revoked) => {
                visit.organization.record_api_key("api-key.revoke", &revoked).await;
                Ok(Redirect::to(&format!("{}?done=revoked", visit.path("api-keys"))).into_response())
            }
            Err(error) => Err(refusal(error)),
        };
    }
    if visit.member.role != Role::Owner {
        let text = "A key acts for the owner, so only an owner can make one.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "Not allowed", text));
    }
    let scopes = scopes(&fields);
    let Some(window) = names::window(fields.raw("window")).filter(|_| !scopes.is_empty()) else {
        let text = "Choose the key’s permissions, and when it expires.";
        return again(&visit, &fields, StatusCode::UNPROCESSABLE_ENTITY, text.into()).await;
    };
    let expires = window.days().map(|days| visit.state.now() + u64::from(days) * DAY);
    let new = NewApiKey { name: fields.raw("name").to_owned(), scopes, expires };
    if let Err(error) = keys.check(&holder, &new).await {
        return not_made(&visit, &fields, error).await;
    }
    // Everything that may fail is read first, because the new key is shown only once.
    let before = page(&visit).await?;
    match visit.proven("api-keys", "create", &fields).await? {
        Ok(proven) => match proven.act(keys.create(&holder, new)).await {
            Ok(IssuedApiKey { key, secret }) => {
                visit.organization.record_api_key("api-key.create", &key).await;
                let page = KeysPage { made: Some(secret), ..before };
                Ok(Html(page.render()?).into_response())
            }
            Err(error) => not_made(&visit, &fields, error).await,
        },
        Err(Unproven { status, why }) => again(&visit, &fields, status, format!("{why} No key was made.")).await,
    }
}

/// The form again if its sender can correct the error, else a refusal.
async fn not_made(visit: &Visit, fields: &Fields, error: ApiKeyError) -> Result<Response, Refusal> {
    match error {
        ApiKeyError::Name | ApiKeyError::TooMany => {
            again(visit, fields, StatusCode::UNPROCESSABLE_ENTITY, sentence(&error.to_string())).await
        }
        error => Err(refusal(error)),
    }
}

/// Refuses a key of another organization: the view only shows keys of its own.
pub(super) fn holder(visit: &Visit) -> ApiKeyHolder {
    ApiKeyHolder::Organization(visit.organization.id().clone())
}

fn refusal(error: ApiKeyError) -> Refusal {
    match error {
        ApiKeyError::Unknown(_) => Refusal::not_found("API key"),
        ApiKeyError::Storage(error) => error.into(),
        error => ActionError::Other(error.to_string()).into(),
    }
}

/// The access to a resource that the form chooses.
fn chosen(fields: &Fields, resource: ApiResource) -> Option<ApiAccess> {
    match fields.raw(resource.name()) {
        "read" => Some(ApiAccess::Read),
        "write" => Some(ApiAccess::Write),
        _ => None,
    }
}

/// The scopes that the form chooses; none if it chooses nothing.
fn scopes(fields: &Fields) -> Vec<ApiScope> {
    match fields.raw("amount") {
        "everything" => vec![ApiScope::EVERYTHING],
        "read" => vec![ApiScope::read(ApiResource::All)],
        "chosen" => {
            let scope = |choice: Choice| Some(ApiScope { resource: choice.resource, access: choice.chosen? });
            Choice::all(|resource| chosen(fields, resource)).into_iter().filter_map(scope).collect()
        }
        _ => Vec::new(),
    }
}

/// The keys, and the form if the visitor may send it.
async fn with_form(visit: &Visit) -> Result<KeysPage, Refusal> {
    let mut page = page(visit).await?;
    if page.may_make {
        page.question = visit.question_if_any("api-keys", "create").await;
    }
    Ok(page)
}

/// The keys without the form.
async fn page(visit: &Visit) -> Result<KeysPage, Refusal> {
    let keys = visit.state.provisioner.api_keys().list(&holder(visit)).await?;
    Ok(KeysPage {
        shell: visit.shell("API keys", "settings"),
        error: None,
        question: None,
        notice: None,
        may_make: visit.member.role == Role::Owner,
        made: None,
        // The newest keys come first, since people look for those.
        keys: keys.into_iter().rev().map(Row::new).collect(),
        name: String::new(),
        amount: "everything".to_owned(),
        choices: Choice::all(|_| None),
        window: DEFAULT_WINDOW.to_owned(),
    })
}

/// The form again as it was filled in, with the error.
async fn again(visit: &Visit, fields: &Fields, status: StatusCode, error: String) -> Result<Response, Refusal> {
    let page = KeysPage {
        error: Some(error),
        name: fields.raw("name").to_owned(),
        amount: fields.raw("amount").to_owned(),
        choices: Choice::all(|resource| chosen(fields, resource)),
        window: fields.raw("window").to_owned(),
        ..with_form(visit).await?
    };
    Ok((status, Html(page.render()?)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_told_in_words() {
        let told = |scopes: &[&str]| words(&scopes.iter().map(|scope| scope.parse().unwrap()).collect::<Vec<_>>());
        assert_eq!(told(&["all:write"]), "Everything.");
        assert_eq!(told(&["all:read", "oauth-clients:write"]), "Read everything, change OAuth clients.");
        assert_eq!(told(&["members:read"]), "Read Members.");
        assert_eq!(told(&[]), "Nothing.");
    }
}
