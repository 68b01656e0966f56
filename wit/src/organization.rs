//! The organization as the backend knows it, and its choices.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::enumeration::enumeration;
use crate::member::is_address;

enumeration! {
    /// The plan for which the organization pays.
    #[derive(Default)]
    pub enum Plan {
        /// Free.
        #[default]
        Free = "free",
        /// Team.
        Team = "team",
        /// Enterprise, the only plan with SCIM.
        Enterprise = "enterprise",
    }
}

/// A domain of the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// Its name.
    pub name: String,
    /// Whether the organization has proved that the domain is its own.
    pub verified: bool,
}

/// Choices of the organization. They cross the boundary as a JSON object ([`Organization::options`]), so that later versions
/// can add some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema), schema(description = "Choices of the organization."))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Lists and filters also return manual members and teams.
    pub list_manual: bool,
    /// Only users of verified domains may be provisioned.
    pub verified_domains_only: bool,
    /// Only users with an email address may be provisioned. A user without one can never sign in.
    pub email_required: bool,
    /// More members than seats may be active; the overage is counted.
    pub allow_overage: bool,
    /// New members get an email with their initial passphrase.
    pub passphrase_emails: bool,
    /// The component follows RFC 7644 to the letter, without tolerance for what identity providers really send.
    pub strict: bool,
    /// A group with an unknown member is refused. Otherwise that member is left out.
    pub refuse_unknown_members: bool,
    /// POST of a deactivated member's userName reactivates that member. Otherwise it is answered 409.
    pub reactivate_on_post: bool,
    /// `Authorization: <token>` without a scheme is accepted.
    pub bare_token: bool,
    /// `Authorization: Basic` with the token as the password is accepted.
    pub basic_authentication: bool,
    /// The aliases `/ServiceProviderConfigs` and `/serviceConfiguration` are served.
    pub discovery_aliases: bool,
    /// A successful PATCH of a group is answered 204, whatever the group's size, unless a member was left out.
    pub group_patch_no_content: bool,
}

impl Default for Options {
    /// The choices if nobody has chosen, as the product and the RFC require: only the passphrase emails and the tolerance are
    /// on.
    fn default() -> Self {
        Self {
            list_manual: false,
            verified_domains_only: false,
            email_required: false,
            allow_overage: false,
            passphrase_emails: true,
            strict: false,
            refuse_unknown_members: false,
            reactivate_on_post: false,
            bare_token: false,
            basic_authentication: false,
            discovery_aliases: false,
            group_patch_no_content: false,
        }
    }
}

impl Options {
    /// All choices as a JSON object.
    fn object(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(object)) => object,
            _ => Map::new(),
        }
    }

    /// Reads a JSON object of choices. An absent choice has its default.
    ///
    /// # Errors
    /// The text says which name is unknown, or which value is not a boolean.
    pub fn parse(json: &str) -> Result<Self, String> {
        let known = Self::default().object();
        let object = parse_object(json)?;
        if let Some(name) = object.keys().find(|name| !known.contains_key(*name)) {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            return Err(format!("there is no option '{name}'; there are {}", names.join(", ")));
        }
        from_object(object)
    }

    /// Like [`Options::parse`], but ignores unknown names, because a later version may have written the object.
    ///
    /// # Errors
    /// The text says which value is not a boolean.
    pub fn parse_known(json: &str) -> Result<Self, String> {
        let known = Self::default().object();
        let mut object = parse_object(json)?;
        object.retain(|name, _| known.contains_key(name));
        from_object(object)
    }
}

fn parse_object(json: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(json).map_err(|error| format!("the options are no JSON object: {error}"))
}

fn from_object(object: Map<String, Value>) -> Result<Options, String> {
    serde_json::from_value(Value::Object(object)).map_err(|error| format!("an option is a boolean: {error}"))
}

/// An organization as it crosses the boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Organization {
    /// Its name.
    pub name: String,
    /// The plan for which it pays.
    pub plan: Plan,
    /// How many active members the plan allows.
    pub seats: u32,
    /// Its domains.
    pub domains: Vec<Domain>,
    /// The identity provider for which single sign-on is configured.
    #[cfg_attr(feature = "host", component(name = "single-sign-on"))]
    pub single_sign_on: Option<String>,
    /// Its [`Options`] as a JSON object.
    pub options: String,
}

