//! The schema table: the only definition of what resources look like (RFC 7643 §2, §6, §7).
//!
//! Validation, projection, PATCH, filters, `/Schemas` and `/ResourceTypes` all use it.

mod attribute;
mod builder;
mod builtin;
mod declared;
mod enterprise;
mod group;
mod insomnia;
mod service;
mod table;
mod user;

pub use attribute::{Attribute, AttributeType, Mutability, Returned, Uniqueness};
pub use table::{ResourceSchema, ResourceType, Schema, SchemaExtension, SchemaTable};

/// The core User schema (RFC 7643 §4.1).
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The core Group schema (RFC 7643 §4.2).
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The enterprise User extension (RFC 7643 §4.3).
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// Insomnia's User extension: `origin`, `role`, `licensed`, all read-only.
pub const INSOMNIA_USER: &str = "urn:insomnia:params:scim:schemas:extension:1.0:User";
/// The schema of `/ServiceProviderConfig` (RFC 7643 §5).
pub const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// The schema of the resources that `/ResourceTypes` lists (RFC 7643 §6).
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// The schema of the resources that `/Schemas` lists (RFC 7643 §7).
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
