//! The examples as programs: how each is started, and what it prints.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use insomnia_scim_tests::component;
use tempfile::TempDir;

use super::WORKSPACE;
use crate::python::{node, tool};

/// An example of a host.
pub(super) struct Example {
    /// Its folder in `host/examples`.
    folder: &'static str,
    /// The program, and what stands before the file that it runs.
    program: fn() -> PathBuf,
    host: &'static [&'static str],
    tests: &'static [&'static str],
}

pub(super) const JAVASCRIPT: Example =
    Example { folder: "node", program: node, host: &["host.js"], tests: &["--test"] };

pub(super) const PYTHON: Example = Example {
    folder: "python",
    program: || tool("python"),
    host: &["host.py"],
    tests: &["-m", "unittest", "--failfast"],
};

impl Example {
    /// The command that runs the example's own tests.
    pub(super) fn tests(&self) -> Prepared {
        let mut prepared = self.prepare(self.tests);
        prepared.command.env("COMPONENT", component::built());
        prepared
    }

    /// Starts the host with its data in this folder, and waits until it serves.
    pub(super) fn start(&self, data: &Path) -> Host {
        let Prepared { mut command, copy } = self.prepare(self.host);
        let mut process = command
            .args(["--listen", "127.0.0.1:0", "--component"])
            .arg(component::built())
            .arg("--data")
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the host starts");
        let said = Arc::new(Mutex::new(String::new()));
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let heard = Arc::clone(&said);
        thread::spawn(move || {
            let mut line = String::new();
            while stderr.read_line(&mut line).is_ok_and(|read| read > 0) {
                heard.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut value = |name: &str| {
            let line = lines.next().and_then(Result::ok);
            let value = line.as_deref().and_then(|line| line.strip_prefix(name)).map(str::to_owned);
            value.unwrap_or_else(|| panic!("{name:?} is not what it prints: {line:?}\n{}", said.lock().unwrap()))
        };
        let (connector_url, token) = (value("Connector URL: "), value("Token: "));
        Host { process, connector_url, token, said, _copy: copy }
    }

    /// A command in the example's folder, or for Node in a copy of it.
    fn prepare(&self, arguments: &[&str]) -> Prepared {
        let workspace = Path::new(WORKSPACE).canonicalize().unwrap();
        let source = workspace.join("host/examples").join(self.folder);
        let mut command = Command::new((self.program)());
        if self.folder != "node" {
            // Two tests of one folder at once would write the same compiled modules.
            command.args(["-B"]).args(arguments).current_dir(source);
            return Prepared { command, copy: None };
        }
        let copy = Copied::new(self.folder);
        command.args(arguments).current_dir(copy.folder());
        Prepared { command, copy: Some(copy) }
    }
}

/// A copy of an example in JavaScript, which goes when this goes. npm's packages are in `target/npm`, and Node finds them only from
/// below.
pub(super) struct Copied {
    directory: TempDir,
    example: &'static str,
}

impl Copied {
    pub(super) fn new(example: &'static str) -> Self {
        let workspace = Path::new(WORKSPACE).canonicalize().unwrap();
        let npm = workspace.join("target/npm");
        assert!(npm.join("node_modules").is_dir(), "{} is not there: run `make setup` first", npm.display());
        let copy = Self { directory: TempDir::with_prefix_in("host-", npm).unwrap(), example };
        fs::create_dir_all(copy.folder()).unwrap();
        symlink(workspace.join("tests"), copy.directory.path().join("tests")).unwrap();
        for file in fs::read_dir(workspace.join("host/examples").join(example)).unwrap().map(Result::unwrap) {
            if file.file_type().unwrap().is_file() {
                fs::copy(file.path(), copy.folder().join(file.file_name())).unwrap();
            }
        }
        copy
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.directory.path().join("host/examples").join(self.example)
    }
}

/// A command, and the folder in which it runs, which goes when this goes.
pub(super) struct Prepared {
    command: Command,
    copy: Option<Copied>,
}

impl Prepared {
    /// Runs it to its end.
    pub(super) fn output(mut self) -> std::io::Result<Output> {
        let output = self.command.output();
        drop(self.copy.take());
        output
    }
}

/// A running host. Killed when dropped.
pub(super) struct Host {
    process: Child,
    connector_url: String,
    token: String,
    said: Arc<Mutex<String>>,
    _copy: Option<Copied>,
}

impl Host {
    pub(super) fn connector_url(&self) -> String {
        self.connector_url.clone()
    }

    pub(super) fn token(&self) -> String {
        self.token.clone()
    }

    /// What it has written to stderr.
    pub(super) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Ends it as `kill -9` does.
    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the short sequence of `tests/embedding/identity_providers.py` against a connector.
pub(super) fn identity_providers(url: &str, token: &str, more: &[&str]) -> Output {
    Command::new(tool("python"))
        .arg(Path::new(WORKSPACE).join("tests/embedding/identity_providers.py"))
        .args([url, token])
        .args(more)
        .output()
        .expect("Python runs")
}
