//! What happened: the log of SCIM requests (rule P5), and events (rule P6).
//!
//! | question | file |
//! |---|---|
//! | what does an entry of the log hold? | `entry` |
//! | what is left out of it because it is secret? | `redaction` |
//! | how is it written, and how many entries may strangers cause? | `keep` |
//! | how is it searched? | `search` |
//! | who takes events? | `events`, `webhook` |
//! | what does the audit trail hold? | `audit` |
//! | which asynchronous requests are kept? | `requests` |

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
