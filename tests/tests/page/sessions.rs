//! Who gets in, for how long, and what a form of another site can do: nothing.

use insomnia_scim_tests::client::Response;
use insomnia_scim_tests::server::{Server, shared};

use crate::organization::Organization;
use crate::visitor::{Visitor, form};

const ENABLE: [(&str, &str); 2] = [("provider", "okta"), ("window", "30d")];

#[test]
fn every_view_asks_to_sign_in_and_comes_back_to_where_one_was() {
    let organization = Organization::demo();
    let visitor = Visitor::new(&organization);
    for view in
        ["", "/enable", "/refresh", "/disable", "/setup", "/members", "/teams", "/logs", "/logs/1-a", "/logs/live"]
    {
        let location = visitor.get(view).is(303).header("location").unwrap_or_default().to_owned();
        assert!(location.starts_with("/organizations/demo/scim/sign-in"), "{view}: {location}");
    }
    for view in ["/logs/export.csv", "/logs/export.jsonl"] {
        visitor.get(view).is(303);
    }
    let location = visitor.get("/members?q=a%20b").header("location").unwrap_or_default().to_owned();
    let next = location.split_once("?next=").map_or("", |(_, next)| next);
    assert_eq!(next, "%2Forganizations%2Fdemo%2Fscim%2Fmembers%3Fq%3Da%2520b");
    let fields = [("email", organization.owner.as_str()), ("passphrase", &organization.passphrase)];
    let back = |next: &str| {
        let response = visitor.post("/sign-in", &[fields[0], fields[1], ("next", next)]);
        response.is(303).header("location").unwrap_or_default().to_owned()
    };
    assert_eq!(back("/organizations/demo/scim/members?q=a%20b"), "/organizations/demo/scim/members?q=a%20b");
    for elsewhere in ["https://evil.example/", "//evil.example", "/organizations/demo/scim.evil.example", "/other"] {
        assert_eq!(back(elsewhere), "/organizations/demo/scim", "{elsewhere}");
    }
}

#[test]
fn a_cookie_is_for_this_page_only_and_no_script_reads_it() {
    let organization = Organization::new("cookie");
    let visitor = Visitor::new(&organization);
    let response = visitor.sign_in(&organization.owner, &organization.passphrase);
    let cookie = response.is(303).header("set-cookie").unwrap_or_default().to_owned();
    for attribute in ["; HttpOnly", "; SameSite=Lax", &format!("; Path=/organizations/{}/scim;", organization.id)] {
        assert!(cookie.contains(attribute), "{attribute} is missing: {cookie}");
    }
    let first = visitor.cookie.borrow().clone();
    visitor.sign_in(&organization.owner, &organization.passphrase).is(303);
    assert_ne!(*visitor.cookie.borrow(), first, "a sign-in keeps the session that was there before");
    let before = Visitor::new(&organization);
    *before.cookie.borrow_mut() = first;
    before.get("").is(303);
    visitor.get("").is(200);
}

#[test]
fn a_session_survives_a_restart_and_ends_with_the_sign_out() {
    let mut server = Server::start();
    let (page, owner, passphrase) = {
        let demo = server.demo();
        (demo.page_url.clone(), demo.owner_email.clone(), demo.owner_passphrase.clone())
    };
    let visitor = Visitor::at(&page);
    visitor.sign_in(&owner, &passphrase).is(303);
    server.kill();
    server.start_again();
    let visitor_again = Visitor::at(&page);
    *visitor_again.cookie.borrow_mut() = visitor.cookie.borrow().clone();
    let csrf = visitor_again.csrf();
    visitor_again.post("/sign-out", &[("csrf", "wrong")]).is(403);
    visitor_again.get("").is(200);
    visitor_again.post("/sign-out", &[("csrf", &csrf)]).is(303);
    let kept = Visitor::at(&page);
    *kept.cookie.borrow_mut() = visitor.cookie.borrow().clone();
    kept.get("").is(303);
}

#[test]
fn a_session_of_one_organization_opens_no_other() {
    let (one, two) = (Organization::new("one"), Organization::new("two"));
    let visitor = Visitor::owner(&one);
    let elsewhere = Visitor::new(&two);
    *elsewhere.cookie.borrow_mut() = visitor.cookie.borrow().clone();
    elsewhere.get("").is(303);
    visitor.get("").is(200);
}

