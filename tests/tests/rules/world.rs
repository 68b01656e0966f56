//! The surroundings that outlive a host: the clock, the database, the mail system and the network stay while hosts
//! start, crash and stop.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use insomnia_scim::Provisioner;
use insomnia_scim::capability::clock::{Clock as _, ManualClock};
use insomnia_scim::capability::email::Mailer;
use insomnia_scim::capability::http::HttpClient;
use insomnia_scim::capability::secrets::SecretKey;
use insomnia_scim::capability::storage::Storage;
use insomnia_scim::event::EventSubscriber;
use insomnia_scim::storage::{MemoryStorage, SqliteStorage};
use tempfile::TempDir;

use crate::rules::faults::{Faults, Unreliable};
use crate::rules::mailbox::Mailbox;
use crate::rules::network::Network;

/// A minute in milliseconds.
pub(crate) const MINUTE: u64 = 60_000;
/// An hour in milliseconds.
pub(crate) const HOUR: u64 = 60 * MINUTE;
/// A day in milliseconds.
pub(crate) const DAY: u64 = 24 * HOUR;
/// When every world begins: 2026-01-05 12:00 UTC.
pub(crate) const BEGIN: u64 = 1_767_614_400_000;
/// The URL that clients see.
pub(crate) const BASE_URL: &str = "https://scim.example";
/// Runs of due jobs in one life, above which they chase their own tail.
const MOST_RUNS: usize = 20_000;

/// Everything that is not a host.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) network: Arc<Network>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) subscriber: Option<Arc<dyn EventSubscriber>>,
    /// In the place of the simulated network.
    pub(crate) http: Option<Arc<dyn HttpClient>>,
    /// In the place of the simulated mail system.
    pub(crate) mailer: Option<Arc<dyn Mailer>>,
    /// What clients see before `/scim/v2/…`.
    pub(crate) base_url: String,
    memory: Option<Arc<MemoryStorage>>,
    directory: TempDir,
}

/// A running host, and its own view of the database.
pub(crate) struct Host {
    pub(crate) provisioner: Provisioner,
    pub(crate) storage: Arc<dyn Storage>,
}

impl World {
    /// A world with its database in memory.
    pub(crate) fn in_memory() -> Self {
        Self::new(Some(Arc::new(MemoryStorage::new())))
    }

    /// A world with its database on the disk.
    pub(crate) fn on_disk() -> Self {
        Self::new(None)
    }

    fn new(memory: Option<Arc<MemoryStorage>>) -> Self {
        let faults = Arc::new(Faults::default());
        Self {
            clock: Arc::new(ManualClock::new(BEGIN)),
            mailbox: Arc::new(Mailbox::new(Arc::clone(&faults))),
            network: Arc::new(Network::new(Arc::clone(&faults))),
            faults,
            subscriber: None,
            http: None,
            mailer: None,
            base_url: BASE_URL.into(),
            memory,
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// Where the database and the mail folder are.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Starts a host on the database, without a scheduler: the test runs what is due.
    pub(crate) async fn host(&self) -> Host {
        let inner: Arc<dyn Storage> = match &self.memory {
            Some(memory) => Arc::clone(memory) as Arc<dyn Storage>,
            None => Arc::new(SqliteStorage::open(&self.directory().join("scim.db")).unwrap()),
        };
        self.host_on(inner, Arc::clone(&self.clock)).await
    }

    /// As [`World::host`], on another database and with a clock of its own.
    pub(crate) async fn host_on(&self, inner: Arc<dyn Storage>, clock: Arc<ManualClock>) -> Host {
        let storage: Arc<dyn Storage> = Arc::new(Unreliable::new(inner, Arc::clone(&self.faults)));
        let network: Arc<dyn HttpClient> = self.network.clone();
        let mailbox: Arc<dyn Mailer> = self.mailbox.clone();
        let mut builder = Provisioner::builder()
            .storage(Arc::clone(&storage))
            .mailer(self.mailer.clone().unwrap_or(mailbox))
            .http(self.http.clone().unwrap_or(network))
            .secrets(Arc::new(SecretKey::new(&[7; 32])))
            .clock(clock)
            .base_url(&self.base_url)
            .cache_dir(compiled_code())
            .scheduler(false);
        // The rules can be shown of another build of the component than the one that was built with this host.
        if let Some(component) = std::env::var_os("RULES_COMPONENT") {
            builder = builder.component(std::fs::read(component).unwrap());
        }
        if let Some(subscriber) = &self.subscriber {
            builder = builder.subscriber(Arc::clone(subscriber));
        }
        Host { provisioner: builder.build().await.unwrap(), storage }
    }

    /// What the clock shows, in milliseconds since the Unix epoch.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Lets so many milliseconds pass in which no host runs.
    pub(crate) fn pass(&self, milliseconds: u64) {
        self.clock.set(self.now() + milliseconds);
    }

    /// Sets the clock to so many milliseconds after the begin, in which no host runs.
    pub(crate) fn pass_until(&self, after_begin: u64) {
        self.clock.set(BEGIN + after_begin);
    }

    /// Runs the jobs whenever they are due, as a scheduler does, until so many milliseconds have passed.
    pub(crate) async fn live(&self, host: &Host, milliseconds: u64) {
        self.live_until(host, self.now() + milliseconds).await;
    }

    /// Runs the jobs whenever they are due, as a scheduler does, until this time (milliseconds since the Unix epoch).
    /// Less time passes if the host crashes.
    pub(crate) async fn live_until(&self, host: &Host, end: u64) {
        for _ in 0..MOST_RUNS {
            match host.storage.next_due(self.now()).await.unwrap() {
                Some(due) if due <= end => {
                    self.clock.set(due.max(self.now()));
                    host.provisioner.run_all_due().await.unwrap();
                    if self.faults.is_crashed() {
                        return;
                    }
                }
                _ => {
                    self.clock.set(end.max(self.now()));
                    return;
                }
            }
        }
        panic!("the jobs never come to rest: {MOST_RUNS} runs and not done");
    }
}

/// Where compiled code is kept between tests: readable and writable by nobody else.
fn compiled_code() -> PathBuf {
    use std::os::unix::fs::DirBuilderExt as _;
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rules-compiled");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).unwrap();
    path
}
