//! Rules for many writers at the same time.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Fault, Space, add, equal, everything, holds, k, page, put, some};
use crate::capability::storage::{Change, Condition, Storage, StorageError};
use crate::storage::count;

super::named![
    of_writers_of_one_unique_key_exactly_one_wins,
    a_bounded_counter_is_filled_exactly,
    additions_never_conflict_and_are_never_lost,
    a_required_version_loses_no_update,
    no_two_commits_share_a_version,
    additions_to_one_team_never_conflict,
    a_team_is_deleted_with_all_its_edges,
    a_reader_sees_a_transaction_whole,
    organizations_do_not_disturb_each_other,
];

const WRITERS: usize = 32;

/// Runs a writer's work in this many concurrent tasks; returns the result of each.
async fn at_once<T, F>(work: impl Fn(usize) -> F) -> Result<Vec<T>, Fault>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        tasks.spawn(work(writer));
    }
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next().await {
        results.push(result.map_err(|error| Fault(format!("a writer ended early: {error}")))?);
    }
    Ok(results)
}

async fn of_writers_of_one_unique_key_exactly_one_wins(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    for round in 0..10 {
        let key = format!("by-email/{round}");
        let results = at_once(|writer| {
            let (space, key) = (space.clone(), key.clone());
            async move {
                let write = vec![put(&key, &writer.to_string()), put(&format!("m/{round}/{writer}"), "1")];
                (writer, space.commit(vec![Condition::Absent(k(&key))], write).await)
            }
        })
        .await?;
        let winners: Vec<_> = results.iter().filter(|(_, result)| result.is_ok()).map(|(writer, _)| *writer).collect();
        equal("winners", winners.len(), 1)?;
        let conflict = Err(StorageError::Conflict(k(&key)));
        holds(results.iter().all(|(_, result)| result.is_ok() || *result == conflict), || format!("{results:?}"))?;
        equal("the key", space.value(&key).await?, winners.first().map(usize::to_string))?;
    }
    equal("documents", count(&*storage, &space.organization, super::range("m/", "m0")).await?, 10)
}

