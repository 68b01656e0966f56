//! Files to download: written part by part while they are read, so that nothing is too long for one; and cells of CSV.

use std::fmt::Display;
use std::future::Future;
use std::io;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::channel::{Channel, Sender};

/// The media type of comma-separated values (RFC 4180).
pub(crate) const CSV: &str = "text/csv; charset=utf-8";

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
    let (mut sender, body) = Channel::<Bytes, io::Error>::new(2);
    tokio::spawn(async move {
        if first.is_empty() || sender.send_data(Bytes::from(first)).await.is_ok() {
            send(parts, sender).await;
        }
        drop(while_open);
    });
    // Compression asks a body once more after its end, which this kind does not take unless it is fused.
    let mut response = ([(CONTENT_TYPE, media_type)], Body::new(body.fuse())).into_response();
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

async fn send(mut parts: impl Parts, mut to: Sender<Bytes, io::Error>) {
    loop {
        match parts.next().await {
            Ok(Some(part)) if part.is_empty() => {}
            Ok(Some(part)) => {
                if to.send_data(Bytes::from(part)).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!("an export is broken off: {error}");
                to.abort(io::Error::other("the rest can't be read"));
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
    use super::*;

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
