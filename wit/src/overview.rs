//! The organization at a glance.

#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{ConnectorStatus, Licences, Member, Organization, RefreshStatus, Requirement, Webhook};

/// What a first view of the organization shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Overview {
    /// The organization as it was last put; `None` before that.
    pub organization: Option<Organization>,
    /// The actor, if it is a member, or the owner for whom somebody acts.
    pub member: Option<Member>,
    /// The requirements that do not hold for the actor.
    #[cfg_attr(feature = "host", component(name = "unmet-requirements"))]
    pub unmet_requirements: Vec<Requirement>,
    /// Seats and who takes them.
    pub licences: Licences,
    /// The connector.
    pub connector: ConnectorStatus,
    /// The automatic refresh.
    pub refresh: RefreshStatus,
    /// Since when the guard holds removals and the owners know.
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
    /// A receiver of SCIM events takes no tokens, refuses some, or has not asked for what has waited for three days.
    #[cfg_attr(feature = "host", component(name = "streams-failing"))]
    pub streams_failing: bool,
    /// When the first secret of an OAuth client of the organization's own expires, in milliseconds since the Unix epoch, if 20
    /// days or less are left, or it has expired already; `None` otherwise, and while SCIM is disabled.
    #[cfg_attr(feature = "host", component(name = "client-secret-expires"))]
    pub client_secret_expires: Option<u64>,
    /// The newest entries of the log, each a JSON object.
    pub log: Vec<String>,
}
