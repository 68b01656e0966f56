//! What an owner does: signs in, enables SCIM, provisions, refreshes the token, disables SCIM.

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::person::Person;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::shared;

use crate::browser::{Browser, DESKTOP, Look, PHONE, key};
use crate::organization::Organization;

#[test]
fn an_owner_enables_provisions_refreshes_and_disables() {
    let organization = Organization::new("journey");
    let browser = Browser::open(DESKTOP);
    sign_in_after_a_wrong_passphrase(&browser, &organization);

    let (first, first_token) = enable(&browser, &organization);
    copy_the_token(&browser, &first_token);
    browser.click("[data-stored]");
    browser.click(".confirm button");
    browser.wait_for_text("h1 .badge", "Enabled");

    // Whoever follows the log sees the request appear without doing anything.
    browser.go(&organization.view("logs"));
    browser.click("[data-live]");
    let person = Person::new("journey");
    seed::user(&first, &person);
    browser.wait_for_text("#log tbody", &person.display_name());
    browser.wait_for_text("#log tbody tr", "created");

    browser.click("#log tbody tr .time a");
    browser.wait_for_text("h1", "/Users");
    browser.wait_for_text("main", "created");

    browser.go(&organization.view("members"));
    browser.type_into("#q", &person.email);
    browser.click("main form button");
    browser.wait_for_text(".people tbody", &person.display_name());
    assert!(!browser.text(".people tbody").contains(&organization.owner), "the search does not narrow the list");
    // The token is on the clipboard still.
    browser.run("document.getElementById('q').select()");
    browser.press("v", Some(key::CONTROL));
    assert_eq!(browser.value("#q"), first_token);

    let second = refresh_after_a_wrong_passphrase(&browser, &organization);
    first.get("/Users?count=0").is(401);
    second.get("/Users?count=0").is(200);

    disable(&browser);
    second.get("/Users?count=0").is(401);
}

#[test]
fn everything_but_copying_and_the_live_log_works_without_javascript() {
    let organization = Organization::new("noscript");
    let browser = Browser::open(Look { javascript: false, ..DESKTOP });
    sign_in_after_a_wrong_passphrase(&browser, &organization);
    let (first, _) = enable(&browser, &organization);
    assert!(!browser.shows("[data-copy]"), "there is a button that does nothing");
    browser.click("[data-stored]");
    browser.click(".confirm button");

    let person = Person::new("noscript");
    seed::user(&first, &person);
    browser.go(&organization.view("logs"));
    assert!(!browser.shows("[data-live]"), "there is a button that does nothing");
    browser.wait_for_text("#log tbody", &person.display_name());
    browser.go(&organization.view("logs?status=4"));
    browser.wait_for_text("main", "No request matches");

    let second = refresh_after_a_wrong_passphrase(&browser, &organization);
    first.get("/Users?count=0").is(401);
    second.get("/Users?count=0").is(200);
    disable(&browser);
    browser.click("header form button");
    browser.wait_for_text("main", "You are signed out");
    browser.go(&organization.page);
    browser.wait_for_text("h1", "Sign in");
}

#[test]
fn an_owner_enables_and_refreshes_on_a_phone() {
    let organization = Organization::new("phone");
    let browser = Browser::open(PHONE);
    sign_in_after_a_wrong_passphrase(&browser, &organization);
    let (first, _) = enable(&browser, &organization);
    browser.click("[data-stored]");
    browser.click(".confirm button");
    let second = refresh_after_a_wrong_passphrase(&browser, &organization);
    first.get("/Users?count=0").is(401);
    second.get("/Users?count=0").is(200);
}

#[test]
fn requirements_that_are_not_met_are_named_with_what_to_do() {
    let organization = Organization::without_requirements("requirements");
    let browser = Browser::open(DESKTOP);
    organization.sign_in(&browser);
    let checks = browser.text(".checks");
    assert_eq!(checks.matches("missing").count(), 3, "{checks}");
    for text in ["Enterprise Controls > Domains", "Enterprise Controls > SSO", "Team plan"] {
        assert!(checks.contains(text), "{text} is missing: {checks}");
    }
    assert!(!browser.has("a[href$='/enable']"), "SCIM is offered although it can't be enabled");
}

fn sign_in_after_a_wrong_passphrase(browser: &Browser, organization: &Organization) {
    browser.go(&organization.page);
    browser.type_into("#email", &organization.owner);
    browser.type_into("#passphrase", "not the passphrase");
    browser.click("main button[type=submit]");
    browser.wait_for_text("[role=alert]", "wrong");
    assert_eq!(browser.value("#email"), organization.owner);
    browser.type_into("#passphrase", &organization.passphrase);
    browser.click("main button[type=submit]");
    browser.wait_for_text("h1 .badge", "Disabled");
}

/// Enables SCIM for Azure for 90 days; a client with what the page shows then, and the token.
fn enable(browser: &Browser, organization: &Organization) -> (Client, String) {
    browser.click("main a[href$='/enable']");
    browser.click("input[value=azure]");
    browser.click("input[value='90d']");
    browser.click("main form button[type=submit]");
    browser.wait_for_text("h1", "SCIM is enabled");
    browser.wait_for_text(".steps", "Secret Token");
    let client = shown_connector(browser);
    assert!(client.url().ends_with(&format!("/{}", organization.id)), "{}", client.url());
    client.get("/Users?count=0").is(200);
    (client, browser.value("#token"))
}

fn copy_the_token(browser: &Browser, token: &str) {
    browser.click("[data-copy=token]");
    browser.wait_for_text("[data-copy=token]", "Copied");
    assert_eq!(browser.value("#token"), token);
}

fn refresh_after_a_wrong_passphrase(browser: &Browser, organization: &Organization) -> Client {
    browser.go(&organization.view("refresh"));
    browser.type_into("#passphrase", "not the passphrase");
    browser.click("main form button[type=submit]");
    browser.wait_for_text("[role=alert]", "The passphrase is wrong");
    browser.type_into("#passphrase", &organization.passphrase);
    browser.click("main form button[type=submit]");
    browser.wait_for_text("h1", "Your new token");
    let client = shown_connector(browser);
    browser.click("[data-stored]");
    browser.click(".confirm button");
    browser.wait_for_text("h1 .badge", "Enabled");
    client
}

fn disable(browser: &Browser) {
    browser.click("main .head a[href$='/disable']");
    browser.wait_for_text("main", "nobody loses access");
    browser.click("main .danger");
    browser.wait_for_text("h1 .badge", "Disabled");
}

fn shown_connector(browser: &Browser) -> Client {
    let token = browser.value("#token");
    assert!(token.starts_with("insm_scim_"), "{token}");
    assert!(browser.value("#connector-url").starts_with(&shared_origin()));
    Client::new(&browser.value("#connector-url"), &token)
}

fn shared_origin() -> String {
    let url = &shared().demo().page_url;
    url.split("/organizations/").next().unwrap_or(url).to_owned()
}
