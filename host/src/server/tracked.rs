//! Bodies between a connection and its handler, noted in the request's bill.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Response, StatusCode};
use axum::middleware::Next;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::bill::Bill;
use super::connection::Open;

/// How long a body may take to arrive.
const TIME: Duration = Duration::from_secs(30);

/// The middleware around handlers that read bodies themselves: what they read is noted, and must arrive in time.
pub(super) async fn note_bodies(request: Request, next: Next) -> Response<Body> {
    let Some(bill) = Bill::begun(request.extensions()) else { return next.run(request).await };
    next.run(request.map(|body| {
        if body.is_end_stream() { body } else { Body::new(Incoming { body, bill, end: Box::pin(sleep(TIME)) }) }
    }))
    .await
}

/// A request's body.
struct Incoming {
    body: Body,
    bill: Bill,
    end: Pin<Box<Sleep>>,
}

impl HttpBody for Incoming {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let Poll::Ready(frame) = polled else {
            return self
                .end
                .as_mut()
                .poll(context)
                .map(|()| Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())));
        };
        Poll::Ready(frame.map(|frame| {
            let frame = frame?;
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.bill.has_read(bytes);
            self.bill.take(bytes)?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Watches whether the client reads an answer that is already noted in a bill. `open` ends with the answer.
pub(super) fn noted(answer: Response<Body>, open: Open) -> Response<Body> {
    open.owes(1);
    answer.map(|body| Body::new(Outgoing { first: None, body, bill: None, open, owed: true }))
}

/// Notes an answer in the bill: the part that exists already, and each further piece. `open` ends with the answer.
pub(super) fn outgoing(answer: Response<Body>, bill: Bill, open: Open) -> Response<Body> {
    let (mut head, mut body) = answer.into_parts();
    // Most answers are in memory already, in one piece, which is noted at once: if there is no room for it, the answer
    // can still be replaced by a refusal.
    let first = if body.size_hint().exact().is_some_and(|size| size > 0) {
        match pin!(&mut body).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
            _ => None,
        }
    } else {
        None
    };
    let first = match first.map(|bytes| bill.answer(bytes, false)) {
        Some(Ok(bytes)) => Some(bytes),
        None => None,
        Some(Err(_)) => {
            head.status = StatusCode::SERVICE_UNAVAILABLE;
            head.headers.clear();
            body = Body::empty();
            Some(Bytes::from_static(b"Too many answers wait to be taken.\n"))
        }
    };
    open.owes(1);
    Response::from_parts(head, Body::new(Outgoing { first, body, bill: Some(bill), open, owed: true }))
}

/// An answer's body, noted piece by piece. Until the next piece is requested, the client has not read the last one.
struct Outgoing {
    /// The first piece, which is noted already.
    first: Option<Bytes>,
    body: Body,
    /// The bill for the pieces; `None` if they are noted already.
    bill: Option<Bill>,
    open: Open,
    owed: bool,
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if std::mem::take(&mut self.owed) {
            self.open.owes_no_more(1);
        }
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else { return Poll::Pending };
        let Some(frame) = frame else { return Poll::Ready(None) };
        let noted = frame.map_err(Into::into).and_then(|frame| match (frame.into_data(), &self.bill) {
            (Ok(data), Some(bill)) => Ok(Frame::data(bill.answer(data, false)?)),
            (Ok(data), None) => Ok(Frame::data(data)),
            (Err(trailers), _) => Ok(trailers),
        });
        self.owed = true;
        self.open.owes(1);
        Poll::Ready(Some(noted))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.first {
            Some(first) if self.body.is_end_stream() => SizeHint::with_exact(first.len() as u64),
            Some(_) => SizeHint::new(),
            None => self.body.size_hint(),
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if self.owed {
            self.open.owes_no_more(1);
        }
    }
}
