//! The interface to which a request belongs, by its path.

use super::health::{LIVE, READY};

/// The paths of the interfaces, and their names.
const FACES: [(&str, &str); 6] = [
    ("/scim", "scim"),
    ("/api", "api"),
    ("/oauth", "oauth"),
    ("/organizations", "page"),
    (LIVE, "health"),
    (READY, "health"),
];

/// The interface to which a path belongs. Receivers of SCIM events have their own, because their requests may wait for
/// half a minute.
pub(super) fn face(path: &str) -> &'static str {
    if path.starts_with("/scim/") && path.split('/').nth(4) == Some("streams") {
        return "streams";
    }
    FACES.iter().find(|(root, _)| is_below(root, path)).map_or("other", |(_, face)| face)
}

/// Whether a path is this one, or one below it.
pub(super) fn is_below(root: &str, path: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_face() {
        assert_eq!(face("/scim/v2/acme/Users"), "scim");
        assert_eq!(face("/scim"), "scim");
        assert_eq!(face("/scim/v2/acme/streams/1/poll"), "streams");
        assert_eq!(face("/scimitar"), "other");
        assert_eq!(face("/organizations/acme/scim"), "page");
        assert_eq!(face("/readyz"), "health");
        assert_eq!(face("/"), "other");
    }
}
