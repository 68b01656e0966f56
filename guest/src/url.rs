//! URLs that administrators and the host give: which are taken.

/// Whether it is an `https:` URL with a host, or an `http:` URL of the loopback interface; none carries user information.
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

/// Whether the text is an absolute http or https URL, so far as a link in an email needs it.
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
}
