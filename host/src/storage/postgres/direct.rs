//! Finds out whether a connection has a server process of its own, or shares one with others behind a pool.
//!
//! When a client connects, a server tells it the number of the process that serves the connection, so that calls can be
//! cancelled; a pool tells a number of its own. The connection therefore goes to the server itself if the process that
//! answers a statement has the number that was told. Only then may the session keep state between statements, such as
//! prepared statements and locks.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::{Client, Error};

/// The beginning of a cancel request: its length and its code.
const CANCEL: [u8; 8] = [0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e];

/// Whether the connection has a server process of its own.
pub(super) async fn is_direct(client: &Client) -> Result<bool, Error> {
    let row = client.query_typed_one("SELECT pg_backend_pid()", &[]).await?;
    let answers: i32 = row.try_get(0)?;
    Ok(told(client).await == Some(answers))
}

/// The process number that was told when the connection was opened. The library only reveals it in a cancel request, so
/// one is written to a fake connection.
async fn told(client: &Client) -> Option<i32> {
    let written = Nobody::default();
    client.cancel_token().cancel_query_raw(written.clone(), written.clone()).await.ok()?;
    process_of(&written.0.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The process number in the cancel request at the end of these bytes.
fn process_of(written: &[u8]) -> Option<i32> {
    let request = written.last_chunk::<16>()?;
    let (begin, rest) = request.split_first_chunk::<8>()?;
    let number = rest.first_chunk::<4>()?;
    (*begin == CANCEL).then(|| i32::from_be_bytes(*number))
}

/// A fake connection. It keeps what is written, and accepts every offer to encrypt without encrypting.
#[derive(Clone, Default)]
struct Nobody(Arc<Mutex<Vec<u8>>>);

impl AsyncRead for Nobody {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // The answer to the only question that is asked: whether to encrypt.
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
