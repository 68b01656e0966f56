//! The host: it builds the runtime with the backend's capabilities, and provides organizations and routes.

mod components;
mod leftovers;
mod operator_trail;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use crate::alarm::{Alarm, Failures};
use crate::api_keys::ApiKeys;
use crate::capability::Capabilities;
use crate::capability::clock::{Clock, SystemClock};
use crate::capability::email::{Mailer, NoMailer};
use crate::capability::http::{HttpClient, NoHttpClient};
use crate::capability::secrets::{NoSecrets, Secrets};
use crate::capability::storage::{OrganizationId, Storage, StorageError};
use crate::component::{BUILT_IN, ComponentError, Isolation, Limits, Runtime};
use crate::condition::{Condition, Trouble};
use crate::event::EventSubscriber;
use crate::metrics::{Held, Metrics};
use crate::oauth::{OperatorClient, check_operator_clients};
use crate::organization::Organization;
use crate::quota::Quotas;
use crate::registry::{QuotaBook, Registered, Registry, RegistryError};
use crate::scheduler;
use crate::server::TrustedProxies;
use crate::sign_ins::WrongSignIns;
use crate::traces::Traces;
use crate::urls;
use insomnia_scim_contract::{Face, Source};

use leftovers::Leftovers;
pub(crate) use leftovers::{SETTLED, SETTLED_LATE};

pub use components::ComponentsError;

/// The host of the component. It is cheap to clone. The scheduler ends when the last clone is dropped.
#[derive(Clone)]
pub struct Provisioner(Arc<Inner>);

pub(crate) struct Inner {
    runtime: Runtime,
    storage: Arc<dyn Storage>,
    mailer: Arc<dyn Mailer>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    alarm: Arc<Alarm>,
    metrics: Arc<Metrics>,
    registry: Registry,
    failures: Failures,
    condition: Condition,
    wrong_sign_ins: WrongSignIns,
    subscriber: Option<Arc<dyn EventSubscriber>>,
    traces: Traces,
    base_url: String,
    page_url: Option<String>,
    trusted_proxies: TrustedProxies,
    operator_clients: Vec<OperatorClient>,
    /// Allows one call of [`Provisioner::run_all_due`] at a time.
    all_due: tokio::sync::Mutex<()>,
    leftovers: Leftovers,
    /// The server around it takes no more requests.
    stopping: AtomicBool,
}

/// Why a provisioner can't be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// [`ProvisionerBuilder::storage`] was not called.
    #[error("no storage is set: call ProvisionerBuilder::storage")]
    NoStorage,
    /// The base URL is not `http://…` or `https://…` with a host and at most a path behind it. The text says what is wrong.
    #[error("{0}")]
    BaseUrl(String),
    /// A client given to [`ProvisionerBuilder::operator_clients`] is wrong. The text says what is wrong.
    #[error("{0}")]
    OperatorClient(String),
    /// The component can't be used.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// The metrics can't be set up, which is a fault of this crate.
    #[error("the metrics can't be set up: {0}")]
    Metrics(String),
    /// The runtime was shut down meanwhile.
    #[error("the runtime was shut down while the component was compiled")]
    Interrupted,
}

/// The parts of a [`Provisioner`]. Only the storage is required. When the provisioner is built, the log says which features
/// are off because another part is missing.
pub struct ProvisionerBuilder {
    storage: Option<Arc<dyn Storage>>,
    mailer: Option<Arc<dyn Mailer>>,
    http: Option<Arc<dyn HttpClient>>,
    secrets: Option<Arc<dyn Secrets>>,
    clock: Arc<dyn Clock>,
    isolation: Isolation,
    limits: Limits,
    quotas: Quotas,
    cache_dir: Option<PathBuf>,
    component: Option<Vec<u8>>,
    base_url: String,
    page_url: Option<String>,
    trusted_proxies: TrustedProxies,
    operator_clients: Vec<OperatorClient>,
    scheduler: bool,
    process_metrics: bool,
    subscriber: Option<Arc<dyn EventSubscriber>>,
    traces: Traces,
}

