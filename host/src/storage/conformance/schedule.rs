//! Due times of organizations, and claims of hosts (see [`crate::capability::schedule`]).

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Fault, Space, equal, holds, put};
use crate::capability::clock::TOLERANCE;
use crate::capability::schedule::{CLAIM, Claim, LONGEST_PAUSE};
use crate::capability::storage::{Condition, OrganizationId, Storage, Transaction};

super::named![
    nothing_is_due_at_first,
    a_commit_makes_its_organization_due,
    the_earliest_time_stays,
    a_commit_without_a_time_leaves_it,
    a_failed_commit_sets_no_time,
    due_returns_the_earliest_first_and_not_more_than_asked,
    any_time_is_taken,
    a_time_further_ahead_than_any_pause_has_come,
    a_claim_takes_the_time_away,
    a_claim_leaves_a_time_that_has_not_come,
    what_is_not_due_can_not_be_claimed,
    of_many_hosts_one_gets_the_claim,
    a_claim_has_a_number_of_its_own,
    a_time_set_while_a_claim_lasts_is_kept_with_any_answer,
    the_earlier_of_the_answer_and_of_what_commits_set_holds,
    after_a_crash_somebody_looks_again_when_the_claim_has_ended,
    a_renewed_claim_lasts_longer,
    a_claim_further_ahead_than_it_ever_can_has_ended,
    who_has_lost_a_claim_leaves_the_other_one_and_adds_its_time,
    a_deleted_organization_has_no_schedule,
];

/// A plausible current time.
const NOW: u64 = 1_760_000_000_000;

