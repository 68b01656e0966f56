//! A SCIM request and its response.

pub use insomnia_scim_contract::{ScimRequest, ScimResponse};