impl ProvisionerBuilder {
    /// The storage of all data.
    #[must_use]
    pub fn storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = Some(storage);
        self
    }

    /// Sends email. Without a mailer, messages are parked: they are kept for the retention of the organization (90 days by
    /// default), and can be sent again once there is a mailer.
    #[must_use]
    pub fn mailer(mut self, mailer: Arc<dyn Mailer>) -> Self {
        self.mailer = Some(mailer);
        self
    }

    /// Sends HTTP requests: those of webhooks, and those that refresh tokens in the identity provider.
    #[must_use]
    pub fn http(mut self, http: Arc<dyn HttpClient>) -> Self {
        self.http = Some(http);
        self
    }

    /// Encrypts the secrets that must later be sent to others.
    #[must_use]
    pub fn secrets(mut self, secrets: Arc<dyn Secrets>) -> Self {
        self.secrets = Some(secrets);
        self
    }

    /// Tells the time. The default is the machine's clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Which requests may share an instance.
    #[must_use]
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// The limits of each call.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How much an organization may use over time, unless [`Organization::set_quota`] sets another limit for it.
    #[must_use]
    pub fn quotas(mut self, quotas: Quotas) -> Self {
        self.quotas = quotas;
        self
    }

    /// The directory for compiled code, so that only the first start compiles. Only its owner may have write access to it. It
    /// is created if it is absent. Without it, every start takes seconds.
    #[must_use]
    pub fn cache_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        // wasmtime wants it to be absolute.
        self.cache_dir = Some(std::path::absolute(&directory).unwrap_or(directory));
        self
    }

    /// Uses this build of the component instead of the one in this crate.
    #[must_use]
    pub fn component(mut self, wasm: Vec<u8>) -> Self {
        self.component = Some(wasm);
        self
    }

    /// The URL that clients see before `/scim/v2/…`. The default is `http://localhost:8080`.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// The address of an organization's SCIM page, with `{organization}` in the place of its id. Emails point there. The
    /// default is where [`crate::page::Page::router`] serves the page, below the base URL.
    #[must_use]
    pub fn page_url(mut self, template: impl Into<String>) -> Self {
        self.page_url = Some(template.into());
        self
    }

    /// The proxies in front of this server. The server believes what they say about the sender of a request. By default there
    /// are none.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.trusted_proxies = proxies;
        self
    }

    /// Whether this process runs due jobs by itself. The default is `true`. If it is `false`, call [`Provisioner::run_all_due`]
    /// again and again: otherwise nothing is mailed, no event is handed over, and old instances of the component stay.
    #[must_use]
    pub fn scheduler(mut self, on: bool) -> Self {
        self.scheduler = on;
        self
    }

    /// The operator's OAuth 2.0 clients, for an identity provider's catalogue that needs one client for all customers. Each
    /// client is valid for every organization whose owner or a co-owner has agreed to it on the consent page.
    #[must_use]
    pub fn operator_clients(mut self, clients: Vec<OperatorClient>) -> Self {
        self.operator_clients = clients;
        self
    }

    /// Whether [`Provisioner::metrics`] contains those of the process, `process_…`: CPU, memory and file descriptors, on Linux.
    /// The default is `true`. A backend that serves such metrics itself passes `false`, because a page must not have a metric
    /// twice.
    #[must_use]
    pub fn process_metrics(mut self, on: bool) -> Self {
        self.process_metrics = on;
        self
    }

    /// Takes the events of all organizations in this process. Only the scheduler and [`Provisioner::run_all_due`] hand them
    /// over.
    ///
    /// Events of an organization wait for the subscriber from the first time that its jobs run with a subscriber. That is
    /// moments after its creation. A change before that, such as an import right after the creation, may bring no event.
    /// Therefore read [`Organization::members`](crate::Organization::members) once, when the first event of an organization
    /// has come.
    #[must_use]
    pub fn subscriber(mut self, subscriber: Arc<dyn EventSubscriber>) -> Self {
        self.subscriber = Some(subscriber);
        self
    }

    /// Makes spans of calls, capabilities and jobs. Without it, there are none. Only [`crate::serve`] makes spans of HTTP
    /// requests. A backend that mounts the routes makes its own: spans of calls are then below the current span of the
    /// OpenTelemetry context. If there is no current span, the calls have none.
    #[cfg(feature = "otlp")]
    #[must_use]
    pub fn traces(mut self, traces: Traces) -> Self {
        self.traces = traces;
        self
    }

    /// Compiles the component, or loads its compiled code, and starts the scheduler. Call it in a Tokio runtime.
    ///
    /// # Errors
    /// [`BuildError`] says what is missing or wrong.
    pub async fn build(self) -> Result<Provisioner, BuildError> {
        let storage = self.storage.ok_or(BuildError::NoStorage)?;
        let base_url = urls::base_url(&self.base_url).map_err(|error| BuildError::BaseUrl(error.to_string()))?;
        check_operator_clients(&self.operator_clients).map_err(BuildError::OperatorClient)?;
        let alarm = Arc::new(Alarm::default());
        let metrics =
            Arc::new(Metrics::new(self.process_metrics).map_err(|error| BuildError::Metrics(error.to_string()))?);
        let mailer = self.mailer.unwrap_or_else(|| {
            tracing::info!("there is no mailer: emails are parked, among them the passphrases of new members");
            Arc::new(NoMailer)
        });
        let http = self.http.unwrap_or_else(|| {
            tracing::info!("there is no HTTP client: webhooks, pushed event streams and automatic refreshes are off");
            Arc::new(NoHttpClient)
        });
        let secrets = self.secrets.unwrap_or_else(|| {
            tracing::info!("there is no key for secrets: webhooks, event streams and automatic refreshes are refused");
            Arc::new(NoSecrets)
        });
        #[cfg(feature = "otlp")]
        if let Some(outcomes) = self.traces.outcomes() {
            metrics.add(outcomes).map_err(|error| BuildError::Metrics(error.to_string()))?;
        }
        let capabilities = Arc::new(Capabilities {
            storage: Arc::clone(&storage),
            mailer: Arc::clone(&mailer),
            http,
            secrets: Arc::clone(&secrets),
            clock: Arc::clone(&self.clock),
            alarm: Arc::clone(&alarm),
            metrics: Arc::clone(&metrics),
            traces: self.traces.clone(),
        });
        let quotas = QuotaBook::new(Arc::clone(&storage), self.quotas);
        let runtime = tokio::task::spawn_blocking(move || {
            let wasm = self.component.as_deref().unwrap_or(BUILT_IN);
            Runtime::new(wasm, self.limits, self.isolation, self.cache_dir.as_deref(), capabilities, quotas)
        });
        let provisioner = Provisioner(Arc::new(Inner {
            runtime: runtime.await.map_err(|_| BuildError::Interrupted)??,
            registry: Registry::new(Arc::clone(&storage)),
            storage,
            mailer,
            secrets,
            clock: self.clock,
            alarm,
            metrics,
            failures: Failures::default(),
            condition: Condition::default(),
            wrong_sign_ins: WrongSignIns::default(),
            subscriber: self.subscriber,
            traces: self.traces,
            base_url,
            page_url: self.page_url,
            trusted_proxies: self.trusted_proxies,
            operator_clients: self.operator_clients,
            all_due: tokio::sync::Mutex::default(),
            leftovers: Leftovers::default(),
            stopping: AtomicBool::new(false),
        }));
        if self.scheduler {
            tokio::spawn(scheduler::run(Arc::downgrade(&provisioner.0)));
        }
        Ok(provisioner)
    }
}

