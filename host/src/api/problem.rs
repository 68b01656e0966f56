//! Refusals as problem details (RFC 9457).

use std::fmt;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api_keys::{ApiKeyError, ApiScope};
use crate::capability::storage::StorageError;
use crate::component::CallError;
use crate::directory::Requirement;
use crate::error::{ActionError, SchemasError};
use crate::hourly::{error_hourly, warn_hourly};
use crate::organization::CreateOrganizationError;
use crate::provisioner::ComponentsError;
use crate::quota::Exceeded;
use crate::registry::{ComponentBookError, QuotaError, RegistryError};
use crate::server::body::BodyError;

/// The media type of a problem.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";
/// The beginning of every `type`.
const TYPE: &str = "urn:insomnia:problem:";

/// The challenge for a request without a suitable key (RFC 6750 §3).
const CHALLENGE: &str = "Bearer realm=\"Insomnia SCIM API\"";

/// The longest text of a problem, in bytes.
const LONGEST: usize = 1_000;

/// The reason why a request was refused. Results contain it, so it is small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem(Box<Details>);

/// The reason why a request was refused (RFC 9457). Nothing has changed unless the `type` says that the outcome is
/// unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Details {
    /// The kind of problem, for programs: `urn:insomnia:problem:` and a name.
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem, for people; the same for every problem of this kind.
    title: &'static str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The error in this request.
    detail: String,
    /// The request's id, as in the `X-Request-Id` header field and in the server's log.
    instance: String,
    /// The unmet requirements for SCIM. Only a problem of the type `unmet-requirements` has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    requirements: Vec<Requirement>,
    /// The scope that the API key lacks. Only a problem of the type `insufficient-scope` has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, example = "members:read")]
    scope: Option<ApiScope>,
    /// The places of the mistakes in the request, if they are known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Mistake>,
    #[serde(skip)]
    extra: Extra,
}

/// A mistake in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Mistake {
    /// A JSON Pointer (RFC 6901) into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) pointer: Option<String>,
    /// A parameter of the path or the query, or a header field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) parameter: Option<String>,
    /// The error at this place.
    pub(super) detail: String,
}

/// The parts that are not in the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Extra {
    retry_after: Option<u32>,
    /// Whether a 401 has a challenge.
    challenge: bool,
    /// The component gave no answer: something may have changed.
    uncertain: bool,
}

