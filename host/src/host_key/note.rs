//! What the database notes of its host key.

use serde::{Deserialize, Serialize};

use crate::capability::storage::StorageError;
use crate::registry::Registry;

/// The name of the note.
pub(crate) const NOTE: &str = "instance";

/// What the database notes of itself and its keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// Random; also in the file beside the database.
    pub(crate) id: String,
    /// The fingerprint of the host key that seals.
    pub(crate) key: String,
    /// The fingerprints of those before it that something may be sealed with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) older: Vec<String>,
    /// Since when `key` seals, in milliseconds since the Unix epoch; 0 if it is the first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) since: u64,
}

/// Serde wants a reference.
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Note {
    /// The note, if the database has one.
    pub(crate) async fn read(registry: &Registry) -> Result<Option<Self>, StorageError> {
        let Some(text) = registry.note(NOTE).await? else { return Ok(None) };
        let note = serde_json::from_str(&text);
        note.map(Some)
            .map_err(|error| StorageError::Other(format!("the note about the host key can't be read: {error}")))
    }

    /// Replaces the note.
    pub(crate) async fn write(&self, registry: &Registry) -> Result<(), StorageError> {
        let text = serde_json::to_string(self).map_err(|error| StorageError::Other(error.to_string()))?;
        registry.set_note(NOTE, &text).await
    }
}
