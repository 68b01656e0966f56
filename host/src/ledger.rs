//! The ledger: who holds how much of the host's memory.
//!
//! Every byte that the host holds for a caller is noted here: the instances that compute for it, the requests that are
//! read, what is decoded of them, and the answers until their last byte has been sent. There is one account for each
//! organization, one for all strangers together (callers who have not shown who they are), and one for everybody.
//!
//! | account | the most it holds | who sets it |
//! |---|---|---|
//! | everybody | 2 GiB | [`Limits::memory`](crate::Limits) |
//! | one organization | 512 MiB | [`Limits::memory_per_organization`](crate::Limits) |
//! | all strangers | 24 MiB | [`Limits::memory_for_strangers`](crate::Limits) |
//!
//! Two rules keep the accounts apart:
//!
//! - **An account never holds more than it leaves free for others.** A single organization is bounded by its own limit; of
//!   four that take all they can get, each has a fifth of the whole, and a fifth is left. So whoever comes next finds
//!   room, however many came before.
//! - **Memory is noted before it is taken.** If there is no room the request is refused with 503. Only what has been done
//!   already and must be told, the answer to a change, is noted in any case.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Why nothing more can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    /// The account holds all that it may.
    #[error("the account holds all the memory that it may")]
    Account,
    /// All accounts together leave no room.
    #[error("all accounts together hold all the memory that they may")]
    Everybody,
}

/// The accounts that are there from the beginning.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    everybody: Arc<Account>,
    strangers: Arc<Account>,
}

impl Ledger {
    /// A ledger of `most` bytes, with `strangers` of them for strangers.
    pub(crate) fn new(most: usize, strangers: usize) -> Self {
        let everybody = Arc::new(Account { most, held: AtomicUsize::new(0), everybody: None });
        let strangers = account(strangers, &everybody);
        Self { everybody, strangers }
    }

    /// The account of all callers who have not shown who they are.
    pub(crate) fn strangers(&self) -> &Arc<Account> {
        &self.strangers
    }

    /// A new account of `most` bytes, for one organization.
    pub(crate) fn open(&self, most: usize) -> Arc<Account> {
        account(most, &self.everybody)
    }

    /// Bytes that all accounts hold together.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.everybody.held()
    }
}

fn account(most: usize, everybody: &Arc<Account>) -> Arc<Account> {
    Arc::new(Account { most, held: AtomicUsize::new(0), everybody: Some(Arc::clone(everybody)) })
}

/// What somebody holds, and the most that may be.
#[derive(Debug)]
pub(crate) struct Account {
    most: usize,
    held: AtomicUsize,
    /// The account that counts what all hold; that one itself has none.
    everybody: Option<Arc<Account>>,
}

impl Account {
    /// Bytes that the account holds.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Bytes that the account may hold.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    fn take(&self, bytes: usize) -> Result<(), Full> {
        let left =
            self.everybody.as_ref().map_or(usize::MAX, |all| all.most.saturating_sub(all.held()).saturating_sub(bytes));
        let within = |held: usize| held.checked_add(bytes).filter(|sum| *sum <= self.most);
        let before = self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).map_err(|_| Full::Account)?;
        if before + bytes > left {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
            return Err(Full::Everybody);
        }
        if let Some(everybody) = &self.everybody
            && let Err(error) = everybody.take(bytes)
        {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
            return Err(error).map_err(|_| Full::Everybody);
        }
        Ok(())
    }

    fn take_anyway(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
        if let Some(everybody) = &self.everybody {
            everybody.take_anyway(bytes);
        }
    }

    fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(everybody) = &self.everybody {
            everybody.give_back(bytes);
        }
    }
}

/// Bytes that are noted in an account until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    account: Arc<Account>,
    bytes: usize,
}

impl Held {
    /// Nothing, in this account.
    pub(crate) fn nothing(account: Arc<Account>) -> Self {
        Self { account, bytes: 0 }
    }

    /// How many there are.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// In whose account they are.
    pub(crate) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Notes more bytes.
    ///
    /// # Errors
    /// There is no room for them; nothing has changed.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        self.account.take(bytes)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Notes more bytes whether there is room or not. It is for memory that is taken already and is bounded elsewhere.
    pub(crate) fn grow_anyway(&mut self, bytes: usize) {
        self.account.take_anyway(bytes);
        self.bytes += bytes;
    }

    /// Gives back all but so many.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.account.give_back(surplus);
        self.bytes -= surplus;
    }

    /// Notes the bytes in another account from now on, whether that has room or not.
    pub(crate) fn move_to(&mut self, account: &Arc<Account>) {
        if !Arc::ptr_eq(&self.account, account) {
            account.take_anyway(self.bytes);
            self.account.give_back(self.bytes);
            self.account = Arc::clone(account);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.account.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(account: &Arc<Account>) -> Held {
        Held::nothing(Arc::clone(account))
    }

    #[test]
    fn an_account_holds_no_more_than_it_may_and_gives_back_what_it_held() {
        let ledger = Ledger::new(1_000, 100);
        let account = ledger.open(300);
        let (mut one, mut two) = (held(&account), held(&account));
        assert_eq!(one.grow(200), Ok(()));
        assert_eq!(two.grow(101), Err(Full::Account));
        assert_eq!(two.grow(100), Ok(()));
        one.shrink_to(50);
        assert_eq!((one.bytes(), account.held(), ledger.held()), (50, 150, 150));
        drop((one, two));
        assert_eq!((account.held(), ledger.held()), (0, 0));
    }

    #[test]
    fn whoever_comes_next_finds_room_however_many_take_all_they_can() {
        for greedy in 1..20 {
            let ledger = Ledger::new(10_000, 100);
            let accounts: Vec<_> = (0..greedy).map(|_| ledger.open(10_000)).collect();
            let mut all: Vec<Held> = accounts.iter().map(held).collect();
            while all.iter_mut().map(|held| held.grow(1).is_ok()).fold(false, |any, grown| any | grown) {}
            let fair = 10_000 / (greedy + 1);
            assert!(all.iter().all(|held| held.bytes().abs_diff(fair) <= 1), "{greedy}");
            let mut next = held(&ledger.open(10_000));
            assert_eq!(next.grow(fair / 2 - 1), Ok(()), "{greedy}");
        }
    }

    #[test]
    fn strangers_have_a_share_and_no_more() {
        let ledger = Ledger::new(1_000, 100);
        let mut stranger = held(ledger.strangers());
        assert_eq!(stranger.grow(101), Err(Full::Account));
        assert_eq!(stranger.grow(100), Ok(()));
        let organization = ledger.open(500);
        stranger.move_to(&organization);
        assert_eq!((ledger.strangers().held(), organization.held(), ledger.held()), (0, 100, 100));
    }

    #[test]
    fn what_must_be_held_is_held_and_counts_against_what_comes_next() {
        let ledger = Ledger::new(1_000, 100);
        let account = ledger.open(100);
        let mut answer = held(&account);
        answer.grow_anyway(150);
        assert_eq!(held(&account).grow(1), Err(Full::Account));
        answer.shrink_to(99);
        assert_eq!(held(&account).grow(1), Ok(()));
    }
}
