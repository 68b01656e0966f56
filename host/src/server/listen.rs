//! The standalone server: accepts connections, and finishes all requests that have begun before it stops.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::uri::Authority;
use axum::http::{Request, Response, Version, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{interval, sleep, sleep_until, timeout};
use tokio_rustls::server::TlsStream;
use tower::{Service as _, ServiceExt as _};

use super::answer::refusal;
use super::bill::{Bill, size_of_head};
use super::connection::{Connection, Connections, LOOK, Verdict, Watched};
use super::face::{face, is_below};
use super::health::{Readiness, is_probe};
use super::loggable::loggable;
use super::tls::{self, Tls, WithoutCertificate};
use super::turns::Turns;
use super::unreadable::Readable;
use super::{ScimService, TrustedProxies, receivers, request_id, tracked};
use crate::capability::storage::StorageError;
use crate::hourly::warn_hourly;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::provisioner::Provisioner;
use crate::traces::{Span, Traces};

/// How long a client may take to send the header of a request.
const HEADER_TIME: Duration = Duration::from_secs(60);
/// The largest request line and header; larger ones are answered 431.
const HEADER_BYTES: usize = 64 << 10;
/// HTTP/2: the largest list of header fields of one request.
const HEADER_LIST_BYTES: u32 = 32 << 10;
/// HTTP/2: the most requests of one connection at the same time.
const STREAMS: u32 = 32;
/// HTTP/2: how much of one request's body may be sent before it is read.
const STREAM_WINDOW: u32 = 64 << 10;
/// HTTP/2: how much of all bodies of a connection may be sent before they are read.
const CONNECTION_WINDOW: u32 = 128 << 10;
/// HTTP/2: how much of one answer the library buffers before it is sent.
const SEND_BUFFER: usize = 64 << 10;
/// How long requests that have begun may take when the server stops: longer than a call may take.
const STOP_TIME: Duration = Duration::from_secs(65);
/// How long a new connection may take to send its first request when the server stops. It was accepted, so its client
/// may have sent a request already, which no other server can answer.
const LAST_CALL: Duration = Duration::from_secs(1);
/// The pause after a failure to accept, for instance because there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often other connections are told to end while a new one waits to be accepted.
const ROOM_PAUSE: Duration = Duration::from_millis(20);

/// The addresses of the server, and whether connections to them are encrypted.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    tls: Option<Tls>,
}

impl Listener {
    /// Connections to this address use TLS.
    #[must_use]
    pub fn encrypted(tcp: TcpListener, tls: Tls) -> Self {
        Self { tcp, tls: Some(tls) }
    }
}

/// Connections to this address are not encrypted: a proxy in front of the server encrypts them, or they do not leave
/// the machine.
impl From<TcpListener> for Listener {
    fn from(tcp: TcpListener) -> Self {
        Self { tcp, tls: None }
    }
}