impl Problem {
    pub(super) fn new(status: StatusCode, name: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind: format!("{TYPE}{name}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            instance: String::new(),
            requirements: Vec::new(),
            scope: None,
            errors: Vec::new(),
            extra: Extra::default(),
        }))
    }

    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", what)
    }

    pub(super) fn no_organization() -> Self {
        Self::not_found("There is no such organization.")
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request is not understood", detail)
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "A value is not valid", detail)
    }

    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "The request contradicts the present state", detail)
    }

    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    /// The API key lacks this scope.
    pub(super) fn insufficient_scope(scope: ApiScope) -> Self {
        let title = "The API key lacks a scope";
        let detail = format!("This needs an API key with the scope `{scope}`.");
        let mut problem = Self::new(StatusCode::FORBIDDEN, "insufficient-scope", title, detail);
        problem.0.scope = Some(scope);
        problem
    }

    /// The new key would be valid for longer than the key that makes it.
    pub(super) fn expires_later() -> Self {
        let title = "The key would expire later than the one that makes it";
        let detail = "A key can't make one that expires later than itself.";
        Self::new(StatusCode::FORBIDDEN, "later-expiry", title, detail).at("/expires".into(), detail.into())
    }

    /// The request has no key.
    pub(super) fn no_key(detail: impl Into<String>) -> Self {
        Self::challenge("An API key is needed", detail)
    }

    /// The key of the request is not valid.
    pub(super) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::challenge("The API key is not valid", detail)
    }

    fn challenge(title: &'static str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "unauthorized", title, detail);
        problem.0.extra.challenge = true;
        problem
    }

    pub(super) fn throttled(detail: impl Into<String>, seconds: u32) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self::new(status, "throttled", "Too many requests", detail).retry_after(seconds)
    }

    /// The organization has used up a quota.
    pub(super) fn over_quota(exceeded: Exceeded) -> Self {
        let text = exceeded.to_string();
        let detail = text.strip_prefix("the ").map_or(text.clone(), |rest| format!("The {rest}."));
        Self::throttled(detail, exceeded.wait)
    }

    pub(super) fn unavailable() -> Self {
        let detail = "The request can't be served right now, and nothing was changed. Try again in a few seconds.";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, "unavailable", "Unavailable for the moment", detail).retry_after(2)
    }

    pub(super) fn internal() -> Self {
        let detail = "Something went wrong on the server. It was logged under the request's id.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed", detail)
    }

    /// An error in a query parameter, or in the query as a whole.
    pub(super) fn parameter(name: Option<&str>, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut problem = Self::bad_request(detail.clone());
        if let Some(name) = name {
            problem.0.errors.push(Mistake { pointer: None, parameter: Some(name.to_owned()), detail });
        }
        problem
    }

    /// An error in the body.
    #[must_use]
    pub(super) fn at(mut self, pointer: String, detail: String) -> Self {
        self.0.errors.push(Mistake { pointer: Some(pointer), parameter: None, detail });
        self
    }

    /// The value at this place of the body is not valid.
    pub(super) fn value(pointer: &str, error: &impl fmt::Display) -> Self {
        Self::invalid(format!("{error}.")).at(pointer.into(), error.to_string())
    }

    #[must_use]
    pub(super) fn retry_after(mut self, seconds: u32) -> Self {
        self.0.extra.retry_after = Some(seconds.max(1));
        self
    }

    /// An error in the value at this place of the body.
    pub(super) fn at_place(error: ActionError, pointer: &str) -> Self {
        match &error {
            ActionError::Invalid(why) => {
                let why = why.clone();
                Self::from(error).at(pointer.to_owned(), why)
            }
            _ => error.into(),
        }
    }

    /// The component gave no answer: something may have changed.
    pub(super) fn is_uncertain(&self) -> bool {
        self.0.extra.uncertain
    }

    fn uncertain(mut self) -> Self {
        self.0.extra.uncertain = true;
        self.0.kind = format!("{TYPE}outcome-unknown");
        self.0.detail = "The request was stopped before it ended, and may have had an effect. Check the present state \
                       before you send it again."
            .into();
        self
    }

    /// The document, for tests.
    #[cfg(test)]
    pub(super) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(&self.0).unwrap_or_default()
    }

    /// The answer, for the request with this id. Header fields of `response` stay.
    pub(super) fn render(mut self, request_id: &str, response: &mut Response) {
        self.0.instance = request_id.to_owned();
        shorten(&mut self.0.detail);
        for mistake in &mut self.0.errors {
            mistake.pointer.as_mut().map(shorten);
            shorten(&mut mistake.detail);
        }
        let body = serde_json::to_vec(&self.0).unwrap_or_else(|_| b"{}".to_vec());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.remove(header::CONTENT_LENGTH);
        if let Some(seconds) = self.0.extra.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.0.extra.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        // The form is that of RFC 6750 §3.1.
        let lacks = self.0.scope.map(|scope| format!("{CHALLENGE}, error=\"insufficient_scope\", scope=\"{scope}\""));
        if let Some(lacks) = lacks.and_then(|lacks| HeaderValue::try_from(lacks).ok()) {
            headers.insert(header::WWW_AUTHENTICATE, lacks);
        }
        *response.body_mut() = body.into();
    }
}

/// Texts repeat what was sent, so they may be long.
fn shorten(text: &mut String) {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
}

