//! A server in the process of the test, with a clock that the test sets, a folder for its emails, and a network that
//! does not leave this machine.

use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use insomnia_scim::capability::clock::{Clock, SystemClock};
use insomnia_scim::capability::secrets::SecretKey;
use insomnia_scim::directory::OrganizationRecord;
use insomnia_scim::email::{MailFolder, Sender};
use insomnia_scim::http::HttpConfig;
use insomnia_scim::server::TrustedProxies;
use insomnia_scim::storage::MemoryStorage;
use insomnia_scim::{NewOrganization, Organization, OrganizationId, Provisioner};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::page::letter::text_of;

/// Compiled code, for all tests of this build.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/page-cache");

/// The machine's clock, and how far it was moved.
#[derive(Default)]
struct MovedClock(AtomicU64);

impl Clock for MovedClock {
    fn now(&self) -> u64 {
        SystemClock.now() + self.0.load(Ordering::SeqCst)
    }
}

/// A running server. It ends when dropped.
pub(crate) struct Host {
    runtime: Runtime,
    provisioner: Provisioner,
    clock: Arc<MovedClock>,
    mail: TempDir,
}

impl Host {
    /// Starts one on a free port. Jobs run when a test says so.
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let clock = Arc::new(MovedClock::default());
        let mail = tempfile::tempdir().expect("a temporary directory");
        let sender = Sender::new("Insomnia <scim@insomnia.example>", None, None).expect("a sender");
        let mailer = MailFolder::open(mail.path(), sender).expect("a mail folder");
        // So that nothing of a test leaves the machine, and a webhook there is reached.
        let http = HttpConfig { permit: vec!["http://127.0.0.1".into()], ..HttpConfig::default() };
        let provisioner = runtime.block_on(async {
            let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
            let origin = format!("http://{}", listener.local_addr().expect("its address"));
            let provisioner = Provisioner::builder()
                .storage(Arc::new(MemoryStorage::new()))
                // Visitors say where they are from, as a proxy would.
                .trusted_proxies(TrustedProxies::parse(["127.0.0.0/8"]).unwrap())
                .mailer(Arc::new(mailer))
                .http(Arc::new(http.client().expect("an HTTP client")))
                .secrets(Arc::new(SecretKey::new(&[7; 32])))
                .clock(Arc::clone(&clock) as Arc<dyn Clock>)
                .cache_dir(private(Path::new(CACHE)))
                .base_url(origin)
                .scheduler(false);
            let provisioner = provisioner.build().await.expect("a provisioner");
            let serving = provisioner.clone();
            tokio::spawn(async move { insomnia_scim::serve(&serving, listener, std::future::pending()).await });
            provisioner
        });
        Self { runtime, provisioner, clock, mail }
    }

    /// The one that the tests of this process share which neither move its clock nor count its mail.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Host> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Waits for what the library does.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Creates an organization.
    pub(crate) fn create(&self, id: &str, record: OrganizationRecord) -> Organization {
        let new = NewOrganization::new(OrganizationId::parse(id).expect("an organization's id"), record);
        self.run(self.provisioner.create_organization(new)).expect("a new organization").organization
    }

    /// Moves the clock forwards.
    pub(crate) fn pass(&self, time: Duration) {
        let milliseconds = u64::try_from(time.as_millis()).expect("a time that fits");
        self.clock.0.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Does what is due: mail is written, events are delivered.
    pub(crate) fn run_due(&self) {
        self.run(self.provisioner.run_all_due()).expect("the jobs run");
    }

    /// The texts of an organization's letters to this address, in the order of writing, after all that are due.
    pub(crate) fn letters(&self, organization: &str, to: &str) -> Vec<String> {
        self.run_due();
        let Ok(folder) = fs::read_dir(self.mail.path().join(organization)) else { return Vec::new() };
        let paths: BTreeSet<_> = folder.map(|file| file.expect("a file").path()).collect();
        let letters = paths.iter().map(|path| fs::read_to_string(path).expect("a letter"));
        letters.filter(|letter| letter.contains(&format!("To: {to}\r\n"))).map(|letter| text_of(&letter)).collect()
    }
}

/// The directory, which only its owner may write to.
fn private(path: &Path) -> &Path {
    fs::create_dir_all(path).expect("a directory for compiled code");
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("its owner's only");
    path
}
