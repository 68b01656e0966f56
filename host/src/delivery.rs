//! The types of deliveries: emails, events and Security Event Tokens.

pub use insomnia_scim_contract::{Delivery, DeliveryQueue};
