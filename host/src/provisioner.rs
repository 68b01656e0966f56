//! The host: builds the runtime over the backend's capabilities, and hands out organizations and routes.

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use crate::capability::Capabilities;
use crate::capability::clock::{Clock, SystemClock};
use crate::capability::email::{Mailer, NoMailer};
use crate::capability::http::{HttpClient, NoHttpClient};
use crate::capability::secrets::{NoSecrets, Secrets};
use crate::capability::storage::{OrganizationId, Storage, StorageError};
use crate::component::{BUILT_IN, ComponentError, Isolation, Limits, Runtime};
use crate::event::EventSubscriber;
use crate::organization::Organization;
use crate::page::page_path;
use crate::registry::{Registered, Registry, RegistryError};
use crate::scheduler::{self, Alarm, Failures};

/// The host of the component. Cheap to clone; the scheduler ends when the last clone is dropped.
#[derive(Clone)]
pub struct Provisioner(Arc<Inner>);

pub(crate) struct Inner {
    runtime: Runtime,
    storage: Arc<dyn Storage>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    alarm: Arc<Alarm>,
    registry: Registry,
    failures: Failures,
    subscriber: Option<Arc<dyn EventSubscriber>>,
    base_url: String,
    page_url: Option<String>,
}

/// Why a provisioner can't be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// [`ProvisionerBuilder::storage`] was not called.
    #[error("no storage is set: call ProvisionerBuilder::storage")]
    NoStorage,
    /// The base URL is not `http://…` or `https://…`.
    #[error("the base URL {0:?} does not begin with http:// or https://")]
    BaseUrl(String),
    /// The component can't be used.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// The runtime was shut down meanwhile.
    #[error("the runtime was shut down while the component was compiled")]
    Interrupted,
}

/// What a [`Provisioner`] is made of. Only the storage is required.
pub struct ProvisionerBuilder {
    storage: Option<Arc<dyn Storage>>,
    mailer: Arc<dyn Mailer>,
    http: Arc<dyn HttpClient>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    isolation: Isolation,
    limits: Limits,
    cache_dir: Option<PathBuf>,
    component: Option<Vec<u8>>,
    base_url: String,
    page_url: Option<String>,
    scheduler: bool,
    subscriber: Option<Arc<dyn EventSubscriber>>,
}

impl ProvisionerBuilder {
    /// Where all data is kept.
    #[must_use]
    pub fn storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = Some(storage);
        self
    }

    /// What sends email. Without one, messages are parked: they can be seen, and sent again for 90 days once there is one.
    #[must_use]
    pub fn mailer(mut self, mailer: Arc<dyn Mailer>) -> Self {
        self.mailer = mailer;
        self
    }

    /// What sends HTTP requests: webhooks, and token refresh in the identity provider.
    #[must_use]
    pub fn http(mut self, http: Arc<dyn HttpClient>) -> Self {
        self.http = http;
        self
    }

    /// What encrypts secrets that must be replayed.
    #[must_use]
    pub fn secrets(mut self, secrets: Arc<dyn Secrets>) -> Self {
        self.secrets = secrets;
        self
    }

    /// What tells the time; the machine's clock by default.
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

    /// What calls may take.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where compiled code is kept, so that only the first start compiles: a directory that only its owner may write
    /// to. Without one, every start takes seconds.
    #[must_use]
    pub fn cache_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cache_dir = Some(directory.into());
        self
    }

    /// Another build of the component than the one in this crate.
    #[must_use]
    pub fn component(mut self, wasm: Vec<u8>) -> Self {
        self.component = Some(wasm);
        self
    }

    /// The URL that clients see before `/scim/v2/…`; `http://localhost:8080` by default.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Where an organization's SCIM page is, with `{organization}` in the place of its id: emails point there. By default
    /// it is where [`crate::page::Page::router`] has it, below the base URL.
    #[must_use]
    pub fn page_url(mut self, template: impl Into<String>) -> Self {
        self.page_url = Some(template.into());
        self
    }

    /// Whether due jobs are run by this process (they are by default). If not, call [`Provisioner::run_all_due`].
    #[must_use]
    pub fn scheduler(mut self, on: bool) -> Self {
        self.scheduler = on;
        self
    }

    /// What takes the events of all organizations in this process: those that are written from an organization's first
    /// jobs with it on. Only the scheduler, or [`Provisioner::run_all_due`], hands them over.
    #[must_use]
    pub fn subscriber(mut self, subscriber: Arc<dyn EventSubscriber>) -> Self {
        self.subscriber = Some(subscriber);
        self
    }

    /// Compiles the component, or loads its compiled code, and starts the scheduler. Call it in a Tokio runtime.
    ///
    /// # Errors
    /// [`BuildError`] says what is missing or wrong.
    pub async fn build(self) -> Result<Provisioner, BuildError> {
        let storage = self.storage.ok_or(BuildError::NoStorage)?;
        if !self.base_url.starts_with("http://") && !self.base_url.starts_with("https://") {
            return Err(BuildError::BaseUrl(self.base_url));
        }
        let alarm = Arc::new(Alarm::default());
        let capabilities = Arc::new(Capabilities {
            storage: Arc::clone(&storage),
            mailer: self.mailer,
            http: self.http,
            secrets: Arc::clone(&self.secrets),
            clock: Arc::clone(&self.clock),
            alarm: Arc::clone(&alarm),
        });
        let runtime = tokio::task::spawn_blocking(move || {
            let wasm = self.component.as_deref().unwrap_or(BUILT_IN);
            Runtime::new(wasm, self.limits, self.isolation, self.cache_dir.as_deref(), capabilities)
        });
        let provisioner = Provisioner(Arc::new(Inner {
            runtime: runtime.await.map_err(|_| BuildError::Interrupted)??,
            registry: Registry::new(Arc::clone(&storage)),
            storage,
            secrets: self.secrets,
            clock: self.clock,
            alarm,
            failures: Failures::default(),
            subscriber: self.subscriber,
            base_url: self.base_url.trim_end_matches('/').to_owned(),
            page_url: self.page_url,
        }));
        if self.scheduler {
            tokio::spawn(scheduler::run(Arc::downgrade(&provisioner.0)));
        }
        Ok(provisioner)
    }
}

