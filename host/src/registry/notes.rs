//! Notes of the standalone host about itself. They show which storage and which files belong to one installation.

use super::Registry;
use crate::capability::storage::{Change, Condition, Key, OrganizationId, StorageError, holds_nothing};

const NOTES: &str = "note/";

/// The key of the note with this name, among the host's own records.
pub(crate) fn note_key(name: &str) -> Key {
    format!("{NOTES}{name}").into()
}

impl Registry {
    /// Whether nothing was ever written for the host or an organization.
    pub(crate) async fn is_empty(&self) -> Result<bool, StorageError> {
        holds_nothing(&*self.storage, &OrganizationId::host()).await
    }

    /// The text of a note; `None` if there is no note with this name.
    pub(crate) async fn note(&self, name: &str) -> Result<Option<String>, StorageError> {
        let item = self.space().get(note_key(name)).await?;
        item.map(|item| String::from_utf8(item.value).map_err(|error| StorageError::Other(error.to_string())))
            .transpose()
    }

    /// Makes a note. Returns `false` if there is one with this name already, which stays as it is.
    pub(crate) async fn add_note(&self, name: &str, text: &str) -> Result<bool, StorageError> {
        let at = note_key(name);
        match self.change(vec![Condition::Absent(at.clone())], vec![Change::put(at, text.into())]).await {
            Err(StorageError::Conflict(_)) => Ok(false),
            changed => changed.map(|()| true),
        }
    }

    /// Makes a note, or replaces the one with this name.
    pub(crate) async fn set_note(&self, name: &str, text: &str) -> Result<(), StorageError> {
        self.space().change(vec![Change::put(note_key(name), text.into())]).await
    }
}
