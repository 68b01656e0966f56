//! The storage of `host/examples/wasi-http`, wrapped as a storage of the host, so that the same rules can be tested on
//! it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use insomnia_scim::capability::schedule::Claim;
use insomnia_scim::capability::storage::{
    Item, Key, KeyValue, OrganizationId, Page, Scanned, Storage, StorageError, Transaction,
};
use insomnia_scim_wasi_http::{self as wasi_http, Folder};
use tempfile::TempDir;

use crate::storage_data::keeps_the_rules_that_are_data;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_storage_behind_wasi_http_keeps_the_rules_that_are_data() {
    keeps_the_rules_that_are_data(|| {
        let directory = Arc::new(TempDir::new().unwrap());
        Box::new(move || {
            let directory = Arc::clone(&directory);
            Box::pin(async move { Arc::new(Folders(directory.path().to_owned())) as Arc<dyn Storage> })
        })
    })
    .await;
}

/// A folder for each organization. As behind `wasi:http`, every call is that of a new instance.
struct Folders(PathBuf);

impl Folders {
    fn open(&self, organization: &OrganizationId) -> Result<Folder, StorageError> {
        Ok(Folder::open(&self.0.join(organization.as_str()))?)
    }

    /// The organizations that have a time, in the order of their times.
    fn times(&self, now: u64) -> Result<Vec<(u64, OrganizationId)>, StorageError> {
        let mut times = Vec::new();
        for entry in fs::read_dir(&self.0).unwrap() {
            let organization = OrganizationId::parse(entry.unwrap().file_name().to_str().unwrap()).unwrap();
            let time = self.open(&organization)?.next_due(now)?;
            times.extend(time.map(|time| (time, organization)));
        }
        times.sort();
        Ok(times)
    }
}

#[async_trait]
impl Storage for Folders {
    async fn get(&self, organization: &OrganizationId, keys: Vec<Key>) -> Result<Vec<Option<Item>>, StorageError> {
        Ok(self.open(organization)?.get(&keys)?)
    }

    async fn scan(&self, organization: &OrganizationId, pages: Vec<Page>) -> Result<Vec<Scanned>, StorageError> {
        Ok(self.open(organization)?.scan(&pages)?)
    }

    async fn commit(&self, organization: &OrganizationId, transaction: Transaction) -> Result<u64, StorageError> {
        Ok(self.open(organization)?.commit(&transaction)?)
    }

    async fn append(&self, organization: &OrganizationId, entries: Vec<(Key, Vec<u8>)>) -> Result<(), StorageError> {
        let entries: Vec<_> = entries.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
        Ok(self.open(organization)?.append(&entries)?)
    }

    async fn due(&self, now: u64, limit: usize) -> Result<Vec<OrganizationId>, StorageError> {
        let due = self.times(now)?.into_iter().filter(|(time, _)| *time <= now);
        Ok(due.map(|(_, organization)| organization).take(limit).collect())
    }

    async fn next_due(&self, now: u64) -> Result<Option<u64>, StorageError> {
        Ok(self.times(now)?.first().map(|(time, _)| *time))
    }

    async fn claim(&self, organization: &OrganizationId, now: u64) -> Result<Option<Claim>, StorageError> {
        Ok(self.open(organization)?.claim(now)?.map(claim))
    }

    async fn renew(&self, organization: &OrganizationId, number: u64, now: u64) -> Result<Option<Claim>, StorageError> {
        Ok(self.open(organization)?.renew(number, now)?.map(claim))
    }

    async fn release(
        &self,
        organization: &OrganizationId,
        number: u64,
        next: Option<u64>,
    ) -> Result<bool, StorageError> {
        Ok(self.open(organization)?.release(number, next)?)
    }

    async fn delete_organization(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        Ok(self.open(organization)?.clear()?)
    }

    async fn is_deleted(&self, _: &OrganizationId) -> Result<bool, StorageError> {
        Ok(false)
    }
}

fn claim(wasi_http::Claim { number, until }: wasi_http::Claim) -> Claim {
    Claim { number, until }
}
