//! The results of `get` and `scan`.

use std::sync::Arc;

use super::{Fault, Space, equal, everything, holds, k, names, page, put, range};
use crate::capability::storage::{Change, KeyRange, Page, Storage};
use crate::storage::count;

super::named![
    get_returns_items_in_the_order_of_the_keys,
    get_of_no_keys_returns_no_items,
    a_value_may_be_empty_or_any_bytes,
    scan_orders_keys_bytewise,
    scan_returns_values_and_versions,
    scan_in_reverse_starts_at_the_end_of_the_range,
    scan_skips_and_limits,
    scan_with_limit_zero_tells_whether_there_is_more,
    scan_returns_pages_in_their_order,
    a_range_holds_its_start_and_not_its_end,
    an_inverted_or_empty_range_holds_nothing,
    an_organization_never_written_to_holds_nothing,
    organizations_do_not_share_keys,
    the_host_has_a_space_of_its_own,
];

async fn get_returns_items_in_the_order_of_the_keys(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let version = space.write(vec![put("x", "1"), put("y", "2")]).await?;
    let keys = vec![k("y"), k("none"), k("x"), k("y")];
    let items = storage.get(&space.organization, keys).await?;
    let found: Vec<_> = items.iter().map(|item| item.as_ref().map(|i| (i.value.as_slice(), i.version))).collect();
    let (x, y) = (Some((b"1".as_slice(), version)), Some((b"2".as_slice(), version)));
    equal("items", found, vec![y, None, x, y])
}

async fn get_of_no_keys_returns_no_items(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("x", "1")]).await?;
    equal("items", storage.get(&space.organization, Vec::new()).await?, Vec::new())?;
    equal("pages", storage.scan(&space.organization, Vec::new()).await?, Vec::new())
}

async fn a_value_may_be_empty_or_any_bytes(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let bytes: Vec<u8> = (0..=255).collect();
    let write = vec![Change::put(k("empty"), Vec::new()), Change::put(bytes.clone(), bytes.clone())];
    space.write(write).await?;
    let items = storage.get(&space.organization, vec![k("empty"), bytes.clone()]).await?;
    let found: Vec<_> = items.into_iter().map(|item| item.map(|item| item.value)).collect();
    equal("values", found, vec![Some(Vec::new()), Some(bytes)])
}

async fn scan_orders_keys_bytewise(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let sorted: Vec<Vec<u8>> =
        [&b"\0"[..], b"\0\0", b"A", b"a", b"a\0", b"a\0b", b"aa", b"b", b"\x7f", b"\x80", b"\xc3\xa9", b"\xff"]
            .iter()
            .map(|key| key.to_vec())
            .collect();
    space.write(sorted.iter().rev().map(|key| Change::put(key.clone(), k("v"))).collect()).await?;
    let scanned = space.scan(page(everything())).await?;
    equal("keys", scanned.entries.into_iter().map(|entry| entry.key).collect(), sorted)?;
    equal("more", scanned.more, false)
}

async fn scan_returns_values_and_versions(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let first = space.write(vec![put("x", "1"), put("y", "2")]).await?;
    let second = space.write(vec![put("y", "3")]).await?;
    let scanned = space.scan(page(everything())).await?;
    let found = scanned.entries.into_iter().map(|entry| (entry.key, entry.value, entry.version)).collect();
    equal("entries", found, vec![(k("x"), k("1"), first), (k("y"), k("3"), second)])
}

async fn letters(storage: &Arc<dyn Storage>) -> Result<Space, Fault> {
    let space = Space::new(storage, "a")?;
    space.write(["a", "b", "c", "d", "e"].iter().map(|key| put(key, key)).collect()).await?;
    Ok(space)
}

async fn scan_in_reverse_starts_at_the_end_of_the_range(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = letters(&storage).await?;
    let reverse = |limit| Page { range: range("b", "e"), reverse: true, skip: 0, limit };
    let all = space.scan(reverse(10)).await?;
    equal("keys", (names(&all).concat().as_str(), all.more), ("dcb", false))?;
    let some = space.scan(reverse(2)).await?;
    equal("the first two", (names(&some).concat().as_str(), some.more), ("dc", true))
}

