//! Kinds of IP addresses: the public ones, and the others with the reason.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The purpose of an address, by the IANA special-purpose address registries (RFC 6890).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// Reachable from everywhere: the only kind that a request may go to without being permitted.
    Public,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16` (RFC 1918), `fc00::/7` (RFC 4193).
    Private,
    /// `100.64.0.0/10`: behind a carrier's NAT (RFC 6598).
    Shared,
    /// `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// Addresses at which clouds return the machine's credentials: `169.254.169.254`, `fd00:ec2::254`,
    /// `100.100.100.200`, `168.63.129.16`, `192.0.0.192` and their kin.
    Metadata,
    /// `0.0.0.0/8`, `::`.
    Unspecified,
    /// `224.0.0.0/4`, `ff00::/8`.
    Multicast,
    /// Documentation, benchmarking, transition mechanisms that can hide another address, and what is not assigned.
    Reserved,
}

impl AddressKind {
    /// The kind of an address. An IPv4 address inside an IPv6 one (mapped, or NAT64's well-known prefix) counts as
    /// that IPv4 address.
    pub fn of(address: IpAddr) -> Self {
        match embedded(address) {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }
}

impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::Shared => "shared (carrier-grade NAT)",
            Self::LinkLocal => "link-local",
            Self::Metadata => "cloud metadata",
            Self::Unspecified => "unspecified",
            Self::Multicast => "multicast",
            Self::Reserved => "reserved",
        })
    }
}

/// The IPv4 address at which a packet to this IPv6 address ends, if there is one.
pub(super) fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        _ => address,
    }
}

fn of_v4(address: Ipv4Addr) -> AddressKind {
    match address.octets() {
        // Most clouds; AWS's containers (ECS, EKS); Alibaba; Azure's wire server; Oracle.
        [169, 254, 169, 254 | 253 | 123]
        | [169, 254, 170, 2 | 23]
        | [100, 100, 100, 200]
        | [168, 63, 129, 16]
        | [192, 0, 0, 192] => AddressKind::Metadata,
        [0, ..] => AddressKind::Unspecified,
        [127, ..] => AddressKind::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => AddressKind::Private,
        [100, 64..=127, ..] => AddressKind::Shared,
        [169, 254, ..] => AddressKind::LinkLocal,
        [224..=239, ..] => AddressKind::Multicast,
        // IETF protocols, 6to4 relays, documentation, benchmarking, class E and broadcast.
        [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [198, 18 | 19, ..]
        | [240..=255, ..] => AddressKind::Reserved,
        _ => AddressKind::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> AddressKind {
    if address.is_unspecified() {
        return AddressKind::Unspecified;
    }
    if address.is_loopback() {
        return AddressKind::Loopback;
    }
    match address.segments() {
        // AWS: instance metadata, DNS, time; EKS pod identity. Google: metadata.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23 | 0x53 | 0x123 | 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => {
            AddressKind::Metadata
        }
        [0xfc00..=0xfdff, ..] => AddressKind::Private,
        // fec0::/10 was the range of site-local addresses.
        [0xfe80..=0xfebf, ..] => AddressKind::LinkLocal,
        [0xfec0..=0xfeff, ..] => AddressKind::Private,
        [0xff00..=0xffff, ..] => AddressKind::Multicast,
        // IETF protocols (Teredo, ORCHID, benchmarking), documentation, 6to4, documentation again (RFC 9637).
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => AddressKind::Reserved,
        [0x2000..=0x3fff, ..] => AddressKind::Public,
        _ => AddressKind::Reserved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_the_kind_of_its_registry() {
        use AddressKind::{LinkLocal, Loopback, Metadata, Multicast, Private, Public, Reserved, Shared, Unspecified};
        let table = [
            (Public, "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1"),
            (Public, "169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 192.0.1.0"),
            (Public, "198.17.255.255 198.20.0.0 223.255.255.255 168.63.129.15 203.0.112.255 203.0.114.0"),
            (Public, "2606:4700::1111 2a00:1450:4001::1 2001:200::1 2001:4860:4860::8888 2000::1 3ffe::1"),
            (Loopback, "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 64:ff9b::127.0.0.1"),
            (Private, "10.0.0.0 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 fc00::1 fdff::1 fec0::1"),
            (Private, "::ffff:10.0.0.1 ::ffff:192.168.1.1 64:ff9b::10.0.0.1"),
            (Shared, "100.64.0.0 100.127.255.255 ::ffff:100.64.0.1"),
            (LinkLocal, "169.254.0.1 169.254.169.252 fe80::1 febf::1 ::ffff:169.254.1.1"),
            (Metadata, "169.254.169.254 169.254.170.2 100.100.100.200 168.63.129.16 192.0.0.192 fd00:ec2::254"),
            (Metadata, "::ffff:169.254.169.254 64:ff9b::169.254.169.254 fd20:ce::254"),
            (Unspecified, "0.0.0.0 0.1.2.3 :: ::ffff:0.0.0.0"),
            (Multicast, "224.0.0.1 239.255.255.255 ff02::1 ff0e::1"),
            (Reserved, "192.0.0.1 192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1"),
            (Reserved, "240.0.0.1 255.255.255.255 2001::1 2001:1ff::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1"),
            (Reserved, "3fff::1 3fff:fff::1 ::127.0.0.1 ::8.8.8.8 100::1 64:ff9b:1::10.0.0.1 4000::1 5f00::1 fe00::1"),
            (Public, "::ffff:8.8.8.8 64:ff9b::8.8.8.8"),
        ];
        for (kind, addresses) in table {
            for address in addresses.split(' ') {
                assert_eq!(AddressKind::of(address.parse().unwrap()), kind, "{address}");
            }
        }
    }
}
