//! Keys of the mass-deprovisioning guard.

use crate::capability::{Key, KeyRange};

/// Recent removals: `provisioning::guard::GuardRecord`.
pub const GUARD: &[u8] = b"guard";

keys! {
    /// A removal that waits for an owner: `provisioning::guard::HeldRecord`.
    pub fn held(id: &str) -> Key = "guard-held/{id}";
    /// All removals that wait for an owner.
    pub fn all_held() -> KeyRange = "guard-held/";
}
