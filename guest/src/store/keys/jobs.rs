//! Keys of the jobs: who does one now, and how far it has come.

use crate::capability::{Key, KeyRange};

/// The name of the job that deletes what is too old.
pub const RETENTION: &str = "retention";

keys! {
    /// Who delivers now, and the pause after failures: [`crate::store::LeaseRecord`].
    pub fn lease(name: &str) -> Key = "lease/{name}";
    /// How far a job has come.
    pub fn job(name: &str) -> Key = "job/{name}";
    /// The erasure of a person that is under way: [`crate::store::ErasureRecord`].
    pub fn erasure(id: &str) -> Key = "erasure/{id}";
    /// All erasures that are under way.
    pub fn erasures() -> KeyRange = "erasure/";
}
