//! One entry of the log.

use serde::{Deserialize, Serialize};

use super::redaction::{redacted, redacted_query, redacted_text};
use crate::protocol::error::ScimError;
use crate::protocol::message::{Request, Response};
use crate::provisioning::Action;
use crate::sentence::Sentence;
use crate::text::cut;

/// The longest text that an entry keeps of anything a client sent, in bytes.
const LONGEST: usize = 2_048;

/// The longest text that an entry keeps of anything that was sent by a caller who is not let in, in bytes.
const LONGEST_REFUSED: usize = 256;

/// The host's own header field: what it calls the component that it runs. The host passes no field of this name on from a
/// client.
const COMPONENT: &str = "insomnia-component";

/// What the caller is to the organization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Let in.
    Admitted,
    /// Not let in, with a credential of the organization, such as an expired token.
    Refused,
    /// Not let in, and nobody whom the organization knows.
    #[default]
    Stranger,
}

/// Whom a request concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// `User`, `Group`, or another resource type.
    pub resource_type: String,
    /// The SCIM `id`; empty if there is no such resource, because it was refused.
    pub id: String,
    /// The name that people see.
    pub name: String,
}

/// What an endpoint says of the request while it serves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Whom it concerned.
    pub subject: Option<Subject>,
    /// What was done.
    pub action: Option<&'static str>,
    /// Why: what it was matched by, what became of the seat.
    pub because: Vec<String>,
    /// Whether the body was read, and is JSON.
    pub is_json: bool,
    /// Whether the caller is let in.
    pub standing: Standing,
    /// What the organization's own schemas never return: names of attributes, in lower case.
    pub hidden: Vec<String>,
    /// The caller's credential, in words for the log.
    pub caller: Option<String>,
    /// Which of the connector's tokens the caller has; also an expired one.
    pub token_generation: Option<u32>,
    /// The refusal.
    pub error: Option<ScimError>,
}

impl Note {
    /// Whom it concerned.
    pub fn subject(&mut self, resource_type: &str, id: &str, name: &str) {
        let (resource_type, id, name) = (resource_type.to_owned(), id.to_owned(), name.to_owned());
        self.subject = Some(Subject { resource_type, id, name });
    }

    /// What was done, and why.
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
    /// As sent.
    pub method: String,
    /// Below the connector URL, with its query, as sent.
    pub path: String,
    /// The HTTP status of the answer; 0 if the server stopped before it had answered.
    pub status: u16,
    /// The `scimType` of an error.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scim_type: Option<String>,
    /// The detail of an error.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// How long it took.
    pub duration: u64,
    /// Whom it concerned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<Subject>,
    /// What was done: `created`, `adopted`, …
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub action: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub because: Vec<String>,
    /// Which of the connector's tokens the caller had.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token_generation: Option<u32>,
    /// As sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_agent: Option<String>,
    /// The IP address that the request came from, if the host knows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sender_address: Option<String>,
    /// The request's body, with secrets redacted; cut after 16 KiB. Absent if the caller was not let in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub body: Option<String>,
    /// The size of the request's body.
    pub bytes_received: u64,
    /// The size of the answer's body.
    pub bytes_sent: u64,
    /// The version of this component, and behind it what the host calls it: `1.0.0 (rules@0123456789ab)`.
    pub component: String,
}

impl Entry {
    /// The entry of a request that came at `time` and has no answer yet, its status 0: what the log has if the server stops
    /// before [`Entry::answered`]. It has no body.
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

    /// The same entry with what the answer was, which was there at `end`.
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
