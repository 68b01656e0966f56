//! The log after the server has stopped before it answered (rule P5).

use insomnia_scim_contract::ExpiryWindow;
use serde_json::json;

use super::{last, request};
use crate::capability::{Host, Item, Key, KeyValue, Page, Scanned, Storage, StorageError, Transaction};
use crate::endpoint::handle;
use crate::testing::MemoryHost;
use crate::testing::organization::TestOrganization;

/// A storage whose host is killed before appended entries are written, so that only commits are stored.
struct Killed<'a>(&'a MemoryHost);

impl Storage for Killed<'_> {
    fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        self.0.get(keys)
    }

    fn scan(&self, pages: &[Page]) -> Result<Vec<Scanned>, StorageError> {
        self.0.scan(pages)
    }

    fn commit(&self, transaction: Transaction) -> Result<u64, StorageError> {
        self.0.commit(transaction)
    }

    fn append(&self, _: &[KeyValue]) -> Result<(), StorageError> {
        Ok(())
    }
}

#[test]
fn p5_a_crash_behind_a_change_loses_no_entry_of_the_request_that_made_it() {
    let organization = TestOrganization::new(10, ExpiryWindow::Days30).unwrap();
    let killed = Killed(&organization.host);
    let host = || Host { storage: &killed, ..organization.host.host() };
    let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@example.com",
        "password": "hunter2hunter2"});
    let post = request(&organization, "POST", "/Users", Some(user));
    assert_eq!(handle(host(), &post).status, 201);
    let entry = last(&organization);
    assert_eq!(
        (&entry["method"], &entry["path"], &entry["requestId"]),
        (&json!("POST"), &json!("/Users"), &json!("r1"))
    );
    assert_eq!(entry["status"], 0, "no answer is known of: {entry}");
    assert!(entry["because"][0].as_str().is_some_and(|because| because.contains("stopped before")), "{entry}");
    assert!(entry["bytesReceived"].as_u64() > Some(0) && !entry.to_string().contains("hunter2"), "{entry}");
    // A request that changes nothing leaves no entry if the server stops.
    organization.host.set_now(organization.store().now() + 1);
    let get = request(&organization, "GET", "/Users", None);
    assert_eq!(handle(host(), &get).status, 200);
    assert_eq!(last(&organization), entry);
}
