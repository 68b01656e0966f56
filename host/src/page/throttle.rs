//! Slows down who tries passphrases from one address. The component does the same for each account.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;

/// Failed tries of one address in one window.
const TRIES: u32 = 20;
/// The window, in milliseconds.
const WINDOW: u64 = 10 * 60 * 1000;
/// Addresses that are remembered; the one whose window is oldest is forgotten first.
const ADDRESSES: usize = 10_000;

/// The tries of all addresses.
#[derive(Default)]
pub(super) struct Throttle(Mutex<HashMap<IpAddr, Tries>>);

struct Tries {
    since: u64,
    count: u32,
}

impl Throttle {
    /// Counts a try before it is made, so that parallel ones count as well; or the seconds to wait.
    pub(super) fn begin(&self, address: Option<IpAddr>, now: u64) -> Result<(), u32> {
        let Some(address) = address.map(network) else { return Ok(()) };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ADDRESSES && !all.contains_key(&address) {
            let oldest = all.iter().min_by_key(|(_, tries)| tries.since).map(|(address, _)| *address);
            oldest.and_then(|oldest| all.remove(&oldest));
        }
        let tries = all.entry(address).or_insert(Tries { since: now, count: 0 });
        if now.saturating_sub(tries.since) >= WINDOW {
            *tries = Tries { since: now, count: 0 };
        }
        if tries.count >= TRIES {
            let left = (tries.since + WINDOW).saturating_sub(now);
            return Err(u32::try_from(left.div_ceil(1000)).unwrap_or(u32::MAX));
        }
        tries.count += 1;
        Ok(())
    }

    /// The try was right: it does not count.
    pub(super) fn succeeded(&self, address: Option<IpAddr>) {
        let Some(address) = address.map(network) else { return };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tries) = all.get_mut(&address) {
            tries.count = tries.count.saturating_sub(1);
        }
    }
}

/// Who sent the request: the peer, or whom a proxy beside this server names last. `None` if the server does not tell.
pub(super) fn address(request: &Parts) -> Option<IpAddr> {
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
    fn an_address_waits_after_its_tries_and_no_other_does() {
        let throttle = Throttle::default();
        for _ in 0..TRIES {
            assert_eq!(throttle.begin(ip("192.0.2.1"), 1000), Ok(()));
        }
        assert_eq!(throttle.begin(ip("192.0.2.1"), 1000), Err(600));
        assert_eq!(throttle.begin(ip("192.0.2.2"), 1000), Ok(()));
        assert_eq!(throttle.begin(ip("192.0.2.1"), 1000 + WINDOW), Ok(()));
    }

    #[test]
    fn right_passphrases_do_not_count() {
        let throttle = Throttle::default();
        for _ in 0..3 * TRIES {
            assert_eq!(throttle.begin(ip("192.0.2.1"), 0), Ok(()));
            throttle.succeeded(ip("192.0.2.1"));
        }
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let throttle = Throttle::default();
        for host in 0..TRIES {
            assert_eq!(throttle.begin(ip(&format!("2001:db8::{host:x}")), 0), Ok(()));
        }
        assert!(throttle.begin(ip("2001:db8::ffff:1"), 0).is_err());
        assert_eq!(throttle.begin(ip("2001:db8:0:1::1"), 0), Ok(()));
    }

    #[test]
    fn addresses_are_remembered_up_to_a_number() {
        let throttle = Throttle::default();
        for number in 0..2 * ADDRESSES as u32 {
            let _ = throttle.begin(Some(IpAddr::V4(std::net::Ipv4Addr::from_bits(number))), u64::from(number));
        }
        assert_eq!(throttle.0.lock().unwrap().len(), ADDRESSES);
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
