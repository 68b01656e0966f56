//! Insomnia's own User extension: facts about a member that an identity provider's administrator wants to see.
//!
//! A resource's `schemas` may only name schemas that its type lists (RFC 7643 §3), so the extension is among a user's
//! `schemaExtensions`. The facts are read-only and returned on request, so that an identity provider that reads a user,
//! changes it and writes it back does not send them. `note` is writable because of generated clients: they write every
//! listed extension as a whole (`PATCH add`, `replace` and `remove` of its URN) and expect to read back what they
//! wrote. An extension with only read-only attributes can't satisfy that (tried with scim2-tester 0.5.2).

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
    let note = string("note", "An administrators' note about the member. Insomnia stores it, but does not use it.");
    let attributes: Vec<_> = told.into_iter().chain([note]).collect();
    schema(INSOMNIA_USER, "InsomniaUser", "Insomnia Member", attributes)
}
