//! The SCIM endpoint: it finds the organization, reads the request, and gives a SCIM answer in every case.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, Method, Request, Response, header, request};
use bytes::Bytes;
use tower::Service;

use super::admitted::Admitted;
use super::answer::{answer, refusal};
use super::bill::Bill;
use super::body::{self, BodyError};
use super::loggable::loggable;
use super::{coding, request_id};
use crate::capability::storage::OrganizationId;
use crate::component::CallError;
use crate::organization::Organization;
use crate::provisioner::Provisioner;
use crate::quota::{AtOnce, Exceeded, Usage};
use crate::scim::{self, ScimRequest, ScimResponse};
use crate::urls::SCIM_PATH;

/// The header fields that the component gets.
static FORWARDED: [HeaderName; 8] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    HeaderName::from_static("prefer"),
    header::USER_AGENT,
];

/// The header field by which the host makes the component refuse a request. It holds the seconds to wait, how many
/// requests were refused before this one without a log entry, and the reason. A field of this name that a client sends
/// is removed.
const OVER_QUOTA: &str = "insomnia-over-quota";

/// The SCIM endpoint of all organizations, as a [`tower::Service`] for `/scim/…`.
///
/// A request ends when its client is gone: its earlier commits stay, and it commits nothing afterwards.
#[derive(Clone)]
pub struct ScimService {
    provisioner: Provisioner,
    /// Callers that were admitted recently.
    admitted: Arc<Admitted>,
}

impl ScimService {
    pub(crate) fn new(provisioner: Provisioner) -> Self {
        Self { provisioner, admitted: Arc::default() }
    }

    /// Whether the sender of the request was admitted recently.
    fn knows(&self, organization: &Organization, head: &request::Parts) -> bool {
        let authorization = head.headers.get(header::AUTHORIZATION);
        authorization.is_some_and(|value| self.admitted.is(organization.id(), value.as_bytes()))
    }

    /// Counts a request of a known caller; an error says which quota is used up.
    async fn enter(&self, organization: &Organization) -> Result<AtOnce, (Arc<Usage>, Exceeded)> {
        let usage = self.provisioner.runtime().usage(organization.id()).await;
        usage.enter().map_err(|exceeded| (usage, exceeded))
    }

    /// Whether the sender of the request is known to the organization. If so, the organization's account pays for its
    /// memory.
    async fn admits(&self, organization: &Organization, head: &request::Parts, bill: &Bill) -> Result<bool, CallError> {
        let Some(authorization) = head.headers.get(header::AUTHORIZATION) else { return Ok(false) };
        if !self.admitted.is(organization.id(), authorization.as_bytes()) {
            if !organization.admits(authorization.to_str().ok()).await? {
                return Ok(false);
            }
            self.admitted.note(organization.id(), authorization.as_bytes());
        }
        bill.is_of(&self.provisioner.runtime().account(organization.id()));
        Ok(true)
    }
}

impl<B> Service<Request<B>> for ScimService
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Caught;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Caught {
        let request_id = request_id::next();
        Caught { call: Box::pin(serve(self.clone(), request, request_id.clone())), request_id }
    }
}

/// Serves a request. If the host panics, the answer is 500 instead of a broken connection.
pub struct Caught {
    call: Pin<Box<dyn Future<Output = Response<Body>> + Send>>,
    request_id: String,
}

impl Future for Caught {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| self.call.as_mut().poll(context))) {
            Ok(polled) => polled.map(Ok),
            Err(_) => {
                let request_id = &self.request_id;
                quietly(|| tracing::error!(request_id, "the host failed while it served a request"));
                Poll::Ready(Ok(refusal(500, "An internal error occurred.", request_id)))
            }
        }
    }
}

/// Logs the request. If an embedder's subscriber panics, only its line is lost, and the request is answered.
pub(crate) fn quietly(log: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(log));
}

async fn serve<B>(service: ScimService, request: Request<B>, request_id: String) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let begun = Instant::now();
    let (head, body) = request.into_parts();
    let (name, path) = split(head.uri.path());
    let Ok(bill) = Bill::of(&head, service.provisioner.runtime().ledger()) else {
        return refusal(503, "Too many requests at the same time.", &request_id);
    };
    let found = find(&service.provisioner, name, &head, &request_id).await;
    let (response, received) = match &found {
        Ok(organization) => handle(&service, organization, path, &head, body, &request_id, &bill).await,
        Err(response) => {
            body::discard(&head.headers, body, &bill).await;
            (response.clone(), 0)
        }
    };
    // The log does not have the query, which contains names. Of the header fields of the request, it only has the id
    // that the client gave the request.
    quietly(|| {
        tracing::info!(
            target: "insomnia_scim::request",
            request_id,
            client_request_id = request_id::of_client(&head.headers),
            organization = &*loggable(name),
            method = %head.method,
            path = &*loggable(path),
            status = response.status,
            received,
            sent = response.body.len(),
            microseconds = begun.elapsed().as_micros() as u64,
        );
    });
    let is_safe = head.method.is_safe() || is_search(path);
    let lanes = service.provisioner.runtime().lanes();
    let steps = found.as_ref().ok().map(|organization| lanes.steps(organization.id()));
    answer(response, &head.headers, &request_id, &bill, steps, is_safe).await
}

