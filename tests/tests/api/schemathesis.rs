//! Schemathesis, which makes requests up from the OpenAPI document, valid and not, and compares each answer with it.

use std::fs;
use std::process::Command;

use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::server::Server;
use serde_json::json;

use crate::caller::nobody_of;
use crate::python::tool;

/// Requests made up for each operation in each phase.
const EXAMPLES: &str = "12";

/// What every answer is held against.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,unsupported_method,allow_header_conformance,ignored_auth,\
    missing_required_header,negative_data_rejection";

#[test]
fn schemathesis_finds_no_failure_and_no_answer_that_is_not_documented() {
    let server = Server::start();
    let key = text(&server.command(&["api-key", "create", "schemathesis", "--operator"]), "secret");
    let client = nobody_of(&server).header("Authorization", &format!("Bearer {key}"));
    let new = json!({"name": "Entra", "client_credentials": true});
    let made = client.post("/organizations/demo/oauth-clients", new).json();
    let oauth_client = text(&made["client"], "id");
    let record = json!({"name": "Deleted", "plan": "free", "seats": 1});
    client.post("/organizations", json!({"id": "deleted", "organization": record})).is(201);
    // Made-up names are not there: these parameters let the requests get further. Who can't be removed is there for all.
    let owner = &server.demo().owner_email;
    let parameters = format!("\"path.member\" = \"{owner}\"\n\"path.client\" = \"{oauth_client}\"\n");
    run(
        &server,
        &key,
        "demo",
        &parameters,
        ["--exclude-operation-id", "delete_organization"],
        "45 selected / 46 total",
    );
    run(&server, &key, "deleted", "", ["--include-operation-id", "delete_organization"], "1 selected / 46 total");
}

fn run(server: &Server, key: &str, organization: &str, parameters: &str, which: [&str; 2], selected: &str) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("schemathesis.toml");
    let config = format!("[parameters]\n\"path.organization\" = \"{organization}\"\n{parameters}");
    fs::write(&file, config).expect("the configuration is written");
    let url = server.client().at_root().url();
    let output = Command::new(tool("st"))
        .args(["--config-file".as_ref(), file.as_os_str()])
        .args(["run", &format!("{url}/api/v1/openapi.json"), "--url", &url])
        .args(["--header", &format!("Authorization: Bearer {key}")])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", "20261122"])
        .args(["--checks", CHECKS, "--continue-on-failure", "--workers", "1", "--request-timeout", "30"])
        .args(which)
        .env("NO_COLOR", "1")
        .current_dir(directory.path())
        .output()
        .expect("st runs");
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}\n{said}");
    assert!(printed.contains(selected), "{printed}");
}
