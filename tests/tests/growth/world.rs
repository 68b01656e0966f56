//! The surroundings of the test: the server, the clock, and the receivers of emails and events.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use insomnia_scim::capability::clock::{Clock as _, ManualClock};
use insomnia_scim::capability::email::{MailError, Mailer, Message};
use insomnia_scim::capability::http::{HttpClient, HttpError, IncomingResponse, OutgoingRequest};
use insomnia_scim::capability::secrets::SecretKey;
use insomnia_scim::capability::storage::Storage as _;
use insomnia_scim::storage::SqliteStorage;
use insomnia_scim::{OrganizationId, Provisioner};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::rules::world::BEGIN;

/// One in so many is not taken, and is sent again.
const REFUSED: u64 = 25;
/// Runs of due jobs in one pause, above which they chase their own tail.
const MOST_RUNS: usize = 10_000;
/// Compiled code, for all tests of this build.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/page-cache");

/// Takes emails and events, but for some, and keeps none.
#[derive(Default)]
struct Receiver(AtomicU64);

impl Receiver {
    fn takes(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) % REFUSED != REFUSED - 1
    }
}

#[async_trait]
impl Mailer for Receiver {
    async fn send(&self, _: &OrganizationId, _: Message) -> Result<(), MailError> {
        if self.takes() { Ok(()) } else { Err(MailError::Unavailable("4.3.2 out of order".into())) }
    }
}

#[async_trait]
impl HttpClient for Receiver {
    async fn send(&self, _: &OrganizationId, _: OutgoingRequest) -> Result<IncomingResponse, HttpError> {
        let status = if self.takes() { 204 } else { 503 };
        Ok(IncomingResponse { status, headers: Vec::new(), body: Vec::new() })
    }
}

/// A server that runs, and its clock.
pub(super) struct World {
    pub(super) runtime: Runtime,
    pub(super) provisioner: Provisioner,
    pub(super) storage: Arc<SqliteStorage>,
    clock: Arc<ManualClock>,
    /// Reads beside the server how large the database is.
    reader: Connection,
    directory: TempDir,
}

impl World {
    pub(super) fn begin() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let storage = Arc::new(SqliteStorage::open(&file(directory.path())).expect("a database"));
        let clock = Arc::new(ManualClock::new(BEGIN));
        let builder = Provisioner::builder()
            .storage(storage.clone())
            .mailer(Arc::new(Receiver::default()))
            .http(Arc::new(Receiver::default()))
            .secrets(Arc::new(SecretKey::new(&[7; 32])))
            .clock(clock.clone())
            .cache_dir(private(Path::new(CACHE)))
            // Jobs run when the clock has come to them.
            .scheduler(false);
        let provisioner = runtime.block_on(async {
            let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
            let origin = format!("http://{}", listener.local_addr().expect("its address"));
            let provisioner = builder.base_url(origin).build().await.expect("a provisioner");
            let serving = provisioner.clone();
            tokio::spawn(async move { insomnia_scim::serve(&serving, listener, std::future::pending()).await });
            provisioner
        });
        let reader = Connection::open_with_flags(file(directory.path()), OpenFlags::SQLITE_OPEN_READ_ONLY);
        Self { runtime, provisioner, storage, clock, reader: reader.expect("the database"), directory }
    }

    /// How many KiB the database has. SQLite is asked, and not the file, since the file grows only when a checkpoint moves what
    /// has been written out of the write-ahead log.
    pub(super) fn database(&self) -> u64 {
        let number = |pragma: &str| {
            self.reader.query_row(pragma, [], |row| row.get::<_, i64>(0)).expect("a number of SQLite").unsigned_abs()
        };
        (number("PRAGMA page_count") * number("PRAGMA page_size")) >> 10
    }

    /// The file of the write-ahead log.
    pub(super) fn log(&self) -> PathBuf {
        file(self.directory.path()).with_extension("db-wal")
    }

    /// What the clock shows, in milliseconds since the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Lets time pass until this moment, and runs the jobs when they are due.
    pub(super) fn pass_until(&self, end: u64) {
        self.runtime.block_on(async {
            for _ in 0..MOST_RUNS {
                match self.storage.next_due(self.now()).await.expect("when jobs are due") {
                    Some(due) if due <= end => {
                        self.clock.set(due.max(self.now()));
                        self.provisioner.run_all_due().await.expect("the jobs run");
                    }
                    _ => {
                        self.clock.set(end.max(self.now()));
                        return;
                    }
                }
            }
            panic!("the jobs never come to rest");
        });
    }
}

fn file(directory: &Path) -> PathBuf {
    directory.join("scim.db")
}

/// The directory, which only its owner may write to.
fn private(path: &Path) -> &Path {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(path).expect("a directory for compiled code");
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("its owner's only");
    path
}
