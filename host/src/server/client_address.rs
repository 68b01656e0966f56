//! The address of a client: that of the peer, or the one that trusted proxies name.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies in front of this server, which are trusted to name the sender of a request. None by default.
///
/// `X-Forwarded-For` is read from its end, or `Forwarded` (RFC 7239) if a request does not have it: each proxy adds the
/// address that it has taken the request from, so the last one that is no trusted proxy is the client's. Anything
/// before it comes from the client, and is ignored.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    networks: Arc<[IpNet]>,
    /// Whether the log already says that an untrusted peer has named other addresses.
    told: Arc<AtomicBool>,
}

/// The reason why a text is no network of proxies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no network, such as 10.0.0.0/8 or 192.0.2.7")]
pub struct InvalidProxy(String);

impl TrustedProxies {
    /// Trusts these networks or single addresses.
    ///
    /// # Errors
    /// The error names the text that is no network.
    pub fn parse<S: AsRef<str>>(networks: impl IntoIterator<Item = S>) -> Result<Self, InvalidProxy> {
        let networks = networks.into_iter().map(|text| network_of(text.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { networks, told: Arc::default() })
    }

    /// Whether the peer that has sent a request is one of these proxies.
    pub(crate) fn trust(&self, peer: IpAddr) -> bool {
        self.contain(peer.to_canonical())
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The address of the sender, without the port. `None` if the server does not know the peer.
    pub(crate) fn client(&self, request: &Parts) -> Option<IpAddr> {
        let peer = request.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip().to_canonical();
        if !self.contain(peer) {
            if request.headers.contains_key(X_FORWARDED_FOR)
                && is_near(peer)
                && !self.told.swap(true, Ordering::Relaxed)
            {
                tracing::warn!(
                    "requests come from {peer} on behalf of others, and it is not trusted to say of whom; if it is \
                     your proxy, start the server with --trusted-proxy {peer}"
                );
            }
            return Some(peer);
        }
        let mut client = peer;
        for named in forwarded_for(&request.headers).into_iter().rev() {
            // A proxy that can be trusted does not write an unreadable address.
            let Some(address) = named else { break };
            client = address;
            if !self.contain(address) {
                break;
            }
        }
        Some(client)
    }

    /// The source for which failed tries are counted: a person who has one address of a /64 network has all of them.
    pub(crate) fn source(&self, request: &Parts) -> Option<IpAddr> {
        self.client(request).map(|client| match client {
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// Whether this can be the address of a proxy.
fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    }
}

fn network_of(text: &str) -> Result<IpNet, InvalidProxy> {
    let text = text.trim();
    let address = || IpAddr::from_str(text).map(IpNet::from);
    IpNet::from_str(text).or_else(|_| address()).map_err(|_| InvalidProxy(text.to_owned()))
}

/// The addresses in the order in which proxies have added them; `None` for a text that is no address.
fn forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let texts = |name: HeaderName| headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    if headers.contains_key(X_FORWARDED_FOR) {
        return texts(X_FORWARDED_FOR).flat_map(|text| text.split(',')).map(address_of).collect();
    }
    let of_element = |element: &str| {
        let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
        let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
        address_of(node.trim().trim_matches('"'))
    };
    texts(header::FORWARDED).flat_map(|text| text.split(',')).map(of_element).collect()
}

/// An address with or without a port. An IPv6 address may be in brackets.
fn address_of(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(bare, _)| bare);
    let address = IpAddr::from_str(bare).or_else(|_| SocketAddr::from_str(text).map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn request(peer: &str, name: &'static str, values: &[&str]) -> Parts {
        let mut request = Request::new(()).into_parts().0;
        request.extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        for value in values {
            request.headers.append(name, value.parse().unwrap());
        }
        request
    }

    fn behind(proxies: &[&str], peer: &str, values: &[&str]) -> Option<IpAddr> {
        TrustedProxies::parse(proxies).unwrap().client(&request(peer, "x-forwarded-for", values))
    }

    #[test]
    fn f11_nobody_is_trusted_unless_named() {
        for peer in ["127.0.0.1", "10.0.0.2", "203.0.113.9", "::1"] {
            assert_eq!(behind(&[], peer, &["192.0.2.1"]), ip(peer));
        }
        assert_eq!(behind(&["10.0.0.0/8"], "127.0.0.1", &["192.0.2.1"]), ip("127.0.0.1"));
    }

    #[test]
    fn f11_the_last_address_that_is_no_trusted_proxy_is_the_clients() {
        let proxies = ["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"];
        for (peer, values, client) in [
            ("127.0.0.1", &["198.51.100.1, 192.0.2.1"][..], "192.0.2.1"),
            ("10.0.0.2", &["192.0.2.1", "192.0.2.7"], "192.0.2.7"),
            ("10.0.0.2", &["192.0.2.1, 10.9.9.9", "10.1.1.1"], "192.0.2.1"),
            ("10.0.0.2", &["10.3.3.3, 10.4.4.4"], "10.3.3.3"),
            ("::ffff:10.0.0.2", &["192.0.2.1:4711"], "192.0.2.1"),
            ("2001:db8::5", &["[2001:db9::1]:80"], "2001:db9::1"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["192.0.2.1, nonsense"], "127.0.0.1"),
            ("127.0.0.1", &["nonsense, 192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["nonsense, 10.0.0.9"], "10.0.0.9"),
            ("203.0.113.9", &["192.0.2.1"], "203.0.113.9"),
        ] {
            assert_eq!(behind(&proxies, peer, values), ip(client), "{peer} {values:?}");
        }
    }

    #[test]
    fn rfc7239_forwarded_is_read_where_there_is_no_x_forwarded_for() {
        let proxies = TrustedProxies::parse(["10.0.0.0/8"]).unwrap();
        let client = |value: &str| proxies.client(&request("10.0.0.1", "forwarded", &[value]));
        assert_eq!(client("for=198.51.100.1, for=192.0.2.43;proto=https;by=10.0.0.7"), ip("192.0.2.43"));
        assert_eq!(client("For=\"[2001:db8:cafe::17]:4711\""), ip("2001:db8:cafe::17"));
        assert_eq!(client("for=unknown"), ip("10.0.0.1"));
        let mut both = request("10.0.0.1", "forwarded", &["for=192.0.2.1"]);
        both.headers.append("x-forwarded-for", "192.0.2.2".parse().unwrap());
        assert_eq!(proxies.client(&both), ip("192.0.2.2"));
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        let source = |peer: &str| TrustedProxies::default().source(&request(peer, "x-forwarded-for", &[]));
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "proxy", "10.0.0.0/99", "10.0.0.0/8/8"] {
            assert!(TrustedProxies::parse([text]).is_err(), "{text}");
        }
    }
}
