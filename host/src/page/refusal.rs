//! Refusals: the reasons why a view is not shown, and the page that reports them.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::session::SessionError;
use super::shell::Shell;
use crate::capability::storage::StorageError;
use crate::component::CallError;
use crate::error::ActionError;
use crate::hourly::{error_hourly, warn_hourly};

/// The reason why a view is not shown.
pub(super) enum Refusal {
    /// Redirects to a path of this site: to the sign-in, or to a view that makes sense.
    Elsewhere(String),
    /// Shows a page of its own.
    Message(Box<Message>),
}

/// The content of a refusal's page. The middleware [`super::security_headers`] renders it, because it always knows the
/// organization.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) status: StatusCode,
    pub(super) title: &'static str,
    pub(super) text: String,
    /// The token for the form to sign out, if somebody is signed in.
    pub(super) csrf: Option<String>,
    pub(super) retry_after: Option<u32>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, title: &'static str, text: impl Into<String>) -> Self {
        Self::Message(Box::new(Message { status, title, text: text.into(), csrf: None, retry_after: None }))
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found", format!("There is no such {what}."))
    }

    pub(super) fn not_an_owner(csrf: String) -> Self {
        let text = "You are signed in, and your passphrase works in Insomnia. Only the owner and co-owners of the \
                    organization can see and change its SCIM settings: ask one of them, or sign in as one of them.";
        Self::new(StatusCode::FORBIDDEN, "Only for owners and co-owners", text).with_session(csrf)
    }

    pub(super) fn with_session(mut self, token: String) -> Self {
        if let Self::Message(message) = &mut self {
            message.csrf = Some(token);
        }
        self
    }

    fn try_again(seconds: u32) -> Self {
        let mut message = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Busy for the moment",
            "The page can't be shown right now, and nothing was changed. Try again in a few seconds.",
        );
        if let Self::Message(message) = &mut message {
            message.retry_after = Some(seconds);
        }
        message
    }

    fn failed() -> Self {
        let text = "Something went wrong on our side. It was logged. Try again, and tell the operator of this server \
            if it happens again.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "This did not work", text)
    }
}

impl From<ActionError> for Refusal {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::NotFound(_) => Self::not_found("member or team"),
            ActionError::Forbidden(text) => Self::new(StatusCode::FORBIDDEN, "Not allowed", text),
            ActionError::Call(CallError::Deleted) => Self::not_found("organization"),
            ActionError::Unavailable(_)
            | ActionError::Call(CallError::Busy | CallError::Deadline | CallError::Component) => {
                warn_hourly!("page-waits"; "the SCIM page has to wait: {error}");
                Self::try_again(2)
            }
            ActionError::Conflict(_) | ActionError::Invalid(_) | ActionError::UnmetRequirements(_) => {
                Self::new(StatusCode::CONFLICT, "This can't be done now", format!("Nothing was changed: {error}."))
            }
            other => {
                tracing::error!("the SCIM page failed: {other}");
                Self::failed()
            }
        }
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        tracing::error!("{error}");
        Self::try_again(2)
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        error_hourly!("page-looks-up"; "the SCIM page can't look up the organization: {error}");
        Self::try_again(2)
    }
}

impl From<askama::Error> for Refusal {
    fn from(error: askama::Error) -> Self {
        tracing::error!("a view can't be rendered: {error}");
        Self::failed()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Elsewhere(path) => Redirect::to(&path).into_response(),
            Self::Message(message) => {
                let mut response = message.status.into_response();
                response.extensions_mut().insert(*message);
                response
            }
        }
    }
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage {
    shell: Shell,
    text: String,
}

/// The page of a refusal. If it can't be rendered, the answer is the plain text.
pub(super) fn render(message: Message, mut shell: Shell) -> Response {
    shell.title = message.title.to_owned();
    shell.csrf = message.csrf.unwrap_or_default();
    let text = message.text;
    let mut response = match (RefusalPage { shell, text: text.clone() }).render() {
        Ok(page) => (message.status, Html(page)).into_response(),
        Err(_) => (message.status, text).into_response(),
    };
    if let Some(seconds) = message.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
