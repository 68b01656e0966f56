//! Outgoing HTTP of the standalone host: a client with an egress policy, and its configuration.
//!
//! URLs come from organizations (webhooks, identity providers), so they may try to reach what only the host can: its
//! own loopback, the private network round it, the cloud's metadata. [`EgressPolicy`] decides where a request may go;
//! [`EgressClient`] asks it for every URL, every address that a name resolves to, and every redirect.

mod address;
mod client;
mod config;
mod connector;
mod egress;
mod guest_headers;
#[cfg(feature = "otlp")]
mod otlp;
mod redirect;
mod resolver;
#[cfg(test)]
mod tests;

pub use address::AddressKind;
pub use client::EgressClient;
pub use config::{HttpConfig, HttpConfigError, HttpLimits};
pub use egress::{EgressConfig, EgressPolicy, InvalidEgressRule, Refusal};
#[cfg(feature = "otlp")]
pub use otlp::{InvalidCollector, OtlpCollector};
pub use resolver::{Resolver, SystemResolver};
