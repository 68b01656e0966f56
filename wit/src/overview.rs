//! The organization at a glance.

#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{ConnectorStatus, Licences, Member, Organization, RefreshStatus, Requirement, Webhook};

/// The content of a first view of the organization.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Overview {
    /// The organization's data as last put; `None` before that.
    pub organization: Option<Organization>,
    /// The actor if it is a member, or the owner if somebody acts for the owner.
    pub member: Option<Member>,
    /// The requirements that are not met for the actor.
    #[cfg_attr(feature = "host", component(name = "unmet-requirements"))]
    pub unmet_requirements: Vec<Requirement>,
    /// How many seats there are, and how many are taken.
    pub licences: Licences,
    /// The connector.
    pub connector: ConnectorStatus,
    /// The automatic refresh.
    pub refresh: RefreshStatus,
    /// Since when the guard holds removals and owners know about it.
    #[cfg_attr(feature = "host", component(name = "holding-since"))]
    pub holding_since: Option<u64>,
    /// The webhook.
    pub webhook: Option<Webhook>,
    /// Whether an email is parked.
    #[cfg_attr(feature = "host", component(name = "emails-parked"))]
    pub emails_parked: bool,
    /// Whether an event is parked.
    #[cfg_attr(feature = "host", component(name = "events-parked"))]
    pub events_parked: bool,
    /// Whether a receiver of SCIM events accepts no tokens, refuses some, or has not polled for three days while tokens
    /// waited.
    #[cfg_attr(feature = "host", component(name = "streams-failing"))]
    pub streams_failing: bool,
    /// When the next secret of the organization's own OAuth clients expires, in milliseconds since the Unix epoch, if 20 days
    /// or less are left or it has expired already. `None` otherwise, and while SCIM is disabled.
    #[cfg_attr(feature = "host", component(name = "client-secret-expires"))]
    pub client_secret_expires: Option<u64>,
    /// The newest entries of the log. Each is a JSON object.
    pub log: Vec<String>,
}
