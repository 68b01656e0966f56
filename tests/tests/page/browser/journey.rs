//! The way of a co-owner from the mailed passphrase to a token, until it has expired and is replaced: on a desktop, on
//! a phone, and without JavaScript.

use std::process::Command;
use std::time::Duration;

use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::directory::Role;
use insomnia_scim_tests::person::Person;
use insomnia_scim_tests::seed;
use serde_json::Value;

use crate::page::browser::{Browser, DESKTOP, Look, PHONE};
use crate::page::host::Host;
use crate::page::letter::passphrase;
use crate::page::organization::Organization;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const CHOSEN: &str = "a passphrase of my own";

#[test]
fn from_the_mailed_passphrase_to_an_expired_token_and_back() {
    Journey::begin(&Host::start(), "journey", DESKTOP).go();
}

#[test]
fn the_same_on_a_phone() {
    Journey::begin(&Host::start(), "phone", PHONE).go();
}

#[test]
fn the_same_without_javascript_but_for_copying_and_the_live_log() {
    Journey::begin(&Host::start(), "noscript", Look { javascript: false, ..DESKTOP }).go();
}

struct Journey<'h> {
    organization: Organization<'h>,
    browser: Browser,
    scripted: bool,
    /// Who is on the way.
    traveller: Person,
}

impl<'h> Journey<'h> {
    /// Someone whom SCIM brought, and who was made a co-owner; SCIM is off again, and something is missing.
    fn begin(host: &'h Host, name: &str, look: Look) -> Self {
        let organization = Organization::of(host, name);
        let client = organization.enable(ExpiryWindow::Days30);
        let traveller = Person::new(name);
        seed::user(&client, &traveller);
        host.run(organization.library.set_role(&traveller.email, Role::CoOwner)).expect("a co-owner");
        host.run(organization.library.disable(&organization.owner)).expect("SCIM is off");
        organization.change(|record| record.domains[0].verified = false);
        Self { organization, browser: Browser::open(look), scripted: look.javascript, traveller }
    }

    fn go(&self) {
        self.first_sign_in();
        self.requirements();
        let first = self.enable();
        self.provision_and_watch(&first);
        self.find_the_member(&first);
        let second = self.let_it_expire_and_refresh(&first);
        self.disable(&second);
        self.sign_out();
    }

    fn first_sign_in(&self) {
        let (organization, browser) = (&self.organization, &self.browser);
        let letters = organization.host.letters(&organization.id, &self.traveller.email);
        let initial = passphrase(&letters[0]);
        browser.go(&organization.page);
        browser.sign_in(&self.traveller.email, "not the passphrase");
        browser.wait_for_text("[role=alert]", "wrong");
        // The address need not be typed again.
        browser.wait_for_value("#email", &self.traveller.email);
        browser.type_into("#passphrase", initial);
        browser.follow("main button[type=submit]");

        browser.wait_for_text("h1", "Choose a passphrase");
        // There is no way round it.
        browser.go(&organization.view("members"));
        browser.wait_for_text("h1", "Choose a passphrase");
        browser.type_into("#current", initial);
        browser.type_into("#chosen", CHOSEN);
        browser.type_into("#again", CHOSEN);
        browser.follow("main button[type=submit]");
        // On to what was asked for before.
        browser.wait_for_text("h1", "Members");
        browser.go(&organization.page);
        browser.wait_for_text("h1 .badge", "Disabled");
    }

    fn requirements(&self) {
        let (organization, browser) = (&self.organization, &self.browser);
        let checks = browser.text(".checks");
        assert_eq!(checks.matches("missing").count(), 1, "{checks}");
        assert!(checks.contains("Enterprise Controls > Domains"), "it is not said what to do: {checks}");
        // SCIM is not offered when it can't be enabled.
        browser.wait_for_absence("a[href$='/enable']");
        organization.change(|record| record.domains[0].verified = true);
        browser.go(&organization.page);
    }

    /// Enables SCIM for Azure for 30 days, by the passphrase since it was enabled before, and returns the token that the page shows.
    fn enable(&self) -> String {
        let browser = &self.browser;
        browser.follow("main a[href$='/enable']");
        browser.click("input[value=azure]");
        browser.click("input[value='30d']");
        browser.type_into("#passphrase", CHOSEN);
        browser.follow("main form button[type=submit]");
        browser.wait_for_text("h1", "SCIM is enabled");
        browser.wait_for_text(".steps", "Secret Token");
        browser.wait_for_value("#connector-url", &self.organization.library.connector_url());
        self.take_the_token()
    }

    /// The token of the page that shows it once: from the clipboard where there is a script to copy it.
    fn take_the_token(&self) -> String {
        let browser = &self.browser;
        let token = browser.value("#token");
        assert!(token.starts_with("insm_scim_"), "{token}");
        if self.scripted {
            browser.click("[data-copy=token]");
            browser.wait_for_status("Copied to the clipboard.");
        } else {
            // There is no button that would do nothing.
            browser.wait_for_absence("[data-copy]");
        }
        browser.click("[data-stored]");
        browser.follow(".confirm button");
        browser.wait_for_text("h1 .badge", "Enabled");
        if !self.scripted {
            return token;
        }
        browser.go(&self.organization.view("members"));
        browser.paste_into("#q");
        browser.wait_for_value("#q", &token);
        token
    }

