//! A connection that returns what it receives line by line, so that nothing that was sent before TLS is read as if it
//! came after.
//!
//! An attacker between client and server could add replies to the server's answer to STARTTLS. lettre would keep them
//! in its buffer and take them for replies that came over TLS (CVE-2011-0411 is the same fault in servers). Here lettre
//! never gets more than the line it needs. Anything after that line goes to the TLS handshake, and makes it fail.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, ToSocketAddrs};

/// How much is received at once, in bytes.
const CHUNK: usize = 8 * 1024;

/// A TCP connection that is read line by line.
#[derive(Debug)]
pub(super) struct LineStream {
    stream: TcpStream,
    received: Vec<u8>,
}

impl LineStream {
    pub(super) async fn connect(server: impl ToSocketAddrs) -> io::Result<Self> {
        Ok(Self { stream: TcpStream::connect(server).await?, received: Vec::new() })
    }
}

impl AsyncTokioStream for LineStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for LineStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.received.is_empty() {
            let mut chunk = [0; CHUNK];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut chunk))?;
            self.received.extend_from_slice(chunk.filled());
        }
        let line = self.received.iter().position(|&b| b == b'\n').map_or(self.received.len(), |end| end + 1);
        let count = line.min(into.remaining());
        into.put_slice(&self.received[..count]);
        self.received.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LineStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
