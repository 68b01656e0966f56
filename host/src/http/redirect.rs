//! Redirects: which ones are followed, and which parts of the request follow them.

use http::{Method, StatusCode};
use url::Url;

use crate::capability::http::HttpError;

/// How many redirects are followed.
pub(super) const MOST: usize = 3;

/// Only a `GET` is repeated. After any other method, the body with its content would go to a server for which nobody
/// meant it; and a 303 (RFC 9110 §15.4.4) would make a failure of a webhook look like a success.
pub(super) fn follows(method: &Method, status: StatusCode) -> bool {
    match status {
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::SEE_OTHER
        | StatusCode::FOUND
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => *method == Method::GET,
        _ => false,
    }
}

/// The URL in the `Location` field.
///
/// # Errors
/// [`HttpError::NotAllowed`] from `https:` to anything else; [`HttpError::Other`] if it is no URL.
pub(super) fn target(from: &Url, location: &[u8]) -> Result<Url, HttpError> {
    let to = str::from_utf8(location).ok().and_then(|location| from.join(location).ok());
    let to = to.ok_or_else(|| HttpError::Other("the redirect's Location is not a URL".into()))?;
    if from.scheme() == "https" && to.scheme() != "https" {
        return Err(HttpError::NotAllowed("a redirect leads from https: to another scheme".into()));
    }
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_get_is_followed() {
        for status in [301, 302, 303, 307, 308] {
            let status = StatusCode::from_u16(status).unwrap();
            assert!(follows(&Method::GET, status));
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert!(!follows(&method, status), "{method} {status}");
            }
        }
        for status in [200, 300, 304, 305, 306, 400] {
            assert!(!follows(&Method::GET, StatusCode::from_u16(status).unwrap()), "{status}");
        }
    }

    #[test]
    fn a_redirect_never_leaves_https() {
        let from = Url::parse("https://a.example/x/y").unwrap();
        assert_eq!(target(&from, b"../z").unwrap().as_str(), "https://a.example/z");
        assert_eq!(target(&from, b"//b.example/").unwrap().as_str(), "https://b.example/");
        for to in ["http://a.example/", "file:///etc/passwd", "gopher://a.example/", "data:,x"] {
            assert!(matches!(target(&from, to.as_bytes()), Err(HttpError::NotAllowed(_))), "{to}");
        }
        assert!(matches!(target(&from, b"https://[::1"), Err(HttpError::Other(_))));
        assert!(matches!(target(&from, b"/\xff"), Err(HttpError::Other(_))));
    }
}
