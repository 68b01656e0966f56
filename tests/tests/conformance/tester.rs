//! scim2-tester, an independent conformance suite, against the real server.

use std::collections::BTreeMap;
use std::process::Command;

use insomnia_scim_tests::server::{self, Connector};

use crate::python::tool;

/// How many results there are with users, groups and the enterprise extension; a suite that stops early has fewer. It
/// passes over adding and removing `active`, which is published as an attribute that is always there.
const RESULTS: usize = 133;

/// What a result can be; only the first one is good.
const STATUSES: [&str; 7] = ["SUCCESS", "COMPLIANT", "ACCEPTABLE", "DEVIATION", "ERROR", "CRITICAL", "SKIPPED"];

#[test]
fn scim2_tester_finds_nothing_to_complain_of() {
    let results = examine(&server::shared().connector());
    assert!(results.keys().all(|status| *status == "SUCCESS"), "{results:?}");
}

#[test]
fn scim2_tester_finds_nothing_to_complain_of_in_strict_mode() {
    let results = examine(&server::shared().organization_with("strict"));
    assert!(results.keys().all(|status| ["SUCCESS", SCHEMAS_IN_AN_EXTENSION].contains(status)), "{results:?}");
}

/// What the suite sends and strict mode refuses: an extension's value with a member `schemas`, which RFC 7643 section 3 has of
/// resources and not of extensions.
const SCHEMAS_IN_AN_EXTENSION: &str = "there is no attribute `schemas`";

/// How often each status came; an error that has [`SCHEMAS_IN_AN_EXTENSION`] as its reason counts as that.
fn examine(connector: &Connector) -> BTreeMap<&'static str, usize> {
    let output = Command::new(tool("scim2"))
        .args(["-u", &connector.url, "test", "--verbose"])
        .env("SCIM_CLI_HEADERS", format!("Authorization: Bearer {}", connector.token))
        .env("NO_COLOR", "1")
        .output()
        .expect("scim2 runs");
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut results: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines = printed.lines().peekable();
    while let Some(line) = lines.next() {
        let status = line.split(' ').next().unwrap_or_default();
        let Some(known) = STATUSES.into_iter().find(|known| *known == status) else { continue };
        let reason = lines.peek().copied().unwrap_or_default();
        let is_known = known == "ERROR" && reason.contains(SCHEMAS_IN_AN_EXTENSION);
        *results.entry(if is_known { SCHEMAS_IN_AN_EXTENSION } else { known }).or_default() += 1;
    }
    let failed = results.keys().any(|status| !["SUCCESS", SCHEMAS_IN_AN_EXTENSION].contains(status));
    assert!(!failed && results["SUCCESS"] >= RESULTS, "{results:?}\n{printed}\n{said}");
    results
}
