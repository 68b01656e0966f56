//! One entry of the log.

use serde::{Deserialize, Serialize};

use super::redaction::{redacted, redacted_query, redacted_text};
use crate::protocol::error::ScimError;
use crate::protocol::message::{Request, Response};
use crate::provisioning::Action;
use crate::sentence::Sentence;
use crate::text::cut;

/// The longest text from a client that an entry stores, in bytes.
const LONGEST: usize = 2_048;

/// The longest text from an unauthenticated caller that an entry stores, in bytes.
const LONGEST_REFUSED: usize = 256;

/// A header field that only the host sets: the name that the host gives the component that it runs. The host removes a
/// field of this name that a client sends.
const COMPONENT: &str = "insomnia-component";

/// Whether the organization knows the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// The caller is authenticated.
    Admitted,
    /// The caller is refused, but has a credential of the organization, such as an expired token.
    Refused,
    /// The caller is refused, and has no credential of the organization.
    #[default]
    Stranger,
}

/// The resource that a request was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// `User`, `Group`, or another resource type.
    pub resource_type: String,
    /// The SCIM `id`; empty if the resource does not exist because it was refused.
    pub id: String,
    /// The name that people see.
    pub name: String,
}

/// The notes for the log that an endpoint makes while it serves a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// The resource that the request was about.
    pub subject: Option<Subject>,
    /// The action.
    pub action: Option<&'static str>,
    /// The reasons: what the match was, and what happened to the seat.
    pub because: Vec<String>,
    /// Whether the body was parsed as JSON.
    pub is_json: bool,
    /// Whether the caller is authenticated.
    pub standing: Standing,
    /// The attributes that the organization's own schemas never return: their names in lower case.
    pub hidden: Vec<String>,
    /// A description of the caller's credential.
    pub caller: Option<String>,
    /// The generation of the caller's connector token, even if the token has expired.
    pub token_generation: Option<u32>,
    /// The error, if the request was refused.
    pub error: Option<ScimError>,
}

impl Note {
    /// Notes the resource that the request is about.
    pub fn subject(&mut self, resource_type: &str, id: &str, name: &str) {
        let (resource_type, id, name) = (resource_type.to_owned(), id.to_owned(), name.to_owned());
        self.subject = Some(Subject { resource_type, id, name });
    }

    /// Notes what was done, and why.
    pub fn action(&mut self, action: Action, because: &[String]) {
        self.action = Some(action.as_str());
        self.because.extend_from_slice(because);
    }
}

/// An entry of the log. Stored as JSON under `log/{time}{request id}`; times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When the request came, since the Unix epoch.
    pub time: u64,
    /// The id of the request, as in the `X-Request-Id` header and in the detail of the error.
    pub request_id: String,
    /// The HTTP method that the client sent.
    pub method: String,
    /// The path with its query that the client sent, relative to the connector URL.
    pub path: String,
    /// The HTTP status of the answer; 0 if the server stopped before it had answered.
    pub status: u16,
    /// The `scimType` of an error.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scim_type: Option<String>,
    /// The detail of an error.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// The time between request and answer.
    pub duration: u64,
    /// The resource that the request was about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<Subject>,
    /// The action: `created`, `adopted`, …
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub action: Option<String>,
    /// The reasons for what was done.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub because: Vec<String>,
    /// The generation of the caller's connector token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token_generation: Option<u32>,
    /// The `User-Agent` that the client sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_agent: Option<String>,
    /// The IP address that the request came from, if the host knows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sender_address: Option<String>,
    /// The request's body, with secrets redacted; cut after 16 KiB. Absent if the caller was not authenticated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub body: Option<String>,
    /// The size of the request's body.
    pub bytes_received: u64,
    /// The size of the answer's body.
    pub bytes_sent: u64,
    /// The version of this component, followed by the host's name for it: `1.0.0 (rules@0123456789ab)`.
    pub component: String,
}

impl Entry {
    /// The entry of a request that came at `time` and has no answer yet. Its status is 0, and it has no body. The log
    /// has this entry if the server stops before [`Entry::answered`].
    #[must_use]
    pub fn begun(request: &Request, note: &Note, time: u64) -> Self {
        let is_admitted = note.standing == Standing::Admitted;
        let longest = if is_admitted { LONGEST } else { LONGEST_REFUSED };
        let query = request.query.as_deref();
        let query = query.map_or(String::new(), |query| format!("?{}", redacted_query(query, &note.hidden)));
        Self {
            time,
            request_id: request.request_id.clone(),
            method: cut(&request.method, longest).to_owned(),
            path: cut(&format!("{}{query}", redacted_text(&request.path)), longest).to_owned(),
            status: 0,
            scim_type: None,
            detail: None,
            duration: 0,
            subject: None,
            action: None,
            because: vec![Sentence::Unanswered.into()],
            token_generation: note.token_generation,
            user_agent: request.header("user-agent").map(redacted_text).map(|text| cut(text, longest).to_owned()),
            sender_address: request.sender_address.as_deref().map(|address| cut(address, LONGEST_REFUSED).to_owned()),
            body: None,
            bytes_received: request.body.len() as u64,
            bytes_sent: 0,
            component: component(request),
        }
    }

    /// The same entry with the answer, which was ready at `end`.
    #[must_use]
    pub fn answered(self, request: &Request, response: &Response, note: Note, end: u64) -> Self {
        let is_admitted = note.standing == Standing::Admitted;
        Self {
            body: if is_admitted { redacted(&request.body, note.is_json, &note.hidden) } else { None },
            status: response.status,
            scim_type: note.error.as_ref().and_then(|error| error.scim_type).map(|kind| kind.as_str().to_owned()),
            detail: note.error.map(|error| shortened(redacted_text(&error.detail))),
            duration: end.saturating_sub(self.time),
            subject: note.subject.map(|subject| Subject { name: shortened(redacted_text(&subject.name)), ..subject }),
            action: note.action.map(str::to_owned),
            because: note.because.iter().map(|reason| redacted_text(reason).to_owned()).collect(),
            bytes_sent: response.body.len() as u64,
            ..self
        }
    }
}

fn component(request: &Request) -> String {
    let version = env!("CARGO_PKG_VERSION");
    match request.header(COMPONENT) {
        Some(called) => format!("{version} ({})", cut(called, LONGEST_REFUSED)),
        None => version.to_owned(),
    }
}

fn shortened(text: &str) -> String {
    cut(text, LONGEST).to_owned()
}
