//! Sessions: who can sign in, for how long, and that a form on another site has no effect.

use insomnia_scim::directory::{NewMember, Role};
use insomnia_scim::{Face, Source};
use insomnia_scim_tests::client::Response;
use insomnia_scim_tests::server::Server;

use crate::page::organization::Organization;
use crate::page::visitor::{Visitor, form};

/// All views that only owners and co-owners see.
const VIEWS: [&str; 24] = [
    "",
    "/enable",
    "/refresh",
    "/disable",
    "/setup",
    "/setup-links",
    "/api-keys",
    "/preview",
    "/members",
    "/teams",
    "/automatic",
    "/guard",
    "/events",
    "/events/1",
    "/deliveries",
    "/consent",
    "/passphrase",
    "/logs",
    "/logs/1-a",
    "/logs/live",
    "/logs/export.csv",
    "/logs/export.jsonl",
    "/logs?q=a",
    "/members?after=x",
];
const ENABLE: [(&str, &str); 2] = [("provider", "okta"), ("window", "30d")];

#[test]
fn every_view_asks_to_sign_in_and_comes_back_to_where_one_was() {
    let organization = Organization::new("return");
    let home = organization.home();
    let visitor = Visitor::new(&organization);
    for view in VIEWS {
        let location = visitor.get(view).is(303).header("location").unwrap_or_default().to_owned();
        assert!(location.starts_with(&format!("{home}/sign-in")), "{view}: {location}");
    }
    let location = visitor.get("/members?q=a%20b").header("location").unwrap_or_default().to_owned();
    let next = location.split_once("?next=").map_or("", |(_, next)| next);
    assert_eq!(next, format!("{}%2Fmembers%3Fq%3Da%2520b", home.replace('/', "%2F")));
    let fields = [("email", organization.owner.as_str()), ("passphrase", &organization.passphrase)];
    let back = |next: &str| {
        let response = visitor.post("/sign-in", &[fields[0], fields[1], ("next", next)]);
        response.is(303).header("location").unwrap_or_default().to_owned()
    };
    let view = format!("{home}/members?q=a%20b");
    assert_eq!(back(&view), view);
    for elsewhere in ["https://evil.example/", "//evil.example", &format!("{home}.evil.example"), "/other"] {
        assert_eq!(back(elsewhere), home, "{elsewhere}");
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
    // The passphrase was shown on a terminal.
    let location = visitor.sign_in(&owner, &passphrase).is(303).header("location").unwrap_or_default().to_owned();
    assert!(location.ends_with("/passphrase"), "{location}");
    visitor.get("").is(303);
    visitor.choose_passphrase(&passphrase, "one that nobody else has seen");
    visitor.get("").is(200);
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
    organization.add("member@roles.example", "Mem Ber", Role::Member);
    let response = Visitor::new(&organization).sign_in("member@roles.example", &organization.passphrase);
    let text = response.is(403).text();
    assert!(text.contains("Only for owners and co-owners") && text.contains("</html>"), "{text}");
    assert_eq!(response.header("set-cookie"), None);

    // An initial passphrase must be changed, and the mail leads here for it.
    let terminal = organization.library.clone().coming_from(Source::new(Face::CommandLine));
    let new = NewMember::new("new@roles.example".into(), None, Role::Member, Some(organization.passphrase.clone()));
    organization.host.run(terminal.add_member(new)).expect("a new member");
    let visitor = Visitor::new(&organization);
    let response = visitor.sign_in("new@roles.example", &organization.passphrase);
    assert!(response.is(303).header("location").is_some_and(|to| to.ends_with("/passphrase")));
    let form = visitor.get("/passphrase").is(200).text();
    let csrf = form.split_once("name=\"csrf\" value=\"").map_or("", |(_, rest)| rest);
    let csrf = csrf.split('"').next().unwrap_or_default();
    let fields = [
        ("csrf", csrf),
        ("current", &organization.passphrase),
        ("chosen", "one of my own"),
        ("again", "one of my own"),
    ];
    visitor.post("/passphrase", &fields).is(303);
    assert!(visitor.get("").is(403).text().contains("your passphrase works"));

    organization.add("co@roles.example", "Co Owner", Role::CoOwner);
    let co_owner = Visitor::new(&organization);
    co_owner.sign_in("co@roles.example", &organization.passphrase).is(303);
    co_owner.get("").is(200);
    let (host, library) = (organization.host, &organization.library);
    host.run(library.set_role("co@roles.example", Role::Member)).expect("another role");
    for view in VIEWS.iter().filter(|view| **view != "/passphrase") {
        co_owner.get(view).is(403);
    }
    host.run(library.remove_member("co@roles.example")).expect("removed");
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

/// Signs in from this address with this passphrase; returns the status.
fn try_from(visitor: &Visitor, address: &str, email: &str, passphrase: &str) -> u16 {
    let request = form("/sign-in", &[("email", email), ("passphrase", passphrase)]);
    visitor.send(request.header("X-Forwarded-For", address)).status
}

#[test]
fn who_tries_too_often_waits_and_nobody_else_does() {
    let (one, two) = (Organization::new("account"), Organization::new("other"));
    let tried = |email: &str, address: &str| -> Vec<u16> {
        (1..=8).map(|_| try_from(&Visitor::new(&one), address, email, "wrong")).collect()
    };
    let statuses = tried(&one.owner, "192.0.2.1");
    assert_eq!(statuses, [422, 422, 422, 422, 422, 422, 429, 429]);
    assert_eq!(tried("nobody@x.example", "192.0.2.2"), statuses, "the answers tell which accounts there are");
    Visitor::owner(&two);

    let from = |email: &str, address: &str| try_from(&Visitor::new(&two), address, email, "wrong");
    // Each another account, so that only the address is tried too often.
    let statuses: Vec<u16> = (0..24).map(|number| from(&format!("p{number}@x.example"), "198.51.100.7")).collect();
    assert_eq!(statuses.iter().position(|status| *status == 429), Some(20), "{statuses:?}");
    assert_eq!(from("q@x.example", "198.51.100.8"), 422);
}

#[test]
fn f10_strangers_keep_an_owner_out_neither_of_a_known_browser_nor_of_a_mailed_link() {
    let host = crate::page::host::Host::start();
    let organization = Organization::of(&host, "strangers");
    let owner = Visitor::owner(&organization);
    // As long as the window lasts, from everywhere, also from the owner's own network.
    for address in 1..=6 {
        for _ in 0..6 {
            let stranger = Visitor::new(&organization);
            let status = try_from(&stranger, &format!("192.0.2.{address}"), &organization.owner, "wrong");
            assert!([422, 429].contains(&status), "{status}");
        }
    }
    let sign_in = |visitor: &Visitor| try_from(visitor, "192.0.2.1", &organization.owner, &organization.passphrase);
    assert_ne!(sign_in(&Visitor::new(&organization)), 303, "strangers are not slowed down");
    assert_eq!(sign_in(&owner), 303, "the owner is kept out of a browser that is known");
    assert_eq!(try_from(&owner, "192.0.2.1", &organization.owner, "wrong"), 422, "a known browser opens by itself");

    let elsewhere = Visitor::new(&organization);
    elsewhere.post("/reset", &[("email", &organization.owner)]).is(200);
    let letters = host.letters(&organization.id, &organization.owner);
    let link = crate::page::letter::word(letters.last().expect("a letter"), &organization.page).to_owned();
    let token = link.split_once("token=").map_or("", |(_, token)| token);
    let chosen = [("token", token), ("chosen", "another passphrase"), ("again", "another passphrase")];
    elsewhere.post("/reset", &chosen).is(303);
    assert_eq!(try_from(&elsewhere, "192.0.2.1", &organization.owner, "another passphrase"), 303);
    owner.get("").is(303);
    assert_ne!(sign_in(&owner), 303, "a browser is known although the passphrase is another one");
}

#[test]
fn f10_a_known_browser_is_slowed_down_by_its_own_wrong_tries() {
    let organization = Organization::new("stolen");
    let owner = Visitor::owner(&organization);
    let tries: Vec<u16> = (0..12).map(|_| owner.sign_in(&organization.owner, "wrong").status).collect();
    assert_eq!(tries.iter().position(|status| *status == 429), Some(10), "{tries:?}");
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
