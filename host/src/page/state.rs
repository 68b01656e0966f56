//! What all handlers of the page share.

use std::net::IpAddr;
use std::sync::Arc;

use super::session::Sessions;
use crate::capability::storage::OrganizationId;
use crate::provisioner::Provisioner;
use crate::server::streams::Streams;
use crate::server::throttle::{OF_ACCOUNT, OF_ADDRESS, Throttle};

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct PageState(Arc<Shared>);

pub(super) struct Shared {
    pub(super) provisioner: Provisioner,
    pub(super) sessions: Sessions,
    /// Tries from one address.
    pub(super) addresses: Throttle<IpAddr>,
    /// Tries of one account, there or not.
    pub(super) accounts: Throttle<[u8; 32]>,
    pub(super) streams: Arc<Streams>,
    pub(super) stopping: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl std::ops::Deref for PageState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl PageState {
    pub(super) fn new(
        provisioner: Provisioner,
        sessions: Sessions,
        stopping: Arc<dyn Fn() -> bool + Send + Sync>,
    ) -> Self {
        let (addresses, accounts) = (Throttle::new(OF_ADDRESS), Throttle::new(OF_ACCOUNT));
        Self(Arc::new(Shared { provisioner, sessions, addresses, accounts, streams: Arc::default(), stopping }))
    }

    pub(super) fn now(&self) -> u64 {
        self.provisioner.clock().now()
    }

    /// The path of the base URL: what all links begin with.
    pub(super) fn root(&self) -> &str {
        path_of(self.provisioner.base_url())
    }

    /// The path of an organization's page, as browsers see it.
    pub(super) fn home(&self, organization: &OrganizationId) -> String {
        format!("{}{}", self.root(), page_path(organization))
    }
}

/// The path of an organization's page below the base URL.
pub(crate) fn page_path(organization: &OrganizationId) -> String {
    format!("/organizations/{organization}/scim")
}

/// The path of an absolute URL, without a slash at its end; empty if there is none.
pub(super) fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("", |slash| &rest[slash..]).trim_end_matches('/')
}

/// Scheme and authority of an absolute URL.
pub(super) fn origin_of(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url[begin..].find('/').map_or(url.len(), |slash| begin + slash);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_an_origin_and_a_path() {
        for (url, origin, path) in [
            ("https://scim.example.com", "https://scim.example.com", ""),
            ("https://example.com/insomnia/", "https://example.com", "/insomnia"),
            ("http://127.0.0.1:8080/a/b", "http://127.0.0.1:8080", "/a/b"),
        ] {
            assert_eq!((origin_of(url), path_of(url)), (origin, path), "{url}");
        }
    }
}