/// The response has no body yet. The frame of the API renders it, since only the frame knows the request's id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Self {
        let text = error.to_string();
        match error {
            ActionError::UnmetRequirements(requirements) => {
                let title = "Requirements for SCIM are not met";
                let mut problem = Self::new(StatusCode::CONFLICT, "unmet-requirements", title, text);
                problem.0.requirements = requirements;
                problem
            }
            ActionError::Forbidden(text) => Self::forbidden(text),
            ActionError::WrongPassphrase => {
                let detail = "The actor's passphrase is wrong.";
                Self::new(StatusCode::FORBIDDEN, "wrong-passphrase", "The passphrase is wrong", detail)
            }
            ActionError::Throttled(seconds) => Self::throttled(text, seconds),
            ActionError::NotFound(text) => Self::not_found(text),
            ActionError::Conflict(text) => Self::conflict(text),
            ActionError::Invalid(text) => Self::invalid(text),
            ActionError::NoFreeSeat => Self::new(StatusCode::CONFLICT, "no-free-seat", "Every seat is taken", text),
            ActionError::NotConfigured(text) => {
                Self::new(StatusCode::CONFLICT, "not-configured", "The server is not configured for this", text)
            }
            ActionError::Unavailable(_) | ActionError::Call(CallError::Busy | CallError::Component) => {
                warn_hourly!("api-waits"; "a request of the API has to wait: {text}");
                Self::unavailable()
            }
            ActionError::Call(CallError::Deadline | CallError::Memory) => {
                warn_hourly!("api-given-up"; "a request of the API was given up: {text}");
                Self::unavailable().uncertain()
            }
            ActionError::Call(CallError::Deleted) => Self::no_organization(),
            ActionError::Call(CallError::Trap) => {
                tracing::error!("a request of the API failed: {text}");
                Self::internal().uncertain()
            }
            ActionError::Other(_) => {
                tracing::error!("a request of the API failed: {text}");
                Self::internal()
            }
        }
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Full(_) => {
                error_hourly!("storage-full"; "a request of the API is refused: {error}");
                let detail = "The server's storage is full: changes are refused until its operator makes room.";
                let status = StatusCode::INSUFFICIENT_STORAGE;
                Self::new(status, "storage-full", "The storage is full", detail).retry_after(300)
            }
            StorageError::Unavailable(_) | StorageError::Conflict(_) => {
                warn_hourly!("api-waits"; "a request of the API has to wait: {error}");
                Self::unavailable()
            }
            error => {
                tracing::error!("a request of the API failed: {error}");
                Self::internal()
            }
        }
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Exists(_) => Self::conflict(format!("{error}.")),
            RegistryError::Reserved(_) => Self::invalid(format!("{error}.")),
            RegistryError::Unknown(_) => Self::no_organization(),
            RegistryError::Storage(error) => error.into(),
            RegistryError::Mail(_) => {
                tracing::error!("{error}");
                Self::unavailable().uncertain()
            }
        }
    }
}

impl From<CreateOrganizationError> for Problem {
    fn from(error: CreateOrganizationError) -> Self {
        match error {
            CreateOrganizationError::Registry(error) => error.into(),
            CreateOrganizationError::Refused(error) => error.into(),
        }
    }
}

impl From<SchemasError> for Problem {
    fn from(error: SchemasError) -> Self {
        match error {
            SchemasError::Invalid { pointer, detail } => {
                Self::invalid(format!("The declaration is not valid: {detail}.")).at(pointer, detail)
            }
            SchemasError::Refused(error) => error.into(),
        }
    }
}

impl From<QuotaError> for Problem {
    fn from(error: QuotaError) -> Self {
        match error {
            QuotaError::Invalid(error) => Self::value("/limit", &error),
            QuotaError::Storage(error) => error.into(),
        }
    }
}

impl From<ComponentBookError> for Problem {
    fn from(error: ComponentBookError) -> Self {
        match error {
            ComponentBookError::TooLarge => BodyError::TooLarge.into(),
            ComponentBookError::TooMany | ComponentBookError::InUse(_) | ComponentBookError::NoFormer => {
                Self::conflict(format!("{error}."))
            }
            ComponentBookError::Unknown(_) => Self::not_found(format!("{error}.")),
            ComponentBookError::Percent => Self::value("/percent", &error),
            ComponentBookError::Storage(error) => error.into(),
        }
    }
}

impl From<ComponentsError> for Problem {
    fn from(error: ComponentsError) -> Self {
        match error {
            ComponentsError::Component(_) | ComponentsError::Examined(_) => Self::invalid(error.to_string()),
            ComponentsError::Busy => Self::unavailable(),
            ComponentsError::Book(error) => error.into(),
        }
    }
}

impl From<ApiKeyError> for Problem {
    fn from(error: ApiKeyError) -> Self {
        match error {
            ApiKeyError::Name => Self::invalid(error.to_string()).at("/name".into(), error.to_string()),
            ApiKeyError::Scopes => Self::invalid(error.to_string()).at("/scopes".into(), error.to_string()),
            ApiKeyError::Expiry => Self::invalid(error.to_string()).at("/expires".into(), error.to_string()),
            ApiKeyError::TooMany => Self::conflict(error.to_string()),
            ApiKeyError::Unknown(_) => Self::not_found(error.to_string()),
            ApiKeyError::Random(_) => {
                tracing::error!("an API key can't be made: {error}");
                Self::internal()
            }
            ApiKeyError::Storage(error) => error.into(),
        }
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large", "The body is too large.")
            }
            BodyError::TooSlow => {
                let detail = "The body did not arrive in time.";
                Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "The body did not arrive", detail)
            }
            BodyError::Busy => Self::unavailable(),
            BodyError::Broken => Self::bad_request("The body is broken."),
        }
    }
}