/// Whether the path is that of a search (RFC 7644 §3.4.3), in any form that the component accepts. Such a request only
/// reads, although it is a POST.
fn is_search(path: &str) -> bool {
    let last = path.rsplit('/').find(|segment| !segment.is_empty()).unwrap_or_default();
    percent_encoding::percent_decode_str(last).decode_utf8_lossy().eq_ignore_ascii_case(".search")
}

/// Passes the request to the organization's component. The second value is how many bytes of the body were read.
async fn handle<B>(
    service: &ScimService,
    organization: &Organization,
    path: &str,
    head: &request::Parts,
    body: B,
    request_id: &str,
    bill: &Bill,
) -> (ScimResponse, usize)
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    // Only known callers count: strangers must neither use up an organization's quota nor make the host remember a
    // name.
    let is_known = service.knows(organization, head);
    let mut entered = None;
    if is_known {
        match service.enter(organization).await {
            Ok(at_once) => entered = Some(at_once),
            Err((usage, exceeded)) => {
                body::discard(&head.headers, body, bill).await;
                return (over_quota(service, organization, path, head, request_id, &usage, &exceeded).await, 0);
            }
        }
    }
    if body.is_end_stream() {
        let response = respond(service, organization, path, head, Vec::new(), request_id, None).await;
        // This is asked now because the right account must pay for the answer until it is sent. A refusal because of
        // the token is small, so nobody asks for it.
        if response.status != 401 && service.admits(organization, head, bill).await == Ok(true) && !is_known {
            service.provisioner.runtime().usage(organization.id()).await.has_served();
        }
        return (response, 0);
    }
    // This is asked before the body is read, so that a caller who is not admitted uses no memory.
    let admitted = match service.admits(organization, head, bill).await {
        Ok(true) if entered.is_some() => Ok(Some(Ok(entered))),
        Ok(true) => Ok(Some(service.enter(organization).await.map(Some))),
        Ok(false) => Ok(None),
        Err(error) => Err(error),
    };
    // The request counts until it is answered.
    let _entered = match admitted {
        Ok(Some(Ok(entered))) => entered,
        Ok(Some(Err((usage, exceeded)))) => {
            body::discard(&head.headers, body, bill).await;
            return (over_quota(service, organization, path, head, request_id, &usage, &exceeded).await, 0);
        }
        // The component refuses and logs the request, whatever its body is.
        Ok(None) => {
            let response = respond(service, organization, path, head, Vec::new(), request_id, None).await;
            body::discard(&head.headers, body, bill).await;
            return (response, 0);
        }
        Err(error) => {
            body::discard(&head.headers, body, bill).await;
            return (error.response(request_id), 0);
        }
    };
    let limit = body::limit(path);
    let body = match body::read(&head.headers, body, limit, bill).await {
        Ok(body) => body,
        Err(error) => return (refuse(error, path, request_id), 0),
    };
    let received = body.len();
    let steps = service.provisioner.runtime().lanes().steps(organization.id());
    let response = match coding::decoded(&head.headers, body, limit, bill, steps).await {
        Ok(body) => respond(service, organization, path, head, body, request_id, None).await,
        Err(refusal) => refusal.response(limit, request_id),
    };
    (response, received)
}

/// The refusal of a caller whose organization has used up a quota. Once a second the component makes it, so that the
/// organization's log gets an entry, which says how many requests were refused without one.
async fn over_quota(
    service: &ScimService,
    organization: &Organization,
    path: &str,
    head: &request::Parts,
    request_id: &str,
    usage: &Usage,
    exceeded: &Exceeded,
) -> ScimResponse {
    match usage.tells() {
        Some(untold) => {
            let refused = format!("{} {untold} {exceeded}", exceeded.wait);
            respond(service, organization, path, head, Vec::new(), request_id, Some(refused)).await
        }
        None => scim::exceeded(429, exceeded, request_id),
    }
}

fn refuse(error: BodyError, path: &str, request_id: &str) -> ScimResponse {
    match error {
        BodyError::TooLarge => {
            let detail = format!("The body is larger than {} bytes.", body::limit(path));
            ScimResponse::error(413, &detail, request_id)
        }
        BodyError::TooSlow => ScimResponse::error(408, "The body did not arrive in time.", request_id),
        BodyError::Busy => {
            ScimResponse::error(503, "The server has no memory for the request at the moment.", request_id)
        }
        BodyError::Broken => ScimResponse::error(400, "The body is broken.", request_id),
    }
}

