//! A SCIM response as HTTP: header fields, and gzip if the client accepts it.

use std::io::Write as _;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::bill::Bill;
use super::contained;
use super::request_id::X_REQUEST_ID;
use crate::component::Steps;
use crate::scim::ScimResponse;

/// The size in bytes from which on a body is compressed. A smaller one fits into one packet anyway.
pub(super) const WORTH_COMPRESSING: u64 = 1400;
/// How much is compressed before other work gets its turn, in bytes: this takes a fraction of a millisecond.
const STEP: usize = 32 << 10;

/// Makes the HTTP response from the answer of the component, or of the host in its place. The answer to a safe request,
/// which changes nothing, is refused if there is no memory for it until it is sent; any other answer is sent in any
/// case. It is compressed in the organization's `steps`.
pub(super) async fn answer(
    response: ScimResponse,
    request: &HeaderMap,
    request_id: &str,
    bill: &Bill,
    steps: Option<Steps<'_>>,
    is_safe: bool,
) -> Response<Body> {
    let ScimResponse { status, headers: fields, body } = response;
    let mut body = Bytes::from(body);
    let Some(status) = contained::status(status) else {
        tracing::error!(request_id, status, "the component answered with a status that is not allowed");
        return refusal(500, "An internal error occurred.", request_id);
    };
    let mut headers = contained::fields(fields);
    let is_worth_it = body.len() as u64 >= WORTH_COMPRESSING;
    if is_safe || is_worth_it {
        // A 304 has the same `Vary` as the 200 would have (RFC 9110 §15.4.5), and nobody knows here whether the 200
        // would be large enough to be compressed. So every answer to a request that reads has it.
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if is_worth_it
        && let Some(steps) = steps
        && accepts_gzip(request)
        && let Some(compressed) = gzip(&body, bill, steps).await
    {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        body = compressed;
    }
    match bill.answer(body, !is_safe) {
        Ok(body) => respond(status, headers, body, request_id),
        Err(_) => refusal(503, "Too many answers wait to be taken.", request_id),
    }
}

/// A refusal by the host, which is small.
pub(super) fn refusal(status: u16, detail: &str, request_id: &str) -> Response<Body> {
    let ScimResponse { status, headers, body } = ScimResponse::error(status, detail, request_id);
    let status = contained::status(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    respond(status, contained::fields(headers), body.into(), request_id)
}

fn respond(status: StatusCode, mut headers: HeaderMap, body: Bytes, request_id: &str) -> Response<Body> {
    if let Ok(id) = HeaderValue::try_from(request_id) {
        headers.insert(&X_REQUEST_ID, id);
    }
    // The answer contains data about people, and a later request must get the current data.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let mut answer = Response::new(if body.is_empty() { Body::empty() } else { Body::from(body) });
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

/// Whether the client accepts gzip (RFC 9110 §12.5.3): the field names it or has `*`, with a weight above zero.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let (mut named, mut others) = (None, None);
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        for coding in value.to_str().unwrap_or_default().split(',') {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            let weight = parameters.trim().strip_prefix("q=").or_else(|| parameters.trim().strip_prefix("Q="));
            let wanted = weight.is_none_or(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0));
            match name.trim() {
                name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => {
                    named = Some(wanted)
                }
                "*" => others = Some(wanted),
                _ => {}
            }
        }
    }
    named.or(others).unwrap_or(false)
}

