//! Components besides the one that the host was started with: they are stored, examined, and tried as a canary.

use std::sync::Arc;

use super::Provisioner;
use crate::capability::storage::StorageError;
use crate::component::{CallError, ComponentError, Unusable};
use crate::registry::{Canary, ComponentBookError, ComponentId, MAX_COMPONENT, StoredComponent};

/// Why a component was not stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentsError {
    /// It does not compile, imports something that the host does not offer, or does not fit the world. The text says which.
    #[error(transparent)]
    Component(Arc<ComponentError>),
    /// It compiles, but gives a wrong answer to a first call. The text says how.
    #[error("{0}")]
    Examined(String),
    /// There is no memory, or no turn, to examine it.
    #[error("there is no room to examine the component at the moment")]
    Busy,
    /// It can't be stored.
    #[error(transparent)]
    Book(#[from] ComponentBookError),
}

impl From<Unusable> for ComponentsError {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Component(error) => Self::Component(error),
            Unusable::Silent(CallError::Busy) => Self::Busy,
            Unusable::Silent(_) | Unusable::LetsStrangersIn => Self::Examined(unusable.to_string()),
        }
    }
}

impl Provisioner {
    /// Examines a component and stores it, so that organizations can be pinned to it. The component must compile, import
    /// nothing but what the host offers, fit the world `insomnia:scim/provisioner`, and answer a call. Its id is the SHA-256
    /// of its bytes. A component that is stored already is examined again, and stays.
    ///
    /// # Errors
    /// [`ComponentsError`] says what is wrong with it.
    pub async fn add_component(&self, name: &str, wasm: Vec<u8>) -> Result<StoredComponent, ComponentsError> {
        if wasm.len() > MAX_COMPONENT {
            return Err(ComponentBookError::TooLarge.into());
        }
        self.runtime().examine(name, wasm.clone()).await?;
        let stored = self.runtime().components().add(name, &wasm, self.clock().now()).await?;
        tracing::info!(component = %stored.id, name = stored.name, "a component is stored");
        Ok(stored)
    }

    /// All stored components, in the order of their ids.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn components(&self) -> Result<Vec<StoredComponent>, StorageError> {
        self.runtime().components().list().await
    }

    /// Removes a component that neither an organization nor the canary runs.
    ///
    /// # Errors
    /// [`ComponentBookError::InUse`] says who runs it.
    pub async fn remove_component(&self, id: &ComponentId) -> Result<(), ComponentBookError> {
        self.runtime().components().remove(id).await
    }

    /// The canary, also if it was rolled back; `None` if there is none.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn canary(&self) -> Result<Option<Canary>, StorageError> {
        self.runtime().components().canary().await
    }

    /// Runs a stored component as a canary, in this percentage of the organizations that are not pinned. It replaces an
    /// earlier canary. It is rolled back automatically if a larger share of its calls fails than of the other organizations'
    /// calls. A call fails by a trap, by a limit, or by an answer of 500. All servers follow within two seconds.
    ///
    /// # Errors
    /// [`ComponentBookError::Percent`], or [`ComponentBookError::Unknown`] if the component is not stored.
    pub async fn begin_canary(&self, component: ComponentId, percent: u8) -> Result<Canary, ComponentBookError> {
        let canary = self.runtime().components().begin_canary(component, percent, self.clock().now()).await?;
        self.runtime().reassign_all();
        tracing::info!(%component, percent, "a canary has begun");
        Ok(canary)
    }

    /// Ends the canary and forgets it: its organizations run the host's component again.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn end_canary(&self) -> Result<(), StorageError> {
        self.runtime().components().end_canary().await?;
        self.runtime().reassign_all();
        tracing::info!("the canary has ended");
        Ok(())
    }
}
