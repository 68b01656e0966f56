//! Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a POST that is sent twice is done once.
//!
//! A successful answer to a POST with an `Idempotency-Key` is stored for 24 hours. It is encrypted with the host's
//! [`crate::capability::secrets::Secrets`], since it may contain a secret that is shown once. If the host has no key
//! for secrets, the answer is not stored, and a second request gets an error that says so. The latest 1,000 requests of
//! each API key are remembered. A refusal is not stored: nothing has changed, and the same key may be tried again.
//!
//! The keys are in the host's space of the storage, below `idempotency/<API key>/`: `at/<time>/<hash>` orders the
//! requests by time, `record/<hash>` stores what was requested and whether it is done, and `answer/<hash>` stores the
//! encrypted answer. The hash is that of the idempotency key.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Response as HttpResponse, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::access::caller;
use super::input;
use super::problem::Problem;
use super::state::ApiState;
use crate::api_keys::{self, Caller};
use crate::capability::host_space::HostSpace;
use crate::capability::storage::{Change, Condition, KeyRange, StorageError};
use crate::hourly::warn_hourly;
use crate::server::body;

/// The header field.
pub(super) const FIELD: HeaderName = HeaderName::from_static("idempotency-key");
/// The header field of a stored answer.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key, in bytes.
pub(super) const LONGEST: usize = 255;
/// How long answers are stored, in milliseconds.
const KEPT: u64 = 24 * 60 * 60 * 1000;
/// A request that is not done after this time, in milliseconds, was interrupted: no call may take that long.
const BROKEN_OFF: u64 = 5 * 60 * 1000;
/// How many requests of one API key are remembered.
const MOST: usize = 1_000;
/// The largest answer that is stored, in bytes. Only the answer of a preview is larger, and a preview changes nothing.
const MAX_ANSWER: usize = 64 << 10;

/// The stored data of a request.
#[derive(Serialize, Deserialize)]
struct Record {
    /// The hash of the request.
    asked: String,
    /// When it began, in milliseconds since the Unix epoch.
    begun: u64,
    /// Whether it has succeeded.
    done: bool,
}

/// An answer before it is encrypted.
#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    /// The only header fields that are stored; the others are made again.
    location: Option<String>,
    content_type: Option<String>,
    body: String,
}

/// Serves the request. A POST with a key is done only once.
pub(super) async fn once(state: ApiState, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(FIELD) {
        return next.run(request).await;
    }
    match guarded(state, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn guarded(state: ApiState, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, sent) = request.into_parts();
    let key = key(&parts)?;
    let caller = caller(&mut parts, &state).await?;
    let sent = body::read(&parts.headers, sent, input::limit(parts.uri.path()), &state.bill(&parts)?).await?;
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let asked = hex::encode(Sha256::digest([target.as_bytes(), b"\0", &sent].concat()));
    let keyed = KeyedRequest { hash: hex::encode(Sha256::digest(key)), caller, begun: state.now(), state };
    if let Some(response) = keyed.begin(&asked).await? {
        return Ok(response);
    }
    let response = next.run(Request::from_parts(parts, Body::from(sent))).await;
    if response.status().is_success() {
        return keyed.done(asked, response).await;
    }
    // If it is unknown whether something changed, the record stays.
    if !response.extensions().get::<Problem>().is_some_and(Problem::is_uncertain) {
        keyed.commit(Vec::new(), keyed.forget(keyed.begun, &keyed.hash)).await?;
    }
    Ok(response)
}

/// The key. The draft writes it as a quoted string; most clients send it without quotes.
fn key(parts: &Parts) -> Result<String, Problem> {
    let wrong = || {
        let detail = format!("An idempotency key must be a text of 1 to {LONGEST} visible ASCII characters.");
        Problem::parameter(Some("Idempotency-Key"), detail)
    };
    let mut fields = parts.headers.get_all(FIELD).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return Err(wrong()) };
    let text = field.to_str().map_err(|_| wrong())?;
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let valid = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if valid { Ok(text.to_owned()) } else { Err(wrong()) }
}

/// A request with a key.
struct KeyedRequest {
    state: ApiState,
    caller: Caller,
    hash: String,
    begun: u64,
}

