//! Conditional requests: `ETag`, `If-Match`, `If-None-Match` (RFC 7644 §3.14, RFC 9110 §13).

pub(super) use crate::protocol::version::etag;

/// Whether the header names this version, or every version with `*`. Versions are compared weakly, as is usual in SCIM.
pub(super) fn names(header: &str, version: u64) -> bool {
    let wanted = format!("{version:x}");
    header.trim() == "*" || header.split(',').any(|tag| opaque(tag) == wanted)
}

/// Whether `If-Match` and `If-None-Match` allow a change of a resource that clients have seen with these versions:
/// `If-Match` must name one of them, and `If-None-Match` none (RFC 9110 §13.1).
pub(super) fn allow(if_match: Option<&str>, if_none_match: Option<&str>, versions: &[u64]) -> bool {
    let names_any = |header: &str| versions.iter().any(|version| names(header, *version));
    if_match.is_none_or(names_any) && !if_none_match.is_some_and(names_any)
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
        assert!(allow(None, None, &[1]));
        assert!(allow(Some("*"), None, &[1]));
        assert!(!allow(Some(&etag(2)), None, &[1]));
        assert!(allow(Some(&etag(1)), None, &[1]));
        assert!(allow(Some(&etag(3)), None, &[1, 3]));
    }

    #[test]
    fn rfc_125_a_version_of_if_none_match_may_not_change() {
        assert!(!allow(None, Some("*"), &[1]));
        assert!(!allow(None, Some(&etag(3)), &[1, 3]));
        assert!(!allow(Some(&etag(1)), Some(&etag(1)), &[1]));
        assert!(allow(Some(&etag(1)), Some(&etag(2)), &[1]));
    }
}
