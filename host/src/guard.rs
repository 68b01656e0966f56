//! The types of the mass-deprovisioning guard and of the preview.

pub use insomnia_scim_contract::{
    Decision, Guard, GuardStatus, HeldCounts, HeldMember, HeldPage, HeldRemoval, Preview, PreviewOutcome,
    PreviewedUser, Removal,
};
