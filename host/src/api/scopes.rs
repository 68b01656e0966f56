//! The scope of an API key that each operation needs. It is defined once, in the document, and read from there.

use std::collections::HashMap;

use axum::http::Method;
use serde_json::Value;

use super::PATH;
use crate::api_keys::{ApiAccess, ApiResource, ApiScope};

/// The name of the API key in the document. Operations require scopes under this name.
pub(super) const SCHEME: &str = "apiKey";

/// The scope that an operation needs: to read or to write the resource that its tag names. If its tag names no
/// resource, the operation needs the scope for everything.
pub(super) fn of_operation(path: &str, method: &str, tag: &str) -> ApiScope {
    match (method, path) {
        // The export contains all resources of the organization.
        ("get", "/organizations/{organization}/export") => ApiScope::read(ApiResource::All),
        // A component decides about all data of the organizations that run it.
        (method, _) if method != "get" && tag == "Components" => ApiScope::EVERYTHING,
        // A key that chooses ids could give another person the id of a removed member. A backend that identifies people
        // by their ids would take that person for the removed member.
        ("post", "/organizations/{organization}/imports") => ApiScope::EVERYTHING,
        // A preview changes nothing. It is a POST only because the users in its body are many.
        ("post", "/organizations/{organization}/preview") => ApiScope::read(ApiResource::Members),
        _ => {
            let access = if method == "get" { ApiAccess::Read } else { ApiAccess::Write };
            ApiResource::of_tag(tag).map_or(ApiScope::EVERYTHING, |resource| ApiScope { resource, access })
        }
    }
}

/// The scopes of all operations, by path below the API and method.
pub(super) struct Scopes(HashMap<(String, String), ApiScope>);

impl Scopes {
    /// Reads the scopes from the document.
    pub(super) fn of(document: &Value) -> Self {
        let mut scopes = HashMap::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let required = &operation["security"][0][SCHEME][0];
                let scope = required.as_str().and_then(|scope| scope.parse().ok());
                let path = path.strip_prefix(PATH).unwrap_or(path).to_owned();
                scopes.insert((path, method.to_ascii_uppercase()), scope.unwrap_or(ApiScope::EVERYTHING));
            }
        }
        Self(scopes)
    }

    /// The scope for a request whose path has matched this route. It is the one for everything if that is no operation.
    pub(super) fn needed(&self, method: &Method, matched: &str) -> ApiScope {
        // A backend may have mounted the API below a path of its own.
        let path = matched.rsplit_once(PATH).map_or(matched, |(_, path)| path);
        let method = if method == Method::HEAD { Method::GET } else { method.clone() };
        let needed = self.0.get(&(path.to_owned(), method.as_str().to_owned()));
        needed.copied().unwrap_or(ApiScope::EVERYTHING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{document, operations};

    fn scopes() -> (Value, Scopes) {
        let (_, described) = operations().split_for_parts();
        let document = document::complete(described, "https://scim.example.com");
        let scopes = Scopes::of(&document);
        (document, scopes)
    }

    fn needed(scopes: &Scopes, method: Method, path: &str) -> String {
        scopes.needed(&method, path).to_string()
    }

    #[test]
    fn every_operation_has_the_scope_of_its_tag() {
        let (document, scopes) = scopes();
        let mut resources: Vec<ApiResource> = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let tag = operation["tags"][0].as_str().unwrap();
                if tag == "Documentation" {
                    continue;
                }
                let resource = ApiResource::of_tag(tag).unwrap_or_else(|| panic!("{tag} is no resource of a scope"));
                resources.push(resource);
                let scope = scopes.needed(&method.to_uppercase().parse().unwrap(), path);
                let reads = method == "get" || path.ends_with("/preview");
                assert_eq!(scope.access == ApiAccess::Read, reads, "{method} {path}");
                if (tag == "Components" && !reads) || path.ends_with("/imports") {
                    assert_eq!(scope, ApiScope::EVERYTHING, "{method} {path}");
                } else if !path.ends_with("/organizations/{organization}/export") {
                    assert_eq!(scope.resource, resource, "{method} {path}");
                }
            }
        }
        resources.sort_unstable();
        resources.dedup();
        assert_eq!(resources, ApiResource::ALL[1..], "each resource has operations");
    }

    #[test]
    fn a_scope_is_looked_up_by_route_wherever_the_api_is_mounted() {
        let (_, scopes) = scopes();
        let role = "/organizations/{organization}/members/{member}/role";
        for path in [format!("/api/v1{role}"), format!("/insomnia/api/v1{role}"), format!("/api/v1/x/api/v1{role}")] {
            assert_eq!(needed(&scopes, Method::PUT, &path), "members:write");
        }
        let members = "/api/v1/organizations/{organization}/members";
        assert_eq!(needed(&scopes, Method::HEAD, members), "members:read");
        assert_eq!(needed(&scopes, Method::POST, "/api/v1/organizations/{organization}/imports"), "all:write");
        assert_eq!(needed(&scopes, Method::GET, "/api/v1/organizations/{organization}/export"), "all:read");
    }

    #[test]
    fn what_is_no_operation_needs_the_scope_for_everything() {
        let (_, scopes) = scopes();
        for path in ["", "/", "/api/v1", "/api/v1/nothing", "/api/v1/organizations/acme/members"] {
            assert_eq!(needed(&scopes, Method::GET, path), "all:write", "{path}");
        }
        assert_eq!(needed(&scopes, Method::TRACE, "/api/v1/fleet"), "all:write");
    }
}
