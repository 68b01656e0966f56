//! The answer to requests that can't be read. The HTTP library refuses them with a status and an empty body before the
//! server sees them. Here the refusal becomes a SCIM error (RFC 7644 §3.12), and gets a line in the log.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{request_id, service};
use crate::scim::ScimResponse;

/// A connection on which every refusal has a body.
pub(super) struct Readable<S> {
    stream: S,
    refusal: Option<Refusal>,
}

/// A refusal that is sent instead of the library's.
struct Refusal {
    bytes: Vec<u8>,
    sent: usize,
    /// How many bytes the library wants to send instead.
    of_library: usize,
}

impl<S> Readable<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, refusal: None }
    }
}

impl<S: AsyncWrite + Unpin> Readable<S> {
    /// Sends the rest of a refusal, and then tells the library that its own was sent.
    fn poll_refusal(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<usize>>> {
        while let Some(refusal) = &mut self.refusal {
            let Some(rest) = refusal.bytes.get(refusal.sent..).filter(|rest| !rest.is_empty()) else {
                let of_library = refusal.of_library;
                self.refusal = None;
                return Poll::Ready(Ok(Some(of_library)));
            };
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => refusal.sent += written,
            }
        }
        Poll::Ready(Ok(None))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Readable<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Readable<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.refusal.is_none() {
            self.refusal = in_place_of(bytes);
        }
        match ready!(self.poll_refusal(context))? {
            Some(of_library) => Poll::Ready(Ok(of_library)),
            None => Pin::new(&mut self.stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.refusal.is_none()
            && let [only] = parts
        {
            self.refusal = in_place_of(only);
        }
        match ready!(self.poll_refusal(context))? {
            Some(of_library) => Poll::Ready(Ok(of_library)),
            None => Pin::new(&mut self.stream).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The refusal to send instead of these bytes, if they are a refusal of the library: a head with one of its statuses,
/// without a body, and without the header fields that every answer of this server has.
fn in_place_of(bytes: &[u8]) -> Option<Refusal> {
    let text = std::str::from_utf8(bytes).ok()?.strip_prefix("HTTP/1.")?.strip_suffix("\r\n\r\n")?;
    let mut lines = text.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?;
    let (status, detail) = match status {
        "400" => (400, "The request can't be read: its first line or a header field is not one of HTTP."),
        "414" => (414, "The URL is too long."),
        "431" => (431, "The header of the request is too large."),
        _ => return None,
    };
    let mut date = None;
    let mut is_empty = false;
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "content-length" => is_empty = value == "0",
            "date" => date = Some(value),
            "connection" => {}
            _ => return None,
        }
    }
    is_empty.then(|| Refusal { bytes: refusal(status, detail, date), sent: 0, of_library: bytes.len() })
}

fn refusal(status: u16, detail: &str, date: Option<&str>) -> Vec<u8> {
    let request_id = request_id::next();
    service::quietly(|| {
        tracing::info!(target: "insomnia_scim::request", request_id, status, "a request could not be read");
    });
    let ScimResponse { headers, body, .. } = ScimResponse::error(status, detail, &request_id);
    let reason =
        http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
    let mut head = format!("HTTP/1.1 {status} {reason}\r\n");
    for (name, value) in headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .chain([("cache-control", "no-store"), ("connection", "close")])
    {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.extend(date.map(|date| format!("date: {date}\r\n")));
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&body);
    bytes
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const OF_LIBRARY: &str = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: Sun, 29 Nov 2026 09:00:00 GMT\r\n\r\n";

    /// The bytes that arrive when this is written through a pipe that accepts this many bytes at a time.
    async fn sent(text: &str, at_once: usize) -> String {
        let (near, mut far) = tokio::io::duplex(at_once);
        let text = text.to_owned();
        let writes = tokio::spawn(async move {
            let mut near = Readable::new(near);
            near.write_all(text.as_bytes()).await.unwrap();
            near.shutdown().await.unwrap();
        });
        let mut arrived = String::new();
        far.read_to_string(&mut arrived).await.unwrap();
        writes.await.unwrap();
        arrived
    }

    #[tokio::test]
    async fn rfc_011_an_empty_refusal_of_the_library_becomes_a_scim_error() {
        for at_once in [1, 7, 4_096] {
            let arrived = sent(OF_LIBRARY, at_once).await;
            let (head, body) = arrived.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
            for field in ["content-type: application/scim+json", "connection: close", "cache-control: no-store"] {
                assert!(head.contains(&format!("\r\n{field}")), "{field} in {head}");
            }
            assert!(head.contains(&format!("\r\ncontent-length: {}", body.len())), "{head}");
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(body["status"], "400");
            assert_eq!(body["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
        }
    }

    #[tokio::test]
    async fn every_other_answer_is_sent_as_it_is() {
        for text in [
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\ncache-control: no-store\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            "plain bytes",
        ] {
            assert_eq!(sent(text, 16).await, text);
        }
    }
}
