//! SCIM provisioning for Insomnia Enterprise, to be mounted into a backend.
//!
//! The rules live in a WebAssembly component; this crate runs it for any number of organizations, each in a sandbox of
//! its own, and gives it storage, mail, HTTP, secrets and a clock through traits that the backend may implement.
//!
//! ```no_run
//! use std::sync::Arc;
//! use insomnia_scim::directory::{Domain, Options, OrganizationRecord, Plan};
//! use insomnia_scim::{NewOrganization, OrganizationId, Provisioner, storage::MemoryStorage};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let provisioner = Provisioner::builder()
//!     .storage(Arc::new(MemoryStorage::new()))
//!     .base_url("https://scim.example.com")
//!     .build()
//!     .await?;
//! let acme = OrganizationRecord {
//!     name: "Acme".into(),
//!     plan: Plan::Enterprise,
//!     seats: 250,
//!     domains: vec![Domain { name: "acme.example".into(), verified: true }],
//!     single_sign_on: Some("okta".into()),
//!     options: Options::default(),
//! };
//! provisioner.ensure_organization(NewOrganization::new(OrganizationId::parse("acme")?, acme)).await?;
//! let routes: axum::Router = provisioner.router();
//! # Ok(())
//! # }
//! ```
//!
//! [`guide`] leads from here to production: storage, secrets, mail, sessions, events, upgrade, operation.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `sqlite` | [`storage::SqliteStorage`] |
//! | `postgres` | [`storage::PostgresStorage`] |
//! | `email` | the module [`email`]: a folder of messages, and SMTP |
//! | `otlp` | the module `traces`: spans, sent to a collector of OpenTelemetry |
//! | `cli` (default) | the module [`cli`], which is the standalone server and its commands; it includes the four above |
//! | `conformance` | `storage::conformance`: the rules that every storage must keep |

// The example, which the tests run, names this crate as others do.
#[cfg(test)]
extern crate self as insomnia_scim;

mod alarm;
pub mod alerts;
pub mod api;
pub mod api_keys;
pub mod capability;
#[cfg(feature = "cli")]
pub mod cli;
mod component;
mod condition;
pub mod connector;
pub mod delivery;
pub mod directory;
mod download;
#[cfg(feature = "email")]
pub mod email;
#[cfg(test)]
mod embedding_tests;
mod error;
pub mod event;
mod fair;
mod fleet;
pub mod guard;
#[doc = include_str!("guide.md")]
pub mod guide {}
#[cfg(feature = "cli")]
mod host_key;
mod hourly;
pub mod http;
pub mod journal;
mod ledger;
mod metrics;
pub mod oauth;
mod organization;
pub mod page;
mod private_files;
mod provisioner;
mod quota;
mod registry;
mod routes;
mod scheduler;
mod scim;
pub mod server;
mod sign_ins;
pub mod storage;
mod timestamp;
pub mod traces;
mod urls;

pub use alerts::{AlertCause, AlertWebhook, Alerts};
pub use capability::storage::{InvalidOrganizationId, OrganizationId};
pub use component::{CallError, ComponentError, Isolation, Limits};
pub use condition::Trouble;
pub use error::{ActionError, SchemasError};
pub use fleet::{FleetCondition, FleetFilter, FleetTrouble, InvalidCondition, Standing};
pub use insomnia_scim_contract::{Act, Actor, Face, Overview, Source};
pub use organization::{
    CreateOrganizationError, CreatedOrganization, DomainRule, EnsuredOrganization, ErasedPerson, NewOrganization,
    OptionChanges, Organization, OrganizationChange, Owner, UnknownOption,
};
pub use provisioner::{BuildError, ComponentsError, Provisioner, ProvisionerBuilder};
pub use quota::{InvalidQuota, Quota, Quotas};
pub use registry::{
    Before, Canary, ComponentBookError, ComponentId, InvalidComponentId, Pin, QuotaError, Registered, RegistryError,
    StoredComponent,
};
pub use routes::serve;
pub use scim::{ScimRequest, ScimResponse};

/// The Rust in the README, which is compiled as it stands there.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../../README.md")]
struct Readme;
