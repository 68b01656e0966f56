//! Insomnia's own User extension: what an administrator of the identity provider wants to see of a member.
//!
//! Its attributes are returned on request only, and it is in `/Schemas` but not among a user's `schemaExtensions`. Both
//! other forms were tried with scim2-tester 0.5.2, and clients made from discovery documents break on either:
//! returned by default but not listed, every user is refused as one with an unknown extension; listed, clients write it as
//! a whole (`PATCH add`, `replace` and `remove` of its URN) and expect to read back what they wrote, which nothing
//! read-only can satisfy.

use super::INSOMNIA_USER;
use super::builder::{boolean, schema, string};
use super::table::Schema;

pub(super) fn insomnia_user() -> Schema {
    let attributes = [
        string("origin", "Who manages the member: people in Insomnia, or the identity provider.")
            .suggest(&["manual", "scim"]),
        string("role", "The member's role in the organization.").suggest(&["owner", "co-owner", "member"]),
        boolean("licensed", "Whether the member consumes a licence."),
    ];
    schema(
        INSOMNIA_USER,
        "InsomniaUser",
        "Insomnia Member",
        attributes.map(|attribute| attribute.read_only().on_request()),
    )
}
