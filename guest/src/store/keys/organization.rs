//! Keys of the organization as a whole, and of the resource types that it declares.

use crate::capability::{Key, KeyRange};

/// The data that the backend sent about the organization: [`crate::store::OrganizationRecord`].
pub const ORGANIZATION: &[u8] = b"organization";
/// The settings that the component itself manages, unlike those of `put-organization`:
/// [`crate::store::SettingsRecord`].
pub const SETTINGS: &[u8] = b"settings";
/// The schemas and resource types that the organization declares: [`crate::store::DeclaredRecord`].
pub const DECLARED: &[u8] = b"declared";

keys! {
    /// A resource of a declared type: [`crate::store::ResourceRecord`].
    pub fn resource(resource_type: &str, id: &str) -> Key = "resource/{resource_type}/{id}";
    /// All resources of a declared type, in the order of creation.
    pub fn resources(resource_type: &str) -> KeyRange = "resource/{resource_type}/";
}
