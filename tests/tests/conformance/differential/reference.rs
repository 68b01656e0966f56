//! scim2-server as a process of its own, with its resources in memory.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::python::tool;

/// How long it may take to start.
const START: Duration = Duration::from_secs(60);

/// A running server. It ends with this value, and also when the test is killed.
pub(super) struct Reference {
    shell: Child,
    input: Option<ChildStdin>,
    url: String,
}

impl Reference {
    /// Starts it on a free port.
    pub(super) fn start() -> Self {
        let mut reference = Self::launch(free_port());
        let (sender, receiver) = mpsc::channel();
        let output = reference.shell.stdout.take().expect("its output");
        thread::spawn(move || {
            let mut lines = BufReader::new(output).lines();
            let _ = sender.send(lines.next());
            lines.for_each(drop);
        });
        match receiver.recv_timeout(START) {
            Ok(Some(Ok(line))) if line.contains(&reference.url) => reference,
            other => panic!("scim2-server did not start: {other:?}"),
        }
    }

    fn launch(port: u16) -> Self {
        // It can't choose a port itself, and does not end with its parent: a shell sees to that.
        const SCRIPT: &str =
            "\"$0\" --port \"$1\" 2>/dev/null & server=$!; cat >/dev/null; kill \"$server\"; wait \"$server\"";
        let mut shell = Command::new("sh")
            .arg("-c")
            .arg(SCRIPT)
            .arg(tool("scim2-server"))
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let input = shell.stdin.take();
        Self { shell, input, url: format!("http://127.0.0.1:{port}/v2") }
    }

    /// Its SCIM base URL.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.input.take();
        let _ = self.shell.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
