//! The OpenAPI document in the hands of tools that others wrote: a validator, and Schemathesis, which makes requests up
//! from it, valid and not, and compares each answer with it.

use std::fs;
use std::io::Write;
use std::process::Command;

use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::server::Server;
use serde_json::json;

use crate::api::caller::nobody_of;
use crate::api::document::document;
use crate::python::tool;

/// Requests made up for each operation in each phase.
const EXAMPLES: &str = "12";

/// What every answer is held against.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,unsupported_method,allow_header_conformance,ignored_auth,\
    missing_required_header,negative_data_rejection";

/// As the OpenAPI Initiative's own schema of 3.1 has it, and references followed.
#[test]
fn the_document_is_valid() {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(document().to_string().as_bytes()).expect("the document is written");
    let validator = tool("openapi-spec-validator");
    let output =
        Command::new(validator).args(["--schema", "3.1"]).arg(file.path()).output().expect("the validator runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let said: String = said.chars().take(2_000).collect();
    assert!(output.status.success() && said.contains("OK"), "{said}");
}

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
        "71 selected / 72 total",
    );
    run(&server, &key, "deleted", "", ["--include-operation-id", "delete_organization"], "1 selected / 72 total");
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
        .env("SCHEMATHESIS_HOOKS", concat!(env!("CARGO_MANIFEST_DIR"), "/schemathesis/hooks.py"))
        .env("NO_COLOR", "1")
        .current_dir(directory.path())
        .output()
        .expect("st runs");
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}\n{said}\n{}", server.stderr());
    assert!(printed.contains(selected), "{printed}");
}
