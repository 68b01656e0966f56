//! The standalone server: accepts connections, and stops without breaking off what it has begun.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};
use tower::{Service as _, ServiceExt as _};

use super::ScimService;
use super::health::Readiness;
use crate::capability::storage::StorageError;
use crate::provisioner::Provisioner;

/// How long a client may take to send the header of a request, and how long a connection may be idle.
const HEADER_TIME: Duration = Duration::from_secs(60);
/// How long a connection may take to send the header of its first request: one that says nothing must not keep others
/// out.
const FIRST_REQUEST: Duration = Duration::from_secs(30);
/// The largest request line and header; more is answered 431.
const HEADER_BYTES: usize = 64 << 10;
/// Connections at the same time; more wait to be accepted.
const CONNECTIONS: usize = 8_192;
/// How long requests that have begun may take to end when the server stops: longer than a call may take.
const STOP_TIME: Duration = Duration::from_secs(65);
/// Pause after a failure to accept, for instance because there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the server ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The listener's address can't be told.
    #[error("the listener can't be used: {0}")]
    Listener(#[from] io::Error),
    /// What was logged last could not be stored.
    #[error("the last log entries could not be stored: {0}")]
    Flush(#[from] StorageError),
}

/// Serves the SCIM endpoint and these routes until `stop` is ready; then takes no more requests, finishes those that have
/// begun, and stores what was logged. `readiness` is set while requests are taken.
///
/// # Errors
/// [`ServeError`] says what went wrong at the end.
pub(crate) async fn listen(
    provisioner: &Provisioner,
    routes: axum::Router,
    readiness: Readiness,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let service = Entry { scim: ScimService::new(provisioner.clone()), others: routes };
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(HEADER_BYTES);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(HEADER_BYTES as u32).keep_alive_interval(HEADER_TIME);
    let builder = Arc::new(builder);
    readiness.set(true);

    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted,
            () = &mut stop => break,
        };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("a connection can't be accepted: {error}");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (service, builder, watcher) = (service.clone(), Arc::clone(&builder), graceful.watcher());
        tokio::spawn(async move {
            let asked = Arc::new(Notify::new());
            let asks = Arc::clone(&asked);
            let service = service_fn(move |mut request: Request<Incoming>| {
                asks.notify_one();
                request.extensions_mut().insert(ConnectInfo(peer));
                service.clone().call(request)
            });
            let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
            let mut connection = std::pin::pin!(watcher.watch(connection));
            let ended = tokio::select! {
                ended = &mut connection => Some(ended),
                first = timeout(FIRST_REQUEST, asked.notified()) => match first {
                    Ok(()) => Some(connection.await),
                    Err(_) => None,
                },
            };
            match ended {
                Some(Ok(())) => {}
                Some(Err(error)) => tracing::debug!("a connection ended early: {error}"),
                None => tracing::debug!("a connection without a request is closed"),
            }
            drop(permit);
        });
    }

    readiness.set(false);
    drop(listener);
    tracing::info!("stopping: {} connections are open", graceful.count());
    if timeout(STOP_TIME, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end within {STOP_TIME:?} and are broken off");
    }
    provisioner.flush().await?;
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, Option<tokio::sync::OwnedSemaphorePermit>)> {
    let permit = Arc::clone(connections).acquire_owned().await.ok();
    let (stream, peer) = listener.accept().await?;
    // Answers are written whole: waiting to fill a packet would only delay them.
    stream.set_nodelay(true)?;
    Ok((stream, peer, permit))
}

/// What a request meets first: SCIM goes straight to its service, all else through the router.
#[derive(Clone)]
struct Entry {
    scim: ScimService,
    others: axum::Router,
}

impl Entry {
    async fn call(mut self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let path = request.uri().path();
        if path.strip_prefix("/scim").is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            self.scim.call(request).await
        } else {
            self.others.oneshot(request).await
        }
    }
}