/// Compresses step by step, so that other work gets its turn. The level is the fastest: JSON shrinks to a tenth with
/// it, and a better level takes three times as long and saves little. `None` if there is no memory for it.
async fn gzip(body: &Bytes, bill: &Bill, steps: Steps<'_>) -> Option<Bytes> {
    // The compressed body will be noted as the answer. This note is for the time in which both bodies exist.
    bill.take(body.len() / 4).ok()?;
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    for step in body.chunks(STEP) {
        if body.len() > STEP {
            steps.run(|| encoder.write_all(step)).await.ok()?;
        } else {
            encoder.write_all(step).ok()?;
        }
    }
    let mut compressed = encoder.finish().ok()?;
    compressed.shrink_to_fit();
    Some(Bytes::from(compressed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::storage::OrganizationId;
    use crate::component::Lanes;
    use crate::ledger::Ledger;

    fn request(accept: &[&'static str]) -> HeaderMap {
        accept.iter().map(|value| (header::ACCEPT_ENCODING, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn gzip_is_taken_as_rfc_9110_weighs_it() {
        for accept in [&["gzip"][..], &["deflate, GZIP;q=0.5"], &["*"], &["br", "gzip"], &["*;q=0, gzip"]] {
            assert!(accepts_gzip(&request(accept)), "{accept:?}");
        }
        for accept in [&[][..], &["gzip;q=0"], &["br"], &["*, gzip;q=0.0"], &["gzip;q=x"], &["identity"]] {
            assert!(!accepts_gzip(&request(accept)), "{accept:?}");
        }
    }

    fn bill(most: usize) -> Bill {
        let request = http::Request::new(()).into_parts().0;
        Bill::of(&request, &Ledger::new(1 << 30, most)).unwrap()
    }

    async fn answer_of(length: usize, accept: &[&'static str]) -> Response<Body> {
        let response = ScimResponse { status: 200, headers: vec![], body: vec![b'x'; length] };
        let (lanes, organization) = (Lanes::new(), OrganizationId::host());
        answer(response, &request(accept), "id", &bill(1 << 20), Some(lanes.steps(&organization)), true).await
    }

    #[tokio::test]
    async fn only_a_large_body_is_compressed_and_says_so() {
        let small = answer_of(100, &["gzip"]).await;
        assert!(!small.headers().contains_key(header::CONTENT_ENCODING));
        assert_eq!(small.headers()[header::VARY], "accept-encoding");
        let large = answer_of(300_000, &["gzip"]).await;
        assert_eq!(large.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(large.headers()[header::VARY], "accept-encoding");
        assert_eq!(large.headers()[&X_REQUEST_ID], "id");
        assert_eq!(large.headers()[header::CACHE_CONTROL], "no-store");
        let plain = answer_of(10_000, &[]).await;
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        assert_eq!(plain.headers()[header::VARY], "accept-encoding");
    }

    #[tokio::test]
    async fn rfc_9110_15_4_5_a_304_varies_as_the_200_does() {
        let (lanes, organization) = (Lanes::new(), OrganizationId::host());
        let response = ScimResponse { status: 304, headers: vec![("etag".into(), "W/\"1\"".into())], body: Vec::new() };
        let steps = Some(lanes.steps(&organization));
        let not_modified = answer(response, &HeaderMap::new(), "id", &bill(1 << 20), steps, true).await;
        assert_eq!(not_modified.headers()[header::VARY], "accept-encoding");
        let written = ScimResponse { status: 201, headers: vec![], body: b"{}".to_vec() };
        let written = answer(written, &HeaderMap::new(), "id", &bill(1 << 20), None, false).await;
        assert!(!written.headers().contains_key(header::VARY), "a small answer to a write is the same for everybody");
    }

    #[tokio::test]
    async fn a_status_that_is_none_of_an_answer_becomes_500() {
        for status in [0, 101, 199, 600] {
            let forged = ScimResponse { status, headers: vec![("upgrade".into(), "x".into())], body: Vec::new() };
            let answer = answer(forged, &HeaderMap::new(), "id", &bill(1 << 20), None, true).await;
            assert_eq!(answer.status(), 500);
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/scim+json");
        }
    }

    #[tokio::test]
    async fn an_answer_is_held_until_it_is_sent_and_refused_if_there_is_no_room() {
        let ledger = Ledger::new(1 << 30, 100_000);
        let bill = Bill::of(&http::Request::new(()).into_parts().0, &ledger).unwrap();
        let large = || ScimResponse { status: 200, headers: vec![], body: vec![b'x'; 60_000] };
        let before = ledger.held();
        let first = answer(large(), &HeaderMap::new(), "id", &bill, None, true).await;
        assert_eq!((first.status().as_u16(), ledger.held() - before), (200, 60_000));
        assert_eq!(answer(large(), &HeaderMap::new(), "id", &bill, None, true).await.status(), 503);
        // The answer about a change must be sent.
        let told = answer(large(), &HeaderMap::new(), "id", &bill, None, false).await;
        assert_eq!((told.status().as_u16(), ledger.held() - before), (200, 120_000));
        let sent = http_body_util::BodyExt::collect(first.into_body()).await.unwrap().to_bytes();
        assert_eq!((sent.len(), ledger.held() - before), (60_000, 120_000));
        drop((sent, told));
        assert_eq!(ledger.held(), before);
    }
}
