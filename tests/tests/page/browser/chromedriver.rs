//! chromedriver, which starts browsers. It is ended with the test, even if the test fails.

use std::env;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

/// What a test says that finds no browser.
pub(super) const MISSING: &str = "The tests of the page need Chromium and chromedriver: run `make setup`, or on Debian `apt-get \
     install chromium chromium-driver`. CHROMEDRIVER names another chromedriver.";

/// A shell starts chromedriver and is told its port. When its input ends, which the end of the test's process does as well, it
/// ends chromedriver with its browsers: in good order, and whatever is left of its group by force.
const SHELL: &str = "\"$0\" --port=0 & exec >/dev/null; read -r port; cat; \
     curl -s -m 5 --noproxy '*' \"http://127.0.0.1:$port/shutdown\"; kill -KILL 0";

/// A chromedriver on a port of its own. It ends when dropped.
pub(super) struct Chromedriver {
    shell: Child,
    pub(super) url: String,
    /// Where the browsers put what they forget to remove.
    _leftovers: TempDir,
}

impl Chromedriver {
    /// Starts one.
    ///
    /// # Panics
    /// When it is missing.
    pub(super) fn start() -> Self {
        let program = env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        let leftovers = tempfile::tempdir().expect("a temporary directory");
        let shell = Command::new("sh")
            .args(["-c", SHELL])
            .arg(&program)
            .env("TMPDIR", leftovers.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut shell = shell.expect("a shell");
        let output = BufReader::new(shell.stdout.take().expect("the output of chromedriver"));
        let mut lines = output.lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let rest = line.split_once("started successfully on port ")?.1;
            rest.trim_end_matches('.').trim().parse::<u16>().ok()
        });
        let Some(port) = port else { panic!("{} does not start. {MISSING}", program.display()) };
        thread::spawn(move || lines.for_each(drop));
        writeln!(shell.stdin.as_ref().expect("the shell's input"), "{port}").expect("the shell listens");
        Self { shell, url: format!("http://127.0.0.1:{port}"), _leftovers: leftovers }
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
