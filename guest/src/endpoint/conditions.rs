//! Conditional requests: `ETag`, `If-Match`, `If-None-Match` (RFC 7644 §3.14, RFC 9110 §13).

pub(super) use crate::protocol::version::etag;

/// Whether the header names this version, or every version with `*`. Versions are compared weakly, as is usual in SCIM.
pub(super) fn names(header: &str, version: u64) -> bool {
    let wanted = format!("{version:x}");
    header.trim() == "*" || header.split(',').any(|tag| opaque(tag) == wanted)
}

/// Whether `If-Match` allows a change of a resource of this version.
pub(super) fn allows(if_match: Option<&str>, version: u64) -> bool {
    if_match.is_none_or(|header| names(header, version))
}

fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").or_else(|| tag.strip_prefix("w/")).unwrap_or(tag);
    tag.trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_124_if_none_match_takes_lists_and_the_asterisk() {
        assert!(names("\"1\", W/\"ff\"", 255));
        assert!(names("*", 7));
        assert!(names("\"ff\"", 255));
        assert!(!names("W/\"fe\"", 255));
        assert!(!names("", 255));
    }

    #[test]
    fn rfc_125_without_if_match_every_version_may_change() {
        assert!(allows(None, 1));
        assert!(allows(Some("*"), 1));
        assert!(!allows(Some(&etag(2)), 1));
        assert!(allows(Some(&etag(1)), 1));
    }
}
