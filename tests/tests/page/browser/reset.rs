//! A lost passphrase, and the mailed link that replaces it.

use crate::page::browser::{Browser, DESKTOP};
use crate::page::host::Host;
use crate::page::letter::word;
use crate::page::organization::Organization;
use crate::page::visitor::Visitor;

#[test]
fn a_mailed_link_sets_another_passphrase_once_and_ends_all_sessions() {
    let host = Host::start();
    let organization = Organization::of(&host, "reset");
    let before = Visitor::owner(&organization);
    let browser = Browser::open(DESKTOP);
    browser.go(&organization.view("sign-in"));
    browser.follow("main a[href$='/reset']");
    browser.type_into("#email", &organization.owner);
    browser.follow("main button[type=submit]");
    browser.wait_for_text("[role=status]", "a link is in that folder now");

    let letters = host.letters(&organization.id, &organization.owner);
    let link = word(letters.last().expect("a letter"), &organization.page);
    browser.go(link);
    choose(&browser, "another passphrase", "another passphrase, mistyped");
    browser.wait_for_text("[role=alert]", "are not the same");
    choose(&browser, "another passphrase", "another passphrase");
    browser.wait_for_text("[role=status]", "Your passphrase is set");
    before.get("").is(303);

    Visitor::new(&organization).sign_in(&organization.owner, &organization.passphrase).is(422);
    browser.sign_in(&organization.owner, "another passphrase");
    browser.wait_for_text("h1", "SCIM");

    browser.go(link);
    choose(&browser, "a third passphrase", "a third passphrase");
    browser.wait_for_text("[role=alert]", "not valid any more");
    assert_eq!(host.letters(&organization.id, "nobody@reset.example"), Vec::<String>::new());
}

fn choose(browser: &Browser, chosen: &str, again: &str) {
    browser.type_into("#chosen", chosen);
    browser.type_into("#again", again);
    browser.follow("main button[type=submit]");
}
