//! axe-core over every view, light and dark, on a desktop and a phone; and nothing is wider than a phone.

use std::fs;

use serde_json::Value;

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::person::Person;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::shared;

use crate::browser::{Browser, DESKTOP, Look, PHONE};
use crate::organization::Organization;

/// Where `make setup` puts it.
const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/npm/node_modules/axe-core/axe.min.js");

const LOOKS: [Look; 4] = [DESKTOP, Look { dark: true, ..DESKTOP }, PHONE, Look { dark: true, ..PHONE }];

#[test]
fn axe_finds_nothing_on_any_view_and_no_view_is_wider_than_the_window() {
    let axe = fs::read_to_string(AXE).unwrap_or_else(|error| panic!("{AXE}: {error}; run `make setup`"));
    let organization = Organization::demo();
    fill(&shared().client());
    let browser = Browser::open(DESKTOP);

    for view in ["sign-in", "reset", "reset?token=x"] {
        browser.go(&organization.view(view));
        examine_in_all_looks(&browser, &axe, view);
    }
    organization.sign_in(&browser);
    for view in [
        "",
        "setup?idp=okta",
        "setup?idp=azure",
        "setup?idp=ping-federate",
        "setup?idp=other",
        "refresh",
        "disable",
        "members",
        "members?q=nobody-has-this-name",
        "teams",
        "logs",
        "logs?status=4",
        "logs?q=never-logged",
        "automatic",
        "guard",
        "deliveries",
        "passphrase",
        "nowhere",
    ] {
        browser.go(organization.view(view).trim_end_matches('/'));
        examine_in_all_looks(&browser, &axe, view);
    }
    browser.go(&organization.view("logs"));
    browser.click("#log tbody tr .time a");
    browser.wait_for_text("h2", "What was done");
    examine_in_all_looks(&browser, &axe, "a log entry");

    let fresh = Organization::new("axe");
    fresh.sign_in(&browser);
    examine_in_all_looks(&browser, &axe, "ready to enable");
    browser.go(&fresh.view("enable"));
    examine_in_all_looks(&browser, &axe, "enable");
    browser.click("main form button[type=submit]");
    browser.wait_for_text("h1", "SCIM is enabled");
    examine_in_all_looks(&browser, &axe, "the token");

    let unmet = Organization::without_requirements("axe-unmet");
    unmet.sign_in(&browser);
    examine_in_all_looks(&browser, &axe, "requirements");
}

/// Members, teams, and log lines of every kind, with names that are hard to fit in.
fn fill(client: &Client) {
    let people: Vec<String> = (0..4)
        .map(|_| seed::someone(client, "axe"))
        .map(|made| made["id"].as_str().expect("an id").to_owned())
        .collect();
    let long = Person { family: "Wolfeschlegelsteinhausenbergerdorff".repeat(2), ..Person::new("axe-long") };
    seed::user(client, &long);
    seed::user(client, &Person { given: "<b>".into(), ..Person::new("axe-markup") });
    seed::group(client, &insomnia_scim_tests::person::unique("Team-of-axe"), &people);
    client.get("/Users/never-there").is(404);
    client.get("/Users?filter=userName%20eq%20%22a%22%20and%20%28").is(400);
}

#[track_caller]
fn examine_in_all_looks(browser: &Browser, axe: &str, view: &str) {
    browser.run(axe);
    for look in LOOKS {
        browser.look(look);
        let name = format!("{view:?} at {} px, {}", look.width, if look.dark { "dark" } else { "light" });
        let wide = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(wide, Value::from(0), "{name} scrolls sideways");
        let found = browser.run_async(
            "const done = arguments[arguments.length - 1]; \
             axe.run({ resultTypes: ['violations'] }).then(result => done(result.violations.map(violation => \
                 [violation.impact, violation.id, violation.help, violation.nodes.map(node => node.html + ' ' + node.failureSummary)])))",
        );
        assert_eq!(found, Value::Array(vec![]), "{name}: {found:#}");
    }
}
