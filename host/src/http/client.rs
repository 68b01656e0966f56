//! The HTTP client that follows the egress policy.

use std::collections::HashMap;
use std::error::Error as _;
use std::fmt;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{HeaderMap, LOCATION};
use http::{Method, Request, Uri};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::Url;

use super::config::{HttpConfig, HttpConfigError, HttpLimits, LONGEST};
use super::connector::{ConnectError, Connector};
use super::egress::{EgressConfig, EgressPolicy};
use super::resolver::{Resolver, SystemResolver};
use super::{guest_headers, redirect};
use crate::capability::http::{HttpClient, HttpError, IncomingResponse, OutgoingRequest};
use crate::capability::storage::OrganizationId;

/// The largest URL, in bytes.
const URL_BYTES: usize = 8 * 1024;
/// The most bytes that the head of a response may have.
const HEAD_BYTES: usize = 64 * 1024;
/// The most header fields that a response may have.
const HEAD_FIELDS: usize = 100;
/// How long an idle connection is kept for the next request: servers close idle ones after about a minute.
const IDLE: Duration = Duration::from_secs(30);
/// How many organizations have connections of their own at a time.
const POOLS: usize = 256;

type Pool = Client<Connector, Full<Bytes>>;

/// Sends requests under an egress policy.
///
/// It reads no environment, uses no proxy and keeps no cookies. Connections are kept for reuse, but each organization
/// has its own: what one was permitted to connect to never serves another.
pub struct EgressClient {
    policy: Arc<EgressPolicy>,
    organizations: HashMap<OrganizationId, Arc<EgressPolicy>>,
    resolver: Arc<dyn Resolver>,
    tls: TlsConnector,
    limits: HttpLimits,
    pools: Mutex<HashMap<OrganizationId, (Pool, Instant)>>,
}

impl fmt::Debug for EgressClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EgressClient")
            .field("policy", &self.policy)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl EgressClient {
    /// A client with this policy for every organization. It trusts Mozilla's certificate authorities, and those of
    /// `authorities` (PEM) besides.
    ///
    /// # Errors
    /// If `authorities` holds no certificate or one that can't be read.
    pub fn new(policy: EgressPolicy, authorities: Option<&[u8]>) -> Result<Self, HttpConfigError> {
        Ok(Self {
            policy: Arc::new(policy),
            organizations: HashMap::new(),
            resolver: Arc::new(SystemResolver),
            tls: TlsConnector::from(Arc::new(tls(authorities)?)),
            limits: HttpLimits::default(),
            pools: Mutex::default(),
        })
    }

    /// Another policy for one organization.
    #[must_use]
    pub fn organization(mut self, organization: OrganizationId, policy: EgressPolicy) -> Self {
        self.organizations.insert(organization, Arc::new(policy));
        self.without_connections()
    }

    /// Other limits.
    #[must_use]
    pub fn limits(mut self, limits: HttpLimits) -> Self {
        self.limits = limits;
        self.without_connections()
    }

    /// Another way to resolve names.
    #[must_use]
    pub fn resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.resolver = resolver;
        self.without_connections()
    }

    /// Connections belong to the settings with which they were made, so a change of the settings closes them.
    fn without_connections(mut self) -> Self {
        self.pools = Mutex::default();
        self
    }

    fn policy_of(&self, organization: &OrganizationId) -> &Arc<EgressPolicy> {
        self.organizations.get(organization).unwrap_or(&self.policy)
    }

    fn pool(&self, organization: &OrganizationId) -> Pool {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((pool, used)) = pools.get_mut(organization) {
            *used = Instant::now();
            return pool.clone();
        }
        if pools.len() >= POOLS
            && let Some(oldest) = pools.iter().min_by_key(|(_, (_, used))| *used).map(|(id, _)| id.clone())
        {
            pools.remove(&oldest);
        }
        let connector = Connector {
            policy: Arc::clone(self.policy_of(organization)),
            resolver: Arc::clone(&self.resolver),
            tls: self.tls.clone(),
            timeout: self.limits.connect_timeout,
        };
        let pool = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(2)
            .http1_max_buf_size(HEAD_BYTES)
            .http1_max_headers(HEAD_FIELDS)
            .build(connector);
        pools.insert(organization.clone(), (pool.clone(), Instant::now()));
        pool
    }

    async fn exchange(
        &self,
        organization: &OrganizationId,
        method: Method,
        mut url: Url,
        mut headers: HeaderMap,
        mut body: Bytes,
    ) -> Result<IncomingResponse, HttpError> {
        let pool = self.pool(organization);
        let mut redirects = 0;
        loop {
            self.policy_of(organization)
                .check_url(&url)
                .map_err(|refusal| HttpError::NotAllowed(refusal.to_string()))?;
            url.set_fragment(None);
            let uri: Uri = url.as_str().parse().map_err(|_| HttpError::Invalid("the URL can't be sent".into()))?;
            let mut request = Request::new(Full::new(body.clone()));
            *request.method_mut() = method.clone();
            *request.uri_mut() = uri;
            *request.headers_mut() = headers.clone();
            let response = pool.request(request).await.map_err(|error| failure(&error))?;

            let location = response.headers().get(LOCATION).filter(|_| redirect::follows(&method, response.status()));
            let Some(location) = location else {
                return self.answer(response).await;
            };
            redirects += 1;
            if redirects > redirect::MOST {
                return Err(HttpError::Other(format!("more than {} redirects", redirect::MOST)));
            }
            let next = redirect::target(&url, location.as_bytes())?;
            if next.origin() != url.origin() {
                headers = guest_headers::for_another_origin(&headers);
            }
            // A GET's body is not sent to the next server.
            body = Bytes::new();
            url = next;
        }
    }

    async fn answer(&self, response: http::Response<hyper::body::Incoming>) -> Result<IncomingResponse, HttpError> {
        let (head, body) = response.into_parts();
        let limit = self.limits.max_response;
        if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(HttpError::TooLarge);
        }
        let body = Limited::new(body, limit).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                HttpError::TooLarge
            } else {
                HttpError::Unreachable(format!("the connection broke within the response: {error}"))
            }
        })?;
        let headers = head.headers.iter();
        let headers = headers
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        Ok(IncomingResponse { status: head.status.as_u16(), headers, body: body.to_bytes().into() })
    }
}

