//! The schemas of the discovery endpoints' own resources (RFC 7643 §5–7, RFC 9865 §4, RFC 9967 §4, RFC 7643 §8.7.2).

use super::attribute::Attribute;
use super::builder::{boolean, complex, integer, reference, schema, string};
use super::table::Schema;
use super::{RESOURCE_TYPE, SCHEMA, SERVICE_PROVIDER_CONFIG};

pub(super) fn service_provider_config() -> Schema {
    let supported = || boolean("supported", "Whether the operation is supported.").required();
    let bulk = [
        supported(),
        integer("maxOperations", "The maximum number of operations.").required(),
        integer("maxPayloadSize", "The maximum payload size in bytes.").required(),
    ];
    let filter = [supported(), integer("maxResults", "The maximum number of resources in a response.").required()];
    let pagination = [
        boolean("cursor", "Whether pages can be asked for by cursor.").required(),
        boolean("index", "Whether pages can be asked for by index.").required(),
        string("defaultPaginationMethod", "The method if the client names none.").suggest(&["cursor", "index"]),
        integer("defaultPageSize", "The number of results in a page if the client names none."),
        integer("maxPageSize", "The maximum number of results in a page."),
        integer("cursorTimeout", "For how many seconds a cursor is valid."),
    ];
    let scheme = [
        string("type", "The authentication scheme.")
            .suggest(&["oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"])
            .required(),
        string("name", "The common name of the scheme.").required(),
        string("description", "A description of the scheme.").required(),
        reference("specUri", &["external"], "The scheme's specification."),
        reference("documentationUri", &["external"], "How to use the scheme."),
        boolean("primary", "Whether this is the preferred scheme."),
    ];
    let security_events = [
        string("asyncRequest", "Whether requests are served asynchronously.").suggest(&["none", "long", "request"]),
        string("eventUris", "The URIs of the events that receivers can be told.").case_exact().many(),
    ];
    let attributes = [
        reference("documentationUri", &["external"], "The service provider's documentation for people."),
        complex("patch", "PATCH.", [supported()]).required(),
        complex("bulk", "Bulk operations.", bulk).required(),
        complex("filter", "Filters.", filter).required(),
        complex("changePassword", "Changing a password.", [supported()]).required(),
        complex("sort", "Sorting.", [supported()]).required(),
        complex("etag", "Resource versions.", [supported()]).required(),
        complex("pagination", "Pagination.", pagination),
        complex("authenticationSchemes", "Supported authentication schemes.", scheme).many().required(),
        complex("securityEvents", "Security events.", security_events),
    ];
    let name = "ServiceProviderConfig";
    schema(SERVICE_PROVIDER_CONFIG, name, "What the service provider supports", attributes.map(Attribute::read_only))
}

pub(super) fn resource_type() -> Schema {
    let extension = [
        reference("schema", &["uri"], "The URI of the extension's schema.").required(),
        boolean("required", "Whether every resource of the type must have the extension.").required(),
    ];
    let attributes = [
        string("name", "The resource type's name.").case_exact().required(),
        string("description", "A description for people."),
        reference("endpoint", &["uri"], "The endpoint, relative to the base URL.").required(),
        reference("schema", &["uri"], "The URI of the core schema.").required(),
        complex("schemaExtensions", "The extensions of the resource type.", extension).many(),
    ];
    schema(RESOURCE_TYPE, "ResourceType", "A resource type", attributes.map(Attribute::read_only))
}

pub(super) fn schema_schema() -> Schema {
    let sub_attributes = complex("subAttributes", "The attributes of a complex attribute.", characteristics()).many();
    let described = characteristics().into_iter().chain([sub_attributes]).collect::<Vec<_>>();
    let attributes = [
        string("name", "The schema's name, for people.").required(),
        string("description", "A description for people."),
        complex("attributes", "The schema's attributes.", described).many().required(),
    ];
    schema(SCHEMA, "Schema", "A schema", attributes.map(Attribute::read_only))
}

fn characteristics() -> [Attribute; 11] {
    [
        string("name", "The attribute's name.").case_exact().required(),
        string("type", "What values the attribute has.")
            .suggest(&["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"])
            .case_exact()
            .required(),
        boolean("multiValued", "Whether the attribute has a list of values.").required(),
        string("description", "A description for people.").case_exact(),
        boolean("required", "Whether a resource must have the attribute.").required(),
        string("canonicalValues", "Suggested values.").case_exact().many(),
        boolean("caseExact", "Whether strings are compared with case."),
        string("mutability", "Who may change the attribute, and when.")
            .suggest(&["readOnly", "readWrite", "immutable", "writeOnly"])
            .case_exact()
            .required(),
        string("returned", "When the attribute is part of a response.")
            .suggest(&["always", "never", "default", "request"])
            .case_exact()
            .required(),
        string("uniqueness", "Among which resources a value is unique.")
            .suggest(&["none", "server", "global"])
            .case_exact(),
        string("referenceTypes", "What a reference refers to.").case_exact().many(),
    ]
}