/// The organization's name and the path below its connector URL.
fn split(path: &str) -> (&str, &str) {
    let rest = path.strip_prefix(SCIM_PATH).unwrap_or_default();
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}

/// The organization of the request, or a refusal.
async fn find(
    provisioner: &Provisioner,
    name: &str,
    head: &request::Parts,
    request_id: &str,
) -> Result<Organization, ScimResponse> {
    if name.is_empty() {
        return Err(ScimResponse::error(404, "This is not a connector URL: /scim/v2/<organization>.", request_id));
    }
    let unauthorized = || refuse_unknown(&head.headers, request_id);
    let id = OrganizationId::parse(name).map_err(|_| unauthorized())?;
    // An unknown organization answers like one without a connector, so that callers without a token can't tell which
    // exist.
    match provisioner.organization_or_stranger(&id).await {
        Ok(organization) => Ok(organization),
        Err(error) => {
            tracing::error!(request_id, "the organization can't be looked up: {error}");
            Err(ScimResponse::error(503, "The storage is unavailable for the moment.", request_id))
        }
    }
}

async fn respond(
    service: &ScimService,
    organization: &Organization,
    path: &str,
    head: &request::Parts,
    body: Vec<u8>,
    request_id: &str,
    refused: Option<String>,
) -> ScimResponse {
    // RFC 9110 §9.3.2: a HEAD is a GET whose body is not sent; hyper leaves the body out and keeps its length.
    let method = if head.method == Method::HEAD { &Method::GET } else { &head.method };
    let mut headers = forwarded(&head.headers);
    headers.extend(refused.map(|refused| (OVER_QUOTA.to_owned(), refused)));
    let sender = service.provisioner.trusted_proxies().client(head);
    let request = ScimRequest {
        method: method.as_str().to_owned(),
        path: path.to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers,
        body,
        base_url: organization.connector_url(),
        request_id: request_id.to_owned(),
        sender_address: sender.map(|address| address.to_string()),
    };
    organization.scim(request).await
}

/// The component's answer to a caller without a valid token: it does not reveal which organizations exist.
fn refuse_unknown(headers: &HeaderMap, request_id: &str) -> ScimResponse {
    let authorization = headers.get(header::AUTHORIZATION).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let scheme = authorization.as_deref().and_then(|value| value.split_whitespace().next());
    let detail = match scheme {
        None => "The request has no Authorization header; send 'Authorization: Bearer <token>'.",
        Some(scheme) if scheme.eq_ignore_ascii_case("bearer") => "The token is not valid for this connector URL.",
        Some(_) => "The Authorization header is not accepted; send 'Authorization: Bearer <token>'.",
    };
    let challenge = match scheme {
        None => "Bearer realm=\"SCIM\"".to_owned(),
        Some(_) => format!("Bearer realm=\"SCIM\", error=\"invalid_token\", error_description=\"{detail}\""),
    };
    let mut response = ScimResponse::error(401, detail, request_id);
    response.headers.push(("www-authenticate".to_owned(), challenge));
    response
}

fn forwarded(headers: &HeaderMap) -> Vec<(String, String)> {
    let fields = FORWARDED.iter().flat_map(|name| headers.get_all(name).iter().map(move |value| (name, value)));
    fields.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_known_in_every_form_in_which_the_component_takes_it() {
        for path in
            ["/.search", "/Users/.search", "/Users/.SEARCH", "/Users/.search/", "/Users/%2Esearch", "/%2eSearch//"]
        {
            assert!(is_search(path), "{path}");
        }
        for path in ["", "/", "/Users", "/Users/search", "/.search/Users"] {
            assert!(!is_search(path), "{path}");
        }
    }

    #[test]
    fn the_path_below_the_connector_url_is_passed_on_as_it_was_sent() {
        assert_eq!(split("/scim/v2/acme/Users/a%2Fb/"), ("acme", "/Users/a%2Fb/"));
        assert_eq!(split("/scim/v2/acme"), ("acme", ""));
        assert_eq!(split("/scim/v2/acme/"), ("acme", "/"));
        assert_eq!(split("/scim/v2/acme//Users"), ("acme", "//Users"));
        assert_eq!(split("/scim/v2/"), ("", ""));
        assert_eq!(split("/scim/v1/acme/Users"), ("", ""));
        assert_eq!(split("/scim"), ("", ""));
    }

    #[test]
    fn only_named_header_fields_are_passed_on() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("cookie", "secret"), ("if-match", "W/\"1\""), ("if-match", "W/\"2\""), ("host", "x")] {
            headers.append(HeaderName::from_static(name), http::HeaderValue::from_static(value));
        }
        let expected = [("if-match", "W/\"1\""), ("if-match", "W/\"2\"")];
        assert_eq!(forwarded(&headers), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