#[async_trait]
impl HttpClient for EgressClient {
    async fn send(
        &self,
        organization: &OrganizationId,
        request: OutgoingRequest,
    ) -> Result<IncomingResponse, HttpError> {
        let method = match request.method.as_str() {
            "GET" => Method::GET,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            _ => return Err(HttpError::Invalid("the method is not GET, POST, PUT, PATCH or DELETE".into())),
        };
        if request.url.len() > URL_BYTES {
            return Err(HttpError::Invalid(format!("the URL is longer than {URL_BYTES} bytes")));
        }
        if request.body.len() > self.limits.max_request {
            return Err(HttpError::Invalid(format!("the body is larger than {} bytes", self.limits.max_request)));
        }
        let url = Url::parse(&request.url).map_err(|error| HttpError::Invalid(format!("not a URL: {error}")))?;
        let headers = guest_headers::checked(request.headers)?;
        let limit = request.timeout.map_or(self.limits.timeout, |wanted| wanted.min(self.limits.timeout));
        let exchange = self.exchange(organization, method, url, headers, request.body.into());
        tokio::time::timeout(limit, exchange).await.unwrap_or(Err(HttpError::Timeout))
    }

    fn permits(&self, organization: &OrganizationId, url: &str) -> Result<(), HttpError> {
        let Ok(url) = Url::parse(url) else { return Ok(()) };
        let checked = self.policy_of(organization).check_url(&url);
        checked.map(drop).map_err(|refusal| HttpError::NotAllowed(refusal.to_string()))
    }
}

impl HttpConfig {
    /// The client that the configuration describes.
    ///
    /// # Errors
    /// [`HttpConfigError`] says why the configuration can't be used.
    pub fn client(&self) -> Result<EgressClient, HttpConfigError> {
        let authorities = match &self.ca_file {
            Some(path) => {
                Some(fs::read(path).map_err(|source| HttpConfigError::CaFile { path: path.clone(), source })?)
            }
            None => None,
        };
        let base = EgressConfig { only: self.only.clone(), permit: self.permit.clone(), ports: self.ports.clone() };
        let ports = self.organizations.values().map(|own| &own.ports).chain([&self.ports]);
        if ports.flatten().flatten().any(|port| *port == 0) {
            return Err(HttpConfigError::Port);
        }
        let defaults = HttpLimits::default();
        let limits = HttpLimits {
            timeout: seconds("timeout-seconds", self.timeout_seconds)?.unwrap_or(defaults.timeout),
            connect_timeout: seconds("connect-timeout-seconds", self.connect_timeout_seconds)?
                .unwrap_or(defaults.connect_timeout),
            ..defaults
        };
        let mut client = EgressClient::new(EgressPolicy::new(&base)?, authorities.as_deref())?.limits(limits);
        for (name, own) in &self.organizations {
            let organization =
                OrganizationId::parse(name).map_err(|error| HttpConfigError::Organization(name.clone(), error))?;
            let rules = EgressConfig {
                only: own.only.clone().or_else(|| base.only.clone()),
                permit: [base.permit.as_slice(), own.permit.as_slice()].concat(),
                ports: own.ports.clone().or_else(|| base.ports.clone()),
            };
            client = client.organization(organization, EgressPolicy::new(&rules)?);
        }
        Ok(client)
    }
}

/// The setting with this name as a time.
fn seconds(name: &'static str, set: Option<u64>) -> Result<Option<Duration>, HttpConfigError> {
    match set {
        Some(found) if !(1..=LONGEST).contains(&found) => Err(HttpConfigError::Seconds { name, found }),
        set => Ok(set.map(Duration::from_secs)),
    }
}

/// The error that the guest gets for a failure of the client.
fn failure(error: &ClientError) -> HttpError {
    let mut cause = error.source();
    let mut deepest = error.to_string();
    while let Some(source) = cause {
        if let Some(error) = source.downcast_ref::<ConnectError>() {
            return match error {
                ConnectError::Refused(refusal) => HttpError::NotAllowed(refusal.to_string()),
                other => HttpError::Unreachable(other.to_string()),
            };
        }
        if source.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse_too_large) {
            return HttpError::TooLarge;
        }
        deepest = source.to_string();
        cause = source.source();
    }
    HttpError::Unreachable(format!("the connection broke: {deepest}"))
}

fn tls(authorities: Option<&[u8]>) -> Result<ClientConfig, HttpConfigError> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(pem) = authorities {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| HttpConfigError::Certificate(error.to_string()))?;
            roots.add(certificate).map_err(|error| HttpConfigError::Certificate(error.to_string()))?;
        }
        if roots.len() == before {
            return Err(HttpConfigError::Certificate("there is no certificate in it".into()));
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder =
        builder.with_safe_default_protocol_versions().map_err(|error| HttpConfigError::Tls(error.to_string()))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    // A TLS session of one organization must not be resumed by another.
    config.resumption = Resumption::disabled();
    Ok(config)
}
