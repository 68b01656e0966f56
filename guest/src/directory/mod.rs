//! The backend's calls: it sends the organization's data, and asks for members, teams and licences.

mod decide;
mod describe;
mod error;
mod find;
mod guard;
mod import;
mod listing;
mod members;
mod named;
mod organization;
mod overview;
mod passphrases;
mod preview;
mod retention;
mod schemas;
mod teams;
#[cfg(test)]
mod tests;

pub use describe::{describe_member, describe_team};
pub use error::DirectoryError;
pub use find::{census, find_members, find_teams};
pub use guard::{decide_held, set_guard};
pub use import::import_members;
pub use insomnia_scim_contract::{Listing, Member, NewMember, PreviewOutcome, PreviewedUser};
pub use listing::{list_members, list_team_members, list_teams};
pub use members::{add_member, get_member, member, remove_member, set_passphrase, set_role, verify_passphrase};
pub use organization::{count_marked, get_licences, put_organization};
pub use overview::overview;
pub use passphrases::{change_passphrase, request_passphrase_reset, reset_passphrase, sign_in, sign_in_where_known};
pub use preview::preview;
pub use retention::set_retention;
pub use schemas::{SchemasError, get_schemas, put_schemas};
pub use teams::{add_team, change_team_members, get_team, remove_team};
