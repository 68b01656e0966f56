//! The header fields for browsers that every answer of the page has.

use insomnia_scim::connector::ExpiryWindow;

use crate::page::organization::Organization;
use crate::page::visitor::Visitor;

#[test]
fn every_view_has_its_security_header_fields_and_nothing_inline() {
    let organization = Organization::new("fields");
    organization.enable(ExpiryWindow::Never).get("/Users/unknown").is(404);
    let visitor = Visitor::owner(&organization);
    let mut assets = Vec::new();
    for view in [
        "",
        "/sign-in",
        "/setup",
        "/preview",
        "/members",
        "/teams",
        "/logs",
        "/logs/1-a",
        "/logs/export.csv",
        "/events",
        "/deliveries",
        "/automatic",
        "/guard",
        "/settings",
        "/teams/nobody-knows-it",
        "/refresh",
        "/disable",
        "/consent",
        "/passphrase",
        "/reset",
        "/nowhere",
        "/enable/",
    ] {
        let response = visitor.get(view);
        let field = |name: &str| response.header(name).unwrap_or_default().to_owned();
        let policy = field("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{view}: {part} is missing: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{view}: {policy}");
        assert_eq!(field("x-frame-options"), "DENY", "{view}");
        assert_eq!(field("x-content-type-options"), "nosniff", "{view}");
        assert_eq!(field("referrer-policy"), "same-origin", "{view}");
        assert_eq!(field("cache-control"), "no-store", "{view}");
        assert!(field("permissions-policy").contains("camera=()"), "{view}");
        let page = response.text();
        for inline in [" style=", "<style", " onclick=", "javascript:"] {
            assert!(!page.contains(inline), "{view} has {inline}");
        }
        let references = page.split(" href=\"").chain(page.split(" src=\"")).skip(1);
        assets.extend(
            references
                .filter_map(|rest| rest.split('"').next())
                .filter(|url| url.contains("/scim-page/"))
                .map(str::to_owned),
        );
    }
    assets.sort();
    assets.dedup();
    assert_eq!(assets.len(), 2, "{assets:?}");
    let root = Visitor::at(organization.page.split("/organizations/").next().expect("an origin"));
    for asset in assets {
        let response = root.get(&asset);
        assert_eq!(response.is(200).header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    }
    root.get("/scim-page/page-0000000000000000.css").is(404);
}

#[test]
fn an_address_that_can_not_be_read_is_refused_by_a_page() {
    let organization = Organization::new("address");
    let visitor = Visitor::owner(&organization);
    for view in ["/members?q=a&q=b", "/logs?status=2&status=4", "/events?kind=a&kind=b", "/logs/live?from=x"] {
        let response = visitor.get(view);
        let text = response.is(400).text();
        assert!(text.contains("Not understood") && text.contains("</html>"), "{view}: {text}");
        assert!(response.header("content-security-policy").is_some(), "{view}");
    }
}
