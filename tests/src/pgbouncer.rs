//! A pgbouncer in transaction mode in front of a PostgreSQL of the test: each transaction gets another connection.

use std::env;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::postgres::{Cluster, NOBODY};
use crate::server::Watchdog;

/// The number of its Unix socket.
const PORT: u16 = 6432;
/// How long a start may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running pgbouncer. It ends with the test, however the test ends.
pub struct Bouncer {
    child: Child,
    _watchdog: Watchdog,
    directory: TempDir,
}

impl Bouncer {
    /// Starts one with this number of connections to the PostgreSQL, which all its clients share.
    ///
    /// # Panics
    /// If pgbouncer is absent or does not start; with its log.
    #[must_use]
    pub fn before(cluster: &Cluster, connections: usize) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path();
        let database = cluster.socket();
        let database = database.parent().expect("the folder of the socket").display();
        let settings = format!(
            "[databases]\npostgres = host={database} user=postgres\n\
             [pgbouncer]\npool_mode = transaction\nauth_type = any\nlisten_addr =\nlisten_port = {PORT}\n\
             unix_socket_dir = {}\nlogfile = {}\ndefault_pool_size = {connections}\nmax_client_conn = 200\n",
            path.display(),
            path.join("log").display()
        );
        fs::write(path.join("settings"), settings).expect("its settings");
        let mut command = Command::new(program());
        // Like PostgreSQL, it refuses to run as root.
        if fs::metadata(path).expect("the directory").uid() == 0 {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("the directory is given away");
            command = Command::new("setpriv");
            command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()]);
            command.arg(program());
        }
        command.arg("-q").arg(path.join("settings"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("pgbouncer starts");
        let _watchdog = Watchdog::over(&child);
        let begin = Instant::now();
        while !path.join(format!(".s.PGSQL.{PORT}")).exists() {
            let ended = child.try_wait().expect("its state").is_some();
            let log = fs::read_to_string(path.join("log")).unwrap_or_default();
            assert!(!ended && begin.elapsed() < PATIENCE, "pgbouncer does not start\n{log}");
            thread::sleep(Duration::from_millis(10));
        }
        Self { child, _watchdog, directory }
    }

    /// Its URL, as `--storage` takes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@/postgres?host={}&port={PORT}", self.directory.path().display())
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, in `PATH` or where Debian has it, which is not in the `PATH` of users.
///
/// # Panics
/// If it is absent.
fn program() -> PathBuf {
    let in_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let folders = in_path.into_iter().chain([PathBuf::from("/usr/sbin")]);
    match folders.map(|folder| folder.join("pgbouncer")).find(|path| Path::is_file(path)) {
        Some(program) => program,
        None => panic!("there is no pgbouncer: run `make setup`"),
    }
}
