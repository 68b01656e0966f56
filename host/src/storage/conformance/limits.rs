//! The limits of [`crate::storage::bounds`]: the largest allowed values and the smallest refused ones.

use std::sync::Arc;

use super::{Fault, Space, add, equal, everything, holds, k, page, put};
use crate::capability::storage::{Change, Condition, Key, KeyRange, Page, Storage, StorageError};
use crate::storage::bounds::{
    MAX_GET_BYTES, MAX_GET_KEYS, MAX_KEY, MAX_PAGE_BYTES, MAX_PAGE_ENTRIES, MAX_PAGES, MAX_SCAN_BYTES,
    MAX_TRANSACTION_BYTES, MAX_VALUE, MAX_WRITES,
};

super::named![
    the_longest_key_and_the_largest_value_are_kept,
    a_longer_key_is_refused_everywhere,
    an_empty_key_is_refused_everywhere,
    a_larger_value_is_refused,
    get_takes_a_limited_number_of_keys,
    get_answers_a_limited_number_of_bytes,
    scan_takes_a_limited_number_of_pages,
    a_page_has_a_limited_number_of_entries,
    a_page_has_a_limited_number_of_bytes,
    a_scan_answers_a_limited_number_of_bytes,
    a_transaction_has_a_limited_number_of_writes,
    a_transaction_has_a_limited_number_of_bytes,
    an_append_is_limited_as_a_transaction_is,
];

async fn the_longest_key_and_the_largest_value_are_kept(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let (key, value) = (vec![0xfe; MAX_KEY], vec![7; MAX_VALUE]);
    space.write(vec![Change::put(key.clone(), value.clone())]).await?;
    let items = storage.get(&space.organization, vec![key.clone()]).await?;
    holds(items == [Some(crate::capability::storage::Item { value, version: version(&items) })], || {
        "get did not return the value that was put".into()
    })?;
    let scanned = space.scan(page(everything())).await?;
    holds(scanned.entries.len() == 1 && scanned.entries.iter().all(|entry| entry.key == key), || {
        "scan did not return the key that was put".into()
    })
}

fn version(items: &[Option<crate::capability::storage::Item>]) -> u64 {
    items.iter().flatten().map(|item| item.version).sum()
}

/// Makes all calls that take a key with this one; returns the result of each.
async fn with_key(space: &Space, key: &Key) -> Vec<(&'static str, Result<(), StorageError>)> {
    let bounded = crate::capability::storage::BoundedAdd { key: key.clone(), delta: 1, min: None, max: None };
    let (storage, organization) = (&space.storage, &space.organization);
    vec![
        ("get", storage.get(organization, vec![k("x"), key.clone()]).await.map(drop)),
        ("put", space.write(vec![put("x", "1"), Change::put(key.clone(), k("1"))]).await.map(drop)),
        ("delete", space.write(vec![put("x", "1"), Change::Delete(key.clone())]).await.map(drop)),
        ("add", space.write(vec![put("x", "1"), Change::Add(bounded)]).await.map(drop)),
        ("exists", space.commit(vec![Condition::Exists(key.clone())], vec![put("x", "1")]).await.map(drop)),
        ("absent", space.commit(vec![Condition::Absent(key.clone())], vec![put("x", "1")]).await.map(drop)),
        ("version", space.commit(vec![Condition::version(key.clone(), 1)], vec![put("x", "1")]).await.map(drop)),
        ("append", storage.append(organization, vec![(k("x"), k("1")), (key.clone(), k("1"))]).await),
    ]
}

async fn a_longer_key_is_refused_everywhere(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let key = vec![b'k'; MAX_KEY + 1];
    for (call, result) in with_key(&space, &key).await {
        equal(call, result, Err(StorageError::TooLarge))?;
    }
    for range in [KeyRange { start: key.clone(), end: k("z") }, KeyRange { start: k("a"), end: key }] {
        let scanned = storage.scan(&space.organization, vec![page(range.clone())]).await;
        equal("scan", scanned, Err(StorageError::TooLarge))?;
        let deleted = space.write(vec![put("x", "1"), Change::DeleteRange(range)]).await;
        equal("delete-range", deleted, Err(StorageError::TooLarge))?;
    }
    storage.flush().await?;
    equal("keys", space.keys().await?, Vec::new())
}

async fn an_empty_key_is_refused_everywhere(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    for (call, result) in with_key(&space, &Vec::new()).await {
        holds(matches!(result, Err(StorageError::Other(_))), || format!("{call}: {result:?} instead of Other"))?;
    }
    storage.flush().await?;
    equal("keys", space.keys().await?, Vec::new())
}

async fn a_larger_value_is_refused(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let value = vec![0; MAX_VALUE + 1];
    let put = space.write(vec![put("x", "1"), Change::put(k("y"), value.clone())]).await;
    equal("put", put, Err(StorageError::TooLarge))?;
    let appended = storage.append(&space.organization, vec![(k("x"), k("1")), (k("y"), value)]).await;
    equal("append", appended, Err(StorageError::TooLarge))?;
    storage.flush().await?;
    equal("keys", space.keys().await?, Vec::new())
}

async fn get_takes_a_limited_number_of_keys(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("x", "1")]).await?;
    let items = storage.get(&space.organization, vec![k("x"); MAX_GET_KEYS]).await?;
    equal("items", items.into_iter().flatten().count(), MAX_GET_KEYS)?;
    let refused = storage.get(&space.organization, vec![k("x"); MAX_GET_KEYS + 1]).await;
    equal("one more", refused.map(|items| items.len()), Err(StorageError::TooLarge))
}