/// The error with which the server has ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The listener's address is unknown.
    #[error("the listener can't be used: {0}")]
    Listener(#[from] io::Error),
    /// The last log entries could not be stored.
    #[error("the last log entries could not be stored: {0}")]
    Flush(#[from] StorageError),
}

/// Serves the SCIM endpoint and these routes until `stop` is ready; then accepts no more requests, finishes those that
/// have begun, and stores the log entries. `readiness` is set while requests are accepted.
///
/// # Errors
/// [`ServeError`] says what went wrong at the end.
pub(crate) async fn listen(
    provisioner: &Provisioner,
    routes: axum::Router,
    readiness: Readiness,
    listener: Listener,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let Listener { tcp: listener, tls } = listener;
    let ledger = provisioner.runtime().ledger().clone();
    let metrics = Arc::clone(provisioner.counts());
    let service = Entry {
        scim: ScimService::new(provisioner.clone()),
        others: routes,
        ledger: ledger.clone(),
        metrics: Arc::clone(&metrics),
        traces: provisioner.traces().clone(),
        proxies: provisioner.trusted_proxies().clone(),
        certificate_missing: false,
    };
    let connections = Connections::new(ledger, descriptors());
    let places = Arc::new(Semaphore::new(connections.most()));
    let builder = Arc::new(http());
    let (stopping, stops) = watch::channel(false);
    // Each connection has a clone of the sender; the receiver sees when the last one is gone.
    let (alive, mut ended) = mpsc::channel::<Infallible>(1);
    readiness.set(true);

    let mut stop = std::pin::pin!(stop);
    let mut renewal = std::pin::pin!(renewal(tls.clone()));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections, &places) => accepted,
            never = &mut renewal => match never {},
            () = &mut stop => break,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn_hourly!("connections"; "a connection can't be accepted: {error}");
                connections.make_room();
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let entered = connections.enter(if tls.is_some() { tls::OF_CONNECTION } else { 0 });
        let open = metrics.levels.connection();
        let (service, builder, stops, alive) = (service.clone(), Arc::clone(&builder), stops.clone(), alive.clone());
        let tls = tls.clone();
        tokio::spawn(async move {
            let connection = &entered.connection;
            let ended = match tls {
                None => drive(stream, peer, connection, service, &builder, stops).await,
                Some(tls) => match agree(&tls, stream, connection, &stops).await {
                    Ok((stream, shown)) => {
                        let certificate_missing = tls.asks_api_clients() && !shown;
                        let service = Entry { certificate_missing, ..service };
                        drive(stream, peer, connection, service, &builder, stops).await
                    }
                    Err(why) => Err(why),
                },
            };
            if let Err(why) = ended {
                tracing::debug!("a connection is ended: {why}");
            }
            drop((entered, place, alive, open));
        });
    }

    readiness.set(false);
    drop((listener, alive));
    tracing::info!("stopping: {} connections are open", connections.count());
    let _ = stopping.send(true);
    if timeout(STOP_TIME, ended.recv()).await.is_err() {
        tracing::warn!("some requests did not end within {STOP_TIME:?} and are broken off");
    }
    provisioner.flush().await?;
    Ok(())
}

/// Renews the certificate when its files change, if there is one.
async fn renewal(tls: Option<Tls>) -> Infallible {
    match tls {
        Some(tls) => tls.renew().await,
        None => std::future::pending().await,
    }
}

/// The HTTP settings.
fn http() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(HEADER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEADER_LIST_BYTES)
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(HEADER_TIME);
    builder
}

/// Agrees with a client on the encryption, unless its place is needed or the server stops. Returns whether the client
/// has shown a certificate.
async fn agree(
    tls: &Tls,
    stream: TcpStream,
    connection: &Connection,
    stops: &watch::Receiver<bool>,
) -> Result<(TlsStream<TcpStream>, bool), String> {
    let mut stops = stops.clone();
    let last_call = async {
        let _ = stops.wait_for(|stopping| *stopping).await;
        sleep(LAST_CALL).await;
    };
    let stream = tokio::select! {
        agreed = tls.accept(stream) => agreed?,
        () = connection.evicted() => return Err("another one needs its place".into()),
        () = last_call => return Err("the server stops".into()),
    };
    let shown = stream.get_ref().1.peer_certificates().is_some();
    Ok((stream, shown))
}

/// Serves one connection to its end, and ends it if it holds what others need.
async fn drive(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    connection: &Arc<Connection>,
    service: Entry,
    builder: &auto::Builder<TokioExecutor>,
    mut stops: watch::Receiver<bool>,
) -> Result<(), String> {
    let of_request = Arc::clone(connection);
    let turns = Turns::default();
    let turns_of_requests = turns.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let (service, connection, turns) = (service.clone(), Arc::clone(&of_request), turns_of_requests.clone());
        async move {
            turns.take().await;
            service.call(request, connection).await
        }
    });
    let io = TokioIo::new(Readable::new(Watched::new(stream, Arc::clone(connection))));
    let mut served = std::pin::pin!(builder.serve_connection(io, service));
    let mut looks = interval(LOOK);
    let mut stopping = false;
    let mut last_call = None;
    loop {
        tokio::select! {
            ended = turns.drive(served.as_mut()) => return ended.map_err(|error| error.to_string()),
            () = connection.evicted() => return Err("another one needs its place".into()),
            _ = stops.changed(), if !stopping => {
                stopping = true;
                if connection.has_begun() {
                    served.as_mut().graceful_shutdown();
                } else {
                    last_call = Some(Instant::now() + LAST_CALL);
                }
            }
            () = sleep_until(last_call.unwrap_or_else(Instant::now).into()), if last_call.is_some() => {
                last_call = None;
                served.as_mut().graceful_shutdown();
            }
            _ = looks.tick() => match connection.verdict(stopping) {
                Verdict::Stay => {}
                Verdict::Finish => served.as_mut().graceful_shutdown(),
                Verdict::GiveUp(why) => return Err(why.into()),
            },
        }
    }
}