impl KeyedRequest {
    /// Begins the request. `None` if it must be served; otherwise the answer.
    async fn begin(&self, asked: &str) -> Result<Option<Response>, Problem> {
        let record = Record { asked: asked.to_owned(), begun: self.begun, done: false };
        loop {
            let mut changes = self.surplus().await?;
            changes.push(Change::put(self.at("record", &self.hash), encode(&record)?));
            changes.push(Change::put(self.in_time(self.begun, &self.hash), self.hash.clone().into_bytes()));
            let conditions = vec![Condition::Absent(self.at("record", &self.hash))];
            match self.commit(conditions, changes).await {
                Ok(()) => return Ok(None),
                Err(StorageError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
            let keys = vec![self.at("record", &self.hash), self.at("answer", &self.hash)];
            let found = self.space().get_all(keys).await?;
            let mut found = found.into_iter();
            // It was deleted meanwhile: try again.
            let Some(item) = found.next().flatten() else { continue };
            let known: Record = serde_json::from_slice(&item.value).map_err(corrupt)?;
            if self.begun.saturating_sub(known.begun) >= KEPT {
                let conditions = vec![Condition::version(self.at("record", &self.hash), item.version)];
                match self.commit(conditions, self.forget(known.begun, &self.hash)).await {
                    Ok(()) | Err(StorageError::Conflict(_)) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            let answer = found.next().flatten().map(|item| item.value);
            return self.again(&known, asked, answer).await.map(Some);
        }
    }

    /// The answer to a request whose key is known.
    async fn again(&self, known: &Record, asked: &str, answer: Option<Vec<u8>>) -> Result<Response, Problem> {
        if known.asked != asked {
            let title = "The idempotency key belongs to another request";
            let detail = "This key was sent with another request before. Use a new key for each request.";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", title, detail));
        }
        let conflict = |name, title, detail: &str| Problem::new(StatusCode::CONFLICT, name, title, detail);
        if !known.done {
            if self.begun.saturating_sub(known.begun) < BROKEN_OFF {
                let title = "The request is being served";
                let detail = "A request with this idempotency key is being served. Ask again in a moment.";
                return Err(conflict("request-in-progress", title, detail).retry_after(1));
            }
            let title = "The outcome of the request is unknown";
            let detail = "The request with this idempotency key was interrupted. Check whether it had an effect; if \
                not, send it with a new key.";
            return Err(conflict("outcome-unknown", title, detail));
        }
        let sealed = answer.ok_or_else(|| {
            let title = "The answer was not stored";
            conflict(
                "answer-not-kept",
                title,
                "The request with this idempotency key was done, but its answer was not stored.",
            )
        })?;
        let secrets = self.state.provisioner.secrets();
        let plain = secrets.open(&self.caller.holder.space(), sealed).await.map_err(|error| {
            tracing::error!("a stored answer can't be decrypted: {error}");
            Problem::internal()
        })?;
        let answer: Answer = serde_json::from_slice(&plain).map_err(corrupt)?;
        Ok(answer.response())
    }

    /// Stores the answer.
    async fn done(&self, asked: String, response: Response) -> Result<Response, Problem> {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(|_| Problem::internal())?;
        let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let answer = Answer {
            status: parts.status.as_u16(),
            location: text(header::LOCATION),
            content_type: text(header::CONTENT_TYPE),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        let mut changes =
            vec![Change::put(self.at("record", &self.hash), encode(&Record { asked, begun: self.begun, done: true })?)];
        if body.len() <= MAX_ANSWER {
            let plain = serde_json::to_vec(&answer).map_err(corrupt)?;
            match self.state.provisioner.secrets().seal(&self.caller.holder.space(), plain).await {
                Ok(sealed) => changes.push(Change::put(self.at("answer", &self.hash), sealed)),
                Err(error) => tracing::debug!(
                    "the answer to a request with an idempotency key is not stored: \
                    {error}"
                ),
            }
        }
        // The change is made, so the answer is given even if it can't be stored. It is only stored while the API key
        // exists.
        if let Err(error) = self.commit(vec![Condition::Exists(self.at("record", &self.hash))], changes).await {
            warn_hourly!("idempotency"; "the answer to a request with an idempotency key is not stored: {error}");
        }
        Ok(HttpResponse::from_parts(parts, Body::from(body)))
    }

    /// Deletes requests that are too old or too many.
    async fn surplus(&self) -> Result<Vec<Change>, StorageError> {
        let range = KeyRange { start: self.at("at", ""), end: self.at("at0", "") };
        let entries = self.space().scan(range, 2 * MOST as u32).await?.entries;
        let surplus = (entries.len() + 1).saturating_sub(MOST);
        let old = self.in_time(self.begun.saturating_sub(KEPT), "");
        let gone = entries.iter().enumerate().filter(|(place, entry)| *place < surplus || entry.key < old);
        Ok(gone
            .flat_map(|(_, entry)| {
                let hash = String::from_utf8_lossy(&entry.value);
                [
                    Change::Delete(entry.key.clone()),
                    Change::Delete(self.at("record", &hash)),
                    Change::Delete(self.at("answer", &hash)),
                ]
            })
            .collect())
    }

    fn forget(&self, begun: u64, hash: &str) -> Vec<Change> {
        vec![
            Change::Delete(self.in_time(begun, hash)),
            Change::Delete(self.at("record", hash)),
            Change::Delete(self.at("answer", hash)),
        ]
    }

    fn at(&self, kind: &str, hash: &str) -> Vec<u8> {
        [api_keys::requests(&self.caller.key).start, format!("{kind}/{hash}").into()].concat()
    }

    fn in_time(&self, time: u64, hash: &str) -> Vec<u8> {
        self.at("at", &format!("{time:020}/{hash}"))
    }

    async fn commit(&self, conditions: Vec<Condition>, changes: Vec<Change>) -> Result<(), StorageError> {
        self.space().commit(conditions, changes).await.map(drop)
    }

    fn space(&self) -> HostSpace<'_> {
        HostSpace(self.state.provisioner.storage())
    }
}

impl Answer {
    fn response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let fields = [(header::LOCATION, self.location), (header::CONTENT_TYPE, self.content_type)];
        for (name, value) in fields {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }
}

fn encode(record: &Record) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(record).map_err(corrupt)
}

fn corrupt(error: serde_json::Error) -> Problem {
    tracing::error!("the record of a request is not what this host wrote: {error}");
    Problem::internal()
}
