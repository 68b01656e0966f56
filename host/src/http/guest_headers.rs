//! The header fields of a guest's request: they are checked, and fields that only the client sets are removed.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::capability::http::HttpError;

/// The most fields a request may have.
const FIELDS: usize = 64;
/// The most bytes that names and values may have together.
const BYTES: usize = 32 * 1024;

/// Fields that frame the message or control the connection. Two readings of them allow request smuggling.
const OWN: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The fields in the form in which the client sends them.
///
/// # Errors
/// [`HttpError::Invalid`] names the field that can't be sent.
pub(super) fn checked(fields: Vec<(String, String)>) -> Result<HeaderMap, HttpError> {
    let bytes: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
    if fields.len() > FIELDS || bytes > BYTES {
        return Err(HttpError::Invalid(format!("more than {FIELDS} header fields or {BYTES} bytes of them")));
    }
    let mut headers = HeaderMap::with_capacity(fields.len() + 1);
    for (name, value) in fields {
        let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(HttpError::Invalid(format!("{name:?} is not a header field's name")));
        };
        if OWN.contains(&parsed.as_str()) {
            return Err(HttpError::Invalid(format!("the header field {parsed} is set by the host")));
        }
        // The message does not contain the value, which may be a credential.
        let Ok(value) = HeaderValue::from_str(&value) else {
            return Err(HttpError::Invalid(format!(
                "the value of the header field {parsed} has control characters or is not ASCII"
            )));
        };
        headers.append(parsed, value);
    }
    let agent = HeaderValue::from_static(concat!("insomnia-scim/", env!("CARGO_PKG_VERSION")));
    headers.entry(http::header::USER_AGENT).or_insert(agent);
    Ok(headers)
}

/// The fields that may follow a redirect to another origin. Any other field may contain a credential or a signature.
pub(super) fn for_another_origin(headers: &HeaderMap) -> HeaderMap {
    use http::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, USER_AGENT};
    let harmless = |name: &HeaderName| [ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, USER_AGENT].contains(name);
    headers.iter().filter(|(name, _)| harmless(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.into(), value.into())]
    }

    #[test]
    fn fields_that_frame_the_message_are_refused_in_any_case() {
        for name in OWN.iter().map(|name| name.to_ascii_uppercase()).chain(["Host".into(), "Content-Length".into()]) {
            assert!(matches!(checked(field(&name, "1")), Err(HttpError::Invalid(_))), "{name}");
        }
    }

    #[test]
    fn line_breaks_and_other_controls_are_refused_in_names_and_values() {
        for (name, value) in
            [("x", "a\r\nHost: b"), ("x", "a\nb"), ("x", "a\0"), ("x\r\ny", "a"), ("x:", "a"), ("", "a")]
        {
            assert!(matches!(checked(field(name, value)), Err(HttpError::Invalid(_))), "{name:?} {value:?}");
        }
    }

    #[test]
    fn a_refusal_does_not_repeat_the_value() {
        let Err(HttpError::Invalid(why)) = checked(field("authorization", "Bearer s3cret\n")) else { panic!() };
        assert!(!why.contains("s3cret"), "{why}");
    }

    #[test]
    fn too_many_fields_or_bytes_are_refused() {
        assert!(checked(vec![("x".into(), "1".into()); FIELDS]).is_ok());
        assert!(checked(vec![("x".into(), "1".into()); FIELDS + 1]).is_err());
        assert!(checked(field("x", &"1".repeat(BYTES))).is_err());
    }

    #[test]
    fn the_user_agent_is_ours_unless_the_guest_names_one() {
        assert_eq!(checked(field("User-Agent", "guest")).unwrap()["user-agent"], "guest");
        assert!(checked(vec![]).unwrap()["user-agent"].to_str().unwrap().starts_with("insomnia-scim/"));
    }
}
