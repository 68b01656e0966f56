//! The bodies of `/ServiceProviderConfig`, `/Schemas` and `/ResourceTypes` (RFC 7644 §4, RFC 7643 §5–7, RFC 9865 §4, RFC 9967 §4).
//!
//! A base URL is the connector URL without a slash at its end.

use serde_json::{Map, Value, json};

use super::schema::{
    Attribute, AttributeType, Mutability, RESOURCE_TYPE, ResourceType, Returned, SCHEMA, SERVICE_PROVIDER_CONFIG,
    Schema, SchemaTable, Uniqueness,
};

/// The schema of a list (RFC 7644 §3.4.2).
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The most resources in a list or a page.
pub const MAX_RESULTS: u32 = 1_000;
/// How many resources are in a page if the client does not say.
pub const DEFAULT_PAGE_SIZE: u32 = 100;
/// For how many seconds a cursor is valid.
pub const CURSOR_TIMEOUT: u32 = 3_600;
/// The end of the URI of the event that reports the result of an asynchronous request (RFC 9967 §2.5.1).
pub const ASYNC_RESPONSE: &str = "misc:asyncresp";
/// The most operations in a bulk request.
pub const MAX_BULK_OPERATIONS: u32 = 1_000;
/// The most bytes in a bulk request.
pub const MAX_BULK_PAYLOAD: u32 = 8 * 1024 * 1024;

/// The body of `/ServiceProviderConfig` (RFC 7643 §5). `takes_basic`: the token is also accepted as the password of
/// HTTP Basic. `event_uris`: the events that the organization's streams carry (RFC 9967 §4); without any, the body does
/// not mention events. The body offers asynchronous requests only if a stream reports their results.
#[must_use]
pub fn service_provider_config(base_url: &str, takes_basic: bool, event_uris: &[String]) -> Value {
    let basic = json!({
        "type": "httpbasic",
        "name": "HTTP Basic",
        "description": "The connector's token as the password; any user name.",
        "specUri": "https://www.rfc-editor.org/info/rfc7617",
        "primary": false,
    });
    let mut body = json!({
        "schemas": [SERVICE_PROVIDER_CONFIG],
        "patch": { "supported": true },
        "bulk": { "supported": true, "maxOperations": MAX_BULK_OPERATIONS, "maxPayloadSize": MAX_BULK_PAYLOAD },
        "filter": { "supported": true, "maxResults": MAX_RESULTS },
        // A password is accepted and dropped: members sign in with Insomnia's own passphrases (T26).
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": DEFAULT_PAGE_SIZE,
            "maxPageSize": MAX_RESULTS,
            "cursorTimeout": CURSOR_TIMEOUT,
        },
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "The connector's token, in the Authorization header.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": true,
            },
            {
                "type": "oauth2",
                "name": "OAuth 2.0",
                "description": "An access token from the connector's own authorization server.",
                "specUri": "https://www.rfc-editor.org/info/rfc6749",
                "primary": false,
            },
        ],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base_url}/ServiceProviderConfig") },
    });
    if takes_basic && let Some(Value::Array(schemes)) = body.get_mut("authenticationSchemes") {
        schemes.push(basic);
    }
    if !event_uris.is_empty()
        && let Value::Object(body) = &mut body
    {
        let meta = body.shift_remove("meta");
        let is_asynchronous = event_uris.iter().any(|uri| uri.ends_with(ASYNC_RESPONSE));
        let requests = if is_asynchronous { "request" } else { "none" };
        body.insert("securityEvents".to_owned(), json!({ "asyncRequest": requests, "eventUris": event_uris }));
        body.extend(meta.map(|meta| ("meta".to_owned(), meta)));
    }
    body
}

/// The body of `/Schemas`.
#[must_use]
pub fn schemas(table: &SchemaTable, base_url: &str) -> Value {
    list(table.schemas().iter().map(|schema| schema_resource(table, schema, base_url)).collect())
}

/// The body of `/Schemas/{urn}`; `None` if there is no such schema.
#[must_use]
pub fn schema(table: &SchemaTable, urn: &str, base_url: &str) -> Option<Value> {
    table.schema(urn).map(|schema| schema_resource(table, schema, base_url))
}

/// The body of `/ResourceTypes`.
#[must_use]
pub fn resource_types(table: &SchemaTable, base_url: &str) -> Value {
    let resources = table.resource_types().iter().map(|found| resource_type_resource(found, base_url));
    list(resources.collect())
}

