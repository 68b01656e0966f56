//! The metrics for the operator's monitoring (P9): they have a listener of their own, are in the text format of
//! Prometheus, and name nobody.

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::Server;

use crate::outside::commands::soon;

/// A server with a listener for metrics, and a client of that listener.
fn measured() -> (Server, Client) {
    let server = Server::start_with(&["--metrics-listen", "127.0.0.1:0"]);
    let url = soon("the address of the metrics", || {
        let said = server.stderr();
        let (_, rest) = said.split_once("metrics on ")?;
        Some(rest.split_whitespace().next()?.trim_end_matches("/metrics").to_owned())
    });
    (server, Client::bare(&url))
}

/// The value of the sample with exactly this name and these labels; 0 if there is none yet.
fn value(metrics: &str, sample: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}

#[test]
fn p9_requests_calls_and_what_the_component_has_the_host_do_are_counted() {
    let (server, metrics) = measured();
    let person = Person::new(&unique("counted"));
    let before = metrics.get("/metrics").text();
    server.client().post("/Users", seed::user_request(&person)).is(201);
    server.client().post("/Users", seed::user_request(&person)).is(409);
    Client::bare(&server.client().url()).get("/Users").is(401);
    let response = metrics.get("/metrics");
    assert_eq!(response.header("content-type"), Some("text/plain; version=0.0.4"));
    let after = response.text();
    let grown = |sample: &str| value(&after, sample) - value(&before, sample);
    let requests = |method: &str, status: u16| {
        grown(&format!(r#"insomnia_scim_http_requests_total{{face="scim",method="{method}",status="{status}"}}"#))
    };
    assert_eq!([requests("POST", 201), requests("POST", 409), requests("GET", 401)], [1.0, 1.0, 1.0], "{after}");
    assert!(grown(r#"insomnia_scim_component_calls_total{outcome="answered"}"#) >= 3.0, "{after}");
    let committed = r#"insomnia_scim_capability_calls_total{capability="storage",function="commit",outcome="ok"}"#;
    assert!(grown(committed) >= 1.0, "{after}");
    assert!(value(&after, r#"insomnia_scim_memory_held_bytes{account="everybody"}"#) > 0.0, "{after}");
    assert!(value(&after, "process_resident_memory_bytes") > 0.0, "{after}");
    // The letter to the new member is a job.
    soon("the end of the jobs", || {
        let done = value(&metrics.get("/metrics").text(), r#"insomnia_scim_jobs_total{outcome="done"}"#);
        (done > 0.0).then_some(())
    });
}

#[test]
fn p9_no_metric_names_an_organization_a_member_or_a_path_and_strangers_reach_none() {
    let (server, metrics) = measured();
    let person = Person::new(&unique("hidden"));
    server.client().post("/Users", seed::user_request(&person)).is(201);
    Client::bare(&server.client().at_root().url()).get("/scim/v2/some-stranger-invented/Users").is(401);
    let text = metrics.get("/metrics").text();
    for hidden in [&*server.demo().organization, "hidden", "some-stranger-invented", "/Users"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    server.client().at_root().get("/metrics").is(404);
    metrics.get("/scim/v2/demo/Users").is(404);
}
