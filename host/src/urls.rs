//! Where things are: the paths below the base URL, and the parts of a URL.

use http::Uri;
use http::uri::Authority;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::capability::storage::OrganizationId;

/// What every connector URL begins with, below the base URL; the organization's name follows.
pub(crate) const SCIM_PATH: &str = "/scim/v2/";

/// What the path of a protected resource's metadata begins with (RFC 9728 §3).
pub(crate) const RESOURCE_METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

/// What is wrong with a base URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the base URL {url:?} {why}; it is what clients see before /scim/v2/…, such as https://scim.example.com or \
     https://example.com/insomnia"
)]
pub(crate) struct InvalidBaseUrl {
    url: String,
    why: &'static str,
}

/// Checks a base URL: an http or https URL with a host, and with nothing but a path behind it. The result has no slash at
/// its end.
///
/// # Errors
/// [`InvalidBaseUrl`] says what is wrong.
pub(crate) fn base_url(url: &str) -> Result<String, InvalidBaseUrl> {
    let invalid = |why| InvalidBaseUrl { url: url.to_owned(), why };
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or_else(|| invalid("must begin with https:// or http://"))?;
    if rest.contains(['?', '#']) {
        return Err(invalid("must have neither a query nor a fragment"));
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err(invalid("must have no user name and no password"));
    }
    let parsed: Authority = authority.parse().map_err(|_| invalid("has no valid host"))?;
    let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|_| !authority.ends_with(']'));
    if parsed.host().is_empty() || port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(invalid("has no valid host"));
    }
    if url.parse::<Uri>().is_err() {
        return Err(invalid("has a path that is not one of a URL"));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// The path of an organization's page below the base URL.
pub(crate) fn page_path(organization: &OrganizationId) -> String {
    format!("/organizations/{organization}/scim")
}

/// The URL of an organization's page. A template has `{organization}` in the place of its id; without one, the page is
/// where this host serves it, below the base URL.
pub(crate) fn page_url(base_url: &str, template: Option<&str>, organization: &OrganizationId) -> String {
    match template {
        Some(template) => template.replace("{organization}", organization.as_str()),
        None => format!("{base_url}{}", page_path(organization)),
    }
}

/// The path of an absolute URL, without a slash at its end; empty if the URL has no path.
pub(crate) fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("", |slash| &rest[slash..]).trim_end_matches('/')
}

/// Scheme and authority of an absolute URL.
pub(crate) fn origin_of(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url[begin..].find('/').map_or(url.len(), |slash| begin + slash);
    &url[..end]
}

/// All but the unreserved characters of a URL (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The text as it stands in a query (RFC 3986 §2.1).
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_an_origin_and_a_path() {
        for (url, origin, path) in [
            ("https://scim.example.com", "https://scim.example.com", ""),
            ("https://example.com/insomnia/", "https://example.com", "/insomnia"),
            ("http://127.0.0.1:8080/a/b", "http://127.0.0.1:8080", "/a/b"),
        ] {
            assert_eq!((origin_of(url), path_of(url)), (origin, path), "{url}");
        }
    }

    #[test]
    fn a_base_url_has_a_scheme_a_host_and_a_path_and_nothing_else() {
        for (given, taken) in [
            ("https://scim.example.com", "https://scim.example.com"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("https://[::1]:8443/a/b", "https://[::1]:8443/a/b"),
            ("https://example.com/insomnia/", "https://example.com/insomnia"),
        ] {
            assert_eq!(base_url(given).as_deref(), Ok(taken));
        }
        for given in [
            "",
            "example.com",
            "ftp://example.com",
            "https://",
            "https:///path",
            "https://h/?x#f",
            "https://h?x",
            "https://h/#f",
            "https://user:pw@h",
            "https://user@h",
            "https://:8080",
            "https://h:port",
            "https://h:99999",
            "https://h h",
            "https://h/a b",
        ] {
            let refusal = base_url(given).unwrap_err().to_string();
            assert!(refusal.contains("https://scim.example.com"), "{refusal}");
        }
    }

    #[test]
    fn a_page_is_where_the_template_has_it_or_below_the_base_url() {
        let acme = OrganizationId::parse("acme").unwrap();
        assert_eq!(page_url("https://a.example/b", None, &acme), "https://a.example/b/organizations/acme/scim");
        let template = Some("https://app.example/o/{organization}#scim");
        assert_eq!(page_url("https://a.example/b", template, &acme), "https://app.example/o/acme#scim");
    }
}
