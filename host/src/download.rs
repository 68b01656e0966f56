//! Bodies that are written while they are sent: files to download, part by part, so that nothing is too long for one; and
//! cells of CSV.

use std::fmt::Display;
use std::future::Future;
use std::io;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::poll_fn;
use tokio::sync::mpsc::{self, Sender};

use crate::traces::carried;

/// The media type of comma-separated values (RFC 4180).
pub(crate) const CSV: &str = "text/csv; charset=utf-8";

/// A body, and where its parts are sent to: up to `ahead` of them before the client takes them. It ends when the sender is
/// dropped, and breaks off at an error, so that it does not look complete.
pub(crate) fn written_meanwhile(ahead: usize) -> (Sender<io::Result<Bytes>>, Body) {
    // Parts and the error go through one queue: the channel of `http-body-util` has a second one for the error, and takes the
    // end of that for the end of the body while a last part still waits in the first.
    let (sender, mut parts) = mpsc::channel(ahead);
    (sender, Body::from_stream(poll_fn(move |context| parts.poll_recv(context))))
}

/// What a file is written of, in its order.
pub(crate) trait Parts: Send + 'static {
    /// Why a part can't be read.
    type Error: Display + Send;

    /// The next part; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, Self::Error>> + Send;
}

/// The parts as a file of this name, read while they are sent; `while_open` is dropped at the end. The first part is read
/// before the answer begins, so that a refusal is an answer of its own. If the parts can't be read on after that, the body
/// breaks off, so that it does not look complete.
pub(crate) async fn download<P: Parts>(
    mut parts: P,
    name: &str,
    media_type: &'static str,
    while_open: impl Send + 'static,
) -> Result<Response, P::Error> {
    let first = parts.next().await?.unwrap_or_default();
    let (sender, body) = written_meanwhile(2);
    // What reads the rest belongs to the request as well.
    tokio::spawn(carried(Box::pin(async move {
        if first.is_empty() || sender.send(Ok(Bytes::from(first))).await.is_ok() {
            send(parts, sender).await;
        }
        drop(while_open);
    })));
    let mut response = ([(CONTENT_TYPE, media_type)], body).into_response();
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

async fn send(mut parts: impl Parts, to: Sender<io::Result<Bytes>>) {
    loop {
        match parts.next().await {
            Ok(Some(part)) if part.is_empty() => {}
            Ok(Some(part)) => {
                if to.send(Ok(Bytes::from(part))).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!("an export is broken off: {error}");
                // Whoever has left needs no error.
                let _ = to.send(Err(io::Error::other("the rest can't be read"))).await;
                return;
            }
        }
    }
}

/// A line of comma-separated values (RFC 4180).
pub(crate) fn csv_line<const N: usize>(cells: [String; N]) -> String {
    cells.map(|text| cell(&text)).join(",") + "\r\n"
}

/// Quoted where it must be. What a spreadsheet would take for a formula gets an apostrophe in front: anyone who can
/// send a request writes into this file.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    /// Who writes is on another thread than who reads, and ends at once after the last part: nothing of it is lost.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_body_has_all_parts_that_were_sent_before_its_end() {
        for round in 0..5_000 {
            let (sender, body) = written_meanwhile(2);
            let writer = tokio::spawn(async move {
                for part in ["first ", "second ", "last"] {
                    sender.send(Ok(Bytes::from(part))).await.unwrap();
                }
            });
            assert_eq!(body.collect().await.unwrap().to_bytes(), "first second last", "round {round}");
            writer.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_body_whose_rest_cannot_be_read_breaks_off() {
        let (sender, body) = written_meanwhile(2);
        sender.send(Ok(Bytes::from("first"))).await.unwrap();
        sender.send(Err(io::Error::other("the rest"))).await.unwrap();
        drop(sender);
        assert!(body.collect().await.is_err());
    }

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        for (text, expected) in [
            ("a b", "a b"),
            ("a,b", "\"a,b\""),
            ("say \"a\"", "\"say \"\"a\"\"\""),
            ("a\r\nb", "\"a\r\nb\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1,B1)", "\"'@SUM(A1,B1)\""),
        ] {
            assert_eq!(cell(text), expected);
        }
        assert_eq!(csv_line(["a".into(), "b,c".into()]), "a,\"b,c\"\r\n");
    }
}
