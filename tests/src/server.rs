//! The server as a process of its own, which tests start on a directory, kill, restart and stop.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;
use crate::person::unique;
use crate::scim::text;

/// How long a start may take. The first start on a machine compiles the component.
const START: Duration = Duration::from_secs(180);

/// The variable with the URL of the PostgreSQL.
const STORAGE: &str = "INSOMNIA_SCIM_STORAGE";
/// The variable with the configuration file.
const CONFIG: &str = "INSOMNIA_SCIM_CONFIG";

/// How long a graceful stop may take.
const STOP: Duration = Duration::from_secs(60);

/// A running `insomnia-scim demo` and its data directory. It is killed when it is dropped.
pub struct Server {
    process: Option<Process>,
    directory: TempDir,
    listen: String,
    demo: Demo,
    storage: Option<String>,
    binary: PathBuf,
    config: Option<PathBuf>,
    arguments: Vec<String>,
}

/// The file with the host key, in the data directory.
const HOST_KEY: &str = "secret.key";

/// Another server on the data of a [`Server`]. It is killed when it is dropped.
pub struct Beside {
    process: Process,
    /// A client of the demo organization over this server.
    pub client: Client,
}

impl Beside {
    /// The server's stderr since it was started.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.process.stderr()
    }

    /// Ends the process as `kill -9` does.
    pub fn kill(mut self) {
        self.process.kill();
    }
}

/// The environment of a server.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Shell commands before it starts, such as `ulimit -n 256`.
    pub limits: &'static str,
    /// Who reads stderr.
    pub stderr: Stderr,
    /// The URL of the PostgreSQL with the organizations.
    pub storage: Option<String>,
    /// Another build of the server than [`binary`].
    pub binary: Option<PathBuf>,
    /// The configuration file of the server and of commands on its data.
    pub config: Option<PathBuf>,
    /// Further arguments of `demo`, also for restarts and on other hosts.
    pub arguments: Vec<String>,
}

/// Who reads the server's stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stderr {
    /// The test reads it; [`Server::stderr`] returns it.
    #[default]
    Kept,
    /// Nobody reads it, so the pipe fills.
    Unread,
    /// Nobody reads it any more: the pipe is broken as soon as the server has started.
    Gone,
}

/// The first output of `demo --json`.
#[derive(Clone, Debug)]
pub struct Demo {
    /// The SCIM base URL of the demo organization.
    pub connector_url: String,
    /// The bearer token, as printed by the first start.
    pub token: String,
    /// The SCIM page.
    pub page_url: String,
    /// The organization's id.
    pub organization: String,
    /// The owner's email address.
    pub owner_email: String,
    /// The owner's passphrase.
    pub owner_passphrase: String,
}

/// An organization's connector: its URL and its token.
#[derive(Clone, Debug)]
pub struct Connector {
    /// The organization's id.
    pub organization: String,
    /// The SCIM base URL.
    pub url: String,
    /// The bearer token.
    pub token: String,
}

impl Connector {
    /// A client with this connector's URL and token.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.url, &self.token)
    }
}

/// The server that the tests of one process share. It ends with the process.
///
/// The model is the same under both runners. nextest, which `make test` uses, gives every test a process, so every test that
/// asks for a server gets a new one: a failing test fails again when it is run alone. `cargo test` runs all tests in one
/// process, and so on one server, which is quicker for a few tests. Tests must work with both. They make people, teams and
/// organizations with names of their own ([`unique`]) and count only those. If they stop the server or change something that
/// all tests share, they start a server by [`Server::start`].
pub fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(Server::start)
}

/// A client of the shared server, with a connection of its own.
#[must_use]
pub fn client() -> Client {
    shared().client()
}

