//! Due times.

use std::sync::Arc;

use super::{Fault, Space, equal, put};
use crate::capability::storage::{OrganizationId, Require, Storage, Transaction};

super::named![
    nothing_is_due_at_first,
    a_commit_makes_its_organization_due,
    the_earliest_time_stays,
    a_commit_without_a_time_leaves_it,
    a_failed_commit_sets_no_time,
    due_returns_the_earliest_first_and_not_more_than_asked,
    any_time_is_kept,
    reschedule_replaces_the_time_that_was_seen,
    reschedule_leaves_a_time_that_was_set_meanwhile,
    reschedule_sets_no_time_where_there_is_none,
];

/// Who is due at this time, as text.
async fn due(storage: &Arc<dyn Storage>, now: u64) -> Result<Vec<(String, u64)>, Fault> {
    let due = storage.due(now, 100).await?;
    Ok(due.into_iter().map(|(organization, at)| (organization.to_string(), at)).collect())
}

fn at(name: &str, at: u64) -> (String, u64) {
    (name.to_owned(), at)
}

async fn nothing_is_due_at_first(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    Space::new(&storage, "a")?.write(vec![put("x", "1")]).await?;
    equal("due", due(&storage, u64::MAX).await?, Vec::new())?;
    equal("next", storage.next_due().await?, None)
}

async fn a_commit_makes_its_organization_due(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    Space::new(&storage, "a")?.wake(1_000).await?;
    equal("before", due(&storage, 999).await?, Vec::new())?;
    equal("at the time", due(&storage, 1_000).await?, vec![at("a", 1_000)])?;
    equal("after", due(&storage, 5_000).await?, vec![at("a", 1_000)])?;
    equal("next", storage.next_due().await?, Some(1_000))
}

async fn the_earliest_time_stays(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    for (time, expected) in [(50, 50), (70, 50), (30, 30), (30, 30), (31, 30)] {
        space.wake(time).await?;
        equal(&format!("after {time}"), storage.next_due().await?, Some(expected))?;
    }
    Ok(())
}

async fn a_commit_without_a_time_leaves_it(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.wake(50).await?;
    space.write(vec![put("x", "1")]).await?;
    equal("next", storage.next_due().await?, Some(50))
}

async fn a_failed_commit_sets_no_time(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let require = vec![Require::Exists(b"none".to_vec())];
    let transaction = Transaction { require, write: Vec::new(), wake_at: Some(10) };
    let failed = storage.commit(&space.organization, transaction).await.is_err();
    equal("failed", failed, true)?;
    equal("next", storage.next_due().await?, None)
}

async fn due_returns_the_earliest_first_and_not_more_than_asked(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    for (name, time) in [("c", 30), ("a", 20), ("d", 40), ("b", 10)] {
        Space::new(&storage, name)?.wake(time).await?;
    }
    equal("due at 30", due(&storage, 30).await?, vec![at("b", 10), at("a", 20), at("c", 30)])?;
    let two = storage.due(30, 2).await?;
    equal("two of them", two.iter().map(|(name, _)| name.as_str()).collect(), vec!["b", "a"])?;
    equal("none of them", storage.due(30, 0).await?, Vec::new())?;
    equal("all of them", storage.due(u64::MAX, usize::MAX).await?.len(), 4)
}

async fn any_time_is_kept(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    Space::new(&storage, "never")?.wake(u64::MAX).await?;
    equal("far away", due(&storage, 1 << 60).await?, Vec::new())?;
    let host = Space { storage: Arc::clone(&storage), organization: OrganizationId::host() };
    host.wake(0).await?;
    equal("the host, at the epoch", due(&storage, 0).await?, vec![at(OrganizationId::host().as_str(), 0)])
}

async fn reschedule_replaces_the_time_that_was_seen(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.wake(10).await?;
    for (seen, next) in [(10, 50), (50, 20), (20, 20)] {
        storage.reschedule(&space.organization, seen, Some(next)).await?;
        equal(&format!("{seen} to {next}"), storage.next_due().await?, Some(next))?;
    }
    storage.reschedule(&space.organization, 20, None).await?;
    equal("to none", storage.next_due().await?, None)
}

async fn reschedule_leaves_a_time_that_was_set_meanwhile(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.wake(50).await?;
    space.wake(30).await?;
    storage.reschedule(&space.organization, 50, None).await?;
    storage.reschedule(&space.organization, 50, Some(90)).await?;
    equal("next", storage.next_due().await?, Some(30))
}

async fn reschedule_sets_no_time_where_there_is_none(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let (one, two) = (Space::new(&storage, "a")?, Space::new(&storage, "b")?);
    one.write(vec![put("x", "1")]).await?;
    storage.reschedule(&one.organization, 0, Some(10)).await?;
    storage.reschedule(&two.organization, 10, Some(20)).await?;
    equal("next", storage.next_due().await?, None)
}
