//! Which component the organization runs.

use super::Organization;
use crate::capability::storage::{OrganizationId, StorageError};
use crate::component::CallError;
use crate::registry::{ComponentBookError, ComponentId, Pin};

impl Organization {
    /// The component to which it is pinned, and the one that it ran before.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn pin(&self) -> Result<Pin, StorageError> {
        let bound = self.bound_id().await?;
        Ok(self.provisioner.runtime().components().assignment(&bound).await?.pin)
    }

    /// The name and version of the component that a call runs now, such as `rules@0123456789ab`. It is the one to which the
    /// organization is pinned, the canary, or the one that the host was started with.
    ///
    /// # Errors
    /// [`CallError::Component`] if it can't be loaded.
    pub async fn component(&self) -> Result<String, CallError> {
        let bound = self.bound_id().await.map_err(|_| CallError::Component)?;
        self.provisioner.runtime().component_of(&bound).await
    }

    /// Pins the organization to a stored component; `None` returns it to the host's component. Running calls end with the
    /// component with which they began. The pin takes effect in this process with the next call, and in all processes within
    /// two seconds.
    ///
    /// # Errors
    /// [`ComponentBookError::Unknown`] if the component is not stored.
    pub async fn set_pin(&self, component: Option<ComponentId>) -> Result<Pin, ComponentBookError> {
        let bound = self.bound_id().await?;
        let pin = self.provisioner.runtime().components().pin(&bound, component).await?;
        self.has_changed(&bound, pin).await;
        Ok(pin)
    }

    /// Returns the organization to the component that it ran before the last pin. A second call undoes the first.
    ///
    /// # Errors
    /// [`ComponentBookError::NoFormer`] if the organization was never pinned.
    pub async fn roll_back(&self) -> Result<Pin, ComponentBookError> {
        let bound = self.bound_id().await?;
        let pin = self.provisioner.runtime().components().roll_back(&bound).await?;
        self.has_changed(&bound, pin).await;
        Ok(pin)
    }

    /// The entry is in the operator's trail, because the component that was just changed keeps the organization's own.
    async fn has_changed(&self, bound: &OrganizationId, pin: Pin) {
        self.provisioner.runtime().reassign(bound);
        let component = pin.component.map_or_else(|| "default".to_owned(), |id| id.to_string());
        tracing::info!(organization = %self.id, component, "the organization was pinned");
        let (what, source) = ("organization.pin", self.by.source.clone());
        let name = format!("{} runs {component}", self.id);
        self.provisioner.record_operator_act(what, source, "organization", Some(self.id.as_str()), Some(&name)).await;
    }
}
