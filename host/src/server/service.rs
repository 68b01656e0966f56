//! The SCIM endpoint: finds the organization, reads the request, and answers in SCIM whatever happens.

use std::borrow::Cow;
use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, Method, Request, Response, header, request};
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tower::Service;

use super::answer::answer;
use super::body::{self, BodyError};
use super::coding;
use super::{SCIM_PATH, request_id};
use crate::capability::storage::OrganizationId;
use crate::organization::Organization;
use crate::page::throttle::sender;
use crate::provisioner::Provisioner;
use crate::scim::{ScimRequest, ScimResponse};

/// The header fields that the component gets.
static FORWARDED: [HeaderName; 8] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::USER_AGENT,
    HeaderName::from_static("x-forwarded-for"),
];

/// The SCIM endpoint of all organizations, as a [`tower::Service`] for `/scim/…`.
///
/// A request is given up when its client is gone: what it committed stands, and it commits nothing afterwards.
#[derive(Clone)]
pub struct ScimService {
    provisioner: Provisioner,
    /// What large bodies may take together, in KiB.
    large: Arc<Semaphore>,
}

/// Memory that large bodies may take together, in KiB.
const LARGE_BODIES: usize = 512 << 10;
/// How long a large body waits for memory before it is refused.
const LARGE_WAIT: Duration = Duration::from_secs(5);

impl ScimService {
    pub(super) fn new(provisioner: Provisioner) -> Self {
        Self { provisioner, large: Arc::new(Semaphore::new(LARGE_BODIES)) }
    }

    /// Reads the body; a large one only from who has a token, and not too many at a time: strangers cost no memory.
    async fn read<B>(
        &self,
        organization: &Organization,
        path: &str,
        head: &request::Parts,
        body: B,
    ) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), BodyError>
    where
        B: http_body::Body<Data = Bytes> + Unpin,
    {
        let admit = async |bytes: usize| {
            let authorization = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            // A component that can't answer will say so when it is asked to handle the request.
            if let Ok(false) = organization.admits(authorization).await {
                return Err(BodyError::NotAdmitted);
            }
            let kilobytes = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
            let permit = timeout(LARGE_WAIT, Arc::clone(&self.large).acquire_many_owned(kilobytes)).await;
            permit.ok().and_then(Result::ok).ok_or(BodyError::Busy)
        };
        let limit = body::limit(path);
        let (body, permit) = body::read_admitted(&head.headers, body, limit, &admit).await?;
        // What is compressed may be large, however small it came.
        let is_coded = head.headers.contains_key(header::CONTENT_ENCODING) && !body.is_empty();
        let permit = if is_coded && permit.is_none() { Some(admit(limit).await?) } else { permit };
        Ok((body, permit))
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

/// A request that is being served; a panic of the host ends it with 500 instead of a broken connection.
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
                tracing::error!(request_id = self.request_id, "the host failed while it served a request");
                let response = ScimResponse::error(500, "An internal error occurred.", &self.request_id);
                Poll::Ready(Ok(answer(response, &HeaderMap::new(), &self.request_id)))
            }
        }
    }
}

async fn serve<B>(service: ScimService, request: Request<B>, request_id: String) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let begun = Instant::now();
    let (head, body) = request.into_parts();
    let (name, path) = split(head.uri.path());
    let mut received = 0;
    let response = match find(&service.provisioner, name, &head, &request_id).await {
        Ok(organization) => {
            let read = service.read(&organization, path, &head, body).await;
            received = read.as_ref().map_or(0, |(body, _)| body.len());
            match read {
                Ok((body, _permit)) => match coding::decoded(&head.headers, body, body::limit(path)) {
                    Ok(body) => respond(&organization, path, &head, body, &request_id).await,
                    Err(refusal) => refusal.response(body::limit(path), &request_id),
                },
                // The component refuses it, and logs that, whatever the body is.
                Err(BodyError::NotAdmitted) => respond(&organization, path, &head, Vec::new(), &request_id).await,
                Err(error) => refuse(error, path, &request_id),
            }
        }
        Err(response) => {
            body::discard(&head.headers, body).await;
            response
        }
    };
    // Neither the query, which holds names, nor any header field of the request but its own id.
    tracing::info!(
        target: "insomnia_scim::request",
        request_id,
        client_request_id = request_id::of_client(&head.headers),
        organization = &*without_secrets(name),
        method = %head.method,
        path = &*without_secrets(path),
        status = response.status,
        received,
        sent = response.body.len(),
        microseconds = begun.elapsed().as_micros() as u64,
    );
    answer(response, &head.headers, &request_id)
}

fn refuse(error: BodyError, path: &str, request_id: &str) -> ScimResponse {
    match error {
        BodyError::TooLarge => {
            let detail = format!("The body is larger than {} bytes.", body::limit(path));
            ScimResponse::error(413, &detail, request_id)
        }
        BodyError::TooSlow => ScimResponse::error(408, "The body did not arrive in time.", request_id),
        BodyError::Busy => ScimResponse::error(503, "Too many large requests at the same time.", request_id),
        BodyError::Broken | BodyError::NotAdmitted => ScimResponse::error(400, "The body is broken.", request_id),
    }
}

/// Tokens that somebody entered where a URL belongs are cut out: the log is read by others.
fn without_secrets(text: &str) -> Cow<'_, str> {
    let Some(at) = text.find("insm_") else { return Cow::Borrowed(text) };
    let end = text[at..].find('/').map_or(text.len(), |length| at + length);
    Cow::Owned(format!("{}insm_…{}", &text[..at], without_secrets(&text[end..])))
}

/// The organization's name and the path below its connector URL.
fn split(path: &str) -> (&str, &str) {
    let rest = path.strip_prefix(SCIM_PATH).unwrap_or_default();
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}

/// The organization that the request is for, or the refusal.
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
    match provisioner.has_organization(&id).await {
        Ok(true) => Ok(provisioner.organization(&id)),
        Ok(false) => Err(unauthorized()),
        Err(error) => {
            tracing::error!(request_id, "the organization can't be looked up: {error}");
            Err(ScimResponse::error(503, "The storage is unavailable for the moment.", request_id))
        }
    }
}

async fn respond(
    organization: &Organization,
    path: &str,
    head: &request::Parts,
    body: Vec<u8>,
    request_id: &str,
) -> ScimResponse {
    // RFC 9110 §9.3.2: a HEAD is a GET whose body is not sent; hyper leaves it out and keeps its length.
    let method = if head.method == Method::HEAD { &Method::GET } else { &head.method };
    let request = ScimRequest {
        method: method.as_str().to_owned(),
        path: path.to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: forwarded(&head.headers),
        body,
        base_url: organization.connector_url(),
        request_id: request_id.to_owned(),
        sender_address: sender(head).map(|address| address.to_string()),
    };
    organization.scim(request).await
}

/// What the component answers where no token is valid: who has none learns nothing about which organizations there are.
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
    fn a_token_in_the_path_is_not_logged() {
        assert_eq!(without_secrets("/Users/7"), "/Users/7");
        assert_eq!(without_secrets("/insm_scim_abc/Users"), "/insm_…/Users");
        assert_eq!(without_secrets("x:insm_scim_abc/insm_cs_d"), "x:insm_…/insm_…");
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
