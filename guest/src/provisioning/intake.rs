//! Prepares a user that an identity provider sends: drops what Insomnia ignores, and adds defaults.

use serde_json::Value;

use crate::protocol::document::{self, Document};
use crate::protocol::error::ScimError;
use crate::protocol::mode::Mode;
use crate::protocol::schema::ResourceSchema;
use crate::protocol::tolerance::Tolerance;

/// The user in canonical form.
///
/// # Errors
/// 400, as of [`document::from_client`].
pub fn user(schema: &ResourceSchema<'_>, body: Value, mode: Mode<'_>) -> Result<Document, ScimError> {
    let mut document = document::from_client(schema, body, mode)?;
    drop_password(&mut document, mode);
    Ok(document)
}

/// A user who is posted is active unless the identity provider says otherwise.
#[must_use]
pub fn posted(mut document: Document) -> Document {
    document.entry("active").or_insert(true.into());
    document
}

/// Drops the password that the identity provider sends: Insomnia makes its own passphrases (T26).
pub fn drop_password(document: &mut Document, mode: Mode<'_>) {
    if document::take_secret(document).is_some() {
        mode.note(Tolerance::Password);
    }
}
