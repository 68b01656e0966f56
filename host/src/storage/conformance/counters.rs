//! Bounded additions.

use std::sync::Arc;

use super::{Fault, Space, add, delete, equal, holds, k, put, some};
use crate::capability::storage::{Storage, StorageError, Transaction};

super::named![
    an_absent_counter_counts_as_zero,
    a_counter_is_a_decimal_integer_in_ascii,
    adding_to_what_is_no_integer_fails,
    a_counter_may_reach_its_bounds,
    a_counter_may_not_leave_its_bounds,
    a_counter_may_not_leave_64_bits,
    bounds_hold_after_each_addition,
    a_limit_leaves_nothing_written,
    a_failed_transaction_leaves_later_ones_alone,
];

async fn an_absent_counter_counts_as_zero(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![add("up", 3, None, None), add("down", -3, None, None), add("zero", 0, None, None)]).await?;
    for (key, value) in [("up", "3"), ("down", "-3"), ("zero", "0")] {
        equal(key, space.value(key).await?, some(value))?;
    }
    space.write(vec![delete("up")]).await?;
    space.write(vec![add("up", 2, None, None)]).await?;
    equal("after the deletion", space.value("up").await?, some("2"))
}

async fn a_counter_is_a_decimal_integer_in_ascii(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let cases = [("41", "42"), ("-1", "0"), ("-43", "-42"), ("9223372036854775806", "9223372036854775807")];
    for (before, after) in cases {
        space.write(vec![put("n", before)]).await?;
        space.write(vec![add("n", 1, None, None)]).await?;
        equal(before, space.value("n").await?, some(after))?;
    }
    Ok(())
}

async fn adding_to_what_is_no_integer_fails(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    for text in ["", "x", "1.5", "1e3", " 1", "1 ", "+1", "--1", "0x10", "9223372036854775808", "\u{663}"] {
        space.write(vec![put("n", text)]).await?;
        let refused = space.write(vec![put("y", "1"), add("n", 1, None, None)]).await;
        holds(matches!(refused, Err(StorageError::Other(_))), || format!("{text:?}: {refused:?} instead of Other"))?;
        equal("the value", space.value("n").await?, some(text))?;
        equal("what was put with it", space.value("y").await?, None)?;
    }
    Ok(())
}

async fn a_counter_may_reach_its_bounds(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.write(vec![add("n", 5, None, Some(5))]).await?;
    equal("at the maximum", space.value("n").await?, some("5"))?;
    space.write(vec![add("n", -5, Some(0), None)]).await?;
    equal("at the minimum", space.value("n").await?, some("0"))?;
    space.write(vec![add("n", -7, Some(-7), Some(-7))]).await?;
    equal("between equal bounds", space.value("n").await?, some("-7"))
}

async fn a_counter_may_not_leave_its_bounds(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let limit = Err(StorageError::Limit(k("n")));
    equal("absent, over", space.write(vec![add("n", 6, None, Some(5))]).await, limit.clone())?;
    space.write(vec![put("n", "5")]).await?;
    equal("over", space.write(vec![add("n", 1, None, Some(5))]).await, limit.clone())?;
    equal("under", space.write(vec![add("n", -6, Some(0), None)]).await, limit.clone())?;
    // The bound applies to the sum, not to the direction of the change.
    equal("still over", space.write(vec![add("n", -1, None, Some(3))]).await, limit)?;
    equal("the value", space.value("n").await?, some("5"))
}

async fn a_counter_may_not_leave_64_bits(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let limit = Err(StorageError::Limit(k("n")));
    space.write(vec![add("n", i64::MAX, None, None)]).await?;
    equal("over", space.write(vec![add("n", 1, None, None)]).await, limit.clone())?;
    space.write(vec![put("n", &i64::MIN.to_string())]).await?;
    equal("under", space.write(vec![add("n", -1, None, None)]).await, limit)
}

async fn bounds_hold_after_each_addition(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let write = vec![add("n", 2, None, Some(1)), add("n", -2, None, None)];
    equal("over and back", space.write(write).await, Err(StorageError::Limit(k("n"))))?;
    let write = vec![add("n", -2, None, None), add("n", 3, None, Some(1))];
    space.write(write).await?;
    equal("the value", space.value("n").await?, some("1"))
}

async fn a_limit_leaves_nothing_written(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let version = space.write(vec![put("x", "1"), put("m/1", "1"), put("seats", "3")]).await?;
    let changes = vec![
        put("x", "2"),
        put("y", "2"),
        delete("m/1"),
        add("n", 1, None, None),
        add("seats", 1, None, Some(3)),
        put("z", "2"),
    ];
    let transaction = Transaction { changes, wake_at: Some(5), ..Transaction::default() };
    let refused = storage.commit(&space.organization, transaction).await;
    equal("the commit", refused, Err(StorageError::Limit(k("seats"))))?;
    equal("keys", space.keys().await?, vec!["m/1".into(), "seats".into(), "x".into()])?;
    equal("x", space.item("x").await?.map(|item| (item.value, item.version)), Some((k("1"), version)))?;
    equal("the due time", storage.next_due(0).await?, None)
}

async fn a_failed_transaction_leaves_later_ones_alone(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let fails = space.write(vec![put("x", "1"), add("n", 1, None, Some(0))]);
    let succeeds = space.write(vec![put("y", "1")]);
    let (failed, succeeded) = tokio::join!(fails, succeeds);
    equal("the one that fails", failed, Err(StorageError::Limit(k("n"))))?;
    let version = succeeded?;
    equal("keys", space.keys().await?, vec!["y".to_owned()])?;
    equal("y", space.item("y").await?.map(|item| item.version), Some(version))
}
