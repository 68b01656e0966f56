//! Notes of the standalone host about itself: what makes its storage and its files those of one installation.

use super::Registry;
use crate::capability::storage::{Change, Condition, KeyRange, OrganizationId, Page, StorageError, Transaction};

const NOTES: &str = "note/";

impl Registry {
    /// Whether nothing was ever written for the host or an organization.
    pub(crate) async fn is_empty(&self) -> Result<bool, StorageError> {
        let range = KeyRange { start: Vec::new(), end: vec![0xff] };
        let page = Page { range, reverse: false, skip: 0, limit: 1 };
        let scanned = self.storage.scan(&OrganizationId::host(), vec![page]).await?;
        Ok(scanned.iter().all(|page| page.entries.is_empty()))
    }

    /// A note of the host about itself.
    pub(crate) async fn note(&self, name: &str) -> Result<Option<String>, StorageError> {
        let found = self.storage.get(&OrganizationId::host(), vec![format!("{NOTES}{name}").into()]).await?;
        let item = found.into_iter().next().flatten();
        item.map(|item| String::from_utf8(item.value).map_err(|error| StorageError::Other(error.to_string())))
            .transpose()
    }

    /// Makes a note where there is none of this name; `false` if there is one, which stays.
    pub(crate) async fn add_note(&self, name: &str, text: &str) -> Result<bool, StorageError> {
        let at: Vec<u8> = format!("{NOTES}{name}").into();
        match self.change(vec![Condition::Absent(at.clone())], vec![Change::put(at, text.into())]).await {
            Err(StorageError::Conflict(_)) => Ok(false),
            changed => changed.map(|()| true),
        }
    }

    pub(crate) async fn set_note(&self, name: &str, text: &str) -> Result<(), StorageError> {
        let changes = vec![Change::put(format!("{NOTES}{name}").into(), text.into())];
        let transaction = Transaction { changes, ..Transaction::default() };
        self.storage.commit(&OrganizationId::host(), transaction).await.map(|_| ())
    }
}
