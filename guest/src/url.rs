//! Checks URLs that administrators and the host give.

/// Whether it is an `https:` URL with a host, or an `http:` URL of the loopback interface. URLs with user information
/// are refused.
pub(crate) fn is_acceptable(url: &str) -> bool {
    let (encrypted, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return false,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split_once(']').map_or("", |(host, _)| host),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let known = !host.is_empty() && !authority.contains('@') && authority.bytes().all(|byte| byte.is_ascii_graphic());
    known && (encrypted || matches!(host, "localhost" | "127.0.0.1" | "::1"))
}

/// The base URL without slashes at its end; `None` if it has a query, a fragment, or is not acceptable.
pub(crate) fn base(url: &str) -> Option<String> {
    let url = url.trim().trim_end_matches('/');
    let plain = url.len() <= 500 && url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains(['?', '#', '\\']);
    (plain && is_acceptable(url)).then(|| url.to_owned())
}

/// Splits an absolute URL without query and fragment into scheme with authority, and path.
pub(crate) fn split(url: &str) -> (&str, &str) {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let path = url.get(authority..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| authority + at);
    url.split_at_checked(path).unwrap_or((url, ""))
}

/// Whether the text is an absolute http or https URL that can be a link in an email.
pub(crate) fn is_linkable(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_plain = |character: char| !character.is_whitespace() && !character.is_control() && character != '#';
    rest.is_some_and(|rest| !rest.is_empty() && text.len() <= 2_000 && text.chars().all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_encrypted_or_on_the_same_machine() {
        for good in ["https://example.com/a?b", "http://localhost:8080/x", "http://127.0.0.1:1", "http://[::1]:9/"] {
            assert!(is_acceptable(good), "{good}");
        }
        let bad = ["http://example.com", "http://localhost.evil.com", "https://", "https://a@b", "ftp://a", "/x", ""];
        for bad in bad {
            assert!(!is_acceptable(bad), "{bad}");
        }
        assert_eq!(base("https://a.okta.com//").as_deref(), Some("https://a.okta.com"));
        assert_eq!(base("https://a.okta.com/?x"), None);
    }

    #[test]
    fn a_url_is_split_before_its_path() {
        for (url, parts) in [
            ("https://h.example/p/scim/v2/acme", ("https://h.example", "/p/scim/v2/acme")),
            ("http://h:1", ("http://h:1", "")),
            ("", ("", "")),
        ] {
            assert_eq!(split(url), parts);
        }
    }
}
