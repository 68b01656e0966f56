//! The page is used with the keyboard alone.

use thirtyfour::Key;

use crate::page::browser::{Browser, DESKTOP};
use crate::page::host::Host;
use crate::page::organization::Organization;

/// What has the focus: the value of a choice, the type or the id of a field, the text of anything else.
const FOCUS: &str = "const e = document.activeElement; \
     if (e.type === 'radio') return e.value; \
     if (e.type === 'checkbox') return e.type; \
     return e.id && e.matches('input') ? e.id : e.textContent.replace(/\\s+/g, ' ').trim();";

#[test]
fn an_owner_gets_a_token_by_keyboard_alone_and_always_sees_where_the_focus_is() {
    let host = Host::start();
    let organization = Organization::of(&host, "keyboard");
    let browser = Browser::open(DESKTOP);
    browser.go(&organization.page);
    // The first field has the focus already.
    browser.wait_for_script(FOCUS, "email");
    browser.press(&organization.owner);
    browser.press(Key::Tab);
    browser.press(&organization.passphrase);
    browser.press(Key::Enter);
    browser.wait_for_text("h1 .badge", "Disabled");

    browser.press(Key::Tab);
    browser.wait_for_script(FOCUS, "Skip to content");
    browser.wait_for_script(
        "return document.activeElement.getBoundingClientRect().top < 0 ? 'above' : 'on the screen'",
        "on the screen",
    );
    browser.press(Key::Enter);
    tab_to(&browser, "Enable SCIM");
    browser.press(Key::Enter);
    browser.wait_for_text("h1", "Enable SCIM");

    // Okta is chosen, since single sign-on is with Okta; the arrow goes on to Azure.
    tab_to(&browser, "okta");
    browser.press(Key::Down);
    browser.wait_for_script(FOCUS, "azure");
    tab_to(&browser, "180d");
    tab_to(&browser, "Enable and show the token");
    browser.press(Key::Enter);
    browser.wait_for_text("h1", "SCIM is enabled");

    tab_to(&browser, "Copy Connector URL");
    tab_to(&browser, "Copy Token");
    browser.press(Key::Enter);
    browser.wait_for_status("Copied to the clipboard.");
    tab_to(&browser, "checkbox");
    browser.press(Key::Space);
    tab_to(&browser, "Continue");
    browser.press(Key::Enter);
    browser.wait_for_text("h1 .badge", "Enabled");
}

/// Presses Tab until the focus is there.
#[track_caller]
fn tab_to(browser: &Browser, wanted: &str) {
    let mut passed = Vec::new();
    for _ in 0..40 {
        browser.press(Key::Tab);
        let now = focus(browser);
        assert!(has_outline(browser), "{now} has the focus and does not show it");
        if now == wanted {
            return;
        }
        passed.push(now);
    }
    panic!("Tab never comes to {wanted:?}, only to {passed:?}");
}

fn focus(browser: &Browser) -> String {
    browser.run(FOCUS).as_str().unwrap_or_default().to_owned()
}

fn has_outline(browser: &Browser) -> bool {
    let script = "const s = getComputedStyle(document.activeElement); \
         return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;";
    browser.run(script) == serde_json::Value::Bool(true)
}