/// The organizations that are due at this time, as text.
async fn due(storage: &Arc<dyn Storage>, now: u64) -> Result<Vec<String>, Fault> {
    let due = storage.due(now, 100).await?;
    Ok(due.into_iter().map(|organization| organization.to_string()).collect())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn claimed(space: &Space, now: u64) -> Result<Claim, Fault> {
    let claim = space.storage.claim(&space.organization, now).await?;
    claim.ok_or_else(|| Fault(format!("{} can't be claimed though it is due", space.organization)))
}

/// An organization that is due at [`NOW`], and the claim that a host has had on it since then.
async fn claimed_space(storage: &Arc<dyn Storage>, name: &str) -> Result<(Space, Claim), Fault> {
    let space = Space::new(storage, name)?;
    space.wake(NOW).await?;
    let claim = claimed(&space, NOW).await?;
    Ok((space, claim))
}

async fn nothing_is_due_at_first(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    Space::new(&storage, "a")?.write(vec![put("x", "1")]).await?;
    equal("due", due(&storage, u64::MAX).await?, Vec::new())?;
    equal("next", storage.next_due(NOW).await?, None)
}

async fn a_commit_makes_its_organization_due(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    Space::new(&storage, "a")?.wake(NOW).await?;
    equal("before", due(&storage, NOW - 1).await?, Vec::new())?;
    equal("at the time", due(&storage, NOW).await?, names(&["a"]))?;
    equal("after", due(&storage, NOW + 5_000).await?, names(&["a"]))?;
    equal("next, before", storage.next_due(NOW - 1).await?, Some(NOW))?;
    equal("next, after", storage.next_due(NOW + 5_000).await?, Some(NOW))
}

async fn the_earliest_time_stays(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    for (time, expected) in [(50, 50), (70, 50), (30, 30), (30, 30), (31, 30)] {
        space.wake(time).await?;
        equal(&format!("after {time}"), storage.next_due(0).await?, Some(expected))?;
    }
    Ok(())
}

async fn a_commit_without_a_time_leaves_it(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    space.wake(50).await?;
    space.write(vec![put("x", "1")]).await?;
    equal("next", storage.next_due(0).await?, Some(50))
}

async fn a_failed_commit_sets_no_time(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    let conditions = vec![Condition::Exists(b"none".to_vec())];
    let transaction = Transaction { conditions, changes: Vec::new(), wake_at: Some(10) };
    let failed = storage.commit(&space.organization, transaction).await.is_err();
    equal("failed", failed, true)?;
    equal("next", storage.next_due(0).await?, None)
}

async fn due_returns_the_earliest_first_and_not_more_than_asked(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    for (name, time) in [("c", 30), ("a", 20), ("d", 40), ("b", 10)] {
        Space::new(&storage, name)?.wake(time).await?;
    }
    equal("due at 30", due(&storage, 30).await?, names(&["b", "a", "c"]))?;
    let two = storage.due(30, 2).await?;
    equal("two of them", two.iter().map(OrganizationId::as_str).collect(), vec!["b", "a"])?;
    equal("none of them", storage.due(30, 0).await?, Vec::new())?;
    equal("all of them", storage.due(u64::MAX, usize::MAX).await?.len(), 4)
}

async fn any_time_is_taken(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let host = Space { storage: Arc::clone(&storage), organization: OrganizationId::host() };
    host.wake(0).await?;
    equal("the host, at the epoch", due(&storage, 0).await?, names(&[OrganizationId::host().as_str()]))?;
    let never = Space::new(&storage, "never")?;
    never.wake(u64::MAX).await?;
    equal("one that can't be right", storage.due(NOW, 100).await?.len(), 2)?;
    claimed(&never, NOW).await?;
    storage.delete_organization(&host.organization).await?;
    equal("while it is claimed", due(&storage, NOW).await?, Vec::new())
}

async fn a_time_further_ahead_than_any_pause_has_come(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let (far, near) = (Space::new(&storage, "far")?, Space::new(&storage, "near")?);
    let longest = NOW + LONGEST_PAUSE + TOLERANCE;
    near.wake(longest).await?;
    equal("the longest pause", due(&storage, NOW).await?, Vec::new())?;
    equal("next after the longest pause", storage.next_due(NOW).await?, Some(longest))?;
    far.wake(longest + 1).await?;
    equal("beyond it", due(&storage, NOW).await?, names(&["far"]))?;
    equal("next", storage.next_due(NOW).await?, Some(NOW))?;
    let claim = claimed(&far, NOW).await?;
    storage.release(&far.organization, claim.number, None).await?;
    equal("it was taken away", storage.next_due(NOW).await?, Some(longest))
}

async fn a_claim_takes_the_time_away(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let (space, claim) = claimed_space(&storage, "a").await?;
    equal("the claim's end", claim.until, NOW + CLAIM)?;
    equal("due", due(&storage, NOW + CLAIM - 1).await?, Vec::new())?;
    let ended = storage.release(&space.organization, claim.number, None).await?;
    equal("the claim was still this one", ended, true)?;
    equal("next", storage.next_due(NOW).await?, None)?;
    equal("due for ever", due(&storage, u64::MAX).await?, Vec::new())
}

async fn a_claim_leaves_a_time_that_has_not_come(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let (space, _) = claimed_space(&storage, "a").await?;
    let later = NOW + 2 * CLAIM;
    space.wake(later).await?;
    let second = claimed(&space, NOW + CLAIM).await?;
    storage.release(&space.organization, second.number, None).await?;
    equal("next", storage.next_due(NOW).await?, Some(later))
}

async fn what_is_not_due_can_not_be_claimed(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let space = Space::new(&storage, "a")?;
    equal("unknown", storage.claim(&space.organization, NOW).await?, None)?;
    space.wake(NOW).await?;
    equal("too early", storage.claim(&space.organization, NOW - 1).await?, None)?;
    claimed(&space, NOW).await?;
    space.wake(NOW).await?;
    equal("claimed by another", storage.claim(&space.organization, NOW + 1).await?, None)
}

async fn of_many_hosts_one_gets_the_claim(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    for round in 0..20 {
        let space = Space::new(&storage, &format!("a{round}"))?;
        space.wake(NOW).await?;
        let mut hosts = JoinSet::new();
        for _ in 0..8 {
            let space = space.clone();
            hosts.spawn(async move { space.storage.claim(&space.organization, NOW).await });
        }
        let mut got = 0;
        while let Some(host) = hosts.join_next().await {
            let claim = host.map_err(|error| Fault(format!("a task failed: {error}")))??;
            got += usize::from(claim.is_some());
        }
        equal("hosts with the claim", got, 1)?;
    }
    Ok(())
}

async fn a_claim_has_a_number_of_its_own(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let mut space = Space::new(&storage, "a")?;
    let mut numbers = Vec::new();
    for round in 0..5 {
        numbers.push(space.wake(NOW).await?);
        let claim = claimed(&space, NOW).await?;
        numbers.push(claim.number);
        storage.release(&space.organization, claim.number, None).await?;
        if round == 2 {
            // The next organization with this name is not affected.
            storage.delete_organization(&space.organization).await?;
            space.organization = space.organization.with_generation(1);
        }
    }
    holds(numbers.is_sorted_by(|before, after| before < after), || format!("versions and claims: {numbers:?}"))
}

async fn a_time_set_while_a_claim_lasts_is_kept_with_any_answer(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    // Times that are earlier than the removed one, equal to it, later, and far later than the returned one.
    for (number, meanwhile) in [NOW - 5, NOW, NOW + 5, NOW + 60_000].into_iter().enumerate() {
        for (name, answer) in [("a", None), ("b", Some(NOW + 3_600_000))] {
            let (space, claim) = claimed_space(&storage, &format!("{name}{number}")).await?;
            space.wake(meanwhile).await?;
            storage.release(&space.organization, claim.number, answer).await?;
            equal(&format!("{meanwhile} and {answer:?}"), storage.next_due(NOW).await?, Some(meanwhile))?;
            storage.delete_organization(&space.organization).await?;
        }
    }
    Ok(())
}

async fn the_earlier_of_the_answer_and_of_what_commits_set_holds(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let (space, claim) = claimed_space(&storage, "a").await?;
    space.wake(NOW + 90_000).await?;
    storage.release(&space.organization, claim.number, Some(NOW + 60_000)).await?;
    equal("the answer", storage.next_due(NOW).await?, Some(NOW + 60_000))?;
    let claim = claimed(&space, NOW + 60_000).await?;
    storage.release(&space.organization, claim.number, Some(NOW + 70_000)).await?;
    equal("no commit", storage.next_due(NOW).await?, Some(NOW + 70_000))
}

async fn after_a_crash_somebody_looks_again_when_the_claim_has_ended(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let (space, first) = claimed_space(&storage, "a").await?;
    equal("next", storage.next_due(NOW).await?, Some(first.until))?;
    space.wake(NOW).await?;
    equal("before the end", due(&storage, first.until - 1).await?, Vec::new())?;
    equal("at the end", due(&storage, first.until).await?, names(&["a"]))?;
    let second = claimed(&space, first.until).await?;
    holds(second.number > first.number, || format!("{second:?} after {first:?}"))?;
    equal("claimed again", due(&storage, first.until).await?, Vec::new())
}

async fn a_renewed_claim_lasts_longer(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let (space, claim) = claimed_space(&storage, "a").await?;
    let renewed = storage.renew(&space.organization, claim.number, NOW + 10_000).await?;
    equal("renewed", renewed, Some(Claim { number: claim.number, until: NOW + 10_000 + CLAIM }))?;
    equal("at the first end", due(&storage, claim.until).await?, Vec::new())?;
    equal("next", storage.next_due(NOW).await?, Some(NOW + 10_000 + CLAIM))?;
    let late = storage.renew(&space.organization, claim.number, NOW + 60_000).await?;
    holds(late.is_some(), || "a claim that has ended and that nobody else has can't be renewed".into())?;
    storage.release(&space.organization, claim.number, None).await?;
    equal("after its release", storage.renew(&space.organization, claim.number, NOW).await?, None)
}

async fn a_claim_further_ahead_than_it_ever_can_has_ended(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let (space, claim) = claimed_space(&storage, "a").await?;
    let earliest = claim.until - CLAIM - TOLERANCE;
    equal("by a clock a little behind", due(&storage, earliest).await?, Vec::new())?;
    equal("by a clock far behind", due(&storage, earliest - 1).await?, names(&["a"]))?;
    equal("next", storage.next_due(earliest - 1).await?, Some(earliest - 1))?;
    claimed(&space, earliest - 1).await.map(drop)
}

async fn who_has_lost_a_claim_leaves_the_other_one_and_adds_its_time(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let (space, first) = claimed_space(&storage, "a").await?;
    let second = claimed(&space, first.until).await?;
    equal("renewed", storage.renew(&space.organization, first.number, first.until).await?, None)?;
    let time = first.until + 60_000;
    let was_current = storage.release(&space.organization, first.number, Some(time)).await?;
    equal("the claim was still the first one", was_current, false)?;
    equal("the second one lasts", storage.next_due(first.until).await?, Some(second.until))?;
    storage.release(&space.organization, second.number, None).await?;
    equal("next", storage.next_due(first.until).await?, Some(time))?;
    storage.release(&space.organization, second.number, Some(time - 1)).await?;
    equal("released twice", storage.next_due(first.until).await?, Some(time - 1))
}

async fn a_deleted_organization_has_no_schedule(storage: Arc<dyn Storage>) -> Result<(), Fault> {
    let (space, claim) = claimed_space(&storage, "a").await?;
    storage.delete_organization(&space.organization).await?;
    equal("renewed", storage.renew(&space.organization, claim.number, NOW).await?, None)?;
    let was_current = storage.release(&space.organization, claim.number, Some(NOW)).await?;
    equal("the claim was still there", was_current, false)?;
    equal("claimed", storage.claim(&space.organization, NOW + CLAIM).await?, None)?;
    equal("due", due(&storage, u64::MAX).await?, Vec::new())?;
    equal("next", storage.next_due(NOW).await?, None)
}