#[test]
fn a_member_is_told_that_the_page_is_for_owners_and_a_co_owner_is_let_in() {
    let organization = Organization::new("roles");
    let passphrase = organization.add_member("member@roles.example", "member");
    let response = Visitor::new(&organization).sign_in("member@roles.example", &passphrase);
    let text = response.is(403).text();
    assert!(text.contains("Only for owners and co-owners") && text.contains("</html>"), "{text}");
    assert_eq!(response.header("set-cookie"), None);

    let passphrase = organization.add_member("co@roles.example", "co-owner");
    let co_owner = Visitor::new(&organization);
    co_owner.sign_in("co@roles.example", &passphrase).is(303);
    co_owner.get("").is(200);
    shared().command(&["member", "set-role", "co@roles.example", "member", "--organization", &organization.id]);
    co_owner.get("").is(403);
    shared().command(&["member", "remove", "co@roles.example", "--organization", &organization.id]);
    co_owner.get("").is(303);
}

#[test]
fn unknown_people_and_unknown_organizations_answer_as_a_wrong_passphrase_does() {
    let organization = Organization::new("unknown");
    let said = |response: Response| {
        let text = response.is(422).text();
        text.replace(&organization.id, "ID").replace("nobody-has-this-id", "ID")
    };
    let wrong = said(Visitor::new(&organization).sign_in("owner@x.example", "wrong"));
    let nobody = said(Visitor::new(&organization).sign_in("owner@x.example", "wrong too"));
    assert_eq!(wrong, nobody);
    let page = organization.page.replace(&organization.id, "nobody-has-this-id");
    assert_eq!(said(Visitor::at(&page).sign_in("owner@x.example", "wrong")), wrong);
    let form = |page: &str| Visitor::at(page).get("/sign-in").is(200).text();
    assert_eq!(
        form(&organization.page).replace(&organization.id, "ID"),
        form(&page).replace("nobody-has-this-id", "ID")
    );
}

#[test]
fn who_tries_too_often_waits_and_nobody_else_does() {
    let (one, two) = (Organization::new("account"), Organization::new("other"));
    // Each from another address, so that only the account is tried too often.
    let tried = |email: &str| -> Vec<u16> {
        let request = || form("/sign-in", &[("email", email), ("passphrase", "wrong")]);
        let from = |address: u8| request().header("X-Forwarded-For", &format!("192.0.2.{address}"));
        (1..=8).map(|address| Visitor::new(&one).send(from(address)).status).collect()
    };
    let statuses = tried(&one.owner);
    assert_eq!(statuses, [422, 422, 422, 422, 422, 422, 429, 429]);
    assert_eq!(tried("nobody@x.example"), statuses, "the answers tell which accounts there are");
    Visitor::owner(&two);

    let from = |email: &str, address: &str| {
        let request = form("/sign-in", &[("email", email), ("passphrase", "wrong")]);
        Visitor::new(&two).send(request.header("X-Forwarded-For", address)).status
    };
    // Each another account, so that only the address is tried too often.
    let statuses: Vec<u16> = (0..24).map(|number| from(&format!("p{number}@x.example"), "198.51.100.7")).collect();
    assert_eq!(statuses.iter().position(|status| *status == 429), Some(20), "{statuses:?}");
    assert_eq!(from("q@x.example", "198.51.100.8"), 422);
}

#[test]
fn a_form_without_the_sessions_token_or_from_another_site_does_nothing() {
    let organization = Organization::new("forgery");
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    assert_eq!(csrf.len(), 64, "{csrf}");
    let with_token = [ENABLE[0], ENABLE[1], ("csrf", csrf.as_str())];
    let other = Organization::new("forger");
    let foreign = Visitor::owner(&other).csrf();
    for token in ["", "x", &foreign] {
        visitor.post("/enable", &[ENABLE[0], ENABLE[1], ("csrf", token)]).is(403);
    }
    visitor.post("/enable", &ENABLE).is(403);
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
    ] {
        visitor.send(form("/enable", &with_token).header(name, value)).is(403);
        let sign_in = [("email", organization.owner.as_str()), ("passphrase", &organization.passphrase)];
        Visitor::new(&organization).send(form("/sign-in", &sign_in).header(name, value)).is(403);
    }
    assert!(visitor.get("").text().contains(">Disabled<"), "a forged form has enabled SCIM");
    visitor.send(form("/enable", &with_token).header("Sec-Fetch-Site", "same-origin")).is(200);
    assert!(visitor.get("").text().contains(">Enabled<"));
    // Sent once more, as by a reload: nothing is done.
    visitor.post("/enable", &with_token).is(303);
}

#[test]
fn a_refresh_that_is_sent_once_more_makes_no_other_token() {
    let organization = Organization::new("reload");
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    visitor.post("/enable", &[ENABLE[0], ENABLE[1], ("csrf", &csrf)]).is(200);
    let fields = [
        ("csrf", csrf.as_str()),
        ("generation", "1"),
        ("window", ""),
        ("overlap", "3600"),
        ("passphrase", &organization.passphrase),
    ];
    let page = visitor.post("/refresh", &fields).is(200).text();
    assert!(page.contains("The old token works until"), "{page}");
    visitor.post("/refresh", &fields).is(303);
    assert!(visitor.get("").text().contains("token 2,"));
}

