//! Notes of the standalone host about itself: what makes its storage and its files those of one installation.

use super::Registry;
use crate::capability::storage::{Change, Condition, Key, OrganizationId, StorageError, holds_nothing};

const NOTES: &str = "note/";

/// Where a note of this name is among the host's own records.
pub(crate) fn note_key(name: &str) -> Key {
    format!("{NOTES}{name}").into()
}

impl Registry {
    /// Whether nothing was ever written for the host or an organization.
    pub(crate) async fn is_empty(&self) -> Result<bool, StorageError> {
        holds_nothing(&*self.storage, &OrganizationId::host()).await
    }

    /// A note of the host about itself.
    pub(crate) async fn note(&self, name: &str) -> Result<Option<String>, StorageError> {
        let item = self.space().get(note_key(name)).await?;
        item.map(|item| String::from_utf8(item.value).map_err(|error| StorageError::Other(error.to_string())))
            .transpose()
    }

    /// Makes a note where there is none of this name; `false` if there is one, which stays.
    pub(crate) async fn add_note(&self, name: &str, text: &str) -> Result<bool, StorageError> {
        let at = note_key(name);
        match self.change(vec![Condition::Absent(at.clone())], vec![Change::put(at, text.into())]).await {
            Err(StorageError::Conflict(_)) => Ok(false),
            changed => changed.map(|()| true),
        }
    }

    pub(crate) async fn set_note(&self, name: &str, text: &str) -> Result<(), StorageError> {
        self.space().change(vec![Change::put(note_key(name), text.into())]).await
    }
}
