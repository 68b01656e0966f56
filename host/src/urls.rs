//! Where things are: the paths below the base URL, and the parts of a URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::capability::storage::OrganizationId;

/// What every connector URL begins with, below the base URL; the organization's name follows.
pub(crate) const SCIM_PATH: &str = "/scim/v2/";

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
    fn a_page_is_where_the_template_has_it_or_below_the_base_url() {
        let acme = OrganizationId::parse("acme").unwrap();
        assert_eq!(page_url("https://a.example/b", None, &acme), "https://a.example/b/organizations/acme/scim");
        let template = Some("https://app.example/o/{organization}#scim");
        assert_eq!(page_url("https://a.example/b", template, &acme), "https://app.example/o/acme#scim");
    }
}
