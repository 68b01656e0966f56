//! A SCIM response as HTTP: header fields, and gzip where the client asks for it.

use std::io::Write as _;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::request_id::X_REQUEST_ID;
use crate::scim::ScimResponse;

/// Bodies below this, in bytes, fit into one packet anyway.
const WORTH_COMPRESSING: usize = 1400;

/// Makes the HTTP response. What the component wrote that is no header field is left out.
pub(super) fn answer(response: ScimResponse, request: &HeaderMap, request_id: &str) -> Response<Body> {
    let ScimResponse { status, headers: fields, body } = response;
    let body = Bytes::from(body);
    let mut headers = HeaderMap::with_capacity(fields.len() + 4);
    for (name, value) in fields {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            // Hyper frames the body by itself.
            if name != header::CONTENT_LENGTH && name != header::TRANSFER_ENCODING && name != header::CONNECTION {
                headers.append(name, value);
            }
        }
    }
    if let Ok(id) = HeaderValue::try_from(request_id) {
        headers.insert(&X_REQUEST_ID, id);
    }
    let body = if body.len() >= WORTH_COMPRESSING && !headers.contains_key(header::CONTENT_ENCODING) {
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
        match accepts_gzip(request).then(|| gzip(&body)).flatten() {
            Some(compressed) => {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                compressed
            }
            None => body,
        }
    } else {
        body
    };
    let mut answer = Response::new(if body.is_empty() { Body::empty() } else { Body::from(body) });
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *answer.headers_mut() = headers;
    answer
}

/// Whether the client takes gzip (RFC 9110 §12.5.3): named, or covered by `*`, with a weight above zero.
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

/// The fastest level: JSON shrinks to a tenth with it, and a better one takes three times as long for little.
fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn only_a_large_body_is_compressed_and_says_so() {
        let response = |length: usize| ScimResponse { status: 200, headers: vec![], body: vec![b'x'; length] };
        let small = answer(response(100), &request(&["gzip"]), "id");
        assert!(!small.headers().contains_key(header::CONTENT_ENCODING));
        let large = answer(response(10_000), &request(&["gzip"]), "id");
        assert_eq!(large.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(large.headers()[header::VARY], "accept-encoding");
        assert_eq!(large.headers()[&X_REQUEST_ID], "id");
        let plain = answer(response(10_000), &request(&[]), "id");
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        assert_eq!(plain.headers()[header::VARY], "accept-encoding");
    }

    #[test]
    fn what_is_no_header_field_and_what_frames_the_body_is_left_out() {
        let fields = [("a b", "x"), ("x-ok", "1"), ("x-bad", "a\nb"), ("content-length", "7"), ("connection", "close")];
        let headers = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let answer = answer(ScimResponse { status: 200, headers, body: Vec::new() }, &HeaderMap::new(), "id");
        let names: Vec<&str> = answer.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-ok", "x-request-id"]);
    }
}
