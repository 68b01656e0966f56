//! Insomnia's own User extension: what an administrator of the identity provider wants to see of a member.
//!
//! A resource's `schemas` may only name what its type lists (RFC 7643 §3), so the extension is among a user's
//! `schemaExtensions`. What Insomnia says of a member is read-only and returned on request, so that an identity provider
//! that reads a user, changes it and puts it back sends nothing of it. `note` can be written: generated clients write every
//! listed extension as a whole (`PATCH add`, `replace` and `remove` of its URN) and expect to read back what they wrote,
//! which an extension that has nothing but read-only attributes can't satisfy (tried with scim2-tester 0.5.2).

use super::INSOMNIA_USER;
use super::builder::{boolean, schema, string};
use super::table::Schema;

pub(super) fn insomnia_user() -> Schema {
    let told = [
        string("origin", "Who manages the member: people in Insomnia, or the identity provider.")
            .suggest(&["manual", "scim"]),
        string("role", "The member's role in the organization.").suggest(&["owner", "co-owner", "member"]),
        boolean("licensed", "Whether the member consumes a licence."),
    ];
    let told = told.map(|attribute| attribute.read_only().on_request());
    let note = string("note", "What administrators note of the member; Insomnia keeps it and does nothing with it.");
    let attributes: Vec<_> = told.into_iter().chain([note]).collect();
    schema(INSOMNIA_USER, "InsomniaUser", "Insomnia Member", attributes)
}
