//! The OpenAPI document: it is complete, and it describes what the routes do.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use insomnia_scim_tests::client::Request;
use serde_json::{Map, Value, json};

use crate::api::caller::{answer, nobody, operator, problem};

const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// The document, as the shared server serves it.
pub(super) fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| answer(&nobody().get("/openapi.json"), 200))
}

fn paths() -> &'static Map<String, Value> {
    document()["paths"].as_object().expect("paths")
}

/// All operations: path, method, operation.
fn operations() -> Vec<(&'static str, &'static str, &'static Value)> {
    let of = |(path, item): (&'static String, &'static Value)| {
        let methods = item.as_object().expect("a path item").iter();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    };
    paths().iter().flat_map(of).collect()
}

/// What a reference within the document points to.
#[track_caller]
fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} is elsewhere"));
            document().pointer(pointer).unwrap_or_else(|| panic!("{reference} points to nothing"))
        }
        None => value,
    }
}

#[test]
fn the_document_is_served_to_everybody() {
    let found = document();
    assert!(found["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")), "{}", found["openapi"]);
    assert_eq!(found["info"]["version"], json!(env!("CARGO_PKG_VERSION")));
    assert_eq!(found["components"]["securitySchemes"]["apiKey"]["scheme"], json!("bearer"));
    assert!(operations().len() >= 45, "{}", operations().len());
}

#[test]
fn every_operation_says_what_it_does_takes_and_answers() {
    let mut names = BTreeSet::new();
    let text = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
    for (path, method, operation) in operations() {
        let named = format!("{method} {path}");
        assert!(text(&operation["summary"]), "{named} has no summary");
        let id = operation["operationId"].as_str().expect("an operation id");
        assert!(names.insert(id), "{id} is twice");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(text(&parameter["description"]), "{named}: {parameter}");
            assert!(parameter["schema"].is_object(), "{named}: {parameter}");
        }
        for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let parameters = operation["parameters"].as_array().expect("parameters");
            assert!(parameters.iter().any(|known| known["in"] == "path" && known["name"] == part), "{named}: {part}");
        }
        let public = path.ends_with("/openapi.json");
        // Which scope of the key it needs.
        let scope = operation["security"][0]["apiKey"][0].as_str().unwrap_or_default();
        assert_eq!(operation["security"], if public { json!([]) } else { json!([{"apiKey": [scope]}]) }, "{named}");
        let (resource, access) = scope.split_once(':').unwrap_or_default();
        assert!(public || !resource.is_empty() && ["read", "write"].contains(&access), "{named}: {scope}");
        assert!(public || operation["description"].as_str().is_some_and(|text| text.contains(scope)), "{named}");
        let responses = operation["responses"].as_object().expect("responses");
        assert_eq!(responses.keys().filter(|status| status.starts_with('2')).count(), 1, "{named}");
        for (status, response) in responses {
            let response = resolve(response);
            assert!(text(&response["description"]), "{named} {status}");
            assert!(response["headers"]["X-Request-Id"].is_object(), "{named} {status}");
            if status != "204" {
                let media =
                    response["content"].as_object().unwrap_or_else(|| panic!("{named} {status} has no content"));
                assert!(media.values().all(|media| media["schema"].is_object()), "{named} {status}");
                let refuses = status.starts_with(['4', '5']);
                assert_eq!(media.contains_key("application/problem+json"), refuses, "{named} {status}");
            }
        }
        for status in ["401", "403", "429", "500", "503"] {
            assert!(public || responses.contains_key(status), "{named} has no {status}");
        }
    }
}

#[test]
fn every_schema_and_every_property_has_a_description() {
    fn check(place: &str, schema: &Value) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let described = |schema: &Value| schema["description"].is_string();
            let one_of = property["oneOf"].as_array().is_some_and(|ones| ones.iter().any(described));
            // The tag of a variant: its one value says it all.
            let tag = property["enum"].as_array().is_some_and(|values| values.len() == 1);
            assert!(described(property) || one_of || tag, "{place}.{name} has no description");
            check(&format!("{place}.{name}"), property);
        }
        for key in ["oneOf", "allOf", "anyOf"] {
            schema[key].as_array().into_iter().flatten().for_each(|schema| check(place, schema));
        }
    }
    for (name, schema) in document()["components"]["schemas"].as_object().expect("schemas") {
        assert!(schema["description"].is_string(), "{name} has no description");
        check(name, schema);
    }
    let text = document().to_string();
    assert!(!text.contains("[`") && !text.contains("`None`") && !text.contains("`Some"), "Rust in a description");
}

#[test]
fn all_references_point_to_something() {
    fn walk(value: &'static Value) {
        match value {
            Value::Object(fields) => {
                resolve(value);
                fields.values().for_each(walk);
            }
            Value::Array(values) => values.iter().for_each(walk),
            _ => {}
        }
    }
    walk(document());
}

/// The path with something for each parameter, below `/api/v1`.
fn concrete(path: &str) -> String {
    let path = path.strip_prefix("/api/v1").expect("a path of the API");
    let part = |part: &str| if part.starts_with('{') { "x".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn the_routes_are_those_of_the_document() {
    let client = operator();
    for (path, item) in paths() {
        let documented: BTreeSet<String> = item.as_object().expect("a path item").keys().cloned().collect();
        let response = client.send(&Request::new("TRACE", &concrete(path)));
        problem(&response, 405, "method-not-allowed");
        let allowed = response.header("allow").expect("Allow").split(',').map(|method| method.trim().to_lowercase());
        let served: BTreeSet<String> = allowed.filter(|method| method != "head").collect();
        assert_eq!(served, documented, "{path}");
        for method in METHODS.iter().filter(|method| !documented.contains(**method)) {
            problem(&client.send(&Request::new(&method.to_uppercase(), &concrete(path))), 405, "method-not-allowed");
        }
        for method in &documented {
            let response = nobody().send(&Request::new(&method.to_uppercase(), &concrete(path)));
            assert!(![404, 405].contains(&response.status), "{response}");
        }
    }
}

/// The other direction of the test above: a handler that is written and not in the document would not be served either,
/// since routes are only added together with their description.
#[test]
fn no_route_is_added_past_the_document() {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/src/api");
    let (mut operations_written, mut routes, mut read) = (0, 0, 0);
    for file in std::fs::read_dir(source).expect("the API's source").flatten() {
        let text = std::fs::read_to_string(file.path()).expect("a source file");
        routes += text.matches(".route(").count() + text.matches("route_service(").count();
        operations_written += text.matches("#[utoipa::path(").count();
        read += 1;
    }
    assert!(read > 10);
    // The one that says that there is nothing at `/api/v1/`.
    assert_eq!(routes, 1);
    assert_eq!(operations_written, operations().len());
}