/// The body of `/ResourceTypes/{name}`; `None` if there is no such resource type.
#[must_use]
pub fn resource_type(table: &SchemaTable, name: &str, base_url: &str) -> Option<Value> {
    let found = table.resource_types().iter().find(|candidate| candidate.name == name)?;
    Some(resource_type_resource(found, base_url))
}

fn list(resources: Vec<Value>) -> Value {
    json!({
        "schemas": [LIST_RESPONSE],
        "totalResults": resources.len(),
        "startIndex": 1,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

fn resource_type_resource(resource_type: &ResourceType, base_url: &str) -> Value {
    let name = resource_type.name.as_str();
    let extensions = resource_type
        .extensions
        .iter()
        .map(|extension| json!({ "schema": extension.schema, "required": extension.required }));
    json!({
        "schemas": [RESOURCE_TYPE],
        "id": name,
        "name": name,
        "description": resource_type.description,
        "endpoint": resource_type.endpoint,
        "schema": resource_type.schema,
        "schemaExtensions": extensions.collect::<Vec<_>>(),
        "meta": { "resourceType": "ResourceType", "location": format!("{base_url}/ResourceTypes/{name}") },
    })
}

/// The core schema of a resource type also lists `externalId`: the attribute belongs to every core schema (RFC 7643
/// §3.1), and an identity provider only offers attributes for mapping that it finds in the schemas. The other common
/// attributes can't be mapped.
fn schema_resource(table: &SchemaTable, schema: &Schema, base_url: &str) -> Value {
    let is_core = table.resource_types().iter().any(|resource_type| resource_type.schema == schema.id);
    let external_id = table.common_attribute("externalId").filter(|_| is_core);
    let published = external_id.into_iter().chain(&schema.attributes).filter(|attribute| !attribute.dropped);
    json!({
        "schemas": [SCHEMA],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": published.map(attribute).collect::<Vec<_>>(),
        "meta": { "resourceType": "Schema", "location": format!("{base_url}/Schemas/{}", schema.id) },
    })
}

fn attribute(attribute: &Attribute) -> Value {
    let mut body = Map::new();
    body.insert("name".to_owned(), attribute.name.as_str().into());
    body.insert("type".to_owned(), kind(attribute.kind).into());
    body.insert("multiValued".to_owned(), attribute.multi_valued.into());
    body.insert("description".to_owned(), attribute.description.as_str().into());
    // `required` is the closest that RFC 7643 §7 has to "always has a value": it tells clients that the attribute can't
    // be removed.
    body.insert("required".to_owned(), (attribute.required || attribute.kept).into());
    body.insert("caseExact".to_owned(), attribute.case_exact.into());
    body.insert("mutability".to_owned(), mutability(attribute.mutability).into());
    body.insert("returned".to_owned(), returned(attribute.returned).into());
    if attribute.kind != AttributeType::Complex {
        // A complex value is not compared, so it can't be unique (erratum 6004).
        body.insert("uniqueness".to_owned(), uniqueness(attribute.uniqueness).into());
    }
    if !attribute.canonical_values.is_empty() {
        body.insert("canonicalValues".to_owned(), attribute.canonical_values.clone().into());
    }
    if !attribute.reference_types.is_empty() {
        body.insert("referenceTypes".to_owned(), attribute.reference_types.clone().into());
    }
    if !attribute.sub_attributes.is_empty() {
        body.insert(
            "subAttributes".to_owned(),
            attribute.sub_attributes.iter().map(self::attribute).collect::<Vec<_>>().into(),
        );
    }
    Value::Object(body)
}

fn kind(kind: AttributeType) -> &'static str {
    match kind {
        AttributeType::String => "string",
        AttributeType::Boolean => "boolean",
        AttributeType::Decimal => "decimal",
        AttributeType::Integer => "integer",
        AttributeType::DateTime => "dateTime",
        AttributeType::Binary => "binary",
        AttributeType::Reference => "reference",
        AttributeType::Complex => "complex",
    }
}

fn mutability(mutability: Mutability) -> &'static str {
    match mutability {
        Mutability::ReadOnly => "readOnly",
        Mutability::ReadWrite => "readWrite",
        Mutability::Immutable => "immutable",
        Mutability::WriteOnly => "writeOnly",
    }
}

fn returned(returned: Returned) -> &'static str {
    match returned {
        Returned::Always => "always",
        Returned::Never => "never",
        Returned::Default => "default",
        Returned::Request => "request",
    }
}

fn uniqueness(uniqueness: Uniqueness) -> &'static str {
    match uniqueness {
        Uniqueness::None => "none",
        Uniqueness::Server => "server",
        Uniqueness::Global => "global",
    }
}

#[cfg(test)]
mod tests;
