//! Conditions of changes: what is answered where the storage can't tell whether they hold.

use serde_json::json;

use super::Connector;
use crate::capability::{Host, Item, Key, KeyRange, KeyValue, Page, Scanned, Storage, StorageError, Transaction};
use crate::endpoint::handle;
use crate::protocol::message::Request;
use crate::store::keys;
use crate::testing::MemoryHost;

/// A storage in which a range of keys can't be read now.
struct Unreadable<'m> {
    memory: &'m MemoryHost,
    range: KeyRange,
}

impl Storage for Unreadable<'_> {
    fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        self.memory.get(keys)
    }

    fn scan(&self, pages: &[Page]) -> Result<Vec<Scanned>, StorageError> {
        if pages.iter().any(|page| page.range == self.range) {
            return Err(StorageError::Unavailable("it is away".into()));
        }
        self.memory.scan(pages)
    }

    fn commit(&self, transaction: Transaction) -> Result<u64, StorageError> {
        self.memory.commit(transaction)
    }

    fn append(&self, entries: &[KeyValue]) -> Result<(), StorageError> {
        self.memory.append(entries)
    }
}

#[test]
fn rfc_125_a_condition_that_can_not_be_examined_is_503_and_not_412() {
    let connector = Connector::new(10);
    let id = connector.create("ada@example.com");
    let (shown, user) = connector.send("GET", &format!("/Users/{id}"), None);
    let version = shown.headers.iter().find(|(name, _)| name == "etag").map(|(_, value)| value.clone()).unwrap();
    let storage = Unreadable { memory: &connector.host, range: keys::member_teams(&id) };
    let patch = json!({"Operations": [{"op": "replace", "path": "title", "value": "Countess"}]});
    let put = json!({"userName": "ada@example.com", "title": "Countess"});
    for (method, body) in [("PUT", Some(put)), ("PATCH", Some(patch)), ("DELETE", None)] {
        for condition in ["if-match", "if-none-match"] {
            let request = Request {
                method: method.into(),
                path: format!("/Users/{id}"),
                query: None,
                headers: vec![
                    ("authorization".into(), format!("Bearer {}", connector.token)),
                    (condition.into(), version.clone()),
                ],
                body: body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default(),
                base_url: "https://scim.example/scim/v2/org".into(),
                request_id: "r1".into(),
                sender_address: None,
            };
            let answer = handle(Host { storage: &storage, ..connector.host.host() }, &request);
            assert_eq!(answer.status, 503, "{method} {condition}");
            let retry = answer.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
            assert!(retry, "{method} {condition}: {:?}", answer.headers);
        }
    }
    assert_eq!(connector.send("GET", &format!("/Users/{id}"), None).1, user, "nothing has changed");
}
