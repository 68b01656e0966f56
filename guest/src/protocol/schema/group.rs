//! The core Group schema (RFC 7643 §4.2, §8.7.1), with its errata.

use super::GROUP;
use super::builder::{complex, reference, schema, string};
use super::table::Schema;

pub(super) fn group() -> Schema {
    // An id is required, which the RFC leaves open: a member without an id would mean nothing.
    let member = [
        string("value", "The member's id.").case_exact().required().immutable(),
        // Teams can't contain teams.
        reference("$ref", &["User"], "The member's URI.").immutable(),
        string("type", "The member's resource type.").suggest(&["User"]).immutable(),
        string("display", "The member's name, for display.").read_only(),
    ];
    let attributes = [
        string("displayName", "The group's name; unique in the organization, in any case.").required().unique(),
        complex("members", "The members of the group.", member).many(),
    ];
    schema(GROUP, "Group", "Group", attributes)
}
