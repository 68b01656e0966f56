//! Slows down who tries passphrases: from one address, and of one account, whether there is such an account or not.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use sha2::{Digest as _, Sha256};

use crate::capability::storage::OrganizationId;

/// Failed tries of one address in one window.
pub(crate) const OF_ADDRESS: u32 = 20;
/// Failed tries of one account in one window. The component slows accounts down as well, but only those that are there.
pub(super) const OF_ACCOUNT: u32 = 6;
/// The window, in milliseconds.
const WINDOW: u64 = 10 * 60 * 1000;
/// Sources that are remembered; the one whose window is oldest is forgotten first.
const SOURCES: usize = 4_096;

/// The tries of all sources of one kind.
pub(crate) struct Throttle<S> {
    most: u32,
    all: Mutex<HashMap<S, Tries>>,
}

struct Tries {
    since: u64,
    count: u32,
}

impl<S: Eq + Hash + Clone> Throttle<S> {
    /// So many tries of each source in a window.
    pub(crate) fn new(most: u32) -> Self {
        Self { most, all: Mutex::default() }
    }

    /// Counts a try before it is made, so that parallel ones count as well; or the seconds to wait.
    pub(crate) fn begin(&self, source: &S, now: u64) -> Result<(), u32> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= SOURCES && !all.contains_key(source) {
            let oldest = all.iter().min_by_key(|(_, tries)| tries.since).map(|(source, _)| source.clone());
            oldest.and_then(|oldest| all.remove(&oldest));
        }
        let tries = all.entry(source.clone()).or_insert(Tries { since: now, count: 0 });
        if now.saturating_sub(tries.since) >= WINDOW {
            *tries = Tries { since: now, count: 0 };
        }
        if tries.count >= self.most {
            let left = (tries.since + WINDOW).saturating_sub(now);
            return Err(u32::try_from(left.div_ceil(1000)).unwrap_or(u32::MAX));
        }
        tries.count += 1;
        Ok(())
    }

    /// The try was right: it does not count.
    pub(super) fn succeeded(&self, source: &S) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tries) = all.get_mut(source) {
            tries.count = tries.count.saturating_sub(1);
        }
    }
}

/// An account as a source, whatever it is called: a hash, so that names that are long or many cost nothing.
pub(super) fn account(organization: &OrganizationId, email: &str) -> [u8; 32] {
    Sha256::digest(format!("{organization}\0{}", email.trim().to_lowercase())).into()
}

/// Where the request comes from, as far as tries are counted: see [`sender`]; of IPv6 the network.
pub(crate) fn address(request: &Parts) -> Option<IpAddr> {
    sender(request).map(network)
}

/// Who sent the request: the peer, or whom a proxy beside this server names last. `None` if the server does not tell.
pub(crate) fn sender(request: &Parts) -> Option<IpAddr> {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip().to_canonical();
    let near = match peer {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    };
    let named = || {
        let last = request.headers.get_all("x-forwarded-for").iter().next_back()?;
        last.to_str().ok()?.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
    };
    Some(if near { named().unwrap_or(peer) } else { peer })
}

/// Who has one address of a /64 has them all.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn request(peer: &str, forwarded: &[&str]) -> Parts {
        let mut request = Request::new(()).into_parts().0;
        request.extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        for value in forwarded {
            request.headers.append("x-forwarded-for", value.parse().unwrap());
        }
        request
    }

    #[test]
    fn a_source_waits_after_its_tries_and_no_other_does() {
        let throttle = Throttle::new(3);
        for _ in 0..3 {
            assert_eq!(throttle.begin(&"one", 1000), Ok(()));
        }
        assert_eq!(throttle.begin(&"one", 1000), Err(600));
        assert_eq!(throttle.begin(&"other", 1000), Ok(()));
        assert_eq!(throttle.begin(&"one", 1000 + WINDOW), Ok(()));
    }

    #[test]
    fn right_passphrases_do_not_count() {
        let throttle = Throttle::new(3);
        for _ in 0..9 {
            assert_eq!(throttle.begin(&"one", 0), Ok(()));
            throttle.succeeded(&"one");
        }
    }

    #[test]
    fn sources_are_remembered_up_to_a_number() {
        let throttle = Throttle::new(3);
        for number in 0..SOURCES + 50 {
            let _ = throttle.begin(&number, number as u64);
        }
        assert_eq!(throttle.all.lock().unwrap().len(), SOURCES);
    }

    #[test]
    fn an_account_is_the_same_in_any_case_and_another_in_another_organization() {
        let organization = |name: &str| OrganizationId::parse(name).unwrap();
        assert_eq!(account(&organization("a"), " Ada@A.example"), account(&organization("a"), "ada@a.example"));
        assert_ne!(account(&organization("a"), "ada@a.example"), account(&organization("b"), "ada@a.example"));
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        assert_eq!(address(&request("2001:db8::1", &[])), address(&request("2001:db8::ffff:1", &[])));
        assert_ne!(address(&request("2001:db8::1", &[])), address(&request("2001:db8:0:1::1", &[])));
    }

    #[test]
    fn only_a_proxy_nearby_may_name_another_address() {
        assert_eq!(address(&request("203.0.113.9", &["192.0.2.1"])), ip("203.0.113.9"));
        assert_eq!(address(&request("127.0.0.1", &["198.51.100.1, 192.0.2.1"])), ip("192.0.2.1"));
        assert_eq!(address(&request("10.0.0.2", &["192.0.2.1", "192.0.2.7"])), ip("192.0.2.7"));
        assert_eq!(address(&request("127.0.0.1", &[])), ip("127.0.0.1"));
        assert_eq!(address(&request("127.0.0.1", &["nonsense"])), ip("127.0.0.1"));
    }
}
