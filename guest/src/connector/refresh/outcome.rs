//! The result of a call to an identity provider's API.

use serde_json::Value;

use crate::capability::{HttpClient, HttpError, HttpRequest, HttpResponse};
use crate::retry_after::retry_after;
use crate::store::Trouble;
use crate::text;

/// How long a call may take, in milliseconds.
const TIMEOUT: u32 = 10_000;
/// The longest error code that is shown. A secret that the provider echoes is longer.
const LONGEST_CODE: usize = 32;

/// The reason why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The kind of the problem, such as one that passes by itself.
    pub(super) trouble: Trouble,
    /// A text for administrators. It never quotes the provider's answer, except a short error code.
    pub(super) text: String,
    /// How long the provider asks to wait, in milliseconds.
    pub(super) retry_after: Option<u64>,
}

impl Failure {
    /// A failure that an administrator must correct.
    pub(super) fn attention(text: impl Into<String>) -> Self {
        Self { trouble: Trouble::Attention, text: text.into(), retry_after: None }
    }

    fn passing(text: String) -> Self {
        Self { trouble: Trouble::Passing, text, retry_after: None }
    }
}

/// Calls an API; `who` names it in the text of a failure.
pub(super) fn call(http: &dyn HttpClient, who: &str, request: HttpRequest, now: u64) -> Result<HttpResponse, Failure> {
    let request = HttpRequest { timeout_milliseconds: Some(TIMEOUT), ..request };
    let response = http.send(&request).map_err(|error| match error {
        HttpError::NotConfigured => Failure::attention("The host has no HTTP client."),
        HttpError::NotAllowed(_) => Failure::attention(format!("The host does not allow connections to {who}.")),
        HttpError::Invalid(_) => Failure::attention(format!("The URL of {who} is not valid.")),
        HttpError::Timeout => Failure::passing(format!("{who} did not answer in time.")),
        HttpError::TooLarge => Failure::passing(format!("The answer of {who} is too large.")),
        HttpError::Unreachable(_) | HttpError::Other(_) => Failure::passing(format!("{who} can't be reached.")),
    })?;
    if (200..300).contains(&response.status) {
        return Ok(response);
    }
    let code = code(&response.body).map(|code| format!(" ({code})")).unwrap_or_default();
    let text = |what: &str| format!("{who} answered {}{code}: {what}", response.status);
    Err(match response.status {
        408 | 425 | 500.. => Failure {
            retry_after: asked_wait(&response, now),
            ..Failure::passing(text("an error on its side, which is tried again."))
        },
        429 => Failure {
            retry_after: asked_wait(&response, now),
            ..Failure::passing(text("too many requests, which is tried again."))
        },
        401 | 403 => Failure::attention(text("the credentials are not accepted, or do not allow this.")),
        404 => Failure::attention(text(
            "the configured object does not exist, or the application does not support \
            this.",
        )),
        _ => Failure::attention(text("the request is not accepted.")),
    })
}

/// The short error code in the answers of Microsoft (`error`, `error.code`) and Okta (`errorCode`, `error`).
fn code(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let code = body.pointer("/error/code").or_else(|| body.get("errorCode")).or_else(|| body.get("error"))?.as_str()?;
    let plain = code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    (plain && !code.is_empty() && code.len() <= LONGEST_CODE).then(|| code.to_owned())
}

/// How long the response asks to wait, in milliseconds. It says so in `Retry-After`, or in Okta's `X-Rate-Limit-Reset`,
/// which is a time in seconds since the Unix epoch.
fn asked_wait(response: &HttpResponse, now: u64) -> Option<u64> {
    let header = |name: &str| response.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    if header("retry-after").is_some() {
        return retry_after(response, now);
    }
    let reset = header("x-rate-limit-reset")?.1.trim().parse::<u64>().ok()?.checked_mul(1_000)?;
    Some(reset.saturating_sub(now))
}

/// Gets an access token by client credentials (RFC 6749 §4.4); `who` names the API in the text of a failure.
pub(super) fn access_token(
    http: &dyn HttpClient,
    who: &str,
    url: String,
    form: &[(&str, &str)],
    now: u64,
) -> Result<String, Failure> {
    let request = HttpRequest {
        method: "POST".into(),
        url,
        headers: vec![
            ("content-type".into(), "application/x-www-form-urlencoded".into()),
            ("accept".into(), "application/json".into()),
        ],
        body: text::form(form).into_bytes(),
        timeout_milliseconds: None,
    };
    let response = call(http, who, request, now)?;
    let missing = || Failure::attention(format!("{who} gave no access token."));
    member(&response.body, "access_token").filter(|token| !token.is_empty()).ok_or_else(missing)
}

/// The string in a JSON body that has this name.
pub(super) fn member(body: &[u8], name: &str) -> Option<String> {
    serde_json::from_slice::<Value>(body).ok()?.get(name)?.as_str().map(str::to_owned)
}
