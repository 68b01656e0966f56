//! Who got no seat.

use serde::Serialize;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// Somebody whom the identity provider wanted to give a seat, and for whom none was free. Times are milliseconds since the
/// Unix epoch.
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
    /// The id of the member, if it was a deactivated one who should be active again.
    pub member: Option<String>,
    /// When it was refused first.
    pub since: u64,
    /// When it was refused last.
    pub last: u64,
    /// How often it was refused.
    pub refusals: u32,
    /// The id of the request that was refused last, by which the log finds it.
    #[cfg_attr(feature = "host", component(name = "request-id"))]
    pub request_id: String,
}

/// Who has no seat at this moment and was refused one. Nobody stays here who has a seat, was deleted, or is not wanted any
/// more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct WithoutSeat {
    /// Who was refused last comes first. At most 1,000.
    pub people: Vec<PersonWithoutSeat>,
    /// Whether as many are kept as can be: then there may be more, which the log has.
    #[cfg_attr(feature = "host", component(name = "is-full"))]
    pub is_full: bool,
}