impl Server {
    /// Starts a server on a new directory and a free port.
    ///
    /// # Panics
    /// If it does not print its first line in time; with its stderr.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Like [`Server::start`], with further arguments of `demo`.
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_in(&Surroundings::default(), arguments)
    }

    /// Like [`Server::start_with`], in this environment.
    ///
    /// # Panics
    /// As [`Server::start`].
    #[must_use]
    pub fn start_in(surroundings: &Surroundings, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self::start_at(directory, surroundings, arguments, None)
    }

    /// Starts a server on data that was made before, maybe by an earlier release. `token` is the one that was issued then. The
    /// owner's passphrase is not known.
    ///
    /// # Panics
    /// As [`Server::start`].
    #[must_use]
    pub fn start_on(directory: TempDir, token: &str, surroundings: &Surroundings) -> Self {
        Self::start_at(directory, surroundings, &[], Some(token))
    }

    fn start_at(
        directory: TempDir,
        surroundings: &Surroundings,
        arguments: &[&str],
        issued_before: Option<&str>,
    ) -> Self {
        let (process, line) = Process::start(directory.path(), "127.0.0.1:0", surroundings, arguments);
        let field = |of: &Value, name: &str| match of[name].as_str() {
            Some(text) => text.to_owned(),
            None => panic!("the first line has no {name}: {line}"),
        };
        let (token, owner_passphrase) = match issued_before {
            Some(token) => (token.to_owned(), String::new()),
            None => (field(&line, "token"), field(&line["owner"], "passphrase")),
        };
        let demo = Demo {
            connector_url: field(&line, "connector_url"),
            token,
            page_url: field(&line, "page_url"),
            organization: field(&line, "organization"),
            owner_email: field(&line["owner"], "email"),
            owner_passphrase,
        };
        let listen = authority(&demo.connector_url);
        let binary = surroundings.binary.clone().unwrap_or_else(binary);
        let Surroundings { storage, arguments, config, .. } = surroundings.clone();
        Self { process: Some(process), directory, listen, demo, storage, binary, arguments, config }
    }

    /// The output of the first start.
    #[must_use]
    pub fn demo(&self) -> &Demo {
        &self.demo
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.directory.path()
    }

    /// The data directory of a server that has ended, for use by another one.
    #[must_use]
    pub fn into_directory(self) -> TempDir {
        self.directory
    }

    /// `host:port` of the server.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.listen
    }

    /// The number of the process.
    ///
    /// # Panics
    /// If the server does not run.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.as_ref().expect("a running server").child.id()
    }

    /// The memory that the process uses, in bytes.
    ///
    /// # Panics
    /// If the system does not tell, or the server does not run.
    #[must_use]
    pub fn resident(&self) -> usize {
        let pid = self.process_id();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the state of the process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its resident memory");
        let kilobytes: usize = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
        kilobytes * 1024
    }

    /// A client of the demo organization.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.demo.connector_url, &self.demo.token)
    }

    /// The demo organization's connector.
    #[must_use]
    pub fn connector(&self) -> Connector {
        Connector {
            organization: self.demo.organization.clone(),
            url: self.demo.connector_url.clone(),
            token: self.demo.token.clone(),
        }
    }

    /// Ends the process as `kill -9` does: nothing is flushed.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Stops the process with SIGTERM and waits for its end.
    ///
    /// # Panics
    /// If it does not end in time.
    pub fn stop(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("a running server");
        send_signal("TERM", process.child.id());
        let begin = Instant::now();
        loop {
            if let Some(status) = process.child.try_wait().expect("the state of the server") {
                process.watchdog.take();
                return status;
            }
            if begin.elapsed() > STOP {
                panic!("the server did not stop in {STOP:?}\n{}", process.stderr());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Pauses the process, as SIGSTOP does: its connections stay open, and nobody answers.
    ///
    /// # Panics
    /// If the server does not run.
    pub fn pause(&self) {
        send_signal("STOP", self.process_id());
    }

    /// Continues the process after [`Server::pause`].
    ///
    /// # Panics
    /// If the server does not run.
    pub fn resume(&self) {
        send_signal("CONT", self.process_id());
    }

    /// Starts another server on the same data and another free port.
    #[must_use]
    pub fn beside(&self) -> Beside {
        let (process, listen) = self.another(self.directory.path());
        let connector_url = self.demo.connector_url.replace(&self.listen, &listen);
        Beside { process, client: Client::new(&connector_url, &self.demo.token) }
    }

    /// Starts a server on another host of the same PostgreSQL. It has a free port and a data directory of its own, to which
    /// the host key was copied.
    ///
    /// # Panics
    /// If the key can't be copied, and as for [`Server::start`].
    #[must_use]
    pub fn another_host(&self) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::copy(self.data().join(HOST_KEY), directory.path().join(HOST_KEY)).expect("the host key is copied");
        let (process, listen) = self.another(directory.path());
        let mut server = Self {
            process: Some(process),
            directory,
            listen: self.listen.clone(),
            demo: self.demo.clone(),
            storage: self.storage.clone(),
            binary: self.binary.clone(),
            arguments: self.arguments.clone(),
            config: self.config.clone(),
        };
        server.listens_at(listen);
        server
    }

    /// A server on this data and a free port, and its `host:port`.
    fn another(&self, data: &Path) -> (Process, String) {
        let (process, line) = Process::start(data, "127.0.0.1:0", &self.surroundings(), &[]);
        let listen = line["connector_url"].as_str().map(authority).unwrap_or_default();
        (process, listen)
    }

    /// Copies the host key of the other server, as an operator does after a rotation there.
    ///
    /// # Panics
    /// If the key can't be copied.
    pub fn copy_key(&self, of: &Self) {
        fs::copy(of.data().join(HOST_KEY), self.data().join(HOST_KEY)).expect("the host key is copied");
    }

    fn listens_at(&mut self, listen: String) {
        for url in [&mut self.demo.connector_url, &mut self.demo.page_url] {
            *url = url.replace(&self.listen, &listen);
        }
        self.listen = listen;
    }

    fn surroundings(&self) -> Surroundings {
        let (storage, binary, arguments) = (self.storage.clone(), Some(self.binary.clone()), self.arguments.clone());
        Surroundings { storage, binary, arguments, config: self.config.clone(), ..Surroundings::default() }
    }

    /// Restarts it on the same data and another free port.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn start_elsewhere(&mut self) {
        assert!(self.process.is_none(), "the server is running");
        let (process, listen) = self.another(self.directory.path());
        self.process = Some(process);
        self.listens_at(listen);
    }

    /// Restarts it on the same data and the same port.
    pub fn start_again(&mut self) -> Value {
        assert!(self.process.is_none(), "the server is running");
        let (process, line) = Process::start(self.directory.path(), &self.listen, &self.surroundings(), &[]);
        self.process = Some(process);
        line
    }

    /// The server's stderr since it was started.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.process.as_ref().map(Process::stderr).unwrap_or_default()
    }

    /// Makes another organization with SCIM enabled, while the server is running.
    ///
    /// # Panics
    /// If a command fails; with its output.
    #[must_use]
    pub fn another_organization(&self, name: &str) -> Connector {
        let domain = format!("{name}.example");
        let owner = format!("owner@{domain}");
        let made = self.command(&[
            "org",
            "create",
            name,
            "--plan",
            "enterprise",
            "--seats",
            "1000",
            "--owner",
            &owner,
            "--domain",
            &domain,
            "--sso",
            "okta",
        ]);
        let organization = text(&made, "id");
        let enabled = self.command(&[
            "connector",
            "enable",
            "--organization",
            &organization,
            "--idp",
            "okta",
            "--expires",
            "never",
        ]);
        Connector { url: text(&enabled, "connector_url"), token: text(&enabled, "token"), organization }
    }

    /// Like [`Server::another_organization`], with one of its options set.
    ///
    /// # Panics
    /// If a command fails; with its output.
    #[must_use]
    pub fn organization_with(&self, option: &str) -> Connector {
        let connector = self.another_organization(&unique(option));
        self.command(&["org", "set", &connector.organization, "--option", &format!("{option}=true")]);
        connector
    }

    /// Runs a command of the binary on this server's data with `--json` and returns its exit status and output.
    ///
    /// # Panics
    /// If the binary can't be run.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        Command::new(&self.binary)
            .args(arguments)
            .arg("--json")
            .arg("--data")
            .arg(self.data())
            .envs(self.storage.as_ref().map(|url| (STORAGE, url)))
            .envs(self.config.as_ref().map(|path| (CONFIG, path)))
            .stdin(Stdio::null())
            .output()
            .expect("the binary runs")
    }

    /// Runs a command of the binary on this server's data with `--json` and parses its output.
    ///
    /// # Panics
    /// If the command fails; with its output.
    pub fn command(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?} failed: {}\n{printed}\n{said}", output.status);
        match serde_json::from_str(&printed) {
            Ok(value) => value,
            Err(error) => panic!("{arguments:?} did not print JSON: {error}\n{printed}\n{said}"),
        }
    }
}