impl Provisioner {
    /// Starts to build one.
    pub fn builder() -> ProvisionerBuilder {
        ProvisionerBuilder {
            storage: None,
            mailer: Arc::new(NoMailer),
            http: Arc::new(NoHttpClient),
            secrets: Arc::new(NoSecrets),
            clock: Arc::new(SystemClock),
            isolation: Isolation::default(),
            limits: Limits::default(),
            cache_dir: None,
            component: None,
            base_url: "http://localhost:8080".into(),
            page_url: None,
            scheduler: true,
            subscriber: None,
        }
    }

    /// An organization by its name; it may not exist.
    pub fn organization(&self, id: &OrganizationId) -> Organization {
        Organization::new(self.clone(), id.clone())
    }

    /// Registers an organization: from now on its connector URL is served. Then [`Organization::put`] tells what it is.
    ///
    /// # Errors
    /// [`RegistryError::Exists`] if it is there already.
    pub async fn create_organization(&self, id: &OrganizationId) -> Result<Organization, RegistryError> {
        self.0.registry.create(id, self.0.clock.now()).await?;
        Ok(self.organization(id))
    }

    /// Removes an organization with all that it has. There is no way back.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`] if it is not there. After a storage error, call it again.
    pub async fn delete_organization(&self, id: &OrganizationId) -> Result<(), RegistryError> {
        // First: if the organization were created again, its old keys must not open it.
        self.api_keys().forget(id).await?;
        self.0.registry.delete(id).await
    }

    /// Whether the organization is registered.
    ///
    /// # Errors
    /// The storage's.
    pub async fn has_organization(&self, id: &OrganizationId) -> Result<bool, StorageError> {
        self.0.registry.exists(id).await
    }

    /// At most `limit` of the registered organizations after `after`, in the order of their names.
    ///
    /// # Errors
    /// The storage's.
    pub async fn organizations(
        &self,
        after: Option<&OrganizationId>,
        limit: u32,
    ) -> Result<Vec<Registered>, StorageError> {
        self.0.registry.list(after, limit).await
    }

    /// The URL that clients see before `/scim/v2/…`, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// The SCIM page of an organization.
    pub(crate) fn page_url(&self, organization: &OrganizationId) -> String {
        match &self.0.page_url {
            Some(template) => template.replace("{organization}", organization.as_str()),
            None => format!("{}{}", self.0.base_url, page_path(organization)),
        }
    }

    /// Runs all jobs that are due now, once each, and returns how many organizations that concerned. For embedders
    /// with a scheduler of their own, and for tests with a clock of their own.
    ///
    /// # Errors
    /// The storage's; a job's own failure is logged and tried again later.
    pub async fn run_all_due(&self) -> Result<usize, StorageError> {
        let due = self.0.storage.due(self.0.clock.now(), usize::MAX).await?;
        for (organization, seen) in &due {
            scheduler::run_one(self, organization, *seen).await;
        }
        Ok(due.len())
    }

    /// Waits until all that was logged is stored. Call it before the process ends.
    ///
    /// # Errors
    /// The storage's.
    pub async fn flush(&self) -> Result<(), StorageError> {
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

    pub(crate) fn failures(&self) -> &Failures {
        &self.0.failures
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.0.registry
    }
}
