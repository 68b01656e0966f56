//! The log of SCIM requests (rule P5), events (rule P6), and the audit trail.
//!
//! | question | file |
//! |---|---|
//! | what does an entry of the log hold? | `entry` |
//! | which secrets are left out of it? | `redaction` |
//! | how is it written, and how many entries may unknown callers cause? | `keep` |
//! | how is it searched? | `search` |
//! | who receives events? | `events`, `webhook` |
//! | what does the audit trail hold? | `audit` |
//! | which asynchronous requests are stored? | `requests` |

mod audit;
mod entry;
mod events;
mod keep;
mod redaction;
mod requests;
mod search;
#[cfg(test)]
mod tests;
mod webhook;

pub use audit::{record_act, search_audit};
pub use entry::{Entry, Note, Standing, Subject};
pub use events::{acknowledge_events, list_events, note_subscriber, take_events};
pub use insomnia_scim_contract::{LogPage, LogQuery};
pub use keep::{keep, keep_with_change};
pub use requests::list_requests;
pub use search::{SearchError, search};
pub(crate) use webhook::BOTH_SIGN;
pub use webhook::{WebhookError, get_webhook, remove_webhook, set_webhook};