async fn get_answers_a_limited_number_of_bytes(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![Change::put(k("x"), vec![0; MAX_VALUE])]).await?;
    let most = MAX_GET_BYTES / MAX_VALUE;
    for (keys, expected) in [(most - 1, Ok(most - 1)), (most + 1, Err(StorageError::TooLarge))] {
        let items = storage.get(&space.organization, vec![k("x"); keys]).await;
        equal(&format!("{keys} MiB"), items.map(|items| items.len()), expected)?;
    }
    Ok(())
}

async fn scan_takes_a_limited_number_of_pages(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("x", "1")]).await?;
    let scanned = storage.scan(&space.organization, vec![page(everything()); MAX_PAGES]).await?;
    equal("entries", scanned.iter().map(|page| page.entries.len()).sum(), MAX_PAGES)?;
    let refused = storage.scan(&space.organization, vec![page(everything()); MAX_PAGES + 1]).await;
    equal("one more", refused.map(|pages| pages.len()), Err(StorageError::TooLarge))
}

async fn a_page_has_a_limited_number_of_entries(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write((0..MAX_PAGE_ENTRIES).map(|n| put(&format!("{n:06}"), "1")).collect()).await?;
    let scanned = space.scan(page(everything())).await?;
    equal("a full page", (scanned.entries.len(), scanned.more), (MAX_PAGE_ENTRIES, false))?;
    space.write(vec![put("one more", "1")]).await?;
    for reverse in [false, true] {
        let scanned = space.scan(Page { reverse, ..page(everything()) }).await?;
        equal("one more", (scanned.entries.len(), scanned.more), (MAX_PAGE_ENTRIES, true))?;
    }
    Ok(())
}

async fn megabytes(storage: &Arc<dyn Storage>) -> Result<Space, Fault> {
    let space = Space::new(storage, "a")?;
    let count = MAX_PAGE_BYTES / MAX_VALUE + 2;
    space.write((0..count).map(|n| Change::put(k(&format!("{n:03}")), vec![0; MAX_VALUE])).collect()).await?;
    Ok(space)
}

async fn a_page_has_a_limited_number_of_bytes(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = megabytes(&storage).await?;
    let mut keys = Vec::new();
    let mut start = Vec::new();
    loop {
        let range = KeyRange { start, end: k("z") };
        let scanned = space.scan(page(range)).await?;
        let bytes: usize = scanned.entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum();
        holds(bytes <= MAX_PAGE_BYTES, || format!("a page has {bytes} bytes"))?;
        holds(!scanned.entries.is_empty(), || "a page is empty though there is more".into())?;
        keys.extend(scanned.entries.into_iter().map(|entry| entry.key));
        if !scanned.more {
            break;
        }
        start = keys.last().map(|key| [key.as_slice(), b"\0"].concat()).unwrap_or_default();
    }
    equal("entries", keys.len(), MAX_PAGE_BYTES / MAX_VALUE + 2)
}

async fn a_scan_answers_a_limited_number_of_bytes(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = megabytes(&storage).await?;
    let mut pages = vec![page(everything()); 2 * MAX_SCAN_BYTES / MAX_PAGE_BYTES];
    pages.push(page(super::range("x", "z")));
    let scanned = storage.scan(&space.organization, pages).await?;
    let entries = || scanned.iter().flat_map(|page| &page.entries);
    let bytes: usize = entries().map(|entry| entry.key.len() + entry.value.len()).sum();
    holds(bytes <= MAX_SCAN_BYTES, || format!("the answer has {bytes} bytes"))?;
    holds(scanned.first().is_some_and(|page| !page.entries.is_empty()), || "the first page is empty".into())?;
    let full = scanned.len() - 1;
    holds(scanned.iter().take(full).all(|page| page.more), || "a page that was cut does not say so".into())?;
    let last = scanned.last().map(|page| (page.entries.len(), page.more));
    equal("the page of an empty range, after the cut", last, Some((0, false)))
}

async fn a_transaction_has_a_limited_number_of_writes(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![add("n", 1, None, None); MAX_WRITES]).await?;
    equal("the counter", space.value("n").await?, Some(MAX_WRITES.to_string()))?;
    let writes = space.write(vec![add("n", 1, None, None); MAX_WRITES + 1]).await;
    equal("one write more", writes, Err(StorageError::TooLarge))?;
    let requires = space.commit(vec![Condition::Exists(k("n")); MAX_WRITES + 1], Vec::new()).await;
    equal("one requirement more", requires, Err(StorageError::TooLarge))?;
    equal("the counter", space.value("n").await?, Some(MAX_WRITES.to_string()))
}

fn too_many_bytes() -> Vec<(Key, Vec<u8>)> {
    vec![(k("x"), vec![0; MAX_VALUE]); MAX_TRANSACTION_BYTES / MAX_VALUE]
}

async fn a_transaction_has_a_limited_number_of_bytes(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let mut write: Vec<Change> = too_many_bytes().into_iter().map(|(key, value)| Change::put(key, value)).collect();
    equal("one too many", space.write(write.clone()).await, Err(StorageError::TooLarge))?;
    equal("keys", space.keys().await?, Vec::new())?;
    write.pop();
    space.write(write).await?;
    Ok(())
}

async fn an_append_is_limited_as_a_transaction_is(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let refused = storage.append(&space.organization, too_many_bytes()).await;
    equal("bytes", refused, Err(StorageError::TooLarge))?;
    let entries = vec![(k("x"), Vec::new()); MAX_WRITES + 1];
    equal("entries", storage.append(&space.organization, entries).await, Err(StorageError::TooLarge))?;
    storage.flush().await?;
    equal("keys", space.keys().await?, Vec::new())
}
