//! scim2-tester, an independent conformance suite, against the real server.

use std::collections::BTreeMap;
use std::process::Command;

use insomnia_scim_tests::server;

use crate::python::tool;

/// How many results there are with users, groups and the enterprise extension; a suite that stops early has fewer. It
/// passes over adding and removing `active`, which is published as an attribute that is always there.
const RESULTS: usize = 133;

/// What a result can be; only the first one is good.
const STATUSES: [&str; 7] = ["SUCCESS", "COMPLIANT", "ACCEPTABLE", "DEVIATION", "ERROR", "CRITICAL", "SKIPPED"];

#[test]
fn scim2_tester_finds_nothing_to_complain_of() {
    let connector = server::shared().connector();
    let output = Command::new(tool("scim2"))
        .args(["-u", &connector.url, "test", "--verbose"])
        .env("SCIM_CLI_HEADERS", format!("Authorization: Bearer {}", connector.token))
        .env("NO_COLOR", "1")
        .output()
        .expect("scim2 runs");
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut results: BTreeMap<&str, usize> = BTreeMap::new();
    for line in printed.lines() {
        let status = line.split(' ').next().unwrap_or_default();
        if STATUSES.contains(&status) {
            *results.entry(status).or_default() += 1;
        }
    }
    let all_printed = || format!("{results:?}\n{printed}\n{said}");
    assert!(output.status.success(), "{}", all_printed());
    assert!(results.keys().all(|status| *status == "SUCCESS"), "{}", all_printed());
    assert!(results["SUCCESS"] >= RESULTS, "{}", all_printed());
}
