//! The endpoints for receivers of SCIM events (RFC 9967): tokens by polling (RFC 8936), and the keys to verify them
//! (RFC 7517). The component makes the answers. If it has no token yet for a receiver that wants to wait, the server
//! waits and asks it again.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::routing::{get, post};
use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout};

use super::admitted::Admitted;
use super::bill::Bill;
use super::body::{self, BodyError};
use super::contained;
use super::loggable::loggable;
use super::request_id::{self, X_REQUEST_ID};
use super::service::quietly;
use super::streams::Streams;
use crate::capability::storage::OrganizationId;
use crate::component::CallError;
use crate::event::{PollRequest, PollResponse};
use crate::hourly::error_hourly;
use crate::organization::Organization;
use crate::provisioner::Provisioner;
use crate::quota::Exceeded;
use crate::urls::SCIM_PATH;

/// The largest request, in bytes, which is the component's limit.
const MAX_REQUEST: usize = 64 << 10;
/// The longest time that a receiver waits for a token.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How often the component is asked again without a commit in this process: other processes may have committed.
const ANEW: Duration = Duration::from_secs(5);
/// How often a waiting request checks whether the server stops.
const LOOK: Duration = Duration::from_secs(1);
/// The least time between two calls for a waiting receiver. If many commits follow each other, the component is asked
/// only once.
const PAUSE: Duration = Duration::from_secs(1);
/// How many requests of a stream may wait at the same time; a further one is answered after [`ANEW`].
const WAITING: usize = 3;

/// Whether the server is about to stop, so that no request waits any more.
pub(crate) type Stopping = Arc<dyn Fn() -> bool + Send + Sync>;

#[derive(Clone)]
struct Receivers {
    provisioner: Provisioner,
    /// The waiting requests, by organization and stream.
    waiting: Arc<Streams<(OrganizationId, String)>>,
    /// Receivers whose token was valid recently: their requests count towards the organization's quota.
    admitted: Arc<Admitted>,
    stopping: Stopping,
}

/// The routes of the streams of all organizations, below their connector URLs.
pub(super) fn router(provisioner: &Provisioner, stopping: Stopping) -> Router {
    let below = |what: &str| format!("{SCIM_PATH}{{organization}}/streams/{{stream}}/{what}");
    let waiting = Arc::new(Streams::new(WAITING));
    let receivers = Receivers { provisioner: provisioner.clone(), waiting, admitted: Arc::default(), stopping };
    Router::new()
        .route(&below("poll"), post(poll).fallback(only_post))
        .route(&below("jwks"), get(key_set).fallback(only_get))
        .layer(from_fn(logged))
        .with_state(receivers)
}

/// Logs how a request was answered, as for SCIM requests.
async fn logged(request: Request, next: Next) -> Response<Body> {
    let begun = Instant::now();
    let (method, path) = (request.method().clone(), loggable(request.uri().path()).into_owned());
    let response = next.run(request).await;
    quietly(|| {
        tracing::info!(
            target: "insomnia_scim::request",
            request_id = response.headers().get(&X_REQUEST_ID).and_then(|id| id.to_str().ok()),
            %method,
            path,
            status = response.status().as_u16(),
            microseconds = begun.elapsed().as_micros() as u64,
        );
    });
    response
}

/// Whether the path is one of these routes: all other paths below `/scim` are SCIM.
pub(super) fn is_route(path: &str) -> bool {
    let below = path.strip_prefix(SCIM_PATH).unwrap_or_default();
    let mut parts = below.split('/').skip(1);
    let parts = (parts.next(), parts.next(), parts.next(), parts.next());
    matches!(parts, (Some("streams"), Some(_), Some("poll" | "jwks"), None))
}

async fn poll(
    State(receivers): State<Receivers>,
    Path((name, stream)): Path<(String, String)>,
    request: Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(bill) = Bill::of(&head, receivers.provisioner.runtime().ledger()) else { return busy() };
    let body = match body::read(&head.headers, body, MAX_REQUEST, &bill).await {
        Ok(body) => body,
        Err(BodyError::Busy) => return busy(),
        Err(BodyError::TooLarge) => return refusal(413, "invalid_request", "the request is larger than 64 KiB"),
        Err(BodyError::TooSlow) => return refusal(408, "invalid_request", "the request did not arrive in time"),
        Err(BodyError::Broken) => return refusal(400, "invalid_request", "the request is broken"),
    };
    let organization = match find(&receivers.provisioner, &name).await {
        Ok(organization) => organization,
        Err(response) => return response,
    };
    let authorization = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let request =
        PollRequest { stream_id: stream, authorization: authorization.map(str::to_owned), body, again: false };
    match receivers.answer(&organization, request, &bill).await {
        Err(NoAnswer::OverQuota(exceeded)) => over_quota(&exceeded),
        Err(NoAnswer::Call(CallError::Trap)) => refusal(500, "server_error", "an internal error occurred"),
        Err(NoAnswer::Call(_)) => busy(),
        Ok(PollResponse { status, headers, body, .. }) => respond(status, headers, body.into()),
    }
}

/// The reason why the component was not asked, or gave no answer.
enum NoAnswer {
    OverQuota(Exceeded),
    Call(CallError),
}

