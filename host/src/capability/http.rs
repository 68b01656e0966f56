//! Outgoing HTTP: the trait that an embedder implements, and the interface of `wit/http.wit`.

use std::time::Duration;

use async_trait::async_trait;
use wasmtime::component::{HasData, Linker};

use super::Capabilities;
use super::storage::OrganizationId;
use crate::component::InstanceState;
use crate::component::bindings::insomnia::scim::http as wit;
use crate::quota::{Quota, Usage};

/// A request to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingRequest {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`; not checked yet.
    pub method: String,
    /// An absolute URL; not checked yet.
    pub url: String,
    /// Header fields: name and value; not checked yet.
    pub headers: Vec<(String, String)>,
    /// The body; may be empty.
    pub body: Vec<u8>,
    /// How long the request may take. The client's own limit applies as well.
    pub timeout: Option<Duration>,
}

/// A response, of whatever status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingResponse {
    /// The status code.
    pub status: u16,
    /// Header fields: name in lower case, and value.
    pub headers: Vec<(String, String)>,
    /// At most 1 MiB.
    pub body: Vec<u8>,
}

/// The reason why there is no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The host has no HTTP client.
    #[error("no HTTP client is configured")]
    NotConfigured,
    /// The egress policy forbids the destination.
    #[error("the destination is not allowed: {0}")]
    NotAllowed(String),
    /// The URL, the method or a header field is not valid.
    #[error("the request is not valid: {0}")]
    Invalid(String),
    /// The time limit was reached. The request may have taken effect.
    #[error("the request timed out")]
    Timeout,
    /// The response is larger than 1 MiB.
    #[error("the response is too large")]
    TooLarge,
    /// There was no connection, or it broke. The request may have taken effect.
    #[error("the destination can't be reached: {0}")]
    Unreachable(String),
    /// Any other error; the text is for the host's log.
    #[error("the request failed: {0}")]
    Other(String),
}

/// Sends HTTP requests for organizations. The implementation decides which destinations are allowed. URLs come from
/// organizations, so it must refuse addresses that are not public, after name resolution and on every redirect.
#[async_trait]
pub trait HttpClient: Send + Sync + 'static {
    /// Sends the request and reads the whole response.
    ///
    /// # Errors
    /// Those of [`HttpError`].
    async fn send(
        &self,
        organization: &OrganizationId,
        request: OutgoingRequest,
    ) -> Result<IncomingResponse, HttpError>;

    /// Checks whether requests of the organization to this URL would be refused whatever its host name resolves to. It
    /// is asked before a URL is saved; [`HttpClient::send`] checks again. By default nothing is refused here.
    ///
    /// # Errors
    /// [`HttpError::NotAllowed`] says why not. Text that is no URL is not refused here.
    fn permits(&self, _organization: &OrganizationId, _url: &str) -> Result<(), HttpError> {
        Ok(())
    }
}

/// The default: every request is answered [`HttpError::NotConfigured`].
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHttpClient;

#[async_trait]
impl HttpClient for NoHttpClient {
    async fn send(&self, _: &OrganizationId, _: OutgoingRequest) -> Result<IncomingResponse, HttpError> {
        Err(HttpError::NotConfigured)
    }
}

/// The parts of the host that a call of this interface needs.
pub(crate) struct HttpView<'a> {
    organization: &'a OrganizationId,
    capabilities: &'a Capabilities,
    usage: &'a Usage,
}

struct HasHttp;

impl HasData for HasHttp {
    type Data<'a> = HttpView<'a>;
}

pub(crate) fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasHttp>(linker, |state| HttpView {
        organization: state.organization(),
        capabilities: state.capabilities(),
        usage: state.usage(),
    })
}

impl wit::Host for HttpView<'_> {
    async fn send(&mut self, request: wit::HttpRequest) -> Result<wit::HttpResponse, wit::HttpError> {
        let taken = self.usage.take(Quota::HttpRequestsPerHour, 1);
        taken.map_err(|exceeded| wit::HttpError::Other(exceeded.to_string()))?;
        let mut headers = request.headers;
        let span = self.capabilities.traces.of_sending(&request.method, &request.url, &mut headers);
        let request = OutgoingRequest {
            method: request.method,
            url: request.url,
            headers,
            body: request.body,
            timeout: request.timeout_milliseconds.map(|time| Duration::from_millis(time.into())),
        };
        let sent = self.capabilities.http.send(self.organization, request);
        match self.capabilities.metrics.outgoing.measured("http", "send", sent).await {
            Ok(IncomingResponse { status, headers, body }) => {
                span.answered(status, false);
                Ok(wit::HttpResponse { status, headers, body })
            }
            Err(error) => {
                span.fail(kind(&error));
                Err(match error {
                    HttpError::NotConfigured => wit::HttpError::NotConfigured,
                    HttpError::NotAllowed(why) => wit::HttpError::NotAllowed(why),
                    HttpError::Invalid(why) => wit::HttpError::Invalid(why),
                    HttpError::Timeout => wit::HttpError::Timeout,
                    HttpError::TooLarge => wit::HttpError::TooLarge,
                    HttpError::Unreachable(why) => wit::HttpError::Unreachable(why),
                    HttpError::Other(why) => wit::HttpError::Other(why),
                })
            }
        }
    }
}

/// The name of the error in trace spans.
fn kind(error: &HttpError) -> &'static str {
    match error {
        HttpError::NotConfigured => "not-configured",
        HttpError::NotAllowed(_) => "not-allowed",
        HttpError::Invalid(_) => "invalid",
        HttpError::Timeout => "timeout",
        HttpError::TooLarge => "too-large",
        HttpError::Unreachable(_) => "unreachable",
        HttpError::Other(_) => "other",
    }
}
