//! The types of the contract, in Rust: every record, variant and enumeration that `wit/*.wit` declares in an interface named
//! `…-types`. The component and its host share them.
//!
//! Both binding generators use these types instead of making their own (`with`): wit-bindgen in
//! `guest/src/component/bindings.rs`, wasmtime in `host/src/component/bindings.rs`. So a new field of a record is one line in
//! WIT, one line here, and its use. Names, order and types of fields and cases are compared. If they differ, the guest does
//! not compile, or the host's first look at the component fails.
//!
//! - A generator replaces the types of an interface without functions only, so each topic has two interfaces in WIT: its
//!   types (`directory-types`) and its functions (`directory`).
//! - The `serde` attributes of the types define their JSON (in the admin API, the command line and stored documents).
//!   Enumerations have the same names in JSON, in text (`FromStr`, `Display`) and in WIT, unless their documentation says
//!   otherwise.
//! - The feature `host` adds wasmtime's traits, and `openapi` the schemas of the OpenAPI document. The component is built with
//!   neither, so wasmtime is never compiled for it.
//!
//! All times are milliseconds since the Unix epoch.

mod act;
mod capability;
mod connector;
mod enumeration;
mod erasure;
mod error;
mod found;
mod guard;
mod import;
mod jobs;
mod journal;
mod listing;
mod member;
mod moment;
mod oauth;
mod organization;
mod overview;
mod preview;
mod refresh;
mod schemas;
mod scim;
mod seats;
mod setup;
mod storage;
mod streams;
mod trace;
mod word;

pub use act::{Act, Actor, Face, Source};
pub use capability::{EmailError, HttpError, HttpRequest, HttpResponse, Message, SecretsError};
pub use connector::{ConnectorStatus, ExpiryWindow, IdentityProvider, IssuedToken, TokenStatus};
pub use enumeration::UnknownName;
pub use erasure::Erasure;
pub use error::{ActionError, Requirement};
pub use found::{Census, DescribedMember, DescribedTeam, Found, MemberQuery, TeamQuery};
pub use guard::{Decision, Guard, GuardStatus, HeldCounts, HeldMember, HeldPage, HeldRemoval, Removal};
pub use import::{ImportOutcome, ImportedMember};
pub use jobs::{Delivery, DeliveryQueue, RunContext};
pub use journal::{AuditPage, AuditQuery, Event, LogPage, LogQuery, Webhook};
pub use listing::{Listed, Listing};
pub use member::{Member, NewMember, Origin, Role, SignedIn, Team, is_address};
pub use moment::{TOLERANCE, is_possible, lasts};
pub use oauth::{
    AuthorizeRefusal, ClientAssertion, Consent, IssuedOAuthClient, NewOAuthClient, OAuthClient, OAuthRequest,
    OAuthResponse, OperatorClient, PageError, SecretWindow,
};
pub use organization::{Domain, Licences, Mark, MarkedMembers, Options, Organization, OrganizationRecord, Plan};
pub use overview::Overview;
pub use preview::{Preview, PreviewOutcome, PreviewedUser};
pub use refresh::{
    EntraApi, EntraApiStatus, IdpApi, IdpApiStatus, OktaApi, OktaApiStatus, OktaApiToken, OktaCredentials,
    OktaPrivateKey, RefreshMethod, RefreshState, RefreshStatus,
};
pub use schemas::{DeclarationRefusal, Mistake};
pub use scim::{Header, ScimRequest, ScimResponse};
pub use seats::{PersonWithoutSeat, WithoutSeat};
pub use setup::{IssuedSetupLink, NewSetupLink, SetupLink};
pub use storage::{
    BoundedAdd, Change, Condition, Entry, Item, Key, KeyRange, KeyValue, KeyVersion, Page, Scanned, StorageError,
    Transaction, key_after,
};
pub use streams::{
    EventDetail, EventStream, IssuedEventStream, NewEventStream, PollRequest, PollResponse, SigningKey, StreamEvent,
};
pub use trace::TraceParent;
pub use word::occurs_as_word;

/// A page of members, in the order of their ids. This is the order of their creation, except for imported members.
pub type MemberPage = Listed<Member>;
/// A page of teams, in the order of their creation.
pub type TeamPage = Listed<Team>;
/// A page of members that a search has found.
pub type FoundMembers = Found<Member>;
/// A page of teams that a search has found.
pub type FoundTeams = Found<Team>;
/// A page of events, oldest first.
pub type EventPage = Listed<Event>;
/// A page of deliveries.
pub type DeliveryPage = Listed<Delivery>;

// The names that wit-bindgen and wasmtime derive from those in WIT, where ours are other ones.
#[doc(hidden)]
pub use {
    IssuedOAuthClient as IssuedOauthClient, NewOAuthClient as NewOauthClient, OAuthClient as OauthClient,
    OAuthRequest as OauthRequest, OAuthResponse as OauthResponse,
};
#[doc(hidden)]
pub type Time = u64;