struct Process {
    child: Child,
    /// The test process keeps this pipe open as long as it lives. When the process ends, for whatever reason, the watchdog
    /// ends the server.
    watchdog: Option<Watchdog>,
    stderr: Arc<Mutex<Vec<u8>>>,
    /// The end of the pipe that nobody reads.
    _unread: Option<ChildStderr>,
}

impl Process {
    fn start(data: &Path, listen: &str, surroundings: &Surroundings, arguments: &[&str]) -> (Self, Value) {
        let binary = surroundings.binary.clone().unwrap_or_else(binary);
        let mut command = if surroundings.limits.is_empty() {
            Command::new(binary)
        } else {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("{}; exec \"$0\" \"$@\"", surroundings.limits)]).arg(binary);
            shell
        };
        let mut child = command
            // Tests say who has sent a request, as a proxy would.
            .args(["demo", "--json", "--listen", listen, "--trusted-proxy", "127.0.0.0/8", "--data"])
            .arg(data)
            .args(&surroundings.arguments)
            .args(arguments)
            .envs(surroundings.storage.as_ref().map(|url| (STORAGE, url)))
            .envs(surroundings.config.as_ref().map(|path| (CONFIG, path)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let watchdog = Some(Watchdog::over(&child));
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let mut unread = None;
        if let Some(pipe) = child.stderr.take() {
            match surroundings.stderr {
                Stderr::Kept => {
                    let kept = Arc::clone(&stderr);
                    thread::spawn(move || keep(pipe, &kept));
                }
                Stderr::Unread => unread = Some(pipe),
                Stderr::Gone => drop(pipe),
            }
        }
        let (sender, receiver) = mpsc::channel();
        if let Some(pipe) = child.stdout.take() {
            thread::spawn(move || {
                let mut lines = BufReader::new(pipe).lines();
                if let Some(Ok(line)) = lines.next() {
                    let _ = sender.send(line);
                }
                lines.for_each(drop);
            });
        }
        let mut process = Self { child, watchdog, stderr, _unread: unread };
        let line = receiver.recv_timeout(START);
        let Ok(line) = line else {
            process.kill();
            panic!("the server printed no line in {START:?} or ended\n{}", process.stderr());
        };
        match serde_json::from_str(&line) {
            Ok(value) => (process, value),
            Err(error) => panic!("the first line is not JSON: {error}\n{line}\n{}", process.stderr()),
        }
    }

    fn stderr(&self) -> String {
        let kept = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }

    fn kill(&mut self) {
        self.watchdog.take();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A shell that waits for the end of its input and then kills the server. Statics are never dropped, and a test process may
/// itself be killed: a server must not be left behind in either case.
pub(crate) struct Watchdog {
    child: Child,
    input: Option<ChildStdin>,
}

impl Watchdog {
    pub(crate) fn over(server: &Child) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", "cat >/dev/null; kill -KILL \"$1\" 2>/dev/null", "sh", &server.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let input = child.stdin.take();
        Self { child, input }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // The watchdog ends before its input closes: afterwards the server's process id may belong to another process.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.input.take();
    }
}

/// Sends a process a signal, by its name without `SIG`.
///
/// # Panics
/// If there is no such process.
#[track_caller]
pub(crate) fn send_signal(name: &str, pid: u32) {
    let sent = Command::new("sh").args(["-c", "kill -\"$1\" \"$2\"", "sh", name, &pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "SIG{name} could not be sent to {pid}");
}

/// Keeps the last 256 KiB of what is read.
fn keep(mut pipe: impl Read, kept: &Mutex<Vec<u8>>) {
    const MOST: usize = 256 * 1024;
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = pipe.read(&mut part) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&part[..length]);
        let surplus = kept.len().saturating_sub(MOST);
        kept.drain(..surplus);
    }
}

fn authority(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest).to_owned()
}

/// The binary: `INSOMNIA_SCIM_BIN`, or the one that cargo built into the profile directory of this test.
///
/// Cargo tells a test only the binaries of its own package, so this function looks for it beside the test executable.
///
/// # Panics
/// If it is absent.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(path) = env::var_os("INSOMNIA_SCIM_BIN") {
        return PathBuf::from(path);
    }
    let test = env::current_exe().expect("the path of the test executable");
    let candidates = test.ancestors().skip(1).take(2).map(|directory| directory.join("insomnia-scim"));
    let found = candidates.into_iter().find(|path| fs::metadata(path).is_ok_and(|metadata| metadata.is_file()));
    match found {
        Some(path) => path,
        None => panic!(
            "insomnia-scim is not beside {}: run `cargo build -p insomnia-scim` first (with the profile of this test), \
             or set INSOMNIA_SCIM_BIN",
            test.display()
        ),
    }
}
