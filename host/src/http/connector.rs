//! Connections for [`super::EgressClient`]. They go to exactly the address that was checked.
//!
//! The check is below the connection pool and above the socket, so that a name can't mean one address for the check and
//! another for the connection.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tower_service::Service;

use super::egress::{Destination, EgressPolicy, Refusal};
use super::resolver::Resolver;

/// How many of a host's addresses are tried.
const ADDRESSES: usize = 4;

/// Connects for one organization.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) policy: Arc<EgressPolicy>,
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) tls: TlsConnector,
    pub(super) timeout: Duration,
}

/// The reason why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the host {host} can't be resolved: {source}")]
    Resolve { host: String, source: io::Error },
    #[error("no connection to {host} port {port}: {source}")]
    Connect { host: String, port: u16, source: io::Error },
    #[error("no TLS connection to {host} port {port}: {source}")]
    Tls { host: String, port: u16, source: io::Error },
    #[error("no connection to {host} port {port} within {limit:?}")]
    Timeout { host: String, port: u16, limit: Duration },
    #[error("the URL has no host")]
    NoHost,
}

impl Service<Uri> for Connector {
    type Response = Link;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Link, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let to = destination(&uri)?;
            let limit = connector.timeout;
            match timeout(limit, connector.connect(&to)).await {
                Ok(result) => result,
                Err(_) => Err(ConnectError::Timeout { host: to.host, port: to.port, limit }),
            }
        })
    }
}

impl Connector {
    async fn connect(&self, to: &Destination) -> Result<Link, ConnectError> {
        let resolved = match to.host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self
                .resolver
                .resolve(&to.host)
                .await
                .map_err(|source| ConnectError::Resolve { host: to.host.clone(), source })?,
        };
        if resolved.is_empty() {
            let source = io::Error::new(io::ErrorKind::NotFound, "it has no address");
            return Err(ConnectError::Resolve { host: to.host.clone(), source });
        }
        let mut addresses = self.policy.addresses(to, &resolved)?;
        addresses.truncate(ADDRESSES);
        let stream = self.open(&addresses, to.port).await.map_err(|source| ConnectError::Connect {
            host: to.host.clone(),
            port: to.port,
            source,
        })?;
        if to.plain {
            return Ok(Link(TokioIo::new(Box::new(stream))));
        }
        let failed = |source| ConnectError::Tls { host: to.host.clone(), port: to.port, source };
        let name = ServerName::try_from(to.host.clone()).map_err(|error| failed(io::Error::other(error)))?;
        let stream = self.tls.connect(name, stream).await.map_err(failed)?;
        Ok(Link(TokioIo::new(Box::new(stream))))
    }

    /// The first address that answers. A silent one leaves time for the next ones.
    async fn open(&self, addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
        let each = self.timeout / u32::try_from(addresses.len().max(1)).unwrap_or(1);
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for &address in addresses {
            match timeout(each, TcpStream::connect(SocketAddr::new(address, port))).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(last)
    }
}

fn destination(uri: &Uri) -> Result<Destination, ConnectError> {
    let host = uri.host().ok_or(ConnectError::NoHost)?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let plain = uri.scheme() == Some(&http::uri::Scheme::HTTP);
    Ok(Destination {
        host: bare.trim_end_matches('.').to_ascii_lowercase(),
        port: uri.port_u16().unwrap_or(if plain { 80 } else { 443 }),
        plain,
    })
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection, with or without TLS.
pub(super) struct Link(TokioIo<Box<dyn Stream>>);

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Link {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl Write for Link {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
