//! The parts of a component's answer that become HTTP: a suitable status, and suitable header fields.
//!
//! The component runs in a sandbox and may come from anybody. Its answer must not change the connection (by a 1xx
//! status or a hop-by-hop field), nor affect more than its own document (by a cookie, a policy for the whole origin, or
//! a path for the proxy in front).

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// The header fields that a component may set; all others are left out.
static FIELDS: [HeaderName; 19] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ALLOW,
    header::CACHE_CONTROL,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LOCATION,
    header::CONTENT_TYPE,
    header::ETAG,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::LINK,
    header::LOCATION,
    header::PRAGMA,
    HeaderName::from_static("preference-applied"),
    header::RETRY_AFTER,
    HeaderName::from_static("set-txn"),
    header::VARY,
    header::WARNING,
    header::WWW_AUTHENTICATE,
];
/// How many fields an answer may have.
const MOST_FIELDS: usize = 32;
/// How long a field's value may be, in bytes.
const LONGEST: usize = 8 << 10;

/// The status, if it is one of a final answer (RFC 9110 §15): success, redirection, or an error.
pub(super) fn status(status: u16) -> Option<StatusCode> {
    if (200..600).contains(&status) { StatusCode::from_u16(status).ok() } else { None }
}

/// Keeps the header fields that a component may set.
pub(super) fn fields(fields: Vec<(String, String)>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(fields.len().min(MOST_FIELDS) + 4);
    for (name, value) in fields.into_iter().take(MOST_FIELDS) {
        if value.len() <= LONGEST
            && let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
            && FIELDS.contains(&name)
        {
            headers.append(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_is_none_of_an_answer_is_refused() {
        for number in [0, 1, 99, 100, 101, 103, 199, 600, 999, u16::MAX] {
            assert_eq!(status(number), None, "{number}");
        }
        for number in [200, 201, 204, 304, 401, 404, 412, 503, 599] {
            assert_eq!(status(number).map(|status| status.as_u16()), Some(number));
        }
    }

    #[test]
    fn fields_that_reach_beyond_the_answer_and_what_is_no_field_are_left_out() {
        let forged = [
            ("connection", "close"),
            ("keep-alive", "timeout=9"),
            ("transfer-encoding", "chunked"),
            ("content-length", "7"),
            ("upgrade", "websocket"),
            ("trailer", "x"),
            ("te", "trailers"),
            ("content-encoding", "gzip"),
            ("set-cookie", "session=forged"),
            ("strict-transport-security", "max-age=0"),
            ("content-security-policy", "default-src *"),
            ("access-control-allow-origin", "*"),
            ("clear-site-data", "*"),
            ("x-accel-redirect", "/etc/passwd"),
            ("x-request-id", "another"),
            ("a b", "x"),
            ("etag", "a\nb"),
        ];
        let kept = |given: &[(&str, &str)]| {
            let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            fields(given)
        };
        assert_eq!(kept(&forged), HeaderMap::new());
        let right = kept(&[("Content-Type", "application/scim+json"), ("etag", "W/\"1\""), ("location", "/x")]);
        assert_eq!(right.len(), 3);
        let many = vec![("etag", "x"); 1_000];
        assert_eq!(kept(&many).len(), MOST_FIELDS);
        assert_eq!(kept(&[("location", &"x".repeat(LONGEST + 1))]).len(), 0);
    }
}
