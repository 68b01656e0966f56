//! The version of a resource, in the form in which clients see it.

/// The ETag of a version (RFC 7644 §3.14). It is weak: two representations of one version may differ in the order of
/// attributes.
#[must_use]
pub fn etag(version: u64) -> String {
    format!("W/\"{version:x}\"")
}