async fn accept(
    listener: &TcpListener,
    connections: &Connections,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, Option<OwnedSemaphorePermit>)> {
    let place = loop {
        match timeout(ROOM_PAUSE, Arc::clone(places).acquire_owned()).await {
            Ok(place) => break place.ok(),
            // A connection without a request ends, so that new ones can always be accepted.
            Err(_) => connections.make_room(),
        }
    };
    let (stream, peer) = listener.accept().await?;
    // Answers are written as a whole, so waiting until a packet is full would only delay them.
    stream.set_nodelay(true)?;
    Ok((stream, peer, place))
}

/// How many file descriptors the process may have; `None` if there is no known limit.
fn descriptors() -> Option<u64> {
    #[cfg(unix)]
    return rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    None
}

/// Whether a request says for which host it is, as HTTP demands (RFC 9112 §3.2): in exactly one field `Host`, whose
/// value has the form of a host or is empty. HTTP/1.0 does not need the field, and HTTP/2 has another place for the
/// host.
fn names_its_host<B>(request: &Request<B>) -> bool {
    let mut fields = request.headers().get_all(header::HOST).iter();
    match (fields.next(), fields.next()) {
        (None, _) => request.version() != Version::HTTP_11,
        (Some(only), None) => {
            let value = only.as_bytes();
            value.is_empty() || (!value.contains(&b'@') && Authority::try_from(value).is_ok())
        }
        (Some(_), Some(_)) => false,
    }
}

/// The entry of every request: it is noted in the ledger, then SCIM requests go straight to their service, and all
/// others to the router, including those of receivers of SCIM events.
#[derive(Clone)]
struct Entry {
    scim: ScimService,
    others: axum::Router,
    ledger: Ledger,
    metrics: Arc<Metrics>,
    traces: Traces,
    proxies: TrustedProxies,
    /// Whether the admin API demands a client's certificate and this connection's client has shown none.
    certificate_missing: bool,
}

impl Entry {
    /// Serves a request, and counts it.
    async fn call(self, request: Request<Incoming>, connection: Arc<Connection>) -> Result<Response<Body>, Infallible> {
        let begun = Instant::now();
        let (metrics, uri, method) = (Arc::clone(&self.metrics), request.uri().clone(), request.method().clone());
        // Monitoring asks every second whether the server is alive, which is of no interest in traces.
        let span = match self.traces.is_on() && !is_probe(uri.path()) {
            true => {
                let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
                let is_trusted = peer.is_some_and(|peer| self.proxies.trust(peer.0.ip()));
                self.traces.of_request(&method, &loggable(uri.path()), request.headers(), is_trusted)
            }
            false => Span::none(),
        };
        let response = match span.is_on() {
            true => span.within(Box::pin(self.answer(request, connection))).await?,
            false => self.answer(request, connection).await?,
        };
        let status = response.status().as_u16();
        span.answered(status, true);
        if let Some(id) = response.headers().get(&request_id::X_REQUEST_ID) {
            span.set("insomnia.request_id", || String::from_utf8_lossy(id.as_bytes()).into_owned());
        }
        metrics.requests.count(face(uri.path()), method.as_str(), status, begun.elapsed());
        Ok(response)
    }

    async fn answer(
        mut self,
        mut request: Request<Incoming>,
        connection: Arc<Connection>,
    ) -> Result<Response<Body>, Infallible> {
        let open = connection.begin();
        let head = size_of_head(request.uri(), request.headers());
        let Ok(bill) = Bill::begin(&self.ledger, Some(&connection), head) else {
            return Ok(refusal(503, "Too many requests at the same time.", &request_id::next()));
        };
        // The probes of some load balancers are written by hand and have no `Host`.
        if !is_probe(request.uri().path()) && !names_its_host(&request) {
            let detail = "The request must name the host that it is for, in one field `Host`.";
            return Ok(refusal(400, detail, &request_id::next()));
        }
        request.extensions_mut().insert(bill.clone());
        if self.certificate_missing {
            request.extensions_mut().insert(WithoutCertificate);
        }
        let path = request.uri().path();
        if is_below("/scim", path) && !receivers::is_route(path) {
            // The memory of the request ends here; that of its answer continues.
            drop(bill);
            Ok(tracked::noted(self.scim.call(request).await?, open))
        } else {
            Ok(tracked::outgoing(self.others.oneshot(request).await?, bill, open))
        }
    }
}
