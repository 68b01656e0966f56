//! What the backend tells about the organization, and what it asks about members, teams and licences.

mod error;
mod guard;
mod listing;
mod members;
mod organization;
mod passphrases;
mod preview;
mod retention;
mod schemas;
mod teams;

pub use error::DirectoryError;
pub use guard::{decide_held, set_guard};
pub use listing::{Listing, MemberPage, TeamPage, list_members, list_teams};
pub use members::{
    Member, NewMember, add_member, get_member, remove_member, set_passphrase, set_role, verify_passphrase,
};
pub use organization::{Licences, get_licences, put_organization, set_page_url};
pub use passphrases::{
    SignedIn, change_passphrase, request_passphrase_reset, reset_passphrase, sign_in, sign_in_where_known,
};
pub use preview::{Outcome, Preview, PreviewedUser, preview};
pub use retention::set_retention;
pub use schemas::{get_schemas, put_schemas};
pub use teams::{Team, add_team};
