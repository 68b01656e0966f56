//! Whether a connection has a process of the server for itself, or shares it with others behind a pool.
//!
//! A server tells who connects the number of the process that serves the connection, so that calls can be cancelled. A pool
//! tells a number of its own. So the connection goes to the server itself if the process that answers a statement has the
//! number that was told. Only then may something be left in the session for later: prepared statements, locks.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::{Client, Error};

/// What a request to cancel begins with: its length and its code.
const CANCEL: [u8; 8] = [0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e];

/// Whether the connection has its process for itself.
pub(super) async fn is_direct(client: &Client) -> Result<bool, Error> {
    let row = client.query_typed_one("SELECT pg_backend_pid()", &[]).await?;
    let answers: i32 = row.try_get(0)?;
    Ok(told(client).await == Some(answers))
}

/// The number that was told when the connection was opened. It can be read nowhere but in a request to cancel, so one is
/// written, to nobody.
async fn told(client: &Client) -> Option<i32> {
    let written = Nobody::default();
    client.cancel_token().cancel_query_raw(written.clone(), written.clone()).await.ok()?;
    process_of(&written.0.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The number in the request to cancel with which this ends.
fn process_of(written: &[u8]) -> Option<i32> {
    let request = written.last_chunk::<16>()?;
    let (begin, rest) = request.split_first_chunk::<8>()?;
    let number = rest.first_chunk::<4>()?;
    (*begin == CANCEL).then(|| i32::from_be_bytes(*number))
}

/// A connection to nobody: keeps what is written, and takes every offer to encrypt without doing so.
#[derive(Clone, Default)]
struct Nobody(Arc<Mutex<Vec<u8>>>);

impl AsyncRead for Nobody {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // The answer to the only question: whether to encrypt.
        if buf.remaining() > 0 {
            buf.put_slice(b"S");
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Nobody {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl TlsStream for Nobody {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl TlsConnect<Self> for Nobody {
    type Stream = Self;
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn connect(self, stream: Self) -> Self::Future {
        ready(Ok(stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_process_is_read_from_a_request_to_cancel() {
        let request = [&CANCEL[..], &77_i32.to_be_bytes(), &[1, 2, 3, 4]].concat();
        assert_eq!(process_of(&request), Some(77));
        let offered = [&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f], &request[..]].concat();
        assert_eq!(process_of(&offered), Some(77), "behind an offer to encrypt");
        assert_eq!(process_of(&request[..15]), None);
        assert_eq!(process_of(&[0; 16]), None);
    }
}