#[test]
fn every_view_has_its_security_header_fields_and_nothing_inline() {
    let organization = Organization::demo();
    let visitor = Visitor::owner(&organization);
    let mut assets = Vec::new();
    for view in
        ["", "/sign-in", "/setup", "/members", "/teams", "/logs", "/refresh", "/disable", "/nowhere", "/enable/"]
    {
        let response = visitor.get(view);
        let field = |name: &str| response.header(name).unwrap_or_default().to_owned();
        let policy = field("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{view}: {part} is missing: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{view}: {policy}");
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
fn a_changed_passphrase_ends_the_other_sessions_and_a_forgotten_one_is_asked_for_without_telling_who_is_there() {
    let organization = Organization::new("change");
    let (here, there) = (Visitor::owner(&organization), Visitor::owner(&organization));
    let csrf = here.csrf();
    let change = |current: &str, chosen: &str, again: &str| {
        let fields = [("csrf", csrf.as_str()), ("current", current), ("chosen", chosen), ("again", again)];
        here.post("/passphrase", &fields)
    };
    change("wrong", "one that is new", "one that is new").is(422);
    change(&organization.passphrase, "one that is new", "another one").is(422);
    change(&organization.passphrase, "short", "short").is(422);
    there.get("").is(200);
    change(&organization.passphrase, "one that is new", "one that is new").is(303);
    here.get("").is(200);
    there.get("").is(303);
    let again = Visitor::new(&organization);
    again.sign_in(&organization.owner, &organization.passphrase).is(422);
    again.sign_in(&organization.owner, "one that is new").is(303);

    let asked = |page: &str, email: &str| Visitor::at(page).post("/reset", &[("email", email)]).is(200).text();
    let known = asked(&organization.page, &organization.owner);
    assert_eq!(asked(&organization.page, "nobody@x.example"), known);
    let nowhere = organization.page.replace(&organization.id, "nobody-has-this-id");
    assert_eq!(asked(&nowhere, "nobody@x.example").replace("nobody-has-this-id", &organization.id), known);
    let fields = [("token", "guessed"), ("chosen", "one that is new"), ("again", "one that is new")];
    Visitor::new(&organization).post("/reset", &fields).is(422);
}

#[test]
fn an_owner_consents_to_a_client_and_the_browser_may_follow_to_its_redirect_uri_only() {
    let organization = Organization::new("consent");
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    let fields = [
        ("csrf", csrf.as_str()),
        ("action", "create"),
        ("name", "Okta <b>"),
        ("grant", "code"),
        ("redirects", "https://idp.example/callback"),
    ];
    let page = visitor.post("/clients", &fields).is(200).text();
    assert!(page.contains("insm_cs_") && !page.contains("<b>\""), "{page}");
    let client = field(&page, "id=\"client-id\"");
    let query =
        format!("response_type=code&client_id={client}&redirect_uri=https%3A%2F%2Fidp.example%2Fcallback&state=s1");

    // Through the authorization endpoint and the sign-in, as a browser would come.
    let root = Visitor::at(organization.page.split("/organizations/").next().expect("an origin"));
    let location = root.get(&format!("/oauth/{}/authorize?{query}", organization.id));
    let location = location.is(303).header("location").unwrap_or_default().to_owned();
    let home = format!("/organizations/{}/scim", organization.id);
    let path = location.strip_prefix(&home).expect("a view of the page");
    assert!(Visitor::new(&organization).get(path).is(303).header("location").is_some_and(|to| to.contains("consent")));

    let screen = visitor.get(path);
    let text = screen.is(200).text();
    assert!(text.contains("Okta &#60;b&#62;"), "{text}");
    let policy = screen.header("content-security-policy").unwrap_or_default();
    assert!(policy.ends_with("form-action 'self' https://idp.example"), "{policy}");
    let request = field(&text, "name=\"request\"");
    let decide = |decision: &str| {
        let response = visitor.post("/consent", &[("csrf", &csrf), ("request", &request), ("decision", decision)]);
        response.is(303).header("location").unwrap_or_default().to_owned()
    };
    let denied = decide("deny");
    assert!(denied.starts_with("https://idp.example/callback?error=access_denied"), "{denied}");
    let allowed = decide("allow");
    assert!(allowed.starts_with("https://idp.example/callback?code=") && allowed.contains("state=s1"), "{allowed}");
    visitor.get("/consent?client_id=unknown").is(400);
}

/// The value of the field that is marked so.
fn field(page: &str, mark: &str) -> String {
    let rest = page.split_once(mark).map_or("", |(_, rest)| rest);
    let value = rest.split_once("value=\"").map_or("", |(_, value)| value);
    value.split('"').next().unwrap_or_default().to_owned()
}
