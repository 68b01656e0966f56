//! The built-in table: the schemas that every organization has, even if it declares none of its own.

use std::sync::LazyLock;

use super::attribute::Attribute;
use super::builder::{complex, date_time, reference, string};
use super::enterprise::enterprise_user;
use super::group::group;
use super::insomnia::insomnia_user;
use super::service::{resource_type, schema_schema, service_provider_config};
use super::table::{ResourceType, SchemaExtension, SchemaTable};
use super::user::user;
use super::{ENTERPRISE_USER, GROUP, INSOMNIA_USER, USER};

static BUILTIN: LazyLock<SchemaTable> = LazyLock::new(|| SchemaTable {
    common: common(),
    schemas: vec![
        user(),
        group(),
        enterprise_user(),
        insomnia_user(),
        service_provider_config(),
        resource_type(),
        schema_schema(),
    ],
    resource_types: vec![
        ResourceType {
            name: "User".to_owned(),
            endpoint: "/Users".to_owned(),
            description: "User Account".to_owned(),
            schema: USER.to_owned(),
            extensions: vec![optional(ENTERPRISE_USER), optional(INSOMNIA_USER)],
        },
        ResourceType {
            name: "Group".to_owned(),
            endpoint: "/Groups".to_owned(),
            description: "Group".to_owned(),
            schema: GROUP.to_owned(),
            extensions: Vec::new(),
        },
    ],
});

impl SchemaTable {
    /// User, Group, the enterprise and the Insomnia extension, and the schemas of the discovery resources.
    #[must_use]
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }
}

fn optional(urn: &str) -> SchemaExtension {
    SchemaExtension { schema: urn.to_owned(), required: false }
}

/// `schemas` and the common attributes (RFC 7643 §3, §3.1).
///
/// `schemas` is read-only here, because the server derives it from the attributes that are present. Case does not
/// matter when URNs are compared.
fn common() -> Vec<Attribute> {
    let mut schemas = reference("schemas", &["uri"], "The schemas of the resource's attributes.").many().required();
    schemas.case_exact = false;
    let meta = [
        string("resourceType", "The name of the resource type.").case_exact(),
        date_time("created", "When the resource was created."),
        date_time("lastModified", "When the resource was last changed."),
        reference("location", &["uri"], "The URI of the resource."),
        string("version", "The version of the resource, as in the ETag header.").case_exact(),
    ];
    vec![
        schemas.read_only().always(),
        string("id", "The server's identifier of the resource.").case_exact().unique().read_only().always(),
        string("externalId", "The client's identifier of the resource.").case_exact(),
        complex("meta", "The server's data about the resource.", meta).read_only(),
    ]
}
