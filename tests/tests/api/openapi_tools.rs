//! The OpenAPI document, tested with tools that others wrote: a validator; Schemathesis, which makes valid and invalid
//! requests from the document and compares each answer with it; and two generators of clients, which call every
//! operation.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use insomnia_scim_tests::component;
use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::server::Server;
use serde_json::json;
use tempfile::TempDir;

use crate::api::caller::nobody_of;
use crate::api::document::document;
use crate::python::{node, tool};

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
    let paths = document()["paths"].as_object().expect("paths").clone();
    let operations: usize = paths.values().filter_map(|item| item.as_object()).map(|item| item.len()).sum();
    // Schemathesis does not count the operation by which it has read the document, unless it is asked for it.
    let total = operations - 1;
    // Made-up names are not there: these parameters let the requests get further. Who can't be removed is there for all.
    let owner = &server.demo().owner_email;
    let parameters = format!("\"path.member\" = \"{owner}\"\n\"path.client\" = \"{oauth_client}\"\n");
    run(
        &server,
        &key,
        "demo",
        &parameters,
        ["--exclude-operation-id", "delete_organization"],
        &format!("{} selected / {total} total", total - 1),
    );
    let selected = format!("1 selected / {total} total");
    run(&server, &key, "deleted", "", ["--include-operation-id", "delete_organization"], &selected);
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

/// Where `walk.py` and `walk.mts` are, which call all operations with a generated client.
const WALKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/generated_clients");

/// A server that a generated client calls, and a folder with its document.
struct Walk {
    server: Server,
    folder: TempDir,
}

impl Walk {
    /// Webhooks may be posted to this machine, where nobody listens.
    fn start(folder: TempDir) -> Self {
        let server = Server::start_with(&["--http-permit", "http://127.0.0.1"]);
        let document = nobody_of(&server).get("/openapi.json").is(200).body.clone();
        fs::write(folder.path().join("openapi.json"), document).expect("the document is written");
        Self { server, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a program to its end, which is a success, and returns what it has printed.
    fn run(&self, command: &mut Command) -> String {
        let output = command.current_dir(self.folder.path()).env("NO_COLOR", "1").output().expect("the program runs");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}\n{printed}\n{said}\n{}", self.server.stderr());
        printed
    }

    /// Calls every operation with an operator's key.
    fn walk(&self, command: &mut Command) {
        let url = self.server.client().at_root().url();
        let key = text(&self.server.command(&["api-key", "create", "walk", "--operator"]), "secret");
        let printed = self.run(command.args([&url, &key]).arg(component::built()).arg("walked"));
        let document = fs::read_to_string(self.file("openapi.json")).expect("the document is there");
        let operations = document.matches("\"operationId\":").count();
        assert_eq!(printed.trim(), format!("{operations} operations"));
    }
}

#[test]
fn a_generated_python_client_calls_every_operation() {
    let walk = Walk::start(tempfile::tempdir().expect("a temporary directory"));
    // It knows no JSON Lines, which are text to it.
    let config = r#"{"post_hooks": [], "content_type_overrides": {"application/jsonl": "text/plain"}}"#;
    fs::write(walk.file("config.json"), config).expect("the configuration is written");
    let generate = ["generate", "--fail-on-warning", "--meta", "none", "--config", "config.json"];
    let files = ["--path", "openapi.json", "--output-path", "client"];
    walk.run(Command::new(tool("openapi-python-client")).args(generate).args(files));
    walk.walk(Command::new(tool("python")).arg(Path::new(WALKS).join("walk.py")).env("PYTHONPATH", walk.folder.path()));
}

#[test]
fn a_generated_typescript_client_compiles_and_calls_every_operation() {
    let npm = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/npm").canonicalize();
    let npm = npm.expect("target/npm is there: run `make setup` first");
    let walk = Walk::start(TempDir::with_prefix_in("client-", &npm).expect("a temporary directory"));
    fs::copy(Path::new(WALKS).join("walk.mts"), walk.file("walk.mts")).expect("the calls are copied");
    let (node, packages) = (node(), npm.join("node_modules"));
    let generator = packages.join("openapi-typescript/bin/cli.js");
    walk.run(Command::new(&node).arg(generator).args(["openapi.json", "--output", "api.d.ts"]));
    let compiler = packages.join("typescript/bin/tsc");
    let strict = ["--strict", "--noEmitOnError", "--skipLibCheck", "--types", "node"];
    let target = ["--target", "es2022", "--module", "nodenext", "walk.mts"];
    walk.run(Command::new(&node).arg(compiler).args(strict).args(target));
    walk.walk(Command::new(&node).arg("walk.mjs"));
}
