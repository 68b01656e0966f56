//! Reading a request's body, within its size and its time.

use std::pin::Pin;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use bytes::{Buf, Bytes};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::timeout;

/// The largest body of a request for one user, in bytes.
pub const MAX_BODY: usize = 1 << 20;
/// The largest body of a request for a group, or of a bulk request, in bytes.
pub const MAX_LARGE_BODY: usize = 8 << 20;
/// How long a body may take to arrive.
const TIME: Duration = Duration::from_secs(30);
/// How much of a refused body is read before the answer, and for how long: a client that is still sending would
/// otherwise see its connection reset instead of the answer.
const DRAIN: usize = 32 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    TooSlow,
    /// The connection broke, or the encoding is not HTTP.
    Broken,
}

/// The largest body that the resource below the connector URL takes.
pub(super) fn limit(path: &str) -> usize {
    let resource = path.split('/').find(|part| !part.is_empty()).unwrap_or_default();
    let large = resource.eq_ignore_ascii_case("Groups") || resource.eq_ignore_ascii_case("Bulk");
    if large { MAX_LARGE_BODY } else { MAX_BODY }
}

/// Reads the whole body.
pub(crate) async fn read<B>(headers: &HeaderMap, body: B, limit: usize) -> Result<Vec<u8>, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.is_end_stream() {
        return Ok(Vec::new());
    }
    let mut body = Pin::from(Box::new(body));
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let read = if announced.is_some_and(|length| length > limit) {
        Err(BodyError::TooLarge)
    } else {
        timeout(TIME, collect(&mut body, announced.unwrap_or(0), limit)).await.unwrap_or(Err(BodyError::TooSlow))
    };
    // Who asks first (RFC 9110 §10.1.1) has not begun to send.
    if read == Err(BodyError::TooLarge) && !headers.contains_key(header::EXPECT) {
        let _ = timeout(DRAIN_TIME, drain(&mut body)).await;
    }
    read
}

async fn collect<B>(body: &mut Pin<Box<B>>, expected: usize, limit: usize) -> Result<Vec<u8>, BodyError>
where
    B: Body<Data = Bytes>,
{
    // What is announced is not here yet: no more is reserved for it than a small body needs.
    let mut collected = Vec::with_capacity(expected.min(64 << 10));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Broken)?;
        if let Some(data) = frame.data_ref() {
            if collected.len() + data.len() > limit {
                return Err(BodyError::TooLarge);
            }
            collected.extend_from_slice(data);
        }
    }
    Ok(collected)
}

async fn drain<B: Body<Data = Bytes>>(body: &mut Pin<Box<B>>) {
    let mut left = DRAIN;
    while let Some(Ok(frame)) = body.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Buf::remaining));
        if left == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;
    use std::convert::Infallible;

    #[test]
    fn groups_and_bulk_take_large_bodies_and_nothing_else_does() {
        for path in ["/Groups", "/Groups/1", "/groups/", "//Groups", "/Bulk"] {
            assert_eq!(limit(path), MAX_LARGE_BODY, "{path}");
        }
        for path in ["", "/", "/Users", "/Users/Groups", "/GroupsX", "/.search"] {
            assert_eq!(limit(path), MAX_BODY, "{path}");
        }
    }

    #[tokio::test]
    async fn a_body_of_exactly_the_limit_is_read_and_one_more_byte_is_not() {
        let headers = HeaderMap::new();
        assert_eq!(read(&headers, Full::from(vec![1; 10]), 10).await, Ok(vec![1; 10]));
        assert_eq!(read(&headers, Full::from(vec![1; 11]), 10).await, Err(BodyError::TooLarge));
        let mut announced = HeaderMap::new();
        announced.insert(header::CONTENT_LENGTH, 11.into());
        assert_eq!(read(&announced, Full::from(vec![1; 1]), 10).await, Err(BodyError::TooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_given_up() {
        assert_eq!(read(&HeaderMap::new(), Never, 10).await, Err(BodyError::TooSlow));
    }

    struct Never;

    impl Body for Never {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
            std::task::Poll::Pending
        }
    }
}
