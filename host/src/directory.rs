//! The types of what the backend tells about an organization, and of its members, teams and licences.

pub use insomnia_scim_contract::{
    Domain, Licences, Listed, Listing, MarkedMembers, Member, NewMember, Options, OrganizationRecord, Origin, Plan,
    Requirement, Role, SignedIn, Team,
};
