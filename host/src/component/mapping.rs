//! The types of `wit/` as bindings have them, and those of this crate's own API: one conversion each.

use super::bindings::exports::insomnia::scim::{connector as wc, directory as wd, journal as wj, scim as ws};
use super::bindings::insomnia::scim::types as wt;
use crate::connector::{ConnectorStatus, ExpiryWindow, IdentityProvider, IssuedToken, TokenStatus};
use crate::directory::{
    Domain, Licences, Listed, Listing, Member, NewMember, Options, OrganizationRecord, Origin, Plan, Requirement, Role,
    Team,
};
use crate::error::ActionError;
use crate::journal::{LogPage, LogQuery};
use crate::scim::{ScimRequest, ScimResponse};

/// A closed set of names without content, in both directions.
macro_rules! same_names {
    ($ours:ident = $theirs:path: $($name:ident),+) => {
        impl From<$theirs> for $ours {
            fn from(value: $theirs) -> Self {
                match value { $(<$theirs>::$name => Self::$name),+ }
            }
        }

        impl From<$ours> for $theirs {
            fn from(value: $ours) -> Self {
                match value { $($ours::$name => Self::$name),+ }
            }
        }
    };
}

/// A record whose fields convert one by one.
macro_rules! same_fields {
    ($to:ty = $from:ty: $($field:ident),+) => {
        impl From<$from> for $to {
            fn from(value: $from) -> Self {
                Self { $($field: value.$field.into()),+ }
            }
        }
    };
}

same_names!(Role = wt::Role: Owner, CoOwner, Member);
same_names!(Origin = wt::Origin: Manual, Scim);
same_names!(Requirement = wt::Requirement: EnterprisePlan, OwnerOrCoOwner, VerifiedDomain, SingleSignOn);
same_names!(Plan = wd::Plan: Free, Team, Enterprise);
same_names!(ExpiryWindow = wc::ExpiryWindow: Days30, Days90, Days180, Year1, Years2, Never);
same_names!(TokenStatus = wc::TokenStatus: Valid, ExpiringSoon, Expired, Disabled);

same_fields!(ScimResponse = ws::Response: status, headers, body);
same_fields!(ws::Request = ScimRequest: method, path, query, headers, body, base_url, request_id);
same_fields!(Domain = wd::Domain: name, verified);
same_fields!(wd::Domain = Domain: name, verified);
same_fields!(Options = wd::Options: list_manual, verified_domains_only, allow_overage, passphrase_emails, strict,
    skip_unknown_members, reactivate_on_post, bare_token, basic_authentication, discovery_aliases,
    group_patch_no_content);
same_fields!(wd::Options = Options: list_manual, verified_domains_only, allow_overage, passphrase_emails, strict,
    skip_unknown_members, reactivate_on_post, bare_token, basic_authentication, discovery_aliases,
    group_patch_no_content);
same_fields!(Member = wd::Member: id, email, user_name, display_name, role, origin, active, created, last_modified);
same_fields!(wd::NewMember = NewMember: email, display_name, role, passphrase);
same_fields!(Team = wd::Team: id, name, origin, members, created, last_modified);
same_fields!(Licences = wd::Licences: seats, manual, scim);
same_fields!(wd::Listing = Listing: prefix, after, limit);
same_fields!(wj::Query = LogQuery: since, until, status_class, method, resource_type, text, after, limit);
same_fields!(LogPage = wj::LogPage: entries, next);
same_fields!(IssuedToken = wc::IssuedToken: token, expires);

impl From<wd::Organization> for OrganizationRecord {
    fn from(value: wd::Organization) -> Self {
        Self {
            name: value.name,
            plan: value.plan.into(),
            seats: value.seats,
            domains: value.domains.into_iter().map(Into::into).collect(),
            single_sign_on: value.single_sign_on,
            options: value.options.into(),
        }
    }
}

impl From<OrganizationRecord> for wd::Organization {
    fn from(value: OrganizationRecord) -> Self {
        Self {
            name: value.name,
            plan: value.plan.into(),
            seats: value.seats,
            domains: value.domains.into_iter().map(Into::into).collect(),
            single_sign_on: value.single_sign_on,
            options: value.options.into(),
        }
    }
}

impl From<wd::MemberPage> for Listed<Member> {
    fn from(value: wd::MemberPage) -> Self {
        Self { items: value.members.into_iter().map(Into::into).collect(), next: value.next }
    }
}

impl From<wd::TeamPage> for Listed<Team> {
    fn from(value: wd::TeamPage) -> Self {
        Self { items: value.teams.into_iter().map(Into::into).collect(), next: value.next }
    }
}

impl From<wc::IdentityProvider> for IdentityProvider {
    fn from(value: wc::IdentityProvider) -> Self {
        match value {
            wc::IdentityProvider::Okta => Self::Okta,
            wc::IdentityProvider::Azure => Self::Azure,
            wc::IdentityProvider::PingFederate => Self::PingFederate,
            wc::IdentityProvider::Other(name) => Self::Other(name),
        }
    }
}

impl From<IdentityProvider> for wc::IdentityProvider {
    fn from(value: IdentityProvider) -> Self {
        match value {
            IdentityProvider::Okta => Self::Okta,
            IdentityProvider::Azure => Self::Azure,
            IdentityProvider::PingFederate => Self::PingFederate,
            IdentityProvider::Other(name) => Self::Other(name),
        }
    }
}

impl From<wc::Status> for ConnectorStatus {
    fn from(value: wc::Status) -> Self {
        Self {
            enabled: value.enabled,
            identity_provider: value.identity_provider.map(Into::into),
            window: value.window.map(Into::into),
            status: value.status.into(),
            created: value.created,
            expires: value.expires,
            last_used: value.last_used,
            overlap_until: value.overlap_until,
            generation: value.generation,
        }
    }
}

impl From<wt::Error> for ActionError {
    fn from(value: wt::Error) -> Self {
        match value {
            wt::Error::UnmetRequirements(unmet) => Self::UnmetRequirements(unmet.into_iter().map(Into::into).collect()),
            wt::Error::Forbidden(why) => Self::Forbidden(why),
            wt::Error::WrongPassphrase => Self::WrongPassphrase,
            wt::Error::Throttled(seconds) => Self::Throttled(seconds),
            wt::Error::NotFound(what) => Self::NotFound(what),
            wt::Error::Conflict(what) => Self::Conflict(what),
            wt::Error::Invalid(what) => Self::Invalid(what),
            wt::Error::NoFreeSeat => Self::NoFreeSeat,
            wt::Error::NotConfigured(what) => Self::NotConfigured(what),
            wt::Error::Unavailable(why) => Self::Unavailable(why),
            wt::Error::Other(why) => Self::Other(why),
        }
    }
}
