//! Paths in a form for the log, which others may read.

use std::borrow::Cow;

/// The beginning of all tokens, keys and client secrets of this product.
const SECRET: &str = "insm_";
/// How many bytes of a path are logged.
const MOST: usize = 512;

/// The path without secrets, and not too long. Tokens and API keys that somebody has entered where a URL belongs are
/// removed, even if the underscore is percent-encoded.
pub(crate) fn loggable(path: &str) -> Cow<'_, str> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    // If the path hides a secret behind its encoding, the decoded path is logged without the secret.
    let path = if decoded.contains(SECRET) && !path.contains(SECRET) { decoded } else { Cow::Borrowed(path) };
    let path = if path.contains(SECRET) { Cow::Owned(without_secrets(&path)) } else { path };
    if path.len() <= MOST {
        return path;
    }
    Cow::Owned(format!("{}…", &path[..path.floor_char_boundary(MOST)]))
}

fn without_secrets(path: &str) -> String {
    let mut parts = path.split(SECRET);
    let mut safe = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        safe += SECRET;
        safe += "…";
        // A secret consists of letters, digits, underscores and hyphens.
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(part.len());
        safe += &part[end..];
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_path_is_not_logged() {
        for (path, expected) in [
            ("/Users/7", "/Users/7"),
            ("/insm_scim_abc/Users", "/insm_…/Users"),
            ("x:insm_scim_abc/insm_cs_d", "x:insm_…/insm_…"),
            ("/organizations/insm_api_abc", "/organizations/insm_…"),
            ("/insm_api_abc%20x", "/insm_…%20x"),
            ("/insm%5Fapi%5Fabc/x", "/insm_…/x"),
            ("/%69nsm_api_abc", "/insm_…"),
        ] {
            assert_eq!(loggable(path), expected, "{path}");
        }
    }

    #[test]
    fn a_long_path_is_cut_between_two_characters() {
        let long = format!("/{}", "é".repeat(1_000));
        let logged = loggable(&long);
        assert!(logged.len() <= MOST + "…".len() && logged.ends_with('…'), "{}", logged.len());
    }
}