impl From<CallError> for NoAnswer {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl Receivers {
    /// The component's answer, at once or when there is a token.
    async fn answer(
        &self,
        organization: &Organization,
        mut request: PollRequest,
        bill: &Bill,
    ) -> Result<PollResponse, NoAnswer> {
        let presented = [&request.stream_id, request.authorization.as_deref().unwrap_or_default()].join(" ");
        let usage = self.provisioner.runtime().usage(organization.id()).await;
        let is_known = self.admitted.is(organization.id(), presented.as_bytes());
        let entered = if is_known { Some(usage.enter().map_err(NoAnswer::OverQuota)?) } else { None };
        let mut response = organization.poll_stream(request.clone()).await?;
        if response.status == 401 {
            return Ok(response);
        }
        if entered.is_none() {
            self.admitted.note(organization.id(), presented.as_bytes());
            usage.has_served();
        }
        // A request that waits does not count as one that is being served.
        drop(entered);
        request.again = true;
        bill.is_of(&self.provisioner.runtime().account(organization.id()));
        if !response.wait {
            return Ok(response);
        }
        let place = (organization.id().clone(), request.stream_id.clone());
        let Some(_waits) = self.waiting.open(&place) else {
            // If this answer were sent at once, the receiver would ask again at once.
            sleep(ANEW).await;
            return Ok(response);
        };
        let end = Instant::now() + LONGEST_WAIT;
        let mut commits = self.provisioner.alarm().follow(organization.id());
        // The component is asked once more in any case: a token may have come before this request followed commits.
        let mut asked = None::<Instant>;
        while response.wait && Instant::now() < end && !(self.stopping)() {
            if let Some(asked) = asked.filter(|asked| asked.elapsed() < ANEW) {
                let left = end.saturating_duration_since(Instant::now());
                let commit = timeout(LOOK.min(left), commits.changed()).await;
                if !matches!(commit, Ok(Ok(()))) {
                    continue;
                }
                sleep(PAUSE.saturating_sub(asked.elapsed())).await;
            }
            commits.mark_unchanged();
            asked = Some(Instant::now());
            response = organization.poll_stream(request.clone()).await?;
        }
        Ok(response)
    }
}

/// The key set of a stream. If there is no such stream or organization, the set is empty.
async fn key_set(State(receivers): State<Receivers>, Path((name, stream)): Path<(String, String)>) -> Response<Body> {
    let organization = match find(&receivers.provisioner, &name).await {
        Ok(organization) => organization,
        Err(response) => return response,
    };
    match organization.stream_key_set(&stream).await {
        Ok(keys) => {
            // Tokens with a new key follow at once, so a cache must not return the old key set.
            let headers = [("content-type", "application/jwk-set+json"), ("cache-control", "no-cache")];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            respond(200, headers.into(), keys.into())
        }
        Err(_) => busy(),
    }
}

/// The organization. If there is none of this name, the result answers as if it had no stream.
async fn find(provisioner: &Provisioner, name: &str) -> Result<Organization, Response<Body>> {
    let id = OrganizationId::parse(name).unwrap_or_else(|_| OrganizationId::nobody());
    if id.is_nobody() {
        return Ok(Organization::stranger(provisioner.clone(), id));
    }
    provisioner.organization_or_stranger(&id).await.map_err(|error| {
        error_hourly!("looks-up"; "the organization can't be looked up: {error}");
        busy()
    })
}

async fn only_post() -> Response<Body> {
    wrong_method("POST", "this endpoint accepts POST (RFC 8936)")
}

async fn only_get() -> Response<Body> {
    wrong_method("GET, HEAD", "a key set is read with GET")
}

fn wrong_method(allowed: &'static str, description: &str) -> Response<Body> {
    let mut response = refusal(405, "invalid_request", description);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

fn over_quota(exceeded: &Exceeded) -> Response<Body> {
    let mut response = refusal(429, "too_many_requests", "the organization has used up a quota");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(exceeded.wait));
    response
}

fn busy() -> Response<Body> {
    let mut response = refusal(503, "unavailable", "tokens can't be delivered for the moment");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// A refusal in the component's form; the texts have neither quotation marks nor backslashes.
fn refusal(status: u16, err: &str, description: &str) -> Response<Body> {
    let headers = [("content-type", "application/json"), ("content-language", "en")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    respond(status, headers.into(), format!("{{\"err\":\"{err}\",\"description\":\"{description}\"}}").into())
}

fn respond(status: u16, headers: Vec<(String, String)>, body: Bytes) -> Response<Body> {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = contained::status(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers: HeaderMap = contained::fields(headers);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::try_from(request_id::next()) {
        headers.insert(&X_REQUEST_ID, id);
    }
    *answer.headers_mut() = headers;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_receivers_ask_for_is_told_from_scim() {
        for path in ["/scim/v2/acme/streams/1/poll", "/scim/v2/acme/streams/1/jwks", "/scim/v2//streams//poll"] {
            assert!(is_route(path), "{path}");
        }
        for path in [
            "/scim/v2/acme/streams/1/poll/",
            "/scim/v2/acme/streams/1/other",
            "/scim/v2/acme/streams/poll",
            "/scim/v2/acme/Users/1/poll",
            "/scim/v2/acme/Users",
            "/scim",
            "/scim/v1/acme/streams/1/poll",
            "",
        ] {
            assert!(!is_route(path), "{path}");
        }
    }
}
