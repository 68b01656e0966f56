//! The egress policy: where an organization's requests may go.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::Deserialize;
use url::{Host, Url};

use super::address::{AddressKind, embedded};

/// The ports that are allowed if no rule names others.
const PORTS: [u16; 2] = [443, 8443];

/// The rules for the destinations of requests. A rule names a host (`api.example.com`), all hosts below a domain
/// (`*.example.com`) or, in [`EgressConfig::permit`] only, a network (`10.1.0.0/16`, `fd00::/8`, `127.0.0.1`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct EgressConfig {
    /// The hosts that may be reached at all. Without it: all that are public.
    pub only: Option<Vec<String>>,
    /// Destinations that are allowed although their address is not public, on any port unless the rule ends in one
    /// (`:8443`), and by plain HTTP if the rule begins with `http://`. A host's rule covers its loopback, private and
    /// shared addresses; link-local and cloud metadata addresses need a network's rule.
    pub permit: Vec<String>,
    /// The ports that may be used where no rule permits another. Default: 443 and 8443.
    pub ports: Option<Vec<u16>>,
}

/// The allowed destinations of requests: `https:` to public addresses on the usual ports, narrowed by an allow-list of
/// hosts, widened by permissions that name a host or a network.
#[derive(Clone, Debug)]
pub struct EgressPolicy {
    only: Option<Vec<HostPattern>>,
    ports: Vec<u16>,
    permit: Vec<Permit>,
}

/// The reason why a destination is refused. The text is for the organization's log, so it does not contain resolved
/// addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither `https:` nor a permitted `http:`.
    #[error("only https: URLs are allowed")]
    Scheme,
    /// The URL carries a user name or password.
    #[error("a URL with a user name or password in it is not allowed")]
    Credentials,
    /// The host is not on the organization's allow-list.
    #[error("the host {0} is not on the organization's allow-list")]
    NotListed(String),
    /// The port is not one of those allowed.
    #[error("port {0} is not allowed")]
    Port(u16),
    /// The host is, or resolves only to, addresses of this kind.
    #[error("the host {host} has no public address: {kind}")]
    Address {
        /// The host, as the URL names it.
        host: String,
        /// The kind of the first of its addresses.
        kind: AddressKind,
    },
}

/// The policy's result for a URL before its host is resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    /// The host in lower case, without a trailing dot; an IPv6 address without its brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) plain: bool,
}

impl EgressPolicy {
    /// Reads the rules.
    ///
    /// # Errors
    /// Names the rule that can't be read.
    pub fn new(config: &EgressConfig) -> Result<Self, InvalidEgressRule> {
        let only = match &config.only {
            Some(only) => Some(only.iter().map(|host| host.parse()).collect::<Result<_, _>>()?),
            None => None,
        };
        let permit = config.permit.iter().map(|rule| rule.parse()).collect::<Result<_, _>>()?;
        Ok(Self { only, ports: config.ports.clone().unwrap_or_else(|| PORTS.to_vec()), permit })
    }

    /// Checks everything about a URL that can be checked without resolving its host.
    pub(super) fn check_url(&self, url: &Url) -> Result<Destination, Refusal> {
        let plain = match url.scheme() {
            "https" => false,
            "http" => true,
            _ => return Err(Refusal::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.trim_end_matches('.').to_ascii_lowercase(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(Refusal::Scheme),
        };
        let port = url.port_or_known_default().unwrap_or(443);
        let destination = Destination { host, port, plain };
        self.check(&destination)?;
        Ok(destination)
    }

    fn check(&self, to: &Destination) -> Result<(), Refusal> {
        let literal: Option<IpAddr> = to.host.parse().ok();
        let listed = |only: &Vec<HostPattern>| only.iter().any(|pattern| pattern.matches(&to.host));
        if !self.only.as_ref().is_none_or(listed) {
            return Err(Refusal::NotListed(to.host.clone()));
        }
        // A permission for a network can only be checked when the address is known, which `addresses` does.
        let may_apply = |permit: &Permit| permit.covers_port(to) && permit.may_cover_host(&to.host, literal);
        if self.permit.iter().any(may_apply) {
            return Ok(());
        }
        if to.plain {
            return Err(Refusal::Scheme);
        }
        if !self.ports.contains(&to.port) {
            return Err(Refusal::Port(to.port));
        }
        match literal.map(AddressKind::of) {
            None | Some(AddressKind::Public) => Ok(()),
            Some(kind) => Err(Refusal::Address { host: to.host.clone(), kind }),
        }
    }

    /// Those of the host's addresses to which a connection may be made; at least one.
    pub(super) fn addresses(&self, to: &Destination, resolved: &[IpAddr]) -> Result<Vec<IpAddr>, Refusal> {
        let allowed: Vec<IpAddr> = resolved.iter().copied().filter(|&address| self.allows(to, address)).collect();
        if !allowed.is_empty() {
            return Ok(allowed);
        }
        let kind = resolved.first().map_or(AddressKind::Unspecified, |&address| AddressKind::of(address));
        Err(match kind {
            AddressKind::Public if to.plain => Refusal::Scheme,
            AddressKind::Public => Refusal::Port(to.port),
            kind => Refusal::Address { host: to.host.clone(), kind },
        })
    }

    fn allows(&self, to: &Destination, address: IpAddr) -> bool {
        let public = AddressKind::of(address) == AddressKind::Public;
        if public && !to.plain && self.ports.contains(&to.port) {
            return true;
        }
        self.permit.iter().any(|permit| permit.covers_port(to) && permit.covers(&to.host, address))
    }
}

/// A host name, or `*.` and a domain: all names below that domain.
#[derive(Clone, Debug)]
enum HostPattern {
    Exact(String),
    Below(String),
}

impl HostPattern {
    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => name == host,
            Self::Below(domain) => host
                .strip_suffix(domain.as_str())
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|rest| !rest.is_empty()),
        }
    }
}

