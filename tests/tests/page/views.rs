//! Every view, examined.

use std::time::Duration;

use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::directory::Role;

use crate::acme::{acme, hold_removals, list_to_preview};
use crate::browser::{Browser, DESKTOP};
use crate::examine::examine;
use crate::host::Host;
use crate::letter::passphrase;
use crate::organization::Organization;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn views_before_the_sign_in() {
    let host = Host::start();
    let organization = Organization::of(&host, "outside");
    let browser = Browser::open(DESKTOP);
    for (name, view) in [("sign-in", "sign-in"), ("reset", "reset"), ("reset-link", "reset?token=x")] {
        browser.go(&organization.view(view));
        examine(&browser, name);
    }
    browser.go(&organization.view("sign-in"));
    browser.type_into("#email", "nobody@outside.example");
    browser.type_into("#passphrase", "not the passphrase");
    browser.click("main button[type=submit]");
    browser.wait_for_text("[role=alert]", "wrong");
    examine(&browser, "sign-in-wrong");
    browser.go(&organization.view("reset"));
    browser.type_into("#email", &organization.owner);
    browser.click("main button[type=submit]");
    browser.wait_for_text("[role=status]", "on its way");
    examine(&browser, "reset-sent");

    let client = organization.enable(ExpiryWindow::Never);
    let person = insomnia_scim_tests::person::Person::new("first");
    insomnia_scim_tests::seed::user(&client, &person);
    let letter = host.letters(&organization.id, &person.email).pop().expect("a letter");
    let passphrase = passphrase(&letter);
    host.run(organization.library.set_role(&person.email, Role::CoOwner)).expect("a co-owner");
    browser.go(&organization.view("sign-in"));
    browser.type_into("#email", &person.email);
    browser.type_into("#passphrase", passphrase);
    browser.click("main button[type=submit]");
    browser.wait_for_text("h1", "Choose a passphrase");
    examine(&browser, "initial-passphrase");
}

#[test]
fn views_of_an_organization_in_use() {
    let host = Host::start();
    let (acme, client) = acme(&host);
    let browser = Browser::open(DESKTOP);
    acme.sign_in(&browser);
    for (name, view) in [
        ("overview", ""),
        ("setup-okta", "setup?idp=okta"),
        ("setup-azure", "setup?idp=azure"),
        ("setup-ping", "setup?idp=ping-federate"),
        ("setup-other", "setup?idp=other"),
        ("preview", "preview"),
        ("members", "members"),
        ("members-none", "members?q=nobody-has-this-name"),
        ("teams", "teams"),
        ("logs", "logs"),
        ("logs-refused", "logs?status=4"),
        ("logs-none", "logs?q=never-logged"),
        ("automatic", "automatic"),
        ("events", "events"),
        ("events-deleted", "events?kind=member.deleted"),
        ("guard", "guard"),
        ("deliveries", "deliveries"),
        ("refresh", "refresh"),
        ("disable", "disable"),
        ("passphrase", "passphrase"),
        ("not-found", "nowhere"),
    ] {
        browser.go(&acme.view(view));
        examine(&browser, name);
    }
    browser.go(&acme.view("logs?q=409&status=4"));
    browser.click("#log tbody tr .time a");
    browser.wait_for_text("h2", "What was done");
    examine(&browser, "log-entry");
    browser.go(&acme.view("events?kind=member.adopted"));
    browser.click(".events tbody tr .time a");
    browser.wait_for_text("h2", "As your systems get it");
    examine(&browser, "event");
    browser.go(&acme.view("preview"));
    browser.type_into("#users", &list_to_preview().to_string());
    browser.click("main form button");
    browser.wait_for_text("h2", "What this list would do");
    examine(&browser, "preview-result");
    hold_removals(&acme, &client);
    browser.go(&acme.view("guard"));
    examine(&browser, "guard-held");
}

#[test]
fn views_of_an_organization_that_begins() {
    let host = Host::start();
    let browser = Browser::open(DESKTOP);
    let fresh = Organization::of(&host, "fresh");
    fresh.sign_in(&browser);
    examine(&browser, "ready");
    browser.go(&fresh.view("enable"));
    examine(&browser, "enable");
    browser.click("main form button[type=submit]");
    browser.wait_for_text("h1", "SCIM is enabled");
    examine(&browser, "token");
    browser.click("[data-stored]");
    browser.click(".confirm button");
    browser.wait_for_text("h1 .badge", "Enabled");
    for (name, view) in [("fresh-logs", "logs"), ("fresh-teams", "teams")] {
        browser.go(&fresh.view(view));
        examine(&browser, name);
    }
}

#[test]
fn views_of_an_organization_in_trouble() {
    let host = Host::start();
    let browser = Browser::open(DESKTOP);
    let unmet = Organization::without_requirements(&host, "unmet");
    unmet.sign_in(&browser);
    examine(&browser, "requirements");

    let trouble = Organization::of(&host, "trouble");
    let client = trouble.enable(ExpiryWindow::Days30);
    for _ in 0..4 {
        insomnia_scim_tests::seed::someone(&client, "trouble");
    }
    host.pass(15 * DAY);
    hold_removals(&trouble, &client);
    trouble.sign_in(&browser);
    examine(&browser, "expiring");
    host.pass(20 * DAY);
    trouble.sign_in(&browser);
    examine(&browser, "expired");
}
