//! The state that all handlers of the page share.

use std::sync::Arc;

use super::kept_proofs::KeptProofs;
use super::sessions::Sessions;
use super::step_up::StepUp;
use super::tries::Tries;
use crate::capability::storage::OrganizationId;
use crate::provisioner::Provisioner;
use crate::server::streams::Streams;
use crate::urls::{page_path, path_of};

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct PageState(Arc<Shared>);

pub(super) struct Shared {
    pub(super) provisioner: Provisioner,
    pub(super) sessions: Sessions,
    pub(super) step_up: Option<Arc<dyn StepUp>>,
    pub(super) tries: Tries,
    pub(super) kept_proofs: KeptProofs,
    pub(super) streams: Arc<Streams>,
    pub(super) stopping: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl std::ops::Deref for PageState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl PageState {
    pub(super) fn new(
        provisioner: Provisioner,
        sessions: Sessions,
        step_up: Option<Arc<dyn StepUp>>,
        stopping: Arc<dyn Fn() -> bool + Send + Sync>,
    ) -> Self {
        let (tries, kept_proofs, streams) = (Tries::default(), KeptProofs::default(), Arc::default());
        Self(Arc::new(Shared { provisioner, sessions, step_up, tries, kept_proofs, streams, stopping }))
    }

    pub(super) fn now(&self) -> u64 {
        self.provisioner.clock().now()
    }

    /// The path of the base URL, with which all links begin.
    pub(super) fn root(&self) -> &str {
        path_of(self.provisioner.base_url())
    }

    /// The path of an organization's page, as browsers see it.
    pub(super) fn home(&self, organization: &OrganizationId) -> String {
        format!("{}{}", self.root(), page_path(organization))
    }
}