    fn provision_and_watch(&self, token: &str) {
        let (browser, person) = (&self.browser, Person::new("by-curl"));
        browser.go(&self.organization.view("logs"));
        if self.scripted {
            browser.click("[data-live]");
        } else {
            browser.wait_for_absence("[data-live]");
        }
        let (status, made) = self.curl(token, &["--data", &seed::user_request(&person).to_string()], "/Users");
        assert_eq!(status, 201, "{made}");
        if !self.scripted {
            browser.go(&self.organization.view("logs"));
        }
        // Whoever follows the log sees the request appear without doing anything.
        browser.wait_for_text("#log tbody tr", &person.display_name());
        browser.wait_for_text("#log tbody tr", "created");
        browser.follow("#log tbody tr .time a");
        browser.wait_for_text("h1", "/Users");
        browser.wait_for_text("main", "created");
        browser.wait_for_text("#curl", &person.email);
        assert!(!browser.text("main").contains(token), "a token is in the log");
        browser.go(&self.organization.view("logs?status=4"));
        browser.wait_for_text("main", "No request matches");
    }

    fn find_the_member(&self, token: &str) {
        let (browser, organization) = (&self.browser, &self.organization);
        browser.go(&organization.view("members"));
        browser.type_into("#q", &self.traveller.email);
        browser.follow("main form button");
        browser.wait_for_text(".people tbody", &self.traveller.display_name());
        assert!(!browser.text(".people tbody").contains(&organization.owner), "the search does not narrow the list");
        browser.go(&organization.view("events?kind=member.created"));
        browser.wait_for_text(".events tbody tr", "by-curl");
        browser.follow(".events tbody tr .time a");
        browser.wait_for_text("#raw", "member.created");
        assert!(!browser.text("main").contains(token), "a token is in an event");
    }

    fn let_it_expire_and_refresh(&self, first: &str) -> String {
        let (organization, browser) = (&self.organization, &self.browser);
        organization.host.pass(11 * DAY);
        self.sign_in_again();
        browser.wait_for_text(".banner.warn", "It expires in 18 days");
        organization.host.pass(19 * DAY);
        let (status, refused) = self.curl(first, &[], "/Users");
        assert_eq!(status, 401, "{refused}");
        assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("expired")), "{refused}");
        self.sign_in_again();
        browser.wait_for_text("[role=alert]", "Syncing has stopped");
        let letters = organization.host.letters(&organization.id, &self.traveller.email).join("\n");
        assert!(letters.contains("expire"), "nobody was warned: {letters}");

        browser.follow(".banner.bad a");
        browser.type_into("#passphrase", "not the passphrase");
        browser.follow("main form button[type=submit]");
        browser.wait_for_text("[role=alert]", "The passphrase is wrong");
        browser.type_into("#passphrase", CHOSEN);
        browser.follow("main form button[type=submit]");
        browser.wait_for_text("h1", "Your new token");
        let second = self.take_the_token();
        assert_eq!(self.curl(first, &[], "/Users?count=0").0, 401);
        assert_eq!(self.curl(&second, &[], "/Users?count=0").0, 200);
        second
    }

    fn disable(&self, token: &str) {
        let browser = &self.browser;
        browser.go(&self.organization.page);
        browser.follow("main .head a[href$='/disable']");
        browser.wait_for_text("main", "nobody loses access");
        browser.follow("main .danger");
        browser.wait_for_text("h1 .badge", "Disabled");
        assert_eq!(self.curl(token, &[], "/Users?count=0").0, 401);
    }

    fn sign_out(&self) {
        let browser = &self.browser;
        browser.follow("header form button");
        browser.wait_for_text("main", "You are signed out");
        browser.go(&self.organization.page);
        browser.wait_for_text("h1", "Sign in");
    }

    fn sign_in_again(&self) {
        self.browser.go(&self.organization.page);
        self.browser.wait_for_text("h1", "Sign in");
        self.browser.sign_in(&self.traveller.email, CHOSEN);
        self.browser.wait_for_text("h1", "SCIM");
    }

    /// Asks the connector by the program that people try it with.
    #[track_caller]
    fn curl(&self, token: &str, arguments: &[&str], path: &str) -> (u16, Value) {
        let output = Command::new("curl")
            .args(["-sS", "-w", "\n%{http_code}", "-H", "Content-Type: application/scim+json"])
            .args(["-H", &format!("Authorization: Bearer {token}")])
            .args(arguments)
            .arg(format!("{}{path}", self.organization.library.connector_url()))
            .output()
            .expect("curl runs");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = printed.rsplit_once('\n').unwrap_or_default();
        let body = serde_json::from_str(body).unwrap_or(Value::Null);
        (status.parse().unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))), body)
    }
}
