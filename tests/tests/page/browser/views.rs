//! Examines every view.

use std::time::Duration;

use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::directory::Role;
use insomnia_scim_tests::person::Person;
use insomnia_scim_tests::seed;

use crate::page::acme::{acme, hold_removals, list_to_preview};
use crate::page::browser::examine::examine;
use crate::page::browser::{Browser, DESKTOP};
use crate::page::host::Host;
use crate::page::letter::passphrase;
use crate::page::organization::Organization;

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
    browser.sign_in("nobody@outside.example", "not the passphrase");
    browser.wait_for_text("[role=alert]", "wrong");
    examine(&browser, "sign-in-wrong");
    browser.go(&organization.view("reset"));
    browser.type_into("#email", &organization.owner);
    browser.follow("main button[type=submit]");
    browser.wait_for_text("[role=status]", "If this address belongs to a member");
    examine(&browser, "reset-sent");

    let client = organization.enable(ExpiryWindow::Never);
    let person = Person::new("first");
    seed::user(&client, &person);
    let letter = host.letters(&organization.id, &person.email).pop().expect("a letter");
    let passphrase = passphrase(&letter);
    host.run(organization.library.set_role(&person.email, Role::CoOwner)).expect("a co-owner");
    browser.go(&organization.view("sign-in"));
    browser.sign_in(&person.email, passphrase);
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
        ("setup-onelogin", "setup?idp=onelogin"),
        ("setup-links", "setup-links"),
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
        ("audit", "audit"),
        ("guard", "guard"),
        ("deliveries", "deliveries"),
        ("refresh", "refresh"),
        ("disable", "disable"),
        ("settings", "settings"),
        ("api-keys", "api-keys"),
        ("passphrase", "passphrase"),
        ("not-found", "nowhere"),
    ] {
        browser.go(&acme.view(view));
        examine(&browser, name);
    }
    browser.go(&acme.view("setup-links"));
    browser.type_into("#passphrase", &acme.passphrase);
    browser.follow("button[value=create]");
    browser.wait_for_text("main", "Copy the link now");
    examine(&browser, "setup-link");
    browser.go(&acme.view("logs?q=409&status=4"));
    browser.follow("#log tbody tr .time a");
    browser.wait_for_text("h2", "Action and reasons");
    examine(&browser, "log-entry");
    browser.go(&acme.view("teams"));
    browser.follow(".teams tbody tr .name a");
    browser.wait_for_text("main", "All teams");
    examine(&browser, "team");
    browser.go(&acme.view("members?q=lovelace&state=active"));
    browser.follow(".people tbody tr .name a");
    browser.wait_for_text("main", "All members");
    examine(&browser, "member");
    browser.go(&acme.view("events?kind=member.adopted"));
    browser.follow(".events tbody tr .time a");
    browser.wait_for_text("h2", "Event as JSON");
    examine(&browser, "event");
    browser.go(&acme.view("preview"));
    browser.type_into("#users", &list_to_preview().to_string());
    browser.follow("main form button");
    browser.wait_for_text("h2", "Result for this list");
    examine(&browser, "preview-result");
    browser.go(&acme.view("automatic"));
    browser.type_into("#name", "Entra ID");
    browser.type_into("#client-proof", &acme.passphrase);
    browser.follow("button[value=create]");
    browser.wait_for_text("main", "Copy the secret now");
    examine(&browser, "oauth-client");
    browser.click("[data-stored]");
    browser.follow(".confirm button");
    browser.wait_for_text(".client", "Entra ID");
    examine(&browser, "oauth-clients");
    browser.follow(".client .actions a:first-child");
    browser.wait_for_text("h1", "A new secret for Entra ID?");
    examine(&browser, "confirm-new-secret");
    browser.go(&acme.view("deliveries"));
    browser.type_into("#url", "http://127.0.0.1:9/");
    browser.follow("button[value=set]");
    browser.wait_for_text("main", "Copy the key now");
    examine(&browser, "webhook-key");
    hold_removals(&acme, &client);
    browser.click("[data-stored]");
    browser.follow(".confirm button");
    browser.wait_for_text("main", "Events to be delivered");
    examine(&browser, "deliveries-waiting");
    browser.go(&acme.view("streams"));
    browser.type_into("#name", "Backend");
    browser.type_into("#audience", "https://rp.example/7");
    browser.type_into("#passphrase", &acme.passphrase);
    examine(&browser, "streams-add");
    browser.follow("button[value=add]");
    browser.wait_for_text("main", "Copy the token now");
    examine(&browser, "stream-token");
    browser.click("[data-stored]");
    browser.follow(".confirm button");
    browser.wait_for_text("main", "Never polled");
    examine(&browser, "streams");
    for question in ["remove-webhook", "allow-all", "refuse-all"] {
        browser.go(&acme.view(&format!("confirm/{question}")));
        examine(&browser, &format!("confirm-{question}"));
    }

    acme.add("somebody@acme.example", "Some Body", Role::Member);
    let member = Browser::open(DESKTOP);
    member.go(&acme.view("sign-in"));
    member.sign_in("somebody@acme.example", &acme.passphrase);
    member.wait_for_text("h1", "Only for owners and co-owners");
    examine(&member, "not-an-owner");
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
    browser.follow("main form button[type=submit]");
    browser.wait_for_text("h1", "SCIM is enabled");
    examine(&browser, "token");
    browser.click("[data-stored]");
    browser.follow(".confirm button");
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
    // Nobody listens there, and nobody has such an address.
    host.run(trouble.library.set_webhook("http://127.0.0.1:9/")).expect("a webhook");
    let nowhere = Person { email: "no..where@trouble.example".into(), ..Person::new("nowhere") };
    seed::user(&client, &nowhere);
    for _ in 0..3 {
        seed::someone(&client, "trouble");
    }
    // Hour by hour: days in which no host runs are none in which it was tried.
    for _ in 0..16 * 24 {
        host.run_due();
        host.pass(DAY / 24);
    }
    hold_removals(&trouble, &client);
    trouble.sign_in(&browser);
    examine(&browser, "expiring");
    for (name, view) in [("held", "guard"), ("deliveries-parked", "deliveries")] {
        browser.go(&trouble.view(view));
        examine(&browser, name);
    }
    browser.wait_for_text("main", "could not be sent");
    browser.wait_for_text("main", "did not accept");
    browser.follow("a[href*=readdress]");
    browser.wait_for_text("h1", "another address");
    examine(&browser, "readdress");
    host.pass(20 * DAY);
    trouble.sign_in(&browser);
    examine(&browser, "expired");

    let full = Organization::of(&host, "full");
    full.change(|record| record.seats = 1);
    full.enable(ExpiryWindow::Never).post("/Users", seed::user_request(&Person::new("seatless"))).error(403);
    full.sign_in(&browser);
    browser.wait_for_text(".banner", "No seats left");
    browser.follow(".banner a[href*=without-seat]");
    browser.wait_for_text("h1", "People without a seat");
    examine(&browser, "without-seat");
    full.change(|record| (record.seats, record.options.allow_overage) = (0, true));
    browser.go(&full.page);
    browser.wait_for_text(".banner", "More seats are taken than you have");
    examine(&browser, "overage");
}
