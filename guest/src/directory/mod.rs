//! What the backend tells about the organization, and what it asks about members, teams and licences.

mod error;
mod listing;
mod members;
mod organization;
mod schemas;
mod teams;

pub use error::DirectoryError;
pub use listing::{Listing, MemberPage, TeamPage, list_members, list_teams};
pub use members::{
    Member, NewMember, add_member, get_member, remove_member, set_passphrase, set_role, verify_passphrase,
};
pub use organization::{Licences, get_licences, put_organization};
pub use schemas::{get_schemas, put_schemas};
pub use teams::{Team, add_team};
