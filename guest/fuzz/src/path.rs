//! Paths: of PATCH operations, of `sortBy`, of `attributes`. No projection shows what is never returned.

use insomnia_scim_guest::protocol::patch::PatchPath;
use insomnia_scim_guest::protocol::path::AttributePath;
use insomnia_scim_guest::protocol::projection::Projection;
use insomnia_scim_guest::protocol::sort::Sort;

use super::samples::{MODES, group, schema, shown_user};

/// Checks one text.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for (name, resource) in [("User", shown_user()), ("Group", group())] {
        let schema = schema(name);
        let _ = AttributePath::resolve(&schema, text);
        for mode in MODES {
            if let Err(error) = PatchPath::parse(&schema, text, mode) {
                assert_eq!(error.status, 400, "{text}: {error}");
            }
            match Sort::parse(&schema, text, Some("descending")) {
                Ok(sort) => drop(sort.key(&resource)),
                Err(error) => assert_eq!(error.status, 400, "{text}: {error}"),
            }
            for (attributes, excluded) in [(Some(text), None), (None, Some(text)), (Some(text), Some("userName"))] {
                let read = Projection::from_names(names(attributes), names(excluded), mode);
                let Ok(projection) = read.map(|projection| projection.plan(&schema)) else { continue };
                let shown = projection.apply(resource.clone());
                assert!(!shown.contains_key("password"), "{attributes:?} {excluded:?}");
                assert_eq!(shown.get("id"), resource.get("id"), "{attributes:?} {excluded:?}");
                assert!(shown.contains_key("schemas"), "{attributes:?} {excluded:?}");
                assert_eq!(projection.apply(shown.clone()), shown, "{attributes:?} {excluded:?}");
            }
        }
    }
}

fn names(list: Option<&str>) -> impl Iterator<Item = &str> {
    list.unwrap_or_default().split(',')
}
