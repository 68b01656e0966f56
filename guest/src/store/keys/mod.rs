//! The key layout, version 1. Every key of an organization is made here and nowhere else.
//!
//! | keys | file |
//! |---|---|
//! | `organization`, `settings`, `declared`, `resource/…` | `organization` |
//! | `connector…`, `setup-links`, `cursor-key`, `idp-api`, `refresh` | `connector` |
//! | `oauth-…` | `oauth` |
//! | `user/…`, `user-touch/…`, `user-listed/…`, `user-name/…`, `user-external/…`, `count/users…`, and the same keys of `team` | `kind` |
//! | other keys of `user…`; `administrator/…`, `without-seat/…`, `count/seats…`, `count/owners`, `count/no-address`, `count/foreign` | `members` |
//! | other keys of `team…`; `member-team/…`, `count/team/…` | `teams` |
//! | `guard…` | `guard` |
//! | `log…` | `log` |
//! | `event…`, `audit/…`, `webhook` | `events` |
//! | `stream…`, `set…`, `signing-keys` | `streams` |
//! | `accepted…`, `count/accepted…` | `accepted` |
//! | `outbox…` | `outbox` |
//! | `lease/…`, `job/…`, `erasure/…` | `jobs` |
//! | the form of ids, times and names in a key | `parts` |
//!
//! The value of a record is JSON. Numbers and times are decimal text; times are milliseconds since the Unix epoch. A
//! job chooses the form of its own value. In a key a time is 16 hexadecimal digits, or the beginning of a UUID of
//! version 7. If several records can have the same value, such as an `externalId`, each has a key that ends with a NUL
//! byte (␀) and the record's id.

/// Generates functions that make keys. Each line has the name, the parameters, and the layout of the key. A range holds
/// all keys with that beginning.
macro_rules! keys {
    ($($(#[$doc:meta])* pub fn $name:ident($($part:ident: $type:ty),*) -> $made:ident = $layout:literal;)+) => {$(
        $(#[$doc])*
        pub fn $name($($part: $type),*) -> $made {
            keys!(@$made format!($layout))
        }
    )+};
    (@Key $text:expr) => { $text.into_bytes() };
    (@KeyRange $text:expr) => { super::parts::below($text.into_bytes()) };
}

mod accepted;
mod connector;
mod events;
mod guard;
mod jobs;
mod kind;
mod log;
mod members;
mod oauth;
mod organization;
mod outbox;
mod parts;
mod streams;
mod teams;

pub use accepted::*;
pub use connector::*;
pub use events::*;
pub use guard::*;
pub use jobs::*;
pub use kind::*;
pub use log::*;
pub use members::*;
pub use oauth::*;
pub use organization::*;
pub use outbox::*;
#[cfg(test)]
pub(crate) use parts::prefixed;
pub use parts::{ID, INDEXED_PREFIX, fold, id_in, id_of, is_id, is_position, position_of, time_of, time_of_id};
pub use streams::*;
pub use teams::*;