/// An organization as the backend knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrganizationRecord {
    /// Its name, as people call it: 1 to 1,000 bytes.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1_000))]
    pub name: String,
    /// The plan for which it pays.
    pub plan: Plan,
    /// How many active members the plan allows.
    pub seats: u32,
    /// Its domains, at most 1,000.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 1_000))]
    pub domains: Vec<Domain>,
    /// The identity provider for which single sign-on is configured.
    pub single_sign_on: Option<String>,
    /// Its choices.
    #[serde(default)]
    pub options: Options,
}

impl OrganizationRecord {
    /// Whether the email address belongs to a verified domain.
    #[must_use]
    pub fn owns(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.domains.iter().any(|own| own.verified && own.name.eq_ignore_ascii_case(domain))
    }

    /// What administrators should know about a member with this email address (empty if there is none) and this userName
    /// (which may be an address).
    #[must_use]
    pub fn mark(&self, email: &str, user_name: &str) -> Option<Mark> {
        let address = if email.is_empty() { user_name } else { email };
        let Some((_, domain)) = address.rsplit_once('@').filter(|_| is_address(address)) else {
            return Some(Mark::NoAddress);
        };
        (!self.owns(address)).then(|| Mark::ForeignDomain(domain.to_ascii_lowercase()))
    }

    /// Combines the organization's data with choices that were read from [`Organization::options`].
    #[must_use]
    pub fn new(organization: Organization, options: Options) -> Self {
        let Organization { name, plan, seats, domains, single_sign_on, options: _ } = organization;
        Self { name, plan, seats, domains, single_sign_on, options }
    }
}

/// A property of a member that is allowed but may be unintended. Administrators see it on the page, in the preview and in the
/// log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The member has no address with which to sign in, or to which a passphrase could be mailed.
    NoAddress,
    /// The address belongs to this domain, in lower case, which the organization has not verified.
    ForeignDomain(String),
}

impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => formatter.write_str("can't sign in: no email address"),
            Self::ForeignDomain(domain) => write!(formatter, "outside your verified domains: {domain}"),
        }
    }
}

impl From<OrganizationRecord> for Organization {
    fn from(record: OrganizationRecord) -> Self {
        let options = Value::Object(record.options.object()).to_string();
        let OrganizationRecord { name, plan, seats, domains, single_sign_on, options: _ } = record;
        Self { name, plan, seats, domains, single_sign_on, options }
    }
}

/// How many seats there are, and how many are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Licences {
    /// How many active members the plan allows.
    pub seats: u32,
    /// Active members managed by people.
    pub manual: u64,
    /// Active members managed by the identity provider.
    pub scim: u64,
}

/// How many active members are marked ([`Mark`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct MarkedMembers {
    /// Active members who can't sign in, because they have no email address.
    #[cfg_attr(feature = "host", component(name = "no-address"))]
    pub no_address: u64,
    /// Active members whose address is of a domain that is not verified.
    #[cfg_attr(feature = "host", component(name = "foreign-domain"))]
    pub foreign_domain: u64,
    /// Whether all members have been counted. If not, the count is still going on, and these numbers are lower bounds.
    pub complete: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_are_absent_have_their_defaults_and_unknown_ones_are_refused() {
        assert_eq!(Options::parse("{}"), Ok(Options::default()));
        let strict = Options { strict: true, ..Options::default() };
        assert_eq!(Options::parse(r#"{"strict":true}"#), Ok(strict.clone()));
        assert!(Options::parse(r#"{"strikt":true}"#).unwrap_err().contains("'strikt'"));
        assert_eq!(Options::parse_known(r#"{"strict":true,"of-a-later-version":1}"#), Ok(strict));
        for wrong in ["", "[]", "{", r#"{"strict":1}"#] {
            assert!(Options::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_organization_is_the_same_after_it_has_crossed() {
        let record = OrganizationRecord { name: "Acme".into(), seats: 3, ..OrganizationRecord::default() };
        let crossed = Organization::from(record.clone());
        let options = Options::parse(&crossed.options).unwrap();
        assert_eq!(OrganizationRecord::new(crossed, options), record);
    }
}
