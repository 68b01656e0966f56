//! The types of emails and events on their way.

pub use insomnia_scim_contract::{Delivery, DeliveryQueue};
