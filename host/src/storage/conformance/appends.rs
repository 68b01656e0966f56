//! Tests of appended entries.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Fault, Space, equal, holds, k, names, page, put, range, some};
use crate::capability::storage::Storage;

super::named![
    what_is_appended_appears,
    appends_take_effect_in_their_order,
    what_was_appended_is_there_when_a_later_commit_returns,
    flush_returns_when_what_was_appended_is_there,
    appended_items_have_versions,
    an_append_of_nothing_does_nothing,
];

/// Much longer than the promised time, because a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);

async fn appears(space: &Space, key: &str) -> Result<(), Fault> {
    let start = Instant::now();
    while space.item(key).await?.is_none() {
        holds(start.elapsed() < PATIENCE, || format!("{key} has not appeared for {PATIENCE:?}"))?;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn append(space: &Space, entries: &[(&str, &str)]) -> Result<(), Fault> {
    let entries = entries.iter().map(|(key, value)| (k(key), k(value))).collect();
    Ok(space.storage.append(&space.organization, entries).await?)
}

async fn what_is_appended_appears(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    append(&space, &[("log/1", "one"), ("log/2", "two")]).await?;
    appears(&space, "log/2").await?;
    equal("the first", space.value("log/1").await?, some("one"))?;
    equal("the second", space.value("log/2").await?, some("two"))
}

async fn appends_take_effect_in_their_order(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    for n in 0..100 {
        let value = n.to_string();
        append(&space, &[("x", "first"), ("x", &value), (&format!("log/{n:03}"), &value)]).await?;
    }
    append(&space, &[("last", "1")]).await?;
    appears(&space, "last").await?;
    equal("x", space.value("x").await?, some("99"))?;
    let log = space.scan(page(range("log/", "log0"))).await?;
    equal("the log", names(&log), (0..100).map(|n| format!("log/{n:03}")).collect())
}

async fn what_was_appended_is_there_when_a_later_commit_returns(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    for n in 0..20 {
        let value = n.to_string();
        append(&space, &[("x", &value), ("y", "appended")]).await?;
        space.write(vec![put("y", &value)]).await?;
        equal("what was appended", space.value("x").await?.as_ref(), Some(&value))?;
        equal("what was put over it", space.value("y").await?.as_ref(), Some(&value))?;
    }
    Ok(())
}

async fn flush_returns_when_what_was_appended_is_there(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    append(&space, &[("x", "1")]).await?;
    storage.flush().await?;
    equal("x", space.value("x").await?, some("1"))
}

async fn appended_items_have_versions(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let before = space.write(vec![put("x", "1")]).await?;
    append(&space, &[("x", "2")]).await?;
    let after = space.write(vec![put("y", "1")]).await?;
    let version = space.item("x").await?.map_or(0, |item| item.version);
    holds(before < version && version < after, || format!("{version} is not between {before} and {after}"))
}

async fn an_append_of_nothing_does_nothing(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    append(&space, &[]).await?;
    storage.flush().await?;
    equal("keys", space.keys().await?, Vec::new())
}
