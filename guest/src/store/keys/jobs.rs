//! Keys of the background jobs: their leases and their progress.

use crate::capability::{Key, KeyRange};

/// The name of the job that deletes what is too old.
pub const RETENTION: &str = "retention";

keys! {
    /// The lease of the host that delivers now, or the pause after failures: [`crate::store::LeaseRecord`].
    pub fn lease(name: &str) -> Key = "lease/{name}";
    /// The progress of a job.
    pub fn job(name: &str) -> Key = "job/{name}";
    /// An erasure of a person that is in progress: [`crate::store::ErasureRecord`].
    pub fn erasure(id: &str) -> Key = "erasure/{id}";
    /// All erasures that are in progress.
    pub fn erasures() -> KeyRange = "erasure/";
}
