//! The people who got no seat.

use serde::Serialize;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// A person for whom the identity provider wanted a seat when none was free. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PersonWithoutSeat {
    /// SCIM `userName`.
    #[cfg_attr(feature = "host", component(name = "user-name"))]
    pub user_name: String,
    /// The email address; empty if there is none.
    pub email: String,
    /// The name.
    #[cfg_attr(feature = "host", component(name = "display-name"))]
    pub display_name: String,
    /// The id of the member, if it is a deactivated member who should be active again.
    pub member: Option<String>,
    /// When the person was first refused.
    pub since: u64,
    /// When the person was last refused.
    pub last: u64,
    /// How often the person was refused.
    pub refusals: u32,
    /// The id of the last refused request. The log finds it by this id.
    #[cfg_attr(feature = "host", component(name = "request-id"))]
    pub request_id: String,
}

/// The people who were refused a seat and have none at this moment. A person leaves this list by getting a seat, by being
/// deleted, or when the identity provider no longer wants the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct WithoutSeat {
    /// At most 1,000 people. The person who was refused last comes first.
    pub people: Vec<PersonWithoutSeat>,
    /// Whether the list is full. Then the log may name more people.
    #[cfg_attr(feature = "host", component(name = "is-full"))]
    pub is_full: bool,
}
