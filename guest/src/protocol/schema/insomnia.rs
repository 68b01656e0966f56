//! Insomnia's own User extension: what an administrator of the identity provider wants to see of a member.
//!
//! Its attributes are returned on request only: clients that send back what they got, or that check it against the
//! extensions they know, then never meet it.

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