async fn a_bounded_counter_is_filled_exactly(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    const SEATS: usize = 100;
    let space = Space::new(&storage, "a")?;
    let taken = at_once(|writer| {
        let space = space.clone();
        async move {
            let mut taken = 0;
            for n in 0..8 {
                let write = vec![put(&format!("m/{writer}/{n}"), "1"), add("seats", 1, None, Some(SEATS as i64))];
                match space.write(write).await {
                    Ok(_) => taken += 1,
                    Err(StorageError::Limit(key)) if key == b"seats" => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(taken)
        }
    })
    .await?;
    let taken: usize = taken.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().sum();
    equal("seats taken", taken, SEATS)?;
    equal("the counter", space.value("seats").await?, Some(SEATS.to_string()))?;
    equal("documents", count(&*storage, &space.organization, super::range("m/", "m0")).await?, SEATS)
}

async fn additions_never_conflict_and_are_never_lost(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let results = at_once(|writer| {
        let space = space.clone();
        async move {
            for n in 0..20 {
                let delta = if n % 2 == 0 { writer as i64 } else { 1 - writer as i64 };
                space.write(vec![add("n", delta, None, None)]).await?;
            }
            Ok::<_, StorageError>(())
        }
    })
    .await?;
    results.into_iter().collect::<Result<Vec<_>, _>>()?;
    equal("the counter", space.value("n").await?, Some((WRITERS * 10).to_string()))
}

async fn a_required_version_loses_no_update(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    const UPDATES: usize = 5;
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("x", "")]).await?;
    let results = at_once(|_| {
        let space = space.clone();
        async move {
            let mut done = 0;
            while done < UPDATES {
                let Some(item) = space.item("x").await? else {
                    return Err(Fault("the item is gone".into()));
                };
                let value = [item.value.as_slice(), b"."].concat();
                match space
                    .commit(vec![Condition::version(k("x"), item.version)], vec![Change::put(k("x"), value)])
                    .await
                {
                    Ok(_) => done += 1,
                    Err(StorageError::Conflict(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(())
        }
    })
    .await?;
    results.into_iter().collect::<Result<Vec<_>, _>>()?;
    equal("updates", space.item("x").await?.map(|item| item.value.len()), Some(WRITERS * UPDATES))
}

async fn no_two_commits_share_a_version(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    const COMMITS: usize = 20;
    let space = Space::new(&storage, "a")?;
    let versions = at_once(|writer| {
        let space = space.clone();
        async move {
            let key = writer.to_string();
            let mut versions = Vec::new();
            for n in 0..COMMITS {
                let write = if n % 4 == 3 { Change::Delete(k(&key)) } else { put(&key, "1") };
                let version = space.write(vec![write]).await?;
                holds(versions.last() < Some(&version), || format!("{version} came after {versions:?}"))?;
                let stored = space.item(&key).await?.map(|item| item.version);
                equal("what is read after it", stored, (n % 4 != 3).then_some(version))?;
                versions.push(version);
            }
            Ok(versions)
        }
    })
    .await?;
    let versions = versions.into_iter().collect::<Result<Vec<_>, Fault>>()?.concat();
    equal("different versions", versions.iter().collect::<HashSet<_>>().len(), WRITERS * COMMITS)
}

/// The conditions and changes that add a member to a team: both exist, two edges, and two touch keys written without
/// reading them.
fn join(team: &str, member: &str) -> (Vec<Condition>, Vec<Change>) {
    let require =
        vec![Condition::Exists(k(&format!("team/{team}"))), Condition::Exists(k(&format!("member/{member}")))];
    let write = vec![
        put(&format!("of-team/{team}/{member}"), ""),
        put(&format!("of-member/{member}/{team}"), ""),
        put(&format!("touch/team/{team}"), ""),
        put(&format!("touch/member/{member}"), ""),
        add(&format!("size/{team}"), 1, None, None),
    ];
    (require, write)
}

async fn additions_to_one_team_never_conflict(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let mut write = vec![put("team/t", "{}")];
    write.extend((0..WRITERS * 4).map(|n| put(&format!("member/{n:03}"), "{}")));
    space.write(write).await?;
    let results = at_once(|writer| {
        let space = space.clone();
        async move {
            for n in 0..4 {
                let (require, write) = join("t", &format!("{:03}", writer * 4 + n));
                space.commit(require, write).await?;
            }
            Ok::<_, StorageError>(())
        }
    })
    .await?;
    results.into_iter().collect::<Result<Vec<_>, _>>()?;
    let edges = |prefix: &str| super::range(&format!("{prefix}/"), &format!("{prefix}0"));
    let edges_of = async |prefix| count(&*storage, &space.organization, edges(prefix)).await;
    equal("edges of the team", edges_of("of-team").await?, WRITERS * 4)?;
    equal("edges of the members", edges_of("of-member").await?, WRITERS * 4)?;
    equal("the size", space.value("size/t").await?, Some((WRITERS * 4).to_string()))
}

async fn a_team_is_deleted_with_all_its_edges(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let mut write = vec![put("team/t", "{}"), put("touch/team/t", "")];
    write.extend((0..WRITERS).map(|n| put(&format!("member/{n}"), "{}")));
    space.write(write).await?;
    let results = at_once(|writer| {
        let space = space.clone();
        async move {
            if writer == WRITERS / 2 {
                return delete_team(&space).await;
            }
            let (require, write) = join("t", &writer.to_string());
            match space.commit(require, write).await {
                Ok(_) => Ok(()),
                Err(StorageError::Conflict(key)) => equal("the conflict", key, k("team/t")),
                Err(error) => Err(error.into()),
            }
        }
    })
    .await?;
    results.into_iter().collect::<Result<Vec<_>, _>>()?;
    equal("edges left", count(&*storage, &space.organization, super::range("of-", "of.")).await?, 0)
}

/// Reads the touch key, then the edges, and deletes all if the touch key is still the same.
async fn delete_team(space: &Space) -> Result<(), Fault> {
    loop {
        let Some(touch) = space.item("touch/team/t").await? else {
            return Err(Fault("the touch key is gone".into()));
        };
        let edges = space.scan(page(super::range("of-team/t/", "of-team/t0"))).await?;
        let members = edges.entries.iter().filter_map(|edge| edge.key.strip_prefix(b"of-team/t/"));
        let mut write: Vec<Change> =
            members.map(|member| Change::Delete([b"of-member/", member, b"/t"].concat())).collect();
        write.push(Change::DeleteRange(super::range("of-team/t/", "of-team/t0")));
        write.extend(["team/t", "touch/team/t", "size/t"].map(super::delete));
        match space.commit(vec![Condition::version(k("touch/team/t"), touch.version)], write).await {
            Ok(_) => return Ok(()),
            Err(StorageError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

async fn a_reader_sees_a_transaction_whole(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("x", "0"), put("y", "0")]).await?;
    let results = at_once(|writer| {
        let space = space.clone();
        async move {
            for n in 0..20 {
                if writer % 2 == 0 {
                    let value = format!("{writer}/{n}");
                    space.write(vec![put("x", &value), put("y", &value)]).await?;
                } else {
                    let entries = space.scan(page(everything())).await?.entries;
                    let same = entries.windows(2).all(|pair| match pair {
                        [x, y] => x.version == y.version && x.value == y.value,
                        _ => true,
                    });
                    holds(entries.len() == 2 && same, || format!("half a transaction: {entries:?}"))?;
                    tokio::task::yield_now().await;
                }
            }
            Ok(())
        }
    })
    .await?;
    results.into_iter().collect::<Result<Vec<_>, Fault>>().map(drop)
}

async fn organizations_do_not_disturb_each_other(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let results = at_once(|writer| {
        let space = Space::new(&storage, &format!("org-{writer}"));
        async move {
            let space = space?;
            for n in 0..10 {
                space.commit(vec![Condition::Absent(k(&n.to_string()))], vec![put(&n.to_string(), "1")]).await?;
                space.write(vec![add("n", 1, None, Some(10))]).await?;
            }
            equal("the counter", space.value("n").await?, some("10"))?;
            equal("keys", space.keys().await?.len(), 11)
        }
    })
    .await?;
    results.into_iter().collect::<Result<Vec<_>, _>>().map(drop)
}