async fn scan_skips_and_limits(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = letters(&storage).await?;
    let cases = [
        (false, 0, 5, "abcde", false),
        (false, 0, 4, "abcd", true),
        (false, 2, 2, "cd", true),
        (false, 3, 2, "de", false),
        (false, 4, 100, "e", false),
        (false, 5, 1, "", false),
        (false, u32::MAX, u32::MAX, "", false),
        (true, 1, 3, "dcb", true),
        (true, 2, 3, "cba", false),
        (true, 9, 3, "", false),
    ];
    for (reverse, skip, limit, keys, more) in cases {
        let scanned = space.scan(Page { range: everything(), reverse, skip, limit }).await?;
        let what = format!("reverse {reverse}, skip {skip}, limit {limit}");
        equal(&what, (names(&scanned).concat().as_str(), scanned.more), (keys, more))?;
    }
    Ok(())
}

async fn scan_with_limit_zero_tells_whether_there_is_more(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = letters(&storage).await?;
    for (skip, more) in [(0, true), (4, true), (5, false)] {
        let scanned = space.scan(Page { range: everything(), reverse: false, skip, limit: 0 }).await?;
        equal(&format!("skip {skip}"), (scanned.entries.len(), scanned.more), (0, more))?;
    }
    Ok(())
}

async fn scan_returns_pages_in_their_order(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = letters(&storage).await?;
    let pages = vec![page(range("d", "f")), page(range("x", "z")), page(range("a", "b")), page(range("d", "f"))];
    let scanned = storage.scan(&space.organization, pages).await?;
    equal("pages", scanned.iter().map(|page| names(page).concat()).collect::<Vec<_>>().join(","), "de,,a,de".into())
}

async fn a_range_holds_its_start_and_not_its_end(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = letters(&storage).await?;
    equal("scan", names(&space.scan(page(range("b", "d"))).await?).concat(), "bc".into())?;
    space.write(vec![Change::DeleteRange(range("b", "d"))]).await?;
    equal("after the deletion", space.keys().await?.concat(), "ade".into())
}

async fn an_inverted_or_empty_range_holds_nothing(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = letters(&storage).await?;
    let empty = [range("d", "b"), range("c", "c"), range("", ""), range("a", "")];
    for range in empty {
        let what = format!("{:?}", range);
        for reverse in [false, true] {
            let scanned = space.scan(Page { range: range.clone(), reverse, skip: 0, limit: 10 }).await?;
            equal(&what, (scanned.entries.len(), scanned.more), (0, false))?;
        }
        space.write(vec![Change::DeleteRange(range)]).await?;
    }
    equal("keys", space.keys().await?.concat(), "abcde".into())
}

async fn an_organization_never_written_to_holds_nothing(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    letters(&storage).await?;
    let other = Space::new(&storage, "b")?;
    equal("get", other.item("a").await?, None)?;
    equal("scan", other.scan(page(everything())).await?, Default::default())
}

async fn organizations_do_not_share_keys(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    // With these names, a storage that joins name and key without a separator would mix up the two spaces.
    let (one, two) = (Space::new(&storage, "org")?, Space::new(&storage, "org-1")?);
    one.write(vec![put("x", "one"), put("-1x", "one")]).await?;
    two.write(vec![put("x", "two"), put("y", "two")]).await?;
    equal("the first's keys", one.keys().await?, vec!["-1x".into(), "x".into()])?;
    equal("the second's keys", two.keys().await?, vec!["x".into(), "y".into()])?;
    one.write(vec![Change::DeleteRange(everything())]).await?;
    equal("after the first's are deleted", (one.keys().await?.len(), two.keys().await?.len()), (0, 2))?;
    equal("the second's value", two.value("x").await?, super::some("two"))
}

async fn the_host_has_a_space_of_its_own(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let organization = crate::capability::storage::OrganizationId::host();
    let host = Space { storage: Arc::clone(&storage), organization };
    let other = Space::new(&storage, "host")?;
    host.write(vec![put("x", "host")]).await?;
    other.write(vec![put("x", "other")]).await?;
    equal("the host's", host.value("x").await?, super::some("host"))?;
    let whole = KeyRange { start: Vec::new(), end: vec![0xff] };
    holds(count(&*storage, &other.organization, whole).await? == 1, || "the other space has more than its key".into())
}
