//! The middleware of all views: it adds security header fields, and renders refusals as pages.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::refusal::{self, Message};
use super::shell::Shell;
use super::state::PageState;
use crate::capability::storage::OrganizationId;
use crate::urls::origin_of;

/// The policy allows nothing inline, nothing from other sites, and no frames. The icon is a `data:` URL.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; \
     connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
const PERMISSIONS_POLICY: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
     magnetometer=(), microphone=(), midi=(), payment=(), usb=(), clipboard-read=(), clipboard-write=(self)";

/// One further place to which a form of this response may lead.
#[derive(Clone)]
pub(super) struct FormAction(pub(super) String);

const FIELDS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: browsers would then send `Origin: null` with the page's own forms.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The middleware round all views.
pub(super) async fn security_headers(State(state): State<PageState>, request: Request, next: Next) -> Response {
    let organization = organization(request.uri().path());
    let mut response = next.run(request).await;
    if let Some(message) = response.extensions_mut().remove::<Message>() {
        response = refusal::render(message, Shell::outside(&state, organization.as_ref(), ""));
    }
    let headers = response.headers_mut();
    for (name, value) in FIELDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Other characters could add a directive to the policy.
    let named = |text: &String| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:/-_[]+".contains(&byte));
    if let Some(FormAction(place)) = response.extensions_mut().remove::<FormAction>().filter(|place| named(&place.0))
        && let Ok(policy) = HeaderValue::try_from(format!("{CONTENT_SECURITY_POLICY} {place}"))
    {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn organization(path: &str) -> Option<OrganizationId> {
    let name = path.strip_prefix("/organizations/")?.split('/').next()?;
    OrganizationId::parse(name).ok()
}

/// Whether the request comes from a page of this site, as far as the browser tells. A request without this information,
/// for instance that of a program, still needs the form's token.
pub(super) fn same_origin(headers: &HeaderMap, base_url: &str) -> bool {
    let field = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = field(&HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let Some(origin) = field(&header::ORIGIN) else { return true };
    let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
    origin.eq_ignore_ascii_case(origin_of(base_url)) || field(&header::HOST).is_some_and(|host| host == authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_another_site_is_told_from_one_of_this() {
        let base = "https://scim.example.com/x";
        for (fields, expected) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://scim.example.com")], false),
            (&[("origin", "https://scim.example.com")], true),
            (&[("origin", "http://localhost:8080"), ("host", "localhost:8080")], true),
            (&[("origin", "https://evil.example"), ("host", "scim.example.com")], false),
            (&[("origin", "null"), ("host", "scim.example.com")], false),
            (&[("origin", "https://scim.example.com.evil.example")], false),
        ] {
            let headers =
                fields.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            assert_eq!(same_origin(&headers.collect(), base), expected, "{fields:?}");
        }
    }
}
