//! Limits on tries of passphrases.
//!
//! Tries are counted by their source and by the account, whether the account exists or not. A stranger's source may be
//! wrong a few times for one account, and some more times in total. An account that is tried from many sources at once
//! accepts no more tries of unknown browsers. The tries of a browser in which the member has signed in or has opened a
//! mailed link are counted separately: whatever strangers do, the member can sign in there.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use crate::capability::storage::OrganizationId;
use crate::server::throttle::{OF_ADDRESS, Throttle};

/// The most failed tries of one source for one account in a window.
const OF_SOURCE_FOR_ACCOUNT: u32 = 6;
/// The most failed tries for one account of all unknown browsers together in a window.
const OF_ACCOUNT: u32 = 30;
/// The most failed tries of one known browser in a window. The browser may have been stolen.
const OF_DEVICE: u32 = 10;
/// The most failed step-ups of one member who is signed in, in a window. The session may have been stolen.
const OF_STEP_UPS: u32 = 10;
/// The most links that one source may ask for in a window.
const OF_LINKS: u32 = 20;

/// The counts of failed tries.
pub(super) struct Tries {
    sources: Throttle,
    sources_for_accounts: Throttle,
    accounts: Throttle,
    devices: Throttle,
    step_ups: Throttle,
    links: Throttle,
    set_up: Throttle,
}

impl Default for Tries {
    fn default() -> Self {
        Self {
            sources: Throttle::new(OF_ADDRESS),
            sources_for_accounts: Throttle::new(OF_SOURCE_FOR_ACCOUNT),
            accounts: Throttle::new(OF_ACCOUNT),
            devices: Throttle::new(OF_DEVICE),
            step_ups: Throttle::new(OF_STEP_UPS),
            links: Throttle::new(OF_LINKS),
            set_up: Throttle::new(OF_ADDRESS),
        }
    }
}

/// A try to sign in.
pub(super) struct Try {
    /// The source of the try, if the server knows it.
    source: Option<IpAddr>,
    /// A hash of the account, so that long names need no memory.
    account: [u8; 32],
    /// The browser, if it is known as one of this account.
    pub(super) device: Option<Vec<u8>>,
}

impl Try {
    pub(super) fn new(
        source: Option<IpAddr>,
        organization: &OrganizationId,
        email: &str,
        device: Option<Vec<u8>>,
    ) -> Self {
        let account = Sha256::digest(format!("{organization}\0{}", email.trim().to_lowercase())).into();
        Self { source, account, device }
    }
}

impl Tries {
    /// Counts the try before it is made; an error is the number of seconds to wait.
    pub(super) fn begin(&self, one: &Try) -> Result<(), u32> {
        if let Some(device) = &one.device {
            return self.devices.begin(device);
        }
        if let Some(source) = &one.source {
            self.sources.begin(source)?;
            self.sources_for_accounts.begin(&(source, one.account))?;
        }
        self.accounts.begin(&one.account)
    }

    /// Removes the try from the count, because it was right.
    pub(super) fn succeeded(&self, one: &Try) {
        if let Some(device) = &one.device {
            return self.devices.succeeded(device);
        }
        if let Some(source) = &one.source {
            self.sources.succeeded(source);
            self.sources_for_accounts.succeeded(&(source, one.account));
        }
        self.accounts.succeeded(&one.account);
    }

    /// Counts a request for a link; an error is the number of seconds to wait.
    pub(super) fn ask_for_link(&self, source: Option<IpAddr>) -> Result<(), u32> {
        source.map_or(Ok(()), |source| self.links.begin(&source))
    }
}

/// Step-ups of members who are signed in.
impl Tries {
    /// Counts a member's step-up before it is checked; an error is the number of seconds to wait.
    pub(super) fn begin_step_up(&self, organization: &OrganizationId, member: &str) -> Result<(), u32> {
        self.step_ups.begin(&(organization.as_str(), member))
    }

    /// Removes the step-up from the count, because it was right or the backend could not check it.
    pub(super) fn step_up_was_not_wrong(&self, organization: &OrganizationId, member: &str) {
        self.step_ups.succeeded(&(organization.as_str(), member));
    }
}

/// Set-up links, which strangers may guess.
impl Tries {
    /// Counts the opening of a set-up link; an error is the number of seconds to wait.
    pub(super) fn open_link(&self, source: Option<IpAddr>) -> Result<(), u32> {
        source.map_or(Ok(()), |source| self.set_up.begin(&source))
    }

    /// Removes the opening from the count, because the link was right.
    pub(super) fn link_was_right(&self, source: Option<IpAddr>) {
        if let Some(source) = source {
            self.set_up.succeeded(&source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(source: u8, email: &str, device: Option<&str>) -> Try {
        let source = IpAddr::from([192, 0, 2, source]);
        let acme = OrganizationId::parse("acme").unwrap();
        Try::new(Some(source), &acme, email, device.map(|device| device.as_bytes().to_vec()))
    }

    fn failures(tries: &Tries, one: &Try) -> usize {
        (0..100).take_while(|_| tries.begin(one).is_ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn f10_a_stranger_slows_down_neither_another_source_nor_a_known_browser() {
        let tries = Tries::default();
        assert_eq!(failures(&tries, &one(1, "owner@a.example", None)), 6);
        assert_eq!(tries.begin(&one(2, " Owner@A.example", None)), Ok(()));
        assert!(tries.begin(&one(1, "owner@a.example", None)).is_err());
        assert_eq!(tries.begin(&one(1, "owner@a.example", Some("known"))), Ok(()), "the owner at the same source");
    }

    #[tokio::test(start_paused = true)]
    async fn f10_many_sources_slow_an_account_down_for_strangers_and_not_for_a_known_browser() {
        let tries = Tries::default();
        let sum: usize = (0..30).map(|source| failures(&tries, &one(source, "owner@a.example", None))).sum();
        assert_eq!(sum, 30);
        assert!(tries.begin(&one(200, "owner@a.example", None)).is_err());
        assert_eq!(tries.begin(&one(200, "other@a.example", None)), Ok(()));
        let known = one(200, "owner@a.example", Some("known"));
        assert_eq!(failures(&tries, &known), 10);
        assert_eq!(tries.begin(&one(200, "owner@a.example", Some("another"))), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn c26_wrong_set_up_links_of_one_source_are_slowed_down_and_right_ones_are_not() {
        let tries = Tries::default();
        let source = |last| Some(IpAddr::from([192, 0, 2, last]));
        for _ in 0..100 {
            assert_eq!(tries.open_link(source(1)), Ok(()));
            tries.link_was_right(source(1));
        }
        assert_eq!((0..100).take_while(|_| tries.open_link(source(2)).is_ok()).count(), 20);
        assert_eq!(tries.open_link(source(1)), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn one_source_tries_so_many_accounts_and_no_more() {
        let tries = Tries::default();
        let sum = (0..50).filter(|number| tries.begin(&one(1, &format!("p{number}@a.example"), None)).is_ok()).count();
        assert_eq!(sum, 20);
        let right = one(2, "owner@a.example", None);
        for _ in 0..100 {
            assert_eq!(tries.begin(&right), Ok(()));
            tries.succeeded(&right);
        }
    }
}
