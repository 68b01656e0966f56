//! The types of an organization's data, and of its members, teams and licences.

pub use insomnia_scim_contract::{
    Census, DescribedMember, DescribedTeam, Domain, Found, ImportOutcome, ImportedMember, Licences, Listed, Listing,
    Mark, MarkedMembers, Member, MemberQuery, NewMember, Options, OrganizationRecord, Origin, PersonWithoutSeat, Plan,
    Requirement, Role, SignedIn, Team, TeamQuery, WithoutSeat, occurs_as_word,
};
