//! Requirements, order of changes, atomicity and versions of `commit`.

use std::sync::Arc;

use super::{Fault, Space, add, delete, equal, everything, holds, k, put, range, some};
use crate::capability::storage::{Change, Condition, Storage, StorageError};

super::named![
    a_commit_is_read_when_it_returns,
    all_that_a_transaction_writes_has_the_version_it_returns,
    a_version_grows_with_every_commit_also_after_deletion,
    a_version_is_not_given_again_to_the_next_of_a_deleted_name,
    a_write_leaves_the_versions_of_other_keys,
    exists_holds_only_for_a_key_with_a_value,
    absent_holds_only_for_a_key_without_a_value,
    version_holds_only_for_that_version,
    the_first_unmet_requirement_is_reported,
    requirements_see_the_state_before_the_transaction,
    a_conflict_leaves_nothing_written,
    requirements_alone_can_be_committed,
    an_empty_transaction_can_be_committed,
    writes_take_effect_in_their_order,
    deleting_an_absent_key_does_nothing,
    delete_range_deletes_what_the_transaction_put_before,
];

async fn a_commit_is_read_when_it_returns(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    for n in 0..50 {
        let value = n.to_string();
        space.write(vec![put("x", &value)]).await?;
        equal("value", space.value("x").await?, Some(value))?;
    }
    space.write(vec![delete("x")]).await?;
    equal("after the deletion", space.value("x").await?, None)
}

async fn all_that_a_transaction_writes_has_the_version_it_returns(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("x", "0"), add("n", 1, None, None)]).await?;
    let version = space.write(vec![put("x", "1"), put("y", "1"), add("n", 1, None, None)]).await?;
    for key in ["x", "y", "n"] {
        equal(key, space.item(key).await?.map(|item| item.version), Some(version))?;
    }
    Ok(())
}

async fn a_version_grows_with_every_commit_also_after_deletion(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let mut last = None;
    for n in 0..20 {
        let write = if n % 3 == 1 { delete("x") } else { put("x", "same") };
        let version = space.write(vec![write]).await?;
        holds(last < Some(version), || format!("version {version} came after {last:?}"))?;
        last = Some(version);
    }
    Ok(())
}

async fn a_version_is_not_given_again_to_the_next_of_a_deleted_name(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("x", "1")]).await?;
    let before = space.write(vec![put("x", "2")]).await?;
    storage.delete_organization(&space.organization).await?;
    let next = Space { organization: space.organization.with_generation(1), ..space };
    let after = next.write(vec![put("x", "3")]).await?;
    holds(after > before, || format!("version {after} came after {before}"))
}

async fn a_write_leaves_the_versions_of_other_keys(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let version = space.write(vec![put("x", "1"), put("y", "1")]).await?;
    space.write(vec![put("y", "2")]).await?;
    equal("x", space.item("x").await?.map(|item| item.version), Some(version))
}

/// Commits with these requirements, and sets `done` on success.
async fn require(space: &Space, require: Vec<Condition>) -> Result<(), StorageError> {
    space.commit(require, vec![put("done", "yes")]).await.map(drop)
}

async fn exists_holds_only_for_a_key_with_a_value(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("x", "")]).await?;
    equal("a key with an empty value", require(&space, vec![Condition::Exists(k("x"))]).await, Ok(()))?;
    let conflict = Err(StorageError::Conflict(k("y")));
    equal("an absent key", require(&space, vec![Condition::Exists(k("y"))]).await, conflict)
}

async fn absent_holds_only_for_a_key_without_a_value(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("x", ""), put("gone", "1")]).await?;
    space.write(vec![delete("gone")]).await?;
    equal("an absent key", require(&space, vec![Condition::Absent(k("y"))]).await, Ok(()))?;
    equal("a deleted key", require(&space, vec![Condition::Absent(k("gone"))]).await, Ok(()))?;
    let conflict = Err(StorageError::Conflict(k("x")));
    equal("a key with a value", require(&space, vec![Condition::Absent(k("x"))]).await, conflict)
}

