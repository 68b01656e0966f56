//! The content coding of a request's body (RFC 9110 §8.4): gzip is decoded, any other coding is refused.

use std::io::Read;

use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;

use super::bill::Bill;
use crate::component::Steps;
use crate::scim::ScimResponse;

/// The reason why a body can't be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodingError {
    /// The coding is neither gzip nor identity, or there are several.
    Unsupported,
    /// The body does not have the form of its coding.
    Broken,
    /// It is too large once it is decoded.
    TooLarge,
    /// There is no memory for it at the moment.
    Busy,
}

/// How much is decoded before other work gets its turn, in bytes: this takes a fraction of a millisecond.
const STEP: usize = 64 << 10;

impl CodingError {
    /// A 415 names the accepted codings (RFC 9110 §15.5.16).
    pub(super) fn response(self, limit: usize, request_id: &str) -> ScimResponse {
        match self {
            Self::Unsupported => {
                let detail = "The Content-Encoding is not supported; send gzip or identity.";
                let mut response = ScimResponse::error(415, detail, request_id);
                response.headers.push(("accept-encoding".to_owned(), "gzip, identity".to_owned()));
                response
            }
            Self::Broken => {
                ScimResponse::error(400, "The body does not have the form of its Content-Encoding.", request_id)
            }
            Self::TooLarge => {
                let detail = format!("The decoded body is larger than {limit} bytes.");
                ScimResponse::error(413, &detail, request_id)
            }
            Self::Busy => {
                ScimResponse::error(503, "The server has no memory for the request at the moment.", request_id)
            }
        }
    }
}

/// Decodes the body; the result never has more than `limit` bytes, however small the body was sent. Each step is first
/// noted in the bill, and then done in one of the organization's turns.
pub(super) async fn decoded(
    headers: &HeaderMap,
    body: Vec<u8>,
    limit: usize,
    bill: &Bill,
    steps: Steps<'_>,
) -> Result<Vec<u8>, CodingError> {
    let fields = headers.get_all(header::CONTENT_ENCODING).iter();
    let fields = fields.map(|value| value.to_str().map_err(|_| CodingError::Unsupported));
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let mut codings = fields
        .iter()
        .flat_map(|field| field.split(','))
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"));
    let Some(coding) = codings.next() else { return Ok(body) };
    let is_gzip = coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip");
    if !is_gzip || codings.next().is_some() {
        return Err(CodingError::Unsupported);
    }
    if body.is_empty() {
        return Ok(body);
    }
    let mut decoded = Vec::new();
    let mut decoder = MultiGzDecoder::new(body.as_slice());
    loop {
        if decoded.len() == decoded.capacity() {
            let more = STEP.max(decoded.capacity() / 2);
            bill.take(more).map_err(|_| CodingError::Busy)?;
            decoded.reserve_exact(more);
        }
        let room = (decoded.capacity() - decoded.len()).min(STEP) as u64;
        let is_first = decoded.is_empty();
        let mut step = || decoder.by_ref().take(room).read_to_end(&mut decoded);
        // Most bodies are small, and not worth another thread.
        let read = if is_first {
            let _turn = steps.next().await;
            step()
        } else {
            steps.run(step).await
        };
        let read = read.map_err(|_| CodingError::Broken)?;
        if decoded.len() > limit {
            return Err(CodingError::TooLarge);
        }
        if read == 0 {
            return Ok(decoded);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::capability::storage::OrganizationId;
    use crate::component::Lanes;
    use crate::ledger::Ledger;

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(body).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    async fn decode(headers: &HeaderMap, body: Vec<u8>, limit: usize, memory: usize) -> Result<Vec<u8>, CodingError> {
        let request = http::Request::new(()).into_parts().0;
        let bill = Bill::of(&request, &Ledger::new(1 << 30, memory)).unwrap();
        decoded(headers, body, limit, &bill, Lanes::new().steps(&OrganizationId::host())).await
    }

    async fn sent(coding: &'static str, body: Vec<u8>, limit: usize) -> Result<Vec<u8>, CodingError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, http::HeaderValue::from_static(coding));
        decode(&headers, body, limit, 1 << 30).await
    }

    #[tokio::test]
    async fn gzip_is_undone_and_identity_is_nothing() {
        for coding in ["gzip", "GZIP", "x-gzip", "identity, gzip", " gzip ,"] {
            assert_eq!(sent(coding, gzip(b"{}"), 10).await, Ok(b"{}".to_vec()), "{coding}");
        }
        for coding in ["identity", "", ","] {
            assert_eq!(sent(coding, b"{}".to_vec(), 10).await, Ok(b"{}".to_vec()));
        }
        assert_eq!(sent("gzip", Vec::new(), 10).await, Ok(Vec::new()));
        assert_eq!(decode(&HeaderMap::new(), gzip(b"{}"), 10, 1 << 30).await, Ok(gzip(b"{}")));
    }

    #[tokio::test]
    async fn what_can_not_be_undone_is_refused() {
        for coding in ["br", "deflate", "gzip, gzip", "zstd", "gzip;q=1"] {
            assert_eq!(sent(coding, gzip(b"{}"), 10).await, Err(CodingError::Unsupported), "{coding}");
        }
        assert_eq!(sent("gzip", b"{}".to_vec(), 10).await, Err(CodingError::Broken));
        let whole = gzip(b"a body that is cut");
        assert_eq!(sent("gzip", whole[..whole.len() - 9].to_vec(), 100).await, Err(CodingError::Broken));
    }

    #[tokio::test]
    async fn the_limit_is_on_the_decoded_body() {
        assert_eq!(sent("gzip", gzip(&[b'x'; 1_000]), 1_000).await, Ok(vec![b'x'; 1_000]));
        assert_eq!(sent("gzip", gzip(&[b'x'; 1_001]), 1_000).await, Err(CodingError::TooLarge));
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(bomb.len() < 1 << 17);
        assert_eq!(sent("gzip", bomb, 1 << 20).await, Err(CodingError::TooLarge));
    }

    #[tokio::test]
    async fn what_is_decoded_is_noted_as_it_grows() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, http::HeaderValue::from_static("gzip"));
        let bomb = gzip(&vec![0; 4 << 20]);
        assert_eq!(decode(&headers, bomb, 16 << 20, 1 << 20).await, Err(CodingError::Busy));
    }
}
