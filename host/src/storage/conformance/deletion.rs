//! The removal of an organization, and a new organization with the same name.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Fault, Space, equal, everything, holds, k, put};
use crate::capability::storage::{Storage, StorageError};

super::named![
    deleting_an_organization_removes_all_it_has,
    deleting_an_organization_leaves_the_others,
    deleting_an_organization_with_many_items_removes_them_all,
    a_deleted_organization_can_not_be_written,
    an_organization_that_never_wrote_can_be_deleted,
    a_deletion_that_is_repeated_changes_nothing,
    a_name_that_is_used_again_is_another_organization,
    nothing_of_those_who_write_during_a_deletion_is_left,
];

async fn deleting_an_organization_removes_all_it_has(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("x", "1"), put("y", "2")]).await?;
    space.wake(10).await?;
    storage.append(&space.organization, vec![(k("log"), k("1"))]).await?;
    storage.delete_organization(&space.organization).await?;
    equal("keys", space.keys().await?, Vec::new())?;
    equal("next", storage.next_due(0).await?, None)
}

async fn deleting_an_organization_leaves_the_others(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let (one, two) = (Space::new(&storage, "a")?, Space::new(&storage, "aa")?);
    for space in [&one, &two] {
        space.write(vec![put("x", "1")]).await?;
        space.wake(10).await?;
    }
    storage.delete_organization(&one.organization).await?;
    storage.delete_organization(&Space::new(&storage, "unknown")?.organization).await?;
    equal("keys", two.keys().await?, vec!["x".to_owned()])?;
    let due = storage.due(10, 10).await?;
    equal("due", due, vec![two.organization.clone()])
}

async fn deleting_an_organization_with_many_items_removes_them_all(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write((0..12_345).map(|n| put(&format!("{n:06}"), "1")).collect()).await?;
    storage.delete_organization(&space.organization).await?;
    let left = space.scan(super::page(everything())).await?;
    equal("keys", left.entries.len(), 0)
}

async fn a_deleted_organization_can_not_be_written(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("x", "1")]).await?;
    equal("before", storage.is_deleted(&space.organization).await?, false)?;
    storage.delete_organization(&space.organization).await?;
    equal("after", storage.is_deleted(&space.organization).await?, true)?;
    equal("a write", space.write(vec![put("z", "3")]).await, Err(StorageError::Deleted))?;
    equal("a due time", space.wake(10).await, Err(StorageError::Deleted))?;
    // The storage may refuse an append at once or drop it later.
    match storage.append(&space.organization, vec![(k("log"), k("1"))]).await {
        Ok(()) | Err(StorageError::Deleted) => {}
        Err(error) => return Err(error.into()),
    }
    storage.flush().await?;
    equal("keys", space.keys().await?, Vec::new())?;
    equal("next", storage.next_due(0).await?, None)
}

async fn an_organization_that_never_wrote_can_be_deleted(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    equal("before", storage.is_deleted(&space.organization).await?, false)?;
    storage.delete_organization(&space.organization).await?;
    equal("its first write", space.write(vec![put("x", "1")]).await, Err(StorageError::Deleted))
}

async fn a_deletion_that_is_repeated_changes_nothing(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("x", "1")]).await?;
    for _ in 0..2 {
        storage.delete_organization(&space.organization).await?;
        equal("deleted", storage.is_deleted(&space.organization).await?, true)?;
    }
    Ok(())
}

async fn a_name_that_is_used_again_is_another_organization(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let first = Space::new(&storage, "a")?;
    let second = Space { organization: first.organization.with_generation(1), ..first.clone() };
    let before = first.write(vec![put("x", "1")]).await?;
    first.wake(10).await?;
    equal("keys of the second", second.keys().await?, Vec::new())?;
    storage.delete_organization(&first.organization).await?;
    equal("the second", storage.is_deleted(&second.organization).await?, false)?;
    let after = second.write(vec![put("y", "2")]).await?;
    holds(after > before, || format!("version {after} follows {before}"))?;
    second.wake(20).await?;
    equal("a write of the first", first.write(vec![put("z", "3")]).await, Err(StorageError::Deleted))?;
    storage.delete_organization(&first.organization).await?;
    equal("keys", second.keys().await?, vec!["y".to_owned()])?;
    equal("due", storage.due(100, 10).await?, vec![second.organization.clone()])?;
    equal("next", storage.next_due(0).await?, Some(20))
}

async fn nothing_of_those_who_write_during_a_deletion_is_left(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write((0..2_000).map(|n| put(&format!("old/{n:06}"), "1")).collect()).await?;
    let deleted = Arc::new(AtomicBool::new(false));
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let (space, deleted) = (space.clone(), Arc::clone(&deleted));
        writers.spawn(async move {
            for n in 0..100_000 {
                let late = deleted.load(Ordering::SeqCst);
                let key = format!("new/{writer}/{n}");
                // The storage may refuse an append at once or drop it later.
                let _ = space.storage.append(&space.organization, vec![(k(&format!("log/{key}")), k("1"))]).await;
                match space.write(vec![put(&key, "1")]).await {
                    Err(StorageError::Deleted) => return Ok(()),
                    Ok(_) if late => return Err(Fault(format!("{key} was written after the deletion"))),
                    Ok(_) => {}
                    Err(error) => return Err(error.into()),
                }
                tokio::task::yield_now().await;
            }
            Err(Fault("the deletion refuses nobody".into()))
        });
    }
    storage.delete_organization(&space.organization).await?;
    deleted.store(true, Ordering::SeqCst);
    for ended in writers.join_all().await {
        ended?;
    }
    storage.flush().await?;
    equal("keys", space.keys().await?, Vec::new())
}
