//! The enterprise User extension (RFC 7643 §4.3, §8.7.1), with its errata.

use super::ENTERPRISE_USER;
use super::builder::{complex, reference, schema, string};
use super::table::Schema;

pub(super) fn enterprise_user() -> Schema {
    let manager = [
        string("value", "The id of the manager's User resource.").case_exact(),
        reference("$ref", &["User"], "The URI of the manager's User resource."),
        string("displayName", "The manager's name, for display.").read_only(),
    ];
    let attributes = [
        string("employeeNumber", "The organization's identifier of the person."),
        string("costCenter", "The name of a cost center."),
        string("organization", "The name of an organization."),
        string("division", "The name of a division."),
        string("department", "The name of a department."),
        complex("manager", "The user's manager.", manager),
    ];
    schema(ENTERPRISE_USER, "EnterpriseUser", "Enterprise User", attributes)
}
