//! The types of the mass-deprovisioning guard and of the preview.

pub use insomnia_scim_contract::{
    Decision, Guard, GuardStatus, HeldRemoval, Preview, PreviewOutcome, PreviewedUser, Removal,
};
