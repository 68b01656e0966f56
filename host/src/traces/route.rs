//! The path of a SCIM request with placeholders, so that requests of one kind have one name.

/// The possible path segments after the connector URL. Any other one is a resource type of the organization, or a
/// mistake.
const KNOWN: [&str; 8] =
    ["Users", "Groups", "Me", "Bulk", "Schemas", "ResourceTypes", "ServiceProviderConfig", ".search"];
/// How many segments of a path are named.
const MOST: usize = 6;

/// The path below `/scim`, with placeholders for organizations, resources and values.
pub(super) fn of_scim(path: &str) -> String {
    let Some(below) = path.strip_prefix("/scim/v2/") else { return "/scim".to_owned() };
    let mut route = "/scim/v2/{organization}".to_owned();
    for (place, part) in below.split('/').skip(1).take(MOST).enumerate() {
        route.push('/');
        route.push_str(match place {
            _ if part.is_empty() => "",
            0 => KNOWN.iter().find(|known| **known == part).copied().unwrap_or("{type}"),
            _ if part.eq_ignore_ascii_case(".search") => ".search",
            _ => "{id}",
        });
    }
    route
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_a_route_names_neither_an_organization_nor_a_resource() {
        for (path, expected) in [
            ("/scim/v2/acme/Users/2819c223", "/scim/v2/{organization}/Users/{id}"),
            ("/scim/v2/acme/Users/.search", "/scim/v2/{organization}/Users/.search"),
            ("/scim/v2/acme/.search", "/scim/v2/{organization}/.search"),
            ("/scim/v2/acme/ada@example.com/x", "/scim/v2/{organization}/{type}/{id}"),
            ("/scim/v2/acme", "/scim/v2/{organization}"),
            ("/scim/v2/acme/", "/scim/v2/{organization}/"),
            ("/scim/v1/acme/Users", "/scim"),
            ("/scim", "/scim"),
        ] {
            assert_eq!(of_scim(path), expected, "{path}");
        }
        assert!(of_scim(&format!("/scim/v2/acme{}", "/x".repeat(10_000))).len() < 100);
    }
}