impl Provisioner {
    /// Starts to build a provisioner.
    pub fn builder() -> ProvisionerBuilder {
        ProvisionerBuilder {
            storage: None,
            mailer: None,
            http: None,
            secrets: None,
            clock: Arc::new(SystemClock),
            isolation: Isolation::default(),
            limits: Limits::default(),
            quotas: Quotas::default(),
            // Each test is a process of its own: they share what the first of them has compiled.
            cache_dir: cfg!(test).then(|| concat!(env!("OUT_DIR"), "/compiled").into()),
            component: None,
            base_url: "http://localhost:8080".into(),
            page_url: None,
            trusted_proxies: TrustedProxies::default(),
            operator_clients: Vec::new(),
            scheduler: true,
            process_metrics: true,
            subscriber: None,
            traces: Traces::default(),
        }
    }

    /// The organization with this name. It need not exist. Each action applies to the organization that has the name at that
    /// moment. If there is none, the action ends with [`CallError::Deleted`](crate::CallError::Deleted), which has changed nothing
    /// here. [`Provisioner::find_organization`] tells beforehand whether there is one.
    pub fn organization(&self, id: &OrganizationId) -> Organization {
        Organization::named(self.clone(), id.clone())
    }

    /// The organization that has this name now. All actions apply to this organization, also if it is deleted and another one
    /// gets its name: then changes are refused, and lists are empty.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn find_organization(&self, id: &OrganizationId) -> Result<Option<Organization>, StorageError> {
        let found = self.0.registry.find(id).await?;
        Ok(found.map(|bound| self.bound_organization(bound)))
    }

    /// The organization of exactly this generation.
    pub(crate) fn bound_organization(&self, bound: OrganizationId) -> Organization {
        Organization::bound(self.clone(), bound)
    }

    /// Like [`Provisioner::find_organization`]. If there is none, returns one that answers like an organization without a
    /// connector.
    pub(crate) async fn organization_or_stranger(&self, id: &OrganizationId) -> Result<Organization, StorageError> {
        let found = self.find_organization(id).await?;
        Ok(found.unwrap_or_else(|| Organization::stranger(self.clone(), id.clone())))
    }

    /// Removes an organization with everything that it has: members, teams, logs, due times, API keys, sessions, and the
    /// emails that the mailer keeps. Its running calls are ended: in this process at once, and in others as soon as they
    /// write. This can't be undone.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`] if there is no such organization. After another error, call it again.
    pub async fn delete_organization(&self, id: &OrganizationId) -> Result<(), RegistryError> {
        self.delete_organization_from(id, Source::new(Face::Backend)).await
    }

    /// Like [`Provisioner::delete_organization`], for a caller who comes from this source.
    pub(crate) async fn delete_organization_from(
        &self,
        id: &OrganizationId,
        source: Source,
    ) -> Result<(), RegistryError> {
        // Before it: whoever is stopped in between has deleted nothing that is not in the trail.
        if self.0.registry.find(id).await?.is_some() {
            self.record_operator_act("organization.delete", source, "organization", Some(id.as_str()), None).await;
        }
        self.delete(id, None).await
    }

    /// Like [`Provisioner::delete_organization`]. If a generation is given, deletes only the organization of this generation.
    pub(crate) async fn delete(&self, id: &OrganizationId, generation: Option<u64>) -> Result<(), RegistryError> {
        let bound = self.0.registry.begin_deletion(id, generation).await?;
        self.0.runtime.end(&bound);
        self.api_keys().forget(&bound).await?;
        self.0.runtime.quotas().forget(&bound).await?;
        self.0.runtime.components().forget(&bound).await?;
        self.forget_sessions(&bound).await?;
        self.0.storage.delete_organization(&bound).await?;
        // After the storage: from now on nothing is sent, and what was on its way is withdrawn.
        self.0.mailer.forget(&bound).await.map_err(RegistryError::Mail)?;
        self.0.failures.clear(&bound);
        self.0.registry.end_deletion(&bound).await?;
        self.scour_after(SETTLED);
        Ok(())
    }

    /// The keys that open the admin API.
    pub fn api_keys(&self) -> ApiKeys {
        ApiKeys::new(Arc::clone(&self.0.storage), Arc::clone(&self.0.clock))
    }

    /// Whether the organization is registered.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn has_organization(&self, id: &OrganizationId) -> Result<bool, StorageError> {
        Ok(self.0.registry.find(id).await?.is_some())
    }

    /// At most `limit` of the registered organizations after `after`, in the order of their names.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn organizations(
        &self,
        after: Option<&OrganizationId>,
        limit: u32,
    ) -> Result<Vec<Registered>, StorageError> {
        self.0.registry.list(after, limit).await
    }

    /// The problem that keeps the host from full service, if there is one: the storage accepts no write, or the component
    /// answers no test call. The answer is kept for five seconds.
    pub async fn trouble(&self) -> Option<Trouble> {
        self.0.condition.look(&*self.0.storage, &self.0.runtime).await
    }

    /// Whether emails leave this machine for their recipients ([`Mailer::delivers`]).
    pub fn delivers_mail(&self) -> bool {
        self.0.mailer.delivers()
    }

    /// The metrics of this provisioner for monitoring: counters, durations and levels in the text format of Prometheus 0.0.4.
    /// They name no organization and no member. [`crate::server::serve_metrics`] serves them. A backend with a page of its own
    /// appends this text to it, and turns [`ProvisionerBuilder::process_metrics`] off if it has such metrics already.
    ///
    /// # Errors
    /// The error of the library that writes the text.
    pub fn metrics(&self) -> Result<String, prometheus::Error> {
        let runtime = self.runtime();
        let ledger = runtime.ledger();
        let held = [("everybody", ledger.everybody()), ("strangers", ledger.strangers())].map(|(account, of)| Held {
            account,
            held: of.held(),
            most: of.most(),
        });
        self.0.metrics.levels.set(&held, runtime.tenants(), runtime.kept());
        self.0.metrics.text()
    }

    /// The counters and measurements.
    pub(crate) fn counts(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    /// The maker of spans.
    pub(crate) fn traces(&self) -> &Traces {
        &self.0.traces
    }

    /// The URL that clients see before `/scim/v2/…`, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.0.base_url
    }

    pub(crate) fn operator_clients(&self) -> &[OperatorClient] {
        &self.0.operator_clients
    }

    pub(crate) fn trusted_proxies(&self) -> &TrustedProxies {
        &self.0.trusted_proxies
    }

    /// The SCIM page of an organization.
    pub(crate) fn page_url(&self, organization: &OrganizationId) -> String {
        urls::page_url(&self.0.base_url, self.0.page_url.as_deref(), organization)
    }

    /// Runs all jobs that are due now, once each, and returns how many organizations had some. It is for embedders with a
    /// scheduler of their own, and for tests with a clock of their own. Jobs send emails and webhooks, hand events to the
    /// subscriber, and warn of tokens that expire.
    ///
    /// Organizations take turns one after another here, so a slow webhook delays the others: the host's own scheduler runs several
    /// at once. Several hosts may call this at the same time, because each claims an organization before it runs its jobs. Call
    /// it also in hosts that find nothing due: it drops old instances of the component and measures what organizations store.
    ///
    /// A change may make jobs due at once, so call it every second or so. A call that finds nothing due only asks the storage:
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use insomnia_scim::Provisioner;
    ///
    /// async fn run_jobs(provisioner: Provisioner) {
    ///     loop {
    ///         if let Err(error) = provisioner.run_all_due().await {
    ///             eprintln!("jobs are tried again: {error}");
    ///         }
    ///         tokio::time::sleep(Duration::from_secs(1)).await;
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of the storage. If a job fails, that is logged, and the job is tried again later.
    pub async fn run_all_due(&self) -> Result<usize, StorageError> {
        // Whoever calls meanwhile waits, so that what was due is done when either returns.
        let _turn = self.0.all_due.lock().await;
        self.runtime().sweep();
        self.forget_leftovers().await;
        let now = self.0.clock.now();
        let due = self.0.storage.due(now, usize::MAX).await?;
        let next = self.0.storage.next_due(now).await?;
        self.counts().jobs.waited(next.map_or(0, |next| now.saturating_sub(next)));
        for organization in &due {
            scheduler::run_one(self, organization).await;
        }
        Ok(due.len())
    }

    /// Ends the requests that wait for changes: live logs of the page, and receivers that poll for events. Later requests do
    /// not wait either. Call it when a listener that finishes its open requests is asked to stop; otherwise the listener waits
    /// for up to a minute.
    pub fn stop_waiting(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether [`Provisioner::stop_waiting`] was called.
    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    /// Waits until all log entries are stored, and deleted data is removed from the storage's files. Call it before the
    /// process ends.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn flush(&self) -> Result<(), StorageError> {
        self.scour_now().await;
        self.0.storage.flush().await
    }

    pub(crate) fn upgrade(weak: &Weak<Inner>) -> Option<Self> {
        weak.upgrade().map(Self)
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    pub(crate) fn storage(&self) -> &dyn Storage {
        &*self.0.storage
    }

    pub(crate) fn mailer(&self) -> &dyn Mailer {
        &*self.0.mailer
    }

    pub(crate) fn secrets(&self) -> &dyn Secrets {
        &*self.0.secrets
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn alarm(&self) -> Arc<Alarm> {
        Arc::clone(&self.0.alarm)
    }

    pub(crate) fn subscriber(&self) -> Option<&dyn EventSubscriber> {
        self.0.subscriber.as_deref()
    }

    pub(crate) fn wrong_sign_ins(&self) -> &WrongSignIns {
        &self.0.wrong_sign_ins
    }

    pub(crate) fn failures(&self) -> &Failures {
        &self.0.failures
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.0.registry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_code_is_kept_in_a_directory_that_is_named_relatively() {
        let kept = Provisioner::builder().cache_dir("data/compiled").cache_dir.unwrap();
        assert!(kept.is_absolute() && kept.ends_with("data/compiled"), "{}", kept.display());
    }
}
