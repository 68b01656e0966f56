//! The component that each organization runs: the default one, the canary, or the one to which it is pinned.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use super::assigned::{Because, Choice};
use super::compiled::Linked;
use super::error::CallError;
use super::shelf::{LoadError, Shelf};
use super::tenant::{Tenant, Tenants};
use super::trial::Trial;
use crate::capability::storage::OrganizationId;
use crate::hourly::{error_hourly, warn_hourly};
use crate::registry::{Assignment, Canary, ComponentBook};

/// The components that organizations run.
pub(super) struct Components {
    /// The component of all organizations that neither are pinned to another nor run the canary.
    default: Arc<Linked>,
    book: ComponentBook,
    shelf: Arc<Shelf>,
    /// The canary, and its results so far.
    trial: Mutex<Option<Trial>>,
    tenants: Arc<Tenants>,
    /// How long a call waits until its component is loaded.
    patience: Duration,
}

impl Components {
    pub(super) fn new(
        default: Linked,
        book: ComponentBook,
        shelf: Shelf,
        tenants: Arc<Tenants>,
        patience: Duration,
    ) -> Self {
        let (default, shelf) = (Arc::new(default), Arc::new(shelf));
        Self { default, book, shelf, trial: Mutex::default(), tenants, patience }
    }

    /// The stored components, the pins and the canary.
    pub(super) fn book(&self) -> &ComponentBook {
        &self.book
    }

    /// Compiles, checks and links a component, which need not be stored.
    pub(super) async fn prepare(&self, name: &str, wasm: Vec<u8>) -> Result<Arc<Linked>, LoadError> {
        self.shelf.prepare(name.to_owned(), wasm).await
    }

    /// The name and version of the component that the organization must run. Waits until it is loaded.
    pub(super) async fn label_of(&self, organization: &OrganizationId) -> Result<String, CallError> {
        let assignment = self.book.assignment(organization).await.map_err(|error| {
            warn_hourly!("component-looked-up"; %organization,
                "the organization's component can't be looked up: {error}");
            CallError::Component
        })?;
        Ok(self.choose(organization, assignment, None).await?.linked.label.to_string())
    }

    /// The component that a call of the organization runs now.
    ///
    /// If the organization must run another component than before, its calls go on with the former one while the new
    /// one is loaded. Only the first call of an organization waits until its component is loaded.
    pub(super) async fn of(&self, organization: &OrganizationId, tenant: &Tenant) -> Result<Choice, CallError> {
        if organization.is_nobody() {
            return Ok(self.default());
        }
        if let Some(choice) = tenant.assigned.fresh() {
            return Ok(choice);
        }
        let (before, look) = (tenant.assigned.last(), tenant.assigned.look());
        let choice = match self.book.assignment(organization).await {
            Ok(assignment) => {
                let choice = self.choose(organization, assignment, before.as_ref());
                timeout(self.patience, choice).await.map_err(|_| CallError::Component)??
            }
            Err(error) => {
                warn_hourly!("component-looked-up"; %organization,
                    "the organization's component can't be looked up: {error}");
                before.ok_or(CallError::Component)?
            }
        };
        if let Some(before) = tenant.assigned.note(choice.clone(), look)
            && !Arc::ptr_eq(&before.linked, &choice.linked)
        {
            let (component, former) = (&choice.linked.label, &before.linked.label);
            tracing::info!(%organization, %component, %former, "the organization runs another component");
        }
        Ok(choice)
    }

    async fn choose(
        &self,
        organization: &OrganizationId,
        assignment: Assignment,
        before: Option<&Choice>,
    ) -> Result<Choice, CallError> {
        let canary = self.watched(assignment.canary);
        let (id, because) = match (assignment.pin.component, canary) {
            (Some(id), _) => (id, Because::Pinned),
            (None, Some(canary)) if canary.takes(organization) => {
                (canary.component, Because::Canary { began: canary.began })
            }
            (None, _) => return Ok(self.default()),
        };
        if let Some(linked) = self.shelf.ready(&id) {
            return Ok(Choice { linked, because });
        }
        if let Some(before) = before {
            let shelf = Arc::clone(&self.shelf);
            tokio::spawn(async move { shelf.load(id).await.map(drop) });
            // If an earlier attempt to load this component has failed a moment ago, the error is reported below. If the
            // attempt that begins now fails, a later call reports it.
            if !self.shelf.has_failed(&id) {
                return Ok(before.clone());
            }
        }
        let error = match self.shelf.load(id).await {
            Ok(linked) => return Ok(Choice { linked, because }),
            Err(error) => error,
        };
        error_hourly!(&format!("component {}", id.short()); %organization, component = id.short(),
            "the organization's component can't be loaded: {error}");
        match because {
            Because::Canary { .. } => {
                // A temporary error, such as a storage that can't be reached, says nothing about the component.
                if matches!(error, LoadError::Removed | LoadError::Unusable(_)) {
                    self.roll_back(format!("it can't be loaded: {error}"));
                }
                Ok(self.default())
            }
            Because::Pinned | Because::Default => Err(CallError::Component),
        }
    }

    fn default(&self) -> Choice {
        Choice { linked: Arc::clone(&self.default), because: Because::Default }
    }

    /// The canary, if there is one and this process has not found that it fails. From now on its calls are counted.
    fn watched(&self, canary: Option<Canary>) -> Option<Canary> {
        let mut trial = self.trial();
        let canary = canary?;
        let known = trial.as_ref().filter(|trial| *trial.canary() == canary);
        if known.is_some_and(Trial::has_failed) {
            return None;
        }
        if known.is_none() {
            *trial = Some(Trial::new(canary.clone()));
        }
        Some(canary)
    }

    /// Counts a call for or against the canary, and rolls the canary back if it fails more often than the other
    /// component.
    pub(super) fn judge(&self, because: Because, failed: bool) {
        let ended = match (&mut *self.trial(), because) {
            (Some(trial), Because::Canary { began }) if trial.canary().began == began => trial.count(true, failed),
            (Some(trial), Because::Default) => trial.count(false, failed),
            _ => return,
        };
        if let Some(reason) = ended {
            self.roll_back(reason);
        }
    }

    /// Rolls the canary back: at once in this process, and in the storage for all processes.
    fn roll_back(&self, reason: String) {
        let canary = match &mut *self.trial() {
            Some(trial) => {
                trial.end();
                trial.canary().clone()
            }
            None => return,
        };
        self.tenants.reassign_all();
        let book = self.book.clone();
        tokio::spawn(async move {
            let component = canary.component.short();
            match book.roll_canary_back(&canary, &reason).await {
                Ok(true) => tracing::error!(component, "the canary was rolled back: {reason}"),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(component, "the canary fails ({reason}) and can't be rolled back: {error}")
                }
            }
        });
    }

    fn trial(&self) -> MutexGuard<'_, Option<Trial>> {
        self.trial.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
