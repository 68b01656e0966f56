//! The demands on every view, in every look (size and colours): axe-core finds no fault, the view is not wider than the
//! window, and it loads little.
//!
//! If `INSOMNIA_SCIM_SCREENSHOTS` names a directory, a picture of each view in each look is written there.

use std::env;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::page::browser::{Browser, DESKTOP, Look, PHONE};

/// Where `make setup` puts it.
const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/npm/node_modules/axe-core/axe.min.js");

const LOOKS: [Look; 4] = [DESKTOP, Look { dark: true, ..DESKTOP }, PHONE, Look { dark: true, ..PHONE }];

/// Nothing that axe-core calls an offence is left, of whatever impact: of its rules about colours, or of all.
fn run_axe(rules: &str) -> String {
    format!(
        "return axe.run({{ resultTypes: ['violations'], {rules} }}).then(result => result.violations.map(violation => \
         [violation.impact, violation.id, violation.help, violation.nodes.map(node => node.html + ' ' + node.failureSummary)]))"
    )
}

/// The rules of axe-core that look at colours. In the dark nothing but colours is another than in the light.
const ABOUT_COLOURS: &str = "runOnly: ['color-contrast', 'link-in-text-block']";

/// The view that the browser shows; the name says which.
#[track_caller]
pub(crate) fn examine(browser: &Browser, name: &str) {
    let axe = fs::read_to_string(AXE).unwrap_or_else(|error| panic!("{AXE}: {error}; run `make setup`"));
    let loaded = browser.run("return performance.getEntriesByType('resource').map(entry => entry.name)");
    assert!(loaded.as_array().is_some_and(|all| all.len() <= 2), "{name} asks for more than two files: {loaded}");
    browser.run(&axe);
    for look in LOOKS {
        browser.look(look);
        let at = format!("{name} at {} px, {}", look.width, if look.dark { "dark" } else { "light" });
        if let Some(directory) = env::var_os("INSOMNIA_SCIM_SCREENSHOTS") {
            let file = format!("{name}-{}-{}.png", look.width, if look.dark { "dark" } else { "light" });
            fs::create_dir_all(&directory).expect("a directory for pictures");
            fs::write(Path::new(&directory).join(file), browser.picture(u64::MAX)).expect("a picture is written");
        }
        let wide = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(wide, Value::from(0), "{at} scrolls sideways");
        let found = browser.run(&run_axe(if look.dark { ABOUT_COLOURS } else { "" }));
        assert_eq!(found, Value::Array(vec![]), "{at}: {found:#}");
    }
    browser.look(DESKTOP);
}