async fn version_holds_only_for_that_version(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let old = space.write(vec![put("x", "1")]).await?;
    let new = space.write(vec![put("x", "1")]).await?;
    let version = |version| vec![Condition::version(k("x"), version)];
    let conflict = Err(StorageError::Conflict(k("x")));
    equal("the version before", require(&space, version(old)).await, conflict.clone())?;
    equal("a version to come", require(&space, version(u64::MAX)).await, conflict.clone())?;
    equal("the version", require(&space, version(new)).await, Ok(()))?;
    space.write(vec![delete("x")]).await?;
    equal("the version of a deleted key", require(&space, version(new)).await, conflict.clone())?;
    equal("version 0 of a deleted key", require(&space, version(0)).await, conflict)
}

async fn the_first_unmet_requirement_is_reported(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("x", "1")]).await?;
    let requirements = vec![Condition::Exists(k("x")), Condition::Exists(k("second")), Condition::Exists(k("third"))];
    equal("conflict", require(&space, requirements).await, Err(StorageError::Conflict(k("second"))))
}

async fn requirements_see_the_state_before_the_transaction(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.commit(vec![Condition::Absent(k("x"))], vec![put("x", "1")]).await?;
    let refused = space.commit(vec![Condition::Exists(k("y"))], vec![put("y", "1")]).await;
    equal("exists of what is put", refused, Err(StorageError::Conflict(k("y"))))
}

async fn a_conflict_leaves_nothing_written(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let version = space.write(vec![put("x", "1"), put("n", "1")]).await?;
    let write = vec![put("x", "2"), delete("n"), put("y", "2"), add("n", 5, None, None)];
    let refused = space.commit(vec![Condition::Exists(k("x")), Condition::Absent(k("n"))], write).await;
    equal("the commit", refused, Err(StorageError::Conflict(k("n"))))?;
    equal("keys", space.keys().await?, vec!["n".into(), "x".into()])?;
    equal("x", space.item("x").await?.map(|item| (item.value, item.version)), Some((k("1"), version)))
}

async fn requirements_alone_can_be_committed(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let version = space.write(vec![put("x", "1")]).await?;
    space.commit(vec![Condition::version(k("x"), version)], Vec::new()).await?;
    let refused = space.commit(vec![Condition::Absent(k("x"))], Vec::new()).await;
    equal("the second", refused, Err(StorageError::Conflict(k("x"))))?;
    equal("x", space.item("x").await?.map(|item| item.version), Some(version))
}

async fn an_empty_transaction_can_be_committed(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(Vec::new()).await?;
    equal("keys", space.keys().await?, Vec::new())
}

async fn writes_take_effect_in_their_order(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("a", "0"), put("b", "0"), put("c", "5"), put("e", "7")]).await?;
    let write = vec![
        put("a", "1"),
        put("a", "2"),
        put("b", "1"),
        delete("b"),
        add("c", 1, None, None),
        put("c", "10"),
        add("c", 1, None, None),
        delete("d"),
        put("d", "1"),
        delete("e"),
        add("e", 1, None, None),
        add("f", 1, None, None),
        add("f", 1, None, None),
        delete("f"),
    ];
    space.write(write).await?;
    let cases = [("a", some("2")), ("b", None), ("c", some("11")), ("d", some("1")), ("e", some("1")), ("f", None)];
    for (key, value) in cases {
        equal(key, space.value(key).await?, value)?;
    }
    Ok(())
}

async fn deleting_an_absent_key_does_nothing(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![delete("x"), Change::DeleteRange(everything()), put("y", "1")]).await?;
    equal("keys", space.keys().await?, vec!["y".to_owned()])
}

async fn delete_range_deletes_what_the_transaction_put_before(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![put("m/1", "old"), put("n/1", "old")]).await?;
    let write = vec![put("m/2", "before"), Change::DeleteRange(range("m/", "m0")), put("m/3", "after")];
    space.write(write).await?;
    equal("keys", space.keys().await?, vec!["m/3".into(), "n/1".into()])
}
