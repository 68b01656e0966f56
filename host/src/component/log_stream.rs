//! The guest's stderr: whole lines go to the host's log, up to a limit for each instance.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::capability::storage::OrganizationId;

/// How many bytes one instance may write in its life; the rest is dropped.
const MOST: usize = 64 << 10;
/// The longest line, in bytes; a longer one is split.
const LINE: usize = 4 << 10;
/// How many bytes one call may write at a time.
const PERMIT: usize = 4 << 10;

/// The stream of one instance.
#[derive(Clone)]
pub(super) struct LogStream(Arc<Mutex<Line>>);

struct Line {
    organization: OrganizationId,
    buffer: Vec<u8>,
    left: usize,
}

impl LogStream {
    pub(super) fn new(organization: OrganizationId) -> Self {
        Self(Arc::new(Mutex::new(Line { organization, buffer: Vec::new(), left: MOST })))
    }

    fn take(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(bytes);
    }
}

impl Line {
    fn take(&mut self, bytes: &[u8]) {
        let taken = &bytes[..bytes.len().min(self.left)];
        self.left -= taken.len();
        for &byte in taken {
            if byte == b'\n' || self.buffer.len() == LINE {
                self.emit();
            }
            if byte != b'\n' {
                self.buffer.push(byte);
            }
        }
        if self.left == 0 && !taken.is_empty() {
            self.emit();
            tracing::warn!(organization = %self.organization, "the guest has written too much; the rest is dropped");
        }
    }

    fn emit(&mut self) {
        if !self.buffer.is_empty() {
            let line = self.buffer.escape_ascii();
            tracing::warn!(target: "insomnia_scim::guest", organization = %self.organization, "{line}");
            self.buffer.clear();
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.emit();
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for LogStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