/// An egress rule that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the egress rule {0:?} can't be read; write a host (\"api.example.com\", \"*.example.com\") or a network (\"10.1.0.0/16\"), with http:// before it to permit plain HTTP and :port after it to permit one port only"
)]
pub struct InvalidEgressRule(String);

impl FromStr for HostPattern {
    type Err = InvalidEgressRule;

    fn from_str(rule: &str) -> Result<Self, Self::Err> {
        let (below, name) = match rule.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, rule),
        };
        let invalid = || InvalidEgressRule(rule.into());
        // The URL parser reads hosts in rules too, so that a rule and a URL for the same host have the same text.
        let host = match Host::parse(name.trim_end_matches('.')).map_err(|_| invalid())? {
            Host::Domain(name) => name.to_ascii_lowercase(),
            _ if below => return Err(invalid()),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        Ok(if below { Self::Below(host) } else { Self::Exact(host) })
    }
}

/// A permission for something that the policy would refuse otherwise.
#[derive(Clone, Debug)]
struct Permit {
    plain: bool,
    target: Target,
    port: Option<u16>,
}

#[derive(Clone, Debug)]
enum Target {
    Host(HostPattern),
    Network(Network),
}

impl Permit {
    fn covers_port(&self, to: &Destination) -> bool {
        (self.plain || !to.plain) && self.port.is_none_or(|port| port == to.port)
    }

    fn may_cover_host(&self, host: &str, literal: Option<IpAddr>) -> bool {
        match (&self.target, literal) {
            (Target::Host(pattern), _) => pattern.matches(host),
            (Target::Network(network), Some(address)) => network.contains(address),
            (Target::Network(_), None) => true,
        }
    }

    /// A permission for a name covers addresses that an internal service can have. Metadata, link-local and similar
    /// addresses need a permission for a network that contains them.
    fn covers(&self, host: &str, address: IpAddr) -> bool {
        match &self.target {
            Target::Network(network) => network.contains(address),
            Target::Host(pattern) => {
                let internal = matches!(
                    AddressKind::of(address),
                    AddressKind::Public | AddressKind::Loopback | AddressKind::Private | AddressKind::Shared
                );
                internal && pattern.matches(host)
            }
        }
    }
}

impl FromStr for Permit {
    type Err = InvalidEgressRule;

    fn from_str(rule: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidEgressRule(rule.into());
        let (plain, rest) = match rule.split_once("://") {
            Some(("http", rest)) => (true, rest),
            Some(("https", rest)) => (false, rest),
            Some(_) => return Err(invalid()),
            None => (false, rule),
        };
        if let Ok(network) = rest.parse() {
            return Ok(Self { plain, target: Target::Network(network), port: None });
        }
        // A colon inside brackets or one of several colons belongs to an IPv6 address.
        let (target, port) = match rest.rsplit_once(':') {
            Some((target, port)) if !port.ends_with(']') => (target, Some(port.parse().map_err(|_| invalid())?)),
            _ => (rest, None),
        };
        let bare = target.strip_prefix('[').and_then(|target| target.strip_suffix(']')).unwrap_or(target);
        let target = match bare.parse() {
            Ok(network) => Target::Network(network),
            Err(_) => Target::Host(target.parse().map_err(|_| invalid())?),
        };
        Ok(Self { plain, target, port })
    }
}

/// A network (`10.1.0.0/16`, `fd00::/8`) or one address.
#[derive(Clone, Copy, Debug)]
struct Network(IpNet);

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&embedded(address))
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let network = text.parse().or_else(|_| text.parse().map(|address: IpAddr| IpNet::from(address)));
        let network: IpNet = network.map_err(|_| ())?;
        // An IPv4 network must be written as one, because addresses are compared in their IPv4 form.
        if embedded(network.addr()) == network.addr() { Ok(Self(network)) } else { Err(()) }
    }
}
