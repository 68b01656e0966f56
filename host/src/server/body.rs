//! Reads a request's body, limited in size and time.

use std::pin::Pin;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use bytes::{Buf, Bytes};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::bill::Bill;

/// The largest body of a request for one user, in bytes.
pub const MAX_BODY: usize = 1 << 20;
/// The largest body of a request for a group, or of a bulk request, in bytes: 100,000 members with their names.
pub const MAX_LARGE_BODY: usize = 16 << 20;
/// The memory for a body is allocated as it arrives, in steps of at most this many bytes.
const STEP: usize = 64 << 10;
/// How long a body may take to arrive.
const TIME: Duration = Duration::from_secs(30);
/// How much of a refused body is read before the answer, and for how long: otherwise the connection of a client that is
/// still sending would be reset, and the client would not see the answer.
const DRAIN: usize = 32 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// The reason why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    TooSlow,
    /// The connection broke, or the encoding is not HTTP.
    Broken,
    /// There is no memory for it now.
    Busy,
}

/// The largest body for the resource with this path below the connector URL.
pub(super) fn limit(path: &str) -> usize {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let first = parts.next().unwrap_or_default();
    // The component accepts a version in the path (RFC 7644 §3.13).
    let resource = if first.eq_ignore_ascii_case("v2") { parts.next().unwrap_or_default() } else { first };
    let large = resource.eq_ignore_ascii_case("Groups") || resource.eq_ignore_ascii_case("Bulk");
    if large { MAX_LARGE_BODY } else { MAX_BODY }
}

/// Reads the whole body. Its memory is noted in the bill as it arrives, whatever length was announced.
///
/// # Errors
/// [`BodyError`] says why there is none.
pub(crate) async fn read<B>(headers: &HeaderMap, body: B, limit: usize, bill: &Bill) -> Result<Vec<u8>, BodyError>
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
        // A small body, as most are, only takes its announced length.
        let step = announced.map_or(STEP, |length| length.min(STEP)).min(limit);
        timeout(TIME, collect(&mut body, limit, step, bill)).await.unwrap_or(Err(BodyError::TooSlow))
    };
    if matches!(read, Err(BodyError::TooLarge | BodyError::Busy)) {
        discard_rest(headers, &mut body, bill).await;
    }
    read
}

/// Reads and drops an unwanted body, so that its sender sees the answer.
pub(super) async fn discard<B>(headers: &HeaderMap, body: B, bill: &Bill)
where
    B: Body<Data = Bytes> + Unpin,
{
    if !body.is_end_stream() {
        discard_rest(headers, &mut Pin::from(Box::new(body)), bill).await;
    }
}

async fn discard_rest<B: Body<Data = Bytes>>(headers: &HeaderMap, body: &mut Pin<Box<B>>, bill: &Bill) {
    // A client that waits for `100 Continue` (RFC 9110 §10.1.1) has not begun to send.
    if !headers.contains_key(header::EXPECT) {
        let _ = timeout(DRAIN_TIME, drain(body, bill)).await;
    }
}

async fn collect<B>(body: &mut Pin<Box<B>>, limit: usize, step: usize, bill: &Bill) -> Result<Vec<u8>, BodyError>
where
    B: Body<Data = Bytes>,
{
    let mut collected: Vec<u8> = Vec::new();
    while let Some(frame) = next_frame(body).await? {
        let Some(data) = frame.data_ref() else { continue };
        if collected.len() + data.len() > limit {
            return Err(BodyError::TooLarge);
        }
        let missing = data.len().saturating_sub(collected.capacity() - collected.len());
        if missing > 0 {
            // The memory grows by half, so that a large body is not copied at every step.
            let more = missing.max(step).max(collected.capacity() / 2);
            bill.take(more).map_err(|_| BodyError::Busy)?;
            collected.reserve_exact(data.len() + (more - missing));
        }
        collected.extend_from_slice(data);
        bill.has_read(data.len());
    }
    Ok(collected)
}

async fn next_frame<B: Body<Data = Bytes>>(body: &mut Pin<Box<B>>) -> Result<Option<Frame<Bytes>>, BodyError> {
    body.frame().await.transpose().map_err(|_| BodyError::Broken)
}

async fn drain<B: Body<Data = Bytes>>(body: &mut Pin<Box<B>>, bill: &Bill) {
    let mut left = DRAIN;
    while let Some(Ok(frame)) = body.frame().await {
        let passed = frame.data_ref().map_or(0, Buf::remaining);
        bill.has_read(passed);
        left = left.saturating_sub(passed);
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

    use axum::http::request;

    use crate::ledger::Ledger;

    #[test]
    fn groups_and_bulk_take_large_bodies_and_nothing_else_does() {
        for path in ["/Groups", "/Groups/1", "/groups/", "//Groups", "/Bulk", "/v2/Groups", "/V2/Bulk"] {
            assert_eq!(limit(path), MAX_LARGE_BODY, "{path}");
        }
        for path in ["", "/", "/Users", "/Users/Groups", "/GroupsX", "/.search", "/v2", "/v2/Users"] {
            assert_eq!(limit(path), MAX_BODY, "{path}");
        }
    }

    fn bill(most: usize) -> (Bill, Ledger) {
        let ledger = Ledger::new(1 << 30, most);
        let empty = request::Request::new(()).into_parts().0;
        (Bill::of(&empty, &ledger).unwrap(), ledger)
    }

    #[tokio::test]
    async fn a_body_of_exactly_the_limit_is_read_and_one_more_byte_is_not() {
        let (headers, (bill, _)) = (HeaderMap::new(), bill(1 << 20));
        assert_eq!(read(&headers, Full::from(vec![1; 10]), 10, &bill).await, Ok(vec![1; 10]));
        assert_eq!(read(&headers, Full::from(vec![1; 11]), 10, &bill).await, Err(BodyError::TooLarge));
        let mut announced = HeaderMap::new();
        announced.insert(header::CONTENT_LENGTH, 11.into());
        assert_eq!(read(&announced, Full::from(vec![1; 1]), 10, &bill).await, Err(BodyError::TooLarge));
    }

    #[tokio::test]
    async fn a_body_takes_memory_as_it_arrives_and_not_as_it_is_announced() {
        let (bill, ledger) = bill(1 << 20);
        let before = ledger.held();
        let mut announced = HeaderMap::new();
        announced.insert(header::CONTENT_LENGTH, MAX_LARGE_BODY.into());
        let reading = read(&announced, Never, MAX_LARGE_BODY, &bill);
        assert!(timeout(Duration::from_millis(10), reading).await.is_err());
        assert_eq!(ledger.held(), before);
        let body = read(&HeaderMap::new(), Full::from(vec![1; 300_000]), MAX_BODY, &bill).await.unwrap();
        assert!(ledger.held() - before >= body.capacity(), "{} {}", ledger.held(), body.capacity());
        drop((bill, body));
        assert_eq!(ledger.held(), 0);
    }

    #[tokio::test]
    async fn a_body_for_which_there_is_no_memory_is_refused() {
        let (bill, _) = bill(100_000);
        let read = read(&HeaderMap::new(), Full::from(vec![1; 200_000]), MAX_BODY, &bill).await;
        assert_eq!(read, Err(BodyError::Busy));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_given_up() {
        let (bill, _) = bill(1 << 20);
        assert_eq!(read(&HeaderMap::new(), Never, 10, &bill).await, Err(BodyError::TooSlow));
    }

    struct Never;

    impl Body for Never {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            std::task::Poll::Pending
        }
    }
}
