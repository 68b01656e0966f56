//! Name resolution, behind a trait so that a test or an embedder can bring its own.

use std::io;
use std::net::IpAddr;

use async_trait::async_trait;

/// Resolves host names. The returned addresses are checked against the egress policy, and only they are connected to.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of the host, best first.
    ///
    /// # Errors
    /// If the name has none or the name service does not answer.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's own resolution.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}
