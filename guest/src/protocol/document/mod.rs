//! Resources as JSON objects in canonical form, and the conversion of what clients send into that form.
//!
//! In canonical form attribute names are spelled as in the schema. The attributes of an extension are in an object
//! under the extension's URN. There are no nulls, no empty arrays and no empty objects, and booleans are JSON booleans.
//! `schemas` contains the core schema and exactly the extensions that have attributes.

mod format;
mod intake;
mod place;
mod presence;
mod replace;
#[cfg(test)]
mod tests;
mod value;

use serde_json::{Map, Value};

pub use intake::{from_client, parse};
pub(super) use presence::is_required;
pub use presence::{required_after, required_present, set_schemas};
pub use replace::replace;
pub use value::{element, elements, value};
pub(in crate::protocol) use value::{emptiness, form, is_label, is_label_alone};

/// A resource in canonical form.
pub type Document = Map<String, Value>;

/// Removes `password` from the document, so that it is never stored in it.
pub fn take_secret(document: &mut Document) -> Option<String> {
    match document.shift_remove("password")? {
        Value::String(secret) => Some(secret),
        _ => None,
    }
}
