//! Reading a request's body, within its size and its time.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use bytes::{Buf, Bytes};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::time::timeout;

/// The largest body of a request for one user, in bytes.
pub const MAX_BODY: usize = 1 << 20;
/// The largest body of a request for a group, or of a bulk request, in bytes: 100,000 members with their names.
pub const MAX_LARGE_BODY: usize = 16 << 20;
/// What is read of a body before it is known whether its sender may send it, in bytes: more than one user takes.
const SMALL: usize = 64 << 10;
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
    /// Its sender is nobody who may send a large one.
    NotAdmitted,
    /// Too many large ones are held at the moment.
    Busy,
}

/// The largest body that the resource below the connector URL takes.
pub(super) fn limit(path: &str) -> usize {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let first = parts.next().unwrap_or_default();
    // The component takes a version in the path (RFC 7644 §3.13).
    let resource = if first.eq_ignore_ascii_case("v2") { parts.next().unwrap_or_default() } else { first };
    let large = resource.eq_ignore_ascii_case("Groups") || resource.eq_ignore_ascii_case("Bulk");
    if large { MAX_LARGE_BODY } else { MAX_BODY }
}

/// Reads the whole body.
pub(crate) async fn read<B>(headers: &HeaderMap, body: B, limit: usize) -> Result<Vec<u8>, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    read_admitted(headers, body, limit, |_| std::future::ready(Ok(()))).await.map(|(body, _)| body)
}

/// Reads the whole body. Before it reads more than a small part, `admit` says whether it may, of how many bytes; what it
/// gives is returned with the body.
pub(super) async fn read_admitted<B, A, F, P>(
    headers: &HeaderMap,
    body: B,
    limit: usize,
    admit: A,
) -> Result<(Vec<u8>, Option<P>), BodyError>
where
    B: Body<Data = Bytes> + Unpin,
    A: FnOnce(usize) -> F,
    F: Future<Output = Result<P, BodyError>>,
{
    if body.is_end_stream() {
        return Ok((Vec::new(), None));
    }
    let mut body = Pin::from(Box::new(body));
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let read = if announced.is_some_and(|length| length > limit) {
        Err(BodyError::TooLarge)
    } else {
        let collected = timeout(TIME, collect(&mut body, announced, limit, admit)).await;
        collected.unwrap_or(Err(BodyError::TooSlow))
    };
    if matches!(read, Err(BodyError::TooLarge | BodyError::NotAdmitted | BodyError::Busy)) {
        discard_rest(headers, &mut body).await;
    }
    read
}

/// Takes a body that is not wanted, so that its sender gets to see the answer.
pub(super) async fn discard<B>(headers: &HeaderMap, body: B)
where
    B: Body<Data = Bytes> + Unpin,
{
    if !body.is_end_stream() {
        discard_rest(headers, &mut Pin::from(Box::new(body))).await;
    }
}

async fn discard_rest<B: Body<Data = Bytes>>(headers: &HeaderMap, body: &mut Pin<Box<B>>) {
    // Who asks first (RFC 9110 §10.1.1) has not begun to send.
    if !headers.contains_key(header::EXPECT) {
        let _ = timeout(DRAIN_TIME, drain(body)).await;
    }
}

async fn collect<B, A, F, P>(
    body: &mut Pin<Box<B>>,
    announced: Option<usize>,
    limit: usize,
    admit: A,
) -> Result<(Vec<u8>, Option<P>), BodyError>
where
    B: Body<Data = Bytes>,
    A: FnOnce(usize) -> F,
    F: Future<Output = Result<P, BodyError>>,
{
    let (mut admit, mut permit) = (Some(admit), None);
    if let Some(length) = announced.filter(|length| *length > SMALL)
        && let Some(admit) = admit.take()
    {
        permit = Some(admit(length).await?);
    }
    // What is announced is not here yet: no more is reserved for it than a small body needs.
    let mut collected = Vec::with_capacity(announced.unwrap_or(0).min(SMALL));
    while let Some(frame) = next_frame(body).await? {
        if let Some(data) = frame.data_ref() {
            if collected.len() + data.len() > limit {
                return Err(BodyError::TooLarge);
            }
            if collected.len() + data.len() > SMALL
                && let Some(admit) = admit.take()
            {
                permit = Some(admit(limit).await?);
            }
            collected.extend_from_slice(data);
        }
    }
    Ok((collected, permit))
}

async fn next_frame<B: Body<Data = Bytes>>(body: &mut Pin<Box<B>>) -> Result<Option<Frame<Bytes>>, BodyError> {
    body.frame().await.transpose().map_err(|_| BodyError::Broken)
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
        for path in ["/Groups", "/Groups/1", "/groups/", "//Groups", "/Bulk", "/v2/Groups", "/V2/Bulk"] {
            assert_eq!(limit(path), MAX_LARGE_BODY, "{path}");
        }
        for path in ["", "/", "/Users", "/Users/Groups", "/GroupsX", "/.search", "/v2", "/v2/Users"] {
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

    #[tokio::test]
    async fn more_than_a_small_body_is_read_from_those_only_who_are_admitted() {
        let mut announced = HeaderMap::new();
        announced.insert(header::CONTENT_LENGTH, (SMALL + 1).into());
        for headers in [&HeaderMap::new(), &announced] {
            let body = || Full::from(vec![1; SMALL + 1]);
            let refuse = |_| std::future::ready(Err::<(), _>(BodyError::NotAdmitted));
            assert_eq!(read_admitted(headers, body(), MAX_BODY, refuse).await, Err(BodyError::NotAdmitted));
            let read = read_admitted(headers, body(), MAX_BODY, |size| std::future::ready(Ok(size))).await.unwrap();
            assert!(read.0.len() == SMALL + 1 && read.1 >= Some(SMALL + 1));
        }
        let refuse = |_| std::future::ready(Err::<(), _>(BodyError::NotAdmitted));
        assert!(read_admitted(&HeaderMap::new(), Full::from(vec![1; SMALL]), MAX_BODY, refuse).await.is_ok());
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
        ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            std::task::Poll::Pending
        }
    }
}
